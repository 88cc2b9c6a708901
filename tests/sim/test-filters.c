/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters of addresses and targets at work: what is acted on, what is counted, and what of a quota is left. */

#include "scenario.h"

/* A piece in the middle of the heap that has no border in common with any region */
#define KEPT_START (HEAP + 77 * MIB + 4 * KIB)
#define KEPT_END (HEAP + 101 * MIB - 4 * KIB)

static const struct damos_filter kept = {
        .type = DAMOS_FILTER_ADDR, .matching = true, .addr = { KEPT_START, KEPT_END },
};

static char name_b[] = "b";

static struct damos filtered(enum damos_action action, struct damos_filter *items, size_t nr) {
        struct damos scheme = make_scheme("filtered", action);

        scheme.filters = (struct damos_filters) { items, nr };
        return scheme;
}

/* Bytes that were done inside of a range of one target, or of all if it is NULL. */
static uint64_t done_in(const struct scenario *s, const struct damon_target *target, struct damon_range range) {
        uint64_t size = 0;
        size_t nr;
        const struct sim_act *acts = sim_acts(s->sim, &nr);

        for (size_t i = 0; i < nr; i++) {
                uint64_t start = MAX(acts[i].range.start, range.start), end = MIN(acts[i].range.end, range.end);

                if (start < end && (!target || acts[i].target == target))
                        size += end - start;
        }
        return size;
}

/* One target "a", and nothing but this scheme, for some time. */
static struct scenario *run_one(const struct damos *scheme, uint64_t heap, uint64_t us) {
        struct scenario *s = scenario_new(&default_attrs);
        struct sim_target *script;

        scenario_add(s, "a", heap, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, scheme, 1));
        scenario_run(s, us);
        return s;
}

static const struct damon_range everything = { 0, UINT64_MAX };

static void rejected_addresses_are_left_alone_to_the_page(void **state) {
        struct damos_filter items[] = { kept };
        const struct damos pageout = filtered(DAMOS_PAGEOUT, items, 1);
        _cleanup_scenario_ struct scenario *s = run_one(&pageout, 256 * MIB, 2 * SEC);

        assert_int_equal(done_in(s, NULL, (struct damon_range) { KEPT_START, KEPT_END }), 0);
        assert_true(done_in(s, NULL, (struct damon_range) { HEAP, KEPT_START }) >= KEPT_START - HEAP);
        assert_true(done_in(s, NULL, (struct damon_range) { KEPT_END, HEAP + 256 * MIB }) >= HEAP + 256 * MIB - KEPT_END);
        assert_true(scenario_stat(s, 0)->sz_filtered >= KEPT_END - KEPT_START);
        assert_int_equal(scenario_stat(s, 0)->sz_filtered % (KEPT_END - KEPT_START), 0);
        assert_int_equal(scenario_stat(s, 0)->sz_tried, scenario_stat(s, 0)->sz_applied);
}

static void nothing_but_what_is_allowed_is_done(void **state) {
        struct damos_filter items[] = {
                { .type = DAMOS_FILTER_ADDR, .matching = true, .allow = true, .addr = { KEPT_START, KEPT_END } },
        };
        const struct damos pageout = filtered(DAMOS_PAGEOUT, items, 1);
        _cleanup_scenario_ struct scenario *s = run_one(&pageout, 256 * MIB, 2 * SEC);

        assert_true(done_in(s, NULL, everything) > 0);
        assert_int_equal(done_in(s, NULL, everything),
                         done_in(s, NULL, (struct damon_range) { KEPT_START, KEPT_END }));
}

