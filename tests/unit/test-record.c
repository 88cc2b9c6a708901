/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record: the text of a snapshot, and a file that holds whole snapshots only, whatever
 * stood in it before, and never more than it may.
 */

#include "test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macro.h"
#include "record.h"
#include "unit.h"

#define SIZE_MAX_BYTES UINT64_C(65536)
#define MINUTE (60 * USEC_PER_SEC)

static char directory[] = "/tmp/test-record-XXXXXX";
static char path[64], older[64];

static int setup(void **state) {
        if (!mkdtemp(directory))
                return -1;
        (void) snprintf(path, sizeof(path), "%s/record", directory);
        (void) snprintf(older, sizeof(older), "%s/record.1", directory);
        return 0;
}

static int remove_files(void **state) {
        (void) unlink(path);
        (void) unlink(older);
        return 0;
}

static int teardown(void **state) {
        return rmdir(directory);
}

static char *read_file(const char *name) {
        FILE *f = fopen(name, "re"), *out;
        char *text = NULL;
        size_t size;
        int c;

        if (!f)
                fail_msg("%s: %s", name, strerror(errno));
        out = open_memstream(&text, &size);
        assert_non_null(out);
        while ((c = fgetc(f)) != EOF)
                fputc(c, out);
        fclose(f);
        fclose(out);
        return text;
}

static void write_file(const char *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        close(fd);
}

static off_t size_of(const char *name) {
        struct stat st;

        return stat(name, &st) == 0 ? st.st_size : -1;
}

/* A target with regions of a page each, the one at page i accessed i times and of age 10 i. */
static struct damon_target *make_target(pid_t pid, size_t nr_regions) {
        struct damon_target *target;

        ASSERT_OK(damon_target_new(&target, "test", pid));
        for (size_t i = 0; i < nr_regions; i++) {
                ASSERT_OK(damon_regions_append(&target->regions,
                                               (struct damon_range) { 4096 * (i + 1), 4096 * (i + 2) }));
                target->regions.items[i].nr_accesses = (uint32_t) i;
                target->regions.items[i].age = (uint32_t) i * 10;
        }
        return target;
}

/* What a snapshot of make_target()s looks like; the caller frees it. */
static char *expected_text(struct damon_target *const *targets, size_t nr, uint64_t usec) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < nr; i++)
                for (size_t k = 0; k < targets[i]->regions.nr; k++)
                        fprintf(f, "damond %d [000] %" PRIu64 ".%06" PRIu64 ": damon:damon_aggregated: "
                                "target_id=%d nr_regions=%zu %zu-%zu: %zu %zu\n", (int) getpid(),
                                usec / 1000000, usec % 1000000, (int) targets[i]->pid,
                                targets[i]->regions.nr, 4096 * (k + 1), 4096 * (k + 2), k, k * 10);
        fclose(f);
        return text;
}

static void the_text_is_that_of_the_trace_event(void **state) {
        struct damon_target *none = make_target(1, 0), *two = make_target(4242, 2);
        struct damon_target *gone = make_target(7, 3), *large = make_target(2147483647, 1);
        struct damon_target *targets[] = { none, two, gone, large };
        struct record_text text = {};

        gone->gone = true;
        two->regions.items[0].range.start = 0;
        large->regions.items[0] = (struct damon_region) {
                .range = { 93824992231424, UINT64_MAX },
                .nr_accesses = UINT32_MAX,
                .age = UINT32_MAX,
        };
        ASSERT_OK(record_compose(&text, 1234, targets, ELEMENTSOF(targets), 1000100000));
        assert_int_equal(text.size, strnlen(text.data, text.size));
        text.data[text.size] = '\0';
        assert_string_equal(text.data,
                "damond 1234 [000] 1000.100000: damon:damon_aggregated: target_id=4242 nr_regions=2 "
                "0-8192: 0 0\n"
                "damond 1234 [000] 1000.100000: damon:damon_aggregated: target_id=4242 nr_regions=2 "
                "8192-12288: 1 10\n"
                "damond 1234 [000] 1000.100000: damon:damon_aggregated: target_id=2147483647 nr_regions=1 "
                "93824992231424-18446744073709551615: 4294967295 4294967295\n");

        /* microseconds have leading zeros; the buffer is used again */
        ASSERT_OK(record_compose(&text, 1, &two, 1, 7));
        text.data[text.size] = '\0';
        assert_non_null(strstr(text.data, "damond 1 [000] 0.000007: "));
        assert_null(strstr(text.data, "1000.100000"));
        ASSERT_OK(record_compose(&text, 1, targets, 0, 7));
        assert_int_equal(text.size, 0);

        free(text.data);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                damon_target_free(targets[i]);
}

