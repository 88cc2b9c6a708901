/* SPDX-License-Identifier: GPL-2.0-only */
/* Quotas at work: how much is done in a window, what goes first, and what waits. */

#include "scenario.h"

#define NR_RANGES 24

static const struct damon_range heap = { HEAP, HEAP + GIB };

static struct damos limited(enum damos_action action, struct damos_quota quota) {
        struct damos scheme = make_scheme("limited", action);

        scheme.quota = quota;
        return scheme;
}

/* Most bytes that were done in any time of this length, wherever it begins. */
static uint64_t most_in(const struct sim *sim, uint64_t interval) {
        uint64_t most = 0, sum = 0;
        size_t nr, first = 0;
        const struct sim_act *acts = sim_acts(sim, &nr);

        for (size_t i = 0; i < nr; i++) {
                sum += acts[i].sz_applied;
                while (acts[first].time + interval <= acts[i].time)
                        sum -= acts[first++].sz_applied;
                most = MAX(most, sum);
        }
        return most;
}

static uint64_t bytes_of(const struct sim_act *acts, size_t nr, uint64_t from, uint64_t until) {
        uint64_t size = 0;

        for (size_t i = 0; i < nr; i++)
                if (acts[i].time >= from && acts[i].time < until)
                        size += acts[i].sz_applied;
        return size;
}

static void size_is_never_exceeded_and_mostly_used(void **state) {
        static const struct {
                uint64_t size, interval;
        } cases[] = {
                { 16 * MIB, SEC }, { 64 * MIB, SEC }, { 3 * MIB + 20 * KIB, SEC }, { 20 * KIB, SEC },
                { 5 * MIB, 100 * MS }, { 10 * MIB, 250 * MS }, { 100 * MIB, 3 * SEC }, { 500 * KIB, 5 * MS },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct damos_quota quota = {
                        .size = cases[i].size, .interval = cases[i].interval, .weights = { 0, 1, 1 },
                };
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                struct damos pageout = limited(DAMOS_PAGEOUT, quota);
                struct sim_target *a, *b;
                uint64_t most, nr_windows;

                scenario_add(s, "a", GIB, &a);
                scenario_add(s, "b", GIB, &b);
                pageout.pattern.age.min = SEC;
                ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
                scenario_run(s, 15 * SEC);
                most = most_in(s->sim, quota.interval);
                /* of age after a second; of the last window, only its beginning is seen */
                nr_windows = 14 * SEC / quota.interval;
                print_message("%u KiB in %u ms: at most %u KiB, %.1f%% used in %u windows, exceeded %u\n",
                              (unsigned) (quota.size / KIB), (unsigned) (quota.interval / MS),
                              (unsigned) (most / KIB),
                              100.0 * (double) scenario_stat(s, 0)->sz_applied / (double) (nr_windows * quota.size),
                              (unsigned) nr_windows, (unsigned) scenario_stat(s, 0)->qt_exceeds);
                assert_true(most <= quota.size);
                assert_true(scenario_stat(s, 0)->sz_applied * 10 >= nr_windows * quota.size * 9);
                assert_in_range(scenario_stat(s, 0)->qt_exceeds, nr_windows * 9 / 10, nr_windows + 1);
        }
}

static void window_that_is_not_used_up_does_not_count(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos pageout = limited(DAMOS_PAGEOUT, (struct damos_quota) {
                .size = GIB, .interval = SEC });
        struct sim_target *script;

        scenario_add(s, "t", 100 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 10 * SEC);
        assert_true(scenario_stat(s, 0)->sz_applied >= 100 * MIB);
        assert_int_equal(scenario_stat(s, 0)->qt_exceeds, 0);
}

/* Every scheme is set again at each step, as it is: that gives nobody a second window. */
static void window_survives_a_reload(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos pageout = limited(DAMOS_PAGEOUT, (struct damos_quota) {
                .size = 32 * MIB, .interval = SEC });
        struct sim_target *script;

        scenario_add(s, "t", GIB, &script);
        for (int i = 0; i < 2000; i++) {
                ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
                scenario_step(s);
        }
        assert_true(most_in(s->sim, SEC) <= 32 * MIB);
        assert_true(scenario_stat(s, 0)->sz_applied >= 8 * 30 * MIB);
}

