/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions. Where a test takes its numbers from mm/damon/tests/ of the kernel, it is named
 * after the case there.
 */

#include <damond/region.h>
#include <damond/scheme.h>

#include "invariants.h"
#include "macro.h"
#include "rng.h"
#include "test.h"

#define PAGE UINT64_C(4096)

#define _cleanup_regions_ _cleanup_(damon_regions_done)

static void append(struct damon_regions *regions, uint64_t start, uint64_t end,
                   uint32_t nr_accesses) {
        ASSERT_OK(damon_regions_append(regions, (struct damon_range) { start, end }));
        regions->items[regions->nr - 1].nr_accesses = nr_accesses;
        regions->items[regions->nr - 1].accessed = nr_accesses > 0;
        regions->items[regions->nr - 1].uniform = true;
}

/* Outcomes of checks, all in one bin. */
struct outcomes {
        uint16_t nr_accessed, nr_idle;
        uint32_t nr_unknown;
};

static struct damon_evidence in_bin(unsigned bin, unsigned nr_accessed, unsigned nr_idle) {
        struct damon_evidence evidence = {};

        evidence.accessed[bin] = (uint16_t) (nr_accessed * DAMON_EVIDENCE_CHECK);
        evidence.idle[bin] = (uint16_t) (nr_idle * DAMON_EVIDENCE_CHECK);
        return evidence;
}

/* So many checks in each bin. */
static struct damon_evidence in_all_bins(unsigned nr_accessed, unsigned nr_idle) {
        struct damon_evidence evidence = {};

        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                evidence.accessed[i] = (uint16_t) (nr_accessed * DAMON_EVIDENCE_CHECK);
                evidence.idle[i] = (uint16_t) (nr_idle * DAMON_EVIDENCE_CHECK);
        }
        return evidence;
}

static void run_checks(struct damon_region *region, struct outcomes outcomes) {
        region->running = in_bin(3, outcomes.nr_accessed, outcomes.nr_idle);
        region->nr_known = outcomes.nr_accessed + outcomes.nr_idle;
        region->nr_unknown = outcomes.nr_unknown;
}

static void assert_no_running(const struct damon_region *region) {
        assert_true(damon_evidence_tally(&region->running).known <= 0);
        assert_int_equal(region->nr_known + region->nr_unknown, 0);
        assert_false(region->touched);
}

/* Borders of neighbours: 5, 20, 27 are the regions 5-20 and 20-27; 0 ends a run. */
static void append_run(struct damon_regions *regions, const uint64_t *borders, size_t nr) {
        for (size_t i = 0; i + 1 < nr; i++)
                if (borders[i + 1] > 0 && borders[i] > 0)
                        append(regions, borders[i], borders[i + 1], 0);
}

#define APPEND_RUNS(regions, ...) \
        append_run(regions, (const uint64_t[]) { __VA_ARGS__ }, \
                   ELEMENTSOF(((const uint64_t[]) { __VA_ARGS__ })))

static void assert_ranges(const struct damon_regions *regions, const struct damon_range *ranges,
                          size_t nr) {
        assert_null(damon_regions_check(regions, 1));
        assert_int_equal(regions->nr, nr);
        for (size_t i = 0; i < nr; i++) {
                assert_int_equal(regions->items[i].range.start, ranges[i].start);
                assert_int_equal(regions->items[i].range.end, ranges[i].end);
        }
}

#define ASSERT_RANGES(regions, ...) \
        assert_ranges(regions, (const struct damon_range[]) { __VA_ARGS__ }, \
                      ELEMENTSOF(((const struct damon_range[]) { __VA_ARGS__ })))

static int set(struct damon_regions *regions, const struct damon_range *ranges, size_t nr) {
        return damon_regions_set(regions, ranges, nr, 1);
}

#define SET(regions, ...) \
        set(regions, (const struct damon_range[]) { __VA_ARGS__ }, \
            ELEMENTSOF(((const struct damon_range[]) { __VA_ARGS__ })))

static void append_refuses_empty_overlap_and_disorder(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        ASSERT_OK(damon_regions_append(&regions, (struct damon_range) { 10, 20 }));
        ASSERT_ERROR(damon_regions_append(&regions, (struct damon_range) { 30, 30 }), EINVAL);
        ASSERT_ERROR(damon_regions_append(&regions, (struct damon_range) { 40, 30 }), EINVAL);
        ASSERT_ERROR(damon_regions_append(&regions, (struct damon_range) { 19, 30 }), EINVAL);
        ASSERT_ERROR(damon_regions_append(&regions, (struct damon_range) { 1, 5 }), EINVAL);
        ASSERT_OK(damon_regions_append(&regions, (struct damon_range) { 20, 30 }));
        ASSERT_RANGES(&regions, { 10, 20 }, { 20, 30 });
        assert_int_equal(damon_regions_size(&regions), 20);
}

static void new_regions_know_nothing(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        ASSERT_OK(damon_regions_append(&regions, (struct damon_range) { 10, 20 }));
        assert_int_equal(regions.items[0].nr_accesses, 0);
        assert_int_equal(regions.items[0].last_nr_accesses, 0);
        assert_int_equal(regions.items[0].age, 0);
        assert_no_running(&regions.items[0]);
        assert_true(damon_evidence_tally(&regions.items[0].evidence).known <= 0);
        assert_false(regions.items[0].accessed);
}

static void done_leaves_usable_regions(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 1);
        damon_regions_done(&regions);
        assert_int_equal(regions.nr, 0);
        append(&regions, 0, 10, 1);
        assert_int_equal(regions.nr, 1);
}

/* damon_test_split_at() */
static void split_at_copies_what_is_known_and_divides_evidence(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 100, 42);
        r = &regions.items[0];
        r->last_nr_accesses = 15;
        r->age = 10;
        r->unknown = true;
        r->last_accessed = true;
        r->nr_again = 5;
        r->nr_again_accessed = 4;
        r->again = 77;
        r->running = in_all_bins(3, 1);
        r->evidence = in_all_bins(1, 5);
        ASSERT_OK(damon_regions_split_at(&regions, 0, 25));
        ASSERT_RANGES(&regions, { 0, 25 }, { 25, 100 });
        for (size_t i = 0; i < 2; i++) {
                double share = i == 0 ? 0.25 : 0.75;

                r = &regions.items[i];
                assert_int_equal(r->nr_accesses, 42);
                assert_int_equal(r->last_nr_accesses, 15);
                assert_int_equal(r->age, 10);
                assert_true(r->unknown);
                assert_true(r->accessed);
                assert_true(r->last_accessed);
                assert_true(r->uniform);
                assert_int_equal(r->nr_again, 5);
                assert_int_equal(r->nr_again_accessed, 4);
                /* the page has another number now */
                assert_int_equal(r->again, 0);
                assert_float_equal(nr_running_accessed(r), (24 * share), 1e-9);
                assert_float_equal(nr_running_idle(r), (8 * share), 1e-9);
                assert_float_equal(damon_evidence_tally(&r->evidence).accessed, (8 * share), 1e-9);
                assert_float_equal(damon_evidence_tally(&r->evidence).known, (48 * share), 1e-9);
        }
}

/* A check of a page says nothing of its neighbours once each is a region. */
static void evidence_stays_with_its_page_when_few_are_cut(void **state) {
        for (uint64_t nr_pages = 2; nr_pages <= DAMON_NR_BINS; nr_pages++)
                for (uint64_t hot = 0; hot < nr_pages; hot++) {
                        _cleanup_regions_ struct damon_regions regions = {};

                        append(&regions, 0, nr_pages * PAGE, 0);
                        for (uint64_t page = 0; page < nr_pages; page++)
                                for (int i = 0; i < 10; i++)
                                        damon_region_count(&regions.items[0], page, page == hot, false, PAGE);
                        ASSERT_OK(damon_regions_chop(&regions, PAGE, SIZE_MAX, PAGE));
                        assert_int_equal(regions.nr, nr_pages);
                        for (uint64_t page = 0; page < nr_pages; page++) {
                                double rate = damon_evidence_rate(&regions.items[page].running);

                                assert_true(page == hot ? rate > 0.5 : rate < 0.5);
                        }
                }
}

/* Of 10 checks, there are 10 at the end, however often they are divided. */
static void evidence_does_not_multiply_when_it_is_divided(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        double weight = 0;

        append(&regions, 0, 1024 * PAGE, 0);
        regions.items[0].evidence = in_bin(3, 5, 5);
        for (uint64_t size = 512 * PAGE; size >= PAGE; size /= 2)
                ASSERT_OK(damon_regions_chop(&regions, size, SIZE_MAX, PAGE));
        assert_int_equal(regions.nr, 1024);
        for (size_t i = 0; i < regions.nr; i++)
                weight += damon_evidence_tally(&regions.items[i].evidence).known;
        assert_in_range((uint64_t) weight, 8, 12);
}

static void split_at_refuses_an_empty_part(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 42);
        ASSERT_ERROR(damon_regions_split_at(&regions, 0, 0), EINVAL);
        ASSERT_ERROR(damon_regions_split_at(&regions, 0, 100), EINVAL);
        ASSERT_ERROR(damon_regions_split_at(&regions, 0, 101), EINVAL);
        ASSERT_RANGES(&regions, { 0, 100 });
}

