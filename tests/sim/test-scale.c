/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine itself costs must not depend on how much it watches: work for a sample, and no
 * allocation once it has settled. Operations that do nothing leave nothing else to measure.
 * Time is compared only where it is a count of instructions: tests/vm/test-scale says so by
 * DAMOND_ICOUNT=1.
 */

#include <time.h>

#include "scenario.h"

#define TIB (UINT64_C(1) << 40)

static size_t nr_allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t nr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t nr, size_t size);

void *__wrap_malloc(size_t size) {
        nr_allocations++;
        return __real_malloc(size);
}

void *__wrap_calloc(size_t nr, size_t size) {
        nr_allocations++;
        return __real_calloc(nr, size);
}

void *__wrap_realloc(void *p, size_t size) {
        nr_allocations++;
        return __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t nr, size_t size) {
        nr_allocations++;
        return __real_reallocarray(p, nr, size);
}

/* Memory of a size, in which @nr_hot parts in 64 of it are hot, all the time. */
struct plain {
        struct damon_range mapping;
        uint64_t nr_hot;
        size_t nr_calls;
        size_t nr_random;
        struct rng rng;
};

static int plain_mappings(void *data, struct damon_target *target, const struct damon_range **ret_mappings,
                          size_t *ret_nr) {
        struct plain *plain = data;

        *ret_mappings = &plain->mapping;
        *ret_nr = 1;
        return 0;
}

static int plain_mark(void *data, struct damon_sample *samples, size_t nr) {
        struct plain *plain = data;

        plain->nr_calls++;
        return 0;
}

static int plain_check(void *data, struct damon_sample *samples, size_t nr) {
        struct plain *plain = data;
        uint64_t part = damon_range_size(&plain->mapping) / 64;

        plain->nr_calls++;
        for (size_t i = 0; i < nr; i++)
                samples[i].outcome = (samples[i].addr - plain->mapping.start) / part < plain->nr_hot ?
                                     DAMON_ACCESSED : DAMON_IDLE;
        return 0;
}

static int plain_apply(void *data, struct damon_target *target, enum damos_action action,
                       struct damos_try *tries, size_t nr, uint64_t limit, uint64_t *ret_time) {
        return 0;
}

static void plain_target_release(void *data, struct damon_target *target) {
}

static const struct damon_ops plain_ops = {
        .name = "plain",
        .actions = DAMOS_ACTION_BIT(DAMOS_COLD),
        .page_size = SIM_PAGE_SIZE,
        .mappings = plain_mappings,
        .mark = plain_mark,
        .check = plain_check,
        .apply = plain_apply,
        .target_release = plain_target_release,
};

static uint64_t plain_random(void *userdata, uint64_t bound) {
        struct plain *plain = userdata;

        plain->nr_random++;
        return rng_below(&plain->rng, bound);
}

struct watch {
        struct plain plain;
        struct damon_engine *engine;
        uint64_t nr_marked, nr_steps;
};

static void watch_freep(struct watch **watch) {
        damon_engine_free((*watch)->engine);
        free(*watch);
}

#define _cleanup_watch_ _cleanup_(watch_freep)

/* So many samples, up to the end of an aggregation. */
static void run(struct watch *w, uint64_t nr_samples) {
        struct damon_step step = {};

        w->nr_marked = w->nr_steps = 0;
        w->plain.nr_calls = w->plain.nr_random = 0;
        while (w->nr_marked < nr_samples || !step.aggregated) {
                ASSERT_OK(damon_engine_step(w->engine, 1, false, &step));
                w->nr_marked += step.nr_marked;
                w->nr_steps++;
        }
}

static void run_aggregations(struct watch *w, int nr) {
        struct damon_step step;

        while (nr > 0) {
                ASSERT_OK(damon_engine_step(w->engine, 1, false, &step));
                nr -= step.aggregated;
        }
}

/* Settled by so many aggregations. */
static struct watch *watch_new(size_t nr_targets, uint64_t size, int nr_aggregations) {
        struct watch *w = calloc(1, sizeof(*w));
        const struct damon_env env = { plain_random, &w->plain };
        struct damos schemes[] = { make_scheme("cold", DAMOS_COLD), make_scheme("all", DAMOS_STAT) };