/* What is refused is not charged, and so leaves the quota to what is not. */
static void what_is_refused_costs_no_quota(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos cold = limited(DAMOS_COLD, (struct damos_quota) {
                .size = 32 * MIB, .interval = SEC });
        struct sim_target *script;
        struct damon_target *target;

        ASSERT_OK(sim_target_new(s->sim, "t", &target, &script));
        /* a page in two is not mapped, within one range of addresses */
        for (uint64_t at = HEAP; at < HEAP + 64 * MIB; at += 64 * KIB)
                ASSERT_OK(sim_target_map(script, (struct damon_range) { at, at + 32 * KIB }, 0, SIM_NEVER));
        ASSERT_OK(damon_engine_add_target(s->engine, target));
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        scenario_run(s, 900 * MS);
        assert_true(most_in(s->sim, SEC) <= 32 * MIB);
        assert_true(scenario_stat(s, 0)->sz_applied >= 30 * MIB);
        assert_true(scenario_stat(s, 0)->sz_tried >= 58 * MIB);
}

/* Bytes in a millisecond, in turn for five seconds each. */
static const uint64_t throughputs[] = { MIB, MIB / 4, 2 * MIB, 500 * KIB };

static uint64_t throughput_at(uint64_t time) {
        return throughputs[time / (5 * SEC) % ELEMENTSOF(throughputs)];
}

/* Nanoseconds that were taken from @from on, and before @until. */
static uint64_t time_taken(const struct sim *sim, uint64_t from, uint64_t until) {
        size_t nr;
        const struct sim_act *acts = sim_acts(sim, &nr);
        uint64_t taken = 0;

        for (size_t i = 0; i < nr; i++)
                if (acts[i].time >= from && acts[i].time < until)
                        taken += damon_range_size(&acts[i].range) * 1000000 / throughput_at(acts[i].time);
        return taken;
}

static void time_is_kept_to_while_throughput_changes(void **state) {
        static const uint64_t times[] = { 10 * MS, 100 * MS, 3 * MS };

        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                const struct damos cold = limited(DAMOS_COLD, (struct damos_quota) {
                        .time = times[i], .interval = SEC, .weights = { 0, 1, 1 } });
                double limit = (double) times[i] * 1000, worst = 0, least = 2, all;
                struct sim_target *script;
                unsigned nr_off = 0;

                scenario_add(s, "t", 16 * GIB, &script);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
                for (uint64_t k = 0; k < 40; k++) {
                        sim_set_throughput(s->sim, throughput_at(sim_now(s->sim) + 5 * MS));
                        do {
                                sim_set_throughput(s->sim, throughput_at(sim_now(s->sim) + 5 * MS));
                                scenario_step(s);
                        } while (sim_now(s->sim) % SEC != 0);
                }
                for (uint64_t k = 1; k < 39; k++) {
                        double share = (double) time_taken(s->sim, k * SEC, (k + 1) * SEC) / limit;

                        worst = MAX(worst, share);
                        least = MIN(least, share);
                        nr_off += share < 0.9 || share > 1.1;
                }
                all = (double) time_taken(s->sim, SEC, 39 * SEC) / limit / 38;
                print_message("%u ms: %.1f%% used, %.0f%% to %.0f%% in a second, %u of 38 off by more than 10%%\n",
                              (unsigned) (times[i] / MS), 100 * all, 100 * least, 100 * worst, nr_off);
                assert_true(all >= 0.9 && all <= 1.1);
                /* only where it becomes slower all of a sudden, or nothing is known yet, and where that
                 * is made good */
                assert_true(worst <= 2.01);
                assert_true(nr_off <= 10);
        }
}

