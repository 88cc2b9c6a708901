/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes the plan selects: from a /proc that the test makes up, process by process. */

#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macro.h"
#include "match.h"

#define NONE (-ENOENT)

/* What an entry does not ask for is 0 or NULL. */
#define ENTRY(name, pid, comm, exe) { (char *) (name), pid, (char *) (comm), (char *) (exe) }

#define PLAN(...)                                                                       \
        (struct plan) {                                                                 \
                .targets = (struct plan_target[]) { __VA_ARGS__ },                      \
                .nr_targets = ELEMENTSOF(((struct plan_target[]) { __VA_ARGS__ })),     \
        }

/* Where libsystemd says that every process is; NULL for nowhere. */
static struct {
        const char *unit, *slice, *cgroup;
        unsigned nr_calls;
} place;

int __wrap_sd_pid_get_unit(pid_t pid, char **ret);
int __wrap_sd_pid_get_slice(pid_t pid, char **ret);
int __wrap_sd_pid_get_cgroup(pid_t pid, char **ret);

static int say_place(const char *where, char **ret) {
        place.nr_calls++;
        if (!where)
                return -ENODATA;
        *ret = strdup(where);
        return *ret ? 0 : -ENOMEM;
}

int __wrap_sd_pid_get_unit(pid_t pid, char **ret) {
        return say_place(place.unit, ret);
}

int __wrap_sd_pid_get_slice(pid_t pid, char **ret) {
        return say_place(place.slice, ret);
}

int __wrap_sd_pid_get_cgroup(pid_t pid, char **ret) {
        return say_place(place.cgroup, ret);
}

#define _cleanup_matcher_ _cleanup_(matcher_done)

static char directory[] = "/tmp/test-match-XXXXXX";
static int proc_fd;

static void add_file(pid_t pid, const char *name, const char *text, size_t size) {
        char path[32];
        int fd;

        (void) snprintf(path, sizeof(path), "%d/%s", (int) pid, name);
        fd = openat(proc_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, size), (ssize_t) size);
        assert_int_equal(close(fd), 0);
}

/* @comm as the process set it, the kernel adds a newline; @exe as the link; or NULL for none */
static int matcher_set_plan(struct matcher *matcher, const struct plan *plan) {
        struct binding *bindings = matcher_prepare(matcher, plan);

        if (!bindings)
                return -ENOMEM;
        matcher_take(matcher, plan, bindings);
        return 0;
}

static void add_process(pid_t pid, const char *comm, const char *exe) {
        char path[32], text[80];
        int n;

        (void) snprintf(path, sizeof(path), "%d", (int) pid);
        assert_int_equal(mkdirat(proc_fd, path, 0755), 0);
        if (comm) {
                n = snprintf(text, sizeof(text), "%s\n", comm);
                add_file(pid, "comm", text, (size_t) n);
        }
        if (exe) {
                (void) snprintf(path, sizeof(path), "%d/exe", (int) pid);
                assert_int_equal(symlinkat(exe, proc_fd, path), 0);
        }
}

static void remove_process(pid_t pid) {
        char path[32];

        (void) snprintf(path, sizeof(path), "%d/comm", (int) pid);
        (void) unlinkat(proc_fd, path, 0);
        (void) snprintf(path, sizeof(path), "%d/exe", (int) pid);
        (void) unlinkat(proc_fd, path, 0);
        (void) snprintf(path, sizeof(path), "%d/cmdline", (int) pid);
        (void) unlinkat(proc_fd, path, 0);
        (void) snprintf(path, sizeof(path), "%d", (int) pid);
        assert_int_equal(unlinkat(proc_fd, path, AT_REMOVEDIR), 0);
}

static int setup(void **state) {
        if (!mkdtemp(directory))
                return -1;
        proc_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return proc_fd >= 0 ? 0 : -1;
}

static int teardown(void **state) {
        (void) close(proc_fd);
        return rmdir(directory);
}

/* A matcher by the first plan that a test has. */
static struct matcher make_matcher(const struct plan *plan) {
        struct matcher matcher = { .proc_fd = proc_fd };

        ASSERT_OK(matcher_set_plan(&matcher, plan));
        return matcher;
}

