/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Operations: how pages are marked, checked and acted on. The engine decides which; a set
 * of operations knows how. Samples come in batches over all targets, so that operations
 * may sort them and look at each bitmap word once.
 */

#include <stdbool.h>
#include <stdint.h>

#include <damond/outcome.h>
#include <damond/region.h>
#include <damond/scheme.h>
#include <damond/target.h>

/**
 * enum damon_outcome - what a check found
 * @DAMON_UNKNOWN:      nothing can be said
 * @DAMON_ABSENT:       there was no page and there is none: nothing can have been accessed
 * @DAMON_IDLE:         the page was not accessed since it was marked
 * @DAMON_ACCESSED:     the page was accessed since it was marked
 */
enum damon_outcome {
        DAMON_UNKNOWN,
        DAMON_ABSENT,
        DAMON_IDLE,
        DAMON_ACCESSED,
};

/**
 * struct damon_sample - one page that stands for one region for one sample interval
 * @target:     target; borrowed
 * @region:     index of the region
 * @addr:       address of the page
 * @again:      the page was just seen accessed: see &damon_region.again
 * @outcome:    set by &damon_ops.check
 * @page:       private to the operations, from mark to check
 * @state:      private to the operations, from mark to check
 */
struct damon_sample {
        struct damon_target *target;
        size_t region;
        uint64_t addr;
        uint64_t page[2];
        enum damon_outcome outcome;
        uint16_t state;
        bool again;
};

/**
 * struct damos_try - one range to act on, and what came of it
 * @range:      the range
 * @region:     index of the region
 * @filters:    filters that @range has to be looked at for, or NULL; borrowed, and the same for all
 *              tries that have any
 * @sz_left:    set by &damon_ops.apply: bytes at the end that there was no time for; whoever asked has
 *              them still to do. Behind the first try with such an end, all are left whole.
 * @sz_applied: set by &damon_ops.apply: bytes for which the action was done
 * @sz_filtered: set by &damon_ops.apply: bytes that @filters held back
 * @outcome:    set by &damon_ops.apply: what came of it, as far as that can be seen
 */
struct damos_try {
        struct damon_range range;
        size_t region;
        const struct damos_filters *filters;
        uint64_t sz_left;
        uint64_t sz_applied;
        uint64_t sz_filtered;
        struct damos_outcome outcome;
};

/**
 * struct damon_ops - a set of operations
 * @name:               for people
 * @actions:            set of DAMOS_ACTION_BIT() that @apply can do, %DAMOS_STAT aside
 * @filters:            set of DAMOS_FILTER_BIT() that @apply can look for, beside those that are pure
 * @page_size:          page size, bytes
 * @dry_run:            @apply does nothing, and quotas count what it would have been asked to do
 * @mappings:           find the mapped ranges of a target. @ret_mappings is set to an
 *                      array owned by the operations and valid until their next call,
 *                      sorted and disjoint. Sets &damon_target.gone, without failing, if
 *                      the address space has ended.
 * @resident:           find the parts of a target's regions that are in memory. @ret_ranges is
 *                      set as @ret_mappings is, or to NULL if that is not known (yet). May be
 *                      NULL.
 * @mark:               begin to watch: from now on an access to a sample's page shows. May
 *                      set &damon_target.gone.
 * @check:              say for each sample whether its page was accessed since @mark. May
 *                      set &damon_target.gone; the outcome then is %DAMON_UNKNOWN.
 * @apply:              act on ranges of one target, sorted by address, and begin with nothing more
 *                      once it took @limit, though with something at least. What cannot be done
 *                      shows in &damos_try.sz_applied, and how long it took, in nanoseconds on the
 *                      wall as @limit is, in @ret_time. Is asked to do %DAMOS_STAT, which is to do
 *                      nothing, for what filters hold back. May set &damon_target.gone.
 * @present:            count the bytes of a range of a target that are in memory now. May set
 *                      &damon_target.gone. May be NULL: then nothing is known of what comes back.
 * @target_release:     release &damon_target.ops_data
 *
 * Each function is handed the pointer given to damon_engine_new(). All but
 * @target_release return 0, or a negative errno for what is wrong with the operations as a
 * whole (never with one target), which the engine forwards.
 */
struct damon_ops {
        const char *name;
        uint32_t actions;
        uint32_t filters;
        uint64_t page_size;
        bool dry_run;

        int (*mappings)(void *data, struct damon_target *target,
                        const struct damon_range **ret_mappings, size_t *ret_nr);
        int (*resident)(void *data, struct damon_target *target,
                        const struct damon_range **ret_ranges, size_t *ret_nr);
        int (*mark)(void *data, struct damon_sample *samples, size_t nr);
        int (*check)(void *data, struct damon_sample *samples, size_t nr);
        int (*apply)(void *data, struct damon_target *target, enum damos_action action,
                     struct damos_try *tries, size_t nr, uint64_t limit, uint64_t *ret_time);
        int (*present)(void *data, struct damon_target *target, struct damon_range range,
                       uint64_t *ret_size);
        void (*target_release)(void *data, struct damon_target *target);
};