/* Spearman's rank correlation of two orders without ties. */
static double rank_correlation(const double *a, const double *b, size_t nr) {
        double sum = 0, n = (double) nr;

        for (size_t i = 0; i < nr; i++) {
                double rank_a = 0, rank_b = 0;

                for (size_t k = 0; k < nr; k++) {
                        rank_a += a[k] < a[i];
                        rank_b += b[k] < b[i];
                }
                sum += (rank_a - rank_b) * (rank_a - rank_b);
        }
        return 1 - 6 * sum / (n * (n * n - 1));
}

/* When the bytes of a range were acted on, by how many others were before them, on average. */
static double place_of(const struct sim *sim, struct damon_range range) {
        size_t nr;
        const struct sim_act *acts = sim_acts(sim, &nr);
        double before = 0, size = 0, sum = 0;

        for (size_t i = 0; i < nr; i++) {
                uint64_t start = MAX(acts[i].range.start, range.start);
                uint64_t end = MIN(acts[i].range.end, range.end);
                double part = end > start ? (double) (end - start) : 0;

                sum += part * before;
                size += part;
                before += (double) damon_range_size(&acts[i].range);
        }
        assert_true(size > 0);
        return sum / size;
}

static struct damon_range part_of_heap(uint64_t i) {
        return (struct damon_range) { HEAP + i * 8 * MIB, HEAP + (i + 1) * 8 * MIB };
}

/* Places that are far from each other for neighbours, so that the order of addresses is no help. */
static uint64_t shuffled(uint64_t i) {
        return i * 7 % NR_RANGES;
}

static void coldest_go_first(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos pageout = limited(DAMOS_PAGEOUT, (struct damos_quota) {
                .size = 4 * MIB, .interval = 200 * MS, .weights = { 0, 1, 1 } });
        double coldness[NR_RANGES], place[NR_RANGES], correlation;
        struct sim_target *script;

        scenario_add(s, "t", NR_RANGES * 8 * MIB, &script);
        for (uint64_t i = 0; i < NR_RANGES; i++) {
                coldness[i] = (double) shuffled(i);
                ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                        .range = part_of_heap(i), .period = 4 * MS, .until = (1 + shuffled(i)) * SEC }));
        }
        scenario_run(s, (NR_RANGES + 3) * SEC);
        pageout.pattern.nr_accesses.max = 0;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 15 * SEC);
        for (size_t i = 0; i < NR_RANGES; i++)
                place[i] = place_of(s->sim, part_of_heap(i));
        correlation = rank_correlation(coldness, place, NR_RANGES);
        print_message("rank correlation %.3f\n", correlation);
        assert_true(correlation >= 0.9);
}

/*
 * Parts that fall idle one after the other, each accessed in one sample interval of five before
 * that: they are told apart by their ages, whatever neighbours they have, and however much that is
 * not in memory the target contains.
 */
static void ages_tell_what_was_idle_for_longest(void **state) {
        static const struct damon_attrs attrs = {
                .sample_interval = 20 * MS, .aggregation_interval = 400 * MS, .update_interval = SEC,
                .min_regions = 10, .max_regions = 1000,
        };
        enum { NR_PARTS = 8, NR_RUNS = 20, STEP = 4 };
        double least = 1, sum = 0;

        for (unsigned run = 0; run < NR_RUNS; run++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&attrs);
                double coldness[NR_PARTS], age[NR_PARTS] = {}, correlation;
                struct damon_target *target;
                struct sim_target *script;

                s->rng.state += run * 1000;
                target = scenario_add(s, "t", NR_PARTS * 8 * MIB, &script);
                /* a program far below its heap: the gap between them is a part of the target */
                ASSERT_OK(sim_target_map(script, (struct damon_range) { HEAP - 490 * MIB, HEAP - 489 * MIB }, 0,
                                         SIM_NEVER));
                for (uint64_t i = 0; i < NR_PARTS; i++) {
                        uint64_t turn = i * 5 % NR_PARTS;

                        coldness[i] = -(double) turn;
                        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                                .range = part_of_heap(i), .period = 100 * MS, .until = (1 + turn * STEP) * SEC }));
                }
                scenario_run(s, ((NR_PARTS - 1) * STEP + 4) * SEC);
                for (size_t k = 0; k < target->regions.nr; k++) {
                        const struct damon_region *region = &target->regions.items[k];

                        for (uint64_t i = 0; i < NR_PARTS; i++) {
                                struct damon_range part = part_of_heap(i);
                                uint64_t start = MAX(part.start, region->range.start);
                                uint64_t end = MIN(part.end, region->range.end);

                                if (end > start)
                                        age[i] += region->age * (double) (end - start) / (8 * MIB);
                        }
                }
                correlation = rank_correlation(coldness, age, NR_PARTS);
                least = MIN(least, correlation);
                sum += correlation;
        }
        print_message("rank correlation at least %.3f, on average %.3f\n", least, sum / NR_RUNS);
        assert_true(least >= 0.9);
}