static void split_at_leaves_the_others_in_place(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 1);
        append(&regions, 10, 20, 2);
        append(&regions, 50, 60, 3);
        ASSERT_OK(damon_regions_split_at(&regions, 1, 3));
        ASSERT_RANGES(&regions, { 0, 10 }, { 10, 13 }, { 13, 20 }, { 50, 60 });
        assert_int_equal(regions.items[3].nr_accesses, 3);
}

/* damon_test_apply_min_nr_regions(): 10 bytes, cut to what min_regions asks for */
static void chop_makes_as_many_pieces_as_in_the_kernel(void **state) {
        static const struct {
                uint64_t page, sz_limit;
                size_t nr;
        } cases[] = { { 1, 1, 10 }, { 2, 6, 2 }, { 2, 2, 5 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};

                append(&regions, 0, 10, 3);
                ASSERT_OK(damon_regions_chop(&regions, cases[i].sz_limit, SIZE_MAX, cases[i].page));
                assert_null(damon_regions_check(&regions, cases[i].page));
                assert_int_equal(regions.nr, cases[i].nr);
                assert_int_equal(damon_regions_size(&regions), 10);
                for (size_t k = 0; k < regions.nr; k++) {
                        assert_true(damon_range_size(&regions.items[k].range) <= cases[i].sz_limit);
                        assert_int_equal(regions.items[k].nr_accesses, 3);
                }
        }
}

/* damon_test_split_evenly(); there the last piece takes the rest, here all take their share */
static void chop_makes_even_pieces(void **state) {
        static const struct {
                struct damon_range range;
                uint64_t sz_limit;
                size_t nr;
        } cases[] = {
                { { 0, 100 }, 10, 10 }, { { 5, 59 }, 11, 5 },
                { { 0, 3 }, 2, 2 }, { { 5, 6 }, 1, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};
                uint64_t share = damon_range_size(&cases[i].range) / cases[i].nr;

                append(&regions, cases[i].range.start, cases[i].range.end, 7);
                ASSERT_OK(damon_regions_chop(&regions, cases[i].sz_limit, SIZE_MAX, 1));
                assert_null(damon_regions_check(&regions, 1));
                assert_int_equal(regions.nr, cases[i].nr);
                assert_int_equal(damon_regions_size(&regions), damon_range_size(&cases[i].range));
                assert_int_equal(regions.items[0].range.start, cases[i].range.start);
                for (size_t k = 0; k < regions.nr; k++) {
                        assert_in_range(damon_range_size(&regions.items[k].range), share,
                                        share + 1);
                        assert_int_equal(regions.items[k].nr_accesses, 7);
                }
        }
}

static void chop_cuts_at_pages(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, PAGE, 1);
        append(&regions, PAGE, 12 * PAGE, 2);
        ASSERT_OK(damon_regions_chop(&regions, 3 * PAGE, SIZE_MAX, PAGE));
        ASSERT_RANGES(&regions, { 0, PAGE }, { PAGE, 3 * PAGE }, { 3 * PAGE, 6 * PAGE },
                      { 6 * PAGE, 9 * PAGE }, { 9 * PAGE, 12 * PAGE });
        assert_null(damon_regions_check(&regions, PAGE));
}

static void chop_leaves_what_fits(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 1);
        append(&regions, 10, 21, 2);
        append(&regions, 30, 40, 3);
        ASSERT_OK(damon_regions_chop(&regions, 10, SIZE_MAX, 1));
        ASSERT_RANGES(&regions, { 0, 10 }, { 10, 15 }, { 15, 21 }, { 30, 40 });
        assert_int_equal(regions.items[1].nr_accesses, 2);
        assert_int_equal(regions.items[2].nr_accesses, 2);
        assert_int_equal(regions.items[3].nr_accesses, 3);
        ASSERT_OK(damon_regions_chop(&regions, 10, SIZE_MAX, 1));
        assert_int_equal(regions.nr, 4);
}

static void chop_makes_no_more_than_max_regions(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 1000, 1);
        append(&regions, 2000, 2010, 2);
        ASSERT_OK(damon_regions_chop(&regions, 10, 20, 1));
        assert_in_range(regions.nr, 15, 20);
        append(&regions, 3000, 4000, 2);
        ASSERT_OK(damon_regions_chop(&regions, 10, 5, 1));
        assert_in_range(regions.nr, 16, 21);
}

static void three_kernel_groups(struct damon_regions *regions) {
        APPEND_RUNS(regions, 10, 20, 30, 0, 50, 55, 57, 59, 0, 70, 80, 90, 100);
        assert_int_equal(regions->nr, 8);
        for (size_t i = 0; i < regions->nr; i++)
                regions->items[i].age = (uint32_t) i + 1;
}

/* damon_test_apply_three_regions1() */
static void set_keeps_regions_when_borders_move_a_little(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        three_kernel_groups(&regions);
        ASSERT_OK(SET(&regions, { 5, 27 }, { 45, 55 }, { 73, 104 }));
        ASSERT_RANGES(&regions, { 5, 20 }, { 20, 27 }, { 45, 55 }, { 73, 80 }, { 80, 90 },
                      { 90, 104 });
        assert_int_equal(regions.items[0].age, 1);
        assert_int_equal(regions.items[2].age, 3);
        assert_int_equal(regions.items[5].age, 8);
}

/* damon_test_apply_three_regions2() */
static void set_cuts_down_to_a_part_of_the_second_range(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        three_kernel_groups(&regions);
        ASSERT_OK(SET(&regions, { 5, 27 }, { 56, 57 }, { 65, 104 }));
        ASSERT_RANGES(&regions, { 5, 20 }, { 20, 27 }, { 56, 57 }, { 65, 80 }, { 80, 90 },
                      { 90, 104 });
        assert_int_equal(regions.items[2].age, 4);
}

/* damon_test_apply_three_regions3() */
static void set_replaces_a_second_range_that_moved_away(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        three_kernel_groups(&regions);
        ASSERT_OK(SET(&regions, { 5, 27 }, { 61, 63 }, { 65, 104 }));
        ASSERT_RANGES(&regions, { 5, 20 }, { 20, 27 }, { 61, 63 }, { 65, 80 }, { 80, 90 },
                      { 90, 104 });
        assert_int_equal(regions.items[2].age, 0);
}

/* damon_test_apply_three_regions4() */
static void set_replaces_everything_that_moved_away(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        three_kernel_groups(&regions);
        ASSERT_OK(SET(&regions, { 5, 7 }, { 30, 32 }, { 65, 68 }));
        ASSERT_RANGES(&regions, { 5, 7 }, { 30, 32 }, { 65, 68 });
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(regions.items[i].age, 0);
}

/* damon_test_set_regions() */
static void set_fills_holes_with_new_regions(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 4, 16, 1);
        append(&regions, 24, 32, 2);
        regions.items[0].age = regions.items[1].age = 9;
        ASSERT_OK(SET(&regions, { 8, 28 }));
        ASSERT_RANGES(&regions, { 8, 16 }, { 16, 24 }, { 24, 28 });
        assert_int_equal(regions.items[0].age, 9);
        assert_int_equal(regions.items[1].age, 0);
        assert_int_equal(regions.items[1].nr_accesses, 0);
        assert_int_equal(regions.items[2].nr_accesses, 2);
}

static void set_cuts_a_region_that_reaches_over_ranges(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 5);
        regions.items[0].age = 3;
        ASSERT_OK(SET(&regions, { 0, 10 }, { 40, 50 }, { 90, 120 }));
        ASSERT_RANGES(&regions, { 0, 10 }, { 40, 50 }, { 90, 120 });
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(regions.items[i].nr_accesses, 5);
                assert_int_equal(regions.items[i].age, 3);
        }
}

static void set_without_ranges_leaves_no_region(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 5);
        ASSERT_OK(damon_regions_set(&regions, NULL, 0, 1));
        assert_int_equal(regions.nr, 0);
        ASSERT_OK(SET(&regions, { 3, 4 }));
        ASSERT_RANGES(&regions, { 3, 4 });
}

static void set_cuts_borders_to_pages_outwards(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        const struct damon_range ranges[] = {
                { PAGE + 1, 3 * PAGE - 1 }, { 8 * PAGE, 9 * PAGE + 1 },
        };

        ASSERT_OK(damon_regions_set(&regions, ranges, 2, PAGE));
        ASSERT_RANGES(&regions, { PAGE, 3 * PAGE }, { 8 * PAGE, 10 * PAGE });
}

static void set_of_the_same_ranges_changes_nothing(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        APPEND_RUNS(&regions, 10, 20, 30, 0, 50, 55, 57);
        regions.items[1].running = in_bin(7, 1, 4);
        ASSERT_OK(SET(&regions, { 10, 30 }, { 50, 57 }));
        ASSERT_RANGES(&regions, { 10, 20 }, { 20, 30 }, { 50, 55 }, { 55, 57 });
        assert_float_equal(nr_running_idle(&regions.items[1]), 4, 0);
}

/* The frequency that checks fold into. */
static uint32_t folded(struct outcomes outcomes, uint32_t max) {
        _cleanup_regions_ struct damon_regions regions = {};
        uint32_t highest;

        append(&regions, 0, 10, 7);
        run_checks(&regions.items[0], outcomes);
        highest = damon_regions_fold(&regions, max, 1);
        assert_int_equal(regions.items[0].last_nr_accesses, 7);
        assert_no_running(&regions.items[0]);
        assert_int_equal(highest, regions.items[0].nr_accesses);
        return regions.items[0].nr_accesses;
}

