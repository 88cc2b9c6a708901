/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions: see region.h. They are kept in one sorted array, so that a pass over them is a
 * pass over memory, and steady work needs no allocation.
 */

#include <damond/region.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#include "array.h"
#include "ln.h"
#include "macro.h"

/*
 * What has to speak for a difference before it is taken for one; see damon_tally_gain(). The
 * figures are those with the smallest errors in the scenarios of tests/sim/test-sampler.c, and
 * none of them is critical: half or double is a little worse.
 */
#define GAIN_CHANGED 5.0        /* a region is not what it was */
#define GAIN_SETTLING 1.0       /* nor what it was in an aggregation that it changed in */
#define GAIN_TURNED 5.0         /* nor what it was before the last few checks */
#define GAIN_MOVED 12.0         /* nor are its parts, over all bins */
#define GAIN_ENDED 2.5          /* accesses have ended */
#define GAIN_DIFFERENT 1.5      /* two neighbours are not alike */
#define GAIN_CUT 3.0            /* a part of a region differs from the rest */
#define GAIN_AGAIN 2.0          /* pages that were accessed are accessed again more than others */

/* Checks in a row that can show that: one may be unlucky. */
#define NR_TURNED 2

/* Checks of a piece that say enough of it to be told. */
#define NR_TELLING 3

/* Parts that what is not in memory is divided into, at most. */
#define NR_ABSENT 16

/* Second looks that are enough to know, and those that tell anything at all. */
#define NR_AGAIN_ENOUGH 8
#define NR_AGAIN_MIN 3

/* Rates between which the pages of a region may differ from each other. */
#define RATE_MIXED_MIN 0.005
#define RATE_MIXED_MAX 0.99
#define RATE_AGAIN_MAX 0.95

/* Share of the checks that could tell, or could not, beyond which a part of the pages can. */
#define UNKNOWN_MIXED 0.1

/* How urgent cuts are: differences first, then what is mixed, then the large. */
#define URGENCY_DIFFERENT 128
#define URGENCY_TOLD 138        /* by so much that it is no change in time, seen here and there */
#define URGENCY_MIXED 64
#define URGENCY_MAX 255

void damon_regions_done(struct damon_regions *regions) {
        free(regions->items);
        *regions = (struct damon_regions) {};
}

uint64_t damon_regions_size(const struct damon_regions *regions) {
        uint64_t size = 0;

        for (size_t i = 0; i < regions->nr; i++)
                size += damon_range_size(&regions->items[i].range);
        return size;
}

uint64_t damon_regions_size_in_memory(const struct damon_regions *regions) {
        uint64_t size = 0;

        for (size_t i = 0; i < regions->nr; i++)
                if (!regions->items[i].absent)
                        size += damon_range_size(&regions->items[i].range);
        return size;
}

/*
 * What is not in memory is limited as if it were all there, which makes larger regions of it, and of
 * no more parts than it takes to see soon what is brought in.
 */
static uint64_t absent_limit(const struct damon_regions *regions, uint64_t sz_limit) {
        uint64_t sz_in_memory = damon_regions_size_in_memory(regions);
        double size = (double) damon_regions_size(regions);

        if (sz_in_memory == 0)
                return sz_limit;
        return (uint64_t) MAX((double) sz_limit * size / (double) sz_in_memory, size / NR_ABSENT);
}

static int regions_reserve(struct damon_regions *regions, size_t nr) {
        return ARRAY_GROW(regions->items, regions->capacity, nr);
}

int damon_regions_append(struct damon_regions *regions, struct damon_range range) {
        int r;

        if (range.start >= range.end)
                return -EINVAL;
        if (regions->nr > 0 && range.start < regions->items[regions->nr - 1].range.end)
                return -EINVAL;
        r = regions_reserve(regions, regions->nr + 1);
        if (r < 0)
                return r;
        regions->items[regions->nr++] = (struct damon_region) { .range = range };
        return 0;
}

