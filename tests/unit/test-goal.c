/* SPDX-License-Identifier: GPL-2.0-only */
/* Goals: the kernel's feedback loop with the numbers of its tests, and what comes in and goes out. */

#include <damond/goal.h>
#include <damond/quota.h>

#include "macro.h"
#include "rng.h"
#include "test.h"

#define MIB (UINT64_C(1) << 20)
#define MS UINT64_C(1000)
#define SEC UINT64_C(1000000)

/* What each metric is, and the file that was asked for. */
struct gauge {
        uint64_t values[_DAMOS_METRIC_MAX];
        int errors[_DAMOS_METRIC_MAX];
        const char *file;
        unsigned nr_asked;
};

static int read_gauge(void *userdata, enum damos_metric metric, const char *file, uint64_t *ret_value) {
        struct gauge *gauge = userdata;

        gauge->nr_asked++;
        if (file)
                gauge->file = file;
        assert_int_equal(file != NULL, metric == DAMOS_USER_INPUT);
        if (gauge->errors[metric] < 0)
                return gauge->errors[metric];
        *ret_value = gauge->values[metric];
        return 0;
}

/* damon_test_feed_loop_next_input() in mm/damon/tests/core-kunit.h */
static void feed_loop_is_that_of_the_kernel(void **state) {
        const uint64_t last_input = 900000;

        assert_true(damos_feed_loop_next_input(last_input, 200) > last_input);
        assert_true(damos_feed_loop_next_input(last_input, 250000000) < last_input);
        assert_true(damos_feed_loop_next_input(last_input, 200) > damos_feed_loop_next_input(last_input, 2000));
}

/* By hand, from the kernel's formula. */
static void feed_loop_values(void **state) {
        static const struct {
                uint64_t last, score, next;
        } cases[] = {
                { 900000, 0, 1800000 }, { 900000, 200, 1782000 }, { 900000, 2000, 1620000 },
                { 900000, 9999, 900090 }, { 900000, 10000, 900000 }, { 900000, 10001, 899910 },
                { 900000, 15000, 450000 }, { 900000, 19999, 10000 }, { 900000, 20000, 10000 },
                { 900000, UINT64_MAX, 10000 }, { 10000, 0, 20000 }, { 10000, 15000, 10000 },
                { UINT64_MAX, 0, UINT64_MAX }, { UINT64_MAX / 2 + 1, 0, UINT64_MAX },
                { UINT64_MAX, 10000, UINT64_MAX },
        };
        struct rng rng = { test_seed() };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(damos_feed_loop_next_input(cases[i].last, cases[i].score), cases[i].next);
        /* never more than twice as much, never below the least */
        for (int i = 0; i < 100000; i++) {
                uint64_t last = 10000 + (rng_below(&rng, UINT64_MAX - 10000) >> rng_below(&rng, 60));
                uint64_t next = damos_feed_loop_next_input(last, rng_below(&rng, 30000));

                assert_true(next >= 10000);
                assert_true(next / 2 <= last);
        }
}

