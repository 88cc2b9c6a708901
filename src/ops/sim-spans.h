/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Lists of ranges, for the simulator: what of an address space is mapped, hidden, or not
 * present. Nothing is kept page by page.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/region.h>

#include "macro.h"

/**
 * struct spans - a list of ranges
 * @items:      @nr ranges, sorted, disjoint, not touching each other; owned
 * @nr:         number of ranges
 * @capacity:   number of ranges that there is room for
 */
struct spans {
        struct damon_range *items;
        size_t nr;
        size_t capacity;
};

/** range_cut() - what two ranges have in common; an empty range if it is nothing */
static inline struct damon_range range_cut(struct damon_range a, struct damon_range b) {
        struct damon_range r = { MAX(a.start, b.start), MIN(a.end, b.end) };

        if (r.end < r.start)
                r.end = r.start;
        return r;
}

/** spans_done() - release what a list owns, leaving it empty */
void spans_done(struct spans *s);

/** spans_find() - index of the first range that ends behind an address */
size_t spans_find(const struct spans *s, uint64_t addr);

/** spans_contain() - say whether an address lies in one of the ranges */
bool spans_contain(const struct spans *s, uint64_t addr);

/** spans_overlap() - bytes of a range that lie in the list */
uint64_t spans_overlap(const struct spans *s, struct damon_range range);

/** spans_add() - add a range, which may overlap others. Return: 0, -ENOMEM. */
int spans_add(struct spans *s, struct damon_range range);

/** spans_remove() - take a range out. Return: 0, -ENOMEM. */
int spans_remove(struct spans *s, struct damon_range range);

/** spans_add_cut() - add what of a range is in one list and not in the other. Return: 0, -ENOMEM. */
int spans_add_cut(struct spans *s, struct damon_range range, const struct spans *in,
                  const struct spans *not_in);
