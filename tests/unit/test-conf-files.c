/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of a configuration: which are read, in which order, and which are turned down
 * before libconfig sees them.
 */

#include "test-conf.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static void test_missing_file(void **state) {
        _cleanup_free_ char *messages = load_bad(temporary("none.conf"));

        assert_string_equal(messages, "none.conf: cannot be opened: No such file or directory\n");
}

static void test_not_a_file(void **state) {
        const char *path = temporary("dir.conf");

        assert_int_equal(mkdir(path, 0755), 0);
        check_bad(path, "dir.conf: is not a regular file, expected a file with settings\n");

        path = temporary("fifo.conf");
        assert_int_equal(mkfifo(path, 0644), 0);
        check_bad(path, "fifo.conf: is not a regular file, expected a file with settings\n");
}

static void test_permissions(void **state) {
        const char *path = temporary("mode.conf");

        write_file(path, "", 0);
        if (geteuid() == 0) {
                assert_int_equal(chmod(path, 0646), 0);
                check_bad(path, "mode.conf: is writable by everyone, expected mode 0644 or "
                          "stricter as root acts on it\n");
        } else {
                assert_int_equal(chmod(path, 0), 0);
                check_bad(path, "mode.conf: cannot be opened: Permission denied\n");
        }
}

static void test_size(void **state) {
        size_t size = 256 * 1024;
        _cleanup_free_ char *text = malloc(size + 1);
        struct plan *plan;

        assert_non_null(text);
        memset(text, ' ', size + 1);
        write_file(temporary("large.conf"), text, size);
        plan = load(temporary("large.conf"));
        plan_free(plan);

        write_file(temporary("large.conf"), text, size + 1);
        check_bad(temporary("large.conf"),
                  "large.conf: is too large, expected at most 256 KiB in all files\n");
}

static void test_nul(void **state) {
        static const char text[] = "targets = ( );\n\0schemes = 5;\n";

        check_bad_text(text, sizeof(text) - 1,
                       "bad.conf:2: NUL byte, expected a text file in UTF-8\n");
}

static void test_not_utf8(void **state) {
        static const char *const bad[] = {
                "#\x80", "#\xc3", "#\xc0\x80", "#\xe0\x80\x80", "#\xed\xa0\x80",
                "#\xf4\x90\x80\x80", "#\xf8\x88\x80\x80\x80", "#\xff", "#\xe2\x82", "#\xc3(",
        };
        static const char good[] = "# \xc3\xa9 \xe2\x82\xac \xed\x9f\xbf \xf0\x9f\x98\x80 "
                "\xf4\x8f\xbf\xbf";
        struct plan *plan;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                check_bad_text(bad[i], strlen(bad[i]), "bad.conf:1: byte that is not valid UTF-8, "
                               "expected a text file in UTF-8\n");
        write_file(temporary("good.conf"), good, sizeof(good) - 1);
        plan = load(temporary("good.conf"));
        plan_free(plan);
        assert_int_equal(unlink(temporary("good.conf")), 0);
}

/* @include of a directory would end the process in libconfig. */
static void test_include_directory(void **state) {
        static const char text[] = "\n \t@include \"/\"\n@include\t\"b\"\n";

        check_bad_text(text, sizeof(text) - 1, "bad.conf:2: @include is not supported, "
                       "expected all settings in this file\nbad.conf:3: @include is not supported, "
                       "expected all settings in this file\n");
}

static void test_many_settings(void **state) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (unsigned i = 0; i < 10001; i++)
                fprintf(f, "a%u=1\n", i);
        fclose(f);
        check_bad_text(text, size, "bad.conf:10001: more than 10000 settings, expected fewer\n");
}

static void test_depth(void **state) {
        static const char open[] = "a=(((((((((((((((((((((((((((((((((";

        write_file(temporary("deep.conf"), open, strlen(open) - 1);
        check_bad(temporary("deep.conf"), "deep.conf:1: the file ends before the \"(\" of this "
                  "line is closed, expected \")\"\n");
        write_file(temporary("deep.conf"), open, strlen(open));
        check_bad(temporary("deep.conf"),
                  "deep.conf:1: more than 32 brackets are open, expected less nesting\n");
}

/* A configuration of one target, with the name of the file it is in. */
static void put_target(const char *path, const char *name) {
        char text[128];

        (void) snprintf(text, sizeof(text), "targets = ( { name = \"%s\"; comm = \"x\"; } );\n",
                        name);
        put(path, text);
}

/* Names of all targets, with a space behind each; static. */
static const char *target_names(const struct plan *plan) {
        static char names[256];
        size_t used = 0;

        names[0] = '\0';
        for (size_t i = 0; i < plan->nr_targets; i++)
                used += (size_t) snprintf(names + used, sizeof(names) - used, "%s ",
                                          plan->targets[i].name);
        return names;
}

/* Loads main.conf with drop-ins beside it, in "run" and in "lib". */
static void check_order(const char *expected) {
        const char *const directories[] = { temporary("run"), temporary("lib"), NULL };
        struct plan *plan = load_from(temporary("main.conf"), directories);

        assert_string_equal(target_names(plan), expected);
        check_dump(plan);
        plan_free(plan);
}

