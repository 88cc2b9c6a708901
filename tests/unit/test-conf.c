/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration: good files give the plans they should and survive being written and read
 * again, bad files give exactly the messages they should.
 */

#include "test-conf.h"

#include <glob.h>

#include "conf-keys.h"
#include "unit.h"

#define SHIPPED TEST_DATA "/../conf/damond.conf"

static void test_good_files(void **state) {
        glob_t files;

        assert_int_equal(glob(TEST_DATA "/conf/good/*.conf", 0, NULL, &files), 0);
        for (size_t i = 0; i < files.gl_pathc; i++) {
                struct plan *plan = load(files.gl_pathv[i]);

                check_dump(plan);
                plan_free(plan);
        }
        globfree(&files);
}

static void test_bad_files(void **state) {
        glob_t files;

        assert_int_equal(glob(TEST_DATA "/conf/bad/*.conf", 0, NULL, &files), 0);
        for (size_t i = 0; i < files.gl_pathc; i++) {
                _cleanup_free_ char *messages = load_bad(files.gl_pathv[i]), *expected = NULL;
                char path[4096];

                (void) snprintf(path, sizeof(path), "%.*s.expect",
                                (int) (strlen(files.gl_pathv[i]) - strlen(".conf")),
                                files.gl_pathv[i]);
                expected = read_file(path);
                assert_string_equal(messages, expected);
        }
        globfree(&files);
}

/* What only a process itself can do must be allowed, and then the kernel must have it. */
static void test_injection(void **state) {
        static const char text[] = "schemes = ( { name = \"a\"; action = \"hugepage\"; },\n"
                                   "{ name = \"b\"; action = \"nohugepage\"; },\n"
                                   "\"2M null 0 null 0 null hugepage_hint\" );\nallow_injection = true;\n";
        static const char *const missing[] = {
                "a.conf:1: action \"hugepage\" cannot be done: it needs a kernel with transparent huge "
                "pages, of Linux 6.1 or later",
                "a.conf:2: action \"nohugepage\" cannot be done: it needs a kernel with transparent huge "
                "pages, on x86-64 or 64-bit Arm",
                "a.conf:3: action \"hugepage_hint\" cannot be done: it needs a kernel with transparent huge "
                "pages, on x86-64 or 64-bit Arm",
        };
        const char *path = temporary("a.conf");
        struct conf_diag diag = {};
        struct plan *plan;

        write_file(path, text, strlen(text));
        assert_int_equal(conf_load_from(path, no_directories, ACTIONS, &diag, &plan), -EINVAL);
        assert_int_equal(diag.nr, ELEMENTSOF(missing));
        for (size_t i = 0; i < diag.nr; i++)
                assert_non_null(strstr(diag.messages[i].text, missing[i]));
        conf_diag_done(&diag);
        ASSERT_OK(conf_load_from(path, no_directories, UINT32_MAX, &diag, &plan));
        assert_true(plan->allow_injection);
        assert_int_equal(plan->schemes[0].action, DAMOS_HUGEPAGE);
        assert_int_equal(plan->schemes[1].action, DAMOS_NOHUGEPAGE);
        assert_int_equal(plan->schemes[2].action, DAMOS_HUGEPAGE_HINT);
        plan_free(plan);
        assert_int_equal(unlink(path), 0);
}

static void test_defaults(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/empty.conf"), *same;

        assert_int_equal(plan->attrs.sample_interval, 5 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.aggregation_interval, 100 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.update_interval, USEC_PER_SEC);
        assert_int_equal(plan->attrs.min_regions, 10);
        assert_int_equal(plan->attrs.max_regions, 1000);
        assert_int_equal(plan->cpu_budget, 100);
        assert_int_equal(plan->statistics_interval, 60 * USEC_PER_SEC);
        assert_false(plan->allow_injection);
        assert_null(plan->record);
        assert_int_equal(plan->record_size, 64 * 1024 * 1024);
        assert_int_equal(plan->nr_targets, 0);
        assert_int_equal(plan->nr_schemes, 0);

        same = load(TEST_DATA "/conf/good/nothing.conf");
        assert_plan_equal(plan, same);
        plan_free(same);
        plan_free(plan);
}

