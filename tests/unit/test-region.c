/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions. Where a test takes its numbers from mm/damon/tests/ of the kernel, it is named
 * after the case there.
 */

#include <damond/region.h>

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
        assert_int_equal(regions.items[0].checks.nr_idle, 0);
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
static void split_at_copies_everything(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100, 42);
        regions.items[0].last_nr_accesses = 15;
        regions.items[0].age = 10;
        regions.items[0].unknown = true;
        regions.items[0].checks = (struct damon_checks) { 3, 4, 5 };
        ASSERT_OK(damon_regions_split_at(&regions, 0, 25));
        ASSERT_RANGES(&regions, { 0, 25 }, { 25, 100 });
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(regions.items[i].nr_accesses, 42);
                assert_int_equal(regions.items[i].last_nr_accesses, 15);
                assert_int_equal(regions.items[i].age, 10);
                assert_true(regions.items[i].unknown);
                assert_int_equal(regions.items[i].checks.nr_accessed, 3);
                assert_int_equal(regions.items[i].checks.nr_idle, 4);
                assert_int_equal(regions.items[i].checks.nr_unknown, 5);
        }
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
                ASSERT_OK(damon_regions_chop(&regions, cases[i].sz_limit, cases[i].page));
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
                ASSERT_OK(damon_regions_chop(&regions, cases[i].sz_limit, 1));
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
        ASSERT_OK(damon_regions_chop(&regions, 3 * PAGE, PAGE));
        ASSERT_RANGES(&regions, { 0, PAGE }, { PAGE, 3 * PAGE }, { 3 * PAGE, 6 * PAGE },
                      { 6 * PAGE, 9 * PAGE }, { 9 * PAGE, 12 * PAGE });
        assert_null(damon_regions_check(&regions, PAGE));
}

static void chop_leaves_what_fits(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 1);
        append(&regions, 10, 21, 2);
        append(&regions, 30, 40, 3);
        ASSERT_OK(damon_regions_chop(&regions, 10, 1));
        ASSERT_RANGES(&regions, { 0, 10 }, { 10, 15 }, { 15, 21 }, { 30, 40 });
        assert_int_equal(regions.items[1].nr_accesses, 2);
        assert_int_equal(regions.items[2].nr_accesses, 2);
        assert_int_equal(regions.items[3].nr_accesses, 3);
        ASSERT_OK(damon_regions_chop(&regions, 10, 1));
        assert_int_equal(regions.nr, 4);
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
        regions.items[1].checks.nr_idle = 4;
        ASSERT_OK(SET(&regions, { 10, 30 }, { 50, 57 }));
        ASSERT_RANGES(&regions, { 10, 20 }, { 20, 30 }, { 50, 55 }, { 55, 57 });
        assert_int_equal(regions.items[1].checks.nr_idle, 4);
}

/* The frequency that checks fold into. */
static uint32_t folded(struct damon_checks checks, uint32_t max) {
        _cleanup_regions_ struct damon_regions regions = {};
        uint32_t highest;

        append(&regions, 0, 10, 7);
        regions.items[0].checks = checks;
        highest = damon_regions_fold(&regions, max);
        assert_int_equal(regions.items[0].last_nr_accesses, 7);
        assert_int_equal(regions.items[0].checks.nr_accessed, 0);
        assert_int_equal(regions.items[0].checks.nr_idle, 0);
        assert_int_equal(regions.items[0].checks.nr_unknown, 0);
        assert_int_equal(highest, regions.items[0].nr_accesses);
        return regions.items[0].nr_accesses;
}

static void fold_is_the_count_when_every_check_tells(void **state) {
        for (uint32_t i = 0; i <= 20; i++)
                assert_int_equal(folded((struct damon_checks) { i, 20 - i, 0 }, 20), i);
}

static void fold_scales_when_checks_are_missing(void **state) {
        assert_int_equal(folded((struct damon_checks) { 5, 5, 0 }, 20), 10);
        assert_int_equal(folded((struct damon_checks) { 5, 5, 10 }, 20), 10);
        assert_int_equal(folded((struct damon_checks) { 7, 0, 13 }, 20), 20);
        assert_int_equal(folded((struct damon_checks) { 0, 1, 19 }, 20), 0);
}