static void nothing_is_written_where_nothing_is_configured(void **state) {
        struct damon_target *target = make_target(2, 3);
        struct record record;

        record_init(&record);
        record_set(&record, NULL, SIZE_MAX_BYTES);
        assert_int_equal(record_append(&record, &target, 1, 5), RECORD_NO_NEWS);
        assert_int_equal(record.fd, -1);
        assert_null(record.text.data);
        record_done(&record);
        damon_target_free(target);
}

static void snapshots_are_appended(void **state) {
        struct damon_target *targets[] = { make_target(2, 3), make_target(3, 1) };
        _cleanup_free_ char *one = expected_text(targets, 2, 5000000), *text = NULL;
        _cleanup_free_ char *two = expected_text(targets, 2, 5200001), *all = NULL;
        struct record record;
        struct stat st;
        int fd;

        (void) umask(0);
        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        /* the file is opened without a snapshot */
        assert_int_equal(record_append(&record, NULL, 0, 4000000), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), 0);
        assert_int_equal(record_append(&record, targets, 2, 5000000), RECORD_NO_NEWS);
        fd = record.fd;
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        /* one of the same time is there */
        assert_int_equal(record_append(&record, targets, 2, 5000000), RECORD_NO_NEWS);
        text = read_file(path);
        assert_string_equal(text, one);

        /* the same file in another string stays open */
        record_set(&record, strdupa(path), SIZE_MAX_BYTES);
        assert_int_equal(record.fd, fd);
        assert_int_equal(record_append(&record, targets, 2, 5200001), RECORD_NO_NEWS);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        record_set(&record, NULL, SIZE_MAX_BYTES);
        assert_int_equal(record.fd, -1);
        assert_int_equal(fcntl(fd, F_GETFD), -1);

        free(text);
        text = read_file(path);
        assert_true(asprintf(&all, "%s%s", one, two) > 0);
        assert_string_equal(text, all);
        assert_int_equal(size_of(older), -1);
        record_done(&record);
        damon_target_free(targets[0]);
        damon_target_free(targets[1]);
}

static void the_buffer_grows_once(void **state) {
        struct damon_target *target = make_target(2, 20);
        struct record record;
        const char *data;

        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        (void) record_append(&record, &target, 1, 1);
        data = record.text.data;
        for (uint64_t usec = 2; usec < 100; usec++) {
                (void) record_append(&record, &target, 1, usec);
                assert_ptr_equal(record.text.data, data);
        }
        record_done(&record);
        damon_target_free(target);
}

/* Begin with @before, append a snapshot of time 10; what stands there then. */
static char *append_to(const char *before, size_t size, struct damon_target **target) {
        struct record record;

        write_file(before, size);
        record_init(&record);
        record_set(&record, path, UINT64_MAX);
        assert_int_equal(record_append(&record, target, 1, 10), RECORD_NO_NEWS);
        record_done(&record);
        return read_file(path);
}

