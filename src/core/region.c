/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions: see region.h. They are kept in one sorted array, so that a pass over them is a
 * pass over memory, and steady work needs no allocation.
 */

#include <damond/region.h>

#include <assert.h>
#include <string.h>

#include "array.h"
#include "macro.h"

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

                piece.range.start = MAX(piece.range.start, range.start);
                piece.range.end = MIN(piece.range.end, range.end);
                if (into->nr == first)
                        piece.range.start = range.start;
                else if (covered < piece.range.start)
                        into->items[into->nr++] = (struct damon_region) {
                                .range = { covered, piece.range.start },
                        };
                into->items[into->nr++] = piece;
                covered = piece.range.end;
        }

        if (into->nr == first)
                into->items[into->nr++] = (struct damon_region) { .range = range };
        else
                into->items[into->nr - 1].range.end = range.end;
}

int damon_regions_set(struct damon_regions *regions, const struct damon_range *ranges, size_t nr,
                      uint64_t page_size) {
        struct damon_regions covered = {};
        size_t i = 0;
        int r;

        /* Each border of a range cuts one region more, and each region has one hole before it. */
        r = regions_reserve(&covered, 2 * (regions->nr + nr) + 1);
        if (r < 0)
                return r;

        for (size_t k = 0; k < nr; k++)
                cover_range(&covered, regions, &i,
                            (struct damon_range) {
                                    .start = ranges[k].start / page_size * page_size,
                                    .end = (ranges[k].end + page_size - 1) / page_size * page_size,
                            });

        damon_regions_done(regions);
        *regions = covered;
        return 0;
}

int damon_regions_split_at(struct damon_regions *regions, size_t i, uint64_t size) {
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
        regions->items[i].range.end = regions->items[i].range.start + size;
        regions->items[i + 1].range.start = regions->items[i].range.end;
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

        assert(sz_limit >= page_size);

        for (size_t i = 0; i < nr_before; i++)
                nr += nr_chops(&regions->items[i], sz_limit);
        if (nr == nr_before)
                return 0;
        from = regions_spread(regions, nr);
        if (!from)
                return -ENOMEM;

        regions->nr = 0;
        for (size_t i = 0; i < nr_before; i++) {
                struct damon_region whole = from[i];
                uint64_t nr_pages = damon_range_size(&whole.range) / page_size;
                uint64_t pieces = nr_chops(&whole, sz_limit);

                for (uint64_t k = 0; k < pieces; k++) {
                        struct damon_region *piece = &regions->items[regions->nr++];

                        *piece = whole;
                        piece->range.start += nr_pages * k / pieces * page_size;
                        if (k + 1 < pieces)
                                piece->range.end = whole.range.start +
                                                   nr_pages * (k + 1) / pieces * page_size;
                }
        }
        return 0;
}

static void region_fold(struct damon_region *region, uint32_t max_nr_accesses) {
        const struct damon_checks *checks = &region->checks;
        uint64_t nr_known = (uint64_t) checks->nr_accessed + checks->nr_idle;

        region->last_nr_accesses = region->nr_accesses;
        region->unknown = nr_known == 0 || checks->nr_unknown > nr_known;
        if (nr_known > 0) {
                region->nr_accesses = (uint32_t) (((uint64_t) checks->nr_accessed * max_nr_accesses +
                                                   nr_known / 2) / nr_known);
                if (checks->nr_accessed > 0 && region->nr_accesses == 0)
                        region->nr_accesses = 1;
        }
        region->checks = (struct damon_checks) {};
}