/* Give a region other borders, and its evidence with it. */
static void region_reshape(struct damon_region *region, struct damon_range range) {
        struct damon_range before = region->range;
        struct damon_evidence running = region->running, evidence = region->evidence;

        if (before.start == range.start && before.end == range.end)
                return;
        region->range = range;
        region->again = 0;
        region->run = 0;
        region->running = region->evidence = (struct damon_evidence) {};
        damon_evidence_transfer(&region->running, range, &running, before);
        damon_evidence_transfer(&region->evidence, range, &evidence, before);
}

/*
 * Cover one range, by what the old regions know of it: @i is the first old region that may
 * reach into it. @into has room.
 */
static void cover_range(struct damon_regions *into, const struct damon_regions *old, size_t *i,
                        struct damon_range range) {
        size_t first = into->nr;
        uint64_t covered = range.start;

        while (*i < old->nr && old->items[*i].range.end <= range.start)
                (*i)++;

        for (size_t k = *i; k < old->nr && old->items[k].range.start < range.end; k++) {
                struct damon_region piece = old->items[k];
                struct damon_range cut = {
                        MAX(piece.range.start, range.start), MIN(piece.range.end, range.end),
                };

                if (into->nr == first)
                        cut.start = range.start;
                else if (covered < cut.start)
                        into->items[into->nr++] = (struct damon_region) {
                                .range = { covered, cut.start },
                        };
                region_reshape(&piece, cut);
                into->items[into->nr++] = piece;
                covered = cut.end;
        }

        if (into->nr == first)
                into->items[into->nr++] = (struct damon_region) { .range = range };
        else
                region_reshape(&into->items[into->nr - 1],
                               (struct damon_range) { into->items[into->nr - 1].range.start, range.end });
}

static struct damon_range whole_pages(struct damon_range range, uint64_t page_size) {
        return (struct damon_range) {
                .start = range.start / page_size * page_size,
                .end = (range.end + page_size - 1) / page_size * page_size,
        };
}

/* Say whether the regions cover exactly these ranges already, as they nearly always do. */
static bool regions_cover(const struct damon_regions *regions, const struct damon_range *ranges,
                          size_t nr, uint64_t page_size) {
        size_t i = 0;

        for (size_t k = 0; k < nr; k++) {
                struct damon_range range = whole_pages(ranges[k], page_size);

                for (; range.start < range.end; i++) {
                        if (i == regions->nr || regions->items[i].range.start != range.start ||
                            regions->items[i].range.end > range.end)
                                return false;
                        range.start = regions->items[i].range.end;
                }
        }
        return i == regions->nr;
}

int damon_regions_set(struct damon_regions *regions, const struct damon_range *ranges, size_t nr,
                      uint64_t page_size) {
        struct damon_regions covered = {};
        size_t i = 0;
        int r;

        if (regions_cover(regions, ranges, nr, page_size))
                return 0;

        /* Each border of a range cuts one region more, and each region has one hole before it. */
        r = regions_reserve(&covered, 2 * (regions->nr + nr) + 1);
        if (r < 0)
                return r;

        for (size_t k = 0; k < nr; k++)
                cover_range(&covered, regions, &i, whole_pages(ranges[k], page_size));

        damon_regions_done(regions);
        *regions = covered;
        return 0;
}

int damon_regions_split_at(struct damon_regions *regions, size_t i, uint64_t size) {
        struct damon_range whole;
        int r;

        assert(i < regions->nr);

        if (size == 0 || size >= damon_range_size(&regions->items[i].range))
                return -EINVAL;
        r = regions_reserve(regions, regions->nr + 1);
        if (r < 0)
                return r;

        memmove(&regions->items[i + 1], &regions->items[i],
                (regions->nr - i) * sizeof(regions->items[0]));
        regions->nr++;
        whole = regions->items[i].range;
        region_reshape(&regions->items[i], (struct damon_range) { whole.start, whole.start + size });
        region_reshape(&regions->items[i + 1], (struct damon_range) { whole.start + size, whole.end });
        return 0;
}

