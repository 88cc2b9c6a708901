/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Quotas: how much a scheme may do in a window of time, and with what it begins. See
 * Documentation/mm/damon/design.rst ("Quotas", "Prioritization") and damos_set_effective_quota()
 * in mm/damon/core.c, Linux 6.12.
 *
 * Differences to the kernel: the first window is limited as all others are; a window begins with
 * the first try after the last one has ended, so that two bursts never lie closer together than
 * an interval; the measured throughput forgets, so that it follows what it measures; the time that
 * was really taken ends a window, too, and what was taken too much is held back from those that
 * follow; and what goes first is sorted, see damos_priority().
 *
 * What is charged are the bytes that the kernel took the action for (&damos_try.sz_applied), and
 * the time of the calls, as long as the clock on the wall shows: waiting for a lock or for a slow
 * device is what a time quota is against, no less than CPU time. Before it is known how much is
 * done, all that is tried counts, so that a size quota is never exceeded; what was refused is
 * given back afterwards, so that gaps between mappings do not use a quota up. The kernel charges
 * all that was tried. What does nothing, %DAMOS_STAT and a dry run, is charged what it counts; a dry
 * run also the time that is expected of an action before any was measured.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <damond/attrs.h>
#include <damond/goal.h>
#include <damond/region.h>

/**
 * struct damos_weights - what makes a region go first, and how much each counts
 * @size:               a large region goes before a small one
 * @nr_accesses:        by access frequency
 * @age:                by age
 *
 * If all are 0, regions have no priority: they come in the order of their addresses.
 */
struct damos_weights {
        uint32_t size;
        uint32_t nr_accesses;
        uint32_t age;
};

/**
 * struct damos_quota - how much a scheme may do in a window
 * @size:       bytes; 0 is no limit
 * @time:       microseconds that its actions may take; 0 is no limit
 * @interval:   length of the window, microseconds; not 0 if there is a limit
 * @weights:    priorities
 * @goals:      @nr_goals goals, which limit it to what it takes to reach them; owned by the scheme
 * @nr_goals:   number of goals
 */
struct damos_quota {
        uint64_t size;
        uint64_t time;
        uint64_t interval;
        struct damos_weights weights;
        struct damos_goal *goals;
        size_t nr_goals;
};

/**
 * struct damos_charge - how much a scheme has done; starts as all zeroes
 * @running:            a window is running
 * @ends_at:            when it ends, microseconds
 * @size:               bytes that were done in it
 * @time:               nanoseconds that this took, and those that windows before took too much
 * @measured_work:      bytes in memory that were done of late,
 * @measured_time:      and how many nanoseconds that took; faded sums
 * @tuning:             what the goals make of it
 * @stopped_pid:        process that the last aggregation's work stopped at, or 0,
 * @stopped_at:         and the address
 */
struct damos_charge {
        bool running;
        uint64_t ends_at;
        uint64_t size;
        uint64_t time;
        uint64_t measured_work;
        uint64_t measured_time;
        struct damos_tuning tuning;
        pid_t stopped_pid;
        uint64_t stopped_at;
};

/**
 * struct damos_allowance - what may be tried at once
 * @size:       bytes of addresses
 * @work:       bytes of those that are in memory, or whatever else it is that takes time
 */
struct damos_allowance {
        uint64_t size;
        uint64_t work;
};

/** DAMOS_MAX_SCORE - the highest score */
#define DAMOS_MAX_SCORE 99

/** damos_quota_equal() - say whether two quotas limit alike */
bool damos_quota_equal(const struct damos_quota *a, const struct damos_quota *b);

/** damos_quota_is_set() - say whether there is a limit */
static inline bool damos_quota_is_set(const struct damos_quota *quota) {
        return quota->size > 0 || quota->time > 0 || quota->nr_goals > 0;
}

/**
 * damos_hot_score() - how hot a region is (damon_hot_score() in mm/damon/ops-common.c)
 * @weights:    weights; unlike in the kernel, the size counts
 * @region:     region
 * @attrs:      attributes
 *
 * Return: 0 to %DAMOS_MAX_SCORE; 0 without weights.
 */
unsigned damos_hot_score(const struct damos_weights *weights, const struct damon_region *region,
                         const struct damon_attrs *attrs);

