/* SPDX-License-Identifier: GPL-2.0-only */
/* Schemes: names of actions, copies, and the edges of what a scheme matches. */

#include <damond/scheme.h>

#include "macro.h"
#include "test.h"

#define PAGE UINT64_C(4096)

static const struct damon_attrs attrs = {
        .sample_interval = 5000, .aggregation_interval = 100000, .update_interval = 1000000,
        .min_regions = 10, .max_regions = 1000,
};

#define ANY { 0, UINT64_MAX }

static char any_name[] = "any";

static const struct damos any = {
        .name = any_name, .action = DAMOS_PAGEOUT, .pattern = { ANY, ANY, ANY },
};

static const struct damon_region region = {
        .range = { 0, 10 * PAGE }, .nr_accesses = 5, .age = 30,
};

static void names_of_actions_are_those_of_the_configuration(void **state) {
        static const char *const names[_DAMOS_ACTION_MAX] = {
                "willneed", "cold", "pageout", "hugepage", "nohugepage", "stat", "hugepage_hint",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                enum damos_action action = _DAMOS_ACTION_MAX;

                assert_string_equal(damos_action_to_string((enum damos_action) i), names[i]);
                ASSERT_OK(damos_action_from_string(names[i], &action));
                assert_int_equal(action, i);
        }
}

static void numbers_of_actions_are_those_of_the_first_interface(void **state) {
        assert_int_equal(DAMOS_WILLNEED, 0);
        assert_int_equal(DAMOS_COLD, 1);
        assert_int_equal(DAMOS_PAGEOUT, 2);
        assert_int_equal(DAMOS_HUGEPAGE, 3);
        assert_int_equal(DAMOS_NOHUGEPAGE, 4);
        assert_int_equal(DAMOS_STAT, 5);
        assert_int_equal(DAMOS_ACTION_BIT(DAMOS_PAGEOUT), 4);
}

static void other_names_are_no_actions(void **state) {
        static const char *const names[] = {
                "", "Pageout", "page", "pageout ", "lru_prio", "statt",
        };
        enum damos_action action = _DAMOS_ACTION_MAX;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ASSERT_ERROR(damos_action_from_string(names[i], &action), EINVAL);
        assert_int_equal(action, _DAMOS_ACTION_MAX);
}

static bool matches_age(uint64_t min, uint64_t max, uint32_t age) {
        struct damos scheme = any;
        struct damon_region r = region;

        scheme.pattern.age = (struct damos_limits) { min, max };
        r.age = age;
        return damos_matches(&scheme, &r, &attrs);
}

static bool matches_size(uint64_t min, uint64_t max) {
        struct damos scheme = any;

        scheme.pattern.size = (struct damos_limits) { min, max };
        return damos_matches(&scheme, &region, &attrs);
}

static bool matches_nr_accesses(uint64_t min, uint64_t max) {
        struct damos scheme = any;

        scheme.pattern.nr_accesses = (struct damos_limits) { min, max };
        return damos_matches(&scheme, &region, &attrs);
}

static void limits_are_closed(void **state) {
        assert_true(damos_matches(&any, &region, &attrs));

        assert_true(matches_size(10 * PAGE, 10 * PAGE));
        assert_false(matches_size(10 * PAGE + 1, UINT64_MAX));
        assert_false(matches_size(0, 10 * PAGE - 1));

        assert_true(matches_nr_accesses(5, 5));
        assert_false(matches_nr_accesses(6, UINT64_MAX));
        assert_false(matches_nr_accesses(0, 4));

        assert_true(matches_age(3000000, 3000000, 30));
        assert_false(matches_age(3000001, UINT64_MAX, 30));
        assert_false(matches_age(0, 2999999, 30));
}

static void one_limit_that_fails_is_enough(void **state) {
        struct damos scheme = any;

        scheme.pattern.size = (struct damos_limits) { 0, 10 * PAGE };
        scheme.pattern.nr_accesses = (struct damos_limits) { 5, 5 };
        scheme.pattern.age = (struct damos_limits) { 1, 2 };
        assert_false(damos_matches(&scheme, &region, &attrs));
        scheme.pattern.age.max = UINT64_MAX;
        assert_true(damos_matches(&scheme, &region, &attrs));
}

