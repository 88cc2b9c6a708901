/* SPDX-License-Identifier: GPL-2.0-only */
/* Quotas: scores, priorities, and the arithmetic of windows. */

#include <damond/quota.h>

#include "macro.h"
#include "rng.h"
#include "test.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define MS UINT64_C(1000)
#define SEC UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

/* max_nr_accesses is 20 */
static const struct damon_attrs attrs = {
        .sample_interval = 5 * MS, .aggregation_interval = 100 * MS, .update_interval = SEC,
        .min_regions = 10, .max_regions = 1000,
};

/* What may be tried, the smaller limit of the two. */
static uint64_t left_of(const struct damos_quota *quota, const struct damos_charge *charge) {
        struct damos_allowance left;

        return damos_quota_left(quota, charge, &left) ? MIN(left.size, left.work) : 0;
}

static struct damon_region region_of(uint64_t size, uint32_t nr_accesses, uint64_t age) {
        return (struct damon_region) {
                .range = { 0, size }, .nr_accesses = nr_accesses, .accessed = nr_accesses > 0,
                .age = (uint32_t) (age / attrs.aggregation_interval),
        };
}

static unsigned cold_score(struct damos_weights weights, uint64_t size, uint32_t nr_accesses, uint64_t age) {
        const struct damon_region region = region_of(size, nr_accesses, age);

        return damos_cold_score(&weights, &region, &attrs);
}

static unsigned hot_score(struct damos_weights weights, uint64_t size, uint32_t nr_accesses, uint64_t age) {
        const struct damon_region region = region_of(size, nr_accesses, age);

        return damos_hot_score(&weights, &region, &attrs);
}

/* Each of these by hand, from damon_hot_score() in mm/damon/ops-common.c. */
static void scores_are_those_of_the_kernel(void **state) {
        const struct damos_weights age = { 0, 0, 1 }, freq = { 0, 1, 0 }, both = { 0, 1, 1 };

        assert_int_equal(hot_score(age, MIB, 0, 120 * SEC), 38);
        assert_int_equal(cold_score(age, MIB, 0, 120 * SEC), 61);
        assert_int_equal(hot_score(age, MIB, 0, 0), 49);
        assert_int_equal(hot_score(age, MIB, 20, 0), 49);
        assert_int_equal(hot_score(age, MIB, 20, 120 * SEC), 59);
        assert_int_equal(hot_score(freq, MIB, 0, 120 * SEC), 0);
        assert_int_equal(hot_score(freq, MIB, 20, 0), 99);
        assert_int_equal(hot_score(freq, MIB, 7, 0), 34);
        assert_int_equal(cold_score(freq, MIB, 7, 0), 65);
        assert_int_equal(hot_score(both, MIB, 20, 120 * SEC), 79);
        assert_int_equal(hot_score((struct damos_weights) { 0, 3, 1 }, MIB, 10, 3 * SEC), 49);
        /* without weights nothing is hot, and all is equally cold */
        assert_int_equal(hot_score((struct damos_weights) {}, MIB, 20, SEC), 0);
        assert_int_equal(cold_score((struct damos_weights) {}, MIB, 20, SEC), 99);
}

static void scores_rise_with_what_the_weights_name(void **state) {
        const struct damos_weights size = { 1, 0, 0 };

        assert_true(cold_score(size, 64 * MIB, 0, 0) > cold_score(size, 4 * KIB, 0, 0));
        assert_true(hot_score(size, 64 * MIB, 0, 0) > hot_score(size, 4 * KIB, 0, 0));
}

