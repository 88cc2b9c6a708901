/* SPDX-License-Identifier: GPL-2.0-only */
/* Watermarks at work: who sleeps when, that nothing is sampled meanwhile, and what is known after it. */

#include "scenario.h"

static const struct damon_range heap = { HEAP, HEAP + 64 * MIB };

/* The machine's free memory, as a share. */
struct machine {
        struct scenario *s;
        uint64_t free;
        unsigned nr_news[DAMOS_GOALS_FOUND + 1];
        uint64_t nr_checked;
};

static int read_metric(void *userdata, enum damos_metric metric, const char *file,
                       uint64_t *ret_value) {
        const struct machine *machine = userdata;

        assert_int_equal(metric, DAMOS_FREE_MEM_RATE);
        *ret_value = machine->free;
        return 0;
}

static struct damos by_free_memory(const char *name, enum damos_action action) {
        struct damos scheme = make_scheme(name, action);

        scheme.watermarks = (struct damos_watermarks) {
                .metric = DAMOS_FREE_MEM_RATE, .interval = SEC, .high = 5000, .mid = 4000, .low = 500,
        };
        return scheme;
}

/* Adjust whenever that is due, and step on. */
static void run(struct machine *machine, uint64_t us) {
        const struct damos_meter meter = { read_metric, machine };
        uint64_t end = sim_now(machine->s->sim) + us;

        while (sim_now(machine->s->sim) < end) {
                scenario_adjust(machine->s, &meter, machine->nr_news);
                machine->nr_checked += scenario_step(machine->s).nr_checked;
        }
}

static uint64_t checked_in(struct machine *machine, uint64_t us) {
        uint64_t before = machine->nr_checked;

        run(machine, us);
        return machine->nr_checked - before;
}

static uint64_t tried_in(struct machine *machine, size_t scheme, uint64_t us) {
        uint64_t before = scenario_stat(machine->s, scheme)->nr_tried;

        run(machine, us);
        return scenario_stat(machine->s, scheme)->nr_tried - before;
}

static void nothing_is_sampled_while_all_sleep(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos schemes[] = {
                by_free_memory("a", DAMOS_STAT), by_free_memory("b", DAMOS_PAGEOUT),
        };
        struct machine machine = { .s = s, .free = 9000 };
        struct sim_target *script;

        scenario_add(s, "t", 64 * MIB, &script);
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) { .range = heap, .period = 4 * MS }));
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, ELEMENTSOF(schemes)));
        assert_int_equal(checked_in(&machine, 10 * SEC), 0);
        assert_true(damon_engine_is_asleep(s->engine));
        assert_int_equal(machine.nr_news[DAMOS_FELL_ASLEEP], 2);

        /* between mid and high they do not wake, below mid they do, at the next look */
        machine.free = 4500;
        assert_int_equal(checked_in(&machine, 10 * SEC), 0);
        machine.free = 3000;
        assert_true(checked_in(&machine, SEC + 100 * MS) > 10);
        assert_false(damon_engine_is_asleep(s->engine));
        assert_int_equal(machine.nr_news[DAMOS_WOKE_UP], 2);
        /* and between them they do not fall asleep */
        machine.free = 4500;
        assert_true(tried_in(&machine, 0, 10 * SEC) > 0);
        machine.free = 5001;
        run(&machine, SEC);
        assert_int_equal(checked_in(&machine, 10 * SEC), 0);
        /* too late to be of use */
        machine.free = 400;
        assert_int_equal(checked_in(&machine, 10 * SEC), 0);
        machine.free = 500;
        run(&machine, SEC);
        assert_true(tried_in(&machine, 0, SEC) > 0);
        assert_int_equal(machine.nr_news[DAMOS_FELL_ASLEEP], 4);
        assert_int_equal(machine.nr_news[DAMOS_WOKE_UP], 4);
}

static void one_that_sleeps_is_not_applied(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos schemes[] = {
                by_free_memory("sleeps", DAMOS_PAGEOUT), make_scheme("counts", DAMOS_STAT),
        };
        struct machine machine = { .s = s, .free = 9000 };
        struct sim_target *script;

        scenario_add(s, "t", 64 * MIB, &script);
        schemes[0].apply_interval = 30 * MS;
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, ELEMENTSOF(schemes)));
        assert_true(tried_in(&machine, 1, 5 * SEC) > 0);
        assert_int_equal(scenario_stat(s, 0)->nr_tried, 0);
        assert_int_equal(sim_target_resident(script, heap), 64 * MIB);
        machine.free = 3000;
        assert_true(tried_in(&machine, 0, 3 * SEC) > 0);
        assert_int_equal(sim_target_resident(script, heap), 0);
}

