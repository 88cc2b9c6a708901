/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Targets: the address spaces that are monitored. A target is one image of one process; a
 * process that executes another program ends its target.
 */

#include <stdbool.h>
#include <sys/types.h>

#include <damond/attrs.h>
#include <damond/region.h>
#include <damond/residency.h>

/**
 * struct damon_target - one monitored address space
 * @name:               name of the configuration entry it was found by; owned
 * @pid:                process ID, for people; nothing is ever done by it
 * @gone:               set by operations when the address space has ended; the target is
 *                      neither sampled nor acted on any more, damon_engine_pop_gone()
 *                      hands it out
 * @regions:            what is known about it
 * @residency:          which parts of it are in memory
 * @divided:            what damon_target_sz_limit() last went by: bytes of all regions, and of those
 *                      in memory
 * @ops_data:           what the operations keep for it; released by
 *                      &damon_ops.target_release
 */
struct damon_target {
        char *name;
        pid_t pid;
        bool gone;
        struct damon_regions regions;
        struct damon_residency residency;
        struct {
                uint64_t size;
                uint64_t in_memory;
        } divided;
        void *ops_data;
};

/**
 * damon_target_new() - make a target without regions
 * @ret_target: set to the target, owned by the caller
 * @name:       copied
 * @pid:        process ID
 *
 * Return: 0, -ENOMEM.
 */
int damon_target_new(struct damon_target **ret_target, const char *name, pid_t pid);

/**
 * damon_target_free() - free a target whose @ops_data has been released
 * @target:     target or NULL
 *
 * Return: NULL.
 */
struct damon_target *damon_target_free(struct damon_target *target);

/**
 * damon_three_ranges() - the ranges worth monitoring in a list of mappings
 * @mappings:   @nr mapped ranges, sorted and disjoint
 * @nr:         number of mappings
 * @ret_ranges: set to the ranges
 *
 * An address space mostly is heap, mappings and stack with two huge gaps between them; to
 * sample the gaps would be wasted. The ranges are what is left of [first mapping, last
 * mapping] without its two largest gaps (__damon_va_three_regions(); where the kernel
 * gives up on fewer than two gaps, fewer ranges are returned).
 *
 * Return: number of ranges, 0 to 3.
 */
size_t damon_three_ranges(const struct damon_range *mappings, size_t nr,
                          struct damon_range ret_ranges[static 3]);

/**
 * damon_target_sz_limit() - size that no region of a target may exceed
 * @target:     target
 * @attrs:      min_regions says into how many what is in memory must at least be divided: a gap in
 *              front of the heap may be many times as large. Of max_regions, a quarter is for what is
 *              not in memory (&damon_regions.max_absent)
 * @page_size:  page size
 *
 * Where up to an eighth of what was in memory is not there any more, the limit stays what it was:
 * with each little step down, every region would be cut in two that are too large to merge again.
 *
 * Return: a multiple of the page size, not 0.
 */
uint64_t damon_target_sz_limit(struct damon_target *target, const struct damon_attrs *attrs,
                               uint64_t page_size);

/**
 * damon_target_update() - bring the regions of a target in line with its mappings
 * @target:     target; what is known of it is kept as far as it still is there
 * @mappings:   mapped ranges, sorted and disjoint
 * @nr:         number of mappings
 * @page_size:  page size
 *
 * Return: 0, or -ENOMEM with @target unchanged.
 */
int damon_target_update(struct damon_target *target, const struct damon_range *mappings, size_t nr,
                        uint64_t page_size);

/**
 * damon_target_divide() - cut what is larger than damon_target_sz_limit()
 * @target:     target
 * @attrs:      see there
 * @page_size:  page size
 *
 * Return: 0, -ENOMEM.
 */
int damon_target_divide(struct damon_target *target, const struct damon_attrs *attrs, uint64_t page_size);

/**
 * damon_target_nr_sampled() - regions that take a sample each sample interval
 * @target:     target
 *
 * Return: number of its regions but for those of which nothing is in memory.
 */
size_t damon_target_nr_sampled(const struct damon_target *target);

/**
 * damon_target_cut_absent() - cut the regions where large parts that are not in memory begin and end
 * @target:     target
 * @nr_regions: no gap smaller than this part of the target counts, and no more regions than this
 *              come of it
 * @page_size:  page size
 *
 * Regions of such parts are absent from then on.
 *
 * Return: 0, -ENOMEM.
 */
int damon_target_cut_absent(struct damon_target *target, size_t nr_regions, uint64_t page_size);