static void fold_rounds_but_never_to_0_or_above_the_maximum(void **state) {
        assert_int_equal(folded((struct damon_checks) { 1, 2, 0 }, 20), 7);     /* 6.67 */
        assert_int_equal(folded((struct damon_checks) { 1, 2, 0 }, 10), 3);     /* 3.33 */
        assert_int_equal(folded((struct damon_checks) { 1, 3, 0 }, 10), 3);     /* 2.5 */
        assert_int_equal(folded((struct damon_checks) { 1, 99, 0 }, 10), 1);    /* 0.1 */
        assert_int_equal(folded((struct damon_checks) { 99, 1, 0 }, 10), 10);   /* 9.9 */
        assert_int_equal(folded((struct damon_checks) { UINT32_MAX, 0, 0 }, UINT32_MAX),
                         UINT32_MAX);
}

static void fold_without_telling_checks_keeps_the_frequency(void **state) {
        assert_int_equal(folded((struct damon_checks) {}, 20), 7);
        assert_int_equal(folded((struct damon_checks) { 0, 0, 20 }, 20), 7);
}

static bool folds_to_unknown(struct damon_checks checks) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 7);
        regions.items[0].checks = checks;
        damon_regions_fold(&regions, 20);
        return regions.items[0].unknown;
}

static void fold_calls_unknown_what_most_checks_did_not_tell(void **state) {
        assert_true(folds_to_unknown((struct damon_checks) {}));
        assert_true(folds_to_unknown((struct damon_checks) { 0, 0, 1 }));
        assert_true(folds_to_unknown((struct damon_checks) { 5, 4, 11 }));
        assert_false(folds_to_unknown((struct damon_checks) { 5, 6, 9 }));
        assert_false(folds_to_unknown((struct damon_checks) { 0, 20, 0 }));
        assert_false(folds_to_unknown((struct damon_checks) { 20, 0, 0 }));
}

static void fold_clears_unknown_again(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, 7);
        damon_regions_fold(&regions, 20);
        assert_true(regions.items[0].unknown);
        regions.items[0].checks.nr_idle = 20;
        damon_regions_fold(&regions, 20);
        assert_false(regions.items[0].unknown);
}

static void fold_returns_the_highest_frequency(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        assert_int_equal(damon_regions_fold(&regions, 20), 0);
        append(&regions, 0, 10, 0);
        append(&regions, 10, 20, 0);
        append(&regions, 20, 30, 0);
        regions.items[0].checks = (struct damon_checks) { 3, 17, 0 };
        regions.items[1].checks = (struct damon_checks) { 9, 11, 0 };
        regions.items[2].checks = (struct damon_checks) { 4, 16, 0 };
        assert_int_equal(damon_regions_fold(&regions, 20), 9);
}

/* The age of a region of age 5 after one more aggregation. */
static uint32_t aged(uint32_t last, uint32_t now, uint32_t threshold, bool unknown) {
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 10, now);
        regions.items[0].last_nr_accesses = last;
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
        damon_regions_merge(&regions, 20, 100, true);
        ASSERT_RANGES(&regions, { 0, 30 });
        assert_true(regions.items[0].unknown);
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
        damon_regions_merge(&regions, 20, 10000, true);
        ASSERT_RANGES(&regions, { 0, 1020 });
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

static void merge_within_starts_at_threshold_0_too(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 20; i++)
                append(&regions, i * 10, i * 10 + 10, i % 2);
        damon_regions_merge_within(&regions, 0, 1, 1000, 3);
        assert_int_equal(regions.nr, 1);
}

static void merge_within_lets_the_size_limit_win(void **state) {
        _cleanup_regions_ struct damon_regions regions = {};

        for (uint32_t i = 0; i < 20; i++)
                append(&regions, i * 10, i * 10 + 10, i + 1);
        damon_regions_merge_within(&regions, 1, 20, 20, 3);
        assert_int_equal(regions.nr, 10);
}

/* damon_test_split_regions_of(); more than three pieces are not asked for here */
static void split_makes_at_most_the_pieces_asked_for(void **state) {
        struct rng rng = { test_seed() };
        const struct damon_env env = { rng_below, &rng };

        for (int i = 0; i < 200; i++) {
                _cleanup_regions_ struct damon_regions two = {}, more = {};

                append(&two, 0, 22, 0);
                ASSERT_OK(damon_regions_split(&two, 2, 1, &env));
                assert_true(two.nr <= 2);
                assert_int_equal(damon_regions_size(&two), 22);
                append(&more, 0, 220, 0);
                ASSERT_OK(damon_regions_split(&more, 3, 1, &env));
                assert_true(more.nr <= 3);
                assert_int_equal(damon_regions_size(&more), 220);
                assert_sound(&more, 1);
        }
}