/* The least accessed first, also if everything is. */
static void rarely_accessed_go_before_often_accessed(void **state) {
        for (int hottest = 0; hottest <= 1; hottest++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                struct damos scheme = limited(hottest ? DAMOS_WILLNEED : DAMOS_COLD, (struct damos_quota) {
                        .size = GIB, .interval = SEC, .weights = { 0, 1, 0 } });
                double rate[NR_RANGES], place[NR_RANGES], correlation;
                struct sim_target *script;

                scenario_add(s, "t", NR_RANGES * 8 * MIB, &script);
                for (uint64_t i = 0; i < NR_RANGES; i++) {
                        uint64_t nr = 1 + shuffled(i);

                        rate[i] = hottest ? -(double) nr : (double) nr;
                        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                                .range = part_of_heap(i), .period = 5 * MS * NR_RANGES / nr }));
                }
                scenario_run(s, 10 * SEC);
                /* all of it in one aggregation, in many steps */
                sim_set_throughput(s->sim, 8 * MIB);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &scheme, 1));
                scenario_aggregate(s);
                scenario_run(s, 95 * MS);
                for (size_t i = 0; i < NR_RANGES; i++)
                        place[i] = place_of(s->sim, part_of_heap(i));
                correlation = rank_correlation(rate, place, NR_RANGES);
                print_message("%s first: rank correlation %.3f\n", hottest ? "hottest" : "coldest", correlation);
                assert_true(correlation >= 0.9);
        }
}

/* Without weights it goes round, and takes all of it before anything a second time. */
static void work_goes_on_where_it_stopped(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos cold = limited(DAMOS_COLD, (struct damos_quota) {
                .size = 10 * MIB, .interval = 300 * MS });
        uint64_t most = 0, least = UINT64_MAX;
        struct sim_target *script;
        const struct sim_act *acts;
        size_t nr;

        scenario_add(s, "a", 100 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        scenario_run(s, 20 * SEC);
        acts = sim_acts(s->sim, &nr);
        for (uint64_t at = HEAP; at < HEAP + 100 * MIB; at += 16 * KIB) {
                uint64_t times = 0;

                for (size_t i = 0; i < nr; i++)
                        times += acts[i].range.start <= at && at < acts[i].range.end;
                most = MAX(most, times);
                least = MIN(least, times);
        }
        print_message("acted on %u to %u times\n", (unsigned) least, (unsigned) most);
        assert_true(least >= 4);
        assert_true(most - least <= 2);
}

/* A counting scheme with a quota leaves all ages alone, and counts in turn all the same. */
static void counting_is_limited_too(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos stat = limited(DAMOS_STAT, (struct damos_quota) {
                .size = MIB, .interval = 100 * MS });
        struct sim_target *script;
        uint64_t before = 0;

        scenario_add(s, "t", 100 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &stat, 1));
        for (int i = 0; i < 50; i++) {
                scenario_aggregate(s);
                assert_in_range(scenario_stat(s, 0)->sz_tried - before, MIB * 9 / 10, MIB);
                before = scenario_stat(s, 0)->sz_tried;
        }
        assert_int_equal(scenario_stat(s, 0)->qt_exceeds, 49);
        assert_int_equal(scenario_stat(s, 0)->sz_applied, 0);
}

/*
 * Four GiB match at once, and nothing limits that: still no step takes longer than half of its
 * interval, but for what is done at once, and all of it goes.
 */
