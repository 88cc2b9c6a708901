/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard at work: schemes that are wrong, right, or have no swap, with the harm that they do. The
 * harm is the share of accesses that fault: how slow a program becomes is that times what a fault
 * costs.
 */

#include "scenario.h"

static const struct damon_range heap = { HEAP, HEAP + 256 * MIB };

/* What a program accesses, one page each so many microseconds: the hot quarter of its heap. */
#define SZ_HOT (64 * MIB)

static struct damos pageout_after(uint64_t age, bool guarded) {
        struct damos scheme = make_scheme("it", DAMOS_PAGEOUT);

        scheme.pattern.age.min = age;
        scheme.returned_within = 60 * SEC;
        scheme.guarded = guarded;
        return scheme;
}

static const struct damos *scheme_of(const struct scenario *s) {
        size_t nr;

        return damon_engine_schemes(s->engine, &nr);
}

static void run_for(struct scenario *s, uint64_t time) {
        uint64_t end = sim_now(s->sim) + time;

        while (sim_now(s->sim) < end) {
                struct damos_swap swap = sim_swap(s->sim);

                damon_engine_set_swap(s->engine, &swap);
                scenario_step(s);
        }
}

/* Go on for some time. Return: percent of the accesses that faulted. */
static double harm(struct scenario *s, const struct sim_target *script, uint64_t time, uint64_t period) {
        uint64_t faults = sim_target_faults(script), end = sim_now(s->sim) + time;
        double accesses = (double) (SZ_HOT / SIM_PAGE_SIZE) * (double) time / (double) period;

        run_for(s, end - sim_now(s->sim));
        return 100 * (double) (sim_target_faults(script) - faults) / accesses;
}

static struct sim_target *hot_and_cold(struct scenario *s, uint64_t period) {
        struct sim_target *script;

        scenario_add(s, "t", 256 * MIB, &script);
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = { heap.start, heap.start + SZ_HOT }, .period = period }));
        return script;
}

/* All that is older than 200 ms goes, used or not. */
static void a_wrong_scheme_is_stopped_within_ten_seconds(void **state) {
        static const uint64_t periods[] = { 20 * MS, 100 * MS, 500 * MS };

        for (size_t i = 0; i < ELEMENTSOF(periods); i++) {
                double first[2], later[2], last[2];
                uint64_t returned[2];

                for (int guarded = 0; guarded < 2; guarded++) {
                        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                        struct sim_target *script = hot_and_cold(s, periods[i]);
                        const struct damos wrong = pageout_after(200 * MS, guarded);

                        ASSERT_OK(damon_engine_set_schemes(s->engine, &wrong, 1));
                        first[guarded] = harm(s, script, 10 * SEC, periods[i]);
                        later[guarded] = harm(s, script, 10 * SEC, periods[i]);
                        last[guarded] = harm(s, script, 300 * SEC, periods[i]);
                        returned[guarded] = scenario_stat(s, 0)->outcome.sz_returned;
                        assert_int_equal(damos_guard_reason(&scheme_of(s)->guard),
                                         guarded ? DAMOS_GUARD_RETURNED : DAMOS_GUARD_NONE);
                        /* each fault is of a page that was moved */
                        assert_true(returned[guarded] <= sim_target_faults(script) * SIM_PAGE_SIZE);
                        if (!guarded)
                                assert_true(returned[guarded] >= sim_target_faults(script) * SIM_PAGE_SIZE * 3 / 4);
                }
                assert_true(last[0] > 2);
                assert_true(later[1] < 1 && last[1] < 0.1);
                print_message("a pass in %u ms: of the accesses in 10 s, the next 10 s and 300 s fault %.2f %%, %.2f %% "
                              "and %.2f %% without the guard, %.2f %%, %.2f %% and %.2f %% with it (%u and %u MiB came back)\n",
                              (unsigned) (periods[i] / MS), first[0], later[0], last[0], first[1], later[1], last[1],
                              (unsigned) (returned[0] / MIB), (unsigned) (returned[1] / MIB));
        }
}

/* Cold memory goes, hot memory stays, and nobody is held back. */
static void a_right_scheme_is_left_alone(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script = hot_and_cold(s, 20 * MS);
        struct damos right = pageout_after(5 * SEC, true);

        right.pattern.nr_accesses.max = 0;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &right, 1));
        for (int i = 0; i < 300; i++) {
                run_for(s, SEC);
                assert_int_equal(damos_guard_reason(&scheme_of(s)->guard), DAMOS_GUARD_NONE);
        }
        print_message("moved %u MiB, of which %u KiB came back\n",
                      (unsigned) (scenario_stat(s, 0)->outcome.sz_moved / MIB),
                      (unsigned) (scenario_stat(s, 0)->outcome.sz_returned / KIB));
        assert_true(sim_target_resident(script, heap) <= SZ_HOT + 16 * MIB);
}

