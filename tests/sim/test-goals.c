/* SPDX-License-Identifier: GPL-2.0-only */
/* Goals at work: a quota that finds by itself how much is to be done. */

#include "scenario.h"

static const struct damon_range heap = { HEAP, HEAP + GIB };

/* A machine of a quarter more memory than the heap, and what was paged out since the last look. */
struct machine {
        struct scenario *s;
        struct sim_target *script;
        uint64_t applied;
};

static int read_metric(void *userdata, enum damos_metric metric, const char *file, uint64_t *ret_value) {
        struct machine *machine = userdata;
        uint64_t applied = scenario_stat(machine->s, 0)->sz_applied;

        if (metric == DAMOS_AVAILABLE_MEM_RATE) {
                *ret_value = 10000 - sim_target_resident(machine->script, heap) * 10000 / (GIB + 256 * MIB);
                return 0;
        }
        assert_int_equal(metric, DAMOS_USER_INPUT);
        assert_string_equal(file, "/run/rate");
        *ret_value = (applied - machine->applied) / MIB;
        machine->applied = applied;
        return 0;
}

static struct damos with_goal(struct damos_goal *goal) {
        struct damos scheme = make_scheme("goal", DAMOS_PAGEOUT);

        scheme.pattern.nr_accesses = (struct damos_limits) { 0, 0 };
        scheme.quota = (struct damos_quota) { .interval = SEC, .goals = goal, .nr_goals = 1 };
        return scheme;
}

static void run(struct machine *machine, uint64_t us) {
        const struct damos_meter meter = { read_metric, machine };
        unsigned nr_news[DAMOS_GOALS_FOUND + 1] = {};
        uint64_t end = sim_now(machine->s->sim) + us;

        while (sim_now(machine->s->sim) < end) {
                scenario_adjust(machine->s, &meter, nr_news);
                scenario_step(machine->s);
        }
        assert_int_equal(nr_news[DAMOS_GOALS_LOST], 0);
}

static uint64_t effective(const struct scenario *s) {
        size_t nr;
        const struct damos *schemes = damon_engine_schemes(s->engine, &nr);

        return damos_quota_effective(&schemes[0].quota, &schemes[0].charge);
}

/*
 * Memory comes back at 17 MiB a second, as it is used; two fifths of the machine are to be available. What
 * is available is the sum of all that was done, so that this kind of goal is overshot both ways, as with
 * the kernel's feedback; but not in the mean.
 */
static void available_memory_swings_about_its_target(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos_goal goal = { .metric = DAMOS_AVAILABLE_MEM_RATE, .target = 4000 };
        const struct damos pageout = with_goal(&goal);
        struct machine machine = { .s = s };
        uint64_t least = UINT64_MAX, most = 0, sum = 0, value;

        scenario_add(s, "t", GIB, &machine.script);
        ASSERT_OK(sim_target_access(machine.script, &(struct sim_pattern) { .range = heap, .period = 60 * SEC }));
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        ASSERT_OK(read_metric(&machine, DAMOS_AVAILABLE_MEM_RATE, NULL, &value));
        assert_int_equal(value, 2000);
        run(&machine, 120 * SEC);
        for (int i = 0; i < 600; i++) {
                run(&machine, SEC);
                ASSERT_OK(read_metric(&machine, DAMOS_AVAILABLE_MEM_RATE, NULL, &value));
                least = MIN(least, value);
                most = MAX(most, value);
                sum += value;
        }
        print_message("%.1f%% to %.1f%% available, %.1f%% in the mean, target 40%%\n",
                      (double) least / 100, (double) most / 100, (double) sum / 60000);
        assert_in_range(sum / 600, 3500, 4500);
        assert_true(most <= 6000);
}

/* Somebody writes how much went in a second, and wants 20 MiB: that is what the quota becomes. */
static void quota_converges_to_what_the_goal_takes(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos_goal goal = { .metric = DAMOS_USER_INPUT, .target = 20, .file = (char *) "/run/rate" };
        const struct damos pageout = with_goal(&goal);
        struct machine machine = { .s = s };
        uint64_t from = 0;

        scenario_add(s, "t", GIB, &machine.script);
        ASSERT_OK(sim_target_access(machine.script, &(struct sim_pattern) { .range = heap, .period = 30 * SEC }));
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        while (effective(s) < 18 * MIB) {
                run(&machine, SEC);
                assert_true(sim_now(s->sim) < 60 * SEC);
        }
        from = sim_now(s->sim);
        run(&machine, 20 * SEC);
        for (int i = 0; i < 60; i++) {
                run(&machine, SEC);
                assert_in_range(effective(s), 17 * MIB, 23 * MIB);
        }
        print_message("reached after %.0f s, stays at %.1f MiB\n", (double) from / SEC,
                      (double) effective(s) / MIB);
}

/* The loop does not begin anew with a reload that changes nothing; and begins with next to nothing. */
static void reload_keeps_what_was_found(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos_goal goal = { .metric = DAMOS_AVAILABLE_MEM_RATE, .target = 4000 };
        const struct damos pageout = with_goal(&goal);
        struct machine machine = { .s = s };
        uint64_t before;

        scenario_add(s, "t", GIB, &machine.script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        run(&machine, 10 * SEC);
        assert_int_equal(sim_target_resident(machine.script, heap), GIB);
        run(&machine, 15 * SEC);
        before = effective(s);
        assert_true(before > 4 * KIB);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        assert_int_equal(effective(s), before);
        goal.target = 4001;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        assert_int_equal(effective(s), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(available_memory_swings_about_its_target),
                cmocka_unit_test(quota_converges_to_what_the_goal_takes),
                cmocka_unit_test(reload_keeps_what_was_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
