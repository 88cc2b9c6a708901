/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sampling by evidence gains over the kernel's algorithm, and what it costs: both watch the
 * same memory with the same intervals and limits, and are compared with the truth. Bounds that
 * are no round promise are somewhat above the worst of ten seeds.
 */

#include <math.h>

#include "kernel-model.h"
#include "scenario.h"

#define NR_SEEDS 2
#define NR_MEASURED 50

static const struct damon_attrs attrs = {
        .sample_interval = 50 * MS, .aggregation_interval = SEC, .update_interval = SEC,
        .min_regions = 10, .max_regions = 1000,
};

static void hot(struct sim_target *script, struct sim_pattern pattern) {
        pattern.range.start += HEAP;
        pattern.range.end += HEAP;
        pattern.period = pattern.period ?: 2 * MS;
        ASSERT_OK(sim_target_access(script, &pattern));
}

/* Borders lie where no halving of 256 MiB finds them by itself. */
static void make_static(struct sim_target *script) {
        hot(script, (struct sim_pattern) { .range = { 83 * MIB + 148 * KIB, 147 * MIB + 148 * KIB } });
}

static void make_moving(struct sim_target *script) {
        hot(script, (struct sim_pattern) {
                .range = { 11 * MIB + 148 * KIB, 43 * MIB + 148 * KIB },
                .move_step = 51 * MIB, .move_every = 5 * SEC, .nr_places = 5,
        });
}

static void make_64_islands(struct sim_target *script) {
        hot(script, (struct sim_pattern) {
                .range = { MIB + 68 * KIB, MIB + 324 * KIB }, .nr_islands = 64, .stride = 4 * MIB,
        });
}

static void make_256_islands(struct sim_target *script) {
        hot(script, (struct sim_pattern) {
                .range = { 68 * KIB, 132 * KIB }, .nr_islands = 256, .stride = MIB,
        });
}

/* From all the time to hardly ever, and a part that is never accessed. */
static void make_gradient(struct sim_target *script) {
        for (uint64_t i = 0; i < 15; i++)
                hot(script, (struct sim_pattern) {
                        .range = { i * 16 * MIB, (i + 1) * 16 * MIB },
                        .period = (uint64_t) (2 * MS * pow(2, (double) i / 1.5)),
                });
}

/* More pages of their own than there may be regions. */
static void make_needles(struct sim_target *script) {
        hot(script, (struct sim_pattern) {
                .range = { 68 * KIB, 72 * KIB }, .nr_islands = 1024, .stride = 256 * KIB,
        });
}

static void make_bursts(struct sim_target *script) {
        for (uint64_t i = 0; i < 20; i++)
                hot(script, (struct sim_pattern) {
                        .range = { 83 * MIB + 148 * KIB, 147 * MIB + 148 * KIB },
                        .from = (10 + 20 * i) * SEC, .until = (20 + 20 * i) * SEC,
                });
}

static void make_idle(struct sim_target *script) {
}

/* Seeds of the runs, from that of the test: printed once. */
static uint64_t seeds[NR_SEEDS];

struct pattern {
        const char *name;
        void (*make)(struct sim_target *script);
        bool exact;             /* the working set is found, to 5 % */
        int nr_warm;            /* aggregations before the measurement */
        double most_checks;     /* times those of the model */
};

static const struct pattern patterns[] = {
        { "static", make_static, true, 15, 0.7 },
        { "moving", make_moving, false, 15, 1 },
        { "64 islands", make_64_islands, true, 15, 1.7 },
        { "256 islands", make_256_islands, true, 15, 11 },
        { "gradient", make_gradient, false, 15, 1.3 },
        { "needles", /* half of them cannot be told with so few regions */ make_needles, false, 60, 26 },
        { "bursts", make_bursts, false, 15, 0.75 },
        { "idle", make_idle, false, 15, 0.7 },
};

/* What one of both makes of a pattern. */
struct watch {
        struct rng rng;
        struct sim *sim;
        struct sim_target *script;
        struct damon_target *target;
        struct damon_engine *engine;    /* NULL with the model */
        struct kernel_model model;
        uint64_t nr_checked;
};

static struct watch *watch_new(const struct pattern *pattern, bool kernel, uint64_t seed) {
        const struct damon_range ranges[] = {
                { HEAP, HEAP + 256 * MIB }, { LIBS, LIBS + 2 * MIB }, { STACK, STACK + 132 * KIB },
        };
        struct watch *w = calloc(1, sizeof(*w));
        const struct damon_env env = { rng_below, &w->rng };
        struct damon_step step;

        assert_non_null(w);
        w->rng.state = seed;
        ASSERT_OK(sim_new(&w->sim));
        ASSERT_OK(sim_target_new(w->sim, pattern->name, &w->target, &w->script));
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                ASSERT_OK(sim_target_map(w->script, ranges[i], 0, SIM_NEVER));
        pattern->make(w->script);

        if (kernel) {
                ASSERT_OK(damon_target_update(w->target, ranges, ELEMENTSOF(ranges), SIM_PAGE_SIZE));
                ASSERT_OK(damon_target_divide(w->target, &attrs, SIM_PAGE_SIZE));
                w->model = (struct kernel_model) {
                        .attrs = attrs, .sim = w->sim, .target = w->target, .rng = { seed },
                };
                return w;
        }
        ASSERT_OK(damon_engine_new(&w->engine, &attrs, &sim_ops, w->sim, &env));
        ASSERT_OK(damon_engine_add_target(w->engine, w->target));
        ASSERT_OK(damon_engine_step(w->engine, 0, false, &step));
        return w;
}

