/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole blocks of ranges and mappings, and which of the tries they are counted for. */

#include "test.h"

#include "blocks.h"
#include "macro.h"

#define MIB (UINT64_C(1) << 20)
#define BLOCK (2 * MIB)

static struct damon_range ranges[8];

static struct maps maps_of(size_t nr) {
        return (struct maps) { .ranges = ranges, .nr = nr };
}

static struct damos_try try_of(uint64_t start, uint64_t end) {
        return (struct damos_try) { .range = { start, end } };
}

static struct advice piece_of(uint64_t start, uint64_t end, size_t try) {
        return (struct advice) { .range = { start, end }, .try = try };
}

static void assert_runs(const struct runs *runs, const struct advice *expected, size_t nr) {
        assert_int_equal(runs->nr, nr);
        for (size_t i = 0; i < nr; i++) {
                assert_int_equal(runs->items[i].range.start, expected[i].range.start);
                assert_int_equal(runs->items[i].range.end, expected[i].range.end);
                assert_int_equal(runs->items[i].try, expected[i].try);
        }
}

#define ASSERT_RUNS(runs, ...)                                                                  \
        assert_runs(runs, (const struct advice[]) { __VA_ARGS__ },                              \
                    ELEMENTSOF(((const struct advice[]) { __VA_ARGS__ })))

static void only_whole_blocks_inside_one_mapping_count(void **state) {
        const struct advice pieces[] = { piece_of(BLOCK + MIB, 20 * BLOCK, 0) };
        struct runs runs = {};

        ranges[0] = (struct damon_range) { BLOCK, 3 * BLOCK + MIB };
        ranges[1] = (struct damon_range) { 3 * BLOCK + MIB, 6 * BLOCK };
        ranges[2] = (struct damon_range) { 7 * BLOCK + MIB, 8 * BLOCK + MIB };
        ranges[3] = (struct damon_range) { 19 * BLOCK, 30 * BLOCK };
        assert_int_equal(runs_collect(&runs, &(struct maps) { .ranges = ranges, .nr = 4 }, pieces, 1, BLOCK), 0);
        ASSERT_RUNS(&runs, { .range = { 2 * BLOCK, 3 * BLOCK } }, { .range = { 4 * BLOCK, 6 * BLOCK } },
                    { .range = { 19 * BLOCK, 20 * BLOCK } });
        runs_done(&runs);
}

static void a_block_on_the_border_of_two_tries_is_of_both(void **state) {
        struct damos_try tries[] = {
                try_of(BLOCK, 3 * BLOCK + MIB), try_of(3 * BLOCK + MIB, 5 * BLOCK + MIB),
                try_of(6 * BLOCK + MIB, 8 * BLOCK),
        };
        const struct advice pieces[] = {
                piece_of(BLOCK, 3 * BLOCK + MIB, 0), piece_of(3 * BLOCK + MIB, 5 * BLOCK + MIB, 1),
                piece_of(6 * BLOCK + MIB, 8 * BLOCK, 2),
        };
        const struct maps maps = maps_of(1);
        struct runs runs = {};

        ranges[0] = (struct damon_range) { 0, 100 * BLOCK };
        assert_int_equal(runs_collect(&runs, &maps, pieces, 3, BLOCK), 0);
        ASSERT_RUNS(&runs, { .range = { BLOCK, 5 * BLOCK } },
                    { .range = { 7 * BLOCK, 8 * BLOCK }, .try = 2 });
        for (size_t i = 0; i < runs.nr; i++)
                runs_credit(runs.items[i].range, runs.items[i].try, tries, 3);
        assert_int_equal(tries[0].sz_applied, 2 * BLOCK + MIB);
        assert_int_equal(tries[1].sz_applied, 2 * BLOCK - MIB);
        assert_int_equal(tries[2].sz_applied, BLOCK);
        runs_done(&runs);
}

static void a_run_is_no_longer_than_one_piece_of_advice(void **state) {
        const struct advice pieces[] = { piece_of(0, BLOCK + 5 * ADVISE_PIECE_MAX / 2, 0) };
        const struct maps maps = maps_of(1);
        struct runs runs = {};

        ranges[0] = pieces[0].range;
        assert_int_equal(runs_collect(&runs, &maps, pieces, 1, BLOCK), 0);
        ASSERT_RUNS(&runs, { .range = { 0, ADVISE_PIECE_MAX } },
                    { .range = { ADVISE_PIECE_MAX, 2 * ADVISE_PIECE_MAX } },
                    { .range = { 2 * ADVISE_PIECE_MAX, BLOCK + 5 * ADVISE_PIECE_MAX / 2 } });
        runs_done(&runs);
}

static void what_is_added_joins_only_what_it_adjoins(void **state) {
        struct runs runs = {};

        assert_int_equal(runs_add(&runs, (struct damon_range) { 0, BLOCK }, 0, true), 0);
        assert_int_equal(runs_add(&runs, (struct damon_range) { BLOCK, 2 * BLOCK }, 0, true), 0);
        assert_int_equal(runs_add(&runs, (struct damon_range) { 3 * BLOCK, 4 * BLOCK }, 1, true), 0);
        assert_int_equal(runs_add(&runs, (struct damon_range) { 4 * BLOCK, 5 * BLOCK }, 2, false), 0);
        ASSERT_RUNS(&runs, { .range = { 0, 2 * BLOCK } }, { .range = { 3 * BLOCK, 4 * BLOCK }, .try = 1 },
                    { .range = { 4 * BLOCK, 5 * BLOCK }, .try = 2 });
        runs_done(&runs);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_whole_blocks_inside_one_mapping_count),
                cmocka_unit_test(a_block_on_the_border_of_two_tries_is_of_both),
                cmocka_unit_test(a_run_is_no_longer_than_one_piece_of_advice),
                cmocka_unit_test(what_is_added_joins_only_what_it_adjoins),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