/* Work that waits for its quota does not go on in its sleep, nor after it. */
static void work_ends_with_falling_asleep(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos schemes[] = {
                by_free_memory("sleeps", DAMOS_PAGEOUT), make_scheme("counts", DAMOS_STAT),
        };
        struct machine machine = { .s = s, .free = 3000 };
        struct sim_target *script;

        scenario_add(s, "t", 64 * MIB, &script);
        schemes[0].quota = (struct damos_quota) { .size = MIB, .interval = 500 * MS };
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, ELEMENTSOF(schemes)));
        assert_true(tried_in(&machine, 0, 2500 * MS) > 0);
        machine.free = 9000;
        run(&machine, SEC);
        assert_int_equal(tried_in(&machine, 0, 10 * SEC), 0);
        assert_true(sim_target_resident(script, heap) > 50 * MIB);
}

/*
 * All was idle for a minute; then nobody looked for another one, in which all was in use up to a moment
 * ago. A scheme for what has been idle for 100 s must wait for as long as that.
 */
static void sleep_counts_for_no_age(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos pageout = by_free_memory("old", DAMOS_PAGEOUT);
        struct machine machine = { .s = s, .free = 3000 };
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 64 * MIB, &script);
        const struct sim_act *acts;
        size_t nr;

        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = heap, .period = 4 * MS, .from = 60 * SEC, .until = 119 * SEC }));
        pageout.pattern.age.min = 100 * SEC;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        run(&machine, 59 * SEC);
        for (size_t i = 0; i < target->regions.nr; i++)
                assert_true(target->regions.items[i].age > 500);
        machine.free = 9000;
        run(&machine, 60 * SEC + 500 * MS);
        machine.free = 3000;
        run(&machine, SEC);
        for (size_t i = 0; i < target->regions.nr; i++)
                assert_true(target->regions.items[i].age <= 10);
        run(&machine, 110 * SEC);
        acts = sim_acts(s->sim, &nr);
        assert_true(nr > 0);
        print_message("woken at 120 s, acted from %.1f s on\n", (double) acts[0].time / SEC);
        assert_true(acts[0].time >= 220 * SEC);
}

/* Until an aggregation has ended, not even the frequencies from before are there. */
static void nothing_is_known_right_after_sleep(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos schemes[] = {
                by_free_memory("acts", DAMOS_PAGEOUT), by_free_memory("counts", DAMOS_STAT),
        };
        struct machine machine = { .s = s, .free = 3000 };
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 64 * MIB, &script);

        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) { .range = heap, .period = 4 * MS }));
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, ELEMENTSOF(schemes)));
        run(&machine, 3 * SEC - 5 * MS);
        machine.free = 9000;
        run(&machine, 5 * SEC);
        machine.free = 3000;
        while (damon_engine_is_asleep(s->engine))
                run(&machine, 5 * MS);
        for (size_t i = 0; i < target->regions.nr; i++)
                assert_true(target->regions.items[i].unknown);
        run(&machine, 95 * MS);
        for (size_t i = 0; i < target->regions.nr; i++)
                assert_int_equal(target->regions.items[i].nr_accesses, 0);
        run(&machine, 5 * MS);
        assert_true(working_set(target, 15) >= 60 * MIB);
}

static void reload_keeps_them_asleep(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos scheme = by_free_memory("a", DAMOS_STAT);
        struct machine machine = { .s = s, .free = 9000 };
        struct sim_target *script;

        scenario_add(s, "t", 64 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
        run(&machine, SEC);
        machine.free = 4500;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
        assert_true(damon_engine_is_asleep(s->engine));
        assert_int_equal(checked_in(&machine, 5 * SEC), 0);
        /* another rule begins awake, as the kernel's do, and is looked at at once */
        scheme.watermarks.low = 400;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
        assert_int_equal(damon_engine_adjust_at(s->engine), 0);
        assert_true(checked_in(&machine, 5 * SEC) > 0);
        /* without any scheme, all is watched */
        ASSERT_OK(damon_engine_set_schemes(s->engine, NULL, 0));
        assert_false(damon_engine_is_asleep(s->engine));
        assert_int_equal(damon_engine_adjust_at(s->engine), UINT64_MAX);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_sampled_while_all_sleep),
                cmocka_unit_test(one_that_sleeps_is_not_applied),
                cmocka_unit_test(work_ends_with_falling_asleep),
                cmocka_unit_test(sleep_counts_for_no_age),
                cmocka_unit_test(nothing_is_known_right_after_sleep),
                cmocka_unit_test(reload_keeps_them_asleep),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