static void huge_match_does_not_hold_up_the_loop(void **state) {
        static const struct {
                uint64_t throughput, time;      /* bytes in a millisecond */
        } cases[] = { { 4 * MIB, 15 * SEC }, { 2 * MIB, 15 * SEC }, { MIB, 15 * SEC }, { MIB / 8, 70 * SEC } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                const struct damos pageout = make_scheme("all", DAMOS_PAGEOUT);
                struct sim_target *script;
                uint64_t most;

                scenario_add(s, "t", 4 * GIB, &script);
                sim_set_throughput(s->sim, cases[i].throughput);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
                scenario_run(s, cases[i].time);
                most = most_in(s->sim, 1);
                print_message("at most %.1f MiB in a step\n", (double) most / MIB);
                assert_true(most < 5 * cases[i].throughput / 2 + SIM_CALL);
                assert_int_equal(sim_target_resident(script, (struct damon_range) { HEAP, HEAP + 4 * GIB }), 0);
        }
}

/*
 * A swap device that is slow, from the start or as soon as its queue is full: a step does no more than what
 * cannot be stopped half-way, half of the time is left for samples, and each page goes once.
 */
static void slow_device_is_waited_for_half_of_the_time(void **state) {
        static const struct {
                uint64_t before, throughput;    /* bytes in a millisecond */
        } cases[] = { { KIB, KIB }, { 4 * MIB, KIB }, { 40, 40 }, { 4 * MIB, 64 * KIB } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                struct damos pageout = make_scheme("all", DAMOS_PAGEOUT);
                const uint64_t step = 5 * cases[i].throughput / 2 + SIM_CALL;
                const struct damos_stat *stat;
                uint64_t began, absorbed, done;
                struct sim_target *script;
                struct damon_target *target = scenario_add(s, "t", 64 * MIB, &script);

                pageout.pattern.age.min = 2 * SEC;
                sim_set_throughput(s->sim, cases[i].before);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
                while (scenario_stat(s, 0)->sz_tried == 0)
                        scenario_step(s);
                sim_set_throughput(s->sim, cases[i].throughput);
                stat = scenario_stat(s, 0);
                absorbed = stat->outcome.sz_moved;
                began = sim_now(s->sim);
                while (sim_now(s->sim) < began + 10 * SEC) {
                        uint64_t before = stat->outcome.sz_moved;

                        scenario_step(s);
                        assert_true(stat->outcome.sz_moved - before < step);
                }
                done = stat->outcome.sz_moved - absorbed;
                print_message("%.1f MiB, then %.3f MiB in 10 s\n", (double) absorbed / MIB, (double) done / MIB);
                assert_true(done <= 5000 * cases[i].throughput + 2 * SIM_CALL);
                assert_true(done >= MIN(4500 * cases[i].throughput, 64 * MIB - absorbed));
                assert_true(stat->sz_applied <= damon_regions_size(&target->regions));
                assert_int_equal(stat->outcome.sz_moved,
                                 damon_regions_size(&target->regions) -
                                 sim_target_resident(script, (struct damon_range) { 0, UINT64_MAX }));
        }
}

/* What a step does not get done, of whichever target, is done by those that follow, and nothing of it twice. */
static void targets_have_their_turn_on_a_slow_device(void **state) {
        static const struct damos_weights weights[] = { { 0, 0, 0 }, { 0, 1, 1 } };
        static const struct damon_range all = { 0, UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(weights); i++) {
                _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
                struct damos pageout = limited(DAMOS_PAGEOUT, (struct damos_quota) {
                        .size = GIB, .interval = SEC, .weights = weights[i] });
                struct sim_target *scripts[3];
                const struct damos_stat *stat;
                uint64_t size = 0, left = 0;

                for (size_t k = 0; k < ELEMENTSOF(scripts); k++)
                        size += damon_regions_size(&scenario_add(s, "t", 3 * MIB, &scripts[k])->regions);
                pageout.pattern.age.min = 2 * SEC;
                sim_set_throughput(s->sim, KIB);
                ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
                scenario_run(s, 40 * SEC);
                for (size_t k = 0; k < ELEMENTSOF(scripts); k++)
                        left += sim_target_resident(scripts[k], all);
                stat = scenario_stat(s, 0);
                assert_int_equal(left, 0);
                assert_int_equal(stat->outcome.sz_moved, size);
                assert_int_equal(stat->sz_applied, size);
                assert_int_equal(stat->sz_tried, size);
        }
}

