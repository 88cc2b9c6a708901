/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Regions: the unit of monitoring. A region is an address range of a target whose pages
 * are taken to be accessed alike, so that one sampled page a sample interval speaks for
 * all of it. Algorithm and vocabulary are those of the kernel's DAMON
 * (Documentation/mm/damon/design.rst and mm/damon/core.c, Linux 6.12), with the later
 * fixes that the functions below name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/env.h>

/**
 * struct damon_range - a half-open range of virtual addresses
 * @start:      first byte
 * @end:        first byte behind the range; never below @start
 */
struct damon_range {
        uint64_t start;
        uint64_t end;
};

static inline uint64_t damon_range_size(const struct damon_range *range) {
        return range->end - range->start;
}

/**
 * struct damon_checks - outcomes of the access checks of a running aggregation
 * @nr_accessed:        checks that found an access since the page was marked
 * @nr_idle:            checks that found none
 * @nr_unknown:         checks that could not tell; evidence of neither
 */
struct damon_checks {
        uint32_t nr_accessed;
        uint32_t nr_idle;
        uint32_t nr_unknown;
};

/**
 * struct damon_region - an address range with an access frequency and an age
 * @range:              the addresses
 * @nr_accesses:        how many of the checks of the last finished aggregation found an
 *                      access, scaled to damon_attrs_max_nr_accesses()
 * @last_nr_accesses:   the same of the aggregation before that one
 * @age:                for how many aggregation intervals @nr_accesses has stayed about
 *                      the same
 * @unknown:            most checks of the last aggregation could not tell, or there were
 *                      none: no scheme that acts may match
 * @checks:             outcomes of the aggregation that is running
 */
struct damon_region {
        struct damon_range range;
        uint32_t nr_accesses;
        uint32_t last_nr_accesses;
        uint32_t age;
        bool unknown;
        struct damon_checks checks;
};

/**
 * struct damon_regions - the regions of one target
 * @items:      @nr regions, sorted by address, disjoint, none empty, every border a
 *              multiple of the page size; owned
 * @nr:         number of regions
 * @capacity:   number of regions that @items has room for
 */
struct damon_regions {
        struct damon_region *items;
        size_t nr;
        size_t capacity;
};

/**
 * damon_regions_done() - release what the regions own
 * @regions:    regions, left empty and usable
 */
void damon_regions_done(struct damon_regions *regions);

/**
 * damon_regions_size() - bytes in all regions together
 * @regions:    regions
 */
uint64_t damon_regions_size(const struct damon_regions *regions);

/**
 * damon_regions_append() - add a region behind the last one
 * @regions:    regions
 * @range:      range of the new region; must not begin before the last region's end
 *
 * Return: 0, -EINVAL if @range is empty or overlaps, -ENOMEM.
 */
int damon_regions_append(struct damon_regions *regions, struct damon_range range);

/**
 * damon_regions_set() - make the regions cover exactly the given ranges
 * @regions:    regions
 * @ranges:     @nr ranges, sorted, and disjoint in whole pages
 * @nr:         number of ranges; 0 leaves no region
 * @page_size:  borders are moved outwards to multiples of this
 *
 * Regions outside every range go. Inside a range the surviving regions keep their counts
 * and ages; its first and last one are stretched or cut to its borders, and holes between
 * them become new regions (damon_set_regions() in mm/damon/core.c; unlike there, a region
 * that reaches over several ranges is cut at each of them).
 *
 * Return: 0, or -ENOMEM with @regions unchanged.
 */
int damon_regions_set(struct damon_regions *regions, const struct damon_range *ranges, size_t nr,
                      uint64_t page_size);

/**
 * damon_regions_split_at() - cut one region in two
 * @regions:    regions
 * @i:          which region
 * @size:       bytes of the left part; a multiple of the page size
 *
 * Both parts keep counts, age and running checks.
 *
 * Return: 0, -EINVAL if a part would be empty, -ENOMEM.
 */
int damon_regions_split_at(struct damon_regions *regions, size_t i, uint64_t size);

