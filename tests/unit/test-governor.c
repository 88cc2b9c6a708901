/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The governor: single decisions, and a daemon in virtual time whose every window of 10 s
 * must stay within the budget, whatever its steps cost. tests/sim/test-budget.c has the same
 * with a real engine.
 */

#include "test.h"

#include <inttypes.h>

#include "governor.h"
#include "macro.h"
#include "rng.h"
#include "unit.h"

#define MSEC (USEC_PER_MSEC * NSEC_PER_USEC)
#define INTERVAL UINT64_C(5000)
#define HOUR (3600 * USEC_PER_SEC)
#define DAY (24 * HOUR)

static const struct damon_attrs configured = {
        .sample_interval = INTERVAL, .aggregation_interval = 20 * INTERVAL, .update_interval = USEC_PER_SEC,
        .min_regions = 10, .max_regions = 1000,
};

/* Targets of which only the number of regions matters, all of it in memory */
static struct damon_region regions[65536];
static struct damon_target targets[100];
static struct damon_target *pointers[ELEMENTSOF(targets)];

/* Return: regions of all targets. */
static size_t set_targets(size_t nr_targets, size_t nr_regions) {
        for (size_t i = 0; i < nr_targets; i++) {
                pointers[i] = &targets[i];
                targets[i].regions = (struct damon_regions) { .items = regions, .nr = nr_regions };
        }
        return nr_targets * nr_regions;
}

static void step(struct governor *governor, uint64_t cpu, uint64_t elapsed, size_t nr, bool aggregated) {
        const struct governor_step paid = { .nr_samples = 2 * nr, .aggregated = aggregated };

        governor_charge(governor, cpu, elapsed, &paid);
}

/* Steps between two samples of a region. */
static uint32_t sample_every(const struct governor *governor) {
        return MAX(governor->attrs.sample_every, 1U);
}

/* The time between them. */
static uint64_t spacing(const struct governor *governor) {
        return governor->attrs.sample_interval * sample_every(governor);
}

/* Aggregations of 20 steps, with @cost nanoseconds a sample; enough time passes to pay. */
static void aggregate(struct governor *governor, unsigned nr, uint64_t cost, size_t nr_targets,
                      size_t nr_regions) {
        size_t sum = set_targets(nr_targets, nr_regions);

        for (unsigned i = 1; i <= 20 * nr; i++) {
                size_t nr_samples = sum / sample_every(governor);

                step(governor, cost * nr_samples, HOUR, nr_samples, i % 20 == 0);
                if (i % 20 == 0)
                        (void) governor_tune(governor, pointers, nr_targets, true);
        }
}

static void without_a_budget_nothing_is_held_back(void **state) {
        struct governor governor;

        governor_init(&governor, 0, &configured);
        for (unsigned i = 0; i < 10; i++) {
                aggregate(&governor, 1, 1000000, 10, 1000);
                step(&governor, 60 * NSEC_PER_SEC, USEC_PER_SEC, 1, false);
                assert_int_equal(governor_delay(&governor), 0);
                assert_false(governor_binds(&governor));
                assert_memory_equal(&governor.attrs, &configured, sizeof(configured));
        }
}

static void nothing_known_keeps_what_is_configured(void **state) {
        struct governor governor;

        governor_init(&governor, 100, &configured);
        set_targets(100, 1000);
        assert_int_equal(governor_delay(&governor), 0);
        assert_false(governor_tune(&governor, pointers, 100, true));
        assert_false(governor_tune(&governor, pointers, 0, true));
        assert_memory_equal(&governor.attrs, &configured, sizeof(configured));
}

/* 1000 ns * 40 regions in 5 ms are 0.8 %. */
static void cheap_monitoring_keeps_what_is_configured(void **state) {
        struct governor governor;

        governor_init(&governor, 100, &configured);
        set_targets(1, 40);
        for (unsigned i = 0; i < 1000; i++) {
                step(&governor, 40 * 1000, INTERVAL, 40, i % 20 == 0);
                assert_int_equal(governor_delay(&governor), 0);
                assert_false(governor_tune(&governor, pointers, 1, i % 20 == 0));
        }
        assert_memory_equal(&governor.attrs, &configured, sizeof(configured));
}

