/* SPDX-License-Identifier: GPL-2.0-only */
/* Targets that end, grow and shrink, and the limits on the number of regions. */

#include "scenario.h"

static void target_that_exits_is_handed_out_and_the_other_goes_on(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *scripts[2];
        struct damon_target *goes = scenario_add(s, "goes", 100 * MIB, &scripts[0]);
        struct damon_target *stays = scenario_add(s, "stays", 100 * MIB, &scripts[1]);
        const struct sim_pattern hot = { .range = { HEAP, HEAP + 50 * MIB }, .period = MS };
        struct damon_step step;

        for (size_t i = 0; i < 2; i++)
                ASSERT_OK(sim_target_access(scripts[i], &hot));
        sim_target_exit(scripts[0], 3 * SEC + 7 * MS);
        scenario_run(s, 3 * SEC + 5 * MS);
        assert_false(goes->gone);
        step = scenario_step(s);
        assert_int_equal(step.nr_gone, 1);
        assert_int_equal(step.nr_unknown, goes->regions.nr);
        assert_int_equal(step.nr_marked, stays->regions.nr);
        assert_false(sim_target_released(scripts[0]));
        assert_ptr_equal(damon_engine_pop_gone(s->engine), goes);
        assert_true(sim_target_released(scripts[0]));
        damon_target_free(goes);

        scenario_run(s, 3 * SEC);
        assert_false(stays->gone);
        scenario_aggregate(s);
        assert_true(scenario_error(s, stays, scripts[1]) < 0.05);
}

static void target_that_is_not_taken_out_costs_nothing(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        const struct damos cold = make_scheme("cold", DAMOS_COLD);
        size_t nr_acts, nr_later;

        scenario_add(s, "t", 100 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        sim_target_exit(script, SEC);
        scenario_run(s, SEC);
        (void) sim_acts(s->sim, &nr_acts);
        assert_true(nr_acts > 0);
        for (int i = 0; i < 1000; i++) {
                struct damon_step step = scenario_step(s);

                assert_int_equal(step.nr_marked, 0);
                assert_int_equal(step.nr_checked, 0);
                assert_int_equal(step.nr_gone, 1);
        }
        (void) sim_acts(s->sim, &nr_later);
        assert_int_equal(nr_later, nr_acts);
}

static void mapping_that_grows_is_monitored_after_an_update(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 10 * MIB, &script);
        const struct damon_range more = { HEAP + 10 * MIB, HEAP + GIB };
        const struct sim_pattern hot = {
                .range = { HEAP + 600 * MIB, HEAP + 700 * MIB }, .period = MS,
        };

        ASSERT_OK(sim_target_access(script, &hot));
        ASSERT_OK(sim_target_map(script, more, 5 * SEC + 100 * MS, SIM_NEVER));
        scenario_run(s, 5 * SEC + 500 * MS);
        assert_int_equal(damon_regions_size(&target->regions), 12 * MIB + 132 * KIB);
        scenario_run(s, 600 * MS);
        assert_int_equal(damon_regions_size(&target->regions), GIB + 2 * MIB + 132 * KIB);
        for (size_t i = 0; i < target->regions.nr; i++)
                assert_true(damon_range_size(&target->regions.items[i].range) <= 103 * MIB);
        scenario_run(s, 3 * SEC);
        scenario_aggregate(s);
        assert_true(scenario_error(s, target, script) < 0.02);
        assert_true(working_set(target, 10) > 80 * MIB);
        assert_true(working_set(target, 10) < 120 * MIB);
}

static void mapping_that_shrinks_is_let_go_after_an_update(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 10 * MIB, &script);
        const struct damon_range tail = { HEAP + 10 * MIB, HEAP + GIB };

        ASSERT_OK(sim_target_map(script, tail, 0, 3 * SEC + 100 * MS));
        scenario_run(s, 3 * SEC);
        assert_int_equal(damon_regions_size(&target->regions), GIB + 2 * MIB + 132 * KIB);
        scenario_run(s, SEC + 100 * MS);
        assert_int_equal(damon_regions_size(&target->regions), 12 * MIB + 132 * KIB);
        scenario_run(s, SEC);
        assert_true(target->regions.nr >= 10);
}

