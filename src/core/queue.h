/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The work of a scheme: what an aggregation found for it, in the order in which it is to be acted
 * on. One step does as much of it as the quota allows and as a step may take; the rest waits for
 * the next ones, and no longer than for the next aggregation, which finds out anew what matches.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/ops.h>
#include <damond/scheme.h>
#include <damond/target.h>
#include <damond/watch.h>

/**
 * struct damos_match - memory that a scheme matched
 * @target:     its target, or NULL if that is not there any more
 * @range:      what of it has not been tried
 * @age:        age that it had: a region of another age is not what was matched
 * @look:       what of it filters let through is for the operations to find out
 */
struct damos_match {
        struct damon_target *target;
        struct damon_range range;
        uint32_t age;
        bool look;
};

/**
 * struct damos_queue - work of a scheme; starts as all zeroes
 * @items:      @nr matches in the order of targets and addresses; owned
 * @turns:      the same number of keys that sort by whose turn it is; owned
 * @nr:         number of matches
 * @first:      match that comes first among those of one priority
 * @next:       turns before this are over
 * @rests_until: when what was done has taken no more than its share of all time, microseconds
 * @sz_items:   number of matches that @items has room for
 * @sz_turns:   number of keys that @turns has room for
 */
struct damos_queue {
        struct damos_match *items;
        uint64_t *turns;
        size_t nr;
        size_t first;
        size_t next;
        uint64_t rests_until;
        size_t sz_items, sz_turns;
};

/**
 * struct damos_worker - what it takes to work, and scratch
 * @ops:        operations; borrowed
 * @ops_data:   their data; borrowed
 * @batch:      matches that are tried together; owned
 * @scratch:    owned
 * @tries:      owned
 * @watch:      of the scheme that is worked on; borrowed
 */
struct damos_worker {
        const struct damon_ops *ops;
        void *ops_data;
        uint64_t *batch, *scratch;
        struct damos_try *tries;
        size_t sz_batch, sz_scratch, sz_tries;
        struct damos_watch *watch;
};

/** damos_queue_done() - release what a queue owns */
void damos_queue_done(struct damos_queue *queue);

/** damos_worker_done() - release what a worker owns */
void damos_worker_done(struct damos_worker *worker);

/**
 * damos_queue_fill() - find out what a scheme matches; what was left of the work before is dropped
 * @queue:      queue
 * @scheme:     scheme; it goes on behind where it stopped, where nothing else decides
 * @targets:    @nr_targets targets
 * @nr_targets: number of targets
 * @attrs:      attributes
 * @worker:     for its scratch
 *
 * Return: 0, -ENOMEM.
 */
int damos_queue_fill(struct damos_queue *queue, struct damos *scheme,
                     struct damon_target *const *targets, size_t nr_targets,
                     const struct damon_attrs *attrs, struct damos_worker *worker);

/**
 * damos_queue_work() - do as much as is allowed now
 * @queue:      queue
 * @scheme:     its scheme
 * @worker:     worker
 * @now:        time, microseconds
 * @time:       nanoseconds that this should take
 * @share:      where it takes longer, it is rested from that, so that in the long run it takes one
 *              part in so many of all time
 *
 * Return: 0, -ENOMEM, or what the operations returned.
 */
int damos_queue_work(struct damos_queue *queue, struct damos *scheme, struct damos_worker *worker,
                     uint64_t now, uint64_t time, uint64_t share);

/** damos_queue_drop() - drop all work */
void damos_queue_drop(struct damos_queue *queue);

/**
 * damos_queue_size() - bytes that have not been tried
 * @queue:      queue
 */
uint64_t damos_queue_size(const struct damos_queue *queue);

/**
 * damos_queue_forget() - drop the work on a target
 * @queue:      queue
 * @target:     target that is about to go
 */
void damos_queue_forget(struct damos_queue *queue, const struct damon_target *target);
