/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macro.h"
#include "place.h"
#include "test.h"

static char directory[] = "/tmp/test-place-XXXXXX";
static int proc_fd;

/* What libsystemd is asked, and what happens to a process meanwhile. */
static unsigned nr_asked;
static const char *moves_to;

int __wrap_sd_pid_get_unit(pid_t pid, char **ret);
int __wrap_sd_pid_get_slice(pid_t pid, char **ret);
int __wrap_sd_pid_get_cgroup(pid_t pid, char **ret);

static void put(pid_t pid, const char *text) {
        char path[32];
        int fd;

        (void) snprintf(path, sizeof(path), "%d", (int) pid);
        (void) mkdirat(proc_fd, path, 0755);
        (void) snprintf(path, sizeof(path), "%d/cgroup", (int) pid);
        fd = openat(proc_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        assert_int_equal(close(fd), 0);
}

static void end(pid_t pid) {
        char path[32];

        (void) snprintf(path, sizeof(path), "%d/cgroup", (int) pid);
        assert_int_equal(unlinkat(proc_fd, path, 0), 0);
        (void) snprintf(path, sizeof(path), "%d", (int) pid);
        assert_int_equal(unlinkat(proc_fd, path, AT_REMOVEDIR), 0);
}

/* The last part of the path, without its newline, and what is asked for. */
static int answer(pid_t pid, const char *what, char **ret) {
        char path[32], text[256];
        ssize_t length;
        int fd;

        nr_asked++;
        (void) snprintf(path, sizeof(path), "%d/cgroup", (int) pid);
        fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -ESRCH;
        length = read(fd, text, sizeof(text) - 1);
        (void) close(fd);
        assert_true(length > 1);
        text[length - 1] = '\0';
        if (moves_to)
                put(pid, moves_to);
        if (strcmp(text, "0::/") == 0)
                return -ENODATA;
        return asprintf(ret, "%s of %s", what, strrchr(text, '/') + 1) < 0 ? -ENOMEM : 0;
}

int __wrap_sd_pid_get_unit(pid_t pid, char **ret) {
        return answer(pid, "unit", ret);
}

int __wrap_sd_pid_get_slice(pid_t pid, char **ret) {
        return answer(pid, "slice", ret);
}

int __wrap_sd_pid_get_cgroup(pid_t pid, char **ret) {
        return answer(pid, "cgroup", ret);
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

static void expect(struct places *places, pid_t pid, const char *unit, unsigned asked) {
        const struct place *place;

        nr_asked = 0;
        place = places_find(places, proc_fd, pid);
        assert_string_equal(place->unit, unit);
        assert_int_equal(nr_asked, asked);
}

static void what_is_the_same_is_asked_once(void **state) {
        _cleanup_(places_done) struct places places = {};
        const struct place *place;

        put(100, "0::/system.slice/a.service\n");
        put(101, "0::/system.slice/a.service\n");
        put(102, "0::/system.slice/b.service\n");
        put(103, "0::/\n");
        expect(&places, 100, "unit of a.service", 3);
        expect(&places, 101, "unit of a.service", 0);
        expect(&places, 102, "unit of b.service", 3);
        expect(&places, 103, "", 3);
        expect(&places, 103, "", 0);
        expect(&places, 100, "unit of a.service", 0);
        place = places_find(&places, proc_fd, 100);
        assert_string_equal(place->slice, "slice of a.service");
        assert_string_equal(place->cgroup, "cgroup of a.service");

        put(100, "0::/system.slice/b.service\n");
        expect(&places, 100, "unit of b.service", 0);
        for (pid_t pid = 100; pid <= 103; pid++)
                end(pid);
}

static void a_place_with_nobody_in_it_is_forgotten(void **state) {
        _cleanup_(places_done) struct places places = {};

        put(100, "0::/a.service\n");
        put(101, "0::/b.service\n");
        expect(&places, 100, "unit of a.service", 3);
        expect(&places, 101, "unit of b.service", 3);
        places_forget_empty(&places);
        expect(&places, 101, "unit of b.service", 0);
        places_forget_empty(&places);
        assert_int_equal(places.nr, 1);
        expect(&places, 101, "unit of b.service", 0);
        expect(&places, 100, "unit of a.service", 3);
        end(100);
        end(101);
}

static void what_is_not_certain_is_not_remembered(void **state) {
        _cleanup_(places_done) struct places places = {};

        put(100, "0::/a.service\n");
        put(101, "0::/a.service\n");
        moves_to = "0::/b.service\n";
        expect(&places, 100, "unit of a.service", 3);
        moves_to = NULL;
        assert_int_equal(places.nr, 0);
        expect(&places, 101, "unit of a.service", 3);
        expect(&places, 100, "unit of b.service", 3);
        assert_int_equal(places.nr, 2);
        end(100);
        end(101);
        expect(&places, 100, "", 3);            /* has ended */
        assert_int_equal(places.nr, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_the_same_is_asked_once),
                cmocka_unit_test(a_place_with_nobody_in_it_is_forgotten),
                cmocka_unit_test(what_is_not_certain_is_not_remembered),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