/*
 * Of the first step on, each one costs more than an aggregation affords: the next comes when that is over,
 * so that it ends an aggregation, too, and finds that what it marked is too long ago to be checked.
 */
static void steps_that_all_last_an_aggregation_are_learned_from(void **state) {
        struct governor governor;
        unsigned nr_checked = 0;

        governor_init(&governor, 50, &configured);
        set_targets(1, 200);
        for (unsigned i = 0; i < 200; i++) {
                const struct damon_attrs *attrs = &governor.attrs;
                uint64_t elapsed = MAX(governor_delay(&governor), attrs->sample_interval);
                bool aggregated = elapsed >= attrs->aggregation_interval || i % 20 == 0;
                bool stale = elapsed > 2 * attrs->sample_interval;
                struct governor_step paid = {
                        .nr_samples = (stale ? 1 : 2) * 200 / sample_every(&governor), .aggregated = aggregated,
                };

                nr_checked += !stale;
                governor_charge(&governor, paid.nr_samples * 6000 + (aggregated ? 2000000 : 0), elapsed, &paid);
                if (aggregated || governor_delay(&governor) > attrs->sample_interval)
                        (void) governor_tune(&governor, pointers, 1, aggregated);
        }
        assert_in_range(nr_checked, 150, 200);
        assert_in_range(spacing(&governor), 400000, 1200000);
}

/* 9500 ns * 100 regions are 0.95 ms: the 1 % of 100 ms that is aimed at. */
static void dear_monitoring_lengthens_the_intervals(void **state) {
        struct governor governor;
        uint64_t interval;

        governor_init(&governor, 100, &configured);
        aggregate(&governor, 1, 9500, 1, 100);
        interval = spacing(&governor);
        assert_in_range(interval, 99000, 102000);
        assert_int_equal(governor.attrs.aggregation_interval, 20 * governor.attrs.sample_interval);
        assert_int_equal(governor.attrs.max_regions, configured.max_regions);
        assert_true(governor_binds(&governor));
        /* with steps of 20 ms or more, among four of which the regions are shared out */
        assert_int_equal(governor.attrs.sample_every, 4);

        /* twice the regions, twice the interval; twice the budget, half of it */
        governor_init(&governor, 100, &configured);
        aggregate(&governor, 1, 9500, 1, 200);
        assert_in_range(spacing(&governor), 2 * interval - 4000, 2 * interval + 4000);
        governor_init(&governor, 200, &configured);
        aggregate(&governor, 1, 9500, 1, 100);
        assert_in_range(spacing(&governor), interval / 2 - 1000, interval / 2 + 1000);
}

/* 9500 ns a region: a second affords 1000 of them. */
static void beyond_the_limit_regions_are_given_up(void **state) {
        struct governor governor;

        governor_init(&governor, 100, &configured);
        aggregate(&governor, 3, 9500, 10, 400);
        assert_in_range(spacing(&governor), GOVERNOR_SPACING_LIMIT * 9 / 10,
                        GOVERNOR_SPACING_LIMIT);
        assert_in_range(governor.attrs.max_regions, 70, 100);

        /* a large target gives up more than small ones */
        governor_init(&governor, 100, &configured);
        set_targets(10, 50);
        targets[0].regions.nr = 1000;
        for (unsigned i = 1; i <= 60; i++) {
                step(&governor, 9500 * 1450, HOUR, 1450, i % 20 == 0);
                if (i % 20 == 0)
                        (void) governor_tune(&governor, pointers, 10, true);
        }
        assert_in_range(governor.attrs.max_regions, 400, 600);
}

static void beyond_the_fewest_regions_it_is_time_again(void **state) {
        struct governor governor;

        governor_init(&governor, 50, &configured);
        aggregate(&governor, 3, 10000, 100, 20);
        assert_int_equal(governor.attrs.max_regions, configured.min_regions);
        aggregate(&governor, 5, 10000, 100, 11);
        assert_int_equal(governor.attrs.max_regions, configured.min_regions);
        assert_in_range(spacing(&governor), 2 * GOVERNOR_SPACING_LIMIT,
                        3 * GOVERNOR_SPACING_LIMIT);
}

