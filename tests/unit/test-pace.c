/* SPDX-License-Identifier: GPL-2.0-only */
/* Which regions are sampled how often, where not all of them can be in each sample interval. */

#include <damond/region.h>

#include "macro.h"
#include "test.h"

#define PAGE 4096
#define NR_CHECKS 20

static struct damon_region items[200];

/* Regions of so many pages each that are well known and all alike. */
static struct damon_regions settled(size_t nr, uint64_t nr_pages) {
        for (size_t i = 0; i < nr; i++) {
                items[i] = (struct damon_region) {
                        .range = { i * nr_pages * PAGE, (i + 1) * nr_pages * PAGE }, .uniform = true,
                };
                for (size_t k = 0; k < DAMON_NR_BINS; k++)
                        items[i].evidence.idle[k] = 10 * DAMON_EVIDENCE_CHECK;
        }
        return (struct damon_regions) { .items = items, .nr = nr, .capacity = nr };
}

/* Samples of each region in an aggregation. */
static void aggregate(const struct damon_regions *regions, unsigned nr_samples[], size_t *ret_most) {
        size_t most = 0;

        for (size_t i = 0; i < regions->nr; i++)
                nr_samples[i] = 0;
        for (int step = 0; step < NR_CHECKS; step++) {
                size_t nr = 0;

                for (size_t i = 0; i < regions->nr; i++) {
                        bool due = damon_region_is_due(&regions->items[i]);

                        nr_samples[i] += due;
                        nr += due;
                }
                most = MAX(most, nr);
        }
        *ret_most = most;
}

static void all_are_sampled_if_there_is_no_need_to_spare(void **state) {
        struct damon_regions regions = settled(10, 100);
        unsigned nr[10];
        size_t most;

        regions.items[3].absent = true;
        for (uint32_t every = 0; every <= 1; every++) {
                damon_regions_pace(&regions, every, NR_CHECKS, PAGE);
                aggregate(&regions, nr, &most);
                for (size_t i = 0; i < 10; i++)
                        assert_int_equal(nr[i], NR_CHECKS);
        }
        /* nor is one passed over that nothing is known of yet */
        regions.items[0] = (struct damon_region) { .range = { 0, PAGE } };
        aggregate(&regions, nr, &most);
        assert_int_equal(nr[0], NR_CHECKS);
}

static void what_is_alike_is_sampled_alike_and_evenly(void **state) {
        struct damon_regions regions = settled(200, 100);
        unsigned nr[200];
        size_t most;

        damon_regions_pace(&regions, 4, NR_CHECKS, PAGE);
        aggregate(&regions, nr, &most);
        for (size_t i = 0; i < 200; i++)
                assert_in_range(nr[i], 4, 6);
        assert_in_range(most, 45, 60);
}

static void the_large_and_the_open_get_more_but_each_gets_two(void **state) {
        struct damon_regions regions = settled(200, 1);
        unsigned nr[200], sum = 0;
        size_t most;

        regions.items[10].range.end += 10000 * (uint64_t) PAGE;
        regions.items[20].uniform = false;
        regions.items[30].fresh = true;
        regions.items[40].evidence = (struct damon_evidence) {};
        damon_regions_pace(&regions, 4, NR_CHECKS, PAGE);
        aggregate(&regions, nr, &most);
        assert_in_range(nr[10], NR_CHECKS - 1, NR_CHECKS);
        for (size_t i = 20; i <= 40; i += 10)
                assert_true(nr[i] >= 2 * nr[0]);
        for (size_t i = 0; i < 200; i++) {
                assert_true(nr[i] >= 2);
                sum += nr[i];
        }
        /* one in four, whoever gets it */
        assert_in_range(sum, 200 * NR_CHECKS / 4 * 9 / 10, 200 * NR_CHECKS / 4 * 11 / 10);
}

static void what_is_not_in_memory_takes_nothing_away(void **state) {
        struct damon_regions regions = settled(100, 100);
        unsigned nr[100];
        size_t most;

        for (size_t i = 0; i < 50; i++)
                regions.items[i].absent = true;
        damon_regions_pace(&regions, 2, NR_CHECKS, PAGE);
        aggregate(&regions, nr, &most);
        for (size_t i = 50; i < 100; i++)
                assert_in_range(nr[i], NR_CHECKS / 2 - 1, NR_CHECKS / 2 + 1);
}

/* Rounding takes none away from the least there is. */
static void few_checks_are_enough_for_all(void **state) {
        struct damon_regions regions = settled(100, 100);

        for (uint32_t nr_checks = 2; nr_checks <= 64; nr_checks++)
                for (uint32_t every = 2; every <= 4; every++) {
                        damon_regions_pace(&regions, every, nr_checks, PAGE);
                        for (size_t i = 0; i < regions.nr; i++) {
                                unsigned nr = 0;

                                for (uint32_t k = 0; k < nr_checks; k++)
                                        nr += damon_region_is_due(&regions.items[i]);
                                assert_in_range(nr, 2, nr_checks);
                        }
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_are_sampled_if_there_is_no_need_to_spare),
                cmocka_unit_test(what_is_alike_is_sampled_alike_and_evenly),
                cmocka_unit_test(the_large_and_the_open_get_more_but_each_gets_two),
                cmocka_unit_test(what_is_not_in_memory_takes_nothing_away),
                cmocka_unit_test(few_checks_are_enough_for_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
