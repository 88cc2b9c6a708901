/* SPDX-License-Identifier: GPL-2.0-only */
/* The simulator itself: that what it calls the truth is what its operations show. */

#include "scenario.h"

#define PAGE SIM_PAGE_SIZE

struct one {
        struct sim *sim;
        struct damon_target *target;
        struct sim_target *script;
};

static struct one one_new(uint64_t size) {
        struct one o;

        ASSERT_OK(sim_new(&o.sim));
        ASSERT_OK(sim_target_new(o.sim, "t", &o.target, &o.script));
        if (size > 0)
                ASSERT_OK(sim_target_map(o.script, (struct damon_range) { 0, size }, 0, SIM_NEVER));
        return o;
}

static void one_done(struct one *o) {
        if (o->target->ops_data)
                sim_ops.target_release(o->sim, o->target);
        damon_target_free(o->target);
        sim_free(o->sim);
}

#define _cleanup_one_ _cleanup_(one_done)

static void access_pages(struct one *o, struct sim_pattern pattern) {
        ASSERT_OK(sim_target_access(o->script, &pattern));
}

/* What a check finds that comes some time after the mark. */
static enum damon_outcome look(struct one *o, uint64_t addr, uint64_t us) {
        struct damon_sample sample = { .target = o->target, .addr = addr };

        ASSERT_OK(sim_ops.mark(o->sim, &sample, 1));
        ASSERT_OK(sim_advance(o->sim, us));
        ASSERT_OK(sim_ops.check(o->sim, &sample, 1));
        return sample.outcome;
}

static uint64_t apply(struct one *o, enum damos_action action, uint64_t start, uint64_t end) {
        struct damos_try t = { .range = { start, end } };
        uint64_t time;

        ASSERT_OK(sim_ops.apply(o->sim, o->target, action, &t, 1, UINT64_MAX, &time));
        return t.sz_applied;
}

static void pages_are_idle_unless_accessed(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);

        access_pages(&o, (struct sim_pattern) {
                .range = { 10 * PAGE, 20 * PAGE }, .period = 1000 });
        assert_int_equal(look(&o, 9 * PAGE, 1000), DAMON_IDLE);
        assert_int_equal(look(&o, 10 * PAGE, 1000), DAMON_ACCESSED);
        assert_int_equal(look(&o, 19 * PAGE, 1000), DAMON_ACCESSED);
        assert_int_equal(look(&o, 20 * PAGE, 1000), DAMON_IDLE);
        assert_int_equal(look(&o, 10 * PAGE, 0), DAMON_IDLE);
}

static void patterns_have_a_begin_and_an_end(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);

        access_pages(&o, (struct sim_pattern) {
                .range = { 0, PAGE }, .period = 10, .from = 1000, .until = 2000 });
        assert_int_equal(look(&o, 0, 999), DAMON_IDLE);
        assert_int_equal(look(&o, 0, 1), DAMON_ACCESSED);
        assert_int_equal(look(&o, 0, 990), DAMON_ACCESSED);
        assert_int_equal(look(&o, 0, 10), DAMON_IDLE);
        assert_int_equal(look(&o, 0, 10000), DAMON_IDLE);
}

static void slow_patterns_are_seen_as_often_as_they_say(void **state) {
        static const uint64_t periods[] = { 1000, 5000, 7000, 20000, 90000 };
        struct rng rng = { test_seed() };

        for (size_t i = 0; i < ELEMENTSOF(periods); i++) {
                _cleanup_one_ struct one o = one_new(100 * PAGE);
                unsigned nr_accessed = 0;
                double rate;

                access_pages(&o, (struct sim_pattern) {
                        .range = { 0, 100 * PAGE }, .period = periods[i] });
                ASSERT_OK(sim_advance(o.sim, 1));
                rate = sim_target_rate(o.script, 50 * PAGE, 5000);
                assert_true(rate > 0 && rate <= 1);
                for (uint64_t k = 0; k < 10000; k++)
                        nr_accessed += look(&o, rng_below(&rng, 100) * PAGE, 5000) ==
                                       DAMON_ACCESSED;
                assert_true(rate * 10000 > nr_accessed - 250.0);
                assert_true(rate * 10000 < nr_accessed + 250.0);
        }
}

static void every_page_is_accessed_once_a_period(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);

        access_pages(&o, (struct sim_pattern) {
                .range = { 0, 7 * PAGE }, .period = 100, .nr_islands = 3, .stride = 10 * PAGE });
        for (uint64_t page = 0; page < 27; page++) {
                unsigned nr = 0;

                for (int i = 0; i < 100; i++)
                        nr += look(&o, page * PAGE, 1) == DAMON_ACCESSED;
                assert_int_equal(nr, page % 10 < 7 ? 1 : 0);
        }
}

