/* SPDX-License-Identifier: GPL-2.0-only */
/* Schemes at work: what they find, what they leave alone, and what they cost the target. */

#include "scenario.h"

/* Bytes of a range that were acted on, each as often as that was done. */
static uint64_t acted_on(const struct sim *sim, struct damon_range range) {
        size_t nr;
        const struct sim_act *acts = sim_acts(sim, &nr);
        uint64_t size = 0;

        for (size_t i = 0; i < nr; i++) {
                uint64_t start = MAX(acts[i].range.start, range.start);
                uint64_t end = MIN(acts[i].range.end, range.end);

                size += end > start ? end - start : 0;
        }
        return size;
}

static void cold_memory_goes_and_hot_memory_stays(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        const struct damon_range heap = { HEAP, HEAP + GIB };
        const struct damon_range hot = { HEAP + 300 * MIB, HEAP + 500 * MIB };
        struct damos pageout = make_scheme("cold-out", DAMOS_PAGEOUT);
        uint64_t late;

        scenario_add(s, "t", GIB, &script);
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = hot, .period = 2 * MS }));
        pageout.pattern.nr_accesses.max = 0;
        pageout.pattern.age.min = 5 * SEC;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));

        scenario_run(s, 5 * SEC - 5 * MS);
        assert_int_equal(sim_target_resident(script, heap), GIB);
        scenario_run(s, 25 * SEC);
        late = sim_target_resident(script, heap);
        print_message("%.1f MiB of 200 MiB hot and 824 MiB cold resident, %u faults\n",
                      (double) late / MIB, (unsigned) sim_target_faults(script));
        assert_int_equal(sim_target_resident(script, hot), 200 * MIB);
        assert_true(late < 210 * MIB);
        assert_true(sim_target_faults(script) < 200 * MIB / SIM_PAGE_SIZE / 1000);
        assert_true(scenario_stat(s, 0)->sz_applied >= 814 * MIB);
        assert_true(scenario_stat(s, 0)->sz_applied <= scenario_stat(s, 0)->sz_tried);
}

static void memory_that_was_paged_out_comes_back_when_it_gets_hot(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        const struct damon_range later = { HEAP + 100 * MIB, HEAP + 200 * MIB };
        struct damos pageout = make_scheme("cold-out", DAMOS_PAGEOUT);
        uint64_t nr_faults;

        scenario_add(s, "t", GIB, &script);
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = later, .period = 2 * MS, .from = 10 * SEC }));
        pageout.pattern.nr_accesses.max = 0;
        pageout.pattern.age.min = 2 * SEC;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 10 * SEC - 5 * MS);
        assert_int_equal(sim_target_resident(script, later), 0);
        scenario_run(s, SEC);
        nr_faults = sim_target_faults(script);
        /* hot pages in a region over the border can go once more */
        assert_in_range(nr_faults, 100 * MIB / SIM_PAGE_SIZE, 102 * MIB / SIM_PAGE_SIZE);
        scenario_run(s, 10 * SEC);
        print_message("%u faults more\n", (unsigned) (sim_target_faults(script) - nr_faults));
        assert_true(sim_target_faults(script) - nr_faults < nr_faults / 20);
}

static void memory_used_now_and_then_is_not_paged_out(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        const struct damon_range rare = { HEAP, HEAP + 200 * MIB };
        struct damos pageout = make_scheme("cold-out", DAMOS_PAGEOUT);

        scenario_add(s, "t", GIB, &script);
        /* a page is seen accessed at 5 of 20 checks */
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = rare, .period = 20 * MS }));
        pageout.pattern.nr_accesses.max = 0;
        pageout.pattern.age.min = 3 * SEC;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 20 * SEC);
        print_message("%u faults\n", (unsigned) sim_target_faults(script));
        assert_true(sim_target_faults(script) < 200 * MIB / SIM_PAGE_SIZE / 500);
        assert_true(sim_target_resident(script, (struct damon_range) { HEAP, HEAP + GIB }) <
                    230 * MIB);
}

static void unknown_memory_is_never_acted_on(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        const struct damon_range hidden = { HEAP + 400 * MIB, HEAP + 700 * MIB };
        struct damos schemes[] = {
                make_scheme("out", DAMOS_PAGEOUT), make_scheme("all", DAMOS_STAT),
        };
        uint64_t sz_heap;

        scenario_add(s, "t", GIB, &script);
        ASSERT_OK(sim_target_hide(script, hidden));
        schemes[0].pattern.age.min = 2 * SEC;
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, 2));
        scenario_run(s, 10 * SEC);
        sz_heap = sim_target_mapped(script, (struct damon_range) { HEAP, HEAP + GIB });
        print_message("%.2f MiB of 300 MiB at the borders\n",
                      (double) acted_on(s->sim, hidden) / MIB);
        /* what is known lies around it, and a region over the border may be mostly known */
        assert_true(acted_on(s->sim, (struct damon_range) { HEAP, hidden.start }) >= 380 * MIB);
        assert_true(acted_on(s->sim, (struct damon_range) { hidden.end, HEAP + GIB }) >= 300 * MIB);
        assert_int_equal(acted_on(s->sim, (struct damon_range) {
                hidden.start + 50 * MIB, hidden.end - 50 * MIB }), 0);
        assert_true(acted_on(s->sim, hidden) < 60 * MIB);
        assert_true(scenario_stat(s, 1)->sz_tried >= 99 * sz_heap);
}

