/* SPDX-License-Identifier: GPL-2.0-only */
/* Targets: see target.h. */

#include <damond/target.h>

#include <string.h>

#include "macro.h"

/* Of max_regions, one in so many is for what is not in memory. */
#define ABSENT_SHARE 4

int damon_target_new(struct damon_target **ret_target, const char *name, pid_t pid) {
        struct damon_target *target = calloc(1, sizeof(*target));

        if (!target)
                return -ENOMEM;
        target->name = strdup(name);
        if (!target->name) {
                damon_target_free(target);
                return -ENOMEM;
        }
        target->pid = pid;
        *ret_target = target;
        return 0;
}

struct damon_target *damon_target_free(struct damon_target *target) {
        if (!target)
                return NULL;
        damon_regions_done(&target->regions);
        damon_residency_done(&target->residency);
        free(target->name);
        free(target);
        return NULL;
}

size_t damon_three_ranges(const struct damon_range *mappings, size_t nr,
                          struct damon_range ret_ranges[static 3]) {
        struct damon_range gaps[2] = {};        /* the two largest, by address where both exist */
        size_t nr_ranges = 0;
        uint64_t start;

        if (nr == 0)
                return 0;

        for (size_t i = 1; i < nr; i++) {
                struct damon_range gap = { mappings[i - 1].end, mappings[i].start };
                size_t smaller = damon_range_size(&gaps[1]) <= damon_range_size(&gaps[0]) ? 1 : 0;

                if (damon_range_size(&gap) <= damon_range_size(&gaps[smaller]))
                        continue;
                /* gap lies above both: keep the order by address */
                if (smaller == 0)
                        gaps[0] = gaps[1];
                gaps[1] = gap;
        }

        start = mappings[0].start;
        for (size_t i = 0; i < 2; i++) {
                if (damon_range_size(&gaps[i]) == 0)
                        continue;
                ret_ranges[nr_ranges++] = (struct damon_range) { start, gaps[i].start };
                start = gaps[i].end;
        }
        ret_ranges[nr_ranges++] = (struct damon_range) { start, mappings[nr - 1].end };
        return nr_ranges;
}

uint64_t damon_target_sz_limit(struct damon_target *target, const struct damon_attrs *attrs,
                               uint64_t page_size) {
        uint64_t size = damon_regions_size(&target->regions), limit;
        uint64_t in_memory = damon_regions_size_in_memory(&target->regions);

        if (size != target->divided.size || in_memory > target->divided.in_memory ||
            in_memory < target->divided.in_memory - target->divided.in_memory / 8) {
                target->divided.size = size;
                target->divided.in_memory = in_memory;
        }
        in_memory = target->divided.in_memory;
        target->regions.max_absent = MAX(attrs->max_regions / ABSENT_SHARE, (size_t) 1);
        limit = (in_memory > 0 ? in_memory : size) / attrs->min_regions;
        return MAX((limit + page_size - 1) / page_size, 1) * page_size;
}

int damon_target_update(struct damon_target *target, const struct damon_range *mappings, size_t nr,
                        uint64_t page_size) {
        struct damon_range ranges[3];
        size_t nr_ranges = damon_three_ranges(mappings, nr, ranges);

        return damon_regions_set(&target->regions, ranges, nr_ranges, page_size);
}

int damon_target_divide(struct damon_target *target, const struct damon_attrs *attrs, uint64_t page_size) {
        return damon_regions_chop(&target->regions, damon_target_sz_limit(target, attrs, page_size),
                                  attrs->max_regions, page_size);
}

size_t damon_target_nr_sampled(const struct damon_target *target) {
        size_t nr = 0;

        for (size_t i = 0; i < target->regions.nr; i++)
                nr += !target->regions.items[i].absent;
        return nr;
}

/* Cut the region that an address lies in, if there is one. @i goes on with the addresses. */
static int cut_at(struct damon_regions *regions, size_t *i, uint64_t addr) {
        while (*i < regions->nr && regions->items[*i].range.end <= addr)
                (*i)++;
        if (*i == regions->nr || regions->items[*i].range.start >= addr)
                return 0;
        return damon_regions_split_at(regions, *i, addr - regions->items[*i].range.start);
}

/* Before anything is divided: what is not in memory need not be divided as far as the rest. */
static void mark_absent(struct damon_regions *regions, struct damon_range gap) {
        size_t low = 0, high = regions->nr;

        /* the number of regions that begin before the gap */
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (regions->items[middle].range.start < gap.start)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < regions->nr && regions->items[low].range.end <= gap.end; low++)
                regions->items[low].absent = true;
}

int damon_target_cut_absent(struct damon_target *target, size_t nr_regions, uint64_t page_size) {
        const struct damon_residency *residency = &target->residency;
        uint64_t sz_gap = MAX(damon_regions_size(&target->regions) / nr_regions, 2 * page_size);
        uint64_t end = 0, first, last;
        size_t i = 0;

        if (target->regions.nr == 0)
                return 0;
        first = target->regions.items[0].range.start;
        last = target->regions.items[target->regions.nr - 1].range.end;
        for (size_t k = 0; k <= residency->nr && residency->known; k++) {
                struct damon_range gap = {
                        end, k < residency->nr ? residency->items[k].range.start : UINT64_MAX,
                };
                int r;

                if (k < residency->nr)
                        end = residency->items[k].range.end;
                /* what lies outside of the target is no part of a gap */
                gap.start = MAX(gap.start, first);
                gap.end = MIN(gap.end, last);
                if (gap.start >= gap.end || damon_range_size(&gap) < sz_gap ||
                    target->regions.nr + 2 > nr_regions)
                        continue;
                r = cut_at(&target->regions, &i, gap.start);
                if (r >= 0)
                        r = cut_at(&target->regions, &i, gap.end);
                if (r < 0)
                        return r;
                mark_absent(&target->regions, gap);
        }
        return 0;
}