uint32_t damon_regions_fold(struct damon_regions *regions, uint32_t max_nr_accesses) {
        uint32_t highest = 0;

        for (size_t i = 0; i < regions->nr; i++) {
                region_fold(&regions->items[i], max_nr_accesses);
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
                    (region->nr_accesses == 0) != (region->last_nr_accesses == 0))
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

static void region_absorb(struct damon_region *region, const struct damon_region *next) {
        uint64_t size = damon_range_size(&region->range);
        uint64_t sz_next = damon_range_size(&next->range);

        region->nr_accesses = weighted_mean(region->nr_accesses, size, next->nr_accesses, sz_next);
        region->age = weighted_mean(region->age, size, next->age, sz_next);
        region->unknown = region->unknown || next->unknown;
        region->range.end = next->range.end;
}

static bool are_alike(const struct damon_region *a, const struct damon_region *b) {
        if (a->unknown != b->unknown || (a->nr_accesses == 0) != (b->nr_accesses == 0))
                return false;
        return a->nr_accesses > 0 || MAX(a->age, b->age) / 2 <= MIN(a->age, b->age);
}

void damon_regions_merge(struct damon_regions *regions, uint32_t threshold, uint64_t sz_limit,
                         bool mix) {
        size_t last = 0;

        for (size_t i = 1; i < regions->nr; i++) {
                struct damon_region *left = &regions->items[last];
                const struct damon_region *right = &regions->items[i];

                if (left->range.end == right->range.start &&
                    distance(left->nr_accesses, right->nr_accesses) <= threshold &&
                    right->range.end - left->range.start <= sz_limit &&
                    (mix || are_alike(left, right)))
                        region_absorb(left, right);
                else
                        regions->items[++last] = *right;
        }
        if (regions->nr > 0)
                regions->nr = last + 1;
}

void damon_regions_merge_within(struct damon_regions *regions, uint32_t threshold,
                                uint32_t max_threshold, uint64_t sz_limit, size_t max_regions) {
        for (;;) {
                damon_regions_merge(regions, threshold, sz_limit, threshold >= max_threshold);
                if (regions->nr <= max_regions || threshold >= max_threshold)
                        return;
                threshold = threshold < max_threshold / 2 ? MAX(1U, 2 * threshold) : max_threshold;
        }
}

int damon_regions_split(struct damon_regions *regions, unsigned nr_pieces, uint64_t page_size,
                        const struct damon_env *env) {
        const struct damon_region *from;
        size_t nr_before = regions->nr;

        assert(nr_pieces == 2 || nr_pieces == 3);

        if (nr_before == 0)
                return 0;
        from = regions_spread(regions, nr_before * nr_pieces);
        if (!from)
                return -ENOMEM;

        regions->nr = 0;
        for (size_t i = 0; i < nr_before; i++) {
                struct damon_region left = from[i];
                struct damon_region cut[2];
                size_t nr_cut = 0;

                for (unsigned k = 1; k < nr_pieces; k++) {
                        uint64_t size = damon_range_size(&left.range);
                        uint64_t at;

                        if (size <= 2 * page_size)
                                break;
                        /* by pages, so that no address space is too large for the product */
                        at = (1 + env->random(env->userdata, 9)) * (size / page_size) / 10 * page_size;
                        if (at == 0)
                                continue;
                        cut[nr_cut] = left;
                        cut[nr_cut++].range.start += at;
                        left.range.end = left.range.start + at;
                }
                regions->items[regions->nr++] = left;
                while (nr_cut > 0)
                        regions->items[regions->nr++] = cut[--nr_cut];
        }
        return 0;
}

static uint32_t rescale(uint32_t value, uint64_t from, uint64_t to) {
        unsigned __int128 scaled = ((unsigned __int128) value * to + from / 2) / from;

        return scaled > UINT32_MAX ? UINT32_MAX : (uint32_t) scaled;
}

void damon_regions_rescale(struct damon_regions *regions, uint32_t old_max, uint32_t new_max,
                           uint64_t old_aggregation, uint64_t new_aggregation) {
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];

                region->nr_accesses = rescale(region->nr_accesses, old_max, new_max);
                region->last_nr_accesses = rescale(region->last_nr_accesses, old_max, new_max);
                region->age = rescale(region->age, new_aggregation, old_aggregation);
                region->checks = (struct damon_checks) {};
        }
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