/**
 * damon_regions_chop() - cut every region that is larger than the limit into equal pieces
 * @regions:    regions
 * @sz_limit:   the limit; a multiple of the page size, not 0
 * @page_size:  pieces are multiples of this, and differ by one page at most
 *
 * Divides a target at the start, and keeps min_regions a promise ever after
 * (damon_apply_min_nr_regions(), Linux 7.1).
 *
 * Return: 0, or -ENOMEM with @regions unchanged.
 */
int damon_regions_chop(struct damon_regions *regions, uint64_t sz_limit, uint64_t page_size);

/**
 * damon_regions_fold() - end an aggregation: turn its checks into access frequencies
 * @regions:            regions
 * @max_nr_accesses:    what a region accessed at every check is given
 *
 * nr_accesses becomes accessed/(accessed + idle) of the checks, scaled to
 * @max_nr_accesses and rounded, but never from an access to 0. A region without any
 * telling check keeps its frequency. The running checks start again at 0.
 *
 * Return: the highest nr_accesses.
 */
uint32_t damon_regions_fold(struct damon_regions *regions, uint32_t max_nr_accesses);

/**
 * damon_regions_count_age() - let the regions grow older, or young again
 * @regions:    folded regions
 * @threshold:  change of nr_accesses up to which a region counts as unchanged
 *
 * A larger change, or one from or to 0 (Linux 7.1; 6.12 lacks it), makes the age 0. An
 * unknown region that shows no such change stays as old as it is.
 */
void damon_regions_count_age(struct damon_regions *regions, uint32_t threshold);

/**
 * damon_regions_merge() - merge neighbours that are accessed alike, once
 * @regions:    regions
 * @threshold:  highest difference of nr_accesses to merge over
 * @sz_limit:   no merged region becomes larger than this
 * @mix:        merge known with unknown, idle with accessed, and old with young regions too
 *
 * nr_accesses and age of a merged region are the averages, weighted by size. Unlike in the
 * kernel, an accessed region does not merge with an idle one, however near to 0 it is, nor
 * one that just became idle with one that has been for more than twice as long: a large
 * neighbour would round its accesses to none and lend it its age, and a scheme would take
 * it for cold.
 */
void damon_regions_merge(struct damon_regions *regions, uint32_t threshold, uint64_t sz_limit,
                         bool mix);

/**
 * damon_regions_merge_within() - merge until there are at most @max_regions
 * @regions:            regions
 * @threshold:          where to begin; see damon_regions_merge()
 * @max_threshold:      where to end
 * @sz_limit:           never exceeded, so that min_regions wins over max_regions
 * @max_regions:        the upper limit
 */
void damon_regions_merge_within(struct damon_regions *regions, uint32_t threshold,
                                uint32_t max_threshold, uint64_t sz_limit, size_t max_regions);

/**
 * damon_regions_split() - split regions at random points
 * @regions:    regions
 * @nr_pieces:  pieces a region, 2 or 3; small regions give fewer
 * @page_size:  no piece is smaller than this
 * @env:        source of randomness
 *
 * A region is cut at 1 to 9 tenths of its size; for a third piece, its left part is cut
 * again (damon_split_regions_of()). Regions of up to two pages stay whole.
 *
 * Return: 0, or -ENOMEM with @regions unchanged.
 */
int damon_regions_split(struct damon_regions *regions, unsigned nr_pieces, uint64_t page_size,
                        const struct damon_env *env);

/**
 * damon_regions_rescale() - carry the results over to other intervals
 * @regions:            regions
 * @old_max, @new_max:  max_nr_accesses before and after
 * @old_aggregation, @new_aggregation: aggregation intervals before and after, microseconds
 *
 * Frequencies keep their share of the maximum, ages their duration
 * (damon_update_monitoring_results(); rounded here, so that repeated changes do not make
 * every region younger). Running checks are dropped: they belong to the old intervals.
 */
void damon_regions_rescale(struct damon_regions *regions, uint32_t old_max, uint32_t new_max,
                           uint64_t old_aggregation, uint64_t new_aggregation);

/**
 * damon_regions_check() - look for a broken invariant
 * @regions:    regions
 * @page_size:  the page size
 *
 * For tests and simulations.
 *
 * Return: NULL, or what is wrong.
 */
const char *damon_regions_check(const struct damon_regions *regions, uint64_t page_size);