static void test_off(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/off.conf");

        assert_int_equal(plan->cpu_budget, 0);
        assert_int_equal(plan->statistics_interval, 0);
        assert_null(plan->record);
        plan_free(plan);
}

static void check_limits(const struct damos_limits *limits, uint64_t min, uint64_t max) {
        assert_int_equal(limits->min, min);
        assert_int_equal(limits->max, max);
}

static void check_scheme(const struct damos *scheme, const char *name, enum damos_action action,
                         const struct damos_access_pattern *pattern) {
        assert_string_equal(scheme->name, name);
        assert_int_equal(scheme->action, action);
        check_limits(&scheme->pattern.size, pattern->size.min, pattern->size.max);
        check_limits(&scheme->pattern.nr_accesses, pattern->nr_accesses.min,
                     pattern->nr_accesses.max);
        check_limits(&scheme->pattern.age, pattern->age.min, pattern->age.max);
        assert_int_equal(scheme->stat.nr_tried, 0);
        assert_int_equal(scheme->stat.sz_tried, 0);
        assert_int_equal(scheme->stat.nr_applied, 0);
        assert_int_equal(scheme->stat.sz_applied, 0);
}

static void check_target(const struct plan_target *target, const char *name, pid_t pid,
                         const char *comm, const char *exe) {
        const struct plan_target expected = {
                (char *) (uintptr_t) name, pid, (char *) (uintptr_t) comm,
                (char *) (uintptr_t) exe, .max_processes = 100,
        };

        assert_true(plan_target_equal(target, &expected));
}

static void test_full(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/full.conf");

        assert_int_equal(plan->attrs.sample_interval, 10 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.aggregation_interval, 200 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.update_interval, 2 * USEC_PER_SEC);
        assert_int_equal(plan->attrs.min_regions, 3);
        assert_int_equal(plan->attrs.max_regions, 2147483647);
        assert_int_equal(plan->cpu_budget, 25);
        assert_int_equal(plan->statistics_interval, 150 * USEC_PER_SEC);
        assert_string_equal(plan->record, "/var/log/damond/record");
        assert_int_equal(plan->record_size, 1536 * 1024);

        assert_int_equal(plan->nr_targets, 3);
        check_target(&plan->targets[0], "db", 0, "postgres", "/usr/lib/postgresql/*/bin/postgres");
        check_target(&plan->targets[1], "web", 0, NULL, "/usr/sbin/ngin*");
        check_target(&plan->targets[2], "one", 4321, NULL, NULL);

        assert_int_equal(plan->nr_schemes, 5);
        check_scheme(&plan->schemes[0], "cold-out", DAMOS_PAGEOUT, &(struct damos_access_pattern) {
                { 4096, UINT64_MAX }, { 0, 0 }, { 120 * USEC_PER_SEC, UINT64_MAX } });
        assert_int_equal(plan->schemes[0].nr_targets, 2);
        assert_string_equal(plan->schemes[0].targets[0], "db");
        assert_string_equal(plan->schemes[0].targets[1], "one");
        check_scheme(&plan->schemes[1], "scheme-2", DAMOS_STAT, &(struct damos_access_pattern) {
                { 2097152, UINT64_MAX }, { 18, 19 }, { 100 * USEC_PER_MSEC, UINT64_MAX } });
        assert_int_equal(plan->schemes[1].nr_targets, 0);
        check_scheme(&plan->schemes[2], "hot.range@1:x_y", DAMOS_WILLNEED,
                     &(struct damos_access_pattern) {
                { 0, 1610612736 }, { 11, UINT64_MAX }, { 0, 86400 * USEC_PER_SEC } });
        check_scheme(&plan->schemes[3], "all", DAMOS_STAT, &(struct damos_access_pattern) {
                { 0, UINT64_MAX }, { 0, UINT64_MAX }, { 0, UINT64_MAX } });
        check_scheme(&plan->schemes[4], "inwards", DAMOS_COLD, &(struct damos_access_pattern) {
                { 0, UINT64_MAX }, { 2, 3 }, { 0, UINT64_MAX } });
        assert_int_equal(plan->schemes[4].nr_targets, 1);
        assert_string_equal(plan->schemes[4].targets[0], "web");
        plan_free(plan);
}