static void quota_grows_until_the_goal_is_reached(void **state) {
        struct damos_goal goal = { .metric = DAMOS_AVAILABLE_MEM_RATE, .target = 4000 };
        const struct damos_quota quota = { .interval = SEC, .goals = &goal, .nr_goals = 1 };
        struct damos_charge charge = {};
        struct damos_allowance left;
        struct gauge gauge = { .values[DAMOS_AVAILABLE_MEM_RATE] = 2000 };
        const struct damos_meter meter = { read_gauge, &gauge };
        uint64_t before = 1;

        /* before anything was read, nothing may be done */
        assert_true(damos_quota_is_set(&quota));
        assert_int_equal(damos_quota_effective(&quota, &charge), 0);
        assert_false(damos_quota_left(&quota, &charge, &left));
        assert_false(damos_quota_tune(&quota, &charge, &meter, 0));
        assert_int_equal(damos_quota_effective(&quota, &charge), 0);
        /* half of the way is half as much more, from a byte on */
        for (uint64_t i = 1; i <= 50; i++) {
                uint64_t now;

                assert_false(damos_quota_tune(&quota, &charge, &meter, i * SEC - 1));
                assert_false(damos_quota_tune(&quota, &charge, &meter, i * SEC));
                now = damos_quota_effective(&quota, &charge);
                assert_in_range(now, before + before / 2, (before + 1) * 3 / 2);
                before = now;
        }
        assert_int_equal(gauge.nr_asked, 51);
        assert_true(before > 500 * MIB);
        assert_true(damos_quota_left(&quota, &charge, &left));
        assert_int_equal(left.size, before);
        assert_int_equal(left.work, UINT64_MAX);

        gauge.values[DAMOS_AVAILABLE_MEM_RATE] = 4000;
        assert_false(damos_quota_tune(&quota, &charge, &meter, 51 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), before);
        gauge.values[DAMOS_AVAILABLE_MEM_RATE] = 5000;
        assert_false(damos_quota_tune(&quota, &charge, &meter, 52 * SEC));
        assert_in_range(damos_quota_effective(&quota, &charge), before / 4 * 3 - 1, before / 4 * 3 + 1);
        gauge.values[DAMOS_AVAILABLE_MEM_RATE] = 8000;
        assert_false(damos_quota_tune(&quota, &charge, &meter, 53 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 1);
        assert_false(damos_quota_left(&quota, &charge, &left));
}

/* damos_set_effective_quota(): the lowest of the three; damos_quota_score(): the highest score. */
static void tightest_limit_and_best_reached_goal_hold(void **state) {
        struct damos_goal goals[] = {
                { .metric = DAMOS_AVAILABLE_MEM_RATE, .target = 4000 },
                { .metric = DAMOS_USER_INPUT, .target = 10, .file = (char *) "/run/score" },
        };
        struct damos_quota quota = { .interval = SEC, .goals = goals, .nr_goals = 2 };
        struct damos_charge charge = { .tuning = { .started = true, .input = 100 * MIB * DAMOS_GOAL_BYTE } };
        struct gauge gauge = {
                .values[DAMOS_AVAILABLE_MEM_RATE] = 1000, .values[DAMOS_USER_INPUT] = 9,
        };
        const struct damos_meter meter = { read_gauge, &gauge };

        assert_false(damos_quota_tune(&quota, &charge, &meter, 0));
        assert_string_equal(gauge.file, "/run/score");
        assert_int_equal(damos_quota_effective(&quota, &charge), 110 * MIB);
        quota.time = 10 * MS;
        assert_int_equal(damos_quota_effective(&quota, &charge), 40 * MIB);
        quota.size = 30 * MIB;
        assert_int_equal(damos_quota_effective(&quota, &charge), 30 * MIB);
        charge.tuning.input = 20 * MIB * DAMOS_GOAL_BYTE;
        assert_int_equal(damos_quota_effective(&quota, &charge), 20 * MIB);
}

/* What the size does not allow need not be taken back. */
static void goal_does_not_run_away_from_the_size(void **state) {
        struct damos_goal goal = { .metric = DAMOS_FREE_MEM_RATE, .target = 4000 };
        const struct damos_quota quota = { .size = 64 * MIB, .interval = SEC, .goals = &goal, .nr_goals = 1 };
        struct damos_charge charge = {};
        struct gauge gauge = {};
        const struct damos_meter meter = { read_gauge, &gauge };

        for (uint64_t i = 0; i <= 100; i++)
                assert_false(damos_quota_tune(&quota, &charge, &meter, i * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 64 * MIB);
        gauge.values[DAMOS_FREE_MEM_RATE] = 6000;
        assert_false(damos_quota_tune(&quota, &charge, &meter, 101 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 32 * MIB);
}

/* 10 ms of waiting in a second is the target; what counts is what it has grown by, however late it is. */
static void pressure_is_reckoned_for_an_interval(void **state) {
        struct damos_goal goals[] = {
                { .metric = DAMOS_SOME_MEM_PSI_US, .target = 10 * MS },
                { .metric = DAMOS_SOME_MEM_PSI_US, .target = 20 * MS },
        };
        const struct damos_quota quota = { .interval = SEC, .goals = goals, .nr_goals = 2 };
        struct damos_charge charge = { .tuning.input = 100 * MIB * DAMOS_GOAL_BYTE };
        struct gauge gauge = { .values[DAMOS_SOME_MEM_PSI_US] = 1000 * SEC };
        const struct damos_meter meter = { read_gauge, &gauge };

        /* all that was before does not count */
        assert_false(damos_quota_tune(&quota, &charge, &meter, 50 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 100 * MIB);
        gauge.values[DAMOS_SOME_MEM_PSI_US] += 10 * MS;
        assert_false(damos_quota_tune(&quota, &charge, &meter, 51 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 100 * MIB);
        gauge.values[DAMOS_SOME_MEM_PSI_US] += 60 * MS;
        assert_false(damos_quota_tune(&quota, &charge, &meter, 55 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 50 * MIB);
        assert_false(damos_quota_tune(&quota, &charge, &meter, 56 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 100 * MIB);
}

static void what_cannot_be_read_changes_nothing(void **state) {
        struct damos_goal goals[] = {
                { .metric = DAMOS_SOME_MEM_PSI_US, .target = 10 * MS },
                { .metric = DAMOS_USER_INPUT, .target = 10, .file = (char *) "/run/score" },
        };
        const struct damos_quota quota = { .interval = SEC, .goals = goals, .nr_goals = 2 };
        struct damos_charge charge = { .tuning = { .started = true, .input = 100 * MIB * DAMOS_GOAL_BYTE } };
        struct gauge gauge = { .errors[DAMOS_USER_INPUT] = -ENOENT };
        const struct damos_meter meter = { read_gauge, &gauge };

        /* that is news, once */
        assert_true(damos_quota_tune(&quota, &charge, &meter, 0));
        assert_int_equal(charge.tuning.error, -ENOENT);
        assert_false(damos_quota_tune(&quota, &charge, &meter, SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 100 * MIB);
        gauge.errors[DAMOS_USER_INPUT] = 0;
        assert_true(damos_quota_tune(&quota, &charge, &meter, 2 * SEC));
        assert_int_equal(charge.tuning.error, 0);
        assert_int_equal(damos_quota_effective(&quota, &charge), 100 * MIB);
        assert_false(damos_quota_tune(&quota, &charge, &meter, 3 * SEC));
        assert_int_equal(damos_quota_effective(&quota, &charge), 200 * MIB);
}

static void goals_are_equal_if_all_of_them_is(void **state) {
        struct damos_goal a[] = {
                { .metric = DAMOS_SOME_MEM_PSI_US, .target = 10 },
                { .metric = DAMOS_USER_INPUT, .target = 10, .file = (char *) "/run/score" },
        };
        struct damos_goal b[] = { a[0], a[1] };
        char copy[] = "/run/score", other[] = "/run/other";

        b[1].file = copy;
        assert_true(damos_goals_equal(a, b, 2));
        b[1].file = other;
        assert_false(damos_goals_equal(a, b, 2));
        assert_true(damos_goals_equal(a, b, 1));
        b[0].target++;
        assert_false(damos_goals_equal(a, b, 1));
        b[0] = a[0];
        b[0].metric = DAMOS_FREE_MEM_RATE;
        assert_false(damos_goals_equal(a, b, 1));
        assert_true(damos_goals_equal(NULL, NULL, 0));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(feed_loop_is_that_of_the_kernel),
                cmocka_unit_test(feed_loop_values),
                cmocka_unit_test(quota_grows_until_the_goal_is_reached),
                cmocka_unit_test(tightest_limit_and_best_reached_goal_hold),
                cmocka_unit_test(goal_does_not_run_away_from_the_size),
                cmocka_unit_test(pressure_is_reckoned_for_an_interval),
                cmocka_unit_test(what_cannot_be_read_changes_nothing),
                cmocka_unit_test(goals_are_equal_if_all_of_them_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