static void age_is_counted_in_aggregation_intervals(void **state) {
        struct damos scheme = any;
        struct damon_attrs slow = attrs;

        scheme.pattern.age = (struct damos_limits) { 5000000, UINT64_MAX };
        assert_false(damos_matches(&scheme, &region, &attrs));          /* 30 * 100 ms */
        slow.aggregation_interval = 200000;
        assert_true(damos_matches(&scheme, &region, &slow));            /* 30 * 200 ms */
        assert_false(matches_age(5000000, UINT64_MAX, 49));
        assert_true(matches_age(5000000, UINT64_MAX, 50));
        assert_false(matches_age(4950000, 4999999, 50));                /* between two ages */
        assert_false(matches_age(4950000, 4999999, 49));
}

static void age_that_overflows_is_the_oldest(void **state) {
        struct damos scheme = any;
        struct damon_attrs slow = attrs;
        struct damon_region r = region;

        r.age = UINT32_MAX;
        slow.aggregation_interval = UINT64_C(1) << 40;
        scheme.pattern.age = (struct damos_limits) { UINT64_MAX, UINT64_MAX };
        assert_true(damos_matches(&scheme, &r, &slow));
}

static void unknown_is_matched_by_stat_alone(void **state) {
        struct damon_region r = region;

        r.unknown = true;
        for (size_t i = 0; i < _DAMOS_ACTION_MAX; i++) {
                struct damos scheme = any;

                scheme.action = (enum damos_action) i;
                assert_true(damos_matches(&scheme, &region, &attrs));
                assert_int_equal(damos_matches(&scheme, &r, &attrs), i == DAMOS_STAT);
        }
}

/* to page out what is not there would make it young, and count it as a try */
static void absent_is_no_match_for_what_pages_out(void **state) {
        struct damon_region r = region;

        r.absent = true;
        for (size_t i = 0; i < _DAMOS_ACTION_MAX; i++) {
                struct damos scheme = any;

                scheme.action = (enum damos_action) i;
                assert_true(damos_matches(&scheme, &region, &attrs));
                assert_int_equal(damos_matches(&scheme, &r, &attrs), i != DAMOS_PAGEOUT && i != DAMOS_COLD);
        }
}

static char name_a[] = "a", name_b[] = "b", name_c[] = "c";
static char *targets_ab[] = { name_a, name_b }, *targets_ac[] = { name_a, name_c };

static char score[] = "/run/score";
static struct damos_goal goals[] = {
        { DAMOS_SOME_MEM_PSI_US, 19, NULL }, { DAMOS_USER_INPUT, 20, score },
};

static struct damos full_scheme(void) {
        return (struct damos) {
                .name = name_c, .action = DAMOS_COLD,
                .pattern = { { 1, 2 }, { 3, 4 }, { 5, 6 } },
                .targets = targets_ab, .nr_targets = 2,
                .watermarks = { DAMOS_FREE_MEM_RATE, 21, 22, 23, 24 },
                .quota = { 11, 12, 13, { 14, 15, 16 }, goals, ELEMENTSOF(goals) },
                .charge = { .running = true, .size = 17 },
                .stat = { 7, 8, 9, 10, 18 },
        };
}

static void copy_shares_nothing(void **state) {
        struct damos scheme = full_scheme();
        _cleanup_(damos_done) struct damos copy = {};

        ASSERT_OK(damos_copy(&copy, &scheme));
        assert_true(damos_same_rule(&scheme, &copy));
        assert_memory_equal(&copy.stat, &scheme.stat, sizeof(copy.stat));
        assert_true(copy.charge.running);
        assert_int_equal(copy.charge.size, 17);
        assert_ptr_not_equal(copy.name, scheme.name);
        assert_ptr_not_equal(copy.targets, scheme.targets);
        assert_ptr_not_equal(copy.targets[0], scheme.targets[0]);
        assert_string_equal(copy.targets[1], "b");
        assert_ptr_not_equal(copy.quota.goals, goals);
        assert_ptr_not_equal(copy.quota.goals[1].file, score);
        assert_string_equal(copy.quota.goals[1].file, "/run/score");
}

