/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The governor: single decisions, and a daemon in virtual time whose every window of 10 s
 * must stay within the budget, whatever its steps cost.
 */

#include "test.h"

#include <inttypes.h>

#include "governor.h"
#include "macro.h"
#include "rng.h"
#include "unit.h"

#define INTERVAL UINT64_C(5000)
#define HOUR (3600 * USEC_PER_SEC)
#define DAY (24 * HOUR)

/* Let the governor know that a sample costs @cost nanoseconds; time enough passes to pay. */
static void learn(struct governor *governor, uint64_t cost) {
        governor_charge(governor, cost * 100, DAY, 100);
        (void) governor_interval(governor, INTERVAL, 0);
}

static void without_a_budget_nothing_is_held_back(void **state) {
        struct governor governor;

        governor_init(&governor, 0, INTERVAL);
        for (unsigned i = 0; i < 10; i++) {
                governor_charge(&governor, 60 * NSEC_PER_SEC, USEC_PER_SEC, 1);
                assert_int_equal(governor_delay(&governor), 0);
                assert_int_equal(governor_interval(&governor, INTERVAL, 100000), INTERVAL);
                assert_int_equal(governor_interval(&governor, 10 * INTERVAL, 100000), INTERVAL);
        }
}

static void nothing_known_keeps_the_configured_interval(void **state) {
        struct governor governor;

        governor_init(&governor, 100, INTERVAL);
        assert_int_equal(governor_delay(&governor), 0);
        assert_int_equal(governor_interval(&governor, INTERVAL, 1000), INTERVAL);
}

/* 1000 ns * 40 samples in 5 ms are 0.8 %. */
static void cheap_monitoring_keeps_the_configured_interval(void **state) {
        struct governor governor;

        governor_init(&governor, 100, INTERVAL);
        for (unsigned i = 0; i < 100; i++) {
                governor_charge(&governor, 40 * 1000, INTERVAL, 40);
                assert_int_equal(governor_delay(&governor), 0);
                assert_int_equal(governor_interval(&governor, INTERVAL, 40), INTERVAL);
        }
        assert_int_equal(governor_interval(&governor, INTERVAL, 0), INTERVAL);
}

/* 9000 ns * 100 samples are 0.9 ms: nine tenths of the 1 % of 100 ms. */
static void dear_monitoring_lengthens_the_interval(void **state) {
        struct governor governor;
        uint64_t interval;

        governor_init(&governor, 100, INTERVAL);
        learn(&governor, 9000);
        interval = governor_interval(&governor, INTERVAL, 100);
        assert_in_range(interval, 100000, 115000);
        /* twice the regions, twice the interval; twice the budget, half of it */
        assert_in_range(governor_interval(&governor, INTERVAL, 200),
                        2 * interval - 2, 2 * interval + 2);
        governor_init(&governor, 200, INTERVAL);
        learn(&governor, 9000);
        assert_in_range(governor_interval(&governor, INTERVAL, 100),
                        interval / 2 - 2, interval / 2 + 2);
}

static void the_interval_is_never_below_the_configured_one(void **state) {
        struct governor governor;

        for (uint64_t cost = 1; cost < 1000000; cost = cost * 3 / 2 + 1) {
                governor_init(&governor, 100, INTERVAL);
                learn(&governor, cost);
                for (uint64_t current = INTERVAL; current < HOUR; current *= 7)
                        assert_true(governor_interval(&governor, current, 20) >= INTERVAL);
        }
}

/* What is afforded are 100 ms. */
static void an_interval_that_is_near_enough_is_kept(void **state) {
        static const uint64_t kept[] = { 100000, 100001, 112500, 130000, 149999, 150000 };
        static const uint64_t changed[] = { INTERVAL, 50000, 99999, 150001, 200000, HOUR };
        struct governor governor;

        governor_init(&governor, 100, INTERVAL);
        learn(&governor, 9000);
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                assert_int_equal(governor_interval(&governor, kept[i], 100), kept[i]);
        for (size_t i = 0; i < ELEMENTSOF(changed); i++) {
                uint64_t interval = governor_interval(&governor, changed[i], 100);

                assert_int_not_equal(interval, changed[i]);
                /* and what it is changed to is kept, also with some more regions or fewer */
                for (uint64_t nr = 80; nr <= 112; nr++)
                        assert_int_equal(governor_interval(&governor, interval, nr), interval);
        }
}

