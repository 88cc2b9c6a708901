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
#include "inject.h"
#include "maps.h"
#include "process.h"

/**
 * struct huge_stat - what the actions on huge pages have done since the start
 * @collapse:   of hugepage
 * @inject:     of the others
 */
struct huge_stat {
        struct collapse_stat collapse;
        struct inject_stat inject;
};

/**
 * struct huge_target - what is known of a target; starts as all zeroes
 * @inject:     what is known for injection
 * @said:       what it was made to say, &advice.try being the advice
 * @forget_at:  when that is not relied on any more, CLOCK_MONOTONIC, nanoseconds
 * @retry_at:   it could not be made to say anything: when to try again; 0 is now
 */
struct huge_target {
        struct inject_target inject;
        struct runs said;
        uint64_t forget_at;
        uint64_t retry_at;
};

/**
 * struct huge - state of the actions on huge pages; starts as all zeroes but for the sizes
 * @page_size:  page size, bytes
 * @sz_block:   size of a huge page, bytes; 0 if the kernel has none
 * @nr_maps_max: mappings that a process may have
 * @wanted:     scratch
 * @chosen:     scratch
 * @stat:       statistics
 */
struct huge {
        uint64_t page_size;
        uint64_t sz_block;
        uint64_t nr_maps_max;
        struct runs wanted, chosen;
        struct huge_stat stat;
};

/** HUGE_ACTIONS - actions that this is about, a set of DAMOS_ACTION_BIT() */
#define HUGE_ACTIONS                                                                    \
        (DAMOS_ACTION_BIT(DAMOS_HUGEPAGE) | DAMOS_ACTION_BIT(DAMOS_NOHUGEPAGE) |        \
         DAMOS_ACTION_BIT(DAMOS_HUGEPAGE_HINT))

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
 * huge_target_done() - release what it owns
 * @target:     what is known of a target
 */
void huge_target_done(struct huge_target *target);

/**
 * huge_apply() - do one of them
 * @huge:       state
 * @target:     what is known of the target
 * @process:    its process, which is current
 * @pid:        its ID
 * @maps:       its mappings
 * @action:     the action
 * @pieces:     @nr_pieces pieces of what is to be acted on
 * @nr_pieces:  number of pieces
 * @tries:      @nr tries, see struct damon_ops
 * @nr:         number of tries
 *
 * Return: 0; -ESRCH if the process or its address space has ended; or a negative errno.
 */
int huge_apply(struct huge *huge, struct huge_target *target, const struct process *process, pid_t pid,
               const struct maps *maps, enum damos_action action, const struct advice *pieces,
               size_t nr_pieces, struct damos_try *tries, size_t nr);