static void fold_is_the_count_when_every_check_tells(void **state) {
        for (uint32_t i = 0; i <= 20; i++)
                assert_int_equal(folded((struct outcomes) { i, 20 - i, 0 }, 20), i);
}

static void fold_scales_when_checks_are_missing(void **state) {
        assert_int_equal(folded((struct outcomes) { 5, 5, 0 }, 20), 10);
        assert_int_equal(folded((struct outcomes) { 5, 5, 10 }, 20), 10);
        assert_int_equal(folded((struct outcomes) { 7, 0, 13 }, 20), 20);
        assert_int_equal(folded((struct outcomes) { 0, 1, 19 }, 20), 0);
}

static void fold_rounds(void **state) {
        assert_int_equal(folded((struct outcomes) { 1, 2, 0 }, 20), 7);         /* 6.67 */
        assert_int_equal(folded((struct outcomes) { 1, 2, 0 }, 10), 3);         /* 3.33 */
        assert_int_equal(folded((struct outcomes) { 1, 3, 0 }, 10), 3);         /* 2.5 */
        assert_int_equal(folded((struct outcomes) { 99, 1, 0 }, 10), 10);       /* 9.9 */
        assert_int_equal(folded((struct outcomes) { 1, 99, 0 }, 10), 0);        /* 0.1 */
        assert_int_equal(folded((struct outcomes) { 99, 0, 0 }, UINT32_MAX), UINT32_MAX);
}

static void fold_without_telling_checks_keeps_the_frequency(void **state) {
        assert_int_equal(folded((struct outcomes) {}, 20), 7);
        assert_int_equal(folded((struct outcomes) { 0, 0, 20 }, 20), 7);
}

static bool folds_to_unknown(struct outcomes outcomes) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 7);
        run_checks(&regions.items[0], outcomes);
        damon_regions_fold(&regions, 20, 1);
        return regions.items[0].unknown;
}

static void fold_calls_unknown_what_most_checks_did_not_tell(void **state) {
        assert_true(folds_to_unknown((struct outcomes) {}));
        assert_true(folds_to_unknown((struct outcomes) { 0, 0, 1 }));
        assert_true(folds_to_unknown((struct outcomes) { 5, 4, 11 }));
        assert_false(folds_to_unknown((struct outcomes) { 5, 6, 9 }));
        assert_false(folds_to_unknown((struct outcomes) { 0, 20, 0 }));
        assert_false(folds_to_unknown((struct outcomes) { 20, 0, 0 }));
}

static void fold_clears_unknown_again(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 7);
        damon_regions_fold(&regions, 20, 1);
        assert_true(regions.items[0].unknown);
        run_checks(&regions.items[0], (struct outcomes) { 0, 20, 0 });
        damon_regions_fold(&regions, 20, 1);
        assert_false(regions.items[0].unknown);
}

static void fold_returns_the_highest_frequency(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        assert_int_equal(damon_regions_fold(&regions, 20, 1), 0);
        append(&regions, 0, 10, 0);
        append(&regions, 10, 20, 0);
        append(&regions, 20, 30, 0);
        run_checks(&regions.items[0], (struct outcomes) { 3, 17, 0 });
        run_checks(&regions.items[1], (struct outcomes) { 9, 11, 0 });
        run_checks(&regions.items[2], (struct outcomes) { 4, 16, 0 });
        assert_int_equal(damon_regions_fold(&regions, 20, 1), 9);
}

static void fold_pools_checks_that_agree(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 800, 10);
        r = &regions.items[0];
        r->evidence = in_all_bins(4, 4);
        r->nr_unfaded = 12;             /* and 8 more */
        r->running = in_all_bins(1, 0);
        r->running.accessed[2] = r->running.accessed[7] = 0;
        r->running.idle[2] = r->running.idle[7] = DAMON_EVIDENCE_CHECK;
        assert_int_equal(damon_regions_fold(&regions, 20, 1), 11);
        /* 15/16 of what was there, and what came in the bins where it was found: 76 or 60 of 136 */
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                bool idle = i == 2 || i == 7;

                assert_int_equal(r->evidence.accessed[i], idle ? 60 : 76);
                assert_int_equal(r->evidence.idle[i], idle ? 76 : 60);
        }
        assert_int_equal(r->nr_accesses, 11);           /* (6 x 76 + 2 x 60) / 8 / 136 of 20: 10.6 */
        assert_int_equal(r->last_nr_accesses, 10);
        assert_no_running(r);
}

static void fold_of_the_same_for_long_gets_it_right(void **state) {
        struct rng rng = { test_seed() };
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;
        double alone = 0, pooled = 0;

        append(&regions, 0, 800, 0);
        r = &regions.items[0];
        for (int k = 0; k < 220; k++) {
                unsigned nr = 0;

                for (int i = 0; i < 20; i++) {
                        bool accessed = rng_below(&rng, 2) == 0;

                        nr += accessed;
                        damon_region_count(r, rng_below(&rng, 800), accessed, false, 1);
                        r->again = 0;
                }
                damon_regions_fold(&regions, 20, 1);
                if (k < 20)
                        continue;
                alone += (nr - 10.0) * (nr - 10.0);
                pooled += (r->nr_accesses - 10.0) * (r->nr_accesses - 10.0);
        }
        /* 8 times the checks at best: a variance of 5 becomes one of 5 / 15, and rounding */
        assert_true(pooled < alone / 4);
}

static void assert_starts_again(struct damon_evidence before, struct damon_evidence now,
                                uint32_t nr_accesses) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 800, 7);
        r = &regions.items[0];
        r->evidence = before;
        r->running = now;
        r->nr_again = 6;
        r->nr_again_accessed = 5;
        damon_regions_fold(&regions, 20, 1);
        assert_memory_equal(&r->evidence, &now, sizeof(now));
        assert_int_equal(r->nr_accesses, nr_accesses);
        /* whether its pages differ is another question */
        assert_int_equal(r->nr_again, 6);
        assert_int_equal(r->nr_again_accessed, 5);
}

static void fold_forgets_what_is_not_so_any_more(void **state) {
        struct damon_evidence low = in_all_bins(0, 2), high = in_all_bins(0, 2);

        assert_starts_again(in_all_bins(0, 100), in_all_bins(2, 0), 20);
        assert_starts_again(in_all_bins(0, 100), in_all_bins(1, 3), 5);
        assert_starts_again(in_all_bins(100, 0), in_all_bins(0, 3), 0);
        assert_starts_again(in_all_bins(10, 10), in_all_bins(3, 0), 20);

        /* as much as before, but elsewhere */
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                struct damon_evidence *half = i < DAMON_NR_BINS / 2 ? &low : &high;

                half->accessed[i] = 2 * DAMON_EVIDENCE_CHECK;
                half->idle[i] = 0;
        }
        assert_starts_again(low, high, 10);
        assert_starts_again(high, low, 10);
}

/* What a region that was idle at 20 checks says after aggregations of a few checks. */
static uint32_t folded_few(const char *checks) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 100, 0);
        r = &regions.items[0];
        r->evidence = in_all_bins(0, 3);
        r->uniform = true;
        for (; *checks; checks++)
                if (*checks == '|')
                        damon_regions_fold(&regions, 20, 1);
                else
                        damon_region_count(r, 40, *checks == '+', false, 1);
        damon_regions_fold(&regions, 20, 1);
        return r->nr_accesses;
}

static void fold_of_few_checks_counts_the_last_that_agree(void **state) {
        static const struct {
                const char *checks;
                uint32_t low, high;
        } cases[] = {
                /* one may be unlucky */
                { "-+", 0, 2 }, { "+", 0, 2 }, { "+|-", 0, 2 }, { "+|-|+|-", 0, 3 },
                /* not two, and it does not matter where the aggregation ends */
                { "++", 20, 20 }, { "-+|+", 20, 20 }, { "-+|++", 20, 20 },
                /* of the one in which it changes, all is told, and then only what is behind */
                { "---+++", 10, 10 }, { "---+++|++", 20, 20 }, { "---+++|+++|--", 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_in_range(folded_few(cases[i].checks), cases[i].low, cases[i].high);
}

static void fold_sees_accesses_that_are_too_rare_to_show(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;
        struct damos idle = {
                .action = DAMOS_PAGEOUT,
                .pattern = { { 0, UINT64_MAX }, { 0, 0 }, { 0, UINT64_MAX } },
        };
        struct damon_attrs attrs = { 5000, 100000, 1000000, 10, 1000 };

        append(&regions, 0, 800, 0);
        r = &regions.items[0];
        r->evidence = in_all_bins(0, 100);
        r->running = in_bin(3, 0, 20);
        r->age = 30;
        damon_regions_fold(&regions, 20, 1);
        damon_regions_count_age(&regions, 0);
        assert_false(r->accessed);
        assert_int_equal(r->age, 31);
        assert_true(damos_matches(&idle, r, &attrs));

        /* an access or two, and again: never one to which the region looks idle */
        for (int i = 0; i < 5; i++) {
                r->running = in_bin(3, 1, 19);
                damon_regions_fold(&regions, 20, 1);
                damon_regions_count_age(&regions, 0);
                assert_int_equal(r->nr_accesses, 0);
                assert_true(r->accessed);
                assert_int_equal(r->age, 0);
                assert_false(damos_matches(&idle, r, &attrs));
                idle.pattern.nr_accesses = (struct damos_limits) { 1, 1 };
                assert_true(damos_matches(&idle, r, &attrs));
                idle.pattern.nr_accesses = (struct damos_limits) { 0, 0 };
        }

        /* then none: idle again, from now on */
        for (uint32_t i = 0; i < 3; i++) {
                r->running = in_bin(3, 0, 20);
                damon_regions_fold(&regions, 20, 1);
                damon_regions_count_age(&regions, 0);
                assert_false(r->accessed);
                assert_int_equal(r->age, i);
                assert_true(damos_matches(&idle, r, &attrs));
        }
}

/* Count a check of the last page of a region: the page, from 1, of which it asks for a second look, or 0. */
static uint32_t asks_for(struct damon_evidence evidence, struct damon_evidence running, uint64_t nr_pages,
                         unsigned nr_again, bool accessed) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, nr_pages * PAGE, 0);
        r = &regions.items[0];
        r->evidence = evidence;
        r->running = running;
        r->nr_again = (uint8_t) nr_again;
        damon_region_count(r, nr_pages - 1, accessed, false, PAGE);
        assert_int_equal(r->nr_again, nr_again);
        assert_true(damon_evidence_tally(&r->running).known > damon_evidence_tally(&running).known);
        return r->again;
}