static void a_dearer_cost_counts_at_once_a_cheaper_one_by_and_by(void **state) {
        struct governor governor;
        uint64_t dear, last;

        governor_init(&governor, 100, INTERVAL);
        learn(&governor, 9000);
        last = governor_interval(&governor, INTERVAL, 100);
        learn(&governor, 90000);
        dear = governor_interval(&governor, INTERVAL, 100);
        assert_true(dear >= 10 * last);

        last = dear;
        for (unsigned i = 0; i < 5; i++) {
                uint64_t interval;

                learn(&governor, 9000);
                interval = governor_interval(&governor, INTERVAL, 100);
                assert_true(interval < last);
                assert_true(interval > last / 2);
                last = interval;
        }
        for (unsigned i = 0; i < 50; i++)
                learn(&governor, 9000);
        assert_in_range(governor_interval(&governor, INTERVAL, 100), 100000, 115000);
}

static void what_is_spent_between_samples_belongs_to_the_samples(void **state) {
        struct governor governor;

        governor_init(&governor, 100, INTERVAL);
        governor_charge(&governor, 450000, DAY, 0);
        assert_int_equal(governor_interval(&governor, INTERVAL, 100), INTERVAL);
        governor_charge(&governor, 450000, DAY, 100);
        assert_in_range(governor_interval(&governor, INTERVAL, 100), 100000, 115000);
}

/* 1 ms overdrawn is paid by 100 ms at 1 %. */
static void what_is_overdrawn_is_waited_for(void **state) {
        struct governor governor;

        governor_init(&governor, 100, INTERVAL);
        governor_charge(&governor, 1000000, 0, 100);
        assert_in_range(governor_delay(&governor), 100000, 100001);
        governor_charge(&governor, 0, 60000, 0);
        assert_in_range(governor_delay(&governor), 40000, 40001);
        governor_charge(&governor, 0, 40000, 0);
        assert_int_equal(governor_delay(&governor), 0);
}

static void waiting_for_the_delay_is_enough(void **state) {
        struct rng rng = { test_seed() };

        for (unsigned i = 0; i < 10000; i++) {
                uint32_t budget = 1 + (uint32_t) rng_below(&rng, 10000);
                struct governor governor;

                governor_init(&governor, budget, INTERVAL);
                governor_charge(&governor, rng_below(&rng, 1000000000), 0, 1);
                governor_charge(&governor, 0, governor_delay(&governor), 0);
                /* but for what is rounded off: 1 us of CPU time, 10 us of waiting */
                assert_true(governor.credit > -1000 - (int64_t) budget);
        }
}

/* A second's budget is 10 ms, after a second as after a year. */
static void no_more_than_a_second_can_be_saved(void **state) {
        static const uint64_t pauses[] = { USEC_PER_SEC, HOUR, DAY + 1, 365 * DAY, UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(pauses); i++) {
                struct governor governor;

                governor_init(&governor, 100, INTERVAL);
                for (unsigned k = 0; k < 3; k++)
                        governor_charge(&governor, 0, pauses[i], 0);
                governor_charge(&governor, 10000000, 0, 10);
                assert_int_equal(governor_delay(&governor), 0);
                governor_charge(&governor, 1000000, 0, 10);
                assert_in_range(governor_delay(&governor), 100000, 100001);
        }
}

/* Hours of CPU time, years of silence, the whole of a CPU and the smallest share of it. */
static void extreme_values_do_not_overflow(void **state) {
        static const uint32_t budgets[] = { 1, 100, 10000 };
        const uint64_t cost = HOUR * NSEC_PER_USEC;

        for (size_t i = 0; i < ELEMENTSOF(budgets); i++) {
                struct governor governor;
                uint64_t interval, afforded = 1000 * HOUR * 10000 / budgets[i];

                governor_init(&governor, budgets[i], INTERVAL);
                for (uint64_t elapsed = DAY; elapsed < UINT64_MAX / 3; elapsed *= 3) {
                        governor_charge(&governor, 0, elapsed, 0);
                        assert_int_equal(governor.credit, NSEC_PER_SEC / 10000 * budgets[i]);
                }
                governor_charge(&governor, 1000 * cost, UINT64_MAX, 1000);
                assert_in_range(governor_delay(&governor),
                                afforded - afforded / 1000, afforded + afforded / 1000);

                interval = governor_interval(&governor, INTERVAL, 1000);
                assert_in_range(interval, afforded, 2 * afforded);
                assert_int_equal(governor_interval(&governor, interval, 1000), interval);
                interval = governor_interval(&governor, UINT64_MAX, 1000);
                assert_in_range(interval, afforded, 2 * afforded);
        }
}

