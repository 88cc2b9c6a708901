/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets: from mappings to the ranges worth monitoring to regions. Numbers are those of
 * mm/damon/tests/vaddr-kunit.h where a test is named after a case there.
 */

#include <damond/target.h>

#include "invariants.h"
#include "macro.h"
#include "rng.h"
#include "test.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void target_freep(struct damon_target **target) {
        damon_target_free(*target);
}

#define _cleanup_target_ _cleanup_(target_freep)

static void assert_three(const struct damon_range *mappings, size_t nr,
                         const struct damon_range *expected, size_t nr_expected) {
        struct damon_range ranges[3];

        assert_int_equal(damon_three_ranges(mappings, nr, ranges), nr_expected);
        for (size_t i = 0; i < nr_expected; i++) {
                assert_int_equal(ranges[i].start, expected[i].start);
                assert_int_equal(ranges[i].end, expected[i].end);
        }
}

#define RANGES(...) (const struct damon_range[]) { __VA_ARGS__ }, \
                    ELEMENTSOF(((const struct damon_range[]) { __VA_ARGS__ }))

/* damon_test_three_regions_in_vmas() */
static void three_ranges_as_in_the_kernel(void **state) {
        assert_three(RANGES({ 10, 20 }, { 20, 25 }, { 200, 210 }, { 210, 220 }, { 300, 305 },
                            { 307, 330 }),
                     RANGES({ 10, 25 }, { 200, 220 }, { 300, 330 }));
}

static void three_ranges_do_not_depend_on_where_the_gaps_are(void **state) {
        /* the largest gap first, last, and in between */
        assert_three(RANGES({ 0, 1 }, { 101, 102 }, { 105, 106 }, { 116, 117 }),
                     RANGES({ 0, 1 }, { 101, 106 }, { 116, 117 }));
        assert_three(RANGES({ 0, 1 }, { 4, 5 }, { 15, 16 }, { 116, 117 }),
                     RANGES({ 0, 5 }, { 15, 16 }, { 116, 117 }));
        assert_three(RANGES({ 0, 1 }, { 11, 12 }, { 112, 113 }, { 116, 117 }),
                     RANGES({ 0, 1 }, { 11, 12 }, { 112, 117 }));
}

static void three_ranges_of_equal_gaps_keep_the_first_ones(void **state) {
        assert_three(RANGES({ 0, 1 }, { 11, 12 }, { 22, 23 }, { 33, 34 }),
                     RANGES({ 0, 1 }, { 11, 12 }, { 22, 34 }));
        assert_three(RANGES({ 0, 1 }, { 11, 12 }, { 22, 23 }, { 123, 124 }),
                     RANGES({ 0, 1 }, { 11, 23 }, { 123, 124 }));
}

static void three_ranges_are_fewer_without_gaps(void **state) {
        struct damon_range ranges[3];

        assert_int_equal(damon_three_ranges(NULL, 0, ranges), 0);
        assert_three(RANGES({ 10, 20 }), RANGES({ 10, 20 }));
        assert_three(RANGES({ 10, 20 }, { 20, 30 }, { 30, 31 }), RANGES({ 10, 31 }));
        assert_three(RANGES({ 10, 20 }, { 21, 30 }), RANGES({ 10, 20 }, { 21, 30 }));
        assert_three(RANGES({ 10, 20 }, { 21, 30 }, { 30, 40 }), RANGES({ 10, 20 }, { 21, 40 }));
}

static void three_ranges_hold_all_mappings_and_leave_out_the_two_largest_gaps(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 500; round++) {
                struct damon_range mappings[12], ranges[3];
                size_t nr = 3 + rng_below(&rng, 10), nr_ranges;
                uint64_t at = 0, gap[2] = {}, size = 0;

                for (size_t i = 0; i < nr; i++) {
                        uint64_t hole = i > 0 ? rng_below(&rng, 1000) : 0;

                        mappings[i].start = at + hole;
                        mappings[i].end = at = at + hole + 1 + rng_below(&rng, 9);
                        if (hole > gap[0]) {
                                gap[1] = gap[0];
                                gap[0] = hole;
                        } else
                                gap[1] = MAX(gap[1], hole);
                }
                nr_ranges = damon_three_ranges(mappings, nr, ranges);
                for (size_t i = 0; i < nr_ranges; i++)
                        size += damon_range_size(&ranges[i]);
                assert_int_equal(size, at - mappings[0].start - gap[0] - gap[1]);
                for (size_t i = 0; i < nr; i++) {
                        bool inside = false;

                        for (size_t k = 0; k < nr_ranges; k++)
                                inside |= ranges[k].start <= mappings[i].start &&
                                          mappings[i].end <= ranges[k].end;
                        assert_true(inside);
                }
        }
}

