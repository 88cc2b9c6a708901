/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorting, against qsort(). */

#include <string.h>

#include "rng.h"
#include "sort.h"
#include "test.h"

#define NR_MAX 1100

static int compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static void any_number_of_items_is_sorted(void **state) {
        uint64_t items[NR_MAX + 1], sorted[NR_MAX], scratch[NR_MAX];
        struct rng rng = { test_seed() };

        for (size_t nr = 0; nr <= NR_MAX; nr += nr < 70 ? 1 : 97) {
                /* with many that are the same, and with hardly any */
                uint64_t bound = nr % 2 ? 10 : UINT64_MAX;

                for (size_t i = 0; i < nr; i++)
                        items[i] = sorted[i] = rng_below(&rng, bound);
                items[nr] = 42;
                sort_u64(items, scratch, nr);
                if (nr > 0)
                        qsort(sorted, nr, sizeof(sorted[0]), compare);
                assert_memory_equal(items, sorted, nr * sizeof(items[0]));
                assert_int_equal(items[nr], 42);
        }
}

static void what_is_sorted_stays(void **state) {
        uint64_t items[] = { 1, 2, 3, 5, 8, 13, UINT64_MAX }, down[] = { 9, 7, 5, 3, 1 }, scratch[7];
        static const uint64_t up[] = { 1, 2, 3, 5, 8, 13, UINT64_MAX }, down_sorted[] = { 1, 3, 5, 7, 9 };

        sort_u64(items, scratch, 7);
        assert_memory_equal(items, up, sizeof(up));
        sort_u64(down, scratch, 5);
        assert_memory_equal(down, down_sorted, sizeof(down_sorted));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_number_of_items_is_sorted),
                cmocka_unit_test(what_is_sorted_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
