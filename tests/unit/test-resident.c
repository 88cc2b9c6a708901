/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk over the page table, on a simulated PAGEMAP_SCAN that behaves as
 * do_pagemap_scan() in fs/proc/task_mmu.c of Linux 6.7 does, and on a clock that its calls
 * move on. Both stand behind the calls of the C library (--wrap of the linker).
 */

#include "test.h"

#include <sys/ioctl.h>
#include <time.h>

#include "macro.h"
#include "resident.h"
#include "rng.h"

#define PAGE UINT64_C(4096)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define MS INT64_C(1000000)
#define SEC (1000 * MS)

/* what the walk promises, or does by its constants */
#define STEP (256 * MIB)
#define VECTOR 512
#define RANGES_MAX 2048
#define MIN_GAP (64 * KIB)
#define PAUSE_FACTOR 1000

#define PAGEMAP_FD 12345
#define NR_PRESENT 10000
#define NR_CALLS 20000

/* Where the address space of most tests begins */
#define BASE (UINT64_C(16) * TIB)

/* include/uapi/linux/fs.h */
struct page_region {
        uint64_t start, end, categories;
};

struct pm_scan_arg {
        uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
        uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN_REQUEST _IOWR('f', 16, struct pm_scan_arg)
#define PRESENT (UINT64_C(1) << 3)
#define SWAPPED (UINT64_C(1) << 4)

static struct {
        struct damon_range present[NR_PRESENT];         /* sorted, disjoint */
        size_t nr_present;
        struct damon_range calls[NR_CALLS];             /* from start to where it got */
        size_t nr_calls;
        struct damon_range swapped;                     /* behind all that is present */
        uint64_t cost;                                  /* of a call, nanoseconds, */
        uint64_t page_cost;                             /* and of a page that is found */
        uint64_t cpu_time;
        unsigned nr_signals;                            /* so many calls are interrupted */
        int error;
        size_t error_from;                              /* from this call on */
} kernel;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

static int scan(struct pm_scan_arg *arg) {
        struct page_region *found = (struct page_region *) (uintptr_t) arg->vec;
        uint64_t left = arg->max_pages;
        size_t nr = 0;

        if (arg->size != sizeof(*arg) || arg->flags != 0 || arg->start % PAGE != 0 ||
            arg->start >= arg->end || arg->vec_len == 0 || arg->max_pages == 0 ||
            arg->category_inverted != 0 || arg->category_mask != 0 ||
            arg->category_anyof_mask != (PRESENT | SWAPPED) || arg->return_mask != (PRESENT | SWAPPED))
                return -EINVAL;
        arg->walk_end = arg->end;
        for (size_t i = 0; i <= kernel.nr_present; i++) {
                struct damon_range range = i < kernel.nr_present ? kernel.present[i] : kernel.swapped;
                uint64_t start = MAX(range.start, arg->start);
                uint64_t end = MIN(range.end, arg->end);

                if (start >= end)
                        continue;
                if (nr == arg->vec_len || left == 0) {
                        arg->walk_end = start;
                        break;
                }
                end = MIN(end, start + left * PAGE);
                left -= (end - start) / PAGE;
                kernel.cpu_time += (end - start) / PAGE * kernel.page_cost;
                found[nr++] = (struct page_region) { start, end, i < kernel.nr_present ? PRESENT : SWAPPED };
                if (left == 0) {
                        arg->walk_end = end;
                        break;
                }
        }
        return (int) nr;
}

int __wrap_ioctl(int fd, unsigned long request, ...) {
        struct pm_scan_arg *arg;
        va_list ap;
        int r;

        va_start(ap, request);
        arg = va_arg(ap, struct pm_scan_arg *);
        va_end(ap);
        assert_int_equal(fd, PAGEMAP_FD);
        assert_int_equal((unsigned) request, (unsigned) PAGEMAP_SCAN_REQUEST);
        if (kernel.nr_signals > 0) {
                kernel.nr_signals--;
                errno = EINTR;
                return -1;
        }
        kernel.cpu_time += kernel.cost;
        r = kernel.error != 0 && kernel.nr_calls >= kernel.error_from ? -kernel.error : scan(arg);
        if (r < 0) {
                errno = -r;
                return -1;
        }
        assert_true(kernel.nr_calls < NR_CALLS);
        kernel.calls[kernel.nr_calls++] = (struct damon_range) { arg->start, arg->walk_end };
        return r;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts) {
        assert_int_equal(clock, CLOCK_THREAD_CPUTIME_ID);
        *ts = (struct timespec) {
                .tv_sec = (time_t) (kernel.cpu_time / 1000000000),
                .tv_nsec = (long) (kernel.cpu_time % 1000000000),
        };
        return 0;
}

static struct {
        struct resident resident;
        struct damon_regions regions;
} test;

static int setup(void **state) {
        memset(&kernel, 0, sizeof(kernel));
        memset(&test, 0, sizeof(test));
        /* not a multiple of a second */
        kernel.cpu_time = 7999999999;
        kernel.cost = (uint64_t) MS;
        return 0;
}

static int teardown(void **state) {
        resident_done(&test.resident);
        damon_regions_done(&test.regions);
        return 0;
}

static void add_region(uint64_t start, uint64_t end) {
        ASSERT_OK(damon_regions_append(&test.regions, (struct damon_range) { start, end }));
}

static void add_present(uint64_t start, uint64_t end) {
        assert_true(kernel.nr_present < NR_PRESENT);
        assert_true(kernel.nr_present == 0 || kernel.present[kernel.nr_present - 1].end < start);
        kernel.present[kernel.nr_present++] = (struct damon_range) { start, end };
}

static int update_at(uint64_t now, int64_t *credit) {
        return resident_update(&test.resident, PAGEMAP_FD, &test.regions, now, credit);
}

/* A walk from start to end, with the credit that it takes. */
static void walk_at(uint64_t now) {
        int64_t credit = 3600 * SEC;

        ASSERT_OK(update_at(now, &credit));
        assert_true(test.resident.known);
        assert_int_equal(test.resident.cursor, 0);
}

static void walk(void) {
        walk_at(test.resident.not_before);
}

static void assert_found(const struct damon_range *ranges, size_t nr) {
        assert_true(test.resident.known);
        assert_int_equal(test.resident.nr, nr);
        for (size_t i = 0; i < nr; i++) {
                assert_int_equal(test.resident.ranges[i].start, ranges[i].start);
                assert_int_equal(test.resident.ranges[i].end, ranges[i].end);
        }
}

#define ASSERT_FOUND(...) \
        assert_found((const struct damon_range[]) { __VA_ARGS__ }, \
                     ELEMENTSOF(((const struct damon_range[]) { __VA_ARGS__ })))

static void a_walk_finds_what_is_in_memory(void **state) {
        add_region(BASE, BASE + 10 * MIB);
        add_present(BASE, BASE + PAGE);
        add_present(BASE + MIB, BASE + 3 * MIB);
        add_present(BASE + 10 * MIB - PAGE, BASE + 10 * MIB);
        assert_false(test.resident.known);
        walk();
        ASSERT_FOUND({ BASE, BASE + PAGE }, { BASE + MIB, BASE + 3 * MIB },
                     { BASE + 10 * MIB - PAGE, BASE + 10 * MIB });
        assert_int_equal(kernel.nr_calls, 1);
}

static void the_next_walk_replaces_what_the_last_one_found(void **state) {
        add_region(BASE, BASE + 10 * MIB);
        add_present(BASE, BASE + PAGE);
        add_present(BASE + MIB, BASE + 3 * MIB);
        for (uint64_t i = 0; i < 5; i++) {
                kernel.present[1].start += PAGE;
                walk();
                ASSERT_FOUND({ BASE, BASE + PAGE }, { BASE + MIB + (i + 1) * PAGE, BASE + 3 * MIB });
        }
        kernel.nr_present = 1;
        walk();
        ASSERT_FOUND({ BASE, BASE + PAGE });
}

static void nothing_in_memory_is_known_to_be_nothing(void **state) {
        add_region(BASE, BASE + 10 * MIB);
        for (int i = 0; i < 3; i++) {
                walk();
                assert_int_equal(test.resident.nr, 0);
                /* NULL would stand for not known */
                assert_non_null(test.resident.ranges);
        }
}

static void without_regions_there_is_nothing_to_ask(void **state) {
        add_present(BASE, BASE + MIB);
        walk();
        assert_int_equal(test.resident.nr, 0);
        assert_int_equal(kernel.nr_calls, 0);
}

static void a_step_is_256_mib_and_regions_that_adjoin_are_as_one(void **state) {
        const uint64_t end = BASE + 2 * STEP + 100 * MIB;

        /* in pieces whose borders are no steps' borders */
        for (uint64_t at = BASE; at < end; at += 11 * MIB)
                add_region(at, MIN(at + 11 * MIB, end));
        add_present(BASE, end);
        walk();
        assert_int_equal(kernel.nr_calls, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(kernel.calls[i].start, BASE + i * STEP);
                assert_int_equal(kernel.calls[i].end, MIN(BASE + (i + 1) * STEP, end));
        }
        ASSERT_FOUND({ BASE, end });
}

/* As an engine for JavaScript has it: little memory, all over the address space. */
static void where_there_is_little_steps_become_long(void **state) {
        kernel.cost = 5000;
        kernel.page_cost = 10;
        add_region(4 * MIB, 64 * TIB);
        for (size_t i = 0; i < 400; i++)
                add_present(BASE + i * 100 * GIB, BASE + i * 100 * GIB + MIB);
        walk();
        assert_found(kernel.present, 400);
        assert_in_range(kernel.nr_calls, 2, 40);
        assert_in_range(test.resident.spent, 1, 2 * MS);
}

/* However long the steps before, and be it in swap. */
static void a_step_ends_behind_so_many_pages(void **state) {
        kernel.cost = 5000;
        kernel.page_cost = 10;
        add_region(4 * MIB, 64 * TIB);
        add_present(BASE, BASE + 40 * GIB);
        kernel.swapped = (struct damon_range) { BASE + 100 * GIB, BASE + 140 * GIB };
        walk();
        ASSERT_FOUND({ BASE, BASE + 40 * GIB });
        for (size_t i = 1; i < kernel.nr_calls; i++)
                if (kernel.calls[i].start > BASE && kernel.calls[i].end <= BASE + 40 * GIB)
                        assert_in_range(kernel.calls[i].end - kernel.calls[i].start, PAGE, STEP);
        assert_in_range(kernel.nr_calls, 2 * 40 * GIB / STEP, 2 * 40 * GIB / STEP + 60);
}

static void holes_between_regions_are_not_walked(void **state) {
        add_region(BASE, BASE + MIB);
        add_region(BASE + MIB, BASE + 2 * MIB);
        add_region(BASE + 10 * TIB, BASE + 10 * TIB + STEP);
        add_region(BASE + 20 * TIB, BASE + 20 * TIB + STEP + PAGE);
        add_present(BASE + MIB, BASE + 3 * MIB);
        add_present(BASE + TIB, BASE + 2 * TIB);
        add_present(BASE + 10 * TIB - MIB, BASE + 10 * TIB + MIB);
        add_present(BASE + 20 * TIB + STEP - PAGE, BASE + 21 * TIB);
        walk();
        assert_int_equal(kernel.nr_calls, 4);
        ASSERT_FOUND({ BASE + MIB, BASE + 2 * MIB }, { BASE + 10 * TIB, BASE + 10 * TIB + MIB },
                     { BASE + 20 * TIB + STEP - PAGE, BASE + 20 * TIB + STEP + PAGE });
}

static void a_walk_ends_when_credit_does_and_goes_on_with_more(void **state) {
        int64_t credit = 0;

        add_region(BASE, BASE + 10 * STEP);
        add_present(BASE + MIB, BASE + 10 * STEP - MIB);
        ASSERT_OK(update_at(1, &credit));
        credit = -1;
        ASSERT_OK(update_at(2, &credit));
        assert_int_equal(kernel.nr_calls, 0);
        assert_int_equal(credit, -1);

        /* one step more than there is credit for, and that is taken off */
        credit = 2 * MS + 1;
        ASSERT_OK(update_at(3, &credit));
        assert_int_equal(kernel.nr_calls, 3);
        assert_int_equal(credit, 1 - MS);
        ASSERT_OK(update_at(4, &credit));
        assert_int_equal(kernel.nr_calls, 3);
        assert_false(test.resident.known);

        credit = 6 * MS;
        ASSERT_OK(update_at(5, &credit));
        assert_int_equal(kernel.nr_calls, 9);
        assert_int_equal(credit, 0);
        assert_false(test.resident.known);

        credit = 5 * MS;
        ASSERT_OK(update_at(6, &credit));
        assert_int_equal(kernel.nr_calls, 10);
        assert_int_equal(credit, 4 * MS);
        for (size_t i = 0; i < 10; i++)
                assert_int_equal(kernel.calls[i].start, BASE + i * STEP);
        ASSERT_FOUND({ BASE + MIB, BASE + 10 * STEP - MIB });
}

static void until_a_walk_is_finished_the_last_one_counts(void **state) {
        int64_t credit = 1;

        add_region(BASE, BASE + 3 * STEP);
        add_present(BASE + STEP, BASE + STEP + MIB);
        walk();
        kernel.present[0] = (struct damon_range) { BASE, BASE + MIB };
        for (size_t i = 0; i < 2; i++) {
                credit = 1;
                ASSERT_OK(update_at(test.resident.not_before, &credit));
                assert_int_equal(kernel.nr_calls, 4 + i);
                ASSERT_FOUND({ BASE + STEP, BASE + STEP + MIB });
        }
        credit = 10 * MS;
        ASSERT_OK(update_at(test.resident.not_before, &credit));
        assert_int_equal(kernel.nr_calls, 6);
        ASSERT_FOUND({ BASE, BASE + MIB });
}

static void between_walks_passes_a_thousand_times_what_one_takes(void **state) {
        const uint64_t now = 5000 * (uint64_t) SEC, pause = PAUSE_FACTOR * 4 * (uint64_t) MS;
        int64_t credit = 1;

        add_region(BASE, BASE + 4 * STEP);
        /* in two updates: what it took is the time of both, from the end of the second */
        ASSERT_OK(update_at(now - 1000, &credit));
        walk_at(now);
        assert_int_equal(kernel.nr_calls, 4);

        credit = 100 * MS;
        ASSERT_OK(update_at(now + 1, &credit));
        ASSERT_OK(update_at(now + pause - 1, &credit));
        assert_int_equal(kernel.nr_calls, 4);
        assert_int_equal(credit, 100 * MS);

        /* what the walks before took does not count again */
        kernel.cost /= 2;
        walk_at(now + pause);
        assert_int_equal(kernel.nr_calls, 8);
        ASSERT_OK(update_at(now + pause + pause / 2 - 1, &credit));
        assert_int_equal(kernel.nr_calls, 8);
        walk_at(now + pause + pause / 2);
        assert_int_equal(kernel.nr_calls, 12);
}

static void small_gaps_are_not_kept(void **state) {
        add_region(BASE, BASE + 4 * STEP);
        add_present(BASE, BASE + PAGE);
        add_present(BASE + PAGE + MIN_GAP - PAGE, BASE + MIB);
        add_present(BASE + MIB + MIN_GAP, BASE + 2 * MIB);
        /* the same over the border of a step */
        add_present(BASE + STEP - MIB, BASE + STEP - PAGE);
        add_present(BASE + STEP - PAGE + MIN_GAP - PAGE, BASE + STEP + MIB);
        add_present(BASE + 2 * STEP - MIB, BASE + 2 * STEP - PAGE);
        add_present(BASE + 2 * STEP - PAGE + MIN_GAP, BASE + 2 * STEP + MIB);
        walk();
        ASSERT_FOUND({ BASE, BASE + MIB }, { BASE + MIB + MIN_GAP, BASE + 2 * MIB },
                     { BASE + STEP - MIB, BASE + STEP + MIB },
                     { BASE + 2 * STEP - MIB, BASE + 2 * STEP - PAGE },
                     { BASE + 2 * STEP - PAGE + MIN_GAP, BASE + 2 * STEP + MIB });
}

static void a_full_vector_does_not_end_a_step_early(void **state) {
        const size_t nr = 3 * VECTOR + 1;

        /* all in one step, with gaps that are kept */
        add_region(BASE, BASE + STEP);
        for (size_t i = 0; i < nr; i++)
                add_present(BASE + i * (MIN_GAP + PAGE), BASE + i * (MIN_GAP + PAGE) + PAGE);
        walk();
        assert_int_equal(kernel.nr_calls, 4);
        assert_int_equal(kernel.calls[3].end, BASE + STEP);
        assert_found(kernel.present, nr);

        /* with gaps that are not, over the ends of vectors too */
        kernel.nr_present = 0;
        for (size_t i = 0; i < nr; i++)
                add_present(BASE + 2 * i * PAGE, BASE + (2 * i + 1) * PAGE);
        walk();
        ASSERT_FOUND({ BASE, BASE + (2 * nr - 1) * PAGE });
}

/* Pages with gaps of 100 KiB between, and 1 MiB after each ten of them. */
static void add_scattered(size_t nr) {
        uint64_t at = BASE;

        for (size_t i = 0; i < nr; i++) {
                add_present(at, at + PAGE);
                at += PAGE + (i % 10 == 9 ? MIB : 100 * KIB);
        }
}

static void too_many_ranges_cost_their_smallest_gaps(void **state) {
        add_region(BASE, BASE + 8 * STEP);
        add_scattered(RANGES_MAX);
        walk();
        assert_found(kernel.present, RANGES_MAX);

        kernel.nr_present = 0;
        add_scattered(3000);
        walk();
        /* the larger gaps are all there, and no other */
        assert_int_equal(test.resident.nr, 300);
        for (size_t i = 0; i < 300; i++) {
                assert_int_equal(test.resident.ranges[i].start, kernel.present[10 * i].start);
                assert_int_equal(test.resident.ranges[i].end, kernel.present[10 * i + 9].end);
        }

        /* and come back once there are fewer */
        kernel.nr_present = 1000;
        walk();
        assert_found(kernel.present, 1000);
}

static void no_gap_is_too_large_to_go(void **state) {
        /* each in a step of its own, 4 GiB apart */
        for (uint64_t i = 0; i < RANGES_MAX + 1; i++) {
                add_region(BASE + i * 4 * GIB, BASE + i * 4 * GIB + PAGE);
                add_present(BASE + i * 4 * GIB, BASE + i * 4 * GIB + PAGE);
        }
        walk();
        ASSERT_FOUND({ BASE, BASE + RANGES_MAX * 4 * GIB + PAGE });
}

static void an_interrupted_call_is_repeated(void **state) {
        int64_t credit = 100 * MS;

        add_region(BASE, BASE + STEP);
        add_present(BASE, BASE + MIB);
        kernel.nr_signals = 3;
        ASSERT_OK(update_at(1, &credit));
        assert_int_equal(kernel.nr_calls, 1);
        assert_int_equal(kernel.nr_signals, 0);
        ASSERT_FOUND({ BASE, BASE + MIB });
}

static void an_error_is_forwarded_and_what_was_known_stays(void **state) {
        static const int errors[] = { ENOTTY, ESRCH, ENOMEM };

        add_region(BASE, BASE + 3 * STEP);
        add_present(BASE, BASE + 2 * STEP + MIB);
        walk();
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                int64_t credit = 100 * MS;

                kernel.error = errors[i];
                kernel.error_from = kernel.nr_calls + 2;
                assert_int_equal(update_at(test.resident.not_before, &credit), -errors[i]);
                ASSERT_FOUND({ BASE + i * PAGE, BASE + 2 * STEP + MIB });

                /* what it found before the error is not pieced together with what is there later */
                kernel.error = 0;
                kernel.nr_calls = 0;
                kernel.present[0].start += PAGE;
                walk();
                assert_int_equal(kernel.nr_calls, 3);
                ASSERT_FOUND({ BASE + (i + 1) * PAGE, BASE + 2 * STEP + MIB });
                assert_int_equal(credit, 98 * MS);
        }
}