static void regions_come_back_when_there_is_room(void **state) {
        struct governor governor;
        uint32_t fewest;

        governor_init(&governor, 100, &configured);
        aggregate(&governor, 3, 9500, 10, 400);
        fewest = governor.attrs.max_regions;
        /* at three quarters of what is afforded nothing happens, at a quarter they come back */
        aggregate(&governor, 100, 9500, 10, 75);
        assert_int_equal(governor.attrs.max_regions, fewest);
        aggregate(&governor, 200, 9500, 10, 25);
        assert_int_equal(governor.attrs.max_regions, configured.max_regions);
        aggregate(&governor, 100, 9500, 1, 2);
        assert_memory_equal(&governor.attrs, &configured, sizeof(configured));
        assert_false(governor_binds(&governor));
}

static void what_is_near_enough_is_kept(void **state) {
        struct governor governor;
        struct damon_attrs before;

        governor_init(&governor, 100, &configured);
        aggregate(&governor, 20, 9500, 1, 100);
        before = governor.attrs;
        for (size_t nr = 95; nr <= 110; nr++) {
                aggregate(&governor, 20, 9500, 1, nr);
                assert_memory_equal(&governor.attrs, &before, sizeof(before));
        }
        aggregate(&governor, 200, 9500, 1, 130);
        assert_true(spacing(&governor) > before.sample_interval * before.sample_every);
        aggregate(&governor, 200, 9500, 1, 80);
        assert_true(spacing(&governor) < before.sample_interval * before.sample_every);
}

/* An update takes 100 times what other steps take: all of the budget, if it came every second. */
static void updates_are_told_from_samples(void **state) {
        uint64_t now = 0, next_update = 0;
        struct governor governor;

        governor_init(&governor, 100, &configured);
        set_targets(1, 100);
        for (unsigned i = 1; i <= 50000; i++) {
                struct governor_step paid = { .nr_samples = 200, .aggregated = i % 20 == 0 };
                uint64_t cost = 100 * 1000;

                if (now >= next_update) {
                        paid.update_cpu = 10000000;
                        next_update = now + governor.attrs.update_interval;
                }
                now += governor.attrs.sample_interval;
                governor_charge(&governor, cost + paid.update_cpu, governor.attrs.sample_interval, &paid);
                if (paid.aggregated)
                        (void) governor_tune(&governor, pointers, 1, true);
        }
        /* 100 us in 0.7 % of the time, and 10 ms in 0.25 % of it */
        assert_in_range(spacing(&governor), 12000, 18000);
        assert_in_range(governor.attrs.update_interval, 3200000, 4800000);
        assert_int_equal(governor.attrs.max_regions, configured.max_regions);
}

static void in_an_aggregation_only_the_urgent_is_changed(void **state) {
        struct governor governor;

        governor_init(&governor, 100, &configured);
        set_targets(1, 100);
        step(&governor, 100 * 650, HOUR, 100, false);
        assert_false(governor_tune(&governor, pointers, 1, false));
        step(&governor, 100 * 650, HOUR, 100, true);
        assert_true(governor_tune(&governor, pointers, 1, true));

        governor_init(&governor, 100, &configured);
        step(&governor, 100 * 9500, HOUR, 100, false);
        assert_true(governor_tune(&governor, pointers, 1, false));
        assert_in_range(spacing(&governor), 99000, 102000);
}

/* 1 ms overdrawn is paid by 100 ms at 1 %. */
static void what_is_overdrawn_is_waited_for(void **state) {
        struct governor governor;

        governor_init(&governor, 100, &configured);
        step(&governor, 1000000, 0, 100, false);
        assert_in_range(governor_delay(&governor), 100000, 100001);
        governor_charge(&governor, 0, 60000, NULL);
        assert_in_range(governor_delay(&governor), 40000, 40001);
        governor_charge(&governor, 0, 40000, NULL);
        assert_int_equal(governor_delay(&governor), 0);
}