static uint64_t lowest(void *userdata, uint64_t bound) {
        return 0;
}

static uint64_t highest(void *userdata, uint64_t bound) {
        return bound - 1;
}

static void split_cuts_at_1_to_9_tenths(void **state) {
        const struct damon_env low = { lowest, NULL }, high = { highest, NULL };
        _cleanup_regions_ struct damon_regions a = {}, b = {};

        append(&a, 0, 100 * PAGE, 1);
        ASSERT_OK(damon_regions_split(&a, 2, PAGE, &low));
        ASSERT_RANGES(&a, { 0, 10 * PAGE }, { 10 * PAGE, 100 * PAGE });
        append(&b, 0, 100 * PAGE, 1);
        ASSERT_OK(damon_regions_split(&b, 2, PAGE, &high));
        ASSERT_RANGES(&b, { 0, 90 * PAGE }, { 90 * PAGE, 100 * PAGE });
}

static void split_in_three_cuts_the_left_part_again(void **state) {
        const struct damon_env high = { highest, NULL };
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100 * PAGE, 1);
        append(&regions, 200 * PAGE, 300 * PAGE, 2);
        ASSERT_OK(damon_regions_split(&regions, 3, PAGE, &high));
        ASSERT_RANGES(&regions, { 0, 81 * PAGE }, { 81 * PAGE, 90 * PAGE },
                      { 90 * PAGE, 100 * PAGE }, { 200 * PAGE, 281 * PAGE },
                      { 281 * PAGE, 290 * PAGE }, { 290 * PAGE, 300 * PAGE });
        for (size_t i = 0; i < 6; i++)
                assert_int_equal(regions.items[i].nr_accesses, i < 3 ? 1 : 2);
}

static void split_leaves_one_and_two_pages_whole(void **state) {
        struct rng rng = { test_seed() };
        const struct damon_env env = { rng_below, &rng };
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, PAGE, 0);
        append(&regions, PAGE, 3 * PAGE, 0);
        for (int i = 0; i < 50; i++)
                ASSERT_OK(damon_regions_split(&regions, 3, PAGE, &env));
        ASSERT_RANGES(&regions, { 0, PAGE }, { PAGE, 3 * PAGE });
}

static void split_gets_down_to_pages_in_the_end(void **state) {
        struct rng rng = { test_seed() };
        const struct damon_env env = { rng_below, &rng };
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 64 * PAGE, 0);
        for (int i = 0; i < 200; i++)
                ASSERT_OK(damon_regions_split(&regions, 2, PAGE, &env));
        for (size_t i = 0; i < regions.nr; i++)
                assert_true(damon_range_size(&regions.items[i].range) <= 2 * PAGE);
        assert_int_equal(damon_regions_size(&regions), 64 * PAGE);
}

static void split_of_half_the_address_space_is_not_cut_short(void **state) {
        const struct damon_env high = { highest, NULL };
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, UINT64_MAX / PAGE * PAGE, 1);
        ASSERT_OK(damon_regions_split(&regions, 2, PAGE, &high));
        assert_int_equal(regions.nr, 2);
        assert_true(regions.items[0].range.end > UINT64_MAX / 10 * 8);
}

