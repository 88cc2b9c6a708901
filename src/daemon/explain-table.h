/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What schemes match and what holds them back, as a table for people: by scheme, and by the entry of
 * the configuration that targets belong to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <damond/breakdown.h>

#include "plan.h"

/**
 * struct explain_table - what was found
 * @plan:       schemes and target entries; borrowed
 * @breakdowns: one for each scheme and each target entry, scheme after scheme; owned
 * @nr_processes: for each target entry the number of its targets; owned
 * @filtered:   for each scheme the bytes that match, and that its filters hold back; owned
 * @asleep:     for each scheme why it would sleep, or NULL; owned
 * @is_residency_known: what is in memory is known of each target
 */
struct explain_table {
        const struct plan *plan;
        struct damos_breakdown *breakdowns;
        size_t *nr_processes;
        uint64_t *filtered;
        char **asleep;
        bool is_residency_known;
};

/**
 * explain_table_init() - make a table of nothing
 * @table:      set to the table
 * @plan:       plan
 *
 * Return: 0, -ENOMEM.
 */
int explain_table_init(struct explain_table *table, const struct plan *plan);

/**
 * explain_table_done() - release what a table owns
 * @table:      table, or zeroes
 */
void explain_table_done(struct explain_table *table);

/**
 * explain_table_fill() - find out what matches at the end of an aggregation
 * @table:      table; what it was before is dropped
 * @targets:    @nr targets, of which some may be gone
 * @nr:         number of targets
 * @attrs:      attributes in force
 */
void explain_table_fill(struct explain_table *table, struct damon_target *const *targets, size_t nr,
                        const struct damon_attrs *attrs);

/**
 * explain_table_age() - greatest age that a scheme asks for
 * @table:      table
 *
 * Return: microseconds; it takes as long to see what matches.
 */
uint64_t explain_table_age(const struct explain_table *table);

/**
 * explain_table_print() - write a table
 * @table:      table
 * @watched:    microseconds that targets were watched: what is to be older cannot be told about
 * @f:          where to
 */
void explain_table_print(const struct explain_table *table, uint64_t watched, FILE *f);