static void waiting_for_the_delay_is_enough(void **state) {
        struct rng rng = { test_seed() };

        for (unsigned i = 0; i < 10000; i++) {
                uint32_t budget = 1 + (uint32_t) rng_below(&rng, 10000);
                struct governor governor;

                governor_init(&governor, budget, &configured);
                step(&governor, rng_below(&rng, 1000000000), 0, 1, false);
                governor_charge(&governor, 0, governor_delay(&governor), NULL);
                /* but for what is rounded off: 1 us of CPU time, 10 us of waiting */
                assert_true(governor.credit > -1000 - (int64_t) budget);
        }
}

static void what_was_saved_without_targets_is_not_for_the_first_of_them(void **state) {
        struct governor governor;

        governor_init(&governor, 100, &configured);
        governor_charge(&governor, 0, HOUR, NULL);
        governor_resume(&governor);
        assert_int_equal(governor_delay(&governor), 0);
        step(&governor, 1000000, 0, 10, false);
        assert_in_range(governor_delay(&governor), 100000, 100001);

        /* what is owed stays so */
        governor_resume(&governor);
        assert_in_range(governor_delay(&governor), 100000, 100001);
}

/* Half a second's budget is 5 ms, of which a step of 5 ms is 50 us; after a second as after a year. */
static void no_more_than_half_a_second_can_be_saved(void **state) {
        static const uint64_t pauses[] = { USEC_PER_SEC, HOUR, DAY + 1, 365 * DAY, UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(pauses); i++) {
                struct governor governor;

                governor_init(&governor, 100, &configured);
                for (unsigned k = 0; k < 3; k++)
                        governor_charge(&governor, 0, pauses[i], NULL);
                step(&governor, 5000000 - 50000, 0, 10, false);
                assert_int_equal(governor_delay(&governor), 0);
                step(&governor, 1000000, 0, 10, false);
                assert_in_range(governor_delay(&governor), 100000, 100001);
        }
}

/* What took much beside the steps may come again: a window that ends with it sees no more than 1.2 budgets. */
static void debts_are_provided_for(void **state) {
        const uint64_t usual = 2 * MSEC, dear = 25 * MSEC;
        uint64_t spent[1000] = {}, now = 0, window = 0, most = 0;
        struct governor governor;

        governor_init(&governor, 100, &configured);
        governor_charge(&governor, 0, 20 * USEC_PER_SEC, NULL);
        for (uint64_t dear_at = 0, elapsed = 0; now < 100 * USEC_PER_SEC; now += elapsed) {
                uint64_t cpu = usual;

                if (now >= dear_at) {
                        cpu = dear;
                        dear_at += 10 * USEC_PER_SEC;
                }
                step(&governor, cpu, elapsed, 10, false);
                spent[now / (100 * USEC_PER_MSEC)] += cpu;
                elapsed = MAX(governor_delay(&governor), 100 * USEC_PER_MSEC);
        }
        for (size_t i = 0; i < ELEMENTSOF(spent); i++) {
                window += spent[i] - (i >= 100 ? spent[i - 100] : 0);
                most = MAX(most, i >= 200 ? window : 0);
        }
        print_message("%.3f of the budget\n", (double) most / (100 * MSEC));
        assert_in_range(most, 90 * MSEC, 120 * MSEC);
}