static int find(const struct plan *plan, pid_t pid) {
        _cleanup_matcher_ struct matcher matcher = make_matcher(plan);

        return matcher_find(&matcher, pid);
}

static void a_pid_selects_that_process_without_a_look_at_it(void **state) {
        struct plan plan = PLAN(ENTRY("a", 100, NULL, NULL));

        assert_int_equal(find(&plan, 100), 0);          /* there is no such directory */
        assert_int_equal(find(&plan, 10), NONE);
        assert_int_equal(find(&plan, 1000), NONE);
}

static void a_plan_without_entries_selects_nothing(void **state) {
        struct plan plan = {};

        add_process(100, "redis-server", "/usr/bin/redis-server");
        assert_int_equal(find(&plan, 100), NONE);
        remove_process(100);
}

static void a_comm_glob_selects_by_the_whole_name(void **state) {
        static const struct {
                const char *comm, *glob;
                bool selected;
        } cases[] = {
                { "redis-server", "redis-server", true },
                { "redis-server", "redis-*", true },
                { "redis-server", "*", true },
                { "redis-server", "redis-serve?", true },
                { "redis-server", "[pqr]edis*", true },
                { "redis-server", "redis", false },
                { "redis-server", "edis-server", false },
                { "redis-server", "Redis-server", false },
                { "redis-server", "redis-server?", false },
                { "redis-server", "redis-server\n", false },
                { "redis-server", "", false },
                { "", "", true },
                { "", "*", true },
                { "", "?*", false },
                { "with space", "with space", true },
                { "a/b", "a*b", true },
                { ".hidden", "*", true },
                { "kworker/0:1-events", "kworker/*", true },
                { "(sd-pam)", "(sd-pam)", true },
                { "a\nb", "a\nb", true },
                { "a\nb", "a?b", true },
                { "a\nb", "a", false },
                { "a\n", "a\n", true },         /* only the kernel's own newline goes */
                { "a\n", "a", false },
                { "\n", "\n", true },
                { "\xff\x01\x7f", "*", true },
                { "a*b", "a\\*b", true },
                { "axb", "a\\*b", false },
                { "[x]", "\\[x]", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct plan plan = PLAN(ENTRY("a", 0, cases[i].glob, NULL));
                int r;

                add_process(100, cases[i].comm, NULL);
                r = find(&plan, 100);
                remove_process(100);
                if (r != (cases[i].selected ? 0 : NONE))
                        fail_msg("\"%s\" by \"%s\": %d", cases[i].comm, cases[i].glob, r);
        }
}

static void an_exe_glob_selects_by_the_whole_path(void **state) {
        static const struct {
                const char *exe, *glob;
                bool selected;
        } cases[] = {
                { "/usr/bin/redis-server", "/usr/bin/redis-server", true },
                { "/usr/bin/redis-server", "*/redis-server", true },
                { "/usr/bin/redis-server", "/usr/*", true },
                { "/usr/bin/redis-server", "redis-server", false },
                { "/usr/bin/redis-server", "/usr/bin", false },
                { "/usr/bin/redis-server (deleted)", "/usr/bin/redis-server", true },
                { "/usr/bin/redis-server (deleted)", "/usr/bin/redis-server (deleted)", false },
                { "/usr/bin/x (deleted) (deleted)", "/usr/bin/x (deleted)", true },
                { "/usr/bin/redis(deleted)", "/usr/bin/redis", false },
                { "/usr/bin/redis (deleted)x", "/usr/bin/redis", false },
                { "/opt/with space/x", "/opt/with space/x", true },
                { "/opt/new\nline", "/opt/new?line", true },
                { "/opt/\xff", "/opt/*", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct plan plan = PLAN(ENTRY("a", 0, NULL, cases[i].glob));
                int r;

                add_process(100, NULL, cases[i].exe);
                r = find(&plan, 100);
                remove_process(100);
                if (r != (cases[i].selected ? 0 : NONE))
                        fail_msg("\"%s\" by \"%s\": %d", cases[i].exe, cases[i].glob, r);
        }
}

static void the_longest_path_is_read_whole(void **state) {
        char exe[4001], glob[sizeof(exe)];
        struct plan plan = PLAN(ENTRY("a", 0, NULL, glob));

        memset(exe, 'x', sizeof(exe) - 1);
        exe[0] = '/';
        exe[sizeof(exe) - 1] = '\0';
        memcpy(glob, exe, sizeof(exe));
        add_process(100, NULL, exe);
        assert_int_equal(find(&plan, 100), 0);
        glob[sizeof(glob) - 2] = 'y';
        assert_int_equal(find(&plan, 100), NONE);
        remove_process(100);
}

static void all_selectors_of_an_entry_must_agree(void **state) {
        struct plan both = PLAN(ENTRY("a", 0, "redis*", "/usr/*"));
        struct plan all = PLAN(ENTRY("a", 101, "redis*", "/usr/*"));

        add_process(100, "redis-server", "/usr/bin/redis-server");
        add_process(101, "redis-server", "/usr/bin/redis-server");
        add_process(102, "redis-server", "/opt/redis-server");
        add_process(103, "other", "/usr/bin/redis-server");
        add_process(104, "other", "/opt/other");
        assert_int_equal(find(&both, 100), 0);
        assert_int_equal(find(&both, 101), 0);
        assert_int_equal(find(&both, 102), NONE);
        assert_int_equal(find(&both, 103), NONE);
        assert_int_equal(find(&both, 104), NONE);
        assert_int_equal(find(&all, 100), NONE);
        assert_int_equal(find(&all, 101), 0);
        all.targets[0].comm = (char *) "other";
        assert_int_equal(find(&all, 101), NONE);
        for (pid_t pid = 100; pid <= 104; pid++)
                remove_process(pid);
}

static void the_first_entry_that_selects_wins(void **state) {
        struct plan plan = PLAN(ENTRY("a", 0, "post*", NULL),
                                ENTRY("b", 0, NULL, "/usr/bin/redis-server"),
                                ENTRY("c", 0, "redis-*", NULL),
                                ENTRY("d", 101, NULL, NULL));

        add_process(100, "redis-server", "/usr/bin/redis-server");
        add_process(101, "redis-server", "/opt/redis-server");
        add_process(102, "postgres", "/usr/bin/redis-server");
        add_process(103, "other", "/opt/other");
        assert_int_equal(find(&plan, 100), 1);
        assert_int_equal(find(&plan, 101), 2);
        assert_int_equal(find(&plan, 102), 0);
        assert_int_equal(find(&plan, 103), NONE);
        for (pid_t pid = 100; pid <= 103; pid++)
                remove_process(pid);
}

static void a_unit_glob_selects_by_unit_or_slice(void **state) {
        static const struct {
                const char *unit, *slice, *glob;
                bool selected;
        } cases[] = {
                { "nginx.service", "system.slice", "nginx.service", true },
                { "nginx.service", "system.slice", "nginx*", true },
                { "nginx.service", "system.slice", "nginx", false },
                { "nginx.service", "system.slice", "apache.service", false },
                { "postgresql@15-main.service", "system-postgresql.slice", "postgresql@*.service", true },
                { "postgresql@15-main.service", "system-postgresql.slice", "system-postgresql.slice", true },
                { "postgresql@15-main.service", "system-postgresql.slice", "system.slice", true },
                { "postgresql@15-main.service", "system-postgresql.slice", "postgresql.slice", false },
                { "session-3.scope", "user-1000.slice", "user.slice", true },
                { "session-3.scope", "user-1000.slice", "user-1000.slice", true },
                { "session-3.scope", "user-1000.slice", "user-100.slice", false },
                { "x.service", "-.slice", "-.slice", true },
                { "x.service", "a-b-c.slice", "a-b.slice", true },
                { "x.service", "a-b-c.slice", "b-c.slice", false },
                { "x.service", "a\\x2db.slice", "a.slice", false },
                { "dev-disk-by\\x2duuid.swap", "-.slice", "dev-disk-by\\x2duuid.swap", true },
                { "x.service", NULL, "system.slice", false },
                { NULL, NULL, "*", false },             /* a kernel thread */
                { NULL, "-.slice", "*", false },
        };
        struct plan plan = PLAN({ .name = (char *) "a" });

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                plan.targets[0].unit = (char *) cases[i].glob;
                place.unit = cases[i].unit;
                place.slice = cases[i].slice;
                if (find(&plan, 100) != (cases[i].selected ? 0 : NONE))
                        fail_msg("%s in %s by \"%s\"", cases[i].unit, cases[i].slice, cases[i].glob);
        }
        place.unit = place.slice = NULL;
}

static void a_cgroup_glob_selects_all_that_is_below(void **state) {
        static const struct {
                const char *cgroup, *glob;
                bool selected;
        } cases[] = {
                { "/system.slice/nginx.service", "/system.slice/nginx.service", true },
                { "/system.slice/nginx.service/worker", "/system.slice/nginx.service", true },
                { "/system.slice/nginx.service/a/b/c", "/system.slice/nginx.service", true },
                { "/system.slice/nginx.service2", "/system.slice/nginx.service", false },
                { "/system.slice", "/system.slice/nginx.service", false },
                { "/kubepods.slice/pod1/c1", "/kubepods.slice", true },
                { "/kubepods.slice/pod1/c1", "/kubepods.slice/*", true },
                { "/kubepods.slice", "/kubepods.slice/*", false },
                { "/kubepods.slice/pod1/c1", "*/pod1", true },
                { "/kubepods.slice/pod12/c1", "*/pod1", false },
                { "/", "/", true },
                { "/a", "/", true },
                { "/a/b", "/", true },
                { "/a", "/b", false },
                { "/", "/a", false },
                { NULL, "*", false },
                { NULL, "/", false },
        };
        struct plan plan = PLAN({ .name = (char *) "a" });

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                plan.targets[0].cgroup = (char *) cases[i].glob;
                place.cgroup = cases[i].cgroup;
                if (find(&plan, 100) != (cases[i].selected ? 0 : NONE))
                        fail_msg("%s by \"%s\"", cases[i].cgroup, cases[i].glob);
        }
        place.cgroup = NULL;
}

