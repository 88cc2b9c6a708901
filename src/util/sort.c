/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorting: see sort.h. Merges runs of doubling length, back and forth. */

#include "sort.h"

#include <string.h>

#include "macro.h"

static void merge_runs(uint64_t *to, const uint64_t *left, size_t nr_left, const uint64_t *right,
                       size_t nr_right) {
        while (nr_left > 0 && nr_right > 0)
                if (*left <= *right) {
                        *to++ = *left++;
                        nr_left--;
                } else {
                        *to++ = *right++;
                        nr_right--;
                }
        memcpy(to, left, nr_left * sizeof(*to));
        memcpy(to + nr_left, right, nr_right * sizeof(*to));
}

void sort_u64(uint64_t *items, uint64_t *scratch, size_t nr) {
        uint64_t *from = items, *to = scratch;

        for (size_t run = 1; run < nr; run *= 2) {
                uint64_t *merged = to;

                for (size_t i = 0; i < nr; i += 2 * run) {
                        size_t nr_left = MIN(run, nr - i);

                        merge_runs(to + i, from + i, nr_left, from + i + nr_left,
                                   MIN(run, nr - i - nr_left));
                }
                to = from;
                from = merged;
        }
        if (from != items)
                memcpy(items, from, nr * sizeof(*items));
}
