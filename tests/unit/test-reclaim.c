/* SPDX-License-Identifier: GPL-2.0-only */
/* How far the absence of accesses is trusted, on counters that a test writes. */

#include "test.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reclaim.h"

#define SECOND UINT64_C(1000000000)
#define MS (SECOND / 1000)

/* Memory on LRU lists: 16 of its pages are the share that is trusted. */
#define LISTED 256

static int lru_gen_fd, vmstat_fd;

static void set_file(int fd, const char *text) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t) strlen(text));
}

/* All the names around are there to be taken for those that count. */
static void set_counters(uint64_t anon, uint64_t file, uint64_t refill) {
        char text[1024];

        assert_true((size_t) snprintf(text, sizeof(text),
                "nr_free_pages 5\nnr_zone_inactive_anon 70000\nnr_inactive_anon 16\n"
                "nr_active_anon 48\nnr_inactive_file 64\nnr_active_file 128\nnr_unevictable 70000\n"
                "pgrefill %" PRIu64 "\npgsteal_kswapd 70000\npgscan_kswapd 70000\n"
                "pgscan_direct 70000\npgscan_anon %" PRIu64 "\npgscan_file %" PRIu64 "\n"
                "pgsteal_anon 70000\n", refill, anon, file) < sizeof(text));
        set_file(vmstat_fd, text);
}

static int setup(void **state) {
        lru_gen_fd = memfd_create("enabled", MFD_CLOEXEC);
        vmstat_fd = memfd_create("vmstat", MFD_CLOEXEC);
        assert_true(lru_gen_fd >= 0 && vmstat_fd >= 0);
        set_file(lru_gen_fd, "0x0007\n");
        return 0;
}

static int teardown(void **state) {
        return close(lru_gen_fd) | close(vmstat_fd);
}

static void update(struct reclaim *reclaim, uint64_t now) {
        reclaim_update(reclaim, lru_gen_fd, vmstat_fd, now);
}

/* Counters at the start, and a second later. */
static struct reclaim after_a_second(uint64_t anon, uint64_t file, uint64_t refill) {
        struct reclaim reclaim = {};

        set_counters(1000, 1000, 1000);
        update(&reclaim, 5 * SECOND);
        assert_false(reclaim_hides(&reclaim, UINT64_MAX));      /* one look says nothing */
        set_counters(1000 + anon, 1000 + file, 1000 + refill);
        update(&reclaim, 6 * SECOND);
        return reclaim;
}

static void while_nothing_is_reclaimed_everything_is_trusted(void **state) {
        struct reclaim reclaim = after_a_second(0, 0, 0);

        assert_false(reclaim_hides(&reclaim, UINT64_MAX));
}

static void windows_are_trusted_for_a_sixteenth_of_memory(void **state) {
        struct reclaim reclaim;

        reclaim = after_a_second(LISTED, 0, 0);                 /* all of it in a second */
        assert_false(reclaim_hides(&reclaim, 62 * MS));
        assert_true(reclaim_hides(&reclaim, 63 * MS));
        reclaim = after_a_second(1, 0, 0);
        assert_false(reclaim_hides(&reclaim, 16 * SECOND));
        assert_true(reclaim_hides(&reclaim, 16 * SECOND + 1));
}

static void what_reclaim_goes_through_adds_up(void **state) {
        struct reclaim reclaim = after_a_second(LISTED, LISTED, 2 * LISTED);

        assert_false(reclaim_hides(&reclaim, 15 * MS));
        assert_true(reclaim_hides(&reclaim, 16 * MS));
}

static void counters_are_read_once_a_second(void **state) {
        struct reclaim reclaim = after_a_second(LISTED, 0, 0);

        set_counters(1000 + LISTED, 1000, 1000);                /* and then no more */
        update(&reclaim, 7 * SECOND - 1);
        assert_true(reclaim_hides(&reclaim, 63 * MS));
        update(&reclaim, 7 * SECOND);
        assert_false(reclaim_hides(&reclaim, UINT64_MAX));
        set_counters(1000 + LISTED + 4, 1000, 1000);            /* a while of ten seconds */
        update(&reclaim, 17 * SECOND);
        assert_false(reclaim_hides(&reclaim, 40 * SECOND));
        assert_true(reclaim_hides(&reclaim, 40 * SECOND + 1));
}

static void without_the_multi_generational_lru_everything_is_trusted(void **state) {
        struct reclaim reclaim = after_a_second(LISTED, 0, 0);

        set_file(lru_gen_fd, "0x0006\n");
        set_counters(1000 + 9 * LISTED, 1000, 1000);
        update(&reclaim, 7 * SECOND);
        assert_false(reclaim_hides(&reclaim, UINT64_MAX));

        /* switched on, it is judged from then on, not by what was counted meanwhile */
        set_file(lru_gen_fd, "0x0001\n");
        update(&reclaim, 8 * SECOND);
        assert_false(reclaim_hides(&reclaim, UINT64_MAX));
        set_counters(1000 + 10 * LISTED, 1000, 1000);
        update(&reclaim, 9 * SECOND);
        assert_false(reclaim_hides(&reclaim, 62 * MS));
        assert_true(reclaim_hides(&reclaim, 63 * MS));
}

static void a_kernel_that_does_not_count_is_trusted(void **state) {
        struct reclaim reclaim = {};

        for (uint64_t i = 1; i < 4; i++) {
                set_file(vmstat_fd, i % 2 ? "nr_free_pages 1\npgscan_file 12\n" : "");
                update(&reclaim, i * SECOND);
                assert_false(reclaim_hides(&reclaim, UINT64_MAX));
        }
        reclaim_update(&reclaim, -1, vmstat_fd, 5 * SECOND);
        reclaim_update(&reclaim, lru_gen_fd, -1, 6 * SECOND);
        assert_false(reclaim_hides(&reclaim, UINT64_MAX));
}

static void extremes_do_not_wrap(void **state) {
        struct reclaim reclaim = after_a_second(1, 0, 0);
        char text[1024];

        /* the longest time, the largest machine, a single page */
        assert_true((size_t) snprintf(text, sizeof(text),
                "x\nnr_inactive_anon %" PRIu64 "\nnr_active_anon 1\nnr_inactive_file 1\n"
                "nr_active_file 1\npgrefill 1000\npgscan_anon 1002\npgscan_file 1000\n",
                UINT64_MAX / 2) < sizeof(text));
        set_file(vmstat_fd, text);
        update(&reclaim, UINT64_MAX / 2);
        assert_false(reclaim_hides(&reclaim, UINT64_MAX));

        /* faster than a page a nanosecond */
        reclaim = after_a_second(UINT64_MAX / 4, 0, 0);
        assert_true(reclaim_hides(&reclaim, 2));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(while_nothing_is_reclaimed_everything_is_trusted),
                TEST(windows_are_trusted_for_a_sixteenth_of_memory),
                TEST(what_reclaim_goes_through_adds_up),
                TEST(counters_are_read_once_a_second),
                TEST(without_the_multi_generational_lru_everything_is_trusted),
                TEST(a_kernel_that_does_not_count_is_trusted),
                TEST(extremes_do_not_wrap),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