static int find_by_cmdline(const char *regex, pid_t pid) {
        struct plan plan = PLAN({ .name = (char *) "a", .cmdline = (char *) regex });
        int r;

        assert_int_equal(regcomp(&plan.targets[0].cmdline_regex, regex, REG_EXTENDED | REG_NOSUB), 0);
        r = find(&plan, pid);
        regfree(&plan.targets[0].cmdline_regex);
        return r;
}

static void a_cmdline_regex_matches_somewhere_in_the_arguments(void **state) {
        static const char arguments[] = "java\0-Xmx4g\0-jar\0/srv/app one.jar\0";
        static const struct {
                const char *regex;
                bool selected;
        } cases[] = {
                { "app", true },
                { "^java -Xmx4g -jar ", true },
                { "-Xmx[0-9]+g", true },
                { "one\\.jar$", true },           /* what ends the last argument is no part of it */
                { "^-jar", false },
                { "JAVA", false },
                { "java$", false },
                { "", true },
                { "(^| )-Xms", false },
        };

        add_process(100, "java", NULL);
        add_file(100, "cmdline", arguments, sizeof(arguments) - 1);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (find_by_cmdline(cases[i].regex, 100) != (cases[i].selected ? 0 : NONE))
                        fail_msg("\"%s\"", cases[i].regex);
        add_file(100, "cmdline", "", 0);                /* a kernel thread, or a zombie */
        assert_int_equal(find_by_cmdline(".*", 100), NONE);
        add_file(100, "cmdline", "\0\0", 2);
        assert_int_equal(find_by_cmdline(".*", 100), NONE);
        remove_process(100);
        assert_int_equal(find_by_cmdline(".*", 100), NONE);
}

