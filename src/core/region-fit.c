/* SPDX-License-Identifier: GPL-2.0-only */
/* How borders are put right by single accesses beside them; see region.h. */

#include <damond/region.h>

#include <string.h>

#include "macro.h"
#include "region-parts.h"

/* Part of a region, one in so many, that may go to a neighbour by what one page of it says. */
#define BORDER_SHARE 8

/* Pages that go to the neighbour, for each one up to that which was found: that is hardly the farthest. */
#define FARTHER 2

/* Whether so many pages may go to a neighbour, which is hot, and at most doubles by that. */
static bool may_take(const struct damon_region *neighbour, const struct damon_region *region, uint64_t nr_pages,
                     uint32_t max_nr_accesses, uint64_t page_size) {
        return neighbour->accessed && 2 * neighbour->nr_accesses >= max_nr_accesses &&
               nr_pages <= damon_region_nr_pages(neighbour, page_size) &&
               nr_pages <= damon_region_nr_pages(region, page_size) / BORDER_SHARE;
}

/* Give pages to a neighbour. None of them was brought into memory just now. */
static void grow(struct damon_region *region, struct damon_range range, uint64_t nr_pages) {
        damon_region_reshape(region, range);
        if (region->nr_in_memory > 0)
                region->nr_in_memory = (uint32_t) MIN(region->nr_in_memory + nr_pages, (uint64_t) UINT32_MAX);
}

/* Leave a part of an idle region, in which nothing was accessed. */
static void keep_rest(struct damon_region *region, struct damon_range rest) {
        damon_region_reshape(region, rest);
        memset(region->running.accessed, 0, sizeof(region->running.accessed));
        memset(region->evidence.accessed, 0, sizeof(region->evidence.accessed));
        region->touched = false;
        region->nr_again -= region->nr_again > 0;
        region->nr_again_accessed -= region->nr_again_accessed > 0;
}

/* Whether the only access to a region that is known was one of this aggregation. */
static bool has_one_access(const struct damon_region *region) {
        return !region->accessed && damon_evidence_tally(&region->running).accessed <= 1 &&
               damon_evidence_tally(&region->evidence).accessed <= 0;
}

void damon_regions_fit(struct damon_regions *regions, uint32_t max_nr_accesses, uint64_t page_size) {
        struct damon_region *grown = NULL;

        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];
                struct damon_region *left = i > 0 ? region - 1 : NULL;
                struct damon_region *right = i + 1 < regions->nr ? region + 1 : NULL;
                uint64_t nr_pages = damon_region_nr_pages(region, page_size), page = region->found;
                uint64_t from_left = FARTHER * page, from_right = FARTHER * (nr_pages - page + 1), border;

                region->found = 0;
                if (page == 0 || !has_one_access(region))
                        continue;
                if (left && left != grown && left->range.end == region->range.start &&
                    may_take(left, region, from_left, max_nr_accesses, page_size)) {
                        border = damon_region_page(region, from_left, page_size);
                        grow(left, (struct damon_range) { left->range.start, border }, from_left);
                        keep_rest(region, (struct damon_range) { border, region->range.end });
                } else if (right && right->range.start == region->range.end &&
                           may_take(right, region, from_right, max_nr_accesses, page_size)) {
                        border = damon_region_page(region, nr_pages - from_right, page_size);
                        grow(right, (struct damon_range) { border, right->range.end }, from_right);
                        keep_rest(region, (struct damon_range) { region->range.start, border });
                        grown = right;
                }
        }
}
