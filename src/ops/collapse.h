/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * MADV_COLLAPSE (Linux 6.1): the pages of a block are copied into a huge page, now, on the CPU
 * time of the caller. See madvise(2) and mm/khugepaged.c.
 */

#include <damond/ops.h>

#include "blocks.h"
#include "process.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25        /* include/uapi/asm-generic/mman-common.h, Linux 6.1 */
#endif

/**
 * COLLAPSE_SHARE - a block is collapsed if one part in so many of its pages is in memory
 *
 * What is missing is filled up with zeroes: memory in use may double by this, and no more.
 */
#define COLLAPSE_SHARE 2

/**
 * struct collapse_stat - what became of blocks that were to be collapsed, in bytes
 * @sz_tried:   all of them: the sum of the others
 * @sz_collapsed: became huge pages
 * @sz_huge:    were huge pages already
 * @sz_sparse:  had too few pages in memory
 * @sz_refused: the mapping does not allow it: it asked for no huge pages, is of a file, ...
 * @sz_busy:    not now: pages were in use by the kernel
 * @sz_no_memory: there is no huge page to be had, or the memory cgroup is at its limit
 */
struct collapse_stat {
        uint64_t sz_tried;
        uint64_t sz_collapsed;
        uint64_t sz_huge;
        uint64_t sz_sparse;
        uint64_t sz_refused;
        uint64_t sz_busy;
        uint64_t sz_no_memory;
};

/**
 * collapse_is_possible() - say whether the kernel can do it
 */
bool collapse_is_possible(void);

/**
 * collapse() - make huge pages
 * @process:    process
 * @wanted:     blocks to consider
 * @chosen:     receives those that are tried
 * @page_size:  page size, bytes
 * @sz_block:   bytes of a block
 * @tries:      @nr tries, which receive the bytes that became huge
 * @nr:         number of tries
 * @stat:       is added to
 *
 * Return: 0, -ENOMEM, -ESRCH if the address space has ended, or what advise() returned.
 */
int collapse(const struct process *process, const struct runs *wanted, struct runs *chosen,
             uint64_t page_size, uint64_t sz_block, struct damos_try *tries, size_t nr,
             struct collapse_stat *stat);