/* Hours of CPU time, years of silence, the whole of a CPU and the smallest share of it. */
static void extreme_values_do_not_overflow(void **state) {
        static const uint32_t budgets[] = { 1, 100, 10000 };

        for (size_t i = 0; i < ELEMENTSOF(budgets); i++) {
                struct governor governor;
                uint64_t paid = 1000 * HOUR * 10000 / budgets[i];

                governor_init(&governor, budgets[i], &configured);
                for (uint64_t elapsed = DAY; elapsed < UINT64_MAX / 3; elapsed *= 3)
                        governor_charge(&governor, 0, elapsed, NULL);
                set_targets(100, 1000);
                step(&governor, 1000 * HOUR * NSEC_PER_USEC, UINT64_MAX, 100000, true);
                /* and what is held back for another one like that */
                assert_in_range(governor_delay(&governor), paid - paid / 1000, paid / 85 * 100 + paid / 1000);
                for (unsigned k = 0; k < 20; k++) {
                        step(&governor, HOUR * NSEC_PER_USEC, UINT64_MAX, 100000, k % 2 == 0);
                        (void) governor_tune(&governor, pointers, 100, k % 2 == 0);
                }
                ASSERT_OK(damon_attrs_validate(&governor.attrs));
                assert_int_equal(damon_attrs_max_nr_accesses(&governor.attrs), 20);
                /* what the fewest regions of 100 targets take of that hour, at the least */
                assert_in_range(governor.attrs.sample_interval, 36 * USEC_PER_SEC, DAY);
                assert_int_equal(governor.attrs.max_regions, configured.min_regions);
        }
}

/**
 * struct load - what steps cost over time
 * @step:       CPU time of a step at a time, nanoseconds, and its number of regions
 */
struct load {
        const char *name;
        uint64_t (*step)(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions);
};

static uint64_t at_most_10_ms(uint64_t cost) {
        return MIN(cost, 10 * USEC_PER_MSEC * NSEC_PER_USEC);
}

static uint64_t steady(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 500;
        return 500 * 2000;
}

static uint64_t cheap(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 10;
        return 10 * 1000;
}

static uint64_t largest(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 1000;
        return at_most_10_ms(UINT64_MAX);
}

static uint64_t growing(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 10 + now / 20000;
        return at_most_10_ms(*ret_nr_regions * 1500);
}

static uint64_t shrinking(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 10 + (120 * USEC_PER_SEC - MIN(now, 120 * USEC_PER_SEC)) / 20000;
        return at_most_10_ms(*ret_nr_regions * 1500);
}

static uint64_t bursts(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 400;
        return at_most_10_ms(400 * UINT64_C(1200) * (rng_below(rng, 20) == 0 ? 10 : 1));
}

static uint64_t dear_seconds(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 400;
        return at_most_10_ms(400 * UINT64_C(1200) * (now / USEC_PER_SEC % 7 == 3 ? 10 : 1));
}

static uint64_t regions_burst(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = now / USEC_PER_SEC % 16 < 8 ? 10 : 4000;
        return at_most_10_ms(*ret_nr_regions * 1200);
}

/* saves up for 5 s, then costs what it can */
static uint64_t ambush(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 100;
        return now / USEC_PER_SEC % 10 < 5 ? 1000 : at_most_10_ms(UINT64_MAX);
}