static void test_limits(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/limits.conf");

        assert_int_equal(plan->cpu_budget, 10000);
        assert_int_equal(plan->record_size, 65536);
        check_limits(&plan->schemes[0].pattern.nr_accesses, 1, 9999);
        check_limits(&plan->schemes[1].pattern.nr_accesses, 10000, 10000);
        check_limits(&plan->schemes[1].pattern.size, UINT64_MAX, UINT64_MAX);
        check_limits(&plan->schemes[1].pattern.age, UINT64_MAX - 1, UINT64_MAX - 1);
        check_limits(&plan->schemes[2].pattern.nr_accesses, 0, 0);
        check_limits(&plan->schemes[2].pattern.age, 0, 0);
        plan_free(plan);
}

static void test_columns(void **state) {
        static const struct {
                enum damos_action action;
                struct damos_access_pattern pattern;
        } expected[] = {
                { DAMOS_WILLNEED,
                  { { 0, UINT64_MAX }, { 16, UINT64_MAX }, { 100 * USEC_PER_MSEC, UINT64_MAX } } },
                { DAMOS_COLD,
                  { { 0, UINT64_MAX }, { 2, 4 }, { 200 * USEC_PER_MSEC, 3600 * USEC_PER_SEC } } },
                { DAMOS_PAGEOUT,
                  { { 0, UINT64_MAX }, { 0, 2 }, { 60 * USEC_PER_SEC, UINT64_MAX } } },
                { DAMOS_STAT,
                  { { 2097152, UINT64_MAX }, { 18, 19 }, { 100 * USEC_PER_MSEC, UINT64_MAX } } },
                { DAMOS_PAGEOUT,
                  { { 4096, UINT64_MAX }, { 0, 0 }, { 5 * USEC_PER_SEC, UINT64_MAX } } },
                { DAMOS_STAT, { { 0, 1073741824 }, { 1, UINT64_MAX }, { 0, 0 } } },
                { DAMOS_STAT, { { 4096, 8192 }, { 0, 1 }, { 0, UINT64_MAX } } },
        };
        struct plan *plan = load(TEST_DATA "/conf/good/columns.conf");

        assert_int_equal(plan->nr_schemes, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "scheme-%zu", i + 1);
                check_scheme(&plan->schemes[i], name, expected[i].action, &expected[i].pattern);
        }
        plan_free(plan);
}

static void test_strings(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/strings.conf");

        assert_string_equal(plan->record, "/tmp/\xc3\xa9\"\\ \xff");
        assert_int_equal(plan->nr_targets, 3);
        check_target(&plan->targets[0], "escapes", 0, "a\"b\\c*", "/tmp/\xff\x01 t\tn");
        check_target(&plan->targets[1], "joined", 0, NULL, "/usr/bin/caf\xc3\xa9");
        check_target(&plan->targets[2], "hash", 0, "# // /* @include", NULL);
        plan_free(plan);
}

static bool cmdline_matches(const struct plan_target *target, const char *arguments) {
        return regexec(&target->cmdline_regex, arguments, 0, NULL, 0) == 0;
}