/* Wherever a file was cut off, what is left of the last snapshot is taken away. */
static void what_was_cut_off_is_taken_away(void **state) {
        struct damon_target *targets[] = { make_target(2, 3), make_target(3, 3) };
        _cleanup_free_ char *one = expected_text(targets, 2, 7), *two = expected_text(targets, 2, 8);
        _cleanup_free_ char *last = expected_text(targets, 1, 10), *both = NULL;
        _cleanup_free_ char *first_target = expected_text(targets, 1, 8);
        size_t sz_one = strlen(one), sz_first = strlen(first_target), size;

        assert_true(asprintf(&both, "%s%s", one, two) > 0);
        size = strlen(both);
        for (size_t cut = 20; cut <= size; cut++) {
                _cleanup_free_ char *text = append_to(both, cut, &targets[0]);
                size_t kept = cut == size               ? size
                        : cut >= sz_one + sz_first      ? sz_one + sz_first
                        : cut >= sz_one                 ? sz_one
                        : cut >= sz_first               ? sz_first
                                                        : 0;

                if (strlen(text) != kept + strlen(last))
                        fail_msg("cut at %zu: %zu bytes were kept, not %zu", cut,
                                 strlen(text) - strlen(last), kept);
                assert_memory_equal(text, both, kept);
                assert_string_equal(text + kept, last);
        }
        damon_target_free(targets[0]);
        damon_target_free(targets[1]);
}

static void lines_that_are_none_are_taken_away(void **state) {
        struct damon_target *target = make_target(2, 1);
        _cleanup_free_ char *one = expected_text(&target, 1, 7), *last = expected_text(&target, 1, 10);
        _cleanup_free_ char *two = expected_text(&target, 1, 8);
        _cleanup_free_ char *text = NULL, *before = NULL, *expected = NULL;

        assert_true(asprintf(&before, "%s%.*s and more\n", one, (int) strlen(two) - 1, two) > 0);
        text = append_to(before, strlen(before), &target);
        assert_true(asprintf(&expected, "%s%s", one, last) > 0);
        assert_string_equal(text, expected);
        damon_target_free(target);
}

/* What a file system leaves behind when the machine goes down. */
static void zeros_at_the_end_are_taken_away(void **state) {
        struct damon_target *target = make_target(2, 3);
        _cleanup_free_ char *one = expected_text(&target, 1, 7), *last = expected_text(&target, 1, 10);
        _cleanup_free_ char *text = NULL, *zeros = calloc(1, strlen(one) + 200000), *expected = NULL;

        assert_non_null(zeros);
        memcpy(zeros, one, strlen(one));
        text = append_to(zeros, strlen(one) + 200000, &target);
        assert_true(asprintf(&expected, "%s%s", one, last) > 0);
        assert_string_equal(text, expected);
        damon_target_free(target);
}

/* The end that is looked at grows until a snapshot is in it. */
static void a_large_snapshot_is_found(void **state) {
        struct damon_target *target = make_target(2, 10000), *small = make_target(2, 1);
        _cleanup_free_ char *one = expected_text(&target, 1, 7), *two = expected_text(&target, 1, 8);
        _cleanup_free_ char *both = NULL, *text = NULL, *last = expected_text(&small, 1, 10);

        assert_true(asprintf(&both, "%s%s", one, two) > 0);
        text = append_to(both, strlen(both) - 1, &small);
        assert_int_equal(strlen(text), strlen(one) + strlen(last));
        assert_memory_equal(text, one, strlen(one));
        assert_string_equal(text + strlen(one), last);
        damon_target_free(target);
        damon_target_free(small);
}

/* CLOCK_MONOTONIC begins anew at each boot, and damo wants times in order. */
static void a_record_of_later_times_is_renamed(void **state) {
        struct damon_target *target = make_target(2, 3);
        _cleanup_free_ char *later = expected_text(&target, 1, 11), *last = expected_text(&target, 1, 10);
        _cleanup_free_ char *text = append_to(later, strlen(later), &target), *before = read_file(older);

        assert_string_equal(before, later);
        assert_string_equal(text, last);
        damon_target_free(target);
}

