/* SPDX-License-Identifier: GPL-2.0-only */
/* Borders that lie a few pages off, and the single accesses that show it. */

#include <damond/region.h>

#include "macro.h"
#include "test.h"

#define PAGE 4096
#define NR_CHECKS 20

/* Pages of the idle region in the middle, and of the hot ones beside it. */
#define NR_IDLE 800
#define NR_HOT 100
#define START (NR_HOT * PAGE)
#define END ((NR_HOT + NR_IDLE) * PAGE)

static struct damon_region items[3];

/* Hot, idle for long, hot. */
static struct damon_regions regions_with_borders(void) {
        const struct damon_range ranges[] = { { 0, START }, { START, END }, { END, END + START } };

        for (size_t i = 0; i < ELEMENTSOF(items); i++) {
                bool hot = i != 1;

                items[i] = (struct damon_region) {
                        .range = ranges[i], .uniform = true, .accessed = hot, .last_accessed = hot,
                        .nr_accesses = hot ? NR_CHECKS : 0, .age = 50,
                };
                for (size_t k = 0; k < DAMON_NR_BINS; k++)
                        (hot ? items[i].evidence.accessed : items[i].evidence.idle)[k] = 10 * DAMON_EVIDENCE_CHECK;
        }
        return (struct damon_regions) { .items = items, .nr = ELEMENTSOF(items), .capacity = ELEMENTSOF(items) };
}

/* An aggregation in which a page of the idle region was accessed, and maybe at a second look, too. */
static void aggregate(struct damon_regions *regions, uint64_t page, bool again) {
        for (size_t i = 0; i < regions->nr; i++) {
                uint64_t nr_pages = damon_range_size(&regions->items[i].range) / PAGE;

                for (uint64_t k = 0; k < NR_CHECKS; k++)
                        damon_region_count(&regions->items[i], k * nr_pages / NR_CHECKS, i != 1, false, PAGE);
        }
        damon_region_count(&regions->items[1], page, true, false, PAGE);
        assert_int_equal(regions->items[1].again, page + 1);
        regions->items[1].again = 0;
        damon_region_count(&regions->items[1], page, again, true, PAGE);
        damon_regions_fit(regions, NR_CHECKS, PAGE);
        assert_null(damon_regions_check(regions, PAGE));
        damon_regions_fold(regions, NR_CHECKS, PAGE);
        damon_regions_count_age(regions, NR_CHECKS / 10);
}

static void assert_fitted(const struct damon_regions *regions, uint64_t start, uint64_t end) {
        assert_int_equal(regions->items[0].range.end, start);
        assert_int_equal(regions->items[1].range.start, start);
        assert_int_equal(regions->items[1].range.end, end);
        assert_int_equal(regions->items[2].range.start, end);
        for (size_t i = 0; i < regions->nr; i++) {
                assert_int_equal(regions->items[i].age, 51);
                assert_int_equal(regions->items[i].nr_accesses, i == 1 ? 0 : NR_CHECKS);
                assert_int_equal(regions->items[i].accessed, i != 1);
        }
}

static void assert_young(const struct damon_regions *regions) {
        assert_int_equal(regions->items[0].range.end, START);
        assert_int_equal(regions->items[2].range.start, END);
        assert_int_equal(regions->items[1].age, 0);
        assert_true(regions->items[1].accessed);
}

static void a_page_beside_a_hot_neighbour_goes_to_it(void **state) {
        static const uint64_t pages[] = { 0, 1, 7, 49 };

        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                struct damon_regions regions = regions_with_borders();

                /* with all that lies between, and as much beyond */
                aggregate(&regions, pages[i], true);
                assert_fitted(&regions, START + 2 * (pages[i] + 1) * PAGE, END);

                regions = regions_with_borders();
                aggregate(&regions, NR_IDLE - 1 - pages[i], true);
                assert_fitted(&regions, START, END - 2 * (pages[i] + 1) * PAGE);
        }
}

static void one_far_from_it_does_not(void **state) {
        static const uint64_t pages[] = { 50, 400, 749 };

        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                struct damon_regions regions = regions_with_borders();

                aggregate(&regions, pages[i], true);
                assert_young(&regions);
        }
}

static void what_is_not_accessed_again_is_an_access_of_the_region(void **state) {
        struct damon_regions regions = regions_with_borders();

        aggregate(&regions, 3, false);
        assert_young(&regions);
}