static const struct damon_attrs attrs = {
        .sample_interval = 5000, .aggregation_interval = 100000, .update_interval = 1000000,
        .min_regions = 10, .max_regions = 1000,
};

static void update(struct damon_target *target, const struct damon_range *mappings, size_t nr) {
        ASSERT_OK(damon_target_update(target, mappings, nr, PAGE));
        ASSERT_OK(damon_target_divide(target, &attrs, PAGE));
        assert_sound(&target->regions, PAGE);
}

static void new_target_has_a_name_a_pid_and_no_regions(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;
        char name[] = "db";

        ASSERT_OK(damon_target_new(&target, name, 42));
        name[0] = 'x';
        assert_string_equal(target->name, "db");
        assert_int_equal(target->pid, 42);
        assert_int_equal(target->regions.nr, 0);
        assert_false(target->gone);
        assert_null(damon_target_free(NULL));
}

static void first_update_divides_in_min_regions_by_size(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        update(target, RANGES({ 1 * GIB, 1 * GIB + 10 * MIB }, { 100 * GIB, 100 * GIB + 80 * MIB },
                              { 200 * GIB, 200 * GIB + 10 * MIB }));
        assert_int_equal(target->regions.nr, 10);
        for (size_t i = 0; i < 10; i++)
                assert_int_equal(damon_range_size(&target->regions.items[i].range), 10 * MIB);
        assert_int_equal(target->regions.items[1].range.start, 100 * GIB);
}

static void update_never_leaves_fewer_than_min_regions(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 200; round++) {
                _cleanup_target_ struct damon_target *target = NULL;

                ASSERT_OK(damon_target_new(&target, "t", 1));
                for (int k = 0; k < 5; k++) {
                        /* enough pages that rounding to them does not matter */
                        uint64_t a = (100 + rng_below(&rng, 1000)) * PAGE * 10;
                        uint64_t b = (1 + rng_below(&rng, 1000)) * PAGE;
                        uint64_t sz_limit;

                        update(target, RANGES({ 0, a }, { GIB, GIB + b },
                                              { 2 * GIB, 2 * GIB + PAGE }));
                        assert_int_equal(damon_regions_size(&target->regions), a + b + PAGE);
                        assert_true(target->regions.nr >= attrs.min_regions);
                        sz_limit = damon_target_sz_limit(target, &attrs, PAGE);
                        assert_in_range(sz_limit, (a + b + PAGE) / 10, (a + b + PAGE) / 10 + PAGE);
                        for (size_t i = 0; i < target->regions.nr; i++)
                                assert_true(damon_range_size(&target->regions.items[i].range) <=
                                            sz_limit);
                }
        }
}

static void size_limit_is_a_page_at_least(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        assert_int_equal(damon_target_sz_limit(target, &attrs, PAGE), PAGE);
        update(target, RANGES({ 0, 3 * PAGE }));
        assert_int_equal(damon_target_sz_limit(target, &attrs, PAGE), PAGE);
        assert_int_equal(target->regions.nr, 3);
}

/* As in front of a heap. */
static void a_gap_does_not_make_regions_large(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;
        uint64_t sz_limit;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        update(target, RANGES({ 0, 2000 * MIB }));
        assert_int_equal(target->regions.nr, 10);
        for (size_t i = 0; i < 9; i++)
                target->regions.items[i].absent = target->regions.items[i].uniform = true;
        sz_limit = damon_target_sz_limit(target, &attrs, PAGE);
        assert_int_equal(sz_limit, 20 * MIB);
        damon_regions_merge(&target->regions, 0, sz_limit, false);
        assert_int_equal(target->regions.nr, 10);
        update(target, RANGES({ 0, 2000 * MIB }));
        assert_int_equal(target->regions.nr, 9 + 10);
        /* what was brought in, 200 MiB of 400, is cut */
        target->regions.items[4].absent = false;
        update(target, RANGES({ 0, 2000 * MIB }));
        assert_int_equal(target->regions.nr, 8 + 5 + 10);
        assert_sound(&target->regions, PAGE);
}

