/* SPDX-License-Identifier: GPL-2.0-only */
/* How borders are put right by single accesses beside them; see region.h. */

#include <damond/region.h>

#include <string.h>

#include "macro.h"
#include "region-parts.h"

/* Part of a region, one in so many, that may go to a neighbour by what one page of it says. */
#define BORDER_SHARE 8

/* An access that was cut in two by a border of bins is still a single one. */
#define SINGLE 1.5

static bool adjoin(const struct damon_region *left, const struct damon_region *right) {
        return left->range.end == right->range.start;
}

/* Whether so many pages may go to a neighbour, which is hot, and at most doubles by that. */
static bool may_take(const struct damon_region *neighbour, const struct damon_region *region, uint64_t nr_pages,
                     uint32_t max_nr_accesses, uint64_t page_size) {
        return neighbour->accessed && 2 * neighbour->nr_accesses >= max_nr_accesses &&
               nr_pages <= damon_region_nr_pages(neighbour, page_size) &&
               nr_pages <= damon_region_nr_pages(region, page_size) / BORDER_SHARE;
}

/* Leave a part of an idle region, in which nothing was accessed. */
static void keep_rest(struct damon_region *region, struct damon_range rest) {
        damon_region_reshape(region, rest);
        memset(region->running.accessed, 0, sizeof(region->running.accessed));
        memset(region->evidence.accessed, 0, sizeof(region->evidence.accessed));
        region->touched = false;
}

void damon_regions_fit(struct damon_regions *regions, uint32_t max_nr_accesses, uint64_t page_size) {
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];
                struct damon_region *left = i > 0 ? region - 1 : NULL;
                struct damon_region *right = i + 1 < regions->nr ? region + 1 : NULL;
                uint64_t nr_pages = damon_region_nr_pages(region, page_size), page = region->found, border;

                region->found = 0;
                if (page == 0 || damon_evidence_tally(&region->evidence).accessed +
                                 damon_evidence_tally(&region->running).accessed > SINGLE)
                        continue;
                if (left && adjoin(left, region) && may_take(left, region, page, max_nr_accesses, page_size)) {
                        border = damon_region_page(region, page, page_size);
                        damon_region_reshape(left, (struct damon_range) { left->range.start, border });
                        keep_rest(region, (struct damon_range) { border, region->range.end });
                } else if (right && adjoin(region, right) &&
                           may_take(right, region, nr_pages - page + 1, max_nr_accesses, page_size)) {
                        border = damon_region_page(region, page - 1, page_size);
                        damon_region_reshape(right, (struct damon_range) { border, right->range.end });
                        keep_rest(region, (struct damon_range) { region->range.start, border });
                }
        }
}
