/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What paging out did, by the page map before and after, on a simulated kernel that stands behind
 * the calls (--wrap of the linker).
 */

#include "test.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <time.h>

#include "macro.h"
#include "pagemap.h"
#include "pageout.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define BASE UINT64_C(0x555500000000)
#define NR_PAGES 32768

#define ANON(frame) (PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | (frame))
#define SWAPPED(slot) (PAGEMAP_SWAPPED | (uint64_t) (slot) << 5)
#define MIGRATING (PAGEMAP_SWAPPED | 30)

static struct {
        uint64_t entries[NR_PAGES];
        struct damon_range refused;             /* with refused_error */
        int refused_error;
        struct damon_range stuck;               /* advice is taken, and nothing happens */
        struct damon_range hot;                 /* comes back at once */
        uint64_t free_swap;
        bool no_scan, ended;
        bool huge;      /* all that is present is in huge pages */
        uint64_t now, page_takes;               /* nanoseconds */
        size_t nr_advised, nr_scans, nr_reads, nr_calls;
        size_t nr_walks_max;                    /* parts that a scan finds at most */
} kernel;

static struct pageout state_of_pageout;

static bool within(struct damon_range range, uint64_t addr) {
        return addr >= range.start && addr < range.end;
}

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap___pread_chk(int fd, void *buf, size_t size, off_t offset, size_t room);
ssize_t __wrap___pread64_chk(int fd, void *buf, size_t size, off_t offset, size_t room);
ssize_t __wrap_process_madvise(int pidfd, const struct iovec *iov, size_t nr, int advice,
                               unsigned flags);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_sysinfo(struct sysinfo *info);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts) {
        *ts = (struct timespec) { (time_t) (kernel.now / 1000000000), (long) (kernel.now % 1000000000) };
        return 0;
}

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset) {
        uint64_t first = (uint64_t) offset / 8 - BASE / PAGE;

        if (kernel.ended)
                return 0;
        kernel.nr_reads++;
        assert_true(first + size / 8 <= NR_PAGES);
        memcpy(buf, kernel.entries + first, size);
        return (ssize_t) size;
}

ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t offset) {
        return __wrap_pread(fd, buf, size, offset);
}

ssize_t __wrap___pread_chk(int fd, void *buf, size_t size, off_t offset, size_t room) {
        assert_true(size <= room);
        return __wrap_pread(fd, buf, size, offset);
}

ssize_t __wrap___pread64_chk(int fd, void *buf, size_t size, off_t offset, size_t room) {
        return __wrap___pread_chk(fd, buf, size, offset, room);
}

static void page_out(uint64_t addr) {
        uint64_t *entry = &kernel.entries[(addr - BASE) / PAGE];

        if (!pagemap_present(*entry) || !(*entry & PAGEMAP_EXCLUSIVE) || within(kernel.stuck, addr))
                return;
        if (within(kernel.hot, addr))
                *entry += 1 << 20;              /* another frame */
        else if (*entry & PAGEMAP_FILE)
                *entry = 0;
        else if (kernel.free_swap >= PAGE) {
                kernel.now += kernel.page_takes;
                kernel.free_swap -= PAGE;
                *entry = SWAPPED(1);
        }
}

ssize_t __wrap_process_madvise(int pidfd, const struct iovec *iov, size_t nr, int advice,
                               unsigned flags) {
        ssize_t done = 0;

        assert_int_equal(advice, MADV_PAGEOUT);
        kernel.nr_calls++;
        for (size_t i = 0; i < nr; i++) {
                uint64_t start = (uintptr_t) iov[i].iov_base;

                if (kernel.refused_error != 0 && within(kernel.refused, start)) {
                        errno = kernel.refused_error;
                        return done > 0 ? done : -1;
                }
                for (uint64_t at = start; at < start + iov[i].iov_len; at += PAGE)
                        page_out(at);
                done += (ssize_t) iov[i].iov_len;
                kernel.nr_advised++;
        }
        return done;
}