static void mapping_that_pulses_never_breaks_a_promise(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", 64 * MIB, &script);
        const struct sim_pattern hot = { .range = { HEAP, HEAP + GIB }, .period = 8 * MS };
        uint64_t size, least = UINT64_MAX, most = 0;

        ASSERT_OK(sim_target_access(script, &hot));
        for (uint64_t i = 0; i < 20; i++) {
                const struct damon_range range = {
                        HEAP + 64 * MIB, HEAP + 64 * MIB + (i + 1) * 40 * MIB,
                };

                ASSERT_OK(sim_target_map(script, range, i * 1500 * MS, i * 1500 * MS + 700 * MS));
        }
        for (int i = 0; i < 6000; i++) {
                scenario_step(s);
                size = damon_regions_size(&target->regions);
                least = MIN(least, size);
                most = MAX(most, size);
                assert_in_range(target->regions.nr, 10, 1000);
        }
        assert_int_equal(least, 66 * MIB + 132 * KIB);
        assert_true(most >= 500 * MIB);
}

static void target_that_loses_all_mappings_gets_them_back(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target;
        const struct damon_range range = { HEAP, HEAP + 10 * MIB };

        ASSERT_OK(sim_target_new(s->sim, "t", &target, &script));
        ASSERT_OK(sim_target_map(script, range, 0, 2 * SEC + 500 * MS));
        ASSERT_OK(sim_target_map(script, range, 4 * SEC + 500 * MS, SIM_NEVER));
        ASSERT_OK(damon_engine_add_target(s->engine, target));
        scenario_run(s, 2 * SEC);
        assert_true(target->regions.nr >= 10);
        scenario_run(s, 2 * SEC);
        assert_int_equal(target->regions.nr, 0);
        assert_false(target->gone);
        scenario_run(s, 2 * SEC);
        assert_true(target->regions.nr >= 10);
}

/*
 * A process of so many regions of 10 MiB, every second one accessed, as in
 * damon_nr_regions.py; with ranges that split and merge without end if there were no limits.
 */
static struct damon_target *add_even(struct scenario *s, uint64_t nr) {
        struct sim_target *script;
        struct damon_target *target = scenario_add(s, "t", nr * 10 * MIB, &script);
        const struct sim_pattern even = {
                .range = { HEAP, HEAP + 10 * MIB }, .nr_islands = (nr + 1) / 2, .stride = 20 * MIB,
                .period = 4 * MS,
        };

        ASSERT_OK(sim_target_access(script, &even));
        return target;
}

/* At the end of 11 aggregations the number of regions is within these bounds. */
static void assert_bounds(struct scenario *s, const struct damon_target *target, size_t min,
                          size_t max) {
        const struct damos stat = make_scheme("all", DAMOS_STAT);
        uint64_t before;

        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        scenario_aggregate(s);
        for (size_t i = 0; i < 11; i++) {
                uint64_t nr_tried;

                before = scenario_stat(s, 0)->nr_tried;
                scenario_aggregate(s);
                nr_tried = scenario_stat(s, 0)->nr_tried - before;
                assert_in_range(nr_tried, min, max);
                assert_in_range(target->regions.nr, min, max);
        }
}

static void fewer_real_regions_than_the_lower_limit(void **state) {
        struct damon_attrs attrs = default_attrs;
        _cleanup_scenario_ struct scenario *s = NULL;
        struct damon_target *target;

        attrs.min_regions = 20;
        attrs.max_regions = 100;
        s = scenario_new(&attrs);
        target = add_even(s, 10);
        assert_bounds(s, target, 20, 100);
}

static void more_real_regions_than_the_upper_limit(void **state) {
        struct damon_attrs attrs = default_attrs;
        _cleanup_scenario_ struct scenario *s = NULL;
        struct damon_target *target;

        attrs.min_regions = 3;
        attrs.max_regions = 10;
        s = scenario_new(&attrs);
        target = add_even(s, 15);
        assert_bounds(s, target, 3, 10);
}

static void limits_change_while_running(void **state) {
        struct damon_attrs attrs = default_attrs;
        _cleanup_scenario_ struct scenario *s = NULL;
        struct damon_target *target;

        attrs.min_regions = 3;
        attrs.max_regions = 10;
        s = scenario_new(&attrs);
        target = add_even(s, 15);
        assert_bounds(s, target, 3, 10);

        attrs.max_regions = 7;
        ASSERT_OK(damon_engine_set_attrs(s->engine, &attrs));
        scenario_run(s, 300 * MS);
        assert_bounds(s, target, 3, 7);

        attrs.min_regions = 50;
        attrs.max_regions = 200;
        ASSERT_OK(damon_engine_set_attrs(s->engine, &attrs));
        scenario_run(s, SEC);
        assert_bounds(s, target, 50, 200);
}

/* Chunks that are all there is in memory of a huge heap, and a quarter of them is hot. */
#define NR_CHUNKS UINT64_C(32)
#define SZ_CHUNK (4 * MIB)
#define SZ_SPARSE (64 * GIB)

static struct damon_range chunk(uint64_t i) {
        /* no regular pattern, and no chunk touches another */
        uint64_t start = HEAP + i * SZ_SPARSE / NR_CHUNKS + i * i * 7 % 400 * SZ_CHUNK;

