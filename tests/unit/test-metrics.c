/* SPDX-License-Identifier: GPL-2.0-only */
/* Metrics, read from files as kernels write them, and as they do not. */

#include <fcntl.h>
#include <sys/stat.h>

#include "macro.h"
#include "metrics.h"
#include "test.h"

static char directory[] = "/tmp/test-metrics-XXXXXX";
static int proc_fd;

static void put(const char *path, const char *text) {
        int fd = openat(proc_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        assert_int_equal(close(fd), 0);
}

static uint64_t value_of(enum damos_metric metric) {
        uint64_t value = UINT64_MAX;

        ASSERT_OK(metrics_read(proc_fd, metric, &value));
        return value;
}

static int error_of(enum damos_metric metric) {
        uint64_t value = 42;
        int r = metrics_read(proc_fd, metric, &value);

        assert_int_equal(value, 42);
        return r;
}

#define MEMINFO(total, free, available, swap_total, swap_free)                                  \
        "MemTotal:       " total " kB\nMemFree:        " free " kB\nMemAvailable:   " available " kB\n"  \
        "Buffers:          278312 kB\nCached:          5391416 kB\nSwapCached:            0 kB\n"        \
        "Active:          6033984 kB\nUnevictable:           0 kB\nMlocked:               0 kB\n"        \
        "SwapTotal:      " swap_total " kB\nSwapFree:       " swap_free " kB\nDirty:                20 kB\n"

static void shares_are_those_of_meminfo(void **state) {
        put("meminfo", MEMINFO("16000000", "4000000", "10000000", "2000000", "500000"));
        assert_int_equal(value_of(DAMOS_FREE_MEM_RATE), 2500);
        assert_int_equal(value_of(DAMOS_AVAILABLE_MEM_RATE), 6250);
        assert_int_equal(value_of(DAMOS_FREE_SWAP_RATE), 2500);
        put("meminfo", MEMINFO("3", "1", "2", "0", "0"));
        assert_int_equal(value_of(DAMOS_FREE_MEM_RATE), 3333);
        assert_int_equal(value_of(DAMOS_AVAILABLE_MEM_RATE), 6666);
        assert_int_equal(value_of(DAMOS_FREE_SWAP_RATE), 0);
        put("meminfo", MEMINFO("1000", "0", "1000", "1", "1"));
        assert_int_equal(value_of(DAMOS_FREE_MEM_RATE), 0);
        assert_int_equal(value_of(DAMOS_AVAILABLE_MEM_RATE), 10000);
        assert_int_equal(value_of(DAMOS_FREE_SWAP_RATE), 10000);
}

static void nonsense_in_meminfo_is_an_error(void **state) {
        static const char *const texts[] = {
                "", "MemTotal: 5 kB\n", "MemFree: 5 kB\n", "MemTotal:\nMemFree:\n",
                "MemTotal: 5 kB\nMemFree: 6 kB\n", "MemTotal 5\nMemFree 4\n", "XMemTotal: 5\nXMemFree: 4\n",
                "MemTotal: x kB\nMemFree: 4 kB\n",
                "MemTotal: 18446744073709551615 kB\nMemFree: 18446744073709551615 kB\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                put("meminfo", texts[i]);
                assert_int_equal(error_of(DAMOS_FREE_MEM_RATE), -EBADMSG);
        }
        assert_int_equal(unlinkat(proc_fd, "meminfo", 0), 0);
        assert_int_equal(error_of(DAMOS_FREE_MEM_RATE), -ENOENT);
}

static void pressure_is_that_of_ten_seconds(void **state) {
        static const struct {
                const char *share;
                uint64_t value;
        } cases[] = {
                { "0.00", 0 }, { "0.07", 7 }, { "1.50", 150 }, { "99.99", 9999 }, { "100.00", 10000 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[256];

                (void) snprintf(text, sizeof(text), "some avg10=%s avg60=55.00 avg300=66.00 total=77\n"
                                "full avg10=44.00 avg60=0.00 avg300=0.00 total=7\n", cases[i].share);
                put("pressure/memory", text);
                assert_int_equal(value_of(DAMOS_SOME_MEM_PSI_RATE), cases[i].value);
        }
}

static void total_of_pressure_is_that_of_some(void **state) {
        put("pressure/memory", "some avg10=0.10 avg60=55.00 avg300=66.00 total=18446744073709551615\n"
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
        assert_true(value_of(DAMOS_SOME_MEM_PSI_US) == UINT64_MAX);
        put("pressure/memory", "some avg10=0.10 avg60=55.00 avg300=66.00\n");
        assert_int_equal(error_of(DAMOS_SOME_MEM_PSI_US), -EBADMSG);
}

static void pressure_is_what_tasks_wait_and_what_is_read_back(void **state) {
        static const struct {
                const char *vmstat;
                int error;
                uint64_t nr_pages;
        } cases[] = {
                { "nr_free_pages 5\nworkingset_nodes 7\nworkingset_refault_anon 30\nworkingset_refault_file 12\n"
                  "workingset_activate_anon 99\n", 0, 42 },
                { "workingset_refault 8\nworkingset_activate 3\n", 0, 8 },
                { "nr_free_pages 5\n", -EOPNOTSUPP, 0 },
                { "", -EOPNOTSUPP, 0 },
                { "workingset_refault_anon\n", -EBADMSG, 0 },
                { "workingset_refault_anon x\n", -EBADMSG, 0 },
        };

        put("pressure/memory", "some avg10=0.10 avg60=55.00 avg300=66.00 total=123456\n"
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct damos_pressure pressure = {};

                put("vmstat", cases[i].vmstat);
                assert_int_equal(metrics_read_pressure(proc_fd, &pressure), cases[i].error);
                assert_int_equal(pressure.waited, cases[i].error ? 0 : 123456);
                assert_int_equal(pressure.sz_refaulted, cases[i].nr_pages * (uint64_t) sysconf(_SC_PAGESIZE));
        }
        assert_int_equal(unlinkat(proc_fd, "vmstat", 0), 0);
        assert_int_equal(metrics_read_pressure(proc_fd, &(struct damos_pressure) {}), -ENOENT);
}

static int read_text(const char *text, uint64_t *ret_value) {
        char path[64];

        (void) snprintf(path, sizeof(path), "%s/score", directory);
        put("score", text);
        return metrics_read_file(path, ret_value);
}

static void number_is_read_from_a_file(void **state) {
        static const struct {
                const char *text;
                uint64_t value;
        } cases[] = {
                { "0", 0 }, { "42\n", 42 }, { "007 \t\r\n", 7 }, { "18446744073709551615", UINT64_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value;

                ASSERT_OK(read_text(cases[i].text, &value));
                assert_true(value == cases[i].value);
        }
}

static void what_is_no_number_is_an_error(void **state) {
        static const struct {
                const char *text;
                int error;
        } cases[] = {
                { "", -EBADMSG }, { "\n", -EBADMSG }, { " 5", -EBADMSG }, { "-5", -EBADMSG }, { "+5", -EBADMSG },
                { "5.5", -EBADMSG }, { "5 6", -EBADMSG }, { "0x5", -EBADMSG }, { "five", -EBADMSG },
                { "18446744073709551616", -ERANGE },
                { "0000000000000000000000000000000000000000000000000000000000000000000005", -EBADMSG },
        };
        uint64_t value = 42;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(read_text(cases[i].text, &value), cases[i].error);
        assert_int_equal(unlinkat(proc_fd, "score", 0), 0);
        assert_int_equal(metrics_read_file("/nowhere/score", &value), -ENOENT);
        assert_int_equal(value, 42);
}

/* Whoever made it must not hold up the loop, or have something done by its being read. */
static void what_is_no_regular_file_is_refused(void **state) {
        uint64_t value = 42;
        char path[64];

        (void) snprintf(path, sizeof(path), "%s/fifo", directory);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(metrics_read_file(path, &value), -EOPNOTSUPP);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(metrics_read_file(directory, &value), -EOPNOTSUPP);
        assert_int_equal(metrics_read_file("/dev/zero", &value), -EOPNOTSUPP);
        assert_int_equal(value, 42);
        for (int error = 1; error < 200; error++)
                assert_true(strlen(metrics_error_string(-error)) > 3);
}

static void nonsense_in_pressure_is_an_error(void **state) {
        static const char *const texts[] = {
                "", "full avg10=44.00 avg60=0.00\n", "some avg10=4 avg60=0.00\n", "some avg10=4.5 avg60=0.00\n",
                "some avg10=101.00 avg60=0.00\n", "some avg10=-1.00 avg60=0.00\n", "some avg60=1.00 avg10=1.00\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                put("pressure/memory", texts[i]);
                assert_int_equal(error_of(DAMOS_SOME_MEM_PSI_RATE), -EBADMSG);
        }
        assert_int_equal(unlinkat(proc_fd, "pressure/memory", 0), 0);
        assert_int_equal(error_of(DAMOS_SOME_MEM_PSI_RATE), -ENOENT);
}

/* The kernel that runs this says something of sense. */
static void this_machine_can_be_read(void **state) {
        _cleanup_close_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        uint64_t free, available;

        assert_true(fd >= 0);
        ASSERT_OK(metrics_read(fd, DAMOS_FREE_MEM_RATE, &free));
        ASSERT_OK(metrics_read(fd, DAMOS_AVAILABLE_MEM_RATE, &available));
        assert_in_range(free, 0, 10000);
        assert_in_range(available, 1, 10000);
}

static int setup(void **state) {
        if (!mkdtemp(directory))
                return -1;
        proc_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return proc_fd < 0 ? -1 : mkdirat(proc_fd, "pressure", 0755);
}

static int teardown(void **state) {
        (void) unlinkat(proc_fd, "pressure", AT_REMOVEDIR);
        (void) close(proc_fd);
        return rmdir(directory);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(shares_are_those_of_meminfo),
                cmocka_unit_test(nonsense_in_meminfo_is_an_error),
                cmocka_unit_test(pressure_is_that_of_ten_seconds),
                cmocka_unit_test(nonsense_in_pressure_is_an_error),
                cmocka_unit_test(total_of_pressure_is_that_of_some),
                cmocka_unit_test(pressure_is_what_tasks_wait_and_what_is_read_back),
                cmocka_unit_test(number_is_read_from_a_file),
                cmocka_unit_test(what_is_no_number_is_an_error),
                cmocka_unit_test(what_is_no_regular_file_is_refused),
                cmocka_unit_test(this_machine_can_be_read),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
