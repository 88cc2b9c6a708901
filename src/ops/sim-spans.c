/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of ranges: see sim-spans.h. */

#include "sim-spans.h"

#include <string.h>

#include "array.h"
#include "macro.h"

void spans_done(struct spans *s) {
        free(s->items);
        *s = (struct spans) {};
}

/* The first item that ends behind addr. */
size_t spans_find(const struct spans *s, uint64_t addr) {
        size_t lo = 0, hi = s->nr;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (s->items[mid].end <= addr)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

bool spans_contain(const struct spans *s, uint64_t addr) {
        size_t i = spans_find(s, addr);

        return i < s->nr && s->items[i].start <= addr;
}

uint64_t spans_overlap(const struct spans *s, struct damon_range range) {
        uint64_t size = 0;

        for (size_t i = spans_find(s, range.start);
             i < s->nr && s->items[i].start < range.end; i++) {
                struct damon_range cut = range_cut(s->items[i], range);

                size += damon_range_size(&cut);
        }
        return size;
}

/* Replaces items [i, j) by nr others. */
static int spans_splice(struct spans *s, size_t i, size_t j, const struct damon_range *with,
                        size_t nr) {
        int r = ARRAY_GROW(s->items, s->capacity, s->nr + nr);

        if (r < 0)
                return r;
        memmove(s->items + i + nr, s->items + j, (s->nr - j) * sizeof(*s->items));
        if (nr > 0)
                memcpy(s->items + i, with, nr * sizeof(*s->items));
        s->nr = s->nr - (j - i) + nr;
        return 0;
}

int spans_add(struct spans *s, struct damon_range range) {
        size_t i = range.start > 0 ? spans_find(s, range.start - 1) : 0, j = i;

        if (range.start >= range.end)
                return 0;
        for (; j < s->nr && s->items[j].start <= range.end; j++) {
                range.start = MIN(range.start, s->items[j].start);
                range.end = MAX(range.end, s->items[j].end);
        }
        return spans_splice(s, i, j, &range, 1);
}

int spans_remove(struct spans *s, struct damon_range range) {
        size_t i = spans_find(s, range.start), j = i, nr = 0;
        struct damon_range rest[2];

        for (; j < s->nr && s->items[j].start < range.end; j++)
                ;
        if (i == j)
                return 0;
        if (s->items[i].start < range.start)
                rest[nr++] = (struct damon_range) { s->items[i].start, range.start };
        if (s->items[j - 1].end > range.end)
                rest[nr++] = (struct damon_range) { range.end, s->items[j - 1].end };
        return spans_splice(s, i, j, rest, nr);
}

/* Adds what of range is in one list and not in the other. */
int spans_add_cut(struct spans *s, struct damon_range range, const struct spans *in,
                         const struct spans *not_in) {
        for (size_t i = spans_find(in, range.start);
             i < in->nr && in->items[i].start < range.end; i++) {
                int r = spans_add(s, range_cut(in->items[i], range));

                if (r < 0)
                        return r;
        }
        for (size_t i = spans_find(not_in, range.start);
             i < not_in->nr && not_in->items[i].start < range.end; i++) {
                int r = spans_remove(s, range_cut(not_in->items[i], range));

                if (r < 0)
                        return r;
        }
        return 0;
}