static void arguments_are_looked_at_up_to_a_limit(void **state) {
        static char arguments[40000];

        memset(arguments, 'x', sizeof(arguments));
        arguments[32 * 1024 - 1] = 'y';
        arguments[32 * 1024] = 'z';
        add_process(100, "long", NULL);
        add_file(100, "cmdline", arguments, sizeof(arguments));
        assert_int_equal(find_by_cmdline("y$", 100), 0);
        assert_int_equal(find_by_cmdline("z", 100), NONE);
        remove_process(100);
}

static void a_user_is_who_owns_the_process(void **state) {
        struct plan plan = PLAN({ .name = (char *) "a", .user = (char *) "x", .uid = geteuid() },
                                { .name = (char *) "b", .user = (char *) "y", .uid = geteuid() + 1 });

        add_process(100, "x", NULL);
        assert_int_equal(find(&plan, 100), 0);
        plan.targets[0].uid = geteuid() + 2;
        assert_int_equal(find(&plan, 100), NONE);
        plan.targets[1].uid = geteuid();
        assert_int_equal(find(&plan, 100), 1);
        remove_process(100);
        assert_int_equal(find(&plan, 100), NONE);
}

/* Each look at a process costs: nothing is read that no selector asks for, or that is known. */
static void what_costs_most_is_read_last_and_once(void **state) {
        struct plan plan = PLAN({ .name = (char *) "a", .comm = (char *) "x", .unit = (char *) "u*" },
                                { .name = (char *) "b", .comm = (char *) "y", .unit = (char *) "v*" },
                                { .name = (char *) "c", .comm = (char *) "y", .unit = (char *) "u*" });

        place.unit = "u.service";
        place.slice = "system.slice";
        add_process(100, "z", NULL);
        add_process(101, "y", NULL);
        place.nr_calls = 0;
        assert_int_equal(find(&plan, 100), NONE);
        assert_int_equal(place.nr_calls, 0);
        assert_int_equal(find(&plan, 101), 2);
        assert_int_equal(place.nr_calls, 3);            /* unit, slice, control group, for both entries */
        remove_process(100);
        remove_process(101);
        place.unit = place.slice = NULL;
}