        assert_non_null(w);
        w->plain = (struct plain) { .mapping = { HEAP, HEAP + size }, .nr_hot = 5, .rng = { 1 } };
        ASSERT_OK(damon_engine_new(&w->engine, &default_attrs, &plain_ops, &w->plain, &env));
        schemes[0].pattern.nr_accesses.max = 0;
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, ELEMENTSOF(schemes)));
        for (size_t i = 0; i < nr_targets; i++) {
                struct damon_target *target;

                ASSERT_OK(damon_target_new(&target, "t", (pid_t) i + 1));
                ASSERT_OK(damon_engine_add_target(w->engine, target));
        }
        run_aggregations(w, nr_aggregations);
        return w;
}

/* CPU time for a sample, nanoseconds */
static double time_of(struct watch *w) {
        struct timespec from, until;

        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from), 0);
        run(w, 430000);
        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &until), 0);
        return ((double) (until.tv_sec - from.tv_sec) * 1e9 + (double) (until.tv_nsec - from.tv_nsec)) /
               (double) w->nr_marked;
}

static void work_for_a_sample_is_the_same(void **state) {
        _cleanup_watch_ struct watch *one = watch_new(1, GIB, 8), *large = watch_new(1, 16 * TIB, 8);
        _cleanup_watch_ struct watch *many = watch_new(1000, GIB, 8);
        struct watch *const all[] = { one, large, many };
        static const char *const names[] = {
                "1 target of 1 GiB", "1 target of 16 TiB", "1000 targets of 1 GiB",
        };
        double ns[ELEMENTSOF(all)];

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                ns[i] = time_of(all[i]);
                print_message("%s: %.0f ns a sample, %zu regions\n", names[i], ns[i],
                              damon_engine_nr_regions(all[i]->engine));
                /* a page is drawn for a sample, or known; the operations are called twice a step */
                assert_true(all[i]->plain.nr_random <= all[i]->nr_marked);
                assert_true(all[i]->plain.nr_calls <= 2 * all[i]->nr_steps);
        }
        if (!getenv("DAMOND_ICOUNT"))
                return;
        assert_true(ns[1] <= 1.5 * ns[0]);
        assert_true(ns[2] <= 1.5 * ns[0]);
}

/* The same memory is known by as many regions, however large it is. */
static void regions_do_not_depend_on_size(void **state) {
        _cleanup_watch_ struct watch *one = watch_new(1, GIB, 30), *large = watch_new(1, 16 * TIB, 30);

        assert_in_range(damon_engine_nr_regions(large->engine), 10,
                        damon_engine_nr_regions(one->engine) * 3 / 2);
}

static void settled_engine_allocates_nothing(void **state) {
        static const size_t nr_targets[] = { 1, 100 };

        for (size_t i = 0; i < ELEMENTSOF(nr_targets); i++) {
                _cleanup_watch_ struct watch *w = watch_new(nr_targets[i], GIB, 30);
                size_t before;

                run_aggregations(w, 200);
                before = nr_allocations;
                /* and 10 updates that find the same mappings */
                run_aggregations(w, 100);
                assert_int_equal(nr_allocations - before, 0);
        }
}

/* Each update that finds other mappings makes the regions anew, and does nothing beyond that. */
static void changed_mappings_cost_an_allocation_an_update(void **state) {
        _cleanup_watch_ struct watch *w = watch_new(1, GIB, 30);
        size_t before;

        run_aggregations(w, 200);
        before = nr_allocations;
        for (int i = 0; i < 20; i++) {
                w->plain.mapping.end += MIB;
                run_aggregations(w, 10);
        }
        print_message("%zu allocations in 20 updates\n", nr_allocations - before);
        assert_in_range(nr_allocations - before, 1, 60);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(work_for_a_sample_is_the_same),
                cmocka_unit_test(regions_do_not_depend_on_size),
                cmocka_unit_test(settled_engine_allocates_nothing),
                cmocka_unit_test(changed_mappings_cost_an_allocation_an_update),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