/*
 * Make room to write up to @nr regions from the front while the present ones are read from
 * the back. As long as a region gives at least one, and all together at most @nr, the
 * writer never overtakes the reader.
 *
 * Return: where to read, or NULL without memory.
 */
static const struct damon_region *regions_spread(struct damon_regions *regions, size_t nr) {
        if (regions_reserve(regions, nr) < 0)
                return NULL;
        memmove(&regions->items[nr - regions->nr], regions->items,
                regions->nr * sizeof(regions->items[0]));
        return &regions->items[nr - regions->nr];
}

static uint64_t nr_chops(const struct damon_region *region, uint64_t sz_limit) {
        return (damon_range_size(&region->range) + sz_limit - 1) / sz_limit;
}

int damon_regions_chop(struct damon_regions *regions, uint64_t sz_limit, uint64_t page_size) {
        const struct damon_region *from;
        size_t nr_before = regions->nr, nr = 0;
        uint64_t sz_absent = absent_limit(regions, sz_limit);

        assert(sz_limit >= page_size);

        for (size_t i = 0; i < nr_before; i++)
                nr += nr_chops(&regions->items[i], regions->items[i].absent ? sz_absent : sz_limit);
        if (nr == nr_before)
                return 0;
        from = regions_spread(regions, nr);
        if (!from)
                return -ENOMEM;

        regions->nr = 0;
        for (size_t i = 0; i < nr_before; i++) {
                struct damon_region whole = from[i];
                uint64_t nr_pages = damon_range_size(&whole.range) / page_size;
                uint64_t pieces = nr_chops(&whole, whole.absent ? sz_absent : sz_limit);

                for (uint64_t k = 0; k < pieces; k++) {
                        struct damon_region *piece = &regions->items[regions->nr++];

                        *piece = whole;
                        region_reshape(piece, (struct damon_range) {
                                .start = damon_region_page(&whole, nr_pages * k / pieces, page_size),
                                .end = damon_region_page(&whole, nr_pages * (k + 1) / pieces, page_size),
                        });
                }
        }
        return 0;
}

static uint64_t nr_pages_of(const struct damon_region *region, uint64_t page_size) {
        return damon_range_size(&region->range) / page_size;
}

void damon_region_count(struct damon_region *region, uint64_t page, bool accessed, bool again,
                        uint64_t page_size) {
        uint64_t nr_pages = nr_pages_of(region, page_size);
        const struct damon_evidence *known = &region->evidence;

        if (again) {
                region->nr_again++;
                region->nr_again_accessed = (uint8_t) (region->nr_again_accessed + accessed);
                return;
        }
        /* the bin of the middle of the page: where pages are larger than bins, that is where
         * damon_evidence_transfer() leaves most of it with the page */
        region->nr_known++;
        region->touched = region->touched || accessed;
        if (accessed)
                region->run = (int8_t) (region->run > 0 ? MIN(region->run + 1, INT8_MAX) : 1);
        else
                region->run = (int8_t) (region->run < 0 ? MAX(region->run - 1, -INT8_MAX) : -1);
        damon_evidence_add(&region->running,
                           (unsigned) ((2 * page + 1) * DAMON_NR_BINS / (2 * nr_pages)), accessed);

        /* a bin that is a page shows by itself how its pages differ */
        if (!accessed || nr_pages <= DAMON_NR_BINS || page >= UINT32_MAX ||
            region->nr_again >= NR_AGAIN_ENOUGH)
                return;
        if (damon_evidence_tally(known).known <= 0)
                known = &region->running;
        if (damon_evidence_rate(known) < RATE_AGAIN_MAX)
                region->again = (uint32_t) page + 1;
}

/*
 * Where some pages of a region are accessed all the time and others never, a page that was
 * accessed is accessed again; where all of them are accessed now and then, it is not more likely
 * to be than any other. Without second looks, differences are the rule.
 */
