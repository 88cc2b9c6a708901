/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several files as one configuration: what a later one says holds, setting by setting, and
 * entries of lists are told by their names.
 */

#include "test-conf.h"

#include "unit.h"

static void test_settings(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/merged.conf");

        assert_int_equal(plan->attrs.sample_interval, 20 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.aggregation_interval, 200 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.min_regions, 30);
        assert_int_equal(plan->attrs.max_regions, 300);
        assert_int_equal(plan->statistics_interval, 0);
        assert_int_equal(plan->record_size, 128 * 1024);
        plan_free(plan);
}

/* In the order of the first file that has them, and what is switched off behind the others. */
static void test_targets(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/merged.conf");

        assert_int_equal(plan->nr_targets, 2);
        assert_true(plan_target_equal(&plan->targets[0], &(struct plan_target) {
                .name = (char[]) { "db" }, .comm = (char[]) { "postgres*" },
                .user = (char[]) { "root" }, .max_processes = 20 }));
        assert_true(plan_target_equal(&plan->targets[1], &(struct plan_target) {
                .name = (char[]) { "one" }, .pid = 4321, .max_processes = 100 }));
        assert_int_equal(plan->nr_targets_off, 2);
        assert_true(plan_target_equal(&plan->targets[2], &(struct plan_target) {
                .name = (char[]) { "web" }, .exe = (char[]) { "/usr/sbin/nginx" },
                .children = true, .max_processes = 100 }));
        assert_true(plan_target_equal(&plan->targets[3], &(struct plan_target) {
                .name = (char[]) { "cache" }, .unit = (char[]) { "memcached.service" },
                .max_processes = 100 }));
        plan_free(plan);
}

static void test_schemes(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/merged.conf");
        const struct damos *scheme = plan->schemes;

        assert_int_equal(plan->nr_schemes, 4);
        assert_string_equal(scheme[0].name, "cold");
        assert_int_equal(scheme[0].action, DAMOS_PAGEOUT);
        assert_int_equal(scheme[0].pattern.age.min, 120 * USEC_PER_SEC);
        /* that target is switched off, and the scheme not for all of them */
        assert_int_equal(scheme[0].nr_targets, 1);
        assert_string_equal(scheme[0].targets[0], "web");
        assert_string_equal(scheme[1].name, "scheme-2");
        assert_int_equal(scheme[1].action, DAMOS_COLD);
        /* what is replaced need not be possible with the intervals of another file */
        assert_string_equal(scheme[2].name, "count");
        assert_int_equal(scheme[2].pattern.nr_accesses.max, 0);
        assert_string_equal(scheme[3].name, "scheme-5");
        assert_int_equal(plan->nr_schemes_off, 1);
        assert_string_equal(scheme[4].name, "cache");
        plan_free(plan);
}

/* A number that is wrong in one file does not make one on the same line of another wrong. */
static void test_same_line(void **state) {
        _cleanup_free_ char *messages = NULL;

        put("main.conf", "targets = ( { name = \"a\"; pid = 4294967298; } );");
        put("main.conf.d/a.conf", "targets = ( { name = \"b\"; pid = 1; } );");
        messages = load_bad(temporary("main.conf"));
        assert_string_equal(messages, "main.conf:1: integer 4294967298 is too large, expected at "
                            "most 2147483647\nmain.conf.d/a.conf:1: pid: 1 is too small, expected "
                            "a process ID above 1, without quotes\n");
}

/* Strings have the names of their places, which no other entry may have. */
static void test_names_of_strings(void **state) {
        _cleanup_free_ char *messages = NULL, *expected = NULL;

        put("main.conf", "schemes = ( \"2M null 0 10 5m null stat\", { name = \"scheme-3\"; "
            "action = \"stat\"; } );");
        put("main.conf.d/a.conf", "\nschemes = ( \"2M null 0 10 5m null stat\" );");
        put("main.conf.d/b.conf", "schemes = ( { name = \"scheme-1\"; action = \"stat\"; } );");
        messages = load_bad(temporary("main.conf"));
        assert_true(asprintf(&expected, "main.conf.d/a.conf:2: schemes: the name \"scheme-3\" "
                             "belongs to the entry in %s:1, expected a different one\n"
                             "main.conf.d/b.conf:1: schemes: the name \"scheme-1\" belongs to the "
                             "entry in %s:1, expected a different one\n",
                             temporary("main.conf"), temporary("main.conf")) > 0);
        assert_string_equal(messages, expected);
}

/* A list that a later file leaves out, or leaves empty, stays. */
static void test_empty_lists(void **state) {
        struct plan *plan;

        put("main.conf", "targets = ( { name = \"a\"; pid = 2; } ); schemes = ();");
        put("main.conf.d/a.conf", "targets = (); monitoring = {};");
        put("main.conf.d/b.conf", "schemes = ( { name = \"a\"; action = \"stat\"; } );");
        plan = load(temporary("main.conf"));
        assert_int_equal(plan->nr_targets, 1);
        assert_int_equal(plan->nr_schemes, 1);
        plan_free(plan);
}

static void test_record_off_again(void **state) {
        struct plan *plan;

        put("main.conf", "record = \"/a\";");
        put("main.conf.d/a.conf", "record = \"off\";");
        plan = load(temporary("main.conf"));
        assert_null(plan->record);
        plan_free(plan);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_settings),
                cmocka_unit_test(test_targets),
                cmocka_unit_test(test_schemes),
                cmocka_unit_test_teardown(test_same_line, clear),
                cmocka_unit_test_teardown(test_names_of_strings, clear),
                cmocka_unit_test_teardown(test_empty_lists, clear),
                cmocka_unit_test_teardown(test_record_off_again, clear),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