/* An eighth of what it takes for cold is used every twenty seconds: it goes on, but slowly. */
static void a_scheme_that_is_wrong_in_part_does_less(void **state) {
        uint64_t faults[2];

        for (int guarded = 0; guarded < 2; guarded++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                struct damos hasty = pageout_after(5 * SEC, guarded);
                struct sim_target *script;

                /* the rest is read once, in the beginning of each minute */
                hasty.pattern.nr_accesses.max = 0;
                scenario_add(s, "t", 256 * MIB, &script);
                ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                        .range = { heap.start, heap.start + 64 * MIB }, .period = 20 * SEC }));
                ASSERT_OK(damon_engine_set_schemes(s->engine, &hasty, 1));
                run_for(s, 600 * SEC);
                faults[guarded] = sim_target_faults(script);
        }
        print_message("%u faults without the guard, %u with it\n", (unsigned) faults[0], (unsigned) faults[1]);
        assert_true(faults[1] < faults[0] / 2);
}

/* What was hot is not used any more: the scheme, held back for good reasons, gets there in the end. */
static void a_scheme_that_has_become_right_recovers(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos scheme = pageout_after(200 * MS, true);
        struct sim_target *script;
        uint64_t minutes = 0;

        scenario_add(s, "t", 256 * MIB, &script);
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = heap, .period = 50 * MS, .until = 60 * SEC }));
        ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
        run_for(s, 60 * SEC);
        assert_int_equal(damos_guard_reason(&scheme_of(s)->guard), DAMOS_GUARD_RETURNED);
        assert_true(sim_target_resident(script, heap) >= 250 * MIB);
        for (; sim_target_resident(script, heap) > 8 * MIB; minutes++) {
                assert_true(minutes < 5);
                run_for(s, 60 * SEC);
        }
        print_message("all is paged out after %u minutes\n", (unsigned) minutes);
}

static void swap_is_never_filled_up(void **state) {
        uint64_t resident[2];

        for (int guarded = 0; guarded < 2; guarded++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                struct damos scheme = pageout_after(SEC, guarded);
                struct sim_target *script;

                scheme.quota = (struct damos_quota) { .size = MIB, .interval = 100 * MS };
                sim_set_swap(s->sim, 100 * MIB);
                scenario_add(s, "t", 256 * MIB, &script);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
                run_for(s, 60 * SEC);
                resident[guarded] = sim_target_resident(script, heap);
        }
        assert_in_range(256 * MIB - resident[1], 90 * MIB, 92 * MIB);
        assert_in_range(256 * MIB - resident[0], 98 * MIB, 100 * MIB);
}

static void without_swap_hardly_anything_is_tried(void **state) {
        uint64_t tried[2];

        for (int guarded = 0; guarded < 2; guarded++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                const struct damos scheme = pageout_after(200 * MS, guarded);
                struct sim_target *script;

                sim_set_swap(s->sim, 0);
                scenario_add(s, "t", 256 * MIB, &script);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
                run_for(s, 600 * SEC);
                tried[guarded] = scenario_stat(s, 0)->outcome.sz_refused[DAMOS_REFUSED_NO_SWAP];
                assert_int_equal(scenario_stat(s, 0)->outcome.sz_moved, 0);
        }
        print_message("%u MiB were refused without the guard, %u with it\n", (unsigned) (tried[0] / MIB),
                      (unsigned) (tried[1] / MIB));
        assert_true(tried[1] <= 256 * MIB + 10 * 4 * MIB);
        assert_true(tried[0] >= 100 * tried[1]);
}

/* Every scheme is set again at each step, as it is: that forgives nobody. */
static void a_reload_changes_nothing(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos wrong = pageout_after(200 * MS, true);
        struct damos other = pageout_after(300 * MS, true);

        (void) hot_and_cold(s, 50 * MS);
        for (int i = 0; i < 2000; i++) {
                ASSERT_OK(damon_engine_set_schemes(s->engine, &wrong, 1));
                scenario_step(s);
        }
        assert_int_equal(damos_guard_reason(&scheme_of(s)->guard), DAMOS_GUARD_RETURNED);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &other, 1));
        assert_int_equal(damos_guard_reason(&scheme_of(s)->guard), DAMOS_GUARD_NONE);
        assert_int_equal(scenario_stat(s, 0)->outcome.sz_moved, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_wrong_scheme_is_stopped_within_ten_seconds),
                cmocka_unit_test(a_right_scheme_is_left_alone),
                cmocka_unit_test(a_scheme_that_is_wrong_in_part_does_less),
                cmocka_unit_test(a_scheme_that_has_become_right_recovers),
                cmocka_unit_test(swap_is_never_filled_up),
                cmocka_unit_test(without_swap_hardly_anything_is_tried),
                cmocka_unit_test(a_reload_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
