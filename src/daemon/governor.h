/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The governor keeps monitoring within its CPU budget. It learns what the parts of monitoring
 * cost, chooses the attributes that the budget affords, and holds the next step back where a
 * choice proves too dear. Pure arithmetic; the caller measures.
 *
 * Where the budget binds, resolution in time is given up first: regions are sampled in some of
 * the steps only, and steps are lengthened, until a region is sampled once in
 * %GOVERNOR_SPACING_LIMIT. Then it is resolution in space: a target may have fewer regions, down to
 * min_regions; so a step stays far below a second's budget, whatever is monitored. Only if even
 * that is too much, the sample interval grows further. Updates
 * become rarer where they would take more than a quarter of the budget.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/attrs.h>
#include <damond/target.h>

/**
 * GOVERNOR_SPACING_LIMIT - time from one sample of a region to the next, in the mean, beyond which
 * regions are given up first
 *
 * A second, in microseconds. It is divided among four steps: with the usual 20 of them an
 * aggregation takes 5 s, half as long as the promise looks back, and a step a quarter of a second's
 * budget, so that even one in which all regions are new, and sampled, does not break the promise.
 */
#define GOVERNOR_SPACING_LIMIT UINT64_C(1000000)

/** GOVERNOR_NR_RECENT - steps that a step is compared with */
#define GOVERNOR_NR_RECENT 15

/**
 * struct governor_period - what was spent since the costs were last estimated
 * @steps:              CPU time of marks and checks, nanoseconds
 * @nr_samples:         number of these
 * @nr_steps:           steps
 * @aggregations:       CPU time that steps with an aggregation took beyond a usual one
 * @nr_aggregated:      marks and checks of the steps with an aggregation
 * @updates:            CPU time of updates
 * @between:            CPU time between steps: looking for targets
 * @elapsed:            microseconds
 */
struct governor_period {
        double steps;
        double nr_samples;
        double nr_steps;
        double aggregations;
        double nr_aggregated;
        double updates;
        double between;
        double elapsed;
};

/**
 * struct governor - what has been spent, and what it buys
 * @budget:             basis points of one CPU; 0 is no limit
 * @configured:         attributes as configured, which are the best that are ever chosen
 * @attrs:              attributes chosen, to be put in force
 * @credit:             CPU time saved, nanoseconds, below 0 if too much was spent; see
 *                      governor_charge()
 * @debt:               how far below 0 that was of late, fading, nanoseconds
 * @usual:              CPU time of the last step without what was unusual in it, nanoseconds
 * @period:             what was spent of late
 * @recent:             CPU time of a mark or check in the last @nr_recent steps without an
 *                      aggregation, nanoseconds; a ring
 * @nr_recent:          how many there are
 * @next_recent:        where the ring goes on
 * @sample:             CPU time of a mark or check, nanoseconds,
 * @nr_learned:         learned from so many steps
 * @aggregation:        CPU time of an aggregation for each of its step's marks and checks,
 * @nr_aggregations:    learned from so many
 * @update:             CPU time of an update of all targets, nanoseconds,
 * @between:            and of what is done between steps, nanoseconds a microsecond,
 * @learned:            learned in so many microseconds
 * @nr_regions:         mean number of regions of all targets,
 * @watched:            over so many microseconds
 * @kept:               microseconds of aggregations since the sample interval was last changed
 * @nr_held:            aggregations since max_regions was last changed
 */
struct governor {
        uint32_t budget;
        struct damon_attrs configured;
        struct damon_attrs attrs;
        int64_t credit;
        double debt;
        double usual;

        struct governor_period period;
        double recent[GOVERNOR_NR_RECENT];
        size_t nr_recent, next_recent;

        double sample, nr_learned;
        double aggregation, nr_aggregations;
        double update, between, learned;
        double nr_regions, watched;
        double kept;
        unsigned nr_held;
};

/**
 * struct governor_step - a step to be paid
 * @nr_samples: marks and checks
 * @update_cpu: CPU time of the step that updates of targets took, nanoseconds
 * @aggregated: an aggregation ended
 */
struct governor_step {
        size_t nr_samples;
        uint64_t update_cpu;
        bool aggregated;
};

/**
 * governor_init() - begin
 * @governor:           governor
 * @budget:             basis points of one CPU, or 0
 * @configured:         attributes, valid; copied
 */
void governor_init(struct governor *governor, uint32_t budget, const struct damon_attrs *configured);

/**
 * governor_resume() - begin to sample again after a pause
 * @governor:   governor
 *
 * What was spent in the pause, on waiting for targets, is no cost of the samples to come. Nor is
 * what was saved in it for the first of them: many targets may come at once, and taking hold of
 * them and sampling all their new regions takes more than a usual step.
 */
void governor_resume(struct governor *governor);

/**
 * governor_charge() - account for what was spent
 * @governor:           governor
 * @cpu:                CPU time spent since the last call, nanoseconds
 * @elapsed:            time passed since the last call, microseconds
 * @step:               step that it was spent on, or NULL if on something else
 *
 * Credit grows with time, up to what half a second buys beyond a step.
 */
void governor_charge(struct governor *governor, uint64_t cpu, uint64_t elapsed,
                     const struct governor_step *step);

/**
 * governor_delay() - how long monitoring must pause for the budget to hold
 * @governor:           governor
 *
 * With the credit earned and capped as it is, no window of 10 s sees more than the budget of 11 s
 * and that by which its dearest step exceeds a usual one, or what the dearest of the last ones were.
 *
 * Return: microseconds, 0 if nothing is overdrawn.
 */
uint64_t governor_delay(const struct governor *governor);

/**
 * governor_tune() - choose what the budget affords
 * @governor:           governor; its attributes are set
 * @targets:            @nr_targets targets, of which the number of regions matters
 * @nr_targets:         number of targets
 * @aggregated:         an aggregation has just ended; else only what cannot wait is changed
 *
 * Each change costs some of what was observed: attributes that are near enough are kept, and
 * a step that comes somewhat late costs less.
 *
 * Return: whether @attrs have changed.
 */
bool governor_tune(struct governor *governor, struct damon_target *const *targets, size_t nr_targets,
                   bool aggregated);

/**
 * governor_binds() - say whether the budget affords less than what is configured
 * @governor:           governor
 */
bool governor_binds(const struct governor *governor);
