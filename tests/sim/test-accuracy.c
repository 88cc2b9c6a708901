/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How near to the truth the engine comes. The bounds are those of the kernel's selftests
 * where there are such, and else somewhat looser than what ten seeds gave.
 */

#include "scenario.h"

/* Errors and working sets of a run, an entry an aggregation. */
struct course {
        double error[600], wss[600], truth[600];
        size_t nr;
};

static void follow(struct scenario *s, const struct damon_target *target,
                   const struct sim_target *script, size_t nr, struct course *ret_course) {
        assert_true(nr <= ELEMENTSOF(ret_course->error));
        for (size_t i = 0; i < nr; i++) {
                scenario_aggregate(s);
                ret_course->error[i] = scenario_error(s, target, script);
                ret_course->wss[i] = working_set(target, 1);
                ret_course->truth[i] = scenario_truth(s, script);
        }
        ret_course->nr = nr;
}

static double mean(const double *values, size_t nr) {
        double sum = 0;

        for (size_t i = 0; i < nr; i++)
                sum += values[i];
        return sum / (double) nr;
}

/* How many working sets are within a fifth of the truth. */
static size_t nr_near(const struct course *c) {
        size_t nr = 0;

        for (size_t i = 0; i < c->nr; i++)
                nr += c->wss[i] > 0.8 * c->truth[i] && c->wss[i] < 1.2 * c->truth[i];
        return nr;
}

static void hot_window_in_cold_memory(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 1000 * MIB, &script);
        const struct sim_pattern hot = {
                .range = { HEAP + 400 * MIB, HEAP + 500 * MIB }, .period = 2 * MS,
        };
        struct course c;

        ASSERT_OK(sim_target_access(script, &hot));
        scenario_run(s, 5 * SEC);
        follow(s, target, script, 300, &c);
        print_message("error %.4f, wss near in %zu of %zu\n", mean(c.error, c.nr), nr_near(&c),
                      c.nr);
        assert_true(nr_near(&c) >= c.nr * 98 / 100);
        assert_true(mean(c.error, c.nr) < 0.0005);
}

static void warm_memory_between_hot_and_cold(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 600 * MIB, &script);
        const struct sim_pattern patterns[] = {
                { .range = { HEAP, HEAP + 200 * MIB }, .period = 4 * MS },
                { .range = { HEAP + 200 * MIB, HEAP + 400 * MIB }, .period = 10 * MS },
        };
        struct course c;

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                ASSERT_OK(sim_target_access(script, &patterns[i]));
        scenario_run(s, 5 * SEC);
        follow(s, target, script, 300, &c);
        print_message("error %.4f, wss near in %zu of %zu\n", mean(c.error, c.nr), nr_near(&c),
                      c.nr);
        assert_true(nr_near(&c) >= c.nr * 98 / 100);
        assert_true(mean(c.error, c.nr) < 0.01);
}

static void everything_idle_is_seen_as_that(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 10 * GIB, &script);
        struct course c;

        follow(s, target, script, 100, &c);
        assert_true(mean(c.error, c.nr) <= 0);
        assert_true(mean(c.wss, c.nr) <= 0);
}

static void everything_hot_is_seen_as_that(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 10 * GIB, &script);
        const struct sim_pattern patterns[] = {
                { .range = { HEAP, HEAP + 10 * GIB }, .period = MS },
                { .range = { LIBS, LIBS + 2 * MIB }, .period = MS },
                { .range = { STACK, STACK + 132 * KIB }, .period = MS },
        };
        struct course c;

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                ASSERT_OK(sim_target_access(script, &patterns[i]));
        follow(s, target, script, 100, &c);
        assert_true(mean(c.error, c.nr) <= 0);
        assert_int_equal(nr_near(&c), c.nr);
}

