/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pace: which regions are sampled how often, where not all of them can be in each sample interval;
 * see damon_regions_pace().
 */

#include <damond/region.h>

#include "macro.h"

/* Samples of any region in an aggregation: one may be unlucky, of two both hardly ever are. */
#define NR_LEAST 2

/* How many times as much a region gets that is still to be found out about. */
#define OPEN_WEIGHT 5.0

/* Checks that say enough of a region. */
#define NR_ENOUGH 6

/* Golden section of a pace: however many multiples of it there are, they are spread evenly. */
#define SPREAD 10127

/* Rounds of sharing out what those could not take who are sampled at each interval already. */
#define NR_ROUNDS 3

/* About the root of the size. */
static double weight_of(const struct damon_region *region, uint64_t page_size) {
        uint64_t nr_pages = damon_range_size(&region->range) / page_size;
        bool open = !region->uniform || region->fresh || region->unknown ||
                    damon_evidence_tally(&region->evidence).known < NR_ENOUGH;
        double root = 1;

        if (region->nr_in_memory > 0)
                nr_pages = MIN(nr_pages, region->nr_in_memory);
        for (; nr_pages > 3; nr_pages /= 4)
                root *= 2;
        if (nr_pages > 1)
                root *= 1.5;
        return open ? OPEN_WEIGHT * root : root;
}

void damon_regions_pace(struct damon_regions *regions, uint32_t sample_every,
                        uint32_t max_nr_accesses, uint64_t page_size) {
        double least = MIN((double) NR_LEAST / max_nr_accesses, 1.0), factor = 0;
        size_t nr = 0;

        for (size_t i = 0; i < regions->nr; i++)
                nr += !regions->items[i].absent;
        for (int round = 0; round < NR_ROUNDS && sample_every > 1 && nr > 0; round++) {
                double open = 0, sum = 0, all = (double) nr / sample_every;

                for (size_t i = 0; i < regions->nr; i++) {
                        double weight = weight_of(&regions->items[i], page_size);

                        if (regions->items[i].absent)
                                continue;
                        sum += MIN(least + factor * weight, 1.0);
                        if (least + factor * weight < 1)
                                open += weight;
                }
                if (open > 0)
                        factor += (all - sum) / open;
        }
        factor = MAX(factor, 0.0);
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];
                double pace = region->absent ? least : least + factor * weight_of(region, page_size);

                if (sample_every <= 1)
                        pace = 1;
                /* rounded up, or what is to have one may have none */
                region->pace = (uint16_t) MIN(MIN(pace, 1.0) * DAMON_PACE_ALL + 1, (double) DAMON_PACE_ALL);
                /* not all of them in the same interval */
                region->saved = (uint16_t) (i * SPREAD % DAMON_PACE_ALL);
        }
}

bool damon_region_is_due(struct damon_region *region) {
        region->saved = (uint16_t) (region->saved + (region->pace > 0 ? region->pace : DAMON_PACE_ALL));
        if (region->saved < DAMON_PACE_ALL)
                return false;
        region->saved = (uint16_t) (region->saved - DAMON_PACE_ALL);
        return true;
}
