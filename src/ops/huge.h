/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The actions on huge pages: "hugepage" makes them, by MADV_COLLAPSE; what "nohugepage" and
 * "hugepage_hint" say holds for the future, and only the process itself can say it, see inject.h.
 */

#include <stdint.h>

#include <damond/ops.h>

#include "blocks.h"
#include "collapse.h"
#include "maps.h"
#include "process.h"

/**
 * struct huge_stat - what the actions on huge pages have done since the start
 * @collapse:   of hugepage
 */
struct huge_stat {
        struct collapse_stat collapse;
};

/**
 * struct huge - state of the actions on huge pages; starts as all zeroes but for the sizes
 * @page_size:  page size, bytes
 * @sz_block:   size of a huge page, bytes; 0 if the kernel has none
 * @wanted:     scratch
 * @chosen:     scratch
 * @stat:       statistics
 */
struct huge {
        uint64_t page_size;
        uint64_t sz_block;
        struct runs wanted, chosen;
        struct huge_stat stat;
};

/** HUGE_ACTIONS - actions that this is about, a set of DAMOS_ACTION_BIT() */
#define HUGE_ACTIONS DAMOS_ACTION_BIT(DAMOS_HUGEPAGE)

/**
 * huge_actions() - say which of them can be done here
 *
 * Return: a set of DAMOS_ACTION_BIT().
 */
uint32_t huge_actions(void);

/**
 * huge_done() - release what it owns
 * @huge:       state
 */
void huge_done(struct huge *huge);

/**
 * huge_apply() - do one of them
 * @huge:       state
 * @process:    process, which is current
 * @maps:       its mappings
 * @action:     the action
 * @tries:      @nr tries, see struct damon_ops
 * @nr:         number of tries
 *
 * Return: 0; -ESRCH if the process or its address space has ended; or a negative errno.
 */
int huge_apply(struct huge *huge, const struct process *process, const struct maps *maps,
               enum damos_action action, struct damos_try *tries, size_t nr);
