/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What an action really did. The kernel takes advice for granted: what it says it has "applied" is
 * what it has looked at, whether anything came of it or not. Only the page table tells.
 */

#include <stdint.h>

/**
 * enum damos_refusal - why memory stayed where it was
 * @DAMOS_REFUSED_SHARED:       other processes have it mapped, too: the kernel passes it over
 * @DAMOS_REFUSED_LOCKED:       its mapping is locked, or refuses such advice for another reason
 * @DAMOS_REFUSED_NO_SWAP:      it is anonymous, and there is no room in swap
 * @DAMOS_REFUSED_SPLIT:        it is part of a huge page of which other parts were not to be touched
 * @DAMOS_REFUSED_OTHER:        the kernel does not say: it may be in use, or hold what has not been
 *                              written to its file yet
 */
enum damos_refusal {
        DAMOS_REFUSED_SHARED,
        DAMOS_REFUSED_LOCKED,
        DAMOS_REFUSED_NO_SWAP,
        DAMOS_REFUSED_SPLIT,
        DAMOS_REFUSED_OTHER,
        _DAMOS_REFUSAL_MAX,
};

/**
 * struct damos_outcome - what became of memory that an action was tried on, bytes
 * @sz_moved:           what was in memory before and not after
 * @sz_returned:        what of that came back soon
 * @sz_refused:         what was in memory and stayed there, by reason
 *
 * Known of %DAMOS_PAGEOUT only. %DAMOS_COLD moves nothing, and what %DAMOS_WILLNEED reads waits in
 * the page cache or swap cache until it is accessed: no page table shows it.
 */
struct damos_outcome {
        uint64_t sz_moved;
        uint64_t sz_returned;
        uint64_t sz_refused[_DAMOS_REFUSAL_MAX];
};

/**
 * damos_refusal_to_string() - name of a reason, as in the names of statistics
 * @refusal:    reason
 */
const char *damos_refusal_to_string(enum damos_refusal refusal);

/**
 * damos_outcome_add() - count an outcome
 * @sum:        receives it
 * @outcome:    what to add
 */
void damos_outcome_add(struct damos_outcome *sum, const struct damos_outcome *outcome);

/**
 * damos_outcome_refused() - bytes that stayed where they were, for whatever reason
 * @outcome:    outcome
 */
uint64_t damos_outcome_refused(const struct damos_outcome *outcome);