static void test_order(void **state) {
        put_target("main.conf", "main");
        check_order("main ");
        put_target("lib/20-b.conf", "lib-20");
        put_target("lib/10-a.conf", "lib-10");
        put_target("lib/Z.conf", "lib-Z");
        check_order("main lib-10 lib-20 lib-Z ");
        put_target("run/15-c.conf", "run-15");
        put_target("run/20-b.conf", "run-20");
        check_order("main lib-10 run-15 run-20 lib-Z ");
        put_target("main.conf.d/20-b.conf", "beside-20");
        put_target("main.conf.d/a.conf", "beside-a");
        check_order("main lib-10 run-15 beside-20 lib-Z beside-a ");
}

static void check_messages(const char *expected) {
        _cleanup_free_ char *messages = load_bad(temporary("main.conf"));

        assert_string_equal(messages, expected);
}

/* Only what ends in ".conf" and is not hidden. */
static void test_other_names(void **state) {
        put_target("main.conf", "main");
        put("main.conf.d/README", "{");
        put("main.conf.d/a.conf~", "{");
        put("main.conf.d/a.conf.dpkg-old", "{");
        put("main.conf.d/.a.conf", "{");
        put("main.conf.d/.conf", "{");
        put("main.conf.d/aconf", "{");
        check_order("main ");
        put_target("main.conf.d/..conf", "no");
        put_target("main.conf.d/*.conf", "yes");
        check_order("main yes ");
        /* a name that would break what is dumped, and forge a message */
        put_target("main.conf.d/\n{ \xff.conf", "odd");
        check_order("main odd yes ");
        put("main.conf.d/\n{ \xff.conf", "a = 1;");
        check_messages("main.conf.d/?{ ?.conf:1: unknown setting 'a', expected one of monitoring, "
                       "targets, allow_injection, schemes, statistics_interval, record, record_size\n");
}

/* What only hides others is not read. */
static void test_masks(void **state) {
        put_target("main.conf", "main");
        put_target("lib/a.conf", "lib-a");
        put_target("lib/b.conf", "lib-b");
        put_target("lib/c.conf", "lib-c");
        put_target("run/c.conf", "run-c");
        put("main.conf.d/a.conf", "");
        assert_int_equal(symlink("/dev/null", temporary("run/b.conf")), 0);
        check_order("main run-c ");
        assert_int_equal(symlink("../run/b.conf", temporary("main.conf.d/c.conf")), 0);
        check_order("main ");
        assert_int_equal(unlink(temporary("main.conf.d/a.conf")), 0);
        assert_int_equal(symlink("../lib/c.conf", temporary("main.conf.d/a.conf")), 0);
        check_order("main lib-c ");
}

/* Drop-ins must pass what the main file must. */
static void test_bad_drop_ins(void **state) {
        put("main.conf", "\n");
        put("main.conf.d/1.conf", "\xef\xbb\xbf");
        assert_int_equal(mkdir(temporary("main.conf.d/2.conf"), 0755), 0);
        assert_int_equal(mkfifo(temporary("main.conf.d/3.conf"), 0644), 0);
        assert_int_equal(symlink("nowhere", temporary("main.conf.d/4.conf")), 0);
        assert_int_equal(symlink("/dev/zero", temporary("main.conf.d/5.conf")), 0);
        put("main.conf.d/6.conf", "min_regions = 4\n@include \"a\"");
        check_messages("main.conf.d/1.conf:1: begins with a byte order mark, expected plain UTF-8 "
                       "without one\n"
                       "main.conf.d/2.conf: is not a regular file, expected a file with settings\n"
                       "main.conf.d/3.conf: is not a regular file, expected a file with settings\n"
                       "main.conf.d/4.conf: cannot be opened: No such file or directory\n"
                       "main.conf.d/5.conf: is not a regular file, expected a file with settings\n"
                       "main.conf.d/6.conf:2: @include is not supported, expected all settings in "
                       "this file\n");
}

static void test_bad_directories(void **state) {
        _cleanup_free_ char *expected = NULL;

        put("main.conf", "\n");
        put("main.conf.d", "");
        assert_true(asprintf(&expected, "main.conf: the drop-ins in %s cannot be looked at: Not a "
                             "directory\n", temporary("main.conf.d")) > 0);
        check_messages(expected);
}

static void test_permissions_of_directories(void **state) {
        _cleanup_free_ char *expected = NULL, *also_expected = NULL;
        const char *path = temporary("main.conf.d");

        if (geteuid() != 0)
                skip();
        put("main.conf", "\n");
        put("main.conf.d/a.conf", "\n");
        assert_int_equal(chmod(path, 0757), 0);
        assert_true(asprintf(&expected, "main.conf: the directory of drop-ins %s is writable by "
                             "everyone, expected mode 0755 or stricter as root acts on them\n",
                             path) > 0);
        check_messages(expected);
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(chown(path, 1, 0), 0);
        assert_true(asprintf(&also_expected, "main.conf: the directory of drop-ins %s belongs to "
                             "user 1, expected root or the owner of this file as root acts on "
                             "them\n", path) > 0);
        check_messages(also_expected);
        assert_int_equal(chown(temporary("main.conf"), 1, 0), 0);
        plan_free(load(temporary("main.conf")));
}

