/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * MADV_PAGEOUT, with a look at the page table before and after, as the kernel does not say what it
 * has paged out. A look takes some 20 ns a page, a hundredth of what it takes to page it out.
 */

#include <stddef.h>
#include <stdint.h>

#include <damond/ops.h>

#include "advise.h"

/**
 * struct pageout - scratch, and what is known of the kernel; starts as all zeroes
 * @cannot_scan:        the kernel has no PAGEMAP_SCAN
 * @runs:               @nr_runs runs in the order of pieces; owned
 * @entries:            @nr_entries entries of the page map, those of all runs; owned
 */
struct pageout {
        bool cannot_scan;
        struct advice_run *runs;
        size_t nr_runs, sz_runs;
        uint64_t *entries;
        size_t nr_entries, sz_entries;
};

/** PAGEOUT_PIECE_MAX - most bytes of a piece, so that the looks need little memory */
#define PAGEOUT_PIECE_MAX (UINT64_C(64) << 20)

/** pageout_done() - release what it owns */
void pageout_done(struct pageout *pageout);

/**
 * pageout() - page out pieces of a process's memory
 * @pageout:    scratch
 * @pidfd:      process
 * @pagemap_fd: its page map
 * @page_size:  page size, bytes
 * @pieces:     @nr pieces, each of at most %PAGEOUT_PIECE_MAX bytes
 * @nr:         number of pieces
 * @tries:      receive the outcome, each of the pieces that are part of it
 * @limit:      what limits it, or NULL
 *
 * What the kernel could not but refuse, as there is no swap, is not even asked for. A page that has
 * another frame afterwards was paged out, and came back at once.
 *
 * Return: 0; -ESRCH if the address space has ended; -ENOMEM; or what advise() returned.
 */
int pageout(struct pageout *pageout, int pidfd, int pagemap_fd, uint64_t page_size,
            struct advice *pieces, size_t nr, struct damos_try *tries, struct advice_limit *limit);

/**
 * pageout_present() - count what of a range is in memory
 * @pageout:    what is known of the kernel
 * @pagemap_fd: page map of the process
 * @page_size:  page size, bytes
 * @range:      range
 * @ret_size:   set to the bytes
 *
 * Return: 0; -ESRCH if the address space has ended; -ENOMEM.
 */
int pageout_present(struct pageout *pageout, int pagemap_fd, uint64_t page_size,
                    struct damon_range range, uint64_t *ret_size);
