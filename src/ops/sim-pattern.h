/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Access patterns of the simulator as arithmetic: which page is accessed when, without a loop
 * over pages or accesses. Times are half-open ranges of whole microseconds, [lo, hi).
 */

#include <stdbool.h>
#include <stdint.h>

#include "sim.h"

/** visit_t - called with ranges of pages; a negative errno ends the walk */
typedef int (*visit_t)(void *arg, struct damon_range range);

/** pattern_nr_pages() - pages of all islands of a pattern */
uint64_t pattern_nr_pages(const struct sim_pattern *p);

/** pattern_is_on() - say whether a pattern accesses anything at a time */
bool pattern_is_on(const struct sim_pattern *p, uint64_t time);

/** pattern_shift() - bytes that the islands are from where they began, at a time */
uint64_t pattern_shift(const struct sim_pattern *p, uint64_t time);

/**
 * pattern_page() - find the number of a page among those of a pattern
 * @p:          pattern
 * @shift:      pattern_shift() at the time in question
 * @addr:       address
 * @ret_page:   set to the number
 *
 * Return: whether the address belongs to the pattern.
 */
bool pattern_page(const struct sim_pattern *p, uint64_t shift, uint64_t addr, uint64_t *ret_page);

/** pattern_accesses() - say whether a page is accessed in [lo, hi) */
bool pattern_accesses(const struct sim_pattern *p, uint64_t addr, uint64_t lo, uint64_t hi);

/**
 * pattern_visit_pages() - visit pages of a pattern, island by island
 * @p:          pattern
 * @shift:      pattern_shift() at the time in question
 * @first:      number of the first page
 * @last:       number of the page behind the last one
 * @visit:      called with each range
 * @arg:        handed to @visit
 *
 * Return: 0, or what @visit returned.
 */
int pattern_visit_pages(const struct sim_pattern *p, uint64_t shift, uint64_t first, uint64_t last,
                        visit_t visit, void *arg);

/** pattern_visit() - visit the pages that are accessed in [lo, hi). Return: as above. */
int pattern_visit(const struct sim_pattern *p, uint64_t lo, uint64_t hi, visit_t visit, void *arg);