static void test_many_drop_ins(void **state) {
        char name[64];

        put("main.conf", "\n");
        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(name, sizeof(name), "main.conf.d/%u.conf", i);
                put(name, "\n");
        }
        plan_free(load(temporary("main.conf")));
        put("main.conf.d/a.conf", "\n");
        check_messages("main.conf: has more than 100 drop-ins, expected fewer\n");
}

static void test_size_of_all(void **state) {
        size_t size = 128 * 1024;
        _cleanup_free_ char *text = malloc(size);

        assert_non_null(text);
        memset(text, ' ', size);
        put("main.conf.d/b.conf", "");
        write_file(temporary("main.conf"), text, size);
        write_file(temporary("main.conf.d/a.conf"), text, size);
        plan_free(load(temporary("main.conf")));
        put("main.conf.d/b.conf", "\n");
        check_messages("main.conf.d/b.conf: is too large, expected at most 256 KiB in all files\n");
}

static void test_settings_of_all(void **state) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (unsigned i = 0; i < 10000; i++)
                fprintf(f, "a%u=1\n", i);
        fclose(f);
        put("main.conf", text);
        put("main.conf.d/a.conf", "statistics_interval = \"off\";\n");
        check_messages("main.conf.d/a.conf:1: more than 10000 settings, expected fewer\n");
}

/* Nothing of the machine is left to see. Returns 77 without the privileges for it. */
static int hide_system(void) {
        static const char *const hidden[] = { "/etc", "/run", "/usr" };
        static const char *const made[] = {
                "/usr/lib", "/usr/local", "/usr/local/lib", "/usr/lib/damond.conf.d",
                "/usr/local/lib/damond.conf.d", "/run/damond.conf.d", "/etc/damond.conf.d",
        };

        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return 77;
        for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
                if (mount("none", hidden[i], "tmpfs", 0, "mode=0755") < 0)
                        return 77;
        for (size_t i = 0; i < ELEMENTSOF(made); i++)
                if (mkdir(made[i], 0755) < 0)
                        return 1;
        return 0;
}

static int put_system_target(const char *path, const char *name) {
        FILE *f = fopen(path, "we");

        if (!f)
                return 1;
        fprintf(f, "targets = ( { name = \"%s\"; comm = \"x\"; } );\n", name);
        return fclose(f) < 0;
}

static int check_system_order(const char *path, const char *expected) {
        struct conf_diag diag = {};
        struct plan *plan;
        int r;

        if (conf_load(path, ACTIONS, &diag, &plan) < 0)
                return 1;
        r = strcmp(target_names(plan), expected) != 0;
        plan_free(plan);
        return r;
}

static int load_system_files(void) {
        int r = hide_system();

        if (r != 0)
                return r;
        return put_system_target("/etc/damond.conf", "main") ||
                put_system_target("/etc/other.conf", "other") ||
                put_system_target("/usr/lib/damond.conf.d/1.conf", "lib-1") ||
                put_system_target("/usr/lib/damond.conf.d/2.conf", "lib-2") ||
                put_system_target("/usr/local/lib/damond.conf.d/2.conf", "local-2") ||
                put_system_target("/usr/local/lib/damond.conf.d/3.conf", "local-3") ||
                put_system_target("/run/damond.conf.d/3.conf", "run-3") ||
                put_system_target("/run/damond.conf.d/4.conf", "run-4") ||
                put_system_target("/etc/damond.conf.d/4.conf", "etc-4") ||
                check_system_order("/etc/damond.conf", "main lib-1 local-2 run-3 etc-4 ") ||
                check_system_order("/etc/other.conf", "other ");
}

/* The directories of packages count for the system's own file, and only for that. */
static void test_system_directories(void **state) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(load_system_files());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                skip();
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_missing_file),
                cmocka_unit_test(test_not_a_file),
                cmocka_unit_test(test_permissions),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_not_utf8),
                cmocka_unit_test(test_include_directory),
                cmocka_unit_test(test_many_settings),
                cmocka_unit_test(test_depth),
                cmocka_unit_test_teardown(test_order, clear),
                cmocka_unit_test_teardown(test_other_names, clear),
                cmocka_unit_test_teardown(test_masks, clear),
                cmocka_unit_test_teardown(test_bad_drop_ins, clear),
                cmocka_unit_test_teardown(test_bad_directories, clear),
                cmocka_unit_test_teardown(test_permissions_of_directories, clear),
                cmocka_unit_test_teardown(test_many_drop_ins, clear),
                cmocka_unit_test_teardown(test_size_of_all, clear),
                cmocka_unit_test_teardown(test_settings_of_all, clear),
                cmocka_unit_test(test_system_directories),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