/* How long after a move the new place is known, in aggregations; the limit if it is not. */
static size_t time_to_find(struct scenario *s, const struct damon_target *target,
                           const struct sim_target *script, size_t limit) {
        for (size_t i = 1; i <= limit; i++) {
                double truth, wss;

                scenario_aggregate(s);
                truth = scenario_truth(s, script);
                wss = working_set(target, 10);
                if (scenario_error(s, target, script) < 0.02 && wss > truth / 2 && wss < 2 * truth)
                        return i;
        }
        return limit;
}

static void moving_window_is_found_again(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 1000 * MIB, &script);
        const struct sim_pattern hot = {
                .range = { HEAP + 50 * MIB, HEAP + 80 * MIB }, .period = 2 * MS,
                .move_step = 200 * MIB, .move_every = 10 * SEC, .nr_places = 5,
        };
        double times[10];

        ASSERT_OK(sim_target_access(script, &hot));
        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                times[i] = (double) time_to_find(s, target, script, 100);
                scenario_run(s, 10 * SEC - sim_now(s->sim) % (10 * SEC));
        }
        print_message("found after %.1f aggregations on average, %.0f at most\n",
                      mean(times, ELEMENTSOF(times)), percentile(times, ELEMENTSOF(times), 100));
        assert_true(mean(times, ELEMENTSOF(times)) < 2.5);
        assert_true(percentile(times, ELEMENTSOF(times), 100) < 4);
}

static void small_islands_are_told_from_the_sea(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 1000 * MIB, &script);
        const struct sim_pattern islands = {
                .range = { HEAP, HEAP + 512 * KIB }, .nr_islands = 100, .stride = 10 * MIB,
                .period = 2 * MS,
        };
        struct course c;

        ASSERT_OK(sim_target_access(script, &islands));
        scenario_run(s, 10 * SEC);
        follow(s, target, script, 300, &c);
        print_message("error %.4f, wss %.1f of %.1f MiB\n", mean(c.error, c.nr),
                      mean(c.wss, c.nr) / MIB, mean(c.truth, c.nr) / MIB);
        /* 5 % of the memory is hot: to see nothing would be an error of 0.05 */
        assert_true(mean(c.error, c.nr) < 0.0005);
        assert_true(nr_near(&c) >= c.nr * 98 / 100);
}

static void more_islands_than_regions_stay_blurred(void **state) {
        struct damon_attrs attrs = default_attrs;
        _cleanup_scenario_ struct scenario *s = NULL;
        struct sim_target *script;
        struct damon_target *target;
        const struct sim_pattern islands = {
                .range = { HEAP, HEAP + 64 * KIB }, .nr_islands = 1000, .stride = MIB,
                .period = 2 * MS,
        };
        struct course c;

        attrs.max_regions = 100;
        s = scenario_new(&attrs);
        target = scenario_add(s, "t", 1000 * MIB, &script);
        ASSERT_OK(sim_target_access(script, &islands));
        scenario_run(s, 10 * SEC);
        follow(s, target, script, 300, &c);
        print_message("error %.4f, wss %.1f of %.1f MiB\n", mean(c.error, c.nr),
                      mean(c.wss, c.nr) / MIB, mean(c.truth, c.nr) / MIB);
        /* 1 / 16 of each MiB is hot, and what is known is the mean of both at best */
        assert_true(mean(c.error, c.nr) < 0.115);
        assert_true(mean(c.wss, c.nr) > mean(c.truth, c.nr));
}

/* Memory that is accessed hardly ever, all of it, keeps the regions changing. */
static void hot_window_moves_through_rarely_used_memory(void **state) {
        struct damon_attrs attrs = default_attrs;
        _cleanup_scenario_ struct scenario *s = NULL;
        struct sim_target *script;
        struct damon_target *target;
        const struct sim_pattern patterns[] = {
                { .range = { HEAP, HEAP + 1000 * MIB }, .period = 170 * MS },
                { .range = { HEAP + 50 * MIB, HEAP + 80 * MIB }, .period = 2 * MS,
                  .move_step = 200 * MIB, .move_every = 10 * SEC, .nr_places = 5 },
        };
        struct course c;

        attrs.max_regions = 100;
        s = scenario_new(&attrs);
        target = scenario_add(s, "t", 1000 * MIB, &script);
        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                ASSERT_OK(sim_target_access(script, &patterns[i]));
        scenario_run(s, 5 * SEC);
        follow(s, target, script, 600, &c);
        print_message("error %.4f, %.4f in the middle, %zu regions\n", mean(c.error, c.nr),
                      percentile(c.error, c.nr, 50), target->regions.nr);
        /* to see nothing would be an error of 0.06 */
        assert_true(mean(c.error, c.nr) < 0.031);
}