static bool is_uniform(const struct damon_region *region, uint64_t page_size) {
        double rate = damon_evidence_rate(&region->evidence), again, gain;
        double nr_again = region->nr_again, nr_accessed = region->nr_again_accessed;

        if (rate < RATE_MIXED_MIN || rate > RATE_MIXED_MAX ||
            nr_pages_of(region, page_size) <= DAMON_NR_BINS)
                return true;
        if (nr_again < NR_AGAIN_MIN)
                return false;
        again = nr_accessed / nr_again;
        if (again <= rate)
                return true;
        gain = nr_accessed * ln(again / rate);
        if (again < 1)
                gain += (nr_again - nr_accessed) * ln((1 - again) / (1 - rate));
        return gain <= GAIN_AGAIN && again <= rate + 0.2;
}

/*
 * Whether all checks since some time, in this aggregation or an earlier one, say the same, and what
 * was before them is something else. Then that is forgotten.
 */
static bool has_turned(struct damon_region *region, struct damon_tally now) {
        struct damon_tally before = damon_evidence_tally(&region->evidence);
        double nr_run = abs(region->run), nr_accessed = region->run > 0 ? nr_run : 0;

        before.known += now.known - nr_run;
        before.accessed = MIN(MAX(before.accessed + now.accessed - nr_accessed, 0), before.known);
        if (nr_run < NR_TURNED || before.known <= 0 ||
            damon_tally_gain(before, (struct damon_tally) { nr_accessed, nr_run }) <= GAIN_TURNED)
                return false;
        if (nr_run < now.known)
                /* of this aggregation, all is told */
                region->evidence = (struct damon_evidence) {};
        else
                memset(nr_accessed > 0 ? region->evidence.idle : region->evidence.accessed, 0,
                       sizeof(region->evidence.idle));
        return true;
}

/* Whether the aggregations before say nothing any more. */
static bool has_changed(const struct damon_region *region, struct damon_tally now, bool few) {
        struct damon_tally before = damon_evidence_tally(&region->evidence);
        double nr_other;

        if (before.known <= 0)
                return true;
        nr_other = 2 * before.accessed < before.known ? now.accessed : now.known - now.accessed;
        if (damon_tally_gain(before, now) > (region->fresh ? GAIN_SETTLING : GAIN_CHANGED))
                return !few || nr_other > 1;
        if (before.accessed <= 0)
                return false;
        /* What is accessed at one check in ten shows no end in one aggregation without an access, but
         * in two: a rate of p leaves n checks idle with a likelihood of (1 - p)^n. */
        if (region->nr_accesses > 0 && region->nr_idle > 0 &&
            -ln(1 - before.accessed / before.known) * now.known * region->nr_idle > GAIN_ENDED)
                return true;
        return damon_evidence_change(&region->evidence, &region->running) > GAIN_MOVED;
}

static uint32_t scaled_rate(const struct damon_evidence *evidence, uint32_t max_nr_accesses) {
        return (uint32_t) (damon_evidence_rate(evidence) * max_nr_accesses + 0.5);
}

