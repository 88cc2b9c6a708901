/* SPDX-License-Identifier: GPL-2.0-only */
/* The breakdown: which of several things counts, and that nothing is lost or counted twice. */

#include <damond/breakdown.h>

#include <damond/ops.h>
#include <damond/scheme.h>

#include "macro.h"
#include "rng.h"
#include "test.h"

#define PAGE UINT64_C(4096)
#define ANY { 0, UINT64_MAX }

static const struct damon_attrs attrs = {
        .sample_interval = 5000, .aggregation_interval = 100000, .update_interval = 1000000,
        .min_regions = 10, .max_regions = 1000,
};

static char name_it[] = "it", name_other[] = "other";
static char *only_other[] = { name_other };

/* cold for two seconds, and at least four pages */
static const struct damos cold = {
        .name = name_it, .action = DAMOS_PAGEOUT,
        .pattern = { { 4 * PAGE, UINT64_MAX }, { 0, 0 }, { 2000000, UINT64_MAX } },
};

static const struct damon_region match = { .range = { 0, 10 * PAGE }, .age = 20 };

static void what_holds_back(void **state) {
        struct damon_region r = match;

        assert_int_equal(damos_hold(&cold, &r, &attrs), DAMOS_HOLD_NONE);
        r.age = 19;
        assert_int_equal(damos_hold(&cold, &r, &attrs), DAMOS_HOLD_AGE);
        r.range.end = 3 * PAGE;
        assert_int_equal(damos_hold(&cold, &r, &attrs), DAMOS_HOLD_SIZE);
        r.accessed = true;              /* too rarely to show */
        assert_int_equal(damos_hold(&cold, &r, &attrs), DAMOS_HOLD_NR_ACCESSES);
        r.absent = true;
        assert_int_equal(damos_hold(&cold, &r, &attrs), DAMOS_HOLD_ABSENT);
        r.unknown = true;
        assert_int_equal(damos_hold(&cold, &r, &attrs), DAMOS_HOLD_UNKNOWN);
}

static void upper_limits_hold_back_as_lower_ones_do(void **state) {
        struct damos scheme = cold;
        struct damon_region r = match;

        scheme.pattern = (struct damos_access_pattern) { { 0, 9 * PAGE }, { 3, 3 }, { 0, 1000000 } };
        assert_int_equal(damos_hold(&scheme, &r, &attrs), DAMOS_HOLD_NR_ACCESSES);
        r.nr_accesses = 3;
        assert_int_equal(damos_hold(&scheme, &r, &attrs), DAMOS_HOLD_SIZE);
        r.range.end = 9 * PAGE;
        assert_int_equal(damos_hold(&scheme, &r, &attrs), DAMOS_HOLD_AGE);
        r.age = 10;
        assert_int_equal(damos_hold(&scheme, &r, &attrs), DAMOS_HOLD_NONE);
}

static void what_holds_back_has_a_name(void **state) {
        for (size_t i = DAMOS_HOLD_NONE + 1; i < _DAMOS_HOLD_MAX; i++)
                for (size_t k = DAMOS_HOLD_NONE + 1; k <= i; k++)
                        assert_int_equal(strcmp(damos_hold_to_string((enum damos_hold) i),
                                                damos_hold_to_string((enum damos_hold) k)) == 0, i == k);
}

static struct damon_target *target_of(const struct damon_region *regions, size_t nr) {
        struct damon_target *target;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        for (size_t i = 0; i < nr; i++) {
                ASSERT_OK(damon_regions_append(&target->regions, regions[i].range));
                target->regions.items[i] = regions[i];
        }
        return target;
}

static void assert_part(const struct damos_breakdown *breakdown, enum damos_hold hold, uint64_t nr,
                        uint64_t nr_pages, uint64_t nr_in_memory) {
        const struct damos_part *part = &breakdown->parts[hold];

        assert_int_equal(part->nr, nr);
        assert_int_equal(part->size, nr_pages * PAGE);
        assert_int_equal(part->in_memory, nr_in_memory * PAGE);
}

static void parts_are_counted_in_addresses_and_in_memory(void **state) {
        const struct damon_region regions[] = {
                { .range = { 0, 10 * PAGE }, .age = 20 },
                { .range = { 10 * PAGE, 15 * PAGE }, .age = 7 },
                { .range = { 15 * PAGE, 30 * PAGE }, .nr_accesses = 1, .age = 50 },
                { .range = { 30 * PAGE, 37 * PAGE }, .age = 12 },
                { .range = { 37 * PAGE, 38 * PAGE }, .age = 90 },
        };
        const struct damon_range resident[] = { { 4 * PAGE, 12 * PAGE }, { 20 * PAGE, 100 * PAGE } };
        struct damon_target *target = target_of(regions, ELEMENTSOF(regions));
        struct damos_breakdown breakdown = {};

        damos_breakdown_add(&breakdown, &cold, target, &attrs);
        assert_part(&breakdown, DAMOS_HOLD_NONE, 1, 10, 10);
        assert_part(&breakdown, DAMOS_HOLD_AGE, 2, 12, 12);
        assert_int_equal(breakdown.age, 1200000);
        assert_part(&breakdown, DAMOS_HOLD_NR_ACCESSES, 1, 15, 15);
        assert_part(&breakdown, DAMOS_HOLD_SIZE, 1, 1, 1);
        assert_part(&breakdown, DAMOS_HOLD_TARGET, 0, 0, 0);

        ASSERT_OK(damon_residency_set(&target->residency, resident, ELEMENTSOF(resident)));
        damos_breakdown_add(&breakdown, &cold, target, &attrs);
        assert_part(&breakdown, DAMOS_HOLD_NONE, 2, 20, 10 + 6);
        assert_part(&breakdown, DAMOS_HOLD_AGE, 4, 24, 12 + 2 + 7);
        assert_part(&breakdown, DAMOS_HOLD_NR_ACCESSES, 2, 30, 15 + 10);
        damon_target_free(target);
}