static void so_is_one_of_several(void **state) {
        struct damon_regions regions = regions_with_borders();

        damon_region_count(&regions.items[1], 300, true, false, PAGE);
        aggregate(&regions, 3, true);
        assert_young(&regions);

        /* or of an aggregation before, however little that counts by now */
        regions = regions_with_borders();
        regions.items[1].evidence.accessed[2] = 1;
        aggregate(&regions, 3, true);
        assert_young(&regions);
        regions = regions_with_borders();
        regions.items[1].accessed = true;
        aggregate(&regions, 3, true);
        assert_young(&regions);

        /* or of this one, in what the region was cut out of */
        regions = regions_with_borders();
        regions.items[1].running.accessed[2] = DAMON_EVIDENCE_CHECK / 3;
        aggregate(&regions, 3, true);
        assert_young(&regions);
}

static void the_neighbour_must_be_hot_and_adjoin(void **state) {
        struct damon_regions regions = regions_with_borders();

        regions.items[0].nr_accesses = NR_CHECKS / 2 - 1;
        aggregate(&regions, 3, true);
        assert_young(&regions);

        regions = regions_with_borders();
        regions.items[0].range.end -= PAGE;
        aggregate(&regions, 3, true);
        assert_int_equal(regions.items[1].range.start, START);
        assert_int_equal(regions.items[1].age, 0);

        /* there may be none */
        regions = regions_with_borders();
        regions.items++;
        regions.nr = 1;
        damon_region_count(&regions.items[0], 3, true, true, PAGE);
        damon_regions_fit(&regions, NR_CHECKS, PAGE);
        assert_int_equal(regions.items[0].range.start, START);
        assert_int_equal(regions.items[0].range.end, END);
}

static void a_neighbour_at_most_doubles(void **state) {
        struct damon_regions regions = regions_with_borders();

        regions.items[0].range.start = START - 4 * PAGE;
        aggregate(&regions, 2, true);
        assert_young(&regions);

        regions = regions_with_borders();
        regions.items[0].range.start = START - 4 * PAGE;
        aggregate(&regions, 1, true);
        assert_fitted(&regions, START + 4 * PAGE, END);
}

/* Idle, hot, idle, and an access on both sides: it would be four times as large. */
static void and_by_one_side_only(void **state) {
        struct damon_regions regions = regions_with_borders();
        struct damon_region idle = items[1], hot = items[2];

        items[0] = items[2] = idle;
        items[0].range = (struct damon_range) { 0, START };
        items[1] = hot;
        items[1].range = (struct damon_range) { START, START + 4 * PAGE };
        items[2].range = (struct damon_range) { START + 4 * PAGE, END };
        for (size_t i = 0; i < 3; i += 2) {
                uint64_t page = i == 0 ? NR_HOT - 1 : 0;

                damon_region_count(&items[i], page, true, false, PAGE);
                damon_region_count(&items[i], page, true, true, PAGE);
        }
        damon_regions_fit(&regions, NR_CHECKS, PAGE);
        assert_int_equal(items[1].range.start, START - 2 * PAGE);
        assert_int_equal(items[1].range.end, START + 4 * PAGE);
        assert_int_equal(items[2].range.start, START + 4 * PAGE);
}

/* What moves is no memory that was brought in. */
static void pages_in_memory_are_counted_along(void **state) {
        struct damon_regions regions = regions_with_borders();

        items[0].nr_in_memory = 7;
        aggregate(&regions, 3, true);
        assert_int_equal(items[0].nr_in_memory, 15);
        /* or it is not known */
        assert_int_equal(items[2].nr_in_memory, 0);
        regions = regions_with_borders();
        aggregate(&regions, 3, true);
        assert_int_equal(items[0].nr_in_memory, 0);
}

static void what_was_found_does_not_outlast_its_aggregation_or_its_borders(void **state) {
        struct damon_regions regions = regions_with_borders();

        damon_region_count(&regions.items[1], 3, true, true, PAGE);
        assert_int_equal(regions.items[1].found, 4);
        damon_regions_fit(&regions, NR_CHECKS, PAGE);
        assert_int_equal(regions.items[1].found, 0);

        regions = regions_with_borders();
        regions.nr = 2;
        damon_region_count(&regions.items[1], 3, true, true, PAGE);
        ASSERT_OK(damon_regions_split_at(&regions, 1, 10 * PAGE));
        assert_int_equal(regions.items[1].found, 0);
        assert_int_equal(regions.items[2].found, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_page_beside_a_hot_neighbour_goes_to_it),
                cmocka_unit_test(one_far_from_it_does_not),
                cmocka_unit_test(what_is_not_accessed_again_is_an_access_of_the_region),
                cmocka_unit_test(so_is_one_of_several),
                cmocka_unit_test(the_neighbour_must_be_hot_and_adjoin),
                cmocka_unit_test(a_neighbour_at_most_doubles),
                cmocka_unit_test(and_by_one_side_only),
                cmocka_unit_test(pages_in_memory_are_counted_along),
                cmocka_unit_test(what_was_found_does_not_outlast_its_aggregation_or_its_borders),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