static void regions_may_change_in_the_middle_of_a_walk(void **state) {
        int64_t credit = 1;

        add_region(BASE, BASE + 2 * STEP);
        add_region(BASE + TIB, BASE + TIB + STEP);
        add_present(BASE, BASE + 3 * STEP);
        add_present(BASE + TIB, BASE + TIB + 3 * STEP);
        add_present(BASE + 2 * TIB, BASE + 2 * TIB + MIB);
        ASSERT_OK(update_at(1, &credit));
        assert_int_equal(kernel.nr_calls, 1);

        /* what was walked goes, what was not grows, and there is more */
        test.regions.nr = 0;
        add_region(BASE + TIB, BASE + TIB + 2 * STEP);
        add_region(BASE + 2 * TIB, BASE + 2 * TIB + STEP);
        walk();
        assert_int_equal(kernel.nr_calls, 4);
        ASSERT_FOUND({ BASE, BASE + STEP }, { BASE + TIB, BASE + TIB + 2 * STEP },
                     { BASE + 2 * TIB, BASE + 2 * TIB + MIB });

        /* and what the walk stands in the middle of shrinks */
        credit = 1;
        kernel.nr_calls = 0;
        ASSERT_OK(update_at(test.resident.not_before, &credit));
        test.regions.nr = 0;
        add_region(BASE + TIB, BASE + TIB + MIB);
        walk();
        assert_int_equal(kernel.nr_calls, 1);
        ASSERT_FOUND({ BASE + TIB, BASE + TIB + STEP });
}