static void scores_stay_within_their_limits(void **state) {
        struct rng rng = { test_seed() };

        for (int i = 0; i < 100000; i++) {
                const struct damos_weights weights = {
                        (uint32_t) rng_below(&rng, UINT32_MAX), (uint32_t) rng_below(&rng, 3),
                        (uint32_t) rng_below(&rng, UINT32_MAX),
                };
                struct damon_region region = region_of(UINT64_C(4096) << rng_below(&rng, 48),
                                                       (uint32_t) rng_below(&rng, 21), 0);
                region.age = (uint32_t) rng_below(&rng, UINT32_MAX);
                assert_true(damos_hot_score(&weights, &region, &attrs) <= DAMOS_MAX_SCORE);
                assert_true(damos_cold_score(&weights, &region, &attrs) <= DAMOS_MAX_SCORE);
                assert_int_equal(damos_priority(&weights, i % 2, &region, &attrs) >> DAMOS_PRIORITY_BITS, 0);
        }
}

static uint64_t priority(bool cold, uint32_t nr_accesses, uint64_t age) {
        const struct damos_weights weights = { 0, 1, 1 };
        const struct damon_region region = region_of(MIB, nr_accesses, age);

        return damos_priority(&weights, cold, &region, &attrs);
}

static void among_equal_scores_the_colder_goes_first(void **state) {
        /* 64 s and 127 s have one score */
        assert_int_equal(cold_score((struct damos_weights) { 0, 1, 1 }, MIB, 0, 64 * SEC),
                         cold_score((struct damos_weights) { 0, 1, 1 }, MIB, 0, 127 * SEC));
        assert_true(priority(true, 0, 127 * SEC) < priority(true, 0, 64 * SEC));
        assert_true(priority(true, 0, 64 * SEC) < priority(true, 1, 64 * SEC));
        assert_true(priority(false, 20, 127 * SEC) < priority(false, 20, 64 * SEC));
        assert_true(priority(false, 20, 64 * SEC) < priority(false, 19, 64 * SEC));
        /* ages that no field holds are as old as can be */
        assert_true(priority(true, 0, 1000000 * SEC) <= priority(true, 0, 40000 * SEC));
}

static void without_weights_all_are_equal(void **state) {
        const struct damos_weights none = {};
        const struct damon_region a = region_of(MIB, 0, 0), b = region_of(4 * KIB, 20, 60 * SEC);

        assert_int_equal(damos_priority(&none, true, &a, &attrs), damos_priority(&none, true, &b, &attrs));
}

/* An access too rare to show makes a region warmer than one without any. */
static void rare_accesses_count(void **state) {
        struct damon_region idle = region_of(MIB, 0, 60 * SEC), rare = idle;
        const struct damos_weights age = { 0, 0, 1 };

        rare.accessed = true;
        assert_true(damos_cold_score(&age, &idle, &attrs) > damos_cold_score(&age, &rare, &attrs));
}

static void effective_quota_is_the_smaller_one(void **state) {
        struct damos_quota quota = { .interval = SEC };
        struct damos_charge charge = {};

        assert_int_equal(damos_quota_effective(&quota, &charge), UINT64_MAX);
        quota.size = 100 * MIB;
        assert_int_equal(damos_quota_effective(&quota, &charge), 100 * MIB);
        /* nothing is measured: 4 MiB in a millisecond */
        quota.time = 10 * MS;
        assert_int_equal(damos_quota_effective(&quota, &charge), 40 * MIB);
        quota.size = 30 * MIB;
        assert_int_equal(damos_quota_effective(&quota, &charge), 30 * MIB);
        /* 1 MiB in 2 ms */
        damos_quota_charge(&quota, &charge, 0, 4 * MIB, 4 * MIB, 8 * MS * NS_PER_US);
        assert_int_equal(damos_quota_effective(&quota, &charge), 5 * MIB);
        quota.time = 1;
        assert_int_equal(damos_quota_effective(&quota, &charge), DAMOS_GRANULE_MIN);
}

