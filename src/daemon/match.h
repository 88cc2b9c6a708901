/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Which processes the plan selects.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "place.h"
#include "plan.h"

/**
 * struct binding - what is remembered of an entry
 * @start_time: of an entry with a pid: when the process that it means began, clock ticks since
 *              boot; 0 if it was not found yet. The number alone would some day mean another
 *              process.
 * @ended:      that process has ended: its number means another one, and the entry none
 * @full_at:    when a process was last turned away because of max_processes, CLOCK_MONOTONIC,
 *              microseconds; 0 is never
 */
struct binding {
        uint64_t start_time;
        bool ended;
        uint64_t full_at;
};

/**
 * struct refusal - a process that is selected, but could not be monitored; said once
 * @pid:        its ID
 * @seen:       found by the scan that is going on
 */
struct refusal {
        pid_t pid;
        bool seen;
};

/**
 * struct matcher - selection of processes
 * @proc_fd:            /proc; borrowed
 * @plan:               plan in force; borrowed
 * @bindings:           one for each target entry of the plan
 * @refusals:           @nr_refusals processes
 * @nr_refusals:        number of those
 * @sz_refusals:        number that there is room for
 * @places:             where processes are
 */
struct matcher {
        int proc_fd;
        const struct plan *plan;
        struct binding *bindings;
        struct refusal *refusals;
        size_t nr_refusals, sz_refusals;
        struct places places;
};

/**
 * matcher_done() - release what a matcher owns
 * @matcher:    matcher
 */
void matcher_done(struct matcher *matcher);

/**
 * matcher_prepare() - do what can fail of selecting by another plan
 * @matcher:    matcher, left as it is
 * @plan:       plan
 *
 * Return: bindings for matcher_take(), owned by the caller until then: an entry that was there
 * before stays bound to its process. NULL without memory.
 */
struct binding *matcher_prepare(const struct matcher *matcher, const struct plan *plan);

/**
 * matcher_take() - select by another plan
 * @matcher:    matcher
 * @plan:       plan; borrowed
 * @bindings:   what matcher_prepare() returned for it; owned by the matcher
 */
void matcher_take(struct matcher *matcher, const struct plan *plan, struct binding *bindings);

/**
 * matcher_find() - find the entry that selects a process by its own properties
 * @matcher:    matcher
 * @pid:        process
 *
 * Return: index of the first such entry, or -ENOENT if there is none; never an entry for damond
 * itself or process 1.
 */
int matcher_find(struct matcher *matcher, pid_t pid);

/**
 * matcher_bind() - note which process an entry with a pid means
 * @matcher:    matcher
 * @entry:      index of the entry
 * @start_time: start time of the process that was found
 *
 * Return: false if the entry means another process, that had the same ID; the entry then
 * selects nothing from now on.
 */
bool matcher_bind(struct matcher *matcher, size_t entry, uint64_t start_time);

/**
 * matcher_full() - note that a process is turned away because its entry has enough of them
 * @matcher:    matcher
 * @entry:      index of the entry
 * @now:        CLOCK_MONOTONIC, microseconds, not 0
 *
 * Return: whether this is new, and should be logged: no process was turned away for a minute.
 */
bool matcher_full(struct matcher *matcher, size_t entry, uint64_t now);

/**
 * matcher_refuse() - note that a process cannot be monitored
 * @matcher:    matcher
 * @pid:        process
 *
 * Return: whether this is new, and should be logged.
 */
bool matcher_refuse(struct matcher *matcher, pid_t pid);

/**
 * matcher_forget_ended() - forget refused processes, and places, that the last scan has not met again
 * @matcher:    matcher
 */
void matcher_forget_ended(struct matcher *matcher);