/**
 * struct load - what steps cost over time
 * @step:       CPU time of a step at a time, nanoseconds, and its number of samples
 */
struct load {
        const char *name;
        uint64_t (*step)(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples);
};

static uint64_t at_most_10_ms(uint64_t cost) {
        return MIN(cost, 10 * USEC_PER_MSEC * NSEC_PER_USEC);
}

static uint64_t steady(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 500;
        return 500 * 2000;
}

static uint64_t cheap(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 10;
        return 10 * 1000;
}

static uint64_t largest(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 1000;
        return at_most_10_ms(UINT64_MAX);
}

static uint64_t growing(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 10 + now / 20000;
        return at_most_10_ms(*ret_nr_samples * 1500);
}

static uint64_t shrinking(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 10 + (120 * USEC_PER_SEC - MIN(now, 120 * USEC_PER_SEC)) / 20000;
        return at_most_10_ms(*ret_nr_samples * 1500);
}

static uint64_t bursts(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 400;
        return at_most_10_ms(400 * UINT64_C(1200) * (rng_below(rng, 20) == 0 ? 10 : 1));
}

static uint64_t dear_seconds(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 400;
        return at_most_10_ms(400 * UINT64_C(1200) * (now / USEC_PER_SEC % 7 == 3 ? 10 : 1));
}

static uint64_t regions_burst(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = now / USEC_PER_SEC % 16 < 8 ? 10 : 4000;
        return at_most_10_ms(*ret_nr_samples * 1200);
}

/* saves up for 5 s, then costs what it can */
static uint64_t ambush(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 100;
        return now / USEC_PER_SEC % 10 < 5 ? 1000 : at_most_10_ms(UINT64_MAX);
}

static uint64_t noise(struct rng *rng, uint64_t now, uint64_t *ret_nr_samples) {
        *ret_nr_samples = 1 + rng_below(rng, 2000);
        return at_most_10_ms(*ret_nr_samples * (100 << rng_below(rng, 8)));
}

static const struct load loads[] = {
        { "steady", steady },
        { "cheap", cheap },
        { "largest", largest },
        { "growing", growing },
        { "shrinking", shrinking },
        { "bursts", bursts },
        { "dear seconds", dear_seconds },
        { "regions burst", regions_burst },
        { "ambush", ambush },
        { "noise", noise },
};

/* A step of the simulated daemon: when it began, microseconds, and what it cost, nanoseconds */
struct step {
        uint64_t at;
        uint64_t cost;
};

/**
 * struct run - a simulated daemon
 * @governor:   what is tested
 * @interval:   sample interval in force
 * @steps:      @nr steps done
 */
struct run {
        struct governor governor;
        uint64_t interval;
        struct step steps[200000];
        size_t nr;
};

/* The daemon's loop: a step, the charge, a new interval if it is time, the next step's time. */
static void run(struct run *run, const struct load *load, uint32_t budget, uint64_t until) {
        struct rng rng = { 1 };
        uint64_t now = 0, charged_at = 0;

        run->nr = 0;
        run->interval = INTERVAL;
        governor_init(&run->governor, budget, INTERVAL);
        while (now < until && run->nr < ELEMENTSOF(run->steps)) {
                uint64_t nr_samples, cost, end, next, earliest;

                cost = load->step(&rng, now, &nr_samples);
                run->steps[run->nr++] = (struct step) { now, cost };
                end = now + cost / NSEC_PER_USEC;
                governor_charge(&run->governor, cost, end - charged_at, nr_samples);
                charged_at = end;
                if (run->nr % 20 == 0 || governor_delay(&run->governor) > 0)
                        run->interval = governor_interval(&run->governor, run->interval,
                                                          nr_samples);
                next = now + run->interval;
                earliest = end + run->interval / 2 + governor_delay(&run->governor);
                while (next < earliest)
                        next += run->interval;
                now = next;
        }
        assert_true(now >= until);
}

/* Return: the most that was spent in any window, nanoseconds. */
static uint64_t worst_window(const struct run *run, uint64_t window) {
        uint64_t spent = 0, worst = 0;

        for (size_t i = 0, first = 0; i < run->nr; i++) {
                spent += run->steps[i].cost;
                while (run->steps[first].at + window <= run->steps[i].at)
                        spent -= run->steps[first++].cost;
                worst = MAX(worst, spent);
        }
        return worst;
}