static void patterns_move_and_come_back(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);

        access_pages(&o, (struct sim_pattern) {
                .range = { 0, 10 * PAGE }, .period = 10,
                .move_step = 10 * PAGE, .move_every = 1000, .nr_places = 3 });
        for (int round = 0; round < 6; round++)
                for (int i = 0; i < 20; i++) {
                        uint64_t place = sim_now(o.sim) / 1000 % 3;

                        for (uint64_t k = 0; k < 3; k++)
                                assert_int_equal(look(&o, k * 10 * PAGE, 16),
                                                 k == place ? DAMON_ACCESSED : DAMON_IDLE);
                        ASSERT_OK(sim_advance(o.sim, 2));
                }
}

static void hidden_memory_tells_nothing_and_takes_no_advice(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);
        const struct damon_range all = { 0, 100 * PAGE };

        access_pages(&o, (struct sim_pattern) { .range = all, .period = 10 });
        ASSERT_OK(sim_target_hide(o.script, (struct damon_range) { 50 * PAGE, 60 * PAGE }));
        assert_int_equal(look(&o, 49 * PAGE, 10), DAMON_ACCESSED);
        assert_int_equal(look(&o, 50 * PAGE, 10), DAMON_UNKNOWN);
        assert_int_equal(apply(&o, DAMOS_PAGEOUT, 45 * PAGE, 65 * PAGE), 10 * PAGE);
        assert_int_equal(sim_target_resident(o.script, all), 90 * PAGE);
}

static void paged_out_memory_comes_back_with_the_next_access(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);
        const struct damon_range all = { 0, 100 * PAGE };

        access_pages(&o, (struct sim_pattern) { .range = { 0, 50 * PAGE }, .period = 1000 });
        ASSERT_OK(sim_advance(o.sim, 5000));
        assert_int_equal(sim_target_faults(o.script), 0);
        assert_int_equal(apply(&o, DAMOS_COLD, 40 * PAGE, 60 * PAGE), 20 * PAGE);
        assert_int_equal(sim_target_resident(o.script, all), 100 * PAGE);
        assert_int_equal(apply(&o, DAMOS_PAGEOUT, 40 * PAGE, 60 * PAGE), 20 * PAGE);
        assert_int_equal(sim_target_resident(o.script, all), 80 * PAGE);

        /* the sweep takes 20 us a page, and is at the first one now */
        ASSERT_OK(sim_advance(o.sim, 799));
        assert_int_equal(sim_target_faults(o.script), 0);
        ASSERT_OK(sim_advance(o.sim, 1));
        assert_int_equal(sim_target_faults(o.script), 1);
        ASSERT_OK(sim_advance(o.sim, 5000));
        assert_int_equal(sim_target_faults(o.script), 10);
        assert_int_equal(sim_target_resident(o.script, all), 90 * PAGE);

        assert_int_equal(apply(&o, DAMOS_WILLNEED, 55 * PAGE, 200 * PAGE), 45 * PAGE);
        assert_int_equal(sim_target_resident(o.script, all), 95 * PAGE);
        assert_int_equal(sim_target_faults(o.script), 10);
}

static void faults_are_the_same_in_small_steps_and_in_large_ones(void **state) {
        struct rng rng = { test_seed() };
        const struct damon_range all = { 0, 200 * PAGE }, evicted = { 0, 150 * PAGE };
        uint64_t faults[2];

        for (int round = 0; round < 50; round++) {
                struct sim_pattern p = {
                        .range = { 0, (1 + rng_below(&rng, 30)) * PAGE }, .stride = 40 * PAGE,
                        .nr_islands = 1 + rng_below(&rng, 5), .period = 1 + rng_below(&rng, 10000),
                        .from = rng_below(&rng, 1000), .move_step = rng_below(&rng, 9) * PAGE,
                        .move_every = rng_below(&rng, 700),
                };

                for (int k = 0; k < 2; k++) {
                        _cleanup_one_ struct one o = one_new(200 * PAGE);

                        access_pages(&o, p);
                        ASSERT_OK(sim_target_evict(o.script, evicted));
                        for (int i = 0; i < (k ? 1 : 3000); i++)
                                ASSERT_OK(sim_advance(o.sim, k ? 3000 : 1));
                        faults[k] = sim_target_faults(o.script);
                        assert_int_equal(sim_target_resident(o.script, all),
                                         (50 + faults[k]) * PAGE);
                }
                assert_int_equal(faults[0], faults[1]);
        }
}