static void second_looks_are_asked_for_where_they_tell_something(void **state) {
        struct damon_evidence none = {}, some = in_all_bins(1, 1);

        assert_int_equal(asks_for(some, none, 100, 0, true), 100);
        assert_int_equal(asks_for(in_all_bins(0, 9), none, 100, 0, true), 100);
        assert_int_equal(asks_for(none, some, 100, 0, true), 100);
        assert_int_equal(asks_for(some, none, 9, 7, true), 9);
        assert_int_equal(asks_for(some, none, UINT64_C(1) << 32, 0, true), 0);

        assert_int_equal(asks_for(some, none, 100, 0, false), 0);
        /* all of it is accessed, as far as is known */
        assert_int_equal(asks_for(none, none, 100, 0, true), 0);
        assert_int_equal(asks_for(in_all_bins(30, 1), some, 100, 0, true), 0);
        /* what differs inside shows in its bins */
        assert_int_equal(asks_for(some, none, 8, 0, true), 0);
        assert_int_equal(asks_for(some, none, 1, 0, true), 0);
        /* enough of them */
        assert_int_equal(asks_for(some, none, 100, 8, true), 0);
}

static void second_looks_do_not_count_for_the_frequency(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 100 * PAGE, 0);
        r = &regions.items[0];
        r->running = in_all_bins(1, 3);
        for (int i = 0; i < 6; i++)
                damon_region_count(r, 50, i < 4, true, PAGE);
        assert_int_equal(r->nr_again, 6);
        assert_int_equal(r->nr_again_accessed, 4);
        assert_int_equal(r->again, 0);
        assert_int_equal(damon_regions_fold(&regions, 20, PAGE), 5);
}

static void checks_are_counted_in_the_bin_of_their_page(void **state) {
        static const struct {
                uint64_t nr_pages, page;
                size_t bin;
        } cases[] = {
                { 8, 0, 0 }, { 8, 7, 7 }, { 80, 9, 0 }, { 80, 10, 1 }, { 80, 79, 7 },
                { UINT64_C(1) << 34, (UINT64_C(1) << 34) - 1, 7 },
                { UINT64_C(1) << 34, (UINT64_C(1) << 33) - 1, 3 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int accessed = 0; accessed < 2; accessed++) {
                        _cleanup_regions_ struct damon_regions regions = {};
                        struct damon_evidence want = in_bin((unsigned) cases[i].bin, accessed, !accessed);

                        append(&regions, 0, cases[i].nr_pages * PAGE, 0);
                        damon_region_count(&regions.items[0], cases[i].page, accessed, false, PAGE);
                        assert_memory_equal(&regions.items[0].running, &want, sizeof(want));
                }
}

/* What a region of so many pages is found to be after a fold that changes nothing. */
static bool folds_to_uniform(struct damon_evidence evidence, unsigned nr_accessed, unsigned nr_again,
                             uint64_t nr_pages) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, nr_pages * PAGE, 0);
        r = &regions.items[0];
        r->evidence = r->running = evidence;
        r->nr_again = (uint8_t) nr_again;
        r->nr_again_accessed = (uint8_t) nr_accessed;
        damon_regions_fold(&regions, 20, PAGE);
        /* what was found out has to be found again, by and by */
        assert_int_equal(r->nr_again, nr_again < 8 ? nr_again : nr_again / 2);
        assert_int_equal(r->nr_again_accessed, nr_again < 8 ? nr_accessed : nr_accessed / 2);
        return r->uniform;
}

static void second_looks_tell_some_pages_from_now_and_then(void **state) {
        /* accessed pages are accessed again: some of them are hot */
        assert_false(folds_to_uniform(in_all_bins(5, 5), 8, 8, 100));
        assert_false(folds_to_uniform(in_all_bins(1, 9), 6, 8, 100));
        assert_false(folds_to_uniform(in_all_bins(1, 9), 3, 3, 100));
        /* as often as any: all of them are accessed now and then */
        assert_true(folds_to_uniform(in_all_bins(5, 5), 4, 8, 100));
        assert_true(folds_to_uniform(in_all_bins(5, 5), 0, 8, 100));
        assert_true(folds_to_uniform(in_all_bins(9, 1), 8, 8, 100));
        assert_true(folds_to_uniform(in_all_bins(1, 9), 1, 8, 100));
        /* not known yet */
        assert_false(folds_to_uniform(in_all_bins(5, 5), 0, 0, 100));
        assert_false(folds_to_uniform(in_all_bins(5, 5), 1, 2, 100));
        /* nothing that might differ */
        assert_true(folds_to_uniform(in_all_bins(5, 0), 0, 0, 100));
        assert_true(folds_to_uniform(in_all_bins(0, 5), 0, 0, 100));
        /* a bin is a page, or less */
        assert_true(folds_to_uniform(in_all_bins(5, 5), 8, 8, 8));
}

/* The age of a region of age 5 after one more aggregation. */
static uint32_t aged(uint32_t last, uint32_t now, uint32_t threshold, bool unknown) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, now);
        regions.items[0].last_nr_accesses = last;
        regions.items[0].last_accessed = last > 0;
        regions.items[0].unknown = unknown;
        regions.items[0].age = 5;
        damon_regions_count_age(&regions, threshold);
        return regions.items[0].age;
}

static void age_grows_while_the_change_is_within_the_threshold(void **state) {
        assert_int_equal(aged(10, 10, 0, false), 6);
        assert_int_equal(aged(10, 12, 2, false), 6);
        assert_int_equal(aged(12, 10, 2, false), 6);
        assert_int_equal(aged(0, 0, 2, false), 6);
}

static void age_starts_again_on_a_larger_change(void **state) {
        assert_int_equal(aged(10, 13, 2, false), 0);
        assert_int_equal(aged(13, 10, 2, false), 0);
        assert_int_equal(aged(10, 11, 0, false), 0);
}

static void age_starts_again_when_accesses_begin_or_end(void **state) {
        assert_int_equal(aged(0, 1, 2, false), 0);
        assert_int_equal(aged(1, 0, 2, false), 0);
        assert_int_equal(aged(0, 2, 20, false), 0);
}

static void age_of_an_unknown_region_stands_still(void **state) {
        assert_int_equal(aged(10, 10, 2, true), 5);
        assert_int_equal(aged(0, 0, 2, true), 5);
}

static void age_does_not_wrap(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 3);
        regions.items[0].last_nr_accesses = 3;
        regions.items[0].last_accessed = true;
        regions.items[0].age = UINT32_MAX;
        damon_regions_count_age(&regions, 2);
        assert_int_equal(regions.items[0].age, UINT32_MAX);
}

/* damon_test_merge_two() */
static void merge_of_two_weighs_by_size(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 10);
        append(&regions, 100, 300, 20);
        regions.items[0].age = 9;
        regions.items[1].age = 21;
        damon_regions_merge(&regions, 10, 300, false);
        ASSERT_RANGES(&regions, { 0, 300 });
        assert_int_equal(regions.items[0].nr_accesses, 16);
        assert_int_equal(regions.items[0].age, 17);
}

/* damon_test_merge_regions_of() */
static void merge_joins_neighbours_accessed_alike(void **state) {
        static const uint64_t starts[] = { 0, 100, 114, 122, 130, 156, 170, 184 };
        static const uint64_t ends[] = { 100, 112, 122, 130, 156, 170, 184, 230 };
        static const uint32_t nr_accesses[] = { 0, 0, 10, 10, 20, 30, 1, 2 };
        _cleanup_regions_ struct damon_regions regions = {};

        for (size_t i = 0; i < ELEMENTSOF(starts); i++)
                append(&regions, starts[i], ends[i], nr_accesses[i]);
        damon_regions_merge(&regions, 9, 9999, false);
        ASSERT_RANGES(&regions, { 0, 112 }, { 114, 130 }, { 130, 156 }, { 156, 170 }, { 170, 230 });
}