static void done_releases_and_leaves_nothing_known(void **state) {
        add_region(BASE, BASE + STEP);
        add_present(BASE, BASE + MIB);
        walk();
        walk();
        resident_done(&test.resident);
        assert_false(test.resident.known);
        assert_null(test.resident.ranges);
        walk();
        ASSERT_FOUND({ BASE, BASE + MIB });
}

static uint64_t common(struct damon_range a, struct damon_range b) {
        uint64_t start = MAX(a.start, b.start), end = MIN(a.end, b.end);

        return end > start ? end - start : 0;
}

/* Bytes of @range that some of @ranges hold. */
static uint64_t held(const struct damon_range *ranges, size_t nr, struct damon_range range) {
        uint64_t size = 0;

        for (size_t i = 0; i < nr; i++)
                size += common(ranges[i], range);
        return size;
}

/* All that is in memory is found, and nothing else but gaps too small to be kept. */
static void assert_true_to_memory(void) {
        const struct resident *resident = &test.resident;

        assert_true(resident->nr <= RANGES_MAX);
        for (size_t i = 1; i < resident->nr; i++)
                assert_true(resident->ranges[i].start - resident->ranges[i - 1].end >=
                            resident->min_gap);
        for (size_t i = 0; i < test.regions.nr; i++)
                for (size_t k = 0; k < kernel.nr_present; k++) {
                        struct damon_range region = test.regions.items[i].range, part = {
                                MAX(region.start, kernel.present[k].start),
                                MIN(region.end, kernel.present[k].end),
                        };

                        if (part.start < part.end)
                                assert_int_equal(held(resident->ranges, resident->nr, part),
                                                 damon_range_size(&part));
                }
        for (size_t k = 0; k <= kernel.nr_present; k++) {
                struct damon_range gap = {
                        k > 0 ? kernel.present[k - 1].end : 0,
                        k < kernel.nr_present ? kernel.present[k].start : UINT64_MAX,
                };

                if (damon_range_size(&gap) >= resident->min_gap)
                        assert_int_equal(held(resident->ranges, resident->nr, gap), 0);
        }
}