static void region_fold(struct damon_region *region, uint32_t max_nr_accesses, uint64_t page_size) {
        struct damon_tally now = damon_evidence_tally(&region->running);
        bool partly_unknown, touched, few;
        uint32_t nr_unfaded;

        region->last_nr_accesses = region->nr_accesses;
        region->last_accessed = region->accessed;
        /* of less than a check, as a cut may leave it, rounding would make anything */
        region->unknown = now.known < 1 || region->nr_unknown > region->nr_known;
        partly_unknown = MIN(region->nr_known, region->nr_unknown) >
                         UNKNOWN_MIXED * (region->nr_known + region->nr_unknown);
        touched = region->touched;
        region->nr_known = region->nr_unknown = 0;
        region->touched = false;
        if (now.known < 1) {
                region->accessed = region->accessed || touched;
                region->running = (struct damon_evidence) {};
                return;
        }
        region->nr_idle = now.accessed > 0 ? 0 : (uint8_t) MIN(region->nr_idle + 1, UINT8_MAX);

        few = now.known < max_nr_accesses / 2.0;
        if (few && has_turned(region, now))
                region->fresh = true;
        else {
                region->fresh = has_changed(region, now, few);
                if (region->fresh)
                        region->evidence = (struct damon_evidence) {};
        }
        nr_unfaded = region->nr_unfaded + (uint32_t) (now.known + 0.5);
        for (; nr_unfaded >= max_nr_accesses; nr_unfaded -= max_nr_accesses)
                damon_evidence_fade(&region->evidence);
        region->nr_unfaded = (uint16_t) MIN(nr_unfaded, UINT16_MAX);
        damon_evidence_transfer(&region->evidence, region->range, &region->running, region->range);
        region->running = (struct damon_evidence) {};
        region->nr_accesses = scaled_rate(&region->evidence, max_nr_accesses);
        region->accessed = region->nr_accesses > 0 || now.accessed > 0 || touched;
        region->uniform = !partly_unknown && is_uniform(region, page_size);
        if (region->nr_again >= NR_AGAIN_ENOUGH) {
                /* what was found out has to be found again, by and by */
                region->nr_again /= 2;
                region->nr_again_accessed /= 2;
        }
}

uint32_t damon_regions_fold(struct damon_regions *regions, uint32_t max_nr_accesses,
                            uint64_t page_size) {
        uint32_t highest = 0;

        for (size_t i = 0; i < regions->nr; i++) {
                region_fold(&regions->items[i], max_nr_accesses, page_size);
                highest = MAX(highest, regions->items[i].nr_accesses);
        }
        return highest;
}

static uint32_t distance(uint32_t a, uint32_t b) {
        return a > b ? a - b : b - a;
}

void damon_regions_count_age(struct damon_regions *regions, uint32_t threshold) {
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];

                if (distance(region->nr_accesses, region->last_nr_accesses) > threshold ||
                    region->accessed != region->last_accessed ||
                    (region->accessed && region->nr_accesses == 0))
                        region->age = 0;
                else if (!region->unknown && region->age < UINT32_MAX)
                        region->age++;
        }
}

static uint32_t weighted_mean(uint32_t a, uint64_t weight_a, uint32_t b, uint64_t weight_b) {
        /* 128 bits: a frequency times a size may need more than 64. */
        return (uint32_t) (((unsigned __int128) a * weight_a + (unsigned __int128) b * weight_b) /
                           (weight_a + weight_b));
}

static void region_absorb(struct damon_region *region, const struct damon_region *next, bool mix) {
        uint64_t size = damon_range_size(&region->range);
        uint64_t sz_next = damon_range_size(&next->range);

        region->nr_accesses = weighted_mean(region->nr_accesses, size, next->nr_accesses, sz_next);
        /* what is mixed is no older than the youngest of it */
        region->age = mix ? MIN(region->age, next->age) :
                            weighted_mean(region->age, size, next->age, sz_next);
        region->absent = region->absent && next->absent;
        region->nr_in_memory = region->nr_in_memory > UINT32_MAX - next->nr_in_memory ?
                                       UINT32_MAX : region->nr_in_memory + next->nr_in_memory;
        region->unknown = region->unknown || next->unknown;
        region->accessed = region->accessed || next->accessed;
        region->uniform = region->uniform && next->uniform;
        region->nr_idle = MIN(region->nr_idle, next->nr_idle);
        if (region->nr_again < next->nr_again) {
                region->nr_again = next->nr_again;
                region->nr_again_accessed = next->nr_again_accessed;
        }
        region_reshape(region, (struct damon_range) { region->range.start, next->range.end });
        damon_evidence_transfer(&region->evidence, region->range, &next->evidence, next->range);
}