static void extreme_quotas_do_not_wrap(void **state) {
        const struct damos_quota quota = { UINT64_MAX, UINT64_MAX, UINT64_MAX, {} };
        struct damos_charge charge = {};

        assert_int_equal(damos_quota_effective(&quota, &charge), UINT64_MAX);
        damos_quota_charge(&quota, &charge, 5, UINT64_MAX / 2, UINT64_MAX / 2, 1);
        assert_int_equal(damos_quota_effective(&quota, &charge), UINT64_MAX);
        assert_int_equal(left_of(&quota, &charge), UINT64_MAX / 2);
        assert_int_equal(damos_charge_fits(&charge, UINT64_MAX), UINT64_MAX);
}

static void granule_costs_a_sixteenth_at_most(void **state) {
        static const struct {
                uint64_t size, granule;
        } cases[] = {
                { 4 * KIB, 4 * KIB }, { 127 * KIB, 4 * KIB }, { 128 * KIB, 8 * KIB },
                { 16 * MIB, MIB }, { 32 * MIB, 2 * MIB }, { UINT64_MAX, 2 * MIB }, { 0, 2 * MIB },
        };
        const struct damos_charge charge = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct damos_quota quota = { .size = cases[i].size, .interval = SEC };

                assert_int_equal(damos_quota_granule(&quota, &charge), cases[i].granule);
        }
}

static void window_ends_and_the_next_begins_with_a_try(void **state) {
        const struct damos_quota quota = { .size = 10 * MIB, .interval = SEC };
        struct damos_charge charge = {};

        /* the first window is limited as well */
        assert_int_equal(left_of(&quota, &charge), 10 * MIB);
        assert_int_equal(damos_quota_pass(&quota, &charge, 700 * MS), 0);
        damos_quota_charge(&quota, &charge, 700 * MS, 4 * MIB, 8 * MIB, 0);
        /* what was not done is given back */
        assert_int_equal(left_of(&quota, &charge), 6 * MIB);
        damos_quota_charge(&quota, &charge, 900 * MS, 6 * MIB, 6 * MIB, 0);
        assert_int_equal(left_of(&quota, &charge), 0);
        assert_int_equal(damos_quota_pass(&quota, &charge, 1700 * MS - 1), 0);
        assert_int_equal(left_of(&quota, &charge), 0);
        assert_int_equal(damos_quota_pass(&quota, &charge, 1700 * MS), 1);
        assert_int_equal(left_of(&quota, &charge), 10 * MIB);

        damos_quota_charge(&quota, &charge, 2500 * MS, MIB, MIB, 0);
        assert_int_equal(damos_quota_pass(&quota, &charge, 3500 * MS), 0);
        assert_int_equal(left_of(&quota, &charge), 10 * MIB);
        /* one that nobody saw end */
        damos_quota_charge(&quota, &charge, 4000 * MS, 10 * MIB, 10 * MIB, 0);
        assert_int_equal(damos_quota_pass(&quota, &charge, 100 * SEC), 1);
        assert_int_equal(damos_quota_pass(&quota, &charge, 200 * SEC), 0);
}

static void less_than_a_granule_is_nothing(void **state) {
        const struct damos_quota quota = { .size = 16 * MIB, .interval = SEC };
        struct damos_charge charge = {};

        damos_quota_charge(&quota, &charge, 0, 15 * MIB, 15 * MIB, 0);
        assert_int_equal(left_of(&quota, &charge), MIB);
        damos_quota_charge(&quota, &charge, 0, 4 * KIB, 4 * KIB, 0);
        assert_int_equal(left_of(&quota, &charge), 0);
}

static void time_that_was_taken_ends_the_window(void **state) {
        const struct damos_quota quota = { .time = 10 * MS, .interval = SEC };
        struct damos_charge charge = {};

        assert_int_equal(left_of(&quota, &charge), 20 * MIB);
        damos_quota_charge(&quota, &charge, 0, 4 * MIB, 4 * MIB, 4 * MS * NS_PER_US);
        assert_int_equal(left_of(&quota, &charge), 3 * MIB);
        damos_quota_charge(&quota, &charge, 0, 6 * MIB, 6 * MIB, 6 * MS * NS_PER_US);
        assert_int_equal(left_of(&quota, &charge), 0);
        assert_int_equal(damos_quota_pass(&quota, &charge, SEC), 1);
        assert_int_equal(left_of(&quota, &charge), 5 * MIB);
}