static void merge_respects_threshold_size_and_holes(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 5);
        append(&regions, 10, 20, 7);
        append(&regions, 30, 40, 7);
        damon_regions_merge(&regions, 1, 100, false);
        assert_int_equal(regions.nr, 3);
        damon_regions_merge(&regions, 2, 19, false);
        assert_int_equal(regions.nr, 3);
        damon_regions_merge(&regions, 2, 20, false);
        ASSERT_RANGES(&regions, { 0, 20 }, { 30, 40 });
}

static void merge_compares_with_the_average_so_far(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 1);
        append(&regions, 100, 110, 3);
        append(&regions, 110, 120, 3);
        append(&regions, 120, 130, 5);
        damon_regions_merge(&regions, 2, 1000, false);
        ASSERT_RANGES(&regions, { 0, 120 }, { 120, 130 });
}

static void merge_mixes_known_and_unknown_only_when_told(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 5);
        append(&regions, 10, 20, 5);
        append(&regions, 20, 30, 5);
        regions.items[1].unknown = regions.items[2].unknown = true;
        damon_regions_merge(&regions, 20, 100, false);
        ASSERT_RANGES(&regions, { 0, 10 }, { 10, 30 });
        assert_true(regions.items[1].unknown);
        damon_regions_mix(&regions, 100, 1);
        ASSERT_RANGES(&regions, { 0, 30 });
        assert_true(regions.items[0].unknown);
}

static void merge_mixes_absent_regions_and_those_in_memory_only_when_told(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint64_t i = 0; i < 6; i++) {
                append(&regions, 10 * i, 10 * (i + 1), 0);
                regions.items[i].age = 5;
                regions.items[i].absent = i < 2 || i == 4;
        }
        damon_regions_merge(&regions, 20, 100, true);
        ASSERT_RANGES(&regions, { 0, 20 }, { 20, 40 }, { 40, 50 }, { 50, 60 });
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(regions.items[i].absent, i % 2 == 0);
        damon_regions_mix(&regions, 100, 1);
        ASSERT_RANGES(&regions, { 0, 60 });
        assert_false(regions.items[0].absent);
}

static void merge_keeps_accessed_and_idle_regions_apart_unless_told(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 1000, 0);
        append(&regions, 1000, 1010, 1);
        append(&regions, 1010, 1020, 2);
        regions.items[0].age = 100;
        damon_regions_merge(&regions, 20, 10000, false);
        ASSERT_RANGES(&regions, { 0, 1000 }, { 1000, 1020 });
        assert_int_equal(regions.items[1].nr_accesses, 1);
        assert_int_equal(regions.items[1].age, 0);
        damon_regions_mix(&regions, 10000, 1);
        ASSERT_RANGES(&regions, { 0, 1020 });
}

static void merge_keeps_regions_apart_that_differ_in_themselves(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 10);
        append(&regions, 10, 20, 10);
        append(&regions, 20, 30, 0);
        append(&regions, 30, 40, 0);
        regions.items[1].uniform = regions.items[3].uniform = false;
        regions.items[2].accessed = regions.items[3].accessed = true;
        damon_regions_merge(&regions, 0, 100, false);
        assert_int_equal(regions.nr, 4);
        /* but for what is accessed so rarely that it hardly matters, where regions are short */
        damon_regions_merge(&regions, 0, 100, true);
        ASSERT_RANGES(&regions, { 0, 10 }, { 10, 20 }, { 20, 40 });
        assert_false(regions.items[2].uniform);
        assert_true(regions.items[2].accessed);
        damon_regions_merge(&regions, 20, 100, true);
        assert_int_equal(regions.nr, 3);
        damon_regions_mix(&regions, 100, 1);
        ASSERT_RANGES(&regions, { 0, 40 });
        assert_false(regions.items[0].uniform);
}

static void merge_keeps_regions_apart_that_chance_does_not_explain(void **state) {
        static const struct {
                uint32_t nr_accesses[2];
                unsigned checks;        /* a bin */
                size_t nr;
        } cases[] = {
                { { 5, 10 }, 1, 1 }, { { 5, 10 }, 10, 2 }, { { 10, 5 }, 10, 2 }, { { 5, 7 }, 4, 1 },
                { { 5, 7 }, 80, 2 },
                { { 5, 6 }, 10, 1 }, { { 6, 5 }, 10, 1 }, { { 6, 5 }, 80, 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};

                for (size_t k = 0; k < 2; k++) {
                        uint32_t nr = cases[i].nr_accesses[k];
                        unsigned weight = cases[i].checks * DAMON_EVIDENCE_CHECK;
                        struct damon_evidence *evidence;

                        append(&regions, k * 80, k * 80 + 80, nr);
                        evidence = &regions.items[k].evidence;
                        for (size_t j = 0; j < DAMON_NR_BINS; j++) {
                                evidence->accessed[j] = (uint16_t) (weight * nr / 20);
                                evidence->idle[j] = (uint16_t) (weight - weight * nr / 20);
                        }
                }
                damon_regions_merge(&regions, 20, 1000, false);
                assert_int_equal(regions.nr, cases[i].nr);
        }
}

static void merge_keeps_old_and_young_idle_regions_apart(void **state) {
        static const struct {
                uint32_t a, b;
                size_t nr;
        } cases[] = { { 0, 0, 1 }, { 0, 2, 1 }, { 0, 3, 2 }, { 10, 16, 1 }, { 10, 17, 2 }, { 17, 10, 2 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};

                append(&regions, 0, 10, 0);
                append(&regions, 10, 20, 0);
                regions.items[0].age = cases[i].a;
                regions.items[1].age = cases[i].b;
                damon_regions_merge(&regions, 20, 100, true);
                assert_int_equal(regions.nr, cases[i].nr);
                damon_regions_mix(&regions, 100, 1);
                assert_int_equal(regions.nr, 1);
        }
}

static void merge_puts_evidence_together_where_it_is(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 80 * PAGE, 10);
        append(&regions, 80 * PAGE, 160 * PAGE, 10);
        regions.items[0].evidence = in_all_bins(1, 2);
        regions.items[1].evidence = in_all_bins(3, 4);
        regions.items[0].nr_again = 2;
        regions.items[0].nr_again_accessed = 2;
        regions.items[1].nr_again = 5;
        regions.items[1].nr_again_accessed = 3;
        damon_regions_mix(&regions, UINT64_MAX, 1);
        ASSERT_RANGES(&regions, { 0, 160 * PAGE });
        r = &regions.items[0];
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                assert_int_equal(r->evidence.accessed[i], (i < 4 ? 2 : 6) * DAMON_EVIDENCE_CHECK);
                assert_int_equal(r->evidence.idle[i], (i < 4 ? 4 : 8) * DAMON_EVIDENCE_CHECK);
        }
        /* of second looks, what is better known */
        assert_int_equal(r->nr_again, 5);
        assert_int_equal(r->nr_again_accessed, 3);
}

static void merge_within_goes_back_to_the_evidence(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 8; i++) {
                append(&regions, i * 10, i * 10 + 10, 9 + i % 2);
                regions.items[i].evidence = in_all_bins(19, 21);        /* 9.5, both ways */
        }
        damon_regions_merge_within(&regions, 1, 20, 1000, 20);
        assert_int_equal(regions.nr, 1);
        assert_int_equal(regions.items[0].nr_accesses, 10);
}

static void merge_within_does_not_make_idle_regions_accessed(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        /* idle in the last aggregation, while what is left of those before would show */
        for (uint32_t i = 0; i < 2; i++) {
                append(&regions, i * 80, i * 80 + 80, 0);
                regions.items[i].evidence = in_bin(i == 0 ? 7 : 0, 2, 30);
        }
        damon_regions_merge_within(&regions, 0, 20, 1000, 20);
        assert_int_equal(regions.nr, 1);
        assert_false(regions.items[0].accessed);
        assert_int_equal(regions.items[0].nr_accesses, 0);
}

static void merge_of_huge_regions_does_not_overflow(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, UINT64_C(1) << 46, UINT32_MAX - 1);
        append(&regions, UINT64_C(1) << 46, UINT64_C(1) << 47, UINT32_MAX - 1);
        damon_regions_merge(&regions, 0, UINT64_MAX, false);
        assert_int_equal(regions.nr, 1);
        assert_int_equal(regions.items[0].nr_accesses, UINT32_MAX - 1);
}

static void merge_within_raises_the_threshold_until_it_fits(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 20; i++)
                append(&regions, i * 10, i * 10 + 10, i % 2 * 8);
        damon_regions_merge_within(&regions, 1, 20, 1000, 20);
        assert_int_equal(regions.nr, 20);
        damon_regions_merge_within(&regions, 1, 20, 1000, 5);
        assert_true(regions.nr <= 5);
        assert_int_equal(damon_regions_size(&regions), 200);
}

/* Small ones go first, and what is left is as it was. */
static void merge_within_mixes_no_more_than_it_takes(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 40; i++)
                append(&regions, damon_regions_size(&regions),
                       damon_regions_size(&regions) + (i < 20 ? 1000 : 10), i % 2 * 20);
        damon_regions_merge_within(&regions, 2, 20, 100000, 35);
        assert_int_equal(regions.nr, 35);
        for (uint32_t i = 0; i < 19; i++)
                assert_int_equal(regions.items[i].nr_accesses, i % 2 * 20);
}

static void merge_within_starts_at_threshold_0_too(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 20; i++)
                append(&regions, i * 10, i * 10 + 10, i % 2);
        damon_regions_merge_within(&regions, 0, 1, 1000, 3);
        assert_int_equal(regions.nr, 3);
}