static void a_full_entry_is_told_of_when_it_is_news(void **state) {
        struct plan plan = PLAN(ENTRY("a", 0, "x", NULL), ENTRY("b", 0, "y", NULL));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);
        const uint64_t second = 1000000;

        assert_true(matcher_full(&matcher, 0, second));
        assert_false(matcher_full(&matcher, 0, second));
        for (uint64_t i = 2; i < 600; i++)
                assert_false(matcher_full(&matcher, 0, i * second));
        assert_true(matcher_full(&matcher, 1, 600 * second));   /* each entry for itself */
        assert_false(matcher_full(&matcher, 0, 658 * second));
        assert_true(matcher_full(&matcher, 0, 718 * second));
}

/* A comm or exe that cannot be read is like no other, not like any. */
static void missing_files_select_nothing(void **state) {
        struct plan plan = PLAN(ENTRY("a", 0, "*", NULL), ENTRY("b", 0, NULL, "*"));

        assert_int_equal(find(&plan, 100), NONE);       /* ended */
        add_process(100, NULL, NULL);
        assert_int_equal(find(&plan, 100), NONE);
        remove_process(100);
        add_process(100, NULL, "/usr/bin/x");
        assert_int_equal(find(&plan, 100), 1);
        remove_process(100);
        add_process(100, "x", NULL);                    /* a kernel thread has no exe */
        assert_int_equal(find(&plan, 100), 0);
        add_file(100, "comm", "", 0);                   /* ended while it was read */
        assert_int_equal(find(&plan, 100), NONE);
        remove_process(100);
}

static void what_was_read_of_one_process_is_not_taken_for_another(void **state) {
        struct plan plan = PLAN(ENTRY("a", 0, "first", NULL), ENTRY("b", 0, "second", NULL));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        add_process(100, "first", NULL);
        add_process(101, "second", NULL);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(matcher_find(&matcher, 100), 0);
                assert_int_equal(matcher_find(&matcher, 101), 1);
        }
        remove_process(100);
        remove_process(101);
}

static void damond_itself_and_the_first_process_are_never_selected(void **state) {
        struct plan by_name = PLAN(ENTRY("a", 0, "*", NULL));
        struct plan by_pid = PLAN(ENTRY("a", 1, NULL, NULL), ENTRY("b", getpid(), NULL, NULL));

        add_process(1, "init", "/sbin/init");
        add_process(getpid(), "damond", "/usr/sbin/damond");
        assert_int_equal(find(&by_name, 1), NONE);
        assert_int_equal(find(&by_name, getpid()), NONE);
        assert_int_equal(find(&by_pid, 1), NONE);
        assert_int_equal(find(&by_pid, getpid()), NONE);
        assert_int_equal(find(&by_name, 0), NONE);
        assert_int_equal(find(&by_name, -1), NONE);
        remove_process(1);
        remove_process(getpid());
}