static bool are_alike(const struct damon_region *a, const struct damon_region *b, bool crowded) {
        if (a->unknown != b->unknown || a->accessed != b->accessed || a->absent != b->absent)
                return false;
        if (!(a->uniform && b->uniform) && !(crowded && a->nr_accesses == 0 && b->nr_accesses == 0))
                return false;
        if (!a->accessed)
                return distance(a->age, b->age) <= MAX(a->age, b->age) / 4 + 2;
        return damon_tally_gain(damon_evidence_tally(&a->evidence),
                                damon_evidence_tally(&b->evidence)) <= GAIN_DIFFERENT;
}

static bool may_join(const struct damon_region *left, const struct damon_region *right,
                     uint64_t sz_limit, uint64_t sz_absent) {
        return left->range.end == right->range.start &&
               right->range.end - left->range.start <= (left->absent && right->absent ? sz_absent : sz_limit);
}

void damon_regions_merge(struct damon_regions *regions, uint32_t threshold, uint64_t sz_limit,
                         bool crowded) {
        uint64_t sz_absent = absent_limit(regions, sz_limit);
        size_t last = 0;

        for (size_t i = 1; i < regions->nr; i++) {
                struct damon_region *left = &regions->items[last];
                const struct damon_region *right = &regions->items[i];

                if (may_join(left, right, sz_limit, sz_absent) &&
                    distance(left->nr_accesses, right->nr_accesses) <= threshold &&
                    are_alike(left, right, crowded))
                        region_absorb(left, right, false);
                else
                        regions->items[++last] = *right;
        }
        if (regions->nr > 0)
                regions->nr = last + 1;
}

/* Bytes that will be told wrong if these two become one, more or less. */
static double loss(const struct damon_region *a, const struct damon_region *b) {
        return (double) MIN(damon_range_size(&a->range), damon_range_size(&b->range)) *
               (distance(a->nr_accesses, b->nr_accesses) + 1.0);
}

void damon_regions_mix(struct damon_regions *regions, uint64_t sz_limit, size_t max_regions) {
        uint64_t sz_absent = absent_limit(regions, sz_limit);
        double limit = 1, least = 0;

        /* neighbours whose loss is the least, or less than twice that, until no two are left */
        while (regions->nr > max_regions && least < INFINITY) {
                size_t last = 0, nr = regions->nr;

                least = INFINITY;
                for (size_t i = 1; i < regions->nr; i++) {
                        struct damon_region *left = &regions->items[last];
                        const struct damon_region *right = &regions->items[i];
                        bool fits = may_join(left, right, sz_limit, sz_absent);

                        if (fits && nr > max_regions && loss(left, right) <= limit) {
                                region_absorb(left, right, true);
                                nr--;
                                continue;
                        }
                        if (fits)
                                least = MIN(least, loss(left, right));
                        regions->items[++last] = *right;
                }
                regions->nr = nr;
                limit = 2 * least;
        }
}

void damon_regions_merge_within(struct damon_regions *regions, uint32_t threshold,
                                uint32_t max_nr_accesses, uint64_t sz_limit, size_t max_regions) {
        bool crowded = regions->nr > max_regions / 2;

        for (;;) {
                damon_regions_merge(regions, threshold, sz_limit, crowded);
                if (regions->nr <= max_regions || threshold >= max_nr_accesses)
                        break;
                threshold = threshold < max_nr_accesses / 2 ? MAX(1U, 2 * threshold) : max_nr_accesses;
        }
        damon_regions_mix(regions, sz_limit, max_regions);

        /* many rounded averages of rounded averages have gone astray */
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];

                if (region->accessed && damon_evidence_tally(&region->evidence).known > 0)
                        region->nr_accesses = scaled_rate(&region->evidence, max_nr_accesses);
        }
}