static void a_record_is_never_larger_than_it_may_be(void **state) {
        struct damon_target *target = make_target(2, 100);
        _cleanup_free_ char *one = expected_text(&target, 1, 1000000);
        size_t size = strlen(one), fit = SIZE_MAX_BYTES / size;
        struct record record;

        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        for (uint64_t i = 0; i < 3 * fit; i++) {
                _cleanup_free_ char *newest = expected_text(&target, 1, 1000000 + i), *text = NULL;

                assert_int_equal(record_append(&record, &target, 1, 1000000 + i), RECORD_NO_NEWS);
                assert_int_equal(size_of(path), size * (i % fit + 1));
                assert_int_equal(size_of(older), i < fit ? -1 : (off_t) (size * fit));
                text = read_file(path);
                assert_string_equal(text + size * (i % fit), newest);
        }

        /* the limit itself is allowed; what is larger than it by itself is refused */
        record_set(&record, path, size);
        assert_int_equal(record_append(&record, &target, 1, 2000000), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), size);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(record_append(&record, &target, 1, 2000000), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), size);
        record_set(&record, path, 2 * size);
        assert_int_equal(record_append(&record, &target, 1, 2000001), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), 2 * size);
        record_set(&record, path, size - 1);
        assert_int_equal(record_append(&record, &target, 1, 2000002), RECORD_FAILED);
        assert_string_equal(record_error_string(record.error), "a snapshot is larger than record_size");
        assert_int_equal(size_of(path), 2 * size);
        record_done(&record);
        damon_target_free(target);
}

static void others_may_not_read_it(void **state) {
        struct damon_target *target = make_target(2, 3);
        struct record record;
        struct stat st;

        write_file("", 0);
        assert_int_equal(chmod(path, 0644), 0);
        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        assert_int_equal(record_append(&record, &target, 1, 5), RECORD_NO_NEWS);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        record_done(&record);
        damon_target_free(target);
}

static void one_that_was_removed_is_begun_anew(void **state) {
        struct damon_target *target = make_target(2, 3);
        _cleanup_free_ char *last = expected_text(&target, 1, 6), *text = NULL;
        struct record record;

        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        (void) record_append(&record, &target, 1, 5);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(record_append(&record, &target, 1, 6), RECORD_NO_NEWS);
        text = read_file(path);
        assert_string_equal(text, last);
        record_done(&record);
        damon_target_free(target);
}

static void check_refused(const char *why) {
        struct damon_target *target = make_target(2, 3);
        struct record record;

        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        assert_int_equal(record_append(&record, &target, 1, 5), RECORD_FAILED);
        assert_string_equal(record_error_string(record.error), why);
        assert_int_equal(record.fd, -1);
        record_done(&record);
        damon_target_free(target);
}

/* A record may be configured where something else is: that is left as it is. */
static void what_is_no_record_is_left_alone(void **state) {
        static const char *const foreign[] = {
                "root:x:0:0:root:/root:/bin/bash\n",
                "damond is a program.\n",
                "damond 1 [000] is not a line of a record\n",
                "damond",
                "\n",
        };
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < ELEMENTSOF(foreign); i++) {
                write_file(foreign[i], strlen(foreign[i]));
                check_refused("has contents that are no record");
                free(text);
                text = read_file(path);
                assert_string_equal(text, foreign[i]);
        }
        assert_int_equal(unlink(path), 0);

        assert_int_equal(symlink(older, path), 0);
        check_refused("is a symbolic link");
        assert_int_equal(size_of(older), -1);
        assert_int_equal(unlink(path), 0);

        assert_int_equal(mkfifo(path, 0600), 0);
        check_refused("is not a regular file");
        assert_int_equal(unlink(path), 0);

        assert_int_equal(mkdir(path, 0700), 0);
        check_refused("Is a directory");
        assert_int_equal(rmdir(path), 0);
}

