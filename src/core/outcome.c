/* SPDX-License-Identifier: GPL-2.0-only */
/* What an action really did: see outcome.h. */

#include <damond/outcome.h>

#include <assert.h>

#include "macro.h"

const char *damos_refusal_to_string(enum damos_refusal refusal) {
        static const char *const names[_DAMOS_REFUSAL_MAX] = {
                [DAMOS_REFUSED_SHARED] = "shared",
                [DAMOS_REFUSED_LOCKED] = "locked",
                [DAMOS_REFUSED_NO_SWAP] = "no_swap",
                [DAMOS_REFUSED_SPLIT] = "split",
                [DAMOS_REFUSED_OTHER] = "other",
        };

        assert((size_t) refusal < ELEMENTSOF(names));
        return names[refusal];
}

void damos_outcome_add(struct damos_outcome *sum, const struct damos_outcome *outcome) {
        sum->sz_moved += outcome->sz_moved;
        sum->sz_returned += outcome->sz_returned;
        for (size_t i = 0; i < _DAMOS_REFUSAL_MAX; i++)
                sum->sz_refused[i] += outcome->sz_refused[i];
}

uint64_t damos_outcome_refused(const struct damos_outcome *outcome) {
        uint64_t sum = 0;

        for (size_t i = 0; i < _DAMOS_REFUSAL_MAX; i++)
                sum += outcome->sz_refused[i];
        return sum;
}
