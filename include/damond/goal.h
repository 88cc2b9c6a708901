/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Goals: what a scheme is to bring about, which makes its quota grow as long as that is not
 * reached, and shrink when it is exceeded. See Documentation/mm/damon/design.rst ("Aim-oriented
 * Feedback-driven Auto-tuning") and damon_feed_loop_next_input() in mm/damon/core.c, Linux 6.12.
 *
 * Differences to the kernel: pressure is reckoned for the length of an interval, however long it is
 * until the next look; what a size quota does not allow is not aimed at either, so that much of it
 * need not be taken back first; and as long as a goal cannot be read, all stays as it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/metric.h>

/** DAMOS_GOAL_REACHED - the score of a goal that is just reached */
#define DAMOS_GOAL_REACHED 10000

/** DAMOS_GOAL_BYTE - tunings are in such parts of a byte */
#define DAMOS_GOAL_BYTE UINT64_C(10000)

/**
 * struct damos_goal - a number that a metric is to reach
 * @metric:     metric; that of %DAMOS_SOME_MEM_PSI_US is what it grows by in an interval
 * @target:     the number, not 0
 * @file:       for %DAMOS_USER_INPUT, absolute path of the file; owned
 */
struct damos_goal {
        enum damos_metric metric;
        uint64_t target;
        char *file;
};

/**
 * struct damos_tuning - how far goals have come; starts as all zeroes
 * @input:      the quota that they make, in parts of bytes, %DAMOS_GOAL_BYTE; 0 before the first time
 * @tune_at:    when it is to be tuned next,
 * @tuned_at:   and when it was, microseconds
 * @started:    it was
 * @error:      why a goal could not be read then, a negative errno, or 0
 * @pressure:   %DAMOS_SOME_MEM_PSI_US as it was then
 */
struct damos_tuning {
        uint64_t input;
        uint64_t tune_at;
        uint64_t tuned_at;
        bool started;
        int error;
        uint64_t pressure;
};

/** damos_goals_equal() - say whether two lists of @nr goals are the same */
bool damos_goals_equal(const struct damos_goal *a, const struct damos_goal *b, size_t nr);

/**
 * damos_feed_loop_next_input() - what to do next, to come nearer to a goal
 * @last_input: what was done
 * @score:      how near that came, %DAMOS_GOAL_REACHED if all is well
 *
 * Return: up to twice as much, or down to %DAMOS_GOAL_REACHED, which stands for next to nothing.
 */
uint64_t damos_feed_loop_next_input(uint64_t last_input, uint64_t score);

/**
 * damos_goals_tune() - tune a quota to its goals, if it is time to
 * @goals:      @nr goals, of which the one that is reached best counts
 * @nr:         number of goals
 * @interval:   microseconds from one time to the next
 * @limit:      bytes that the quota allows at most
 * @tuning:     how far they have come
 * @meter:      reads metrics
 * @now:        time, microseconds
 *
 * Return: whether all can be read that could not be before, or the other way round.
 */
bool damos_goals_tune(const struct damos_goal *goals, size_t nr, uint64_t interval, uint64_t limit,
                      struct damos_tuning *tuning, const struct damos_meter *meter, uint64_t now);