/* A page is back exactly if a check would have found it accessed. */
static void faults_and_checks_agree(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 100; round++) {
                _cleanup_one_ struct one o = one_new(100 * PAGE);
                struct damon_sample samples[100];
                uint64_t nr = 0, size;

                access_pages(&o, (struct sim_pattern) {
                        .range = { 3 * PAGE, (4 + rng_below(&rng, 9)) * PAGE },
                        .stride = 20 * PAGE, .nr_islands = 1 + rng_below(&rng, 4),
                        .period = 1 + rng_below(&rng, 10000), .until = 30000,
                        .move_step = rng_below(&rng, 3) * PAGE,
                        .move_every = rng_below(&rng, 2) * 700,
                        .nr_places = 5 });
                ASSERT_OK(sim_advance(o.sim, rng_below(&rng, 25000)));
                ASSERT_OK(sim_target_evict(o.script, (struct damon_range) { 0, 100 * PAGE }));
                for (size_t i = 0; i < 100; i++)
                        samples[i] = (struct damon_sample) { .target = o.target, .addr = i * PAGE };
                ASSERT_OK(sim_ops.mark(o.sim, samples, 100));
                ASSERT_OK(sim_advance(o.sim, 2000));
                ASSERT_OK(sim_ops.check(o.sim, samples, 100));
                for (size_t i = 0; i < 100; i++) {
                        bool back = sim_target_resident(o.script, (struct damon_range) {
                                i * PAGE, (i + 1) * PAGE }) > 0;

                        assert_int_equal(samples[i].outcome == DAMON_ACCESSED, back);
                        nr += back;
                }
                assert_int_equal(sim_target_faults(o.script), nr);
                ASSERT_OK(sim_target_working_set(o.script, sim_now(o.sim) - 2000, sim_now(o.sim),
                                                 &size));
                assert_int_equal(size, nr * PAGE);
        }
}

static void mappings_come_and_go(void **state) {
        _cleanup_one_ struct one o = one_new(0);
        const struct damon_range *mappings, all = { 0, 100 * PAGE };
        const struct damon_range low = { 0, 10 * PAGE }, next = { 10 * PAGE, 20 * PAGE };
        const struct damon_range high = { 50 * PAGE, 60 * PAGE };
        size_t nr;

        ASSERT_OK(sim_target_map(o.script, low, 0, SIM_NEVER));
        ASSERT_OK(sim_target_map(o.script, next, 100, 200));
        ASSERT_OK(sim_target_map(o.script, high, 0, 200));
        ASSERT_OK(sim_target_map(o.script, high, 300, 400));
        ASSERT_ERROR(sim_target_map(o.script, (struct damon_range) { 1, PAGE }, 0, 1), EINVAL);
        access_pages(&o, (struct sim_pattern) { .range = high, .period = 1 });
        ASSERT_OK(sim_ops.mappings(o.sim, o.target, &mappings, &nr));
        assert_int_equal(nr, 2);
        ASSERT_OK(sim_target_evict(o.script, (struct damon_range) { 5 * PAGE, 100 * PAGE }));
        assert_int_equal(sim_target_resident(o.script, all), 5 * PAGE);

        assert_int_equal(look(&o, 55 * PAGE, 100), DAMON_ACCESSED);
        ASSERT_OK(sim_ops.mappings(o.sim, o.target, &mappings, &nr));
        assert_int_equal(nr, 2);
        assert_int_equal(mappings[0].end, 20 * PAGE);
        ASSERT_OK(sim_advance(o.sim, 100));
        assert_int_equal(sim_target_mapped(o.script, all), 10 * PAGE);
        assert_int_equal(look(&o, 55 * PAGE, 50), DAMON_IDLE);
        ASSERT_OK(sim_advance(o.sim, 50));
        assert_int_equal(sim_target_resident(o.script, all), 15 * PAGE);
        ASSERT_OK(sim_ops.mappings(o.sim, o.target, &mappings, &nr));
        assert_int_equal(nr, 2);
}

static void exit_shows_in_every_operation(void **state) {
        for (int op = 0; op < 4; op++) {
                _cleanup_one_ struct one o = one_new(100 * PAGE);
                struct damon_sample sample = { .target = o.target };
                const struct damon_range *mappings;
                size_t nr;

                access_pages(&o, (struct sim_pattern) { .range = { 0, 100 * PAGE }, .period = 1 });
                sim_target_exit(o.script, 1000);
                ASSERT_OK(sim_ops.mark(o.sim, &sample, 1));
                ASSERT_OK(sim_advance(o.sim, 999));
                ASSERT_OK(sim_ops.check(o.sim, &sample, 1));
                assert_false(o.target->gone);
                assert_int_equal(sample.outcome, DAMON_ACCESSED);
                ASSERT_OK(sim_advance(o.sim, 1));
                if (op == 0)
                        ASSERT_OK(sim_ops.mark(o.sim, &sample, 1));
                else if (op == 1) {
                        ASSERT_OK(sim_ops.check(o.sim, &sample, 1));
                        assert_int_equal(sample.outcome, DAMON_UNKNOWN);
                } else if (op == 2)
                        assert_int_equal(apply(&o, DAMOS_PAGEOUT, 0, PAGE), 0);
                else
                        ASSERT_OK(sim_ops.mappings(o.sim, o.target, &mappings, &nr));
                assert_true(o.target->gone);
        }
}

