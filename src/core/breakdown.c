/* SPDX-License-Identifier: GPL-2.0-only */
/* What matches and what holds the rest back: see breakdown.h. */

#include <damond/breakdown.h>

#include <assert.h>

#include <damond/ops.h>
#include <damond/scheme.h>

#include "array.h"
#include "macro.h"

const char *damos_hold_to_string(enum damos_hold hold) {
        static const char *const names[_DAMOS_HOLD_MAX] = {
                [DAMOS_HOLD_TARGET] = "other target",
                [DAMOS_HOLD_UNKNOWN] = "unknown",
                [DAMOS_HOLD_ABSENT] = "not in memory",
                [DAMOS_HOLD_NR_ACCESSES] = "frequency",
                [DAMOS_HOLD_SIZE] = "size",
                [DAMOS_HOLD_AGE] = "age",
        };

        assert(hold > DAMOS_HOLD_NONE && hold < _DAMOS_HOLD_MAX);
        return names[hold];
}

static bool within(const struct damos_limits *limits, uint64_t value) {
        return value >= limits->min && value <= limits->max;
}

static uint64_t age_of(const struct damon_region *region, const struct damon_attrs *attrs) {
        uint64_t age;

        return __builtin_mul_overflow(region->age, attrs->aggregation_interval, &age) ? UINT64_MAX : age;
}

enum damos_hold damos_hold(const struct damos *scheme, const struct damon_region *region,
                           const struct damon_attrs *attrs) {
        /* accesses too rare to show in nr_accesses are accesses all the same */
        uint32_t nr_accesses = MAX(region->nr_accesses, (uint32_t) region->accessed);

        if (region->unknown && scheme->action != DAMOS_STAT)
                return DAMOS_HOLD_UNKNOWN;
        if (region->absent && damos_lets_go(scheme->action))
                return DAMOS_HOLD_ABSENT;
        if (!within(&scheme->pattern.nr_accesses, nr_accesses))
                return DAMOS_HOLD_NR_ACCESSES;
        if (!within(&scheme->pattern.size, damon_range_size(&region->range)))
                return DAMOS_HOLD_SIZE;
        if (!within(&scheme->pattern.age, age_of(region, attrs)))
                return DAMOS_HOLD_AGE;
        return DAMOS_HOLD_NONE;
}

static void add(struct damos_part *part, uint64_t nr, uint64_t size, uint64_t in_memory) {
        part->nr += nr;
        part->size += size;
        part->in_memory += in_memory;
}

void damos_breakdown_add(struct damos_breakdown *breakdown, const struct damos *scheme,
                         const struct damon_target *target, const struct damon_attrs *attrs) {
        const struct damon_regions *regions = &target->regions;

        if (!damos_is_for(scheme, target)) {
                struct damos_part *part = &breakdown->parts[DAMOS_HOLD_TARGET];
                uint64_t size = damon_regions_size(regions);

                add(part, regions->nr, size, target->residency.known ?
                    damon_residency_size(&target->residency, (struct damon_range) { 0, UINT64_MAX }) : size);
                return;
        }
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_region *region = &regions->items[i];
                enum damos_hold hold = damos_hold(scheme, region, attrs);

                add(&breakdown->parts[hold], 1, damon_range_size(&region->range),
                    damon_residency_size(&target->residency, region->range));
                if (hold == DAMOS_HOLD_AGE)
                        breakdown->age = MAX(breakdown->age, age_of(region, attrs));
        }
}

/* Tries of all that filters let through, or do not, by what is found in memory; the rest is counted. */
static int list_tries(const struct damos *scheme, const struct damon_target *target,
                      const struct damon_attrs *attrs, struct damos_try **tries, size_t *ret_nr,
                      uint64_t *size) {
        size_t capacity = 0, nr = 0;

        for (size_t i = 0; i < target->regions.nr; i++) {
                const struct damon_region *region = &target->regions.items[i];
                struct damon_range part = region->range;

                if (!damos_matches(scheme, region, attrs))
                        continue;
                for (; part.start < region->range.end; part.start = part.end) {
                        enum damos_answer let;
                        int r;

                        part.end = damos_filters_first_part(
                                &scheme->filters, target->name,
                                (struct damon_range) { part.start, region->range.end }, &let);
                        if (let == DAMOS_NO)
                                *size += damon_range_size(&part);
                        if (let != DAMOS_UNKNOWN)
                                continue;
                        r = ARRAY_GROW(*tries, capacity, nr + 1);
                        if (r < 0)
                                return r;
                        (*tries)[nr++] = (struct damos_try) {
                                .range = part, .region = i, .filters = &scheme->filters,
                        };
                }
        }
        *ret_nr = nr;
        return 0;
}

int damos_breakdown_filtered(const struct damos *scheme, struct damon_target *target,
                             const struct damon_attrs *attrs, const struct damon_ops *ops, void *ops_data,
                             uint64_t *ret_size) {
        _cleanup_free_ struct damos_try *tries = NULL;
        uint64_t size = 0, took;
        size_t nr;
        int r;

        r = list_tries(scheme, target, attrs, &tries, &nr, &size);
        if (r < 0)
                return r;
        if (nr > 0)
                r = ops->apply(ops_data, target, DAMOS_STAT, tries, nr, UINT64_MAX, &took);
        for (size_t i = 0; r >= 0 && i < nr; i++)
                size += tries[i].sz_filtered;
        *ret_size = size;
        return MIN(r, 0);
}