/* One warning, nothing torn, another try each minute, and word of the recovery. */
static void a_failure_is_news_once(void **state) {
        struct damon_target *target = make_target(2, 100), *small = make_target(3, 1);
        _cleanup_free_ char *one = expected_text(&target, 1, 5), *last = NULL, *text = NULL, *all = NULL;
        struct rlimit limit;
        struct record record;
        rlim_t soft;

        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        assert_int_equal(record_append(&record, &target, 1, 5), RECORD_NO_NEWS);

        /* a write(2) that stops amid the second snapshot stands for a disk that is full */
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        soft = limit.rlim_cur;
        limit.rlim_cur = strlen(one) + strlen(one) / 2;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(record_append(&record, &target, 1, 10), RECORD_FAILED);
        assert_int_equal(record.error, -EFBIG);
        assert_int_equal(size_of(path), strlen(one));
        assert_int_equal(record_append(&record, &target, 1, 11), RECORD_NO_NEWS);
        assert_int_equal(record_append(&record, &target, 1, 10 + MINUTE), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), strlen(one));
        limit.rlim_cur = soft;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

        assert_int_equal(record_append(&record, &target, 1, 9 + 2 * MINUTE), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), strlen(one));
        /* that the file can be opened is no news as long as nothing could be written */
        assert_int_equal(record_append(&record, NULL, 0, 10 + 2 * MINUTE), RECORD_NO_NEWS);
        assert_int_equal(record_append(&record, &small, 1, 11 + 2 * MINUTE), RECORD_RECOVERED);
        assert_int_equal(record_append(&record, &small, 1, 11 + 2 * MINUTE), RECORD_NO_NEWS);
        last = expected_text(&small, 1, 11 + 2 * MINUTE);
        assert_true(asprintf(&all, "%s%s", one, last) > 0);
        text = read_file(path);
        assert_string_equal(text, all);
        record_done(&record);
        damon_target_free(target);
        damon_target_free(small);
}

/* A reload is a good moment to try again. */
static void setting_the_record_again_tries_again(void **state) {
        struct damon_target *target = make_target(2, 3);
        struct record record;

        assert_int_equal(mkdir(path, 0700), 0);
        record_init(&record);
        record_set(&record, path, SIZE_MAX_BYTES);
        assert_int_equal(record_append(&record, &target, 1, 5), RECORD_FAILED);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(record_append(&record, &target, 1, 6), RECORD_NO_NEWS);
        assert_int_equal(size_of(path), -1);
        record_set(&record, path, SIZE_MAX_BYTES);
        assert_int_equal(record_append(&record, &target, 1, 7), RECORD_RECOVERED);
        record_done(&record);
        damon_target_free(target);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_text_is_that_of_the_trace_event),
                cmocka_unit_test(nothing_is_written_where_nothing_is_configured),
                cmocka_unit_test_teardown(snapshots_are_appended, remove_files),
                cmocka_unit_test_teardown(the_buffer_grows_once, remove_files),
                cmocka_unit_test_teardown(what_was_cut_off_is_taken_away, remove_files),
                cmocka_unit_test_teardown(lines_that_are_none_are_taken_away, remove_files),
                cmocka_unit_test_teardown(zeros_at_the_end_are_taken_away, remove_files),
                cmocka_unit_test_teardown(a_large_snapshot_is_found, remove_files),
                cmocka_unit_test_teardown(a_record_of_later_times_is_renamed, remove_files),
                cmocka_unit_test_teardown(a_record_is_never_larger_than_it_may_be, remove_files),
                cmocka_unit_test_teardown(others_may_not_read_it, remove_files),
                cmocka_unit_test_teardown(one_that_was_removed_is_begun_anew, remove_files),
                cmocka_unit_test_teardown(what_is_no_record_is_left_alone, remove_files),
                cmocka_unit_test_teardown(a_failure_is_news_once, remove_files),
                cmocka_unit_test_teardown(setting_the_record_again_tries_again, remove_files),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