/* Where few regions are allowed, a gap leaves room for what is in memory. */
static void a_gap_takes_a_quarter_of_the_regions_at_most(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;
        struct damon_attrs few = attrs;

        few.max_regions = 20;
        ASSERT_OK(damon_target_new(&target, "t", 1));
        update(target, RANGES({ 0, 2000 * MIB }));
        for (size_t i = 0; i < 9; i++)
                target->regions.items[i].absent = target->regions.items[i].uniform = true;
        update(target, RANGES({ 0, 2000 * MIB }));
        assert_int_equal(target->regions.nr, 9 + 10);
        damon_regions_merge_within(&target->regions, 0, 20, damon_target_sz_limit(target, &few, PAGE), 20);
        assert_int_equal(target->regions.nr, 5 + 10);
        ASSERT_OK(damon_target_divide(target, &few, PAGE));
        assert_int_equal(target->regions.nr, 5 + 10);
}

static void same_mappings_leave_what_is_known(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        update(target, RANGES({ 0, 100 * MIB }));
        for (size_t i = 0; i < target->regions.nr; i++) {
                target->regions.items[i].nr_accesses = (uint32_t) i;
                target->regions.items[i].age = (uint32_t) i + 100;
                target->regions.items[i].running.idle[i % DAMON_NR_BINS] = (uint16_t) i;
        }
        update(target, RANGES({ 0, 30 * MIB }, { 30 * MIB, 100 * MIB }));
        assert_int_equal(target->regions.nr, 10);
        for (size_t i = 0; i < target->regions.nr; i++) {
                assert_int_equal(target->regions.items[i].nr_accesses, i);
                assert_int_equal(target->regions.items[i].age, i + 100);
                assert_int_equal(target->regions.items[i].running.idle[i % DAMON_NR_BINS], i);
        }
}

static void mapping_that_grows_a_lot_is_divided(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        update(target, RANGES({ 0, 10 * MIB }));
        target->regions.items[0].age = 7;
        update(target, RANGES({ 0, 1000 * MIB }));
        assert_true(target->regions.nr >= 19);
        assert_int_equal(target->regions.items[0].age, 7);
        for (size_t i = 0; i < target->regions.nr; i++)
                assert_true(damon_range_size(&target->regions.items[i].range) <= 100 * MIB);
}

static void mapping_that_goes_takes_its_regions_along(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        update(target, RANGES({ 0, 100 * MIB }, { 10 * GIB, 11 * GIB }));
        update(target, RANGES({ 0, 100 * MIB }));
        assert_int_equal(damon_regions_size(&target->regions), 100 * MIB);
        update(target, NULL, 0);
        assert_int_equal(target->regions.nr, 0);
        update(target, RANGES({ 0, 100 * MIB }));
        assert_int_equal(target->regions.nr, 10);
}

/* One region of 100 MiB for each of so many, from 0 on, and what of them is in memory. */
static struct damon_target *target_of(size_t nr, const struct damon_range *resident, size_t nr_resident) {
        struct damon_target *target;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        for (size_t i = 0; i < nr; i++)
                ASSERT_OK(damon_regions_append(&target->regions, (struct damon_range) {
                        i * 100 * MIB, (i + 1) * 100 * MIB }));
        ASSERT_OK(damon_residency_set(&target->residency, resident, nr_resident));
        return target;
}

static void assert_cut(struct damon_target *target, size_t nr_regions, const struct damon_range *expected,
                       size_t nr_expected) {
        /* the second time there is nothing left to cut */
        for (int i = 0; i < 2; i++) {
                ASSERT_OK(damon_target_cut_absent(target, nr_regions, PAGE));
                assert_sound(&target->regions, PAGE);
                assert_int_equal(target->regions.nr, nr_expected);
                for (size_t k = 0; k < nr_expected; k++) {
                        assert_int_equal(target->regions.items[k].range.start, expected[k].start);
                        assert_int_equal(target->regions.items[k].range.end, expected[k].end);
                }
        }
}

static void regions_are_cut_where_large_absent_parts_begin_and_end(void **state) {
        /* a part of 1 MiB, one in 100 of the target, counts, and a page less does not */
        _cleanup_target_ struct damon_target *target = target_of(1, RANGES(
                { 0, 10 * MIB }, { 11 * MIB, 50 * MIB }, { 51 * MIB - PAGE, 60 * MIB },
                { 90 * MIB, 100 * MIB }));

        assert_cut(target, 100, RANGES({ 0, 10 * MIB }, { 10 * MIB, 11 * MIB }, { 11 * MIB, 60 * MIB },
                                       { 60 * MIB, 90 * MIB }, { 90 * MIB, 100 * MIB }));
}

