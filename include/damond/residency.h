/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Residency: which parts of a target are in memory. A page that is not there cannot be accessed
 * without being brought in: to sample it is a waste, and in a sparse address space, or one
 * that was mostly paged out, random samples hit hardly anything else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/range.h>

/**
 * struct damon_resident - a part that is in memory
 * @range:      the part
 * @before:     bytes of the parts before it
 */
struct damon_resident {
        struct damon_range range;
        uint64_t before;
};

/**
 * struct damon_residency - what is known of the residency of a target
 * @items:      @nr parts, sorted, disjoint; owned
 * @nr:         number of parts
 * @capacity:   number of parts that there is room for
 * @known:      anything is known; if not, everything is taken to be in memory
 */
struct damon_residency {
        struct damon_resident *items;
        size_t nr;
        size_t capacity;
        bool known;
};

/**
 * damon_residency_done() - release what it owns
 * @residency:  residency, left empty and usable
 */
void damon_residency_done(struct damon_residency *residency);

/**
 * damon_residency_set() - take note of what is in memory
 * @residency:  residency
 * @ranges:     @nr ranges, sorted and disjoint; NULL for not known
 * @nr:         number of ranges
 *
 * Return: 0, or -ENOMEM with @residency unchanged.
 */
int damon_residency_set(struct damon_residency *residency, const struct damon_range *ranges,
                        size_t nr);

/**
 * damon_residency_size() - bytes of a range that are in memory
 * @residency:  residency
 * @range:      range
 */
uint64_t damon_residency_size(const struct damon_residency *residency, struct damon_range range);

/**
 * damon_residency_address() - find a byte that is in memory
 * @residency:  residency
 * @range:      range
 * @offset:     number of the byte, among those of @range that are in memory
 *
 * Return: its address.
 */
uint64_t damon_residency_address(const struct damon_residency *residency, struct damon_range range,
                                 uint64_t offset);
