/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The governor keeps monitoring within its CPU budget: it chooses the sample interval that
 * the budget affords, and holds the next sample back where the choice proves too short.
 * Pure arithmetic; the caller measures.
 */

#include <stdint.h>

/**
 * struct governor - what has been spent, and what it buys
 * @budget:             basis points of one CPU; 0 is no limit
 * @sample_interval:    the shortest sample interval, as configured; microseconds
 * @credit:             CPU time saved, at most a second's budget; nanoseconds, below 0 if too
 *                      much was spent
 * @cost:               CPU time of a sample with all that goes with it, nanoseconds; 0 if not
 *                      known yet
 * @spent:              CPU time since @cost was last estimated, nanoseconds
 * @nr_samples:         samples since then
 */
struct governor {
        uint32_t budget;
        uint64_t sample_interval;
        int64_t credit;
        uint64_t cost;
        uint64_t spent;
        uint64_t nr_samples;
};

/**
 * governor_init() - begin
 * @governor:           governor
 * @budget:             basis points of one CPU, or 0
 * @sample_interval:    as configured, microseconds
 */
void governor_init(struct governor *governor, uint32_t budget, uint64_t sample_interval);

/**
 * governor_resume() - begin to sample again after a pause
 * @governor:   governor
 *
 * What was spent in the pause, on waiting for targets, is no cost of the samples to come.
 */
void governor_resume(struct governor *governor);

/**
 * governor_charge() - account for what was spent
 * @governor:           governor
 * @cpu:                CPU time spent since the last call, nanoseconds
 * @elapsed:            time passed since the last call, microseconds
 * @nr_samples:         samples that it was spent on
 */
void governor_charge(struct governor *governor, uint64_t cpu, uint64_t elapsed, uint64_t nr_samples);

/**
 * governor_delay() - how long monitoring must pause for the budget to hold
 * @governor:           governor
 *
 * With the credit capped, no window of 10 s sees more than the budget of 11 s and one step.
 *
 * Return: microseconds, 0 if nothing is overdrawn.
 */
uint64_t governor_delay(const struct governor *governor);

/**
 * governor_interval() - sample interval that the budget affords
 * @governor:           governor
 * @current:            interval in force, microseconds
 * @nr_regions:         samples that each interval will take
 *
 * Aims a tenth below the budget, and keeps @current if that is near enough, as each change
 * costs some of what was observed.
 *
 * Return: microseconds, not below &governor.sample_interval.
 */
uint64_t governor_interval(struct governor *governor, uint64_t current, uint64_t nr_regions);