static void test_selectors(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/selectors.conf");
        const struct plan_target *target = plan->targets;

        assert_int_equal(plan->nr_targets, 11);
        assert_true(cmdline_matches(&target[0], "java -Xmx1g -jar /srv/app.jar"));
        assert_false(cmdline_matches(&target[0], "java -Xmx1g -jar /srv/app.jar2"));
        assert_false(cmdline_matches(&target[0], "java -Xmx1g -jar /srv/app2jar"));
        assert_string_equal(target[1].user, "root");
        assert_int_equal(target[1].uid, 0);
        assert_string_equal(target[2].user, "4294967294");
        assert_int_equal(target[2].uid, 4294967294);
        assert_string_equal(target[3].unit, "postgresql.service");
        assert_string_equal(target[4].unit, "org.example.app.service");
        assert_string_equal(target[5].unit, "postgresql@*");
        assert_false(target[5].children);
        assert_int_equal(target[5].max_processes, 100);
        assert_string_equal(target[6].unit, "user-1000.slice");
        assert_true(target[6].children);
        assert_int_equal(target[6].max_processes, 1);
        assert_string_equal(target[7].unit, "dev-disk-by\\x2duuid.swap");
        assert_string_equal(target[8].cgroup, "/user.slice/*/app.slice");
        assert_int_equal(target[8].max_processes, 10000);
        assert_string_equal(target[9].cgroup, "/");
        assert_true(cmdline_matches(&target[10], "postgres -D /srv/db"));
        assert_true(plan_target_equal(&target[10], &(struct plan_target) {
                (char[]) { "all" }, 4321, (char[]) { "postgres" },
                (char[]) { "/usr/lib/postgresql/*/bin/postgres" }, (char[]) { "-D /srv" }, {},
                (char[]) { "0" }, 0, (char[]) { "[a-z]*.service" },
                (char[]) { "*/postgresql.slice" }, true, 50 }));
        plan_free(plan);
}

/* The longest name of its kind is right, one that is longer is not. */
static void check_longest(const char *selector, const char *end, size_t length) {
        const char *path = temporary("long.conf");
        _cleanup_free_ char *name = calloc(length + 2, 1), *messages = NULL;
        struct plan *plan;

        assert_non_null(name);
        memset(name, 'x', length + 1);
        name[0] = '*';
        for (size_t longer = 0; longer <= 1; longer++) {
                FILE *f = fopen(path, "we");

                assert_non_null(f);
                fprintf(f, "targets = ( { name = \"a\"; %s = \"%.*s%s\"; } );\n", selector,
                        (int) (length - strlen(end) + longer), name, end);
                assert_int_equal(fclose(f), 0);
                assert_int_equal(chmod(path, 0644), 0);
                if (longer == 0) {
                        plan = load(path);
                        plan_free(plan);
                }
        }
        messages = load_bad(path);
        assert_memory_equal(messages, "long.conf:1: ", strlen("long.conf:1: "));
        assert_int_equal(unlink(path), 0);
}

/* As long as systemd and the kernel allow, and no longer. */
static void test_long_names(void **state) {
        check_longest("unit", ".service", 255);
        check_longest("cgroup", "", 4095);
}

static void test_outcome(void **state) {
        static const struct {
                uint64_t returned_within;
                bool guarded;
        } expected[] = {
                { 60 * UINT64_C(1000000), true }, { 300 * UINT64_C(1000000), false }, { 0, false },
                { 60 * UINT64_C(1000000), true },
        };
        struct plan *plan = load(TEST_DATA "/conf/good/outcome.conf");

        assert_int_equal(plan->nr_schemes, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                assert_int_equal(plan->schemes[i].returned_within, expected[i].returned_within);
                assert_int_equal(plan->schemes[i].guarded, expected[i].guarded);
        }
        check_dump(plan);
        plan_free(plan);
}

