/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions: see region.h. They are kept in one sorted array, so that a pass over them is a
 * pass over memory, and steady work needs no allocation. What they know is in region-fold.c, how they
 * are merged and cut in region-merge.c and region-refine.c, and how borders are put right in region-fit.c.
 */

#include <damond/region.h>

#include <assert.h>
#include <string.h>

#include "array.h"
#include "macro.h"
#include "region-parts.h"

/* Parts that what is not in memory is divided into, at most. */
#define NR_ABSENT 16

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

uint64_t damon_regions_absent_limit(const struct damon_regions *regions, uint64_t sz_limit) {
        uint64_t sz_in_memory = damon_regions_size_in_memory(regions);
        double size = (double) damon_regions_size(regions);
        size_t nr_absent = regions->max_absent > 0 ? MIN(regions->max_absent, (size_t) NR_ABSENT) : NR_ABSENT;

        if (sz_in_memory == 0)
                return sz_limit;
        return (uint64_t) MAX((double) sz_limit * size / (double) sz_in_memory, size / (double) nr_absent);
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

void damon_region_reshape(struct damon_region *region, struct damon_range range) {
        struct damon_range before = region->range;
        struct damon_evidence running = region->running, evidence = region->evidence;

        if (before.start == range.start && before.end == range.end)
                return;
        region->range = range;
        region->again = region->found = 0;
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
                damon_region_reshape(&piece, cut);
                into->items[into->nr++] = piece;
                covered = cut.end;
        }

        if (into->nr == first)
                into->items[into->nr++] = (struct damon_region) { .range = range };
        else
                damon_region_reshape(&into->items[into->nr - 1],
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
        struct damon_regions covered = { .max_absent = regions->max_absent };
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
        damon_region_reshape(&regions->items[i], (struct damon_range) { whole.start, whole.start + size });
        damon_region_reshape(&regions->items[i + 1], (struct damon_range) { whole.start + size, whole.end });
        return 0;
}

const struct damon_region *damon_regions_spread(struct damon_regions *regions, size_t nr) {
        if (regions_reserve(regions, nr) < 0)
                return NULL;
        memmove(&regions->items[nr - regions->nr], regions->items,
                regions->nr * sizeof(regions->items[0]));
        return &regions->items[nr - regions->nr];
}

static uint64_t nr_chops(const struct damon_region *region, uint64_t sz_limit) {
        return (damon_range_size(&region->range) + sz_limit - 1) / sz_limit;
}

static size_t nr_chopped(const struct damon_regions *regions, uint64_t sz_limit) {
        uint64_t sz_absent = damon_regions_absent_limit(regions, sz_limit);
        size_t nr = 0;

        for (size_t i = 0; i < regions->nr; i++)
                nr += nr_chops(&regions->items[i], regions->items[i].absent ? sz_absent : sz_limit);
        return nr;
}

int damon_regions_chop(struct damon_regions *regions, uint64_t sz_limit, size_t max_regions, uint64_t page_size) {
        const struct damon_region *from;
        size_t nr_before = regions->nr, nr;
        uint64_t sz_absent;

        assert(sz_limit >= page_size);

        while ((nr = nr_chopped(regions, sz_limit)) > MAX(max_regions, nr_before))
                sz_limit = damon_larger_limit(sz_limit);
        if (nr == nr_before)
                return 0;
        sz_absent = damon_regions_absent_limit(regions, sz_limit);
        from = damon_regions_spread(regions, nr);
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
                        damon_region_reshape(piece, (struct damon_range) {
                                .start = damon_region_page(&whole, nr_pages * k / pieces, page_size),
                                .end = damon_region_page(&whole, nr_pages * (k + 1) / pieces, page_size),
                        });
                }
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
                region->again = region->found = 0;
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
