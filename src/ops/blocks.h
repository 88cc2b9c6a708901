/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Blocks: what one huge page can back. What is done about huge pages is done to whole, aligned
 * blocks inside one mapping; of others, nothing would come.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/ops.h>

#include "advise.h"
#include "maps.h"

/**
 * struct block - what is in memory of a block
 * @nr_present: pages that are
 * @huge:       they are one huge page already, or lie in memory as one does
 */
struct block {
        uint64_t nr_present;
        bool huge;
};

/**
 * struct runs - runs of whole blocks inside one mapping each; starts as all zeroes
 * @items:      @nr runs, in the order of addresses; &advice.try is the first try that reaches into
 *              it; owned
 * @nr:         number of runs
 * @capacity:   number of runs that there is room for
 */
struct runs {
        struct advice *items;
        size_t nr, capacity;
};

/**
 * runs_done() - release what runs own
 * @runs:       runs, left empty and usable
 */
void runs_done(struct runs *runs);

/**
 * runs_add() - add a range; one that adjoins the last of the same mapping makes it longer
 * @runs:       runs
 * @range:      whole blocks, behind all others
 * @try:        the first try that reaches into it
 * @joins:      it may adjoin the last run
 *
 * Return: 0, -ENOMEM.
 */
int runs_add(struct runs *runs, struct damon_range range, size_t try, bool joins);

/**
 * runs_collect() - find the whole blocks of what to act on
 * @runs:       receives them, in place of what it has
 * @maps:       mappings
 * @pieces:     @nr pieces, sorted and disjoint; a block may lie in several that adjoin each other
 * @nr:         number of pieces
 * @sz_block:   bytes of a block
 *
 * Return: 0, -ENOMEM.
 */
int runs_collect(struct runs *runs, const struct maps *maps, const struct advice *pieces, size_t nr,
                 uint64_t sz_block);

/**
 * runs_credit() - count bytes as applied, for each try what of them it has
 * @range:      where it was done
 * @try:        the first try that reaches into it, or one before
 * @tries:      @nr ranges
 * @nr:         number of ranges
 */
void runs_credit(struct damon_range range, size_t try, struct damos_try *tries, size_t nr);

/**
 * block_look() - see what is in memory of a block
 * @pagemap_fd: page map of the process
 * @addr:       the block
 * @sz_block:   its bytes
 * @page_size:  page size, bytes
 * @ret_block:  set to what is there
 *
 * A huge page that is mapped in parts counts as one: there is nothing to copy.
 *
 * Return: 0, -ESRCH if the address space has ended, or a negative errno.
 */
int block_look(int pagemap_fd, uint64_t addr, uint64_t sz_block, uint64_t page_size,
               struct block *ret_block);