/* How much is to be found out by a cut, and where: see damon_regions_refine(). */
static void plan_cut(struct damon_region *region, uint64_t sz_explore, uint64_t page_size) {
        struct damon_cut cut = damon_evidence_cut(&region->evidence);
        double rate = damon_evidence_rate(&region->evidence);
        unsigned urgency = 0;

        if (nr_pages_of(region, page_size) < 2 || region->absent)
                cut.gain = 0;
        else if (cut.gain > GAIN_CUT)
                urgency = URGENCY_DIFFERENT + (unsigned) MIN(2 * cut.gain, URGENCY_MAX - URGENCY_DIFFERENT);
        else if (!region->uniform)
                urgency = URGENCY_MIXED +
                          (unsigned) (4 * rate * (1 - rate) * (URGENCY_DIFFERENT - URGENCY_MIXED - 1));
        else if (damon_range_size(&region->range) > sz_explore)
                urgency = (unsigned) MIN(damon_range_size(&region->range) / sz_explore, URGENCY_MIXED - 1U);
        if (cut.gain < 0.5) {
                cut.first = 0;
                cut.end = DAMON_NR_BINS / 2;
        }
        region->cut.first = cut.first;
        region->cut.end = cut.end;
        region->cut.urgency = (uint8_t) urgency;
}

static size_t nr_more_pieces(const struct damon_region *region) {
        return (size_t) (region->cut.first > 0) + (region->cut.end < DAMON_NR_BINS);
}

/* The number of regions that cuts of an urgency may lead to. */
static size_t nr_limit(unsigned urgency, size_t nr_explore, size_t max_regions) {
        if (urgency >= URGENCY_DIFFERENT)
                return max_regions;
        /* leave room for the differences that this brings to light */
        if (urgency >= URGENCY_MIXED)
                return max_regions - max_regions / 10;
        return MIN(nr_explore, max_regions);
}

/*
 * Of a piece that differs from the rest, its own checks are told at once. One in which they found no
 * access is not taken for idle before an aggregation of its own says so.
 */
static void tell_piece(struct damon_region *piece, uint32_t max_nr_accesses) {
        uint32_t before = piece->nr_accesses;

        if (!piece->accessed || damon_evidence_tally(&piece->evidence).known < NR_TELLING)
                return;
        piece->nr_accesses = scaled_rate(&piece->evidence, max_nr_accesses);
        if (distance(piece->nr_accesses, before) > max_nr_accesses / 10)
                piece->age = 0;
}

/* Cut a region into up to three pieces at the end of the regions, which has room. */
static void cut_region(struct damon_regions *regions, const struct damon_region *whole,
                       uint32_t max_nr_accesses, uint64_t page_size) {
        uint64_t nr_pages = nr_pages_of(whole, page_size);
        uint64_t borders[] = {
                0,
                /* the first page whose middle lies in the bin, and in the one behind */
                (whole->cut.first * nr_pages + DAMON_NR_BINS / 2 - 1) / DAMON_NR_BINS,
                (whole->cut.end * nr_pages + DAMON_NR_BINS / 2 - 1) / DAMON_NR_BINS,
                nr_pages,
        };

        for (size_t i = 0; i + 1 < ELEMENTSOF(borders); i++) {
                struct damon_region *piece;

                if (borders[i] == borders[i + 1])
                        continue;
                piece = &regions->items[regions->nr++];
                *piece = *whole;
                region_reshape(piece, (struct damon_range) {
                        .start = damon_region_page(whole, borders[i], page_size),
                        .end = damon_region_page(whole, borders[i + 1], page_size),
                });
                if (whole->cut.urgency >= URGENCY_TOLD)
                        tell_piece(piece, max_nr_accesses);
        }
}