static void merge_within_lets_max_regions_win(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 20; i++)
                append(&regions, i * 10, i * 10 + 10, i + 1);
        damon_regions_merge_within(&regions, 1, 20, 20, 10);
        assert_int_equal(regions.nr, 10);
        damon_regions_merge_within(&regions, 1, 20, 20, 3);
        assert_int_equal(regions.nr, 3);
        /* what lies apart remains so */
        append(&regions, 300, 310, 1);
        damon_regions_merge_within(&regions, 1, 20, 20, 1);
        ASSERT_RANGES(&regions, { 0, 200 }, { 300, 310 });
}

/* A region of so many pages right behind the others. */
static struct damon_region *append_pages(struct damon_regions *regions, uint64_t nr_pages,
                                         struct damon_evidence evidence, bool uniform) {
        uint64_t start = regions->nr > 0 ? regions->items[regions->nr - 1].range.end : 0;
        struct damon_region *r;

        append(regions, start, start + nr_pages * PAGE, 0);
        r = &regions->items[regions->nr - 1];
        r->evidence = evidence;
        r->uniform = uniform;
        return r;
}

/* All idle, but for these bins. */
static struct damon_evidence hot_bins(size_t first, size_t end) {
        struct damon_evidence evidence = in_all_bins(0, 4);

        for (size_t i = first; i < end; i++) {
                evidence.accessed[i] = 4 * DAMON_EVIDENCE_CHECK;
                evidence.idle[i] = 0;
        }
        return evidence;
}

static void refine_cuts_out_what_differs(void **state) {
        static const struct {
                size_t first, end;
                uint64_t nr_pages;
                size_t nr;
                uint64_t borders[4];
        } cases[] = {
                { 2, 4, 80, 3, { 0, 20, 40, 80 } },
                { 0, 3, 80, 2, { 0, 30, 80 } },
                { 5, 8, 80, 2, { 0, 50, 80 } },
                { 7, 8, 8, 2, { 0, 7, 8 } },
                { 2, 3, 8, 3, { 0, 2, 3, 8 } },
                /* the first pages whose middles lie in bins 3 and 6 */
                { 3, 6, 10, 3, { 0, 4, 7, 10 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};

                append_pages(&regions, cases[i].nr_pages, hot_bins(cases[i].first, cases[i].end), true);
                ASSERT_OK(damon_regions_refine(&regions, 1, 10, 20, PAGE));
                assert_sound(&regions, PAGE);
                assert_int_equal(regions.nr, cases[i].nr);
                for (size_t k = 0; k < regions.nr; k++) {
                        assert_int_equal(regions.items[k].range.start, cases[i].borders[k] * PAGE);
                        assert_int_equal(regions.items[k].range.end, cases[i].borders[k + 1] * PAGE);
                }
        }
}

static void refine_divides_the_evidence(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 80, hot_bins(2, 4), true)->age = 17;
        regions.items[0].nr_accesses = 5;
        regions.items[0].last_nr_accesses = 4;
        regions.items[0].accessed = true;
        ASSERT_OK(damon_regions_refine(&regions, 1, 10, 20, PAGE));
        assert_int_equal(regions.nr, 3);
        for (size_t i = 0; i < 3; i++) {
                struct damon_tally tally = damon_evidence_tally(&regions.items[i].evidence);

                /* that a part was picked makes it less sure */
                assert_float_equal(tally.known, (i == 2 ? 16 : 8) / 8, 1e-9);
                assert_float_equal(damon_evidence_rate(&regions.items[i].evidence), (i == 1), 1e-9);
                assert_int_equal(regions.items[i].nr_accesses, i == 1 ? 20 : 0);
                assert_true(regions.items[i].accessed);
                assert_int_equal(regions.items[i].age, 0);
        }
}

static void refine_halves_what_is_mixed(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 80, in_all_bins(2, 2), false);
        append_pages(&regions, 80, in_all_bins(2, 2), true);
        append_pages(&regions, 3, in_all_bins(2, 2), false);
        ASSERT_OK(damon_regions_refine(&regions, 1, 10, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, 40 * PAGE }, { 40 * PAGE, 80 * PAGE }, { 80 * PAGE, 160 * PAGE },
                      { 160 * PAGE, 161 * PAGE }, { 161 * PAGE, 163 * PAGE });
}

static void refine_halves_what_is_large(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 100, in_all_bins(0, 2), true);
        append_pages(&regions, 20, in_all_bins(0, 2), true);
        ASSERT_OK(damon_regions_refine(&regions, 6, 1000, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, 50 * PAGE }, { 50 * PAGE, 100 * PAGE }, { 100 * PAGE, 120 * PAGE });
        ASSERT_OK(damon_regions_refine(&regions, 6, 1000, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, 25 * PAGE }, { 25 * PAGE, 50 * PAGE }, { 50 * PAGE, 75 * PAGE },
                      { 75 * PAGE, 100 * PAGE }, { 100 * PAGE, 120 * PAGE });
        /* what is left to be cut is as large as each other, and there is room for one */
        ASSERT_OK(damon_regions_refine(&regions, 6, 1000, 20, PAGE));
        assert_int_equal(regions.nr, 6);
        ASSERT_OK(damon_regions_refine(&regions, 6, 1000, 20, PAGE));
        assert_int_equal(regions.nr, 6);
}

static void refine_cuts_the_urgent_first(void **state) {
        /* what is larger than its share, what is mixed, what differs, and how many of each are cut */
        static const struct {
                size_t nr_explore, max_regions;
                bool large, mixed, different;
        } cases[] = {
                { 3, 3, false, false, false }, { 100, 3, false, false, false },
                { 100, 4, false, false, true }, { 100, 5, false, true, true },
                { 100, 6, true, true, true }, { 5, 100, false, true, true },
                { 6, 100, true, true, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};
                uint64_t large = 1000 * PAGE, mixed = large + 80 * PAGE, different = mixed + 80 * PAGE;
                bool cut[3] = {};

                append_pages(&regions, 1000, in_all_bins(0, 5), true);
                append_pages(&regions, 80, in_all_bins(2, 2), false);
                append_pages(&regions, 80, hot_bins(0, 4), true);
                ASSERT_OK(damon_regions_refine(&regions, cases[i].nr_explore, cases[i].max_regions, 20, PAGE));
                assert_sound(&regions, PAGE);
                for (size_t k = 0; k < regions.nr; k++) {
                        uint64_t start = regions.items[k].range.start;

                        cut[0] = cut[0] || (start > 0 && start < large);
                        cut[1] = cut[1] || (start > large && start < mixed);
                        cut[2] = cut[2] || (start > mixed && start < different);
                }
                assert_int_equal(cut[0], cases[i].large);
                assert_int_equal(cut[1], cases[i].mixed);
                assert_int_equal(cut[2], cases[i].different);
        }
}

static void refine_cuts_by_what_is_to_be_found_out(void **state) {
        _cleanup_regions_ struct damon_regions mixed = {}, large = {}, different = {};
        struct damon_evidence less = in_all_bins(0, 4);

        append_pages(&mixed, 80, in_all_bins(1, 9), false);
        append_pages(&mixed, 80, in_all_bins(5, 5), false);
        append_pages(&mixed, 80, in_all_bins(9, 1), false);
        ASSERT_OK(damon_regions_refine(&mixed, 1, 4, 20, PAGE));
        ASSERT_RANGES(&mixed, { 0, 80 * PAGE }, { 80 * PAGE, 120 * PAGE }, { 120 * PAGE, 160 * PAGE },
                      { 160 * PAGE, 240 * PAGE });

        append_pages(&large, 300, in_all_bins(0, 4), true);
        append_pages(&large, 500, in_all_bins(0, 4), true);
        append_pages(&large, 200, in_all_bins(0, 4), true);
        ASSERT_OK(damon_regions_refine(&large, 100, 4, 20, PAGE));
        ASSERT_RANGES(&large, { 0, 300 * PAGE }, { 300 * PAGE, 550 * PAGE }, { 550 * PAGE, 800 * PAGE },
                      { 800 * PAGE, 1000 * PAGE });

        for (size_t i = 0; i < 4; i++)
                less.accessed[i] = 2 * DAMON_EVIDENCE_CHECK;
        append_pages(&different, 80, less, true);
        append_pages(&different, 80, hot_bins(0, 4), true);
        ASSERT_OK(damon_regions_refine(&different, 1, 3, 20, PAGE));
        ASSERT_RANGES(&different, { 0, 80 * PAGE }, { 80 * PAGE, 120 * PAGE }, { 120 * PAGE, 160 * PAGE });
}

static void refine_leaves_room_for_differences(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (int i = 0; i < 17; i++)
                append_pages(&regions, 80, in_all_bins(2, 2), false);
        append_pages(&regions, 80, hot_bins(4, 8), true);
        /* of 20, mixed ones get 18, and what differs gets the rest */
        ASSERT_OK(damon_regions_refine(&regions, 1, 20, 20, PAGE));
        assert_int_equal(regions.nr, 19);
        assert_int_equal(damon_range_size(&regions.items[18].range), 40 * PAGE);
}

static void refine_leaves_chance_alone(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_evidence evidence = in_all_bins(1, 1);

        evidence.accessed[3] = 2 * DAMON_EVIDENCE_CHECK;
        evidence.idle[3] = 0;
        append_pages(&regions, 80, evidence, true);
        ASSERT_OK(damon_regions_refine(&regions, 1, 100, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, 80 * PAGE });
}