static void watch_freep(struct watch **watch) {
        struct watch *w = *watch;

        if (w->engine)
                damon_engine_free(w->engine);
        else {
                kernel_model_done(&w->model);
                sim_ops.target_release(w->sim, w->target);
                damon_target_free(w->target);
        }
        sim_free(w->sim);
        free(w);
}

#define _cleanup_watch_ _cleanup_(watch_freep)

static void watch_aggregate(struct watch *w) {
        struct damon_step step;

        if (!w->engine) {
                ASSERT_OK(kernel_model_aggregate(&w->model));
                w->nr_checked = w->model.nr_checked;
                assert_sound(&w->target->regions, SIM_PAGE_SIZE);
                return;
        }
        do {
                ASSERT_OK(sim_advance(w->sim, attrs.sample_interval));
                step = step_sound(w->engine, 1, false, SIM_PAGE_SIZE);
                w->nr_checked += step.nr_checked;
        } while (!step.aggregated);
}

static double watch_error(const struct watch *w) {
        double error;

        ASSERT_OK(sim_target_error(w->script, &w->target->regions, damon_attrs_max_nr_accesses(&attrs),
                                   attrs.sample_interval, &error));
        return error;
}

static double watch_truth(const struct watch *w) {
        uint64_t now = sim_now(w->sim), size;

        ASSERT_OK(sim_target_working_set(w->script, now - attrs.aggregation_interval, now, &size));
        return (double) size;
}

/* Means over time and seeds. */
struct result {
        double error, wss[2], truth, nr_regions, nr_checked;
};

static const unsigned percents[] = { 50, 75 };

static struct result measure(const struct pattern *pattern, bool kernel) {
        struct result result = {};
        const double runs = NR_SEEDS, entries = runs * NR_MEASURED;

        for (size_t seed = 0; seed < NR_SEEDS; seed++) {
                _cleanup_watch_ struct watch *w = watch_new(pattern, kernel, seeds[seed]);
                double wss[NR_MEASURED];
                uint64_t before;

                for (int i = 0; i < pattern->nr_warm; i++)
                        watch_aggregate(w);
                before = w->nr_checked;
                for (size_t i = 0; i < NR_MEASURED; i++) {
                        watch_aggregate(w);
                        wss[i] = working_set(w->target, 1);
                        result.error += watch_error(w) / entries;
                        result.truth += watch_truth(w) / entries;
                        result.nr_regions += (double) w->target->regions.nr / entries;
                }
                result.nr_checked += (double) (w->nr_checked - before) / entries;
                for (size_t i = 0; i < ELEMENTSOF(percents); i++)
                        result.wss[i] += percentile(wss, NR_MEASURED, percents[i]) / runs;
        }
        return result;
}

static void print_result(const char *pattern, const char *who, const struct result *result) {
        print_message("%-12s %-7s error %.4f, working set %6.1f, %6.1f of %6.1f MiB, %4.0f regions, "
                      "%6.0f checks an aggregation\n", pattern, who, result->error,
                      result->wss[0] / MIB, result->wss[1] / MIB, result->truth / MIB,
                      result->nr_regions, result->nr_checked);
}

static void engine_is_nearer_to_the_truth(void **state) {
        const struct pattern *pattern = *state;
        struct result model = measure(pattern, true), engine = measure(pattern, false);

        print_result(pattern->name, "kernel", &model);
        print_result(pattern->name, "engine", &engine);
        assert_true(engine.error <= (model.error > 0.02 ? model.error / 2 : 0.02));
        if (pattern->exact)
                for (size_t i = 0; i < ELEMENTSOF(percents); i++)
                        assert_true(fabs(engine.wss[i] - engine.truth) <= 0.05 * engine.truth);
        assert_true(engine.nr_checked <= pattern->most_checks * model.nr_checked);
}

/* How long after each move the new place is known, in aggregations. */
static double time_to_find(bool kernel) {
        const struct pattern moving = { .name = "moving", .make = make_moving };
        double sum = 0;
        unsigned nr = 0;

        for (size_t seed = 0; seed < NR_SEEDS; seed++) {
                _cleanup_watch_ struct watch *w = watch_new(&moving, kernel, seeds[seed]);

                for (int move = 0; move < 15; move++) {
                        int found = 5;

                        for (int i = 0; i < 5; i++) {
                                double wss, truth;

                                watch_aggregate(w);
                                wss = working_set(w->target, 10);
                                truth = watch_truth(w);
                                if (found == 5 && watch_error(w) < 0.02 && wss > truth / 2 && wss < 2 * truth)
                                        found = i;
                        }
                        sum += found;
                        nr++;
                }
        }
        return sum / nr;
}

static void engine_finds_a_moved_window_as_fast(void **state) {
        double model = time_to_find(true), engine = time_to_find(false);

        print_message("found %.2f aggregations after a move by the kernel, %.2f by the engine\n", model,
                      engine);
        assert_true(engine <= model);
}

int main(void) {
        struct CMUnitTest tests[ELEMENTSOF(patterns) + 1] = {};
        struct rng rng = { test_seed() };

        for (size_t i = 0; i < NR_SEEDS; i++)
                seeds[i] = rng_next(&rng);
        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                tests[i] = (struct CMUnitTest) {
                        .name = patterns[i].name,
                        .test_func = engine_is_nearer_to_the_truth,
                        .initial_state = (void *) (uintptr_t) &patterns[i],
                };
        tests[ELEMENTSOF(patterns)] =
                (struct CMUnitTest) cmocka_unit_test(engine_finds_a_moved_window_as_fast);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
