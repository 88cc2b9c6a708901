/* SPDX-License-Identifier: GPL-2.0-only */
/* Schemes with an apply_interval: when they are applied, to what, and how far they get. */

#include "scenario.h"

static const struct damon_range heap = { HEAP, HEAP + 64 * MIB };

static struct damos every(enum damos_action action, uint64_t interval) {
        struct damos scheme = make_scheme("every", action);

        scheme.apply_interval = interval;
        return scheme;
}

/* Note when the first scheme counts something, and step on. */
static size_t times_of(struct scenario *s, uint64_t until, uint64_t *times, size_t sz_times) {
        uint64_t before = scenario_stat(s, 0)->nr_tried;
        size_t nr = 0;

        while (sim_now(s->sim) < until) {
                scenario_step(s);
                if (scenario_stat(s, 0)->nr_tried != before && nr < sz_times)
                        times[nr++] = sim_now(s->sim);
                before = scenario_stat(s, 0)->nr_tried;
        }
        return nr;
}

static void scheme_is_applied_at_its_own_interval(void **state) {
        static const uint64_t intervals[] = { 5 * MS, 30 * MS, 100 * MS, 250 * MS, 2 * SEC };

        for (size_t i = 0; i < ELEMENTSOF(intervals); i++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                const struct damos stat = every(DAMOS_STAT, intervals[i]);
                uint64_t times[2000];
                struct sim_target *script;
                size_t nr;

                scenario_add(s, "t", 64 * MIB, &script);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
                nr = times_of(s, 10 * SEC, times, ELEMENTSOF(times));
                assert_int_equal(nr, 10 * SEC / intervals[i]);
                for (size_t k = 0; k < nr; k++)
                        assert_int_equal(times[k], (k + 1) * intervals[i]);
        }
}

/* Another sample interval, as the budget may demand, does not make it more or less often. */
static void interval_is_time_whatever_the_steps(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos stat = every(DAMOS_STAT, 200 * MS);
        struct damon_attrs slow = default_attrs;
        struct sim_target *script;
        uint64_t times[100];

        scenario_add(s, "t", 64 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        assert_int_equal(times_of(s, SEC, times, ELEMENTSOF(times)), 5);
        slow.sample_interval *= 10;
        slow.aggregation_interval *= 10;
        ASSERT_OK(damon_engine_set_attrs(s->engine, &slow));
        assert_int_equal(times_of(s, 2 * SEC, times, ELEMENTSOF(times)), 5);
        assert_int_equal(times[4], 2 * SEC);
}

/* Before the first aggregation of a target is over, all of it looks idle, and is not. */
static void nothing_is_done_to_what_is_not_known(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos pageout = every(DAMOS_PAGEOUT, 5 * MS);
        struct sim_target *script;
        size_t nr;

        scenario_add(s, "t", 64 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        while (sim_now(s->sim) < 95 * MS)
                scenario_step(s);
        (void) sim_acts(s->sim, &nr);
        assert_int_equal(nr, 0);
        scenario_step(s);
        (void) sim_acts(s->sim, &nr);
        assert_true(nr > 0);
}

/* Between two aggregations, what was seen in use since the last one is not what it found. */
static void what_is_in_use_again_is_left_alone(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos schemes[] = { every(DAMOS_PAGEOUT, 2050 * MS), every(DAMOS_STAT, 2050 * MS) };
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 64 * MIB, &script);
        uint64_t touched = 0;

        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = heap, .period = 4 * MS, .from = 2001 * MS }));
        schemes[0].name = (char *) "pageout";
        for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
                schemes[i].pattern.nr_accesses = (struct damos_limits) { 0, 0 };
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, ELEMENTSOF(schemes)));
        while (sim_now(s->sim) < 2050 * MS)
                scenario_step(s);
        for (size_t i = 0; i < target->regions.nr; i++)
                if (target->regions.items[i].touched && !target->regions.items[i].accessed)
                        touched += damon_range_size(&target->regions.items[i].range);
        assert_true(touched >= 60 * MIB);
        assert_int_equal(sim_target_resident(script, heap), 64 * MIB);
        assert_true(scenario_stat(s, 0)->sz_tried > 0);
        assert_int_equal(scenario_stat(s, 1)->sz_tried, damon_regions_size(&target->regions) - touched);
}

/* More than fits in the steps of an aggregation gets done all the same, and once. */
static void pass_goes_on_until_all_is_done(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos pageout = every(DAMOS_PAGEOUT, 5 * SEC);
        const struct damon_range large = { HEAP, HEAP + 2 * GIB };
        struct sim_target *script;
        const struct sim_act *acts;
        size_t nr;

        scenario_add(s, "t", 2 * GIB, &script);
        sim_set_throughput(s->sim, MIB);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 10 * SEC - 5 * MS);
        assert_int_equal(sim_target_resident(script, large), 0);
        acts = sim_acts(s->sim, &nr);
        assert_int_equal(acts[0].time, 5 * SEC);
        print_message("from 5 s to %.2f s\n", (double) acts[nr - 1].time / SEC);
        assert_true(acts[nr - 1].time > 5200 * MS);
}

/* A quota is one of each time that it is applied, and what is left waits for the next. */
static void used_up_quota_ends_a_pass(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos pageout = every(DAMOS_PAGEOUT, 5 * SEC);
        struct sim_target *script;
        const struct sim_act *acts;
        uint64_t sum = 0;
        size_t nr;

        pageout.quota = (struct damos_quota) { .size = 4 * MIB, .interval = 50 * MS };
        scenario_add(s, "t", 64 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 20 * SEC + 500 * MS);
        acts = sim_acts(s->sim, &nr);
        for (size_t i = 0; i < nr; i++) {
                assert_int_equal(acts[i].time % (5 * SEC), 0);
                sum += acts[i].sz_applied;
        }
        assert_in_range(sum, 15 * MIB, 16 * MIB);
        assert_true(scenario_stat(s, 0)->qt_exceeds >= 3);
}

static void reload_keeps_what_is_due(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos stat = every(DAMOS_STAT, SEC);
        struct sim_target *script;
        uint64_t times[10];

        scenario_add(s, "t", 64 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        assert_int_equal(times_of(s, 900 * MS, times, ELEMENTSOF(times)), 0);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        assert_int_equal(times_of(s, 1500 * MS, times, ELEMENTSOF(times)), 1);
        assert_int_equal(times[0], SEC);
        /* another rule begins anew */
        stat.apply_interval = 700 * MS;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        assert_int_equal(times_of(s, 2500 * MS, times, ELEMENTSOF(times)), 1);
        assert_int_equal(times[0], 2200 * MS);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(scheme_is_applied_at_its_own_interval),
                cmocka_unit_test(interval_is_time_whatever_the_steps),
                cmocka_unit_test(nothing_is_done_to_what_is_not_known),
                cmocka_unit_test(what_is_in_use_again_is_left_alone),
                cmocka_unit_test(pass_goes_on_until_all_is_done),
                cmocka_unit_test(used_up_quota_ends_a_pass),
                cmocka_unit_test(reload_keeps_what_is_due),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