/* include/uapi/linux/fs.h, Linux 6.7 */
struct pm_scan_arg {
        uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
        uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

int __wrap_ioctl(int fd, unsigned long request, ...) {
        struct pagemap_region *found;
        struct pm_scan_arg *arg;
        int nr = 0;
        va_list ap;

        if (kernel.no_scan) {
                errno = ENOTTY;
                return -1;
        }
        va_start(ap, request);
        arg = va_arg(ap, struct pm_scan_arg *);
        va_end(ap);
        kernel.nr_scans++;
        found = (struct pagemap_region *) (uintptr_t) arg->vec;
        for (arg->walk_end = arg->start; arg->walk_end < arg->end; arg->walk_end += PAGE) {
                if (!pagemap_present(kernel.entries[(arg->walk_end - BASE) / PAGE]))
                        continue;
                if (nr > 0 && found[nr - 1].end == arg->walk_end)
                        found[nr - 1].end += PAGE;
                else if ((size_t) nr == MIN(arg->vec_len, kernel.nr_walks_max))
                        break;
                else
                        found[nr++] = (struct pagemap_region) { arg->walk_end, arg->walk_end + PAGE, UINT64_C(1) << 3 | (uint64_t) kernel.huge << 6 };
        }
        return nr;
}

int __wrap_sysinfo(struct sysinfo *info) {
        *info = (struct sysinfo) { .freeswap = kernel.free_swap / 512, .mem_unit = 512 };
        return 0;
}

static int set_up(void **state) {
        memset(&kernel, 0, sizeof(kernel));
        kernel.free_swap = UINT64_C(1) << 40;
        kernel.nr_walks_max = SIZE_MAX;
        return 0;
}

static int tear_down(void **state) {
        pageout_done(&state_of_pageout);
        return 0;
}

static void fill(uint64_t first, uint64_t nr, uint64_t flags) {
        for (uint64_t i = first; i < first + nr; i++)
                kernel.entries[i] = ANON(i + 1) | flags;
}

static struct damon_range pages(uint64_t first, uint64_t nr) {
        return (struct damon_range) { BASE + first * PAGE, BASE + (first + nr) * PAGE };
}

static struct damos_outcome page_out_pieces(struct advice *pieces, size_t nr, int expected) {
        struct damos_try try = {};

        for (size_t i = 0; i < nr; i++)
                pieces[i].error = 0;
        assert_int_equal(pageout(&state_of_pageout, 3, 4, PAGE, pieces, nr, &try, NULL), expected);
        return try.outcome;
}

static struct damos_outcome page_out_range(struct damon_range range) {
        struct advice piece = { .range = range };

