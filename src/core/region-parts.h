/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What the parts of region.h share. */

#include <damond/region.h>

/** damon_region_nr_pages() - pages of a region, in memory or not */
static inline uint64_t damon_region_nr_pages(const struct damon_region *region, uint64_t page_size) {
        return damon_range_size(&region->range) / page_size;
}

/** damon_distance() - by how much two numbers differ */
static inline uint32_t damon_distance(uint32_t a, uint32_t b) {
        return a > b ? a - b : b - a;
}

/** damon_region_reshape() - give a region other borders, and its evidence with it */
void damon_region_reshape(struct damon_region *region, struct damon_range range);

/**
 * damon_regions_spread() - make room to write regions from the front while those there are read
 * @regions:    regions
 * @nr:         up to so many will be written; as long as each that is read gives one at least, and all
 *              together at most @nr, the writer never overtakes the reader
 *
 * Return: where to read, or NULL without memory.
 */
const struct damon_region *damon_regions_spread(struct damon_regions *regions, size_t nr);

/**
 * damon_regions_absent_limit() - size that no region may exceed of which nothing is in memory
 * @regions:    regions
 * @sz_limit:   limit of what is in memory
 *
 * As if it were all there, which makes larger regions of it; and of no more parts than it takes to
 * see soon what is brought in.
 */
uint64_t damon_regions_absent_limit(const struct damon_regions *regions, uint64_t sz_limit);

/** damon_larger_limit() - size that no region may exceed where one is too small for max_regions */
static inline uint64_t damon_larger_limit(uint64_t sz_limit) {
        return sz_limit + sz_limit / 4 + 1;
}

/** damon_scaled_rate() - nr_accesses that evidence speaks for */
uint32_t damon_scaled_rate(const struct damon_evidence *evidence, uint32_t max_nr_accesses);