static void refine_never_cuts_a_page(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 1, hot_bins(0, 4), false);
        append_pages(&regions, 1, in_all_bins(2, 2), false);
        append_pages(&regions, 1, in_all_bins(0, 2), true);
        append_pages(&regions, 2, hot_bins(0, 4), false);
        ASSERT_OK(damon_regions_refine(&regions, 1000, 1000, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, PAGE }, { PAGE, 2 * PAGE }, { 2 * PAGE, 3 * PAGE },
                      { 3 * PAGE, 4 * PAGE }, { 4 * PAGE, 5 * PAGE });
}

static void refine_gets_down_to_pages_in_the_end(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 61, (struct damon_evidence) {}, true);
        for (int i = 0; i < 10; i++)
                ASSERT_OK(damon_regions_refine(&regions, 100, 100, 20, PAGE));
        assert_sound(&regions, PAGE);
        assert_int_equal(regions.nr, 61);
}

static void refine_of_half_the_address_space_is_not_cut_short(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        uint64_t nr_pages = UINT64_MAX / PAGE / 8 * 8;

        append_pages(&regions, nr_pages, hot_bins(7, 8), true);
        ASSERT_OK(damon_regions_refine(&regions, 1, 10, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, nr_pages / 8 * 7 * PAGE }, { nr_pages / 8 * 7 * PAGE, nr_pages * PAGE });
}

static void refine_leaves_absent_regions_whole(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 1000, in_all_bins(0, 2), true);
        append_pages(&regions, 80, in_all_bins(2, 2), false);
        append_pages(&regions, 80, hot_bins(0, 4), true);
        for (size_t i = 0; i < 3; i++)
                regions.items[i].absent = true;
        ASSERT_OK(damon_regions_refine(&regions, 100, 100, 20, PAGE));
        assert_int_equal(regions.nr, 3);
}

static void refine_explores_by_the_size_of_what_is_in_memory(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append_pages(&regions, 100000, in_all_bins(0, 2), true);
        regions.items[0].absent = true;
        append_pages(&regions, 100, in_all_bins(0, 2), true);
        ASSERT_OK(damon_regions_refine(&regions, 6, 1000, 20, PAGE));
        ASSERT_RANGES(&regions, { 0, 100000 * PAGE }, { 100000 * PAGE, 100050 * PAGE },
                      { 100050 * PAGE, 100100 * PAGE });
}

static void refine_without_regions_or_room_changes_nothing(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        ASSERT_OK(damon_regions_refine(&regions, 10, 10, 20, PAGE));
        assert_int_equal(regions.nr, 0);
        for (int i = 0; i < 5; i++)
                append_pages(&regions, 80, hot_bins(0, 4), false);
        /* more than there may be: min_regions wins */
        ASSERT_OK(damon_regions_refine(&regions, 10, 3, 20, PAGE));
        assert_int_equal(regions.nr, 5);
}

/* damon_test_update_monitoring_result(): the old attributes are 10 and 1000 us each time */
static void rescale_keeps_shares_and_durations(void **state) {
        static const struct {
                uint32_t new_max;
                uint64_t new_aggregation;
                uint32_t nr_accesses, age;
        } steps[] = { { 100, 10000, 15, 2 }, { 1000, 1000, 150, 2 }, { 100, 100, 150, 20 } };
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 100, 15);
        r = &regions.items[0];
        r->age = 20;
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                damon_regions_rescale(&regions, 100, steps[i].new_max, 1000,
                                      steps[i].new_aggregation);
                assert_int_equal(r->nr_accesses, steps[i].nr_accesses);
                assert_int_equal(r->age, steps[i].age);
        }
}

static void rescale_rounds_and_drops_running_checks(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};
        struct damon_region *r;

        append(&regions, 0, 100, 3);
        r = &regions.items[0];
        r->last_nr_accesses = 1;
        r->age = 15;
        run_checks(r, (struct outcomes) { 1, 2, 3 });
        r->evidence = in_bin(5, 6, 7);
        r->uniform = false;
        r->again = 50;
        damon_regions_rescale(&regions, 20, 10, 100, 1000);
        assert_int_equal(r->nr_accesses, 2);            /* 1.5 */
        assert_int_equal(r->last_nr_accesses, 1);       /* 0.5 */
        assert_int_equal(r->age, 2);                    /* 1.5 */
        assert_no_running(r);
        assert_int_equal(r->again, 0);
        /* as long as it is not known to depend on the interval */
        assert_int_equal(r->evidence.accessed[5], 6 * DAMON_EVIDENCE_CHECK);
        assert_int_equal(r->evidence.idle[5], 7 * DAMON_EVIDENCE_CHECK);
}

static void rescale_weighs_what_depends_on_the_interval(void **state) {
        static const struct {
                uint64_t new_aggregation;
                uint16_t nr_accessed, nr_idle;
                uint32_t nr_accesses;
                bool changes;
        } cases[] = {
                { 2000, 8, 4, 10, true }, { 500, 4, 8, 10, true }, { 1000, 16, 16, 10, true },
                { 2000, 16, 16, 0, false }, { 2000, 16, 16, 20, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_regions_ struct damon_regions regions = {};
                struct damon_region *r;

                append(&regions, 0, 100, cases[i].nr_accesses);
                r = &regions.items[0];
                r->uniform = true;
                r->run = 5;
                r->evidence = in_bin(3, 16, 16);
                damon_regions_rescale(&regions, 20, 20, 1000, cases[i].new_aggregation);
                assert_int_equal(r->evidence.accessed[3], cases[i].nr_accessed * DAMON_EVIDENCE_CHECK);
                assert_int_equal(r->evidence.idle[3], cases[i].nr_idle * DAMON_EVIDENCE_CHECK);
                assert_int_equal(r->run, cases[i].changes ? 0 : 5);
        }
}

static void rescale_does_not_wrap(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 0);
        regions.items[0].age = UINT32_MAX;
        damon_regions_rescale(&regions, 20, 20, UINT64_C(3600000000), 1);
        assert_int_equal(regions.items[0].age, UINT32_MAX);
}

static void check_finds_what_is_broken(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        assert_null(damon_regions_check(&regions, PAGE));
        append(&regions, 0, PAGE, 0);
        append(&regions, PAGE, 3 * PAGE, 0);
        assert_null(damon_regions_check(&regions, PAGE));
        regions.items[1].range.start = 0;
        assert_non_null(damon_regions_check(&regions, PAGE));           /* overlap */
        regions.items[1].range.start = PAGE + 1;
        assert_non_null(damon_regions_check(&regions, PAGE));           /* inside a page */
        regions.items[1].range.start = 3 * PAGE;
        assert_non_null(damon_regions_check(&regions, PAGE));           /* empty */
        regions.items[1].range = (struct damon_range) { 3 * PAGE, PAGE };
        assert_non_null(damon_regions_check(&regions, PAGE));           /* backwards */
}

/* damon_test_rand(): what is drawn stays in the range, and all of the range is drawn */
static void rand_reaches_all_of_its_range_and_no_more(void **state) {
        struct rng rng = { test_seed() };
        unsigned seen[10] = {};

        for (int i = 0; i < 10000; i++) {
                uint64_t n = rng_below(&rng, ELEMENTSOF(seen));

                assert_true(n < ELEMENTSOF(seen));
                seen[n]++;
        }
        for (size_t i = 0; i < ELEMENTSOF(seen); i++)
                assert_in_range(seen[i], 800, 1200);
        assert_int_equal(rng_below(&rng, 1), 0);
}

static void random_ranges(struct rng *rng, struct damon_range *ranges, size_t nr) {
        uint64_t at = 0;

        for (size_t i = 0; i < nr; i++) {
                ranges[i].start = at + rng_below(rng, 20) * PAGE;
                ranges[i].end = ranges[i].start + (1 + rng_below(rng, 60)) * PAGE;
                /* ranges that touch are fine too */
                at = ranges[i].end;
        }
}

/* Checks of the running aggregation, 20 at most. */
static uint64_t checked(const struct damon_region *region) {
        double nr = damon_evidence_tally(&region->running).known + region->nr_unknown;

        return (uint64_t) MIN(nr + 0.99, 20.0);
}

/* Counts of the running aggregation as after some samples, some of them second looks. */
static void random_checks(struct rng *rng, struct damon_regions *regions) {
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *r = &regions->items[i];
                uint64_t nr_pages = damon_range_size(&r->range) / PAGE;
                uint64_t nr_hot = rng_below(rng, nr_pages + 1);

                for (uint64_t k = rng_below(rng, 21 - checked(r)); k > 0; k--) {
                        bool again = r->again > 0;
                        uint64_t page = again ? r->again - 1U : rng_below(rng, nr_pages);

                        assert_true(page < nr_pages);
                        r->again = 0;
                        if (rng_below(rng, 10) == 0)
                                r->nr_unknown++;
                        else
                                damon_region_count(r, page, page < nr_hot, again, PAGE);
                }
        }
}

/* All that is known, in checks. */
static double weight_of(const struct damon_regions *regions) {
        double weight = 0;

        for (size_t i = 0; i < regions->nr; i++)
                weight += damon_evidence_tally(&regions->items[i].evidence).known +
                          damon_evidence_tally(&regions->items[i].running).known;
        return weight;
}