int damon_regions_refine(struct damon_regions *regions, size_t nr_explore, size_t max_regions,
                         uint32_t max_nr_accesses, uint64_t page_size) {
        size_t nr_before = regions->nr, nr = nr_before, left = 0;
        size_t nr_more[URGENCY_MAX + 1] = {};
        uint64_t sz_explore = MAX(damon_regions_size_in_memory(regions) / nr_explore, page_size);
        unsigned least = URGENCY_MAX;           /* cuts less urgent than this are not made */
        const struct damon_region *from;

        for (size_t i = 0; i < nr_before; i++) {
                plan_cut(&regions->items[i], sz_explore, page_size);
                nr_more[regions->items[i].cut.urgency] += nr_more_pieces(&regions->items[i]);
        }
        for (; least > 0; least--) {
                size_t limit = nr_limit(least, nr_explore, max_regions);

                left = limit > nr ? limit - nr : 0;
                if (nr_more[least] > left)
                        break;
                nr += nr_more[least];
        }
        nr += least > 0 ? left : 0;
        if (nr == nr_before)
                return 0;
        from = regions_spread(regions, nr);
        if (!from)
                return -ENOMEM;

        regions->nr = 0;
        for (size_t i = 0; i < nr_before; i++) {
                struct damon_region whole = from[i];
                size_t more = nr_more_pieces(&whole);

                if (whole.cut.urgency > least)
                        cut_region(regions, &whole, max_nr_accesses, page_size);
                else if (least > 0 && whole.cut.urgency == least && more <= left) {
                        left -= more;
                        cut_region(regions, &whole, max_nr_accesses, page_size);
                } else
                        regions->items[regions->nr++] = whole;
        }
        return 0;
}

static uint32_t rescale(uint32_t value, uint64_t from, uint64_t to) {
        unsigned __int128 scaled = ((unsigned __int128) value * to + from / 2) / from;

        return scaled > UINT32_MAX ? UINT32_MAX : (uint32_t) scaled;
}

/*
 * Take evidence over to a sample interval of another length: a longer one finds more accesses, so that
 * an idle check of a shorter one says less; and neither says as much as one of the right length.
 */
static void evidence_rescale(struct damon_evidence *evidence, double longer) {
        double worth = longer > 1 ? 1 / longer : longer;
        double accessed = longer > 1 ? worth : worth * worth, idle = longer > 1 ? worth * worth : worth;

        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                evidence->accessed[i] = (uint16_t) (evidence->accessed[i] * accessed);
                evidence->idle[i] = (uint16_t) (evidence->idle[i] * idle);
        }
}

void damon_regions_rescale(struct damon_regions *regions, uint32_t old_max, uint32_t new_max,
                           uint64_t old_aggregation, uint64_t new_aggregation) {
        double longer = (double) new_aggregation * old_max / ((double) old_aggregation * new_max);

        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];

                if (region->uniform && region->nr_accesses > 0 && region->nr_accesses < old_max) {
                        evidence_rescale(&region->evidence, longer);
                        region->run = 0;
                }
                if (region->nr_known > 0)
                        region->run = 0;
                region->nr_accesses = rescale(region->nr_accesses, old_max, new_max);
                region->last_nr_accesses = rescale(region->last_nr_accesses, old_max, new_max);
                region->age = rescale(region->age, new_aggregation, old_aggregation);
                region->running = (struct damon_evidence) {};
                region->nr_known = region->nr_unknown = 0;
                region->touched = false;
                region->again = 0;
        }
}

void damon_regions_forget(struct damon_regions *regions) {
        for (size_t i = 0; i < regions->nr; i++)
                regions->items[i] = (struct damon_region) {
                        .range = regions->items[i].range, .unknown = true,
                };
}

const char *damon_regions_check(const struct damon_regions *regions, uint64_t page_size) {
        if (regions->nr > regions->capacity)
                return "more regions than there is room for";
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_range *range = &regions->items[i].range;

                if (range->start >= range->end)
                        return "a region is empty";
                if (range->start % page_size != 0 || range->end % page_size != 0)
                        return "a border lies inside a page";
                if (i > 0 && range->start < regions->items[i - 1].range.end)
                        return "regions are out of order or overlap";
        }
        return NULL;
}