static void other_targets_are_one_part(void **state) {
        const struct damon_region regions[] = {
                { .range = { 0, 10 * PAGE }, .age = 20 },
                { .range = { 15 * PAGE, 30 * PAGE }, .nr_accesses = 1, .age = 50 },
        };
        const struct damon_range resident[] = { { 4 * PAGE, 12 * PAGE } };
        struct damon_target *target = target_of(regions, ELEMENTSOF(regions));
        struct damos_breakdown breakdown = {};
        struct damos scheme = cold;

        scheme.targets = only_other;
        scheme.nr_targets = 1;
        damos_breakdown_add(&breakdown, &scheme, target, &attrs);
        assert_part(&breakdown, DAMOS_HOLD_TARGET, 2, 25, 25);
        ASSERT_OK(damon_residency_set(&target->residency, resident, ELEMENTSOF(resident)));
        damos_breakdown_add(&breakdown, &scheme, target, &attrs);
        assert_part(&breakdown, DAMOS_HOLD_TARGET, 4, 50, 25 + 8);
        assert_part(&breakdown, DAMOS_HOLD_NONE, 0, 0, 0);
        damon_target_free(target);
}

/* Whatever the regions are: each byte is in one part, and what matches is what damos_matches() says. */
static void parts_make_up_the_whole(void **state) {
        struct rng rng = { .state = test_seed() };

        for (int round = 0; round < 200; round++) {
                struct damon_region regions[50] = {};
                struct damos_breakdown breakdown = {};
                uint64_t nr = 0, size = 0, at = 0, sz_matching = 0;
                struct damon_target *target;
                struct damos scheme = cold;

                scheme.action = (enum damos_action) rng_below(&rng, _DAMOS_ACTION_MAX);
                for (size_t i = 0; i < ELEMENTSOF(regions); i++) {
                        uint64_t length = (1 + rng_below(&rng, 8)) * PAGE;

                        regions[i] = (struct damon_region) {
                                .range = { at, at + length }, .age = (uint32_t) rng_below(&rng, 40),
                                .nr_accesses = (uint32_t) rng_below(&rng, 2),
                                .absent = rng_below(&rng, 4) == 0, .unknown = rng_below(&rng, 4) == 0,
                        };
                        at += length;
                        sz_matching += damos_matches(&scheme, &regions[i], &attrs) ? length : 0;
                }
                target = target_of(regions, ELEMENTSOF(regions));
                damos_breakdown_add(&breakdown, &scheme, target, &attrs);
                for (size_t i = 0; i < _DAMOS_HOLD_MAX; i++) {
                        nr += breakdown.parts[i].nr;
                        size += breakdown.parts[i].size;
                }
                assert_int_equal(nr, ELEMENTSOF(regions));
                assert_int_equal(size, at);
                assert_int_equal(breakdown.parts[DAMOS_HOLD_NONE].size, sz_matching);
                damon_target_free(target);
        }
}

/* Finds every other page of what it is asked about to be what filters hold back. */
static int every_other_page(void *data, struct damon_target *target, enum damos_action action,
                            struct damos_try *tries, size_t nr, uint64_t limit, uint64_t *ret_time) {
        int *error = data;

        assert_int_equal(action, DAMOS_STAT);
        for (size_t i = 0; i < nr; i++)
                tries[i].sz_filtered = damon_range_size(&tries[i].range) / PAGE / 2 * PAGE;
        *ret_time = 0;
        return *error;
}

static void what_filters_hold_back_is_asked_where_addresses_do_not_tell(void **state) {
        const struct damon_region regions[] = {
                { .range = { 0, 10 * PAGE }, .age = 20 },
                { .range = { 10 * PAGE, 20 * PAGE }, .age = 7 },
                { .range = { 20 * PAGE, 30 * PAGE }, .age = 90 },
        };
        static struct damos_filter items[] = {
                { .type = DAMOS_FILTER_ADDR, .matching = true, .addr = { 4 * PAGE, 15 * PAGE } },
                { .type = DAMOS_FILTER_ANON, .matching = true },
        };
        const struct damon_ops ops = { .page_size = PAGE, .apply = every_other_page };
        struct damon_target *target = target_of(regions, ELEMENTSOF(regions));
        struct damos scheme = cold;
        uint64_t size = 42;
        int error = 0;

        /* six pages of the first region by their address, and of what is left and of the third a half */
        scheme.filters = (struct damos_filters) { items, ELEMENTSOF(items) };
        ASSERT_OK(damos_breakdown_filtered(&scheme, target, &attrs, &ops, &error, &size));
        assert_int_equal(size, (6 + 2 + 5) * PAGE);

        error = -EIO;
        assert_int_equal(damos_breakdown_filtered(&scheme, target, &attrs, &ops, &error, &size), -EIO);
        /* nobody is asked what addresses tell */
        scheme.filters.nr = 1;
        ASSERT_OK(damos_breakdown_filtered(&scheme, target, &attrs, &ops, &error, &size));
        assert_int_equal(size, 6 * PAGE);
        damon_target_free(target);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_holds_back),
                cmocka_unit_test(upper_limits_hold_back_as_lower_ones_do),
                cmocka_unit_test(what_holds_back_has_a_name),
                cmocka_unit_test(parts_are_counted_in_addresses_and_in_memory),
                cmocka_unit_test(other_targets_are_one_part),
                cmocka_unit_test(parts_make_up_the_whole),
                cmocka_unit_test(what_filters_hold_back_is_asked_where_addresses_do_not_tell),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