static void random_walks_are_true_to_memory(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 30; round++) {
                const uint64_t nr = rng_below(&rng, round % 5 == 0 ? 2500 : 300);
                const uint64_t gap_pages = 1 + rng_below(&rng, 1000);
                uint64_t at = BASE;

                kernel.nr_present = test.regions.nr = kernel.nr_calls = 0;
                for (uint64_t i = 0; i < nr; i++) {
                        uint64_t end = at + PAGE * (1 + rng_below(&rng, 100));

                        add_present(at, end);
                        at = end + PAGE * (1 + rng_below(&rng, gap_pages));
                }
                for (uint64_t border = BASE, end; border < at; border = end) {
                        end = border + MIB * (1 + rng_below(&rng, 2000));
                        if (rng_below(&rng, 4) > 0)
                                add_region(border, end);
                }
                for (int64_t credit; !test.resident.known || test.resident.cursor != 0 ||
                                     kernel.nr_calls == 0;) {
                        credit = MS * (int64_t) (1 + rng_below(&rng, 5));
                        kernel.nr_signals = (unsigned) rng_below(&rng, 3);
                        ASSERT_OK(update_at(test.resident.not_before, &credit));
                        if (test.regions.nr == 0)
                                break;
                }
                assert_true_to_memory();
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(a_walk_finds_what_is_in_memory),
                TEST(the_next_walk_replaces_what_the_last_one_found),
                TEST(nothing_in_memory_is_known_to_be_nothing),
                TEST(without_regions_there_is_nothing_to_ask),
                TEST(a_step_is_256_mib_and_regions_that_adjoin_are_as_one),
                TEST(where_there_is_little_steps_become_long),
                TEST(a_step_ends_behind_so_many_pages),
                TEST(holes_between_regions_are_not_walked),
                TEST(a_walk_ends_when_credit_does_and_goes_on_with_more),
                TEST(until_a_walk_is_finished_the_last_one_counts),
                TEST(between_walks_passes_a_thousand_times_what_one_takes),
                TEST(small_gaps_are_not_kept),
                TEST(a_full_vector_does_not_end_a_step_early),
                TEST(too_many_ranges_cost_their_smallest_gaps),
                TEST(no_gap_is_too_large_to_go),
                TEST(an_interrupted_call_is_repeated),
                TEST(an_error_is_forwarded_and_what_was_known_stays),
                TEST(regions_may_change_in_the_middle_of_a_walk),
                TEST(done_releases_and_leaves_nothing_known),
                TEST(random_walks_are_true_to_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