/*
 * sysfs_update_schemes_tried_regions_wss_estimation.py: of two regions one is accessed at a
 * time, and a scheme counts what is accessed at 5 checks or more for 2 aggregations or more.
 */
static void working_set_of_two_alternating_regions(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damos stat = make_scheme("wss", DAMOS_STAT);
        const struct sim_pattern alternating = {
                .range = { HEAP, HEAP + 10 * MIB }, .period = MS,
                .move_step = 10 * MIB, .move_every = 2 * SEC, .nr_places = 2,
        };
        double sizes[200];
        uint64_t before = 0;

        scenario_add(s, "t", 20 * MIB, &script);
        ASSERT_OK(sim_target_access(script, &alternating));
        stat.pattern.nr_accesses = (struct damos_limits) { 5, 20 };
        stat.pattern.age.min = 200 * MS;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                scenario_aggregate(s);
                sizes[i] = (double) (scenario_stat(s, 0)->sz_tried - before);
                before = scenario_stat(s, 0)->sz_tried;
        }
        for (unsigned p = 0; p <= 100; p += 25)
                print_message("%u%%: %.2f MiB\n", p, percentile(sizes, ELEMENTSOF(sizes), p) / MIB);
        for (unsigned p = 50; p <= 75; p += 25) {
                assert_true(percentile(sizes, ELEMENTSOF(sizes), p) > 9.5 * MIB);
                assert_true(percentile(sizes, ELEMENTSOF(sizes), p) < 10.5 * MIB);
        }
}

/* damos_tried_regions.py: of 14 regions of 10 MiB every second one is accessed. */
static void tried_regions_tell_even_from_odd(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        const struct damos stat = make_scheme("all", DAMOS_STAT);
        const struct sim_pattern even = {
                .range = { HEAP, HEAP + 10 * MIB }, .nr_islands = 7, .stride = 20 * MIB,
                .period = 4 * MS,
        };
        double nr_tried[11];
        uint64_t before;

        scenario_add(s, "t", 140 * MIB, &script);
        ASSERT_OK(sim_target_access(script, &even));
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        scenario_run(s, SEC);
        for (size_t i = 0; i < ELEMENTSOF(nr_tried); i++) {
                before = scenario_stat(s, 0)->nr_tried;
                scenario_aggregate(s);
                nr_tried[i] = (double) (scenario_stat(s, 0)->nr_tried - before);
        }
        qsort(nr_tried, ELEMENTSOF(nr_tried), sizeof(nr_tried[0]), compare_double);
        print_message("%.0f at least, %.0f in the middle, %.0f at most\n", nr_tried[0], nr_tried[4],
                      nr_tried[10]);
        assert_true(nr_tried[4] >= 14);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(hot_window_in_cold_memory),
                cmocka_unit_test(warm_memory_between_hot_and_cold),
                cmocka_unit_test(everything_idle_is_seen_as_that),
                cmocka_unit_test(everything_hot_is_seen_as_that),
                cmocka_unit_test(moving_window_is_found_again),
                cmocka_unit_test(small_islands_are_told_from_the_sea),
                cmocka_unit_test(more_islands_than_regions_stay_blurred),
                cmocka_unit_test(hot_window_moves_through_rarely_used_memory),
                cmocka_unit_test(working_set_of_two_alternating_regions),
                cmocka_unit_test(tried_regions_tell_even_from_odd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
