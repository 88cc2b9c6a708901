/* SPDX-License-Identifier: GPL-2.0-only */
/* The shipped examples: each is right, and says what its comments and the manual say. */

#include <glob.h>

#include "test-conf.h"
#include "unit.h"

#define EXAMPLES TEST_DATA "/../conf/examples/"
#define ALL_ACTIONS ((UINT32_C(1) << _DAMOS_ACTION_MAX) - 1)

/* Whatever this machine and its configuration allow. */
static struct plan *example(const char *path) {
        return load_with(path, no_directories, ALL_ACTIONS);
}

static void check_pattern(const struct damos *scheme, enum damos_action action, struct damos_limits size,
                          struct damos_limits nr_accesses, struct damos_limits age) {
        assert_int_equal(scheme->action, action);
        assert_memory_equal(&scheme->pattern.size, &size, sizeof(size));
        assert_memory_equal(&scheme->pattern.nr_accesses, &nr_accesses, sizeof(nr_accesses));
        assert_memory_equal(&scheme->pattern.age, &age, sizeof(age));
}

static const struct damos_limits any = { 0, UINT64_MAX }, none = { 0, 0 };

/* Each selects something and does something; and none is without a test below. */
static void test_all(void **state) {
        glob_t files;

        assert_int_equal(glob(EXAMPLES "*", 0, NULL, &files), 0);
        assert_int_equal(files.gl_pathc, 4);
        for (size_t i = 0; i < files.gl_pathc; i++) {
                struct plan *plan = example(files.gl_pathv[i]);

                assert_int_equal(plan->nr_targets, 1);
                assert_true(plan->nr_schemes > 0);
                plan_free(plan);
        }
        globfree(&files);
}

static void test_prcl(void **state) {
        struct plan *plan = example(EXAMPLES "prcl.conf");

        assert_int_equal(plan->nr_schemes, 1);
        check_pattern(&plan->schemes[0], DAMOS_PAGEOUT, (struct damos_limits) { 4096, UINT64_MAX }, none,
                      (struct damos_limits) { 5 * USEC_PER_SEC, UINT64_MAX });
        assert_false(damos_quota_is_set(&plan->schemes[0].quota));
        plan_free(plan);
}

static void test_ethp(void **state) {
        struct plan *plan = example(EXAMPLES "ethp.conf");

        assert_int_equal(plan->nr_schemes, 2);
        /* 5% of 20 checks */
        check_pattern(&plan->schemes[0], DAMOS_HUGEPAGE, any, (struct damos_limits) { 1, UINT64_MAX }, any);
        check_pattern(&plan->schemes[1], DAMOS_NOHUGEPAGE, (struct damos_limits) { 2 << 20, UINT64_MAX }, none,
                      (struct damos_limits) { 7 * USEC_PER_SEC, UINT64_MAX });
        plan_free(plan);
}

static void test_reclaim(void **state) {
        static const struct damos_quota quota = {
                32 << 20, 10 * USEC_PER_MSEC, USEC_PER_SEC, { .age = 1 },
        };
        struct plan *plan = example(EXAMPLES "reclaim.conf");

        assert_int_equal(plan->nr_schemes, 1);
        check_pattern(&plan->schemes[0], DAMOS_PAGEOUT, (struct damos_limits) { 64 << 10, UINT64_MAX }, none,
                      (struct damos_limits) { 1800 * USEC_PER_SEC, UINT64_MAX });
        assert_true(damos_quota_equal(&plan->schemes[0].quota, &quota));
        assert_true(plan->schemes[0].dry_run);
        assert_int_equal(plan->schemes[0].nr_targets, 1);
        plan_free(plan);
}

static void test_statistics(void **state) {
        static const uint64_t minutes[] = { 0, 2, 10, 60 };
        struct plan *plan = example(EXAMPLES "statistics.conf");

        assert_int_equal(plan->nr_schemes, 2 + ELEMENTSOF(minutes));
        for (size_t i = 0; i < plan->nr_schemes; i++) {
                assert_int_equal(plan->schemes[i].action, DAMOS_STAT);
                assert_int_equal(plan->schemes[i].nr_targets, 1);
        }
        check_pattern(&plan->schemes[0], DAMOS_STAT, any, any, any);
        check_pattern(&plan->schemes[1], DAMOS_STAT, any, (struct damos_limits) { 1, UINT64_MAX }, any);
        for (size_t i = 0; i < ELEMENTSOF(minutes); i++)
                check_pattern(&plan->schemes[2 + i], DAMOS_STAT, any, none,
                              (struct damos_limits) { minutes[i] * 60 * USEC_PER_SEC, UINT64_MAX });
        plan_free(plan);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_prcl),
                cmocka_unit_test(test_ethp),
                cmocka_unit_test(test_reclaim),
                cmocka_unit_test(test_statistics),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