static void rejected_target_is_left_alone(void **state) {
        struct damos_filter items[] = {
                { .type = DAMOS_FILTER_TARGET, .matching = true, .text = name_b },
        };
        const struct damos cold = filtered(DAMOS_COLD, items, 1);
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damon_target *a, *b;
        struct sim_target *script;

        a = scenario_add(s, "a", 64 * MIB, &script);
        b = scenario_add(s, "b", 64 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        scenario_run(s, SEC);
        assert_true(done_in(s, a, everything) >= 64 * MIB);
        assert_int_equal(done_in(s, b, everything), 0);
        assert_int_equal(scenario_stat(s, 0)->sz_filtered, scenario_stat(s, 0)->sz_tried);
}

/* What a filter has decided does not come to those behind it. */
static void order_of_the_list_decides(void **state) {
        struct damos_filter items[] = {
                { .type = DAMOS_FILTER_ADDR, .matching = true, .allow = true, .addr = { HEAP, HEAP + 32 * MIB } },
                { .type = DAMOS_FILTER_ADDR, .matching = true, .allow = false, .addr = { HEAP, HEAP + 64 * MIB } },
                { .type = DAMOS_FILTER_ADDR, .matching = true, .allow = true, .addr = { HEAP, HEAP + 96 * MIB } },
        };
        const struct damos cold = filtered(DAMOS_COLD, items, ELEMENTSOF(items));
        _cleanup_scenario_ struct scenario *s = run_one(&cold, 128 * MIB, 250 * MS);

        assert_true(done_in(s, NULL, (struct damon_range) { HEAP, HEAP + 32 * MIB }) >= 32 * MIB);
        assert_int_equal(done_in(s, NULL, (struct damon_range) { HEAP + 32 * MIB, HEAP + 64 * MIB }), 0);
        assert_true(done_in(s, NULL, (struct damon_range) { HEAP + 64 * MIB, HEAP + 96 * MIB }) >= 32 * MIB);
        assert_int_equal(done_in(s, NULL, (struct damon_range) { HEAP + 96 * MIB, UINT64_MAX }), 0);
}

/* Nine tenths of what matches are rejected; the rest gets the whole quota all the same. */
static void what_is_rejected_uses_up_no_quota(void **state) {
        struct damos_filter items[] = {
                { .type = DAMOS_FILTER_ADDR, .matching = true, .addr = { HEAP, HEAP + 900 * MIB } },
        };
        struct damos pageout = filtered(DAMOS_PAGEOUT, items, 1);
        _cleanup_scenario_ struct scenario *s = NULL;

        pageout.quota = (struct damos_quota) { .size = 10 * MIB, .interval = SEC, .weights = { 0, 1, 1 } };
        s = run_one(&pageout, 1000 * MIB, 8 * SEC);
        print_message("%u MiB done, %u MiB filtered\n", (unsigned) (scenario_stat(s, 0)->sz_applied / MIB),
                      (unsigned) (scenario_stat(s, 0)->sz_filtered / MIB));
        assert_in_range(scenario_stat(s, 0)->sz_applied, 9 * 8 * MIB, 10 * 8 * MIB);
        assert_int_equal(done_in(s, NULL, (struct damon_range) { HEAP, HEAP + 900 * MIB }), 0);
}

/* A scheme that only counts counts what passes, and its regions stay as they are. */
static void counting_leaves_regions_whole(void **state) {
        struct damos_filter items[] = { kept };
        const struct damos schemes[] = { filtered(DAMOS_STAT, items, 1), make_scheme("all", DAMOS_STAT) };
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);
        const struct damos_stat *some, *all;
        struct sim_target *script;

        scenario_add(s, "a", 256 * MIB, &script);
        ASSERT_OK(damon_engine_set_schemes(s->engine, schemes, 2));
        scenario_run(s, 2 * SEC);
        some = scenario_stat(s, 0);
        all = scenario_stat(s, 1);
        assert_true(some->sz_filtered > 0);
        assert_int_equal(some->sz_tried + some->sz_filtered, all->sz_tried);
        assert_int_equal(some->sz_applied, 0);
}

static void filters_that_need_a_look_are_refused_where_there_is_none(void **state) {
        _cleanup_scenario_ struct scenario *s = scenario_new(&default_attrs);

        for (int type = 0; type < _DAMOS_FILTER_TYPE_MAX; type++) {
                struct damos_filter one = { .type = (enum damos_filter_type) type, .text = name_b };
                const struct damos scheme = filtered(DAMOS_STAT, &one, 1);
                int r = damon_engine_set_schemes(s->engine, &scheme, 1);

                assert_int_equal(r, DAMOS_FILTERS_PURE & DAMOS_FILTER_BIT(type) ? 0 : -ENOTSUP);
        }
}

static void reload_with_other_filters_begins_anew(void **state) {
        struct damos_filter items[] = { kept };
        const struct damos cold = filtered(DAMOS_COLD, items, 1);
        _cleanup_scenario_ struct scenario *s = run_one(&cold, 256 * MIB, SEC);
        uint64_t sz_filtered = scenario_stat(s, 0)->sz_filtered;

        assert_true(sz_filtered > 0);
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        assert_int_equal(scenario_stat(s, 0)->sz_filtered, sz_filtered);
        items[0].allow = true;
        ASSERT_OK(damon_engine_set_schemes(s->engine, &cold, 1));
        assert_int_equal(scenario_stat(s, 0)->sz_filtered, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(rejected_addresses_are_left_alone_to_the_page),
                cmocka_unit_test(nothing_but_what_is_allowed_is_done),
                cmocka_unit_test(rejected_target_is_left_alone),
                cmocka_unit_test(order_of_the_list_decides),
                cmocka_unit_test(what_is_rejected_uses_up_no_quota),
                cmocka_unit_test(counting_leaves_regions_whole),
                cmocka_unit_test(filters_that_need_a_look_are_refused_where_there_is_none),
                cmocka_unit_test(reload_with_other_filters_begins_anew),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