/* What waits for its turn is let alone if it is used meanwhile. */
static void work_that_waits_is_looked_at_again(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damon_range later = { HEAP + 500 * MIB, HEAP + 800 * MIB };
        struct damos pageout = make_scheme("all", DAMOS_PAGEOUT);
        struct sim_target *script;
        const struct sim_act *acts;
        uint64_t wrong = 0;
        size_t nr;

        scenario_add(s, "t", GIB, &script);
        /* four MiB a step: a second would be needed, but an aggregation is over before that */
        sim_set_throughput(s->sim, 8 * MIB / 5);
        ASSERT_OK(sim_target_access(script, &(struct sim_pattern) {
                .range = later, .period = 4 * MS, .from = 5010 * MS }));
        pageout.pattern.age.min = 5 * SEC - 100 * MS;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        scenario_run(s, 7 * SEC);
        acts = sim_acts(s->sim, &nr);
        assert_true(bytes_of(acts, nr, 5 * SEC, 5 * SEC + 5 * MS) <= 4 * MIB);
        for (size_t i = 0; i < nr; i++) {
                uint64_t start = MAX(acts[i].range.start, later.start);
                uint64_t end = MIN(acts[i].range.end, later.end);

                wrong += end > start ? end - start : 0;
        }
        print_message("%.1f MiB of 300 MiB that were in use again\n", (double) wrong / MIB);
        print_message("%.1f MiB resident\n", (double) sim_target_resident(script, heap) / MIB);
        assert_true(wrong <= 6 * MIB);
        assert_true(sim_target_resident(script, heap) <= 400 * MIB);
}

/* Targets come and go while there is work left to do to them. */
static void targets_may_go_while_work_waits(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        struct damos pageout = limited(DAMOS_PAGEOUT, (struct damos_quota) {
                .size = 8 * MIB, .interval = 50 * MS, .weights = { 0, 1, 1 } });
        struct damon_target *targets[8];
        struct sim_target *script;
        size_t nr;

        ASSERT_OK(damon_engine_set_schemes(s->engine, &pageout, 1));
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                targets[i] = scenario_add(s, "t", 256 * MIB, &script);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                scenario_aggregate(s);
                for (size_t k = 0; k < i; k++)
                        scenario_step(s);
                damon_engine_remove_target(s->engine, targets[(i * 3) % ELEMENTSOF(targets)]);
        }
        (void) damon_engine_targets(s->engine, &nr);
        assert_int_equal(nr, 0);
        scenario_run(s, SEC);
        assert_true(most_in(s->sim, 50 * MS) <= 8 * MIB);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(size_is_never_exceeded_and_mostly_used),
                cmocka_unit_test(window_that_is_not_used_up_does_not_count),
                cmocka_unit_test(window_survives_a_reload),
                cmocka_unit_test(what_is_refused_costs_no_quota),
                cmocka_unit_test(time_is_kept_to_while_throughput_changes),
                cmocka_unit_test(coldest_go_first),
                cmocka_unit_test(ages_tell_what_was_idle_for_longest),
                cmocka_unit_test(rarely_accessed_go_before_often_accessed),
                cmocka_unit_test(work_goes_on_where_it_stopped),
                cmocka_unit_test(counting_is_limited_too),
                cmocka_unit_test(huge_match_does_not_hold_up_the_loop),
                cmocka_unit_test(slow_device_is_waited_for_half_of_the_time),
                cmocka_unit_test(targets_have_their_turn_on_a_slow_device),
                cmocka_unit_test(work_that_waits_is_looked_at_again),
                cmocka_unit_test(targets_may_go_while_work_waits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
