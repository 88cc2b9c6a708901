/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Which parts of a process are in memory, found by walks over its page table with the
 * PAGEMAP_SCAN ioctl (Linux 6.7; Documentation/admin-guide/mm/pagemap.rst). A walk over a
 * large process goes on from update to update, and walks are spaced so that they take a
 * thousandth of a CPU.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/region.h>

/**
 * struct resident - what is known of the residency of a process, and the walk to know better
 * @ranges:     @nr ranges in memory as the last finished walk found them; owned
 * @nr:         number of them
 * @capacity:   number of them that there is room for
 * @known:      a walk has been finished
 * @next:       @nr_next ranges that the running walk has found; owned
 * @nr_next:    number of them
 * @sz_next:    number of them that there is room for
 * @cursor:     address that the running walk has reached; 0 if none is running
 * @min_gap:    smaller gaps are not kept, bytes; grows with their number
 * @step:       length of its next step, bytes
 * @spent:      CPU time of the running walk, nanoseconds
 * @not_before: when the next walk may begin, CLOCK_MONOTONIC, nanoseconds
 *
 * Zeroed is nothing known.
 */
struct resident {
        struct damon_range *ranges;
        size_t nr, capacity;
        bool known;

        struct damon_range *next;
        size_t nr_next, sz_next;
        uint64_t cursor;
        uint64_t min_gap;
        uint64_t step;
        uint64_t spent;
        uint64_t not_before;
};

/**
 * resident_done() - release what it owns
 * @resident:   residency
 */
void resident_done(struct resident *resident);

/**
 * resident_update() - walk on
 * @resident:   residency
 * @pagemap_fd: page map of the process
 * @regions:    the addresses that matter
 * @now:        CLOCK_MONOTONIC, nanoseconds
 * @credit:     CPU time that may be spent, nanoseconds; what was spent is taken off, and may
 *              be more by one step of the walk
 *
 * Return: 0; -ENOTTY if the kernel cannot do it; -ESRCH if the address space has ended;
 * -ENOMEM.
 */
int resident_update(struct resident *resident, int pagemap_fd, const struct damon_regions *regions,
                    uint64_t now, int64_t *credit);