/**
 * damos_cold_score() - how cold a region is (damon_cold_score())
 * @weights:    weights
 * @region:     region
 * @attrs:      attributes
 *
 * Return: 0 to %DAMOS_MAX_SCORE.
 */
unsigned damos_cold_score(const struct damos_weights *weights, const struct damon_region *region,
                          const struct damon_attrs *attrs);

/** DAMOS_PRIORITY_BITS - damos_priority() has no more bits than that */
#define DAMOS_PRIORITY_BITS 40

/**
 * damos_priority() - when it is a region's turn
 * @weights:    weights
 * @cold:       the coldest goes first, else the hottest
 * @region:     region
 * @attrs:      attributes
 *
 * Highest score first, as in the kernel; there, it is by address among those of the lowest score
 * that still fits, and scores tell ages by their order of magnitude only. Here, what scores alike
 * goes by frequency and then by age.
 *
 * Return: a number, lower ones first; 0 for all without weights.
 */
uint64_t damos_priority(const struct damos_weights *weights, bool cold,
                        const struct damon_region *region, const struct damon_attrs *attrs);

/**
 * damos_quota_pass() - let time pass
 * @quota:      quota
 * @charge:     charge
 * @now:        time, microseconds
 *
 * Return: number of windows that have ended with the quota used up (qt_exceeds).
 */
uint64_t damos_quota_pass(const struct damos_quota *quota, struct damos_charge *charge, uint64_t now);

/**
 * damos_quota_effective() - bytes that a window allows (the effective size quota)
 * @quota:      quota
 * @charge:     charge; as long as it has measured nothing, 4 MiB are taken to need a millisecond
 *
 * Return: the lowest one of the size, what the goals make of it, and what can be done in the time;
 * UINT64_MAX without a limit.
 */
uint64_t damos_quota_effective(const struct damos_quota *quota, const struct damos_charge *charge);

/**
 * damos_quota_tune() - tune a quota to its goals, if it is time to
 * @quota:      quota
 * @charge:     charge
 * @meter:      reads metrics
 * @now:        time, microseconds, by another clock than that of the windows
 *
 * Return: as damos_goals_tune().
 */
bool damos_quota_tune(const struct damos_quota *quota, struct damos_charge *charge,
                      const struct damos_meter *meter, uint64_t now);

/**
 * damos_quota_granule() - what a region may be cut at to fit
 * @quota:      quota
 * @charge:     charge
 *
 * Huge pages are best left whole, but a quota is not to be given up for that.
 *
 * Return: a power of two, up to 2 MiB, of which sixteen fit in the effective quota; at least
 * %DAMOS_GRANULE_MIN.
 */
uint64_t damos_quota_granule(const struct damos_quota *quota, const struct damos_charge *charge);

/**
 * damos_quota_left() - what may be tried now
 * @quota:      quota
 * @charge:     charge, after damos_quota_pass()
 * @ret_left:   set to that: by time, to no more than half of what should fit, as it may have become
 *              slower than it was
 *
 * Return: whether there is anything left: it is used up when that is less than a granule.
 */
bool damos_quota_left(const struct damos_quota *quota, const struct damos_charge *charge,
                      struct damos_allowance *ret_left);

/**
 * damos_charge_fits() - work that can be done in some time, by what was measured
 * @charge:     charge
 * @time:       nanoseconds
 */
uint64_t damos_charge_fits(const struct damos_charge *charge, uint64_t time);

/**
 * damos_quota_charge() - note what was done
 * @quota:      quota
 * @charge:     charge
 * @now:        time, microseconds; the window begins if none is running
 * @size:       bytes that count
 * @work:       bytes that took the time
 * @time:       nanoseconds that it took
 */
void damos_quota_charge(const struct damos_quota *quota, struct damos_charge *charge, uint64_t now,
                        uint64_t size, uint64_t work, uint64_t time);

/**
 * damos_expected_time() - how long work is taken to take as long as nothing was measured
 * @work:       bytes
 *
 * Return: nanoseconds.
 */
uint64_t damos_expected_time(uint64_t work);

/** DAMOS_GRANULE_MIN - smallest granule; a page, where pages are not larger */
#define DAMOS_GRANULE_MIN UINT64_C(4096)