static void an_entry_with_a_pid_means_one_process_for_ever(void **state) {
        struct plan plan = PLAN(ENTRY("a", 100, NULL, NULL), ENTRY("b", 101, "x", NULL));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        assert_true(matcher_bind(&matcher, 0, 5000));
        assert_true(matcher_bind(&matcher, 0, 5000));
        assert_false(matcher_bind(&matcher, 0, 5001));
        assert_false(matcher_bind(&matcher, 0, 4999));
        assert_true(matcher_bind(&matcher, 0, 5000));
        /* each entry for itself */
        assert_true(matcher_bind(&matcher, 1, 5001));
        assert_false(matcher_bind(&matcher, 1, 5000));
}

static void a_number_used_again_is_left_to_other_entries(void **state) {
        struct plan plan = PLAN(ENTRY("number", 100, NULL, NULL), ENTRY("name", 0, "again", NULL));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        add_process(100, "again", "/usr/bin/again");
        assert_int_equal(matcher_find(&matcher, 100), 0);
        assert_true(matcher_bind(&matcher, 0, 5000));
        assert_int_equal(matcher_find(&matcher, 100), 0);
        assert_false(matcher_bind(&matcher, 0, 6000));
        assert_int_equal(matcher_find(&matcher, 100), 1);
        remove_process(100);
}

static void an_entry_without_a_pid_means_any_process(void **state) {
        struct plan plan = PLAN(ENTRY("a", 0, "x", NULL), ENTRY("b", 0, NULL, "y"));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        for (size_t entry = 0; entry < 2; entry++)
                for (uint64_t start_time = 1; start_time < 5; start_time++)
                        assert_true(matcher_bind(&matcher, entry, start_time));
}

static void an_equal_entry_stays_bound_wherever_it_stands(void **state) {
        struct plan old = PLAN(ENTRY("a", 100, NULL, NULL), ENTRY("b", 101, "x", NULL),
                               ENTRY("c", 102, NULL, NULL));
        struct plan new = PLAN(ENTRY("d", 0, "z", NULL), ENTRY("b", 101, "x", NULL),
                               ENTRY("e", 103, NULL, NULL), ENTRY("a", 100, NULL, NULL));
        struct plan newest = PLAN(ENTRY("a", 100, NULL, NULL));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&old);

        assert_true(matcher_bind(&matcher, 0, 5000));
        assert_true(matcher_bind(&matcher, 1, 5001));
        assert_true(matcher_bind(&matcher, 2, 5002));
        ASSERT_OK(matcher_set_plan(&matcher, &new));
        assert_false(matcher_bind(&matcher, 1, 6000));
        assert_true(matcher_bind(&matcher, 1, 5001));
        assert_false(matcher_bind(&matcher, 3, 6000));
        assert_true(matcher_bind(&matcher, 3, 5000));
        assert_true(matcher_bind(&matcher, 2, 6000));   /* new, so it was free */
        ASSERT_OK(matcher_set_plan(&matcher, &newest));
        assert_false(matcher_bind(&matcher, 0, 6000));
        assert_true(matcher_bind(&matcher, 0, 5000));
        ASSERT_OK(matcher_set_plan(&matcher, &newest)); /* the same plan again */
        assert_false(matcher_bind(&matcher, 0, 6000));
}

static void a_changed_entry_is_bound_anew(void **state) {
        struct plan old = PLAN(ENTRY("a", 100, "x", NULL));
        struct plan changed[] = {
                PLAN(ENTRY("b", 100, "x", NULL)),
                PLAN(ENTRY("a", 101, "x", NULL)),
                PLAN(ENTRY("a", 100, "y", NULL)),
                PLAN(ENTRY("a", 100, NULL, NULL)),
                PLAN(ENTRY("a", 100, "x", "z")),
        };

        for (size_t i = 0; i < ELEMENTSOF(changed); i++) {
                _cleanup_matcher_ struct matcher matcher = make_matcher(&old);

                assert_true(matcher_bind(&matcher, 0, 5000));
                ASSERT_OK(matcher_set_plan(&matcher, &changed[i]));
                assert_true(matcher_bind(&matcher, 0, 6000));
                assert_false(matcher_bind(&matcher, 0, 5000));
        }
}

