/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * How far the absence of accesses can be trusted. The multi-generational LRU, when it ages
 * memory, clears Accessed bits and leaves the idle flag alone (walk_pte_range() and
 * lru_gen_look_around() in mm/vmscan.c), so that a page that was accessed before that still
 * looks idle. No counter says that memory is being aged. But reclaim ages memory each time it
 * has gone through some part of it, and what it goes through is counted.
 */

#include <stdbool.h>
#include <stdint.h>

/**
 * struct reclaim - how fast the kernel goes through memory to reclaim it; starts as all zeroes
 * @read_at:    when the counters were read, nanoseconds; 0 if they were not
 * @scanned:    pages that reclaim had gone through by then; UINT64_MAX if there is no telling
 * @share_time: how long it takes to go through that share of memory within which it is
 *              expected not to age it, nanoseconds; 0 if it does nothing
 */
struct reclaim {
        uint64_t read_at;
        uint64_t scanned;
        uint64_t share_time;
};

/**
 * reclaim_update() - look again how fast it is, if that has not been done for a second
 * @reclaim:    what was known
 * @lru_gen_fd: /sys/kernel/mm/lru_gen/enabled, or -1 if the kernel has none
 * @vmstat_fd:  /proc/vmstat, or -1
 * @now:        time, nanoseconds
 *
 * Reading the counters costs as much as four or five samples.
 */
void reclaim_update(struct reclaim *reclaim, int lru_gen_fd, int vmstat_fd, uint64_t now);

/**
 * reclaim_hides() - may accesses have been taken away?
 * @reclaim:    what is known
 * @window:     time from mark to check, nanoseconds
 *
 * Return: true if memory was so likely aged within the window that an idle flag proves nothing.
 */
bool reclaim_hides(const struct reclaim *reclaim, uint64_t window);
