/* SPDX-License-Identifier: GPL-2.0-only */
/* Goals: see goal.h. */

#include <damond/goal.h>

#include <string.h>

#include "macro.h"

/* The least that is ever done, so that there is something to grow. */
#define INPUT_MIN UINT64_C(10000)

static uint64_t scale(uint64_t value, uint64_t by, uint64_t of) {
        unsigned __int128 scaled = (unsigned __int128) value * by / of;

        return scaled > UINT64_MAX ? UINT64_MAX : (uint64_t) scaled;
}

static bool same_file(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool damos_goals_equal(const struct damos_goal *a, const struct damos_goal *b, size_t nr) {
        for (size_t i = 0; i < nr; i++)
                if (a[i].metric != b[i].metric || a[i].target != b[i].target ||
                    !same_file(a[i].file, b[i].file))
                        return false;
        return true;
}

uint64_t damos_feed_loop_next_input(uint64_t last_input, uint64_t score) {
        uint64_t change;

        if (score >= 2 * DAMOS_GOAL_REACHED)
                return INPUT_MIN;
        if (score >= DAMOS_GOAL_REACHED) {
                change = scale(last_input, score - DAMOS_GOAL_REACHED, DAMOS_GOAL_REACHED);
                return MAX(last_input - change, INPUT_MIN);
        }
        change = scale(last_input, DAMOS_GOAL_REACHED - score, DAMOS_GOAL_REACHED);
        return change < UINT64_MAX - last_input ? last_input + change : UINT64_MAX;
}

/* What a goal is at; pressure, of the time that has passed, as much as it would be of an interval. */
static int read_goal(const struct damos_goal *goal, uint64_t interval, const struct damos_tuning *tuning,
                     const struct damos_meter *meter, uint64_t now, uint64_t *ret_current,
                     uint64_t *ret_pressure) {
        uint64_t current;
        int r;

        r = meter->read(meter->userdata, goal->metric, goal->file, &current);
        if (r < 0)
                return r;
        if (goal->metric == DAMOS_SOME_MEM_PSI_US) {
                *ret_pressure = current;
                current = scale(current - MIN(tuning->pressure, current), interval,
                                MAX(now - tuning->tuned_at, UINT64_C(1)));
        }
        *ret_current = current;
        return 0;
}

bool damos_goals_tune(const struct damos_goal *goals, size_t nr, uint64_t interval, uint64_t limit,
                      struct damos_tuning *tuning, const struct damos_meter *meter, uint64_t now) {
        uint64_t score = 0, pressure = tuning->pressure;
        int before = tuning->error, r = 0;

        if (nr == 0 || now < tuning->tune_at)
                return false;
        for (size_t i = 0; r >= 0 && i < nr; i++) {
                uint64_t current;

                r = read_goal(&goals[i], interval, tuning, meter, now, &current, &pressure);
                if (r >= 0)
                        score = MAX(score, scale(current, DAMOS_GOAL_REACHED, goals[i].target));
        }
        /* the first look at pressure tells nothing of an interval */
        if (r >= 0 && tuning->started)
                tuning->input = MIN(damos_feed_loop_next_input(MAX(tuning->input, INPUT_MIN), score),
                                    scale(limit, DAMOS_GOAL_BYTE, 1));
        tuning->pressure = pressure;
        tuning->error = r;
        tuning->started = r >= 0;
        tuning->tuned_at = now;
        tuning->tune_at = now + interval;
        return (r < 0) != (before < 0);
}