static void absent_parts_at_both_ends_are_cut_off(void **state) {
        _cleanup_target_ struct damon_target *target = target_of(1, RANGES({ 40 * MIB, 60 * MIB }));

        assert_cut(target, 10, RANGES({ 0, 40 * MIB }, { 40 * MIB, 60 * MIB }, { 60 * MIB, 100 * MIB }));
}

static void absent_parts_over_several_regions_are_cut_at_their_ends(void **state) {
        _cleanup_target_ struct damon_target *target = target_of(4, RANGES(
                { 0, 50 * MIB }, { 250 * MIB, 300 * MIB }, { 390 * MIB, 400 * MIB }));

        assert_cut(target, 10, RANGES({ 0, 50 * MIB }, { 50 * MIB, 100 * MIB }, { 100 * MIB, 200 * MIB },
                                      { 200 * MIB, 250 * MIB }, { 250 * MIB, 300 * MIB },
                                      { 300 * MIB, 390 * MIB }, { 390 * MIB, 400 * MIB }));
}

static void absent_parts_that_reach_over_a_hole_are_cut_too(void **state) {
        _cleanup_target_ struct damon_target *target = target_of(1, RANGES(
                { 10 * MIB, 60 * MIB }, { 10 * GIB + 20 * MIB, 10 * GIB + 100 * MIB }));

        ASSERT_OK(damon_regions_append(&target->regions, (struct damon_range) {
                10 * GIB, 10 * GIB + 100 * MIB }));
        assert_cut(target, 20, RANGES({ 0, 10 * MIB }, { 10 * MIB, 60 * MIB }, { 60 * MIB, 100 * MIB },
                                      { 10 * GIB, 10 * GIB + 20 * MIB },
                                      { 10 * GIB + 20 * MIB, 10 * GIB + 100 * MIB }));
}

static void pieces_keep_what_is_known(void **state) {
        _cleanup_target_ struct damon_target *target = target_of(1, RANGES({ 40 * MIB, 60 * MIB }));

        target->regions.items[0].age = 7;
        target->regions.items[0].nr_accesses = 3;
        ASSERT_OK(damon_target_cut_absent(target, 10, PAGE));
        assert_int_equal(target->regions.nr, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(target->regions.items[i].age, 7);
                assert_int_equal(target->regions.items[i].nr_accesses, 3);
        }
}

static void nothing_is_cut_where_nothing_is_known_or_all_is_the_same(void **state) {
        const struct damon_range none = {};
        _cleanup_target_ struct damon_target *target = target_of(2, NULL, 0);
        const struct damon_range whole[] = { { 0, 100 * MIB }, { 100 * MIB, 200 * MIB } };

        assert_cut(target, 100, whole, 2);
        ASSERT_OK(damon_residency_set(&target->residency, &none, 0));
        assert_cut(target, 100, whole, 2);
        ASSERT_OK(damon_residency_set(&target->residency, RANGES({ 0, 200 * MIB })));
        assert_cut(target, 100, whole, 2);
        /* no region, no cut */
        damon_regions_done(&target->regions);
        assert_cut(target, 100, NULL, 0);
}

static void no_absent_part_below_two_pages_counts(void **state) {
        _cleanup_target_ struct damon_target *target = NULL;

        ASSERT_OK(damon_target_new(&target, "t", 1));
        ASSERT_OK(damon_regions_append(&target->regions, (struct damon_range) { 0, 100 * PAGE }));
        ASSERT_OK(damon_residency_set(&target->residency, RANGES(
                { 0, 10 * PAGE }, { 11 * PAGE, 50 * PAGE }, { 52 * PAGE, 100 * PAGE })));
        assert_cut(target, 1000, RANGES({ 0, 50 * PAGE }, { 50 * PAGE, 52 * PAGE },
                                        { 52 * PAGE, 100 * PAGE }));
}

static void cuts_leave_no_more_regions_than_they_may(void **state) {
        for (size_t nr_regions = 1; nr_regions < 60; nr_regions++) {
                struct damon_range resident[40];
                _cleanup_target_ struct damon_target *target = NULL;
                size_t nr;

                for (size_t i = 0; i < ELEMENTSOF(resident); i++)
                        resident[i] = (struct damon_range) { i * 100 * MIB + MIB, i * 100 * MIB + 2 * MIB };
                target = target_of(40, resident, ELEMENTSOF(resident));
                ASSERT_OK(damon_target_cut_absent(target, nr_regions, PAGE));
                assert_sound(&target->regions, PAGE);
                nr = target->regions.nr;
                assert_true(nr <= MAX(nr_regions, (size_t) 40));
                assert_true(nr_regions < 42 || nr + 2 > nr_regions);
                assert_int_equal(damon_regions_size(&target->regions), 4000 * MIB);
        }
}

