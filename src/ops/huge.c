/* SPDX-License-Identifier: GPL-2.0-only */
/* The actions on huge pages: see huge.h. */

#include "huge.h"

uint32_t huge_actions(void) {
        return collapse_is_possible() ? DAMOS_ACTION_BIT(DAMOS_HUGEPAGE) : 0;
}

void huge_done(struct huge *huge) {
        runs_done(&huge->wanted);
        runs_done(&huge->chosen);
}

int huge_apply(struct huge *huge, const struct process *process, const struct maps *maps,
               enum damos_action action, struct damos_try *tries, size_t nr) {
        int r;

        if (huge->sz_block == 0)
                return 0;
        r = runs_collect(&huge->wanted, maps, tries, nr, huge->sz_block);
        if (r < 0)
                return r;
        return collapse(process, &huge->wanted, &huge->chosen, huge->page_size, huge->sz_block, tries, nr,
                        &huge->stat.collapse);
}
