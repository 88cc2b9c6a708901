/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What of the targets a scheme matches at a moment, and what holds the rest back.
 */

#include <stdint.h>

#include <damond/attrs.h>
#include <damond/region.h>
#include <damond/target.h>

struct damos;
struct damon_ops;

/**
 * enum damos_hold - what holds a scheme back from a region
 * @DAMOS_HOLD_NONE:        nothing: it matches
 * @DAMOS_HOLD_TARGET:      the scheme is not for its target
 * @DAMOS_HOLD_UNKNOWN:     most checks could not tell
 * @DAMOS_HOLD_ABSENT:      nothing of it is in memory, where that would be needed
 * @DAMOS_HOLD_NR_ACCESSES: it is accessed too often, or too rarely
 * @DAMOS_HOLD_SIZE:        it is too small, or too large
 * @DAMOS_HOLD_AGE:         it is too young, or too old
 *
 * The first of these that is true counts. What takes longest to change comes first, so that what is
 * held back by its age is right in every other respect.
 */
enum damos_hold {
        DAMOS_HOLD_NONE,
        DAMOS_HOLD_TARGET,
        DAMOS_HOLD_UNKNOWN,
        DAMOS_HOLD_ABSENT,
        DAMOS_HOLD_NR_ACCESSES,
        DAMOS_HOLD_SIZE,
        DAMOS_HOLD_AGE,
        _DAMOS_HOLD_MAX,
};

/**
 * damos_hold_to_string() - name of what holds back, for people
 * @hold:       any but %DAMOS_HOLD_NONE
 */
const char *damos_hold_to_string(enum damos_hold hold);

/**
 * damos_hold() - find the first thing that holds a scheme back from a region of a target it is for
 * @scheme:     scheme
 * @region:     region after damon_regions_fold()
 * @attrs:      the aggregation interval is the unit of the region's age
 *
 * No region with mostly unknown checks matches, but for %DAMOS_STAT; and none that was accessed
 * matches as one that was not, also if its nr_accesses rounds to 0. %DAMOS_PAGEOUT and %DAMOS_COLD
 * match none that is not in memory: there is nothing to do, but for what was brought in since that
 * was last looked at, which is not what they are for.
 */
enum damos_hold damos_hold(const struct damos *scheme, const struct damon_region *region,
                           const struct damon_attrs *attrs);

/**
 * struct damos_part - regions of which the same is true
 * @nr:         number of regions
 * @size:       bytes of their addresses
 * @in_memory:  bytes of those that are in memory; all, where that is not known
 */
struct damos_part {
        uint64_t nr;
        uint64_t size;
        uint64_t in_memory;
};

/**
 * struct damos_breakdown - all regions, by what holds a scheme back from them
 * @parts:      one for each &enum damos_hold
 * @age:        age of the oldest of what is held back by its age, microseconds
 */
struct damos_breakdown {
        struct damos_part parts[_DAMOS_HOLD_MAX];
        uint64_t age;
};

/**
 * damos_breakdown_filtered() - find how much of what matches a scheme its filters hold back
 * @scheme:     scheme; nothing is counted in its statistics
 * @target:     target that the scheme is for
 * @attrs:      attributes
 * @ops:        operations, which are asked to do %DAMOS_STAT
 * @ops_data:   handed to them
 * @ret_size:   set to bytes, of addresses or of what is in memory, as filters count them
 *
 * Return: 0, -ENOMEM, or what went wrong with the operations.
 */
int damos_breakdown_filtered(const struct damos *scheme, struct damon_target *target,
                             const struct damon_attrs *attrs, const struct damon_ops *ops, void *ops_data,
                             uint64_t *ret_size);

/**
 * damos_breakdown_add() - add the regions of a target
 * @breakdown:  breakdown; starts as all zeroes
 * @scheme:     scheme
 * @target:     target
 * @attrs:      attributes
 */
void damos_breakdown_add(struct damos_breakdown *breakdown, const struct damos *scheme,
                         const struct damon_target *target, const struct damon_attrs *attrs);