static uint64_t spent_since(const struct run *run, uint64_t since) {
        uint64_t spent = 0;

        for (size_t i = 0; i < run->nr; i++)
                if (run->steps[i].at >= since)
                        spent += run->steps[i].cost;
        return spent;
}

static struct run daemon_run;

static void no_window_of_10_s_exceeds_the_budget_by_a_fifth(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(loads); i++) {
                uint64_t worst;

                run(&daemon_run, &loads[i], 100, 300 * USEC_PER_SEC);
                worst = worst_window(&daemon_run, 10 * USEC_PER_SEC);
                if (worst > 120 * USEC_PER_MSEC * NSEC_PER_USEC)
                        fail_msg("%s: %" PRIu64 " ns in 10 s", loads[i].name, worst);
        }
}

static void no_window_of_10_s_exceeds_the_budget_of_11_s_and_a_step(void **state) {
        static const uint32_t budgets[] = { 10, 30, 500, 2500, 10000 };

        for (size_t i = 0; i < ELEMENTSOF(loads); i++)
                for (size_t k = 0; k < ELEMENTSOF(budgets); k++) {
                        uint64_t worst, limit = 11 * NSEC_PER_SEC / 10000 * budgets[k] + 10000000;

                        run(&daemon_run, &loads[i], budgets[k], 300 * USEC_PER_SEC);
                        worst = worst_window(&daemon_run, 10 * USEC_PER_SEC);
                        if (worst > limit)
                                fail_msg("%s at %" PRIu32 " bp: %" PRIu64 " ns in 10 s",
                                         loads[i].name, budgets[k], worst);
                }
}

static void a_steady_load_uses_most_of_its_budget_and_settles(void **state) {
        static const struct load dear = { "steady", steady };
        uint64_t interval, spent;

        run(&daemon_run, &dear, 100, 60 * USEC_PER_SEC);
        spent = spent_since(&daemon_run, 30 * USEC_PER_SEC);
        assert_in_range(spent, 30 * NSEC_PER_SEC / 10000 * 70, 30 * NSEC_PER_SEC / 10000 * 95);
        interval = daemon_run.interval;
        for (size_t i = daemon_run.nr - 100; i + 1 < daemon_run.nr; i++)
                assert_int_equal(daemon_run.steps[i + 1].at - daemon_run.steps[i].at, interval);
}

static void a_cheap_load_is_left_alone(void **state) {
        static const struct load load = { "cheap", cheap };

        run(&daemon_run, &load, 100, 60 * USEC_PER_SEC);
        for (size_t i = 0; i < daemon_run.nr; i++)
                assert_int_equal(daemon_run.steps[i].at, i * INTERVAL);
}

static void after_a_dear_time_the_configured_interval_comes_back(void **state) {
        static const struct load load = { "shrinking", shrinking };

        run(&daemon_run, &load, 100, 300 * USEC_PER_SEC);
        assert_int_equal(daemon_run.interval, INTERVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_a_budget_nothing_is_held_back),
                cmocka_unit_test(nothing_known_keeps_the_configured_interval),
                cmocka_unit_test(cheap_monitoring_keeps_the_configured_interval),
                cmocka_unit_test(dear_monitoring_lengthens_the_interval),
                cmocka_unit_test(the_interval_is_never_below_the_configured_one),
                cmocka_unit_test(an_interval_that_is_near_enough_is_kept),
                cmocka_unit_test(a_dearer_cost_counts_at_once_a_cheaper_one_by_and_by),
                cmocka_unit_test(what_is_spent_between_samples_belongs_to_the_samples),
                cmocka_unit_test(what_is_overdrawn_is_waited_for),
                cmocka_unit_test(waiting_for_the_delay_is_enough),
                cmocka_unit_test(no_more_than_a_second_can_be_saved),
                cmocka_unit_test(extreme_values_do_not_overflow),
                cmocka_unit_test(no_window_of_10_s_exceeds_the_budget_by_a_fifth),
                cmocka_unit_test(no_window_of_10_s_exceeds_the_budget_of_11_s_and_a_step),
                cmocka_unit_test(a_steady_load_uses_most_of_its_budget_and_settles),
                cmocka_unit_test(a_cheap_load_is_left_alone),
                cmocka_unit_test(after_a_dear_time_the_configured_interval_comes_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