/* 35 ms of 10: two windows and a half more are used up by it. */
static void what_was_taken_too_much_is_held_back(void **state) {
        const struct damos_quota quota = { .time = 10 * MS, .interval = SEC };
        struct damos_charge charge = {};

        damos_quota_charge(&quota, &charge, 0, 35 * MIB, 35 * MIB, 35 * MS * NS_PER_US);
        for (uint64_t i = 1; i <= 2; i++) {
                assert_int_equal(damos_quota_pass(&quota, &charge, i * SEC), 1);
                assert_int_equal(left_of(&quota, &charge), 0);
        }
        assert_int_equal(damos_quota_pass(&quota, &charge, 3 * SEC), 1);
        assert_int_equal(left_of(&quota, &charge), 5 * MIB / 2);

        /* the same if nobody looked for long */
        damos_quota_charge(&quota, &charge, 3 * SEC, 35 * MIB, 35 * MIB, 25 * MS * NS_PER_US);
        assert_int_equal(damos_quota_pass(&quota, &charge, 30 * SEC), 3);
        assert_int_equal(charge.time, 0);
        assert_false(charge.running);
}

static void throughput_follows_what_it_measures(void **state) {
        const struct damos_quota quota = { .time = 10 * MS, .interval = SEC };
        struct damos_charge charge = {};

        for (uint64_t i = 0; i < 100; i++)
                damos_quota_charge(&quota, &charge, 0, MIB, MIB, MS * NS_PER_US);
        assert_in_range(damos_charge_fits(&charge, MS * NS_PER_US), MIB - 1, MIB + 1);
        for (uint64_t i = 0; i < 20; i++)
                damos_quota_charge(&quota, &charge, 0, MIB, MIB, 10 * MS * NS_PER_US);
        assert_in_range(damos_charge_fits(&charge, 10 * MS * NS_PER_US), MIB, MIB + MIB / 50);
}

static void quotas_are_equal_if_all_of_them_is(void **state) {
        struct damos_goal goals[] = { { DAMOS_FREE_MEM_RATE, 1, NULL }, { DAMOS_FREE_MEM_RATE, 2, NULL } };
        const struct damos_quota quota = { 1, 2, 3, { 4, 5, 6 }, goals, 1 };
        struct damos_quota others[8];

        assert_true(damos_quota_equal(&quota, &quota));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                others[i] = quota;
        others[0].size++;
        others[1].time++;
        others[2].interval++;
        others[3].weights.size++;
        others[4].weights.nr_accesses++;
        others[5].weights.age++;
        others[6].goals++;
        others[7].nr_goals--;
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_false(damos_quota_equal(&quota, &others[i]));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(scores_are_those_of_the_kernel),
                cmocka_unit_test(scores_rise_with_what_the_weights_name),
                cmocka_unit_test(scores_stay_within_their_limits),
                cmocka_unit_test(among_equal_scores_the_colder_goes_first),
                cmocka_unit_test(without_weights_all_are_equal),
                cmocka_unit_test(rare_accesses_count),
                cmocka_unit_test(effective_quota_is_the_smaller_one),
                cmocka_unit_test(extreme_quotas_do_not_wrap),
                cmocka_unit_test(granule_costs_a_sixteenth_at_most),
                cmocka_unit_test(window_ends_and_the_next_begins_with_a_try),
                cmocka_unit_test(less_than_a_granule_is_nothing),
                cmocka_unit_test(time_that_was_taken_ends_the_window),
                cmocka_unit_test(what_was_taken_too_much_is_held_back),
                cmocka_unit_test(throughput_follows_what_it_measures),
                cmocka_unit_test(quotas_are_equal_if_all_of_them_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