static void test_quota(void **state) {
        static const struct damos_quota expected[] = {
                { 128 << 20, 0, USEC_PER_SEC, { 0, 1, 1 } },
                { 4096, 10 * USEC_PER_MSEC, 90 * USEC_PER_SEC, { 1, 0, 10 } },
                { 0, USEC_PER_SEC, USEC_PER_SEC, { 0, 1, 1 } },
                { 1 << 30, 0, USEC_PER_SEC, { 0, 0, 0 } },
                { 1 << 30, 0, USEC_PER_SEC, { 0, 0, 2147483647 } },
                {},
                {},
        };
        struct plan *plan = load(TEST_DATA "/conf/good/quota.conf");

        assert_int_equal(plan->nr_schemes, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (!damos_quota_equal(&plan->schemes[i].quota, &expected[i]))
                        fail_msg("quota of %s", plan->schemes[i].name);
        plan_free(plan);
}

static void test_dry_run(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/dry-run.conf");

        assert_int_equal(plan->nr_schemes, 3);
        assert_false(plan->schemes[0].dry_run);
        assert_true(plan->schemes[1].dry_run);
        assert_false(plan->schemes[2].dry_run);
        plan_free(plan);
}

static void test_goals(void **state) {
        struct damos_goal pressure[] = { { DAMOS_SOME_MEM_PSI_US, 10 * USEC_PER_MSEC, NULL } };
        struct damos_goal all[] = {
                { DAMOS_AVAILABLE_MEM_RATE, 3000, NULL }, { DAMOS_FREE_MEM_RATE, 10000, NULL },
                { DAMOS_USER_INPUT, 2147483647, (char[]) { "/run/a \"score\"" } },
        };
        struct damos_goal file[] = { { DAMOS_USER_INPUT, 1, (char[]) { "/run/score" } } };
        const struct damos_quota expected[] = {
                { 0, 0, USEC_PER_SEC, { 0, 1, 1 }, pressure, 1 },
                { 128 << 20, 10 * USEC_PER_MSEC, 100 * USEC_PER_MSEC, { 0, 1, 1 }, all, 3 },
                { 0, 0, USEC_PER_SEC, { 0, 1, 1 }, file, 1 },
        };
        struct plan *plan = load(TEST_DATA "/conf/good/goals.conf");

        assert_int_equal(plan->nr_schemes, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (!damos_quota_equal(&plan->schemes[i].quota, &expected[i]))
                        fail_msg("quota of %s", plan->schemes[i].name);
        plan_free(plan);
}

static void test_control(void **state) {
        static const uint64_t apply_intervals[] = { 5 * USEC_PER_MSEC, 5400 * USEC_PER_SEC, 0, 0, 0, 0, 0, 0, 0 };
        static const struct damos_watermarks watermarks[ELEMENTSOF(apply_intervals)] = {
                [4] = { DAMOS_FREE_MEM_RATE, 5 * USEC_PER_SEC, 5000, 4000, 2000 },
                [5] = { DAMOS_SOME_MEM_PSI_RATE, 100 * USEC_PER_MSEC, 10000, 10000, 0 },
                [6] = { DAMOS_AVAILABLE_MEM_RATE, 3600 * USEC_PER_SEC, 1234, 1234, 1234 },
                [7] = { DAMOS_FREE_SWAP_RATE, 60 * USEC_PER_SEC, 10000, 10000, 1 },
        };
        struct plan *plan = load(TEST_DATA "/conf/good/control.conf");

        assert_int_equal(plan->nr_schemes, ELEMENTSOF(apply_intervals));
        for (size_t i = 0; i < ELEMENTSOF(apply_intervals); i++) {
                assert_int_equal(plan->schemes[i].apply_interval, apply_intervals[i]);
                assert_true(damos_watermarks_equal(&plan->schemes[i].watermarks, &watermarks[i]));
        }
        plan_free(plan);
}

static void test_filters(void **state) {
        static char b[] = "b", memcg[] = "/system.slice/*.service", heap[] = "[heap]", path[] = "/tmp/a \"b\"\\*";
        struct damos_filter expected[] = {
                { DAMOS_FILTER_ADDR, true, true, { 0x7f0000000000, 0x7f0000001000 }, 0, 0, NULL },
                { DAMOS_FILTER_ADDR, false, false, { 0, 0x1000 }, 0, 0, NULL },
                { DAMOS_FILTER_ADDR, true, false, { 0xfffffffffffff000, UINT64_MAX }, 0, 0, NULL },
                { DAMOS_FILTER_TARGET, true, false, {}, 0, 0, b },
                { DAMOS_FILTER_ANON, true, false, {}, 0, 0, NULL },
                { DAMOS_FILTER_FILE, true, false, {}, 0, 0, NULL },
                { DAMOS_FILTER_SHARED, true, false, {}, 0, 0, NULL },
                { DAMOS_FILTER_HUGEPAGE_SIZE, true, false, {}, 2 << 20, UINT64_MAX, NULL },
                { DAMOS_FILTER_HUGEPAGE_SIZE, true, false, {}, 0, 4096, NULL },
                { DAMOS_FILTER_YOUNG, true, false, {}, 0, 0, NULL },
                { DAMOS_FILTER_MEMCG, true, true, {}, 0, 0, memcg },
                { DAMOS_FILTER_MAPPING, true, true, {}, 0, 0, heap },
                { DAMOS_FILTER_MAPPING, true, false, {}, 0, 0, path },
        };
        struct plan *plan = load(TEST_DATA "/conf/good/filters.conf");

        assert_int_equal(plan->nr_schemes, 3);
        assert_true(damos_filters_equal(&plan->schemes[0].filters,
                                        &(struct damos_filters) { expected, ELEMENTSOF(expected) }));
        assert_int_equal(plan->schemes[1].filters.nr, 0);
        assert_int_equal(plan->schemes[2].filters.nr, 0);
        plan_free(plan);
}

static void test_integers(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/integers.conf");

        assert_int_equal(plan->nr_targets, 3);
        check_target(&plan->targets[0], "hexadecimal", 2147483647, NULL, NULL);
        check_target(&plan->targets[1], "long", 2147483647, NULL, NULL);
        check_target(&plan->targets[2], "plus", 2, NULL, NULL);
        plan_free(plan);
}

/* Whatever may be written in another way, or left out. */
static void test_syntax(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/syntax.conf");

        assert_int_equal(plan->attrs.sample_interval, 10 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.aggregation_interval, 200 * USEC_PER_MSEC);
        assert_int_equal(plan->attrs.min_regions, 5);
        assert_int_equal(plan->attrs.max_regions, 16);
        assert_int_equal(plan->cpu_budget, 200);
        assert_int_equal(plan->record_size, 1024 * 1024);
        assert_int_equal(plan->nr_targets, 3);
        assert_string_equal(plan->targets[0].comm, "x-y");
        assert_true(plan->targets[0].children);
        assert_string_equal(plan->targets[1].name, "joined");
        assert_string_equal(plan->targets[1].exe, "/usr/bin/caf\xc3\xa9");
        assert_string_equal(plan->targets[2].comm, "'a' \xe2\x80\x9c" "b\xe2\x80\x9d;=}");
        assert_int_equal(plan->nr_schemes, 2);
        assert_string_equal(plan->schemes[1].targets[0], "a");
        plan_free(plan);
}

static void test_dots(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/dots.conf");

        assert_string_equal(plan->targets[1].unit, "org.example.core.service");
        assert_string_equal(plan->targets[5].unit, "python3.11.service");
        assert_string_equal(plan->targets[7].unit, "org.example.servcie.service");
        assert_string_equal(plan->targets[8].unit, "*.s[cl]*");
        plan_free(plan);
}

static void test_line_ends(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/line-ends.conf");

        assert_int_equal(plan->statistics_interval, 5 * USEC_PER_SEC);
        assert_int_equal(plan->nr_targets, 1);
        check_target(&plan->targets[0], "a", 0, "b", NULL);
        plan_free(plan);
}

static void test_target_equal(void **state) {
        char a[] = "a", also_a[] = "a", b[] = "b";
        const struct plan_target target = { a, 2, a, NULL };

        assert_true(plan_target_equal(&target, &(struct plan_target) { also_a, 2, also_a, NULL }));
        assert_false(plan_target_equal(&target, &(struct plan_target) { b, 2, a, NULL }));
        assert_false(plan_target_equal(&target, &(struct plan_target) { a, 3, a, NULL }));
        assert_false(plan_target_equal(&target, &(struct plan_target) { a, 2, b, NULL }));
        assert_false(plan_target_equal(&target, &(struct plan_target) { a, 2, NULL, NULL }));
        assert_false(plan_target_equal(&target, &(struct plan_target) { a, 2, a, b }));
}

/* What is shipped acts on nothing. */
static void test_shipped(void **state) {
        struct plan *plan = load(SHIPPED), *defaults = load(TEST_DATA "/conf/good/empty.conf");

        assert_int_equal(plan->nr_targets, 0);
        assert_true(plan->nr_schemes > 0);
        for (size_t i = 0; i < plan->nr_schemes; i++)
                assert_int_equal(plan->schemes[i].action, DAMOS_STAT);
        check_dump(plan);

        /* What it shows as defaults are the defaults. */
        for (size_t i = 0; i < plan->nr_schemes; i++)
                damos_done(&plan->schemes[i]);
        plan->nr_schemes = 0;
        assert_plan_equal(plan, defaults);
        plan_free(defaults);
        plan_free(plan);
}

/* Its examples are right: "#" before a single space begins an explanation, else an example. */
static void test_shipped_examples(void **state) {
        _cleanup_free_ char *text = read_file(SHIPPED);
        const char *path = temporary("examples.conf");
        struct plan *plan;
        bool acts = false;

        for (char *line = text; *line; line = strchr(line, '\n') + 1)
                if (line[0] == '#' && line[1] != '\n' && (line[1] != ' ' || line[2] == ' '))
                        line[0] = ' ';
        write_file(path, text, strlen(text));
        plan = load(path);
        assert_int_equal(unlink(path), 0);

        assert_true(plan->nr_targets > 1);
        for (size_t i = 0; i < plan->nr_schemes; i++)
                acts = acts || plan->schemes[i].action == DAMOS_PAGEOUT;
        assert_true(acts);
        check_dump(plan);
        plan_free(plan);
}

/* Each setting has a place in the shipped file, in prose or as a value. */
static void test_shipped_is_complete(void **state) {
        _cleanup_free_ char *text = read_file(SHIPPED);

        for (size_t i = 0; i < ELEMENTSOF(conf_groups); i++)
                for (size_t j = 0; j < conf_groups[i].nr_keys; j++)
                        if (!strstr(text, conf_groups[i].keys[j].name))
                                fail_msg("\"%s\" is not shown", conf_groups[i].keys[j].name);
}

/* Schemes for a run of frequencies; what is written of all of them would be too large a file. */
static void check_frequencies(uint64_t nr, uint64_t first, uint64_t nr_schemes) {
        struct damos *schemes = calloc(nr_schemes, sizeof(*schemes));
        struct plan plan = {
                .attrs = { 1, nr, 1, 3, 3 },
                .record_size = 65536,
                .schemes = schemes,
                .nr_schemes = nr_schemes,
        };

        assert_non_null(schemes);
        for (uint64_t i = 0; i < nr_schemes; i++) {
                assert_true(asprintf(&schemes[i].name, "%d", (int) i) > 0);
                schemes[i].action = DAMOS_STAT;
                schemes[i].pattern.nr_accesses = (struct damos_limits) { first + i, first + i };
        }
        check_dump(&plan);
        for (uint64_t i = 0; i < nr_schemes; i++)
                damos_done(&schemes[i]);
        free(schemes);
}

/*
 * Every frequency can be written as a share that is read as the same frequency. The numbers of
 * checks that are left out only cost time.
 */
static void test_every_frequency(void **state) {
        for (uint64_t nr = 1; nr <= 1000; nr += nr < 100 ? 1 : 9)
                for (uint64_t first = 0; first <= nr; first += 256)
                        check_frequencies(nr, first, MIN(nr + 1 - first, UINT64_C(256)));
}

/* "stat" needs no operations. */
static void test_stat_is_always_possible(void **state) {
        struct conf_diag diag = {};
        struct plan *plan = NULL;

        ASSERT_OK(conf_load(SHIPPED, 0, &diag, &plan));
        plan_free(plan);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_files),
                cmocka_unit_test(test_bad_files),
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_injection),
                cmocka_unit_test(test_off),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_columns),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_selectors),
                cmocka_unit_test(test_long_names),
                cmocka_unit_test(test_quota),
                cmocka_unit_test(test_dry_run),
                cmocka_unit_test(test_goals),
                cmocka_unit_test(test_control),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_outcome),
                cmocka_unit_test(test_integers),
                cmocka_unit_test(test_syntax),
                cmocka_unit_test(test_dots),
                cmocka_unit_test(test_line_ends),
                cmocka_unit_test(test_target_equal),
                cmocka_unit_test(test_shipped),
                cmocka_unit_test(test_shipped_examples),
                cmocka_unit_test(test_shipped_is_complete),
                cmocka_unit_test(test_every_frequency),
                cmocka_unit_test(test_stat_is_always_possible),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