static void wholly_unknown_target_is_never_acted_on(void **state) {
        static const enum damos_action actions[] = { DAMOS_PAGEOUT, DAMOS_COLD, DAMOS_WILLNEED };
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos schemes[3];
        struct sim_target *script;
        size_t nr;

        scenario_add(s, "t", GIB, &script);
        ASSERT_OK(sim_target_hide(script, (struct damon_range) { 0, STACK + GIB }));
        for (size_t i = 0; i < 3; i++)
                schemes[i] = make_scheme("s", actions[i]);
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, 3));
        scenario_run(s, 5 * SEC);
        (void) sim_acts(s->sim, &nr);
        assert_int_equal(nr, 0);
}

static void matches_are_counted_once_an_aggregation(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos schemes[] = {
                make_scheme("a", DAMOS_STAT), make_scheme("b", DAMOS_STAT),
        };
        struct sim_target *script;
        const struct damon_target *target = scenario_add(s, "t", 100 * MIB, &script);
        uint64_t size = damon_regions_size(&target->regions), before = 0;

        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = { HEAP, HEAP + 50 * MIB }, .period = 3 * MS }));
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, 2));
        for (uint64_t i = 0; i < 100; i++) {
                scenario_aggregate(s);
                /* two equal schemes count alike; and each counts all of the memory */
                assert_int_equal(scenario_stat(s, 0)->nr_tried, scenario_stat(s, 1)->nr_tried);
                assert_int_equal(scenario_stat(s, 0)->sz_tried, (i + 1) * size);
                assert_in_range(scenario_stat(s, 0)->nr_tried - before, 10, 1000);
                before = scenario_stat(s, 0)->nr_tried;
                for (int k = 0; k < 19; k++) {
                        assert_false(scenario_step(s).aggregated);
                        assert_int_equal(scenario_stat(s, 0)->nr_tried, before);
                }
        }
}

static void scheme_waits_for_the_age_it_asks_for(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos cold = make_scheme("cold", DAMOS_COLD);
        struct sim_target *script;
        const struct sim_act *acts;
        size_t nr;

        scenario_add(s, "t", 100 * MIB, &script);
        cold.pattern.age.min = 2 * SEC;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        scenario_run(s, 9 * SEC);
        acts = sim_acts(s->sim, &nr);
        assert_true(nr > 0);
        /* at 2 s all of it is of age, and again each 2 s after that */
        for (size_t i = 0; i < nr; i++)
                assert_int_equal(acts[i].time % (2 * SEC), 0);
        assert_int_equal(acts[nr - 1].time, 8 * SEC);
        assert_int_equal(scenario_stat(s, 0)->sz_tried, 4 * (102 * MIB + 132 * KIB));
}

/*
 * A part of the heap goes, by others' doing, and is brought in again by one access to each page:
 * from then on it is young, and while it is away nothing is done to it.
 */
static void memory_that_is_brought_in_is_young_and_absent_memory_is_left_alone(void **state) {
        static const enum damos_action actions[] = { DAMOS_PAGEOUT, DAMOS_COLD };

        for (size_t i = 0; i < ELEMENTSOF(actions); i++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                const struct damon_range away = { HEAP + 300 * MIB, HEAP + 500 * MIB };
                const struct damon_range heap = { HEAP, HEAP + GIB };
                struct damos scheme = make_scheme("cold", actions[i]);
                struct sim_target *script;
                uint64_t sz_tried;

                scenario_add(s, "t", GIB, &script);
                ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                        .range = { HEAP, away.start }, .period = 2 * MS }));
                ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                        .range = { away.end, HEAP + GIB }, .period = 2 * MS }));
                ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                        .range = away, .period = 500 * MS, .from = 20 * SEC, .until = 20500 * MS }));
                scheme.pattern.nr_accesses.max = 0;
                scheme.pattern.age.min = 10 * SEC;
                ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));

                scenario_run(s, 5 * SEC);
                ASSERT_OK(sim_target_evict(script, away));
                scenario_run(s, 15 * SEC - 5 * MS);
                assert_int_equal(sim_target_resident(script, away), 0);
                /* of age since 10 s, but not there; libraries and stack are idle, and are */
                assert_int_equal(acted_on(s->sim, heap), 0);
                sz_tried = scenario_stat(s, 0)->sz_tried;
                assert_true(sz_tried >= 2 * MIB && sz_tried <= 5 * MIB);

                scenario_run(s, 9900 * MS);
                assert_int_equal(sim_target_resident(script, away), 200 * MIB);
                assert_int_equal(acted_on(s->sim, away), 0);
                scenario_run(s, 3 * SEC);
                print_message("%.1f MiB of 200 MiB that were brought in\n",
                              (double) acted_on(s->sim, away) / MIB);
                assert_true(acted_on(s->sim, away) >= 190 * MIB);
                assert_true(acted_on(s->sim, heap) <= 205 * MIB);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(cold_memory_goes_and_hot_memory_stays),
                cmocka_unit_test(memory_that_was_paged_out_comes_back_when_it_gets_hot),
                cmocka_unit_test(memory_used_now_and_then_is_not_paged_out),
                cmocka_unit_test(unknown_memory_is_never_acted_on),
                cmocka_unit_test(wholly_unknown_target_is_never_acted_on),
                cmocka_unit_test(matches_are_counted_once_an_aggregation),
                cmocka_unit_test(scheme_waits_for_the_age_it_asks_for),
                cmocka_unit_test(memory_that_is_brought_in_is_young_and_absent_memory_is_left_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