static void regions_of_which_nothing_is_in_memory_take_no_sample(void **state) {
        _cleanup_target_ struct damon_target *target = target_of(5, NULL, 0);

        assert_int_equal(damon_target_nr_sampled(target), 5);
        target->regions.items[0].absent = target->regions.items[3].absent = true;
        assert_int_equal(damon_target_nr_sampled(target), 3);
        damon_regions_done(&target->regions);
        assert_int_equal(damon_target_nr_sampled(target), 0);
}

static void attrs_are_validated_as_in_the_kernel(void **state) {
        /* damon_test_set_attrs() */
        const struct damon_attrs valid = { 5000, 100000, 1000, 10, 1000 };
        struct damon_attrs a = valid;

        ASSERT_OK(damon_attrs_validate(&a));
        a.min_regions = 1;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
        a.min_regions = 3;
        ASSERT_OK(damon_attrs_validate(&a));
        a = valid;
        a.max_regions = 9;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
        a.max_regions = 10;
        ASSERT_OK(damon_attrs_validate(&a));
        a = valid;
        a.aggregation_interval = 4999;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
        a.aggregation_interval = 5000;
        ASSERT_OK(damon_attrs_validate(&a));
}

static void attrs_of_nothing_are_invalid(void **state) {
        const struct damon_attrs valid = { 5000, 100000, 1000, 10, 1000 };
        struct damon_attrs a = valid;

        a.sample_interval = 0;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
        a = valid;
        a.update_interval = 0;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
        a = valid;
        a.aggregation_interval = 0;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
        a = valid;
        a.min_regions = 0;
        ASSERT_ERROR(damon_attrs_validate(&a), EINVAL);
}

static void max_nr_accesses_is_the_number_of_whole_samples(void **state) {
        assert_int_equal(damon_attrs_max_nr_accesses(&attrs), 20);
        assert_int_equal(damon_attrs_max_nr_accesses(&(struct damon_attrs) { 3, 10, 1, 3, 3 }), 3);
        assert_int_equal(damon_attrs_max_nr_accesses(&(struct damon_attrs) { 7, 7, 1, 3, 3 }), 1);
        assert_int_equal(damon_attrs_max_nr_accesses(
                                 &(struct damon_attrs) { 1, UINT64_C(1) << 40, 1, 3, 3 }),
                         UINT32_MAX);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(three_ranges_as_in_the_kernel),
                cmocka_unit_test(three_ranges_do_not_depend_on_where_the_gaps_are),
                cmocka_unit_test(three_ranges_of_equal_gaps_keep_the_first_ones),
                cmocka_unit_test(three_ranges_are_fewer_without_gaps),
                cmocka_unit_test(three_ranges_hold_all_mappings_and_leave_out_the_two_largest_gaps),
                cmocka_unit_test(new_target_has_a_name_a_pid_and_no_regions),
                cmocka_unit_test(first_update_divides_in_min_regions_by_size),
                cmocka_unit_test(update_never_leaves_fewer_than_min_regions),
                cmocka_unit_test(size_limit_is_a_page_at_least),
                cmocka_unit_test(a_gap_does_not_make_regions_large),
                cmocka_unit_test(a_gap_takes_a_quarter_of_the_regions_at_most),
                cmocka_unit_test(same_mappings_leave_what_is_known),
                cmocka_unit_test(mapping_that_grows_a_lot_is_divided),
                cmocka_unit_test(mapping_that_goes_takes_its_regions_along),
                cmocka_unit_test(regions_are_cut_where_large_absent_parts_begin_and_end),
                cmocka_unit_test(absent_parts_at_both_ends_are_cut_off),
                cmocka_unit_test(absent_parts_over_several_regions_are_cut_at_their_ends),
                cmocka_unit_test(absent_parts_that_reach_over_a_hole_are_cut_too),
                cmocka_unit_test(pieces_keep_what_is_known),
                cmocka_unit_test(nothing_is_cut_where_nothing_is_known_or_all_is_the_same),
                cmocka_unit_test(no_absent_part_below_two_pages_counts),
                cmocka_unit_test(cuts_leave_no_more_regions_than_they_may),
                cmocka_unit_test(regions_of_which_nothing_is_in_memory_take_no_sample),
                cmocka_unit_test(attrs_are_validated_as_in_the_kernel),
                cmocka_unit_test(attrs_of_nothing_are_invalid),
                cmocka_unit_test(max_nr_accesses_is_the_number_of_whole_samples),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
