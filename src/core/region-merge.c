/* SPDX-License-Identifier: GPL-2.0-only */
/* How regions that are alike become one; see region.h. */

#include <damond/region.h>

#include <math.h>

#include "macro.h"
#include "region-parts.h"

/* Two neighbours are not alike if so much speaks for that; see region-fold.c. */
#define GAIN_DIFFERENT 1.5

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
        damon_region_reshape(region, (struct damon_range) { region->range.start, next->range.end });
        damon_evidence_transfer(&region->evidence, region->range, &next->evidence, next->range);
}

static bool are_alike(const struct damon_region *a, const struct damon_region *b, bool crowded) {
        if (a->unknown != b->unknown || a->accessed != b->accessed || a->absent != b->absent)
                return false;
        if (!(a->uniform && b->uniform) && !(crowded && a->nr_accesses == 0 && b->nr_accesses == 0))
                return false;
        if (!a->accessed)
                return damon_distance(a->age, b->age) <= MAX(a->age, b->age) / 4 + 2;
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
        uint64_t sz_absent = damon_regions_absent_limit(regions, sz_limit);
        size_t last = 0;

        for (size_t i = 1; i < regions->nr; i++) {
                struct damon_region *left = &regions->items[last];
                const struct damon_region *right = &regions->items[i];

                if (may_join(left, right, sz_limit, sz_absent) &&
                    damon_distance(left->nr_accesses, right->nr_accesses) <= threshold &&
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
               (damon_distance(a->nr_accesses, b->nr_accesses) + 1.0);
}

void damon_regions_mix(struct damon_regions *regions, uint64_t sz_limit, size_t max_regions) {
        uint64_t sz_absent = damon_regions_absent_limit(regions, sz_limit);
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
        while (regions->nr > max_regions && sz_limit < damon_regions_size(regions)) {
                sz_limit = damon_larger_limit(sz_limit);
                damon_regions_mix(regions, sz_limit, max_regions);
        }

        /* many rounded averages of rounded averages have gone astray */
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];

                if (region->accessed && damon_evidence_tally(&region->evidence).known > 0)
                        region->nr_accesses = damon_scaled_rate(&region->evidence, max_nr_accesses);
        }
}