static void copy_of_a_scheme_for_all_targets(void **state) {
        _cleanup_(damos_done) struct damos copy = {};

        ASSERT_OK(damos_copy(&copy, &any));
        assert_true(damos_same_rule(&any, &copy));
        assert_int_equal(copy.nr_targets, 0);
}

static void done_leaves_zeroes(void **state) {
        const struct damos scheme = full_scheme();
        struct damos copy;

        ASSERT_OK(damos_copy(&copy, &scheme));
        damos_done(&copy);
        assert_null(copy.name);
        assert_null(copy.targets);
        assert_int_equal(copy.nr_targets, 0);
        assert_int_equal(copy.stat.nr_tried, 0);
        assert_false(damos_quota_is_set(&copy.quota));
        damos_done(&copy);
}

static void same_rule_looks_at_everything_but_statistics(void **state) {
        const struct damos a = full_scheme();
        struct damos b = full_scheme();
        uint64_t *const limits[] = {
                &b.pattern.size.min, &b.pattern.size.max, &b.pattern.nr_accesses.min,
                &b.pattern.nr_accesses.max, &b.pattern.age.min, &b.pattern.age.max,
                &b.quota.size, &b.quota.time, &b.quota.interval, &b.apply_interval,
                &b.watermarks.interval,
        };

        b.apply_at++;
        b.wake.asleep = true;
        b.stat = (struct damos_stat) {};
        b.charge = (struct damos_charge) {};
        assert_true(damos_same_rule(&a, &b));
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                ++*limits[i];
                assert_false(damos_same_rule(&a, &b));
                --*limits[i];
        }
        b.name = name_a;
        assert_false(damos_same_rule(&a, &b));
        b = full_scheme();
        b.action = DAMOS_STAT;
        assert_false(damos_same_rule(&a, &b));
        b = full_scheme();
        b.targets = targets_ac;
        assert_false(damos_same_rule(&a, &b));
        b = full_scheme();
        b.dry_run = true;
        assert_false(damos_same_rule(&a, &b));
        b = full_scheme();
        b.quota.nr_goals--;
        assert_false(damos_same_rule(&a, &b));
        b = full_scheme();
        b.nr_targets = 1;
        assert_false(damos_same_rule(&a, &b));
        assert_false(damos_same_rule(&b, &a));
        assert_true(damos_same_rule(&b, &b));
}

static void accesses_too_rare_to_show_are_accesses(void **state) {
        struct damos idle = any, used = any;
        struct damon_region rare = { .range = { 0, 10 * PAGE } };

        idle.pattern.nr_accesses.max = 0;
        used.pattern.nr_accesses.min = 1;
        assert_true(damos_matches(&idle, &rare, &attrs));
        assert_false(damos_matches(&used, &rare, &attrs));
        rare.accessed = true;
        assert_false(damos_matches(&idle, &rare, &attrs));
        assert_true(damos_matches(&used, &rare, &attrs));
}

static void scheme_without_targets_is_for_all(void **state) {
        struct damos scheme = full_scheme();
        struct damon_target target = { .name = name_b };

        assert_true(damos_is_for(&scheme, &target));
        target.name = name_c;
        assert_false(damos_is_for(&scheme, &target));
        assert_true(damos_is_for(&any, &target));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_of_actions_are_those_of_the_configuration),
                cmocka_unit_test(numbers_of_actions_are_those_of_the_first_interface),
                cmocka_unit_test(other_names_are_no_actions),
                cmocka_unit_test(limits_are_closed),
                cmocka_unit_test(one_limit_that_fails_is_enough),
                cmocka_unit_test(age_is_counted_in_aggregation_intervals),
                cmocka_unit_test(age_that_overflows_is_the_oldest),
                cmocka_unit_test(unknown_is_matched_by_stat_alone),
                cmocka_unit_test(absent_is_no_match_for_what_pages_out),
                cmocka_unit_test(copy_shares_nothing),
                cmocka_unit_test(copy_of_a_scheme_for_all_targets),
                cmocka_unit_test(done_leaves_zeroes),
                cmocka_unit_test(same_rule_looks_at_everything_but_statistics),
                cmocka_unit_test(accesses_too_rare_to_show_are_accesses),
                cmocka_unit_test(scheme_without_targets_is_for_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