static void an_entry_that_was_away_is_bound_anew(void **state) {
        struct plan plan = PLAN(ENTRY("a", 100, NULL, NULL));
        struct plan none = {};
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        assert_true(matcher_bind(&matcher, 0, 5000));
        ASSERT_OK(matcher_set_plan(&matcher, &none));
        ASSERT_OK(matcher_set_plan(&matcher, &plan));
        assert_true(matcher_bind(&matcher, 0, 6000));
}

static void a_refusal_is_told_once(void **state) {
        struct plan plan = {};
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        for (unsigned scan = 0; scan < 3; scan++) {
                for (pid_t pid = 100; pid < 150; pid++)
                        assert_int_equal(matcher_refuse(&matcher, pid), scan == 0);
                assert_false(matcher_refuse(&matcher, 120));    /* nor twice in a scan */
                matcher_forget_ended(&matcher);
        }
}

static void a_refusal_is_forgotten_when_a_scan_has_not_met_the_process(void **state) {
        struct plan plan = {};
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        for (pid_t pid = 100; pid < 120; pid++)
                assert_true(matcher_refuse(&matcher, pid));
        matcher_forget_ended(&matcher);

        for (pid_t pid = 100; pid < 120; pid += 2)
                assert_false(matcher_refuse(&matcher, pid));
        matcher_forget_ended(&matcher);
        assert_int_equal(matcher.nr_refusals, 10);

        for (pid_t pid = 100; pid < 120; pid++)
                assert_int_equal(matcher_refuse(&matcher, pid), pid % 2);
        matcher_forget_ended(&matcher);
        matcher_forget_ended(&matcher);
        assert_int_equal(matcher.nr_refusals, 0);
}

static void refusals_outlive_a_change_of_plan(void **state) {
        struct plan plan = PLAN(ENTRY("a", 0, "x", NULL)), other = PLAN(ENTRY("b", 0, "y", NULL));
        _cleanup_matcher_ struct matcher matcher = make_matcher(&plan);

        assert_true(matcher_refuse(&matcher, 100));
        ASSERT_OK(matcher_set_plan(&matcher, &other));
        assert_false(matcher_refuse(&matcher, 100));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_pid_selects_that_process_without_a_look_at_it),
                cmocka_unit_test(a_plan_without_entries_selects_nothing),
                cmocka_unit_test(a_comm_glob_selects_by_the_whole_name),
                cmocka_unit_test(an_exe_glob_selects_by_the_whole_path),
                cmocka_unit_test(the_longest_path_is_read_whole),
                cmocka_unit_test(all_selectors_of_an_entry_must_agree),
                cmocka_unit_test(the_first_entry_that_selects_wins),
                cmocka_unit_test(a_unit_glob_selects_by_unit_or_slice),
                cmocka_unit_test(a_cgroup_glob_selects_all_that_is_below),
                cmocka_unit_test(a_cmdline_regex_matches_somewhere_in_the_arguments),
                cmocka_unit_test(arguments_are_looked_at_up_to_a_limit),
                cmocka_unit_test(a_user_is_who_owns_the_process),
                cmocka_unit_test(what_costs_most_is_read_last_and_once),
                cmocka_unit_test(a_full_entry_is_told_of_when_it_is_news),
                cmocka_unit_test(missing_files_select_nothing),
                cmocka_unit_test(what_was_read_of_one_process_is_not_taken_for_another),
                cmocka_unit_test(damond_itself_and_the_first_process_are_never_selected),
                cmocka_unit_test(an_entry_with_a_pid_means_one_process_for_ever),
                cmocka_unit_test(a_number_used_again_is_left_to_other_entries),
                cmocka_unit_test(an_entry_without_a_pid_means_any_process),
                cmocka_unit_test(an_equal_entry_stays_bound_wherever_it_stands),
                cmocka_unit_test(a_changed_entry_is_bound_anew),
                cmocka_unit_test(an_entry_that_was_away_is_bound_anew),
                cmocka_unit_test(a_refusal_is_told_once),
                cmocka_unit_test(a_refusal_is_forgotten_when_a_scan_has_not_met_the_process),
                cmocka_unit_test(refusals_outlive_a_change_of_plan),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
