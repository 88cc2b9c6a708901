/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What a scheme has paged out, to see what of it comes back. Ranges are remembered with the number of
 * bytes that left, not which ones: when more of a range is in memory than was left there, so much is
 * back. Each is looked at seven times, first soon and then after twice as long each time, as what
 * is a mistake mostly shows at once. That costs a small part of what it took to page it out.
 */

#include <stddef.h>
#include <stdint.h>

#include <damond/ops.h>
#include <damond/scheme.h>
#include <damond/target.h>

/**
 * struct damos_departure - a range of which memory was paged out
 * @target:     its target
 * @range:      the range
 * @sz_out:     bytes that left
 * @sz_stayed:  bytes that were still there then
 * @sz_back:    most bytes of @sz_out that were seen to be back
 * @time:       when they left, microseconds
 * @nr_looks:   looks that are over
 * @epoch:      epoch of the scheme's guard
 */
struct damos_departure {
        struct damon_target *target;
        struct damon_range range;
        uint64_t sz_out, sz_stayed, sz_back;
        uint64_t time;
        uint32_t nr_looks;
        uint32_t epoch;
};

/**
 * struct damos_watch - what a scheme has paged out; starts as all zeroes
 * @items:      @nr departures, the oldest first; owned
 * @nr:         number of departures, bounded
 * @sz_items:   number that @items has room for
 * @next_at:    no look is due before this time, microseconds
 */
struct damos_watch {
        struct damos_departure *items;
        size_t nr, sz_items;
        uint64_t next_at;
};

/** damos_watch_done() - release what a watch owns */
void damos_watch_done(struct damos_watch *watch);

/**
 * damos_watch_add() - remember what was paged out
 * @watch:      watch
 * @scheme:     its scheme
 * @target:     target
 * @range:      the range that was tried
 * @outcome:    what became of it
 * @now:        time, microseconds
 *
 * Where there is no room, the oldest that has been looked at goes, and if there is none, this one is
 * not remembered.
 *
 * Return: 0, -ENOMEM.
 */
int damos_watch_add(struct damos_watch *watch, const struct damos *scheme, struct damon_target *target,
                    struct damon_range range, const struct damos_outcome *outcome, uint64_t now);

/**
 * damos_watch_look() - look at some of those whose time has come
 * @watch:      watch
 * @scheme:     its scheme: receives what came back, in its statistics and its guard
 * @ops:        operations
 * @ops_data:   their data
 * @now:        time, microseconds
 *
 * Return: 0, or what the operations returned.
 */
int damos_watch_look(struct damos_watch *watch, struct damos *scheme, const struct damon_ops *ops,
                     void *ops_data, uint64_t now);

/**
 * damos_watch_forget() - forget what is of a target
 * @watch:      watch
 * @target:     target that is about to go
 */
void damos_watch_forget(struct damos_watch *watch, const struct damon_target *target);