static void refine_within_limits(struct rng *rng, struct damon_regions *regions) {
        size_t before = regions->nr, max_regions = 1 + rng_below(rng, 200);
        size_t nr_explore = 1 + rng_below(rng, 100);

        ASSERT_OK(damon_regions_refine(regions, nr_explore, max_regions, 20, PAGE));
        assert_true(regions->nr >= before);
        assert_true(regions->nr <= MAX(before, max_regions));
}

/* One random thing that must not change what is covered, nor invent any evidence. */
static void random_pass(struct rng *rng, struct damon_regions *regions) {
        uint32_t top;
        size_t i, nr_before;
        double before;

        switch (rng_below(rng, 6)) {
        case 0:
                random_checks(rng, regions);
                return;
        case 1:
                before = weight_of(regions);
                top = damon_regions_fold(regions, 20, PAGE);
                assert_true(weight_of(regions) <= before);
                damon_regions_count_age(regions, top / 10);
                return;
        default:
                break;
        }

        nr_before = regions->nr;
        before = weight_of(regions);
        switch (rng_below(rng, 5)) {
        case 0:
                refine_within_limits(rng, regions);
                break;
        case 1:
                damon_regions_merge_within(regions, (uint32_t) rng_below(rng, 3), 20,
                                           (1 + rng_below(rng, 100)) * PAGE, rng_below(rng, 50));
                break;
        case 2:
                ASSERT_OK(damon_regions_chop(regions, (1 + rng_below(rng, 50)) * PAGE, SIZE_MAX, PAGE));
                break;
        case 3:
                damon_regions_merge(regions, 20, UINT64_MAX, rng_below(rng, 2) == 0);
                break;
        default:
                i = rng_below(rng, regions->nr);
                (void) damon_regions_split_at(regions, i, rng_below(rng, 20) * PAGE);
                break;
        }
        /* but for what is rounded: half a unit of weight a count, and twice so in a merge */
        assert_true(weight_of(regions) <= before + 2.0 * 4 * DAMON_NR_BINS * 0.5 / DAMON_EVIDENCE_CHECK *
                                                           (double) MAX(nr_before, regions->nr));
}

static void anything_in_any_order_keeps_memory_and_order(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 100; round++) {
                _cleanup_regions_ struct damon_regions regions = {};

                for (int k = 0; k < 10; k++) {
                        struct damon_range ranges[6];
                        size_t nr = 1 + rng_below(&rng, ELEMENTSOF(ranges));
                        uint64_t size = 0;
                        _cleanup_(cover_done) struct cover cover = {};

                        random_ranges(&rng, ranges, nr);
                        for (size_t i = 0; i < nr; i++)
                                size += damon_range_size(&ranges[i]);
                        ASSERT_OK(damon_regions_set(&regions, ranges, nr, PAGE));
                        assert_sound(&regions, PAGE);
                        assert_int_equal(damon_regions_size(&regions), size);
                        cover = cover_of(&regions);
                        for (int j = 0; j < 15; j++) {
                                random_pass(&rng, &regions);
                                assert_sound(&regions, PAGE);
                                assert_numbers_in_bounds(&regions, 20, PAGE);
                                assert_covers(&regions, &cover);
                                assert_int_equal(damon_regions_size(&regions), size);
                                if (regions.nr > 2000)
                                        damon_regions_mix(&regions, UINT64_MAX, 1);
                        }
                }
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(append_refuses_empty_overlap_and_disorder),
                cmocka_unit_test(new_regions_know_nothing),
                cmocka_unit_test(done_leaves_usable_regions),
                cmocka_unit_test(split_at_copies_what_is_known_and_divides_evidence),
                cmocka_unit_test(evidence_stays_with_its_page_when_few_are_cut),
                cmocka_unit_test(evidence_does_not_multiply_when_it_is_divided),
                cmocka_unit_test(split_at_refuses_an_empty_part),
                cmocka_unit_test(split_at_leaves_the_others_in_place),
                cmocka_unit_test(chop_makes_as_many_pieces_as_in_the_kernel),
                cmocka_unit_test(chop_makes_even_pieces),
                cmocka_unit_test(chop_cuts_at_pages),
                cmocka_unit_test(chop_leaves_what_fits),
                cmocka_unit_test(chop_makes_no_more_than_max_regions),
                cmocka_unit_test(set_keeps_regions_when_borders_move_a_little),
                cmocka_unit_test(set_cuts_down_to_a_part_of_the_second_range),
                cmocka_unit_test(set_replaces_a_second_range_that_moved_away),
                cmocka_unit_test(set_replaces_everything_that_moved_away),
                cmocka_unit_test(set_fills_holes_with_new_regions),
                cmocka_unit_test(set_cuts_a_region_that_reaches_over_ranges),
                cmocka_unit_test(set_without_ranges_leaves_no_region),
                cmocka_unit_test(set_cuts_borders_to_pages_outwards),
                cmocka_unit_test(set_of_the_same_ranges_changes_nothing),
                cmocka_unit_test(fold_is_the_count_when_every_check_tells),
                cmocka_unit_test(fold_scales_when_checks_are_missing),
                cmocka_unit_test(fold_rounds),
                cmocka_unit_test(fold_without_telling_checks_keeps_the_frequency),
                cmocka_unit_test(fold_calls_unknown_what_most_checks_did_not_tell),
                cmocka_unit_test(fold_clears_unknown_again),
                cmocka_unit_test(fold_returns_the_highest_frequency),
                cmocka_unit_test(fold_pools_checks_that_agree),
                cmocka_unit_test(fold_of_the_same_for_long_gets_it_right),
                cmocka_unit_test(fold_forgets_what_is_not_so_any_more),
                cmocka_unit_test(fold_of_few_checks_counts_the_last_that_agree),
                cmocka_unit_test(fold_sees_accesses_that_are_too_rare_to_show),
                cmocka_unit_test(second_looks_are_asked_for_where_they_tell_something),
                cmocka_unit_test(second_looks_do_not_count_for_the_frequency),
                cmocka_unit_test(checks_are_counted_in_the_bin_of_their_page),
                cmocka_unit_test(second_looks_tell_some_pages_from_now_and_then),
                cmocka_unit_test(age_grows_while_the_change_is_within_the_threshold),
                cmocka_unit_test(age_starts_again_on_a_larger_change),
                cmocka_unit_test(age_starts_again_when_accesses_begin_or_end),
                cmocka_unit_test(age_of_an_unknown_region_stands_still),
                cmocka_unit_test(age_does_not_wrap),
                cmocka_unit_test(merge_of_two_weighs_by_size),
                cmocka_unit_test(merge_joins_neighbours_accessed_alike),
                cmocka_unit_test(merge_respects_threshold_size_and_holes),
                cmocka_unit_test(merge_compares_with_the_average_so_far),
                cmocka_unit_test(merge_mixes_known_and_unknown_only_when_told),
                cmocka_unit_test(merge_mixes_absent_regions_and_those_in_memory_only_when_told),
                cmocka_unit_test(merge_keeps_accessed_and_idle_regions_apart_unless_told),
                cmocka_unit_test(merge_keeps_regions_apart_that_differ_in_themselves),
                cmocka_unit_test(merge_keeps_regions_apart_that_chance_does_not_explain),
                cmocka_unit_test(merge_keeps_old_and_young_idle_regions_apart),
                cmocka_unit_test(merge_puts_evidence_together_where_it_is),
                cmocka_unit_test(merge_within_goes_back_to_the_evidence),
                cmocka_unit_test(merge_within_does_not_make_idle_regions_accessed),
                cmocka_unit_test(merge_of_huge_regions_does_not_overflow),
                cmocka_unit_test(merge_within_raises_the_threshold_until_it_fits),
                cmocka_unit_test(merge_within_mixes_no_more_than_it_takes),
                cmocka_unit_test(merge_within_starts_at_threshold_0_too),
                cmocka_unit_test(merge_within_lets_max_regions_win),
                cmocka_unit_test(refine_cuts_out_what_differs),
                cmocka_unit_test(refine_divides_the_evidence),
                cmocka_unit_test(refine_halves_what_is_mixed),
                cmocka_unit_test(refine_halves_what_is_large),
                cmocka_unit_test(refine_cuts_the_urgent_first),
                cmocka_unit_test(refine_cuts_by_what_is_to_be_found_out),
                cmocka_unit_test(refine_leaves_room_for_differences),
                cmocka_unit_test(refine_leaves_chance_alone),
                cmocka_unit_test(refine_never_cuts_a_page),
                cmocka_unit_test(refine_gets_down_to_pages_in_the_end),
                cmocka_unit_test(refine_of_half_the_address_space_is_not_cut_short),
                cmocka_unit_test(refine_leaves_absent_regions_whole),
                cmocka_unit_test(refine_explores_by_the_size_of_what_is_in_memory),
                cmocka_unit_test(refine_without_regions_or_room_changes_nothing),
                cmocka_unit_test(rescale_keeps_shares_and_durations),
                cmocka_unit_test(rescale_rounds_and_drops_running_checks),
                cmocka_unit_test(rescale_weighs_what_depends_on_the_interval),
                cmocka_unit_test(rescale_does_not_wrap),
                cmocka_unit_test(check_finds_what_is_broken),
                cmocka_unit_test(rand_reaches_all_of_its_range_and_no_more),
                cmocka_unit_test(anything_in_any_order_keeps_memory_and_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
