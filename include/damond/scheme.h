/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Schemes (DAMOS): "if a region of this size has had this access frequency for this long,
 * do this". See Documentation/mm/damon/design.rst, Linux 6.12.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/attrs.h>
#include <damond/breakdown.h>
#include <damond/filter.h>
#include <damond/guard.h>
#include <damond/outcome.h>
#include <damond/quota.h>
#include <damond/region.h>
#include <damond/target.h>
#include <damond/watermarks.h>

/**
 * enum damos_action - what to do with a matching region
 * @DAMOS_WILLNEED:     MADV_WILLNEED: bring it into memory
 * @DAMOS_COLD:         MADV_COLD: let reclaim take it first
 * @DAMOS_PAGEOUT:      MADV_PAGEOUT: reclaim it now
 * @DAMOS_HUGEPAGE:     MADV_COLLAPSE: back it by huge pages, now
 * @DAMOS_NOHUGEPAGE:   MADV_NOHUGEPAGE: do not back it by huge pages from now on
 * @DAMOS_STAT:         count it, and nothing else; the only action that leaves the age
 * @DAMOS_HUGEPAGE_HINT: MADV_HUGEPAGE: back it by huge pages from now on
 *
 * The order is that of the numbers in the kernel's first interface (RFC v9 of 2020), and what that
 * did not have behind it.
 */
enum damos_action {
        DAMOS_WILLNEED,
        DAMOS_COLD,
        DAMOS_PAGEOUT,
        DAMOS_HUGEPAGE,
        DAMOS_NOHUGEPAGE,
        DAMOS_STAT,
        DAMOS_HUGEPAGE_HINT,
        _DAMOS_ACTION_MAX,
};

/** DAMOS_ACTION_BIT - an action as a bit of a set of actions */
#define DAMOS_ACTION_BIT(action) (UINT32_C(1) << (action))

/**
 * damos_action_to_string() - name of an action, as in the configuration
 * @action:     action
 */
const char *damos_action_to_string(enum damos_action action);

/**
 * damos_action_from_string() - action of a name
 * @name:       name, in lower case
 * @ret_action: set to the action
 *
 * Return: 0, -EINVAL if there is no such action.
 */
int damos_action_from_string(const char *name, enum damos_action *ret_action);

/**
 * struct damos_limits - a closed range of numbers
 * @min:        lowest number inside
 * @max:        highest number inside; UINT64_MAX is no limit
 */
struct damos_limits {
        uint64_t min;
        uint64_t max;
};

/**
 * struct damos_access_pattern - which regions a scheme is for
 * @size:               size of the region, bytes
 * @nr_accesses:        access frequency, in checks of an aggregation
 * @age:                age, microseconds
 */
struct damos_access_pattern {
        struct damos_limits size;
        struct damos_limits nr_accesses;
        struct damos_limits age;
};

/**
 * struct damos_stat - what a scheme has done since it was set up
 * @nr_tried:   regions that matched and were handed to the operations
 * @sz_tried:   bytes of those
 * @nr_applied: regions of those on which the action did something
 * @sz_applied: bytes that the kernel accepted the advice for; always 0 for %DAMOS_STAT
 * @qt_exceeds: windows that ended with the quota used up
 * @sz_filtered: bytes that matched and were held back by filters; of those that operations had to
 *              look at, @nr_tried and @sz_tried count, too, as in the kernel
 * @outcome:    what really became of it
 */
struct damos_stat {
        uint64_t nr_tried;
        uint64_t sz_tried;
        uint64_t nr_applied;
        uint64_t sz_applied;
        uint64_t qt_exceeds;
        uint64_t sz_filtered;
        struct damos_outcome outcome;
};

/**
 * struct damos - a scheme
 * @name:       unique name; owned
 * @action:     what to do
 * @pattern:    with which regions
 * @targets:    names of the configuration entries whose targets it is for; owned
 * @nr_targets: number of those; 0 is all targets
 * @dry_run:    act on nothing, but go on as if the action had been done on what matches
 * @apply_interval: microseconds from one time that it is applied to the next; 0 is at the end of
 *              each aggregation
 * @apply_at:   when that is next, microseconds since the engine began
 * @watermarks: when it is awake
 * @wake:       whether it is
 * @filters:    what of those it leaves alone
 * @quota:      how much of it
 * @charge:     how much of that was used
 * @returned_within: time within which what was paged out counts as come back, microseconds; 0 if
 *              that is not looked at
 * @guarded:    it is held back when it does harm; needs @returned_within
 * @guard:      what is known of that
 * @stat:       statistics
 * @breakdown:  of all targets, as the last aggregation found them before the scheme was applied
 */
struct damos {
        char *name;
        enum damos_action action;
        struct damos_access_pattern pattern;
        char **targets;
        size_t nr_targets;
        bool dry_run;
        uint64_t apply_interval;
        uint64_t apply_at;
        struct damos_watermarks watermarks;
        struct damos_wake wake;
        struct damos_filters filters;
        struct damos_quota quota;
        struct damos_charge charge;
        uint64_t returned_within;
        bool guarded;
        struct damos_guard guard;
        struct damos_stat stat;
        struct damos_breakdown breakdown;
};

/**
 * damos_lets_go() - say whether an action is to get memory out
 * @action:     action
 *
 * If so, the coldest goes first, and to what is not in memory there is nothing to do.
 */
static inline bool damos_lets_go(enum damos_action action) {
        return action == DAMOS_PAGEOUT || action == DAMOS_COLD;
}

/**
 * damos_has_changed() - say whether a region is not any more what the last aggregation found
 * @region:     region; schemes may be applied, and work, between two aggregations, too
 *
 * At the end of an aggregation, none has.
 */
static inline bool damos_has_changed(const struct damon_region *region) {
        return region->touched && !region->accessed;
}

/**
 * damos_done() - release what a scheme owns
 * @scheme:     scheme, left zeroed
 */
void damos_done(struct damos *scheme);

/**
 * damos_copy() - make a copy, statistics and charge included
 * @ret_scheme: set to the copy
 * @scheme:     what to copy
 *
 * Return: 0, -ENOMEM.
 */
int damos_copy(struct damos *ret_scheme, const struct damos *scheme);

/**
 * damos_same_rule() - say whether two schemes would do the same
 * @a, @b:      schemes; their statistics and charges do not count
 */
bool damos_same_rule(const struct damos *a, const struct damos *b);

/**
 * damos_is_for() - say whether a scheme is for a target
 * @scheme:     scheme
 * @target:     target
 */
bool damos_is_for(const struct damos *scheme, const struct damon_target *target);

/**
 * damos_matches() - say whether a region is what a scheme looks for
 * @scheme:     scheme
 * @region:     region after damon_regions_fold()
 * @attrs:      the aggregation interval is the unit of the region's age
 */
static inline bool damos_matches(const struct damos *scheme, const struct damon_region *region,
                                 const struct damon_attrs *attrs) {
        return damos_hold(scheme, region, attrs) == DAMOS_HOLD_NONE;
}
