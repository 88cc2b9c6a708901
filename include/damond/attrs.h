/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Monitoring attributes: how often to look, how long to add up, how many regions to keep.
 */

#include <stdint.h>

/** DAMON_MIN_REGIONS_FLOOR - smallest min_regions: the three initial ranges of a target */
#define DAMON_MIN_REGIONS_FLOOR 3

/**
 * struct damon_attrs - monitoring attributes
 * @sample_interval:            microseconds from marking a page to checking it
 * @aggregation_interval:       microseconds over which checks are added up; a multiple of
 *                              @sample_interval in effect, what is left over is cut off
 * @update_interval:            microseconds between looks at the target's mappings
 * @min_regions:                fewest regions a target is divided in
 * @max_regions:                most regions of a target; bounds the cost of monitoring it
 * @sample_every:               sample intervals from one sample of a region to the next, in the
 *                              mean of all regions; 0 and 1 are a sample in each. Which ones are
 *                              sampled more often: see damon_regions_pace()
 *
 * Unlike in the kernel, where they count over all targets of a context, the limits hold
 * for each target: what is seen of one process does not depend on who else is monitored.
 */
struct damon_attrs {
        uint64_t sample_interval;
        uint64_t aggregation_interval;
        uint64_t update_interval;
        uint32_t min_regions;
        uint32_t max_regions;
        uint32_t sample_every;
};

/**
 * damon_attrs_validate() - say whether an engine can run with these attributes
 * @attrs:      attributes
 *
 * Return: 0, or -EINVAL if an interval is 0, the aggregation interval is shorter than the
 * sample interval, or min_regions is below %DAMON_MIN_REGIONS_FLOOR or above max_regions.
 */
int damon_attrs_validate(const struct damon_attrs *attrs);

/**
 * damon_attrs_max_nr_accesses() - checks in an aggregation
 * @attrs:      valid attributes
 *
 * Return: aggregation interval / sample interval, the highest nr_accesses.
 */
uint32_t damon_attrs_max_nr_accesses(const struct damon_attrs *attrs);
