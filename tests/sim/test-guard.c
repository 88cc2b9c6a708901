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

/* Go on for some time. Return: percent of the accesses that faulted. */
static double harm(struct scenario *s, const struct sim_target *script, uint64_t time, uint64_t period) {
        uint64_t faults = sim_target_faults(script), end = sim_now(s->sim) + time;
        double accesses = (double) (SZ_HOT / SIM_PAGE_SIZE) * (double) time / (double) period;

        while (sim_now(s->sim) < end) {
                struct damos_swap swap = sim_swap(s->sim);

                damon_engine_set_swap(s->engine, &swap);
                scenario_step(s);
        }
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
                        if (guarded)
                                assert_int_equal(damos_guard_reason(&scheme_of(s)->guard), DAMOS_GUARD_RETURNED);
                }
                print_message("a pass in %u ms: of the accesses in 10 s, the next 10 s and 300 s fault %.2f %%, %.2f %% "
                              "and %.2f %% without the guard, %.2f %%, %.2f %% and %.2f %% with it (%u and %u MiB came back)\n",
                              (unsigned) (periods[i] / MS), first[0], later[0], last[0], first[1], later[1], last[1],
                              (unsigned) (returned[0] / MIB), (unsigned) (returned[1] / MIB));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_wrong_scheme_is_stopped_within_ten_seconds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