static uint64_t noise(struct rng *rng, uint64_t now, uint64_t *ret_nr_regions) {
        *ret_nr_regions = 1 + rng_below(rng, 2000);
        return at_most_10_ms(*ret_nr_regions * (100 << rng_below(rng, 8)));
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
struct entry {
        uint64_t at;
        uint64_t cost;
};

/**
 * struct run - a simulated daemon
 * @governor:   what is tested
 * @entries:    @nr steps done
 */
struct run {
        struct governor governor;
        struct entry entries[200000];
        size_t nr;
};

/* The daemon's loop: a step, the charge, new attributes if it is time, the next step's time. */
static void run(struct run *run, const struct load *load, uint32_t budget, uint64_t until) {
        struct rng rng = { 1 };
        uint64_t now = 0, charged_at = 0;

        run->nr = 0;
        governor_init(&run->governor, budget, &configured);
        while (now < until && run->nr < ELEMENTSOF(run->entries)) {
                uint64_t interval = run->governor.attrs.sample_interval, nr_regions, cost, end, next;
                bool aggregated = run->nr % 20 == 19;

                cost = load->step(&rng, now, &nr_regions) / sample_every(&run->governor);
                run->entries[run->nr++] = (struct entry) { now, cost };
                end = now + cost / NSEC_PER_USEC;
                step(&run->governor, cost, end - charged_at, nr_regions / sample_every(&run->governor),
                     aggregated);
                charged_at = end;
                set_targets(1, nr_regions);
                if (aggregated || governor_delay(&run->governor) > interval)
                        (void) governor_tune(&run->governor, pointers, 1, aggregated);
                interval = run->governor.attrs.sample_interval;
                next = now + interval;
                while (next < end + interval / 2)
                        next += interval;
                now = MAX(next, end + governor_delay(&run->governor));
        }
        assert_true(now >= until);
}

/* Return: the most that was spent in any window, nanoseconds. */
static uint64_t worst_window(const struct run *run, uint64_t window) {
        uint64_t spent = 0, worst = 0;

        for (size_t i = 0, first = 0; i < run->nr; i++) {
                spent += run->entries[i].cost;
                while (run->entries[first].at + window <= run->entries[i].at)
                        spent -= run->entries[first++].cost;
                worst = MAX(worst, spent);
        }
        return worst;
}

static uint64_t spent_since(const struct run *run, uint64_t since) {
        uint64_t spent = 0;

        for (size_t i = 0; i < run->nr; i++)
                if (run->entries[i].at >= since)
                        spent += run->entries[i].cost;
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

static void a_steady_load_uses_its_budget_and_settles(void **state) {
        static const struct load load = { "steady", steady };
        uint64_t interval, spent;

        run(&daemon_run, &load, 100, 60 * USEC_PER_SEC);
        spent = spent_since(&daemon_run, 30 * USEC_PER_SEC);
        assert_in_range(spent, 30 * NSEC_PER_SEC / 10000 * 90, 30 * NSEC_PER_SEC / 10000 * 100);
        interval = daemon_run.governor.attrs.sample_interval;
        for (size_t i = daemon_run.nr - 100; i + 1 < daemon_run.nr; i++)
                assert_int_equal(daemon_run.entries[i + 1].at - daemon_run.entries[i].at, interval);
}

static void a_cheap_load_is_left_alone(void **state) {
        static const struct load load = { "cheap", cheap };

        run(&daemon_run, &load, 100, 60 * USEC_PER_SEC);
        for (size_t i = 0; i < daemon_run.nr; i++)
                assert_int_equal(daemon_run.entries[i].at, i * INTERVAL);
}

static void after_a_dear_time_what_is_configured_comes_back(void **state) {
        static const struct load load = { "shrinking", shrinking };

        run(&daemon_run, &load, 100, 300 * USEC_PER_SEC);
        assert_memory_equal(&daemon_run.governor.attrs, &configured, sizeof(configured));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_a_budget_nothing_is_held_back),
                cmocka_unit_test(nothing_known_keeps_what_is_configured),
                cmocka_unit_test(cheap_monitoring_keeps_what_is_configured),
                cmocka_unit_test(steps_that_all_last_an_aggregation_are_learned_from),
                cmocka_unit_test(dear_monitoring_lengthens_the_intervals),
                cmocka_unit_test(beyond_the_limit_regions_are_given_up),
                cmocka_unit_test(beyond_the_fewest_regions_it_is_time_again),
                cmocka_unit_test(regions_come_back_when_there_is_room),
                cmocka_unit_test(what_is_near_enough_is_kept),
                cmocka_unit_test(updates_are_told_from_samples),
                cmocka_unit_test(in_an_aggregation_only_the_urgent_is_changed),
                cmocka_unit_test(what_is_overdrawn_is_waited_for),
                cmocka_unit_test(waiting_for_the_delay_is_enough),
                cmocka_unit_test(no_more_than_half_a_second_can_be_saved),
                cmocka_unit_test(what_was_saved_without_targets_is_not_for_the_first_of_them),
                cmocka_unit_test(debts_are_provided_for),
                cmocka_unit_test(extreme_values_do_not_overflow),
                cmocka_unit_test(no_window_of_10_s_exceeds_the_budget_by_a_fifth),
                cmocka_unit_test(no_window_of_10_s_exceeds_the_budget_of_11_s_and_a_step),
                cmocka_unit_test(a_steady_load_uses_its_budget_and_settles),
                cmocka_unit_test(a_cheap_load_is_left_alone),
                cmocka_unit_test(after_a_dear_time_what_is_configured_comes_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