static void nothing_is_accessed_after_the_exit(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);
        uint64_t size;

        access_pages(&o, (struct sim_pattern) { .range = { 0, 100 * PAGE }, .period = 1000 });
        ASSERT_OK(sim_target_evict(o.script, (struct damon_range) { 0, 100 * PAGE }));
        sim_target_exit(o.script, 500);
        ASSERT_OK(sim_advance(o.sim, 2000));
        /* a page each 10 us, but the one at time 0 */
        assert_int_equal(sim_target_faults(o.script), 49);
        ASSERT_OK(sim_target_working_set(o.script, 0, 2000, &size));
        assert_int_equal(size, 49 * PAGE);
        assert_true(sim_target_rate(o.script, 0, 5000) <= 0);
}

static void error_is_0_for_the_truth_and_the_distance_else(void **state) {
        _cleanup_one_ struct one o = one_new(100 * PAGE);
        _cleanup_(damon_regions_done) struct damon_regions regions = {};
        double error;

        access_pages(&o, (struct sim_pattern) { .range = { 0, 25 * PAGE }, .period = 100 });
        ASSERT_OK(sim_advance(o.sim, 1000));
        ASSERT_OK(damon_regions_append(&regions, (struct damon_range) { 0, 25 * PAGE }));
        ASSERT_OK(damon_regions_append(&regions, (struct damon_range) { 25 * PAGE, 100 * PAGE }));
        regions.items[0].nr_accesses = 20;
        ASSERT_OK(sim_target_error(o.script, &regions, 20, 5000, &error));
        assert_true(error < 0.0001);
        regions.items[1].nr_accesses = 10;
        ASSERT_OK(sim_target_error(o.script, &regions, 20, 5000, &error));
        assert_true(error > 0.3749 && error < 0.3751);
        regions.items[0].nr_accesses = 0;
        ASSERT_OK(sim_target_error(o.script, &regions, 20, 5000, &error));
        assert_true(error > 0.6249 && error < 0.6251);
        ASSERT_OK(sim_target_error(o.script, &regions, 20, 50, &error));        /* rate 0.5 */
        assert_true(error > 0.4999 && error < 0.5001);

        /* behind the mapping nothing is accessed */
        regions.items[1].range.end = 175 * PAGE;
        ASSERT_OK(sim_target_error(o.script, &regions, 20, 50, &error));
        assert_true(error > 0.4999 && error < 0.5001);
}

static void large_memory_is_cheap(void **state) {
        _cleanup_one_ struct one o = one_new(1024 * GIB);

        access_pages(&o, (struct sim_pattern) { .range = { 0, 512 * GIB }, .period = 60 * SEC });
        ASSERT_OK(sim_target_evict(o.script, (struct damon_range) { 0, 1024 * GIB }));
        for (int i = 0; i < 12000; i++)
                (void) look(&o, (uint64_t) i * MIB, 5000);
        assert_int_equal(sim_target_faults(o.script), 512 * GIB / PAGE);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(pages_are_idle_unless_accessed),
                cmocka_unit_test(patterns_have_a_begin_and_an_end),
                cmocka_unit_test(slow_patterns_are_seen_as_often_as_they_say),
                cmocka_unit_test(every_page_is_accessed_once_a_period),
                cmocka_unit_test(patterns_move_and_come_back),
                cmocka_unit_test(hidden_memory_tells_nothing_and_takes_no_advice),
                cmocka_unit_test(paged_out_memory_comes_back_with_the_next_access),
                cmocka_unit_test(faults_are_the_same_in_small_steps_and_in_large_ones),
                cmocka_unit_test(faults_and_checks_agree),
                cmocka_unit_test(mappings_come_and_go),
                cmocka_unit_test(exit_shows_in_every_operation),
                cmocka_unit_test(nothing_is_accessed_after_the_exit),
                cmocka_unit_test(error_is_0_for_the_truth_and_the_distance_else),
                cmocka_unit_test(large_memory_is_cheap),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