        return (struct damon_range) { start, start + SZ_CHUNK };
}

static bool is_hot(uint64_t i) {
        return i % 4 == 1;
}

static struct damon_target *add_sparse(struct scenario *s, struct sim_target **ret_script) {
        struct damon_target *target;
        uint64_t end = HEAP;

        ASSERT_OK(sim_target_new(s->sim, "sparse", &target, ret_script));
        ASSERT_OK(sim_target_map(*ret_script, (struct damon_range) { HEAP, HEAP + SZ_SPARSE }, 0,
                                 SIM_NEVER));
        for (uint64_t i = 0; i <= NR_CHUNKS; i++) {
                struct damon_range range = i < NR_CHUNKS ? chunk(i) : (struct damon_range) {
                        HEAP + SZ_SPARSE, HEAP + SZ_SPARSE,
                };

                if (end < range.start)
                        ASSERT_OK(sim_target_evict(*ret_script, (struct damon_range) { end, range.start }));
                end = range.end;
                if (i < NR_CHUNKS && is_hot(i))
                        ASSERT_OK(sim_target_access(*ret_script, &(struct sim_pattern) {
                                .range = range, .period = 2 * MS }));
        }
        assert_int_equal(sim_target_resident(*ret_script, (struct damon_range) { 0, UINT64_MAX }),
                         NR_CHUNKS * SZ_CHUNK);
        ASSERT_OK(damon_engine_add_target(s->engine, target));
        return target;
}

/* scenario_error(), over what is in memory only */
static double error_in_memory(const struct damon_target *target) {
        double error = 0;

        for (uint64_t i = 0; i < NR_CHUNKS; i++)
                for (size_t k = 0; k < target->regions.nr; k++) {
                        const struct damon_region *region = &target->regions.items[k];
                        uint64_t start = MAX(region->range.start, chunk(i).start);
                        uint64_t end = MIN(region->range.end, chunk(i).end);
                        double rate = region->nr_accesses / 20.0;

                        if (start < end)
                                error += (double) (end - start) * (is_hot(i) ? 1 - rate : rate);
                }
        return error / (double) (NR_CHUNKS * SZ_CHUNK);
}

static void sparse_target_is_known_by_what_is_in_memory(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = add_sparse(s, &script);
        size_t most = 0;

        for (int i = 0; i < 10;) {
                struct damon_step step = scenario_step(s);

                i += step.aggregated;
                most = MAX(most, step.nr_marked);
        }
        print_message("error %.4f, %zu samples a step at most, %zu regions\n", error_in_memory(target),
                      most, target->regions.nr);
        assert_true(error_in_memory(target) < 0.01);
        assert_true(most < 200);
        assert_true(damon_target_nr_sampled(target) >= NR_CHUNKS);
        /* what is not there is idle, and has been from the start */
        for (size_t i = 0; i < target->regions.nr; i++)
                if (target->regions.items[i].absent) {
                        assert_int_equal(target->regions.items[i].nr_accesses, 0);
                        assert_in_range(target->regions.items[i].age, 9, 10);
                }
}

/* What is brought in between two updates of the residency is not overlooked until then. */
static void sparse_target_that_gets_dense_is_known(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;
        struct damon_target *target = add_sparse(s, &script);
        const struct damon_range later = { HEAP + 10 * GIB, HEAP + 12 * GIB };

        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = later, .period = 2 * MS, .from = 3 * SEC }));
        scenario_run(s, 3 * SEC);
        assert_int_equal(working_set(target, 10), NR_CHUNKS / 4 * SZ_CHUNK);
        scenario_run(s, 2 * SEC);
        scenario_aggregate(s);
        assert_true(working_set(target, 15) >= 0.95 * (double) (2 * GIB));
        assert_true(scenario_error(s, target, script) < 0.01);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(target_that_exits_is_handed_out_and_the_other_goes_on),
                cmocka_unit_test(target_that_is_not_taken_out_costs_nothing),
                cmocka_unit_test(mapping_that_grows_is_monitored_after_an_update),
                cmocka_unit_test(mapping_that_shrinks_is_let_go_after_an_update),
                cmocka_unit_test(mapping_that_pulses_never_breaks_a_promise),
                cmocka_unit_test(target_that_loses_all_mappings_gets_them_back),
                cmocka_unit_test(fewer_real_regions_than_the_lower_limit),
                cmocka_unit_test(more_real_regions_than_the_upper_limit),
                cmocka_unit_test(limits_change_while_running),
                cmocka_unit_test(sparse_target_is_known_by_what_is_in_memory),
                cmocka_unit_test(sparse_target_that_gets_dense_is_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
