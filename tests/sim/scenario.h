/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What the scenarios share: an engine on simulated memory, driven in virtual time, with the
 * promises of the engine looked after at every step.
 */

#include <damond/engine.h>

#include "invariants.h"
#include "macro.h"
#include "rng.h"
#include "sim.h"
#include "test.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MS UINT64_C(1000)
#define SEC UINT64_C(1000000)
#define ANY { 0, UINT64_MAX }

/* where a heap, mapped files and a stack would be */
#define HEAP UINT64_C(0x555500000000)
#define LIBS UINT64_C(0x7f0000000000)
#define STACK UINT64_C(0x7ffc00000000)

/* the defaults of the kernel and of damo */
static const struct damon_attrs default_attrs = {
        .sample_interval = 5 * MS, .aggregation_interval = 100 * MS, .update_interval = SEC,
        .min_regions = 10, .max_regions = 1000,
};

struct scenario {
        struct rng rng;
        struct sim *sim;
        struct damon_engine *engine;
        bool started;
};

static inline void scenario_free(struct scenario *s) {
        if (!s)
                return;
        damon_engine_free(s->engine);
        sim_free(s->sim);
        free(s);
}

static inline void scenario_freep(struct scenario **s) {
        scenario_free(*s);
}

#define _cleanup_scenario_ _cleanup_(scenario_freep)

static inline struct scenario *scenario_new(const struct damon_attrs *attrs) {
        struct scenario *s = calloc(1, sizeof(*s));
        struct damon_env env;

        assert_non_null(s);
        s->rng.state = test_seed();
        env = (struct damon_env) { rng_below, &s->rng };
        ASSERT_OK(sim_new(&s->sim));
        ASSERT_OK(damon_engine_new(&s->engine, attrs, &sim_ops, s->sim, &env));
        return s;
}

/** scenario_add() - a process with a heap of this size, some libraries and a stack */
static inline struct damon_target *scenario_add(struct scenario *s, const char *name,
                                                uint64_t heap, struct sim_target **ret_script) {
        const struct damon_range ranges[] = {
                { HEAP, HEAP + heap },
                { LIBS, LIBS + 2 * MIB },
                { STACK, STACK + 132 * KIB },
        };
        struct damon_target *target;

        ASSERT_OK(sim_target_new(s->sim, name, &target, ret_script));
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                ASSERT_OK(sim_target_map(*ret_script, ranges[i], 0, SIM_NEVER));
        ASSERT_OK(damon_engine_add_target(s->engine, target));
        return target;
}

static inline struct damon_step scenario_step(struct scenario *s) {
        uint64_t nr_passed = s->started ? 1 : 0;

        if (s->started)
                ASSERT_OK(sim_advance(s->sim, damon_engine_attrs(s->engine)->sample_interval));
        s->started = true;
        return step_sound(s->engine, nr_passed, false, SIM_PAGE_SIZE);
}

/** scenario_adjust() - adjust the schemes if that is due, and count each kind of news */
static inline void scenario_adjust(struct scenario *s, const struct damos_meter *meter,
                                   unsigned nr_news[static DAMOS_GOALS_FOUND + 1]) {
        const struct damos *scheme;
        enum damos_news news;

        if (sim_now(s->sim) < damon_engine_adjust_at(s->engine))
                return;
        while ((news = damon_engine_adjust(s->engine, meter, sim_now(s->sim), &scheme)) != DAMOS_NO_NEWS) {
                assert_int_equal(scheme->wake.asleep, news == DAMOS_FELL_ASLEEP);
                nr_news[news]++;
        }
}

/** scenario_aggregate() - go on until an aggregation has ended */
static inline void scenario_aggregate(struct scenario *s) {
        while (!scenario_step(s).aggregated)
                ;
}

/** scenario_run() - go on for some time */
static inline void scenario_run(struct scenario *s, uint64_t us) {
        uint64_t end = sim_now(s->sim) + us;

        while (sim_now(s->sim) < end)
                scenario_step(s);
}

/** scenario_error() - mean absolute error of what is known of a target now */
static inline double scenario_error(const struct scenario *s, const struct damon_target *target,
                                    const struct sim_target *script) {
        const struct damon_attrs *attrs = damon_engine_attrs(s->engine);
        double error;

        ASSERT_OK(sim_target_error(script, &target->regions, damon_attrs_max_nr_accesses(attrs),
                                   attrs->sample_interval, &error));
        return error;
}

/** scenario_truth() - the working set of the last aggregation, bytes */
static inline double scenario_truth(const struct scenario *s, const struct sim_target *script) {
        uint64_t now = sim_now(s->sim), size;

        ASSERT_OK(sim_target_working_set(
                script, now - damon_engine_attrs(s->engine)->aggregation_interval, now, &size));
        return (double) size;
}

/** working_set() - bytes of the regions that were accessed at so many checks, or more */
static inline double working_set(const struct damon_target *target, uint32_t nr_accesses) {
        uint64_t size = 0;

        for (size_t i = 0; i < target->regions.nr; i++)
                if (target->regions.items[i].nr_accesses >= nr_accesses)
                        size += damon_range_size(&target->regions.items[i].range);
        return (double) size;
}

static inline struct damos make_scheme(const char *name, enum damos_action action) {
        return (struct damos) {
                .name = (char *) (uintptr_t) name, .action = action, .pattern = { ANY, ANY, ANY },
        };
}

static inline const struct damos_stat *scenario_stat(const struct scenario *s, size_t i) {
        size_t nr;
        const struct damos *schemes = damon_engine_schemes(s->engine, &nr);

        assert_true(i < nr);
        return &schemes[i].stat;
}

static inline int compare_double(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return x < y ? -1 : x > y;
}

/** percentile() - of values that are sorted in place, counted as in the kernel's selftests */
static inline double percentile(double *values, size_t nr, unsigned percent) {
        size_t i = nr * percent / 100;

        qsort(values, nr, sizeof(*values), compare_double);
        return values[MIN(i, nr - 1)];
}