        return page_out_pieces(&piece, 1, 0);
}

static void assert_outcome(struct damos_outcome outcome, uint64_t moved, enum damos_refusal refusal,
                           uint64_t refused) {
        assert_int_equal(outcome.sz_moved, moved * PAGE);
        assert_int_equal(outcome.sz_refused[refusal], refused * PAGE);
        assert_int_equal(damos_outcome_refused(&outcome), refused * PAGE);
}

/* whether the kernel can say where pages are, in however many parts, or cannot */
static void what_leaves_memory_has_moved(void **state) {
        for (size_t i = 0; i < 3; i++) {
                struct damos_outcome outcome;

                set_up(NULL);
                kernel.no_scan = i == 1;
                kernel.nr_walks_max = i == 2 ? 2 : SIZE_MAX;
                fill(10, 100, 0);
                fill(200, 30, 0);
                fill(300, 1, PAGEMAP_FILE);
                kernel.entries[400] = SWAPPED(7);
                outcome = page_out_range(pages(0, 1000));
                assert_outcome(outcome, 131, DAMOS_REFUSED_OTHER, 0);
                assert_int_equal(outcome.sz_returned, 0);
                /* nothing is left to move */
                assert_outcome(page_out_range(pages(0, 1000)), 0, DAMOS_REFUSED_OTHER, 0);
                pageout_done(&state_of_pageout);
        }
}

static void what_is_shared_is_refused_as_such(void **state) {
        fill(0, 100, 0);
        for (size_t i = 40; i < 60; i++)
                kernel.entries[i] &= ~PAGEMAP_EXCLUSIVE;
        assert_outcome(page_out_range(pages(0, 100)), 80, DAMOS_REFUSED_SHARED, 20);
}

static void what_is_locked_is_refused_as_such(void **state) {
        struct advice pieces[] = { { .range = pages(0, 100) }, { .range = pages(100, 50) }, { .range = pages(150, 7) } };

        fill(0, 157, 0);
        kernel.refused = pages(100, 50);
        kernel.refused_error = EINVAL;
        assert_outcome(page_out_pieces(pieces, ELEMENTSOF(pieces), 0), 107, DAMOS_REFUSED_LOCKED, 50);
}

static void what_stays_for_no_known_reason_is_something_else(void **state) {
        fill(0, 100, 0);
        kernel.stuck = pages(90, 10);
        assert_outcome(page_out_range(pages(0, 100)), 90, DAMOS_REFUSED_OTHER, 10);
}

static void what_is_back_already_has_moved_and_returned(void **state) {
        struct damos_outcome outcome;

        fill(0, 100, 0);
        kernel.hot = pages(0, 25);
        outcome = page_out_range(pages(0, 100));
        assert_outcome(outcome, 100, DAMOS_REFUSED_OTHER, 0);
        assert_int_equal(outcome.sz_returned, 25 * PAGE);
}

/* Not asked for what it could not do; but it can drop pages of files. */
static void without_swap_the_kernel_is_not_bothered(void **state) {
        struct advice pieces[] = { { .range = pages(0, 100) }, { .range = pages(100, 100) } };

        kernel.free_swap = 0;
        fill(0, 200, 0);
        assert_outcome(page_out_pieces(pieces, 2, 0), 0, DAMOS_REFUSED_NO_SWAP, 200);
        assert_int_equal(kernel.nr_advised, 0);

        fill(150, 30, PAGEMAP_FILE);
        assert_outcome(page_out_pieces(pieces, 2, 0), 30, DAMOS_REFUSED_NO_SWAP, 170);
        assert_int_equal(kernel.nr_advised, 1);
}

static void what_does_not_fit_into_swap_is_refused_as_such(void **state) {
        fill(0, 1000, 0);
        kernel.free_swap = 600 * PAGE;
        assert_outcome(page_out_range(pages(0, 1000)), 600, DAMOS_REFUSED_NO_SWAP, 400);
}

static void what_is_on_its_way_has_not_moved(void **state) {
        fill(0, 100, 0);
        kernel.stuck = pages(0, 100);
        kernel.entries[50] = MIGRATING;
        assert_outcome(page_out_range(pages(0, 100)), 0, DAMOS_REFUSED_OTHER, 99);
}

static void much_memory_goes_in_parts(void **state) {
        struct advice pieces[] = {
                { .range = pages(0, 15000) }, { .range = pages(15000, 10000) }, { .range = pages(25000, 7000) },
        };

        fill(0, NR_PAGES, 0);
        assert_outcome(page_out_pieces(pieces, ELEMENTSOF(pieces), 0), 32000, DAMOS_REFUSED_OTHER, 0);
        assert_true(state_of_pageout.sz_entries <= 4 * 16384);
}

/* Go on with a piece for some time. Return: bytes that were moved. */
static uint64_t page_out_within(struct advice *piece, uint64_t time, struct advice_limit *limit) {
        uint64_t before = piece->sz_applied;
        struct damos_try try = {};

        *limit = advice_limit(time, limit);
        ASSERT_OK(pageout(&state_of_pageout, 3, 4, PAGE, piece, 1, &try, limit));
        assert_int_equal(try.outcome.sz_moved, piece->sz_applied - before);
        assert_int_equal(damos_outcome_refused(&try.outcome), 0);
        return try.outcome.sz_moved;
}

/* A call waits for the device, and ends when it ends; the next one is the shorter for it. */
static void slow_device_is_given_less_at_once(void **state) {
        struct advice piece = { .range = pages(0, NR_PAGES) };
        struct advice_limit limit = {};
        uint64_t before;

        fill(0, NR_PAGES, 0);
        kernel.page_takes = 1000000;
        assert_int_equal(page_out_within(&piece, 10000000, &limit), 16 * PAGE);
        assert_true(advice_is_left(&piece));
        assert_int_equal(kernel.nr_calls, 1);

        /* its queue has room, until it has none */
        kernel.page_takes = 1000;
        (void) page_out_within(&piece, 10000000, &limit);
        kernel.page_takes = 1000000;
        assert_int_equal(page_out_within(&piece, 10000000, &limit), 2 * MIB);
        for (int i = 0; i < 20; i++) {
                before = kernel.now;
                assert_in_range(page_out_within(&piece, 10000000, &limit), 10 * PAGE, 50 * PAGE);
                assert_true(kernel.now - before <= 50000000);
        }

        /* so slow that not even the smallest call ends in time: it is one call all the same */
        kernel.page_takes = 100000000;
        (void) page_out_within(&piece, 10000000, &limit);
        kernel.nr_calls = 0;
        for (int i = 0; i < 20; i++)
                assert_int_equal(page_out_within(&piece, 10000000, &limit), 16 * PAGE);
        assert_int_equal(kernel.nr_calls, 20);

        /* and as much as before when it is quick again */
        kernel.page_takes = 1000;
        before = kernel.now;
        (void) page_out_within(&piece, 10000000, &limit);
        assert_in_range(kernel.now - before, 10000000, 12100000);
        assert_int_equal(limit.sz_call, 2 * MIB);
        while (advice_is_left(&piece))
                (void) page_out_within(&piece, 10000000, &limit);
        assert_int_equal(piece.sz_applied, NR_PAGES * PAGE);
}

/* Of which a part would be left as small pages, that a filter may not let through. */
static void huge_pages_go_whole_however_slow_it_is(void **state) {
        const size_t nr_huge = NR_PAGES / 512;
        struct advice piece = { .range = pages(0, NR_PAGES) };
        struct advice_limit limit = {};

        fill(0, NR_PAGES, 0);
        kernel.huge = true;
        kernel.page_takes = 1000000;
        for (size_t i = 0; i < nr_huge; i++)
                assert_int_equal(page_out_within(&piece, 10000000, &limit), 2 * MIB);
        assert_int_equal(kernel.nr_calls, nr_huge);
        assert_false(advice_is_left(&piece));
}

/* That what is passed over takes no time does not make the next call larger. */
static void what_is_refused_says_nothing_about_the_device(void **state) {
        struct advice piece = { .range = pages(0, 1000) };
        struct advice_limit limit = advice_limit(10000000, &(struct advice_limit) {});
        struct damos_try try = {};

        fill(0, 1000, 0);
        kernel.stuck = pages(0, 1000);
        ASSERT_OK(pageout(&state_of_pageout, 3, 4, PAGE, &piece, 1, &try, &limit));
        assert_outcome(try.outcome, 0, DAMOS_REFUSED_OTHER, 1000);
        assert_int_equal(limit.sz_call, 16 * PAGE);
}

/* Where little is in memory, a call may be on much. */
static void calls_are_as_large_as_what_is_in_memory(void **state) {
        struct advice piece = { .range = pages(0, NR_PAGES) };
        struct advice_limit limit = advice_limit(10000000, &(struct advice_limit) {});
        struct damos_try try = {};

        kernel.page_takes = 1000;
        fill(5000, 100, 0);
        fill(15000, 100, 0);
        ASSERT_OK(pageout(&state_of_pageout, 3, 4, PAGE, &piece, 1, &try, &limit));
        /* of 64 KiB, as one takes none of the other hundred with it, and then more */
        assert_in_range(kernel.nr_calls, 4, 8);
        assert_outcome(try.outcome, 200, DAMOS_REFUSED_OTHER, 0);
        assert_false(advice_is_left(&piece));
}

static void a_target_that_ends_is_noticed(void **state) {
        struct advice piece = { .range = pages(0, 10) };
        uint64_t size;

        kernel.ended = kernel.no_scan = true;
        (void) page_out_pieces(&piece, 1, -ESRCH);
        ASSERT_ERROR(pageout_present(&state_of_pageout, 4, PAGE, pages(0, 10), &size), ESRCH);
}

static void presence_is_counted(void **state) {
        for (size_t i = 0; i < 3; i++) {
                uint64_t size;

                set_up(NULL);
                kernel.no_scan = i == 1;
                kernel.nr_walks_max = i == 2 ? 1 : SIZE_MAX;
                fill(10, 100, 0);
                fill(700, 1, PAGEMAP_FILE);
                kernel.entries[800] = SWAPPED(1);
                ASSERT_OK(pageout_present(&state_of_pageout, 4, PAGE, pages(5, 1500), &size));
                assert_int_equal(size, 101 * PAGE);
                pageout_done(&state_of_pageout);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_leaves_memory_has_moved, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_shared_is_refused_as_such, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_locked_is_refused_as_such, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_stays_for_no_known_reason_is_something_else, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_back_already_has_moved_and_returned, set_up, tear_down),
                cmocka_unit_test_setup_teardown(without_swap_the_kernel_is_not_bothered, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_does_not_fit_into_swap_is_refused_as_such, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_on_its_way_has_not_moved, set_up, tear_down),
                cmocka_unit_test_setup_teardown(much_memory_goes_in_parts, set_up, tear_down),
                cmocka_unit_test_setup_teardown(slow_device_is_given_less_at_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(huge_pages_go_whole_however_slow_it_is, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_refused_says_nothing_about_the_device, set_up, tear_down),
                cmocka_unit_test_setup_teardown(calls_are_as_large_as_what_is_in_memory, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_target_that_ends_is_noticed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(presence_is_counted, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