static void split_keeps_counts_and_ages(void **state) {
        struct rng rng = { test_seed() };
        const struct damon_env env = { rng_below, &rng };
        _cleanup_regions_ struct damon_regions regions = {};

        append(&regions, 0, 100 * PAGE, 4);
        regions.items[0].age = 17;
        regions.items[0].last_nr_accesses = 3;
        ASSERT_OK(damon_regions_split(&regions, 3, PAGE, &env));
        assert_int_equal(regions.nr, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(regions.items[i].nr_accesses, 4);
                assert_int_equal(regions.items[i].last_nr_accesses, 3);
                assert_int_equal(regions.items[i].age, 17);
        }
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
        r->checks = (struct damon_checks) { 1, 2, 3 };
        damon_regions_rescale(&regions, 20, 10, 100, 1000);
        assert_int_equal(r->nr_accesses, 2);            /* 1.5 */
        assert_int_equal(r->last_nr_accesses, 1);       /* 0.5 */
        assert_int_equal(r->age, 2);                    /* 1.5 */
        assert_int_equal(r->checks.nr_accessed, 0);
        assert_int_equal(r->checks.nr_idle, 0);
        assert_int_equal(r->checks.nr_unknown, 0);
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

static void random_checks(struct rng *rng, struct damon_regions *regions) {
        for (size_t i = 0; i < regions->nr; i++)
                regions->items[i].checks = (struct damon_checks) {
                        (uint32_t) rng_below(rng, 8), (uint32_t) rng_below(rng, 8),
                        (uint32_t) rng_below(rng, 5),
                };
}

/* One random thing that must not change what is covered. */
static void random_pass(struct rng *rng, struct damon_regions *regions) {
        const struct damon_env env = { rng_below, rng };
        uint32_t top;
        size_t i;

        switch (rng_below(rng, 5)) {
        case 0:
                ASSERT_OK(damon_regions_split(regions, 2 + (unsigned) rng_below(rng, 2), PAGE,
                                              &env));
                return;
        case 1:
                random_checks(rng, regions);
                top = damon_regions_fold(regions, 20);
                damon_regions_count_age(regions, top / 10);
                damon_regions_merge_within(regions, top / 10, 20,
                                           (1 + rng_below(rng, 100)) * PAGE, rng_below(rng, 50));
                return;
        case 2:
                ASSERT_OK(damon_regions_chop(regions, (1 + rng_below(rng, 50)) * PAGE, PAGE));
                return;
        case 3:
                damon_regions_merge(regions, 20, UINT64_MAX, rng_below(rng, 2) == 0);
                return;
        default:
                i = rng_below(rng, regions->nr);
                (void) damon_regions_split_at(regions, i, rng_below(rng, 20) * PAGE);
                return;
        }
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
                        for (int j = 0; j < 10; j++) {
                                random_pass(&rng, &regions);
                                assert_sound(&regions, PAGE);
                                assert_covers(&regions, &cover);
                                assert_int_equal(damon_regions_size(&regions), size);
                                if (regions.nr > 2000)
                                        damon_regions_merge(&regions, 20, UINT64_MAX, true);
                        }
                }
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(append_refuses_empty_overlap_and_disorder),
                cmocka_unit_test(new_regions_know_nothing),
                cmocka_unit_test(done_leaves_usable_regions),
                cmocka_unit_test(split_at_copies_everything),
                cmocka_unit_test(split_at_refuses_an_empty_part),
                cmocka_unit_test(split_at_leaves_the_others_in_place),
                cmocka_unit_test(chop_makes_even_pieces),
                cmocka_unit_test(chop_cuts_at_pages),
                cmocka_unit_test(chop_makes_as_many_pieces_as_in_the_kernel),
                cmocka_unit_test(chop_leaves_what_fits),
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
                cmocka_unit_test(fold_rounds_but_never_to_0_or_above_the_maximum),
                cmocka_unit_test(fold_without_telling_checks_keeps_the_frequency),
                cmocka_unit_test(fold_calls_unknown_what_most_checks_did_not_tell),
                cmocka_unit_test(fold_clears_unknown_again),
                cmocka_unit_test(fold_returns_the_highest_frequency),
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
                cmocka_unit_test(merge_keeps_accessed_and_idle_regions_apart_unless_told),
                cmocka_unit_test(merge_of_huge_regions_does_not_overflow),
                cmocka_unit_test(merge_within_raises_the_threshold_until_it_fits),
                cmocka_unit_test(merge_within_starts_at_threshold_0_too),
                cmocka_unit_test(merge_within_lets_the_size_limit_win),
                cmocka_unit_test(split_makes_at_most_the_pieces_asked_for),
                cmocka_unit_test(split_cuts_at_1_to_9_tenths),
                cmocka_unit_test(split_in_three_cuts_the_left_part_again),
                cmocka_unit_test(split_leaves_one_and_two_pages_whole),
                cmocka_unit_test(split_gets_down_to_pages_in_the_end),
                cmocka_unit_test(split_of_half_the_address_space_is_not_cut_short),
                cmocka_unit_test(split_keeps_counts_and_ages),
                cmocka_unit_test(rescale_keeps_shares_and_durations),
                cmocka_unit_test(rescale_rounds_and_drops_running_checks),
                cmocka_unit_test(rescale_does_not_wrap),
                cmocka_unit_test(check_finds_what_is_broken),
                cmocka_unit_test(rand_reaches_all_of_its_range_and_no_more),
                cmocka_unit_test(anything_in_any_order_keeps_memory_and_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
