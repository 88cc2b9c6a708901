/* SPDX-License-Identifier: GPL-2.0-only */
/* The actions on huge pages: see huge.h. */

#include "huge.h"

#include <sys/mman.h>

#include "clock.h"
#include "macro.h"

/*
 * What a process was made to say is not said again for so long, nanoseconds: each time, a thread
 * would have to be stopped. Afterwards it is, as the process may have other memory there. And
 * one that cannot be stopped may, by then, have threads that can.
 */
#define SAID_TIME UINT64_C(60000000000)

/* So much of it is remembered. */
#define SAID_MAX 1024

uint32_t huge_actions(void) {
        uint32_t actions = 0;

        if (collapse_is_possible())
                actions |= DAMOS_ACTION_BIT(DAMOS_HUGEPAGE);
        /* a kernel without transparent huge pages does not know this advice */
        if (INJECT_IS_SUPPORTED && madvise(NULL, 0, MADV_NOHUGEPAGE) == 0)
                actions |= DAMOS_ACTION_BIT(DAMOS_NOHUGEPAGE) | DAMOS_ACTION_BIT(DAMOS_HUGEPAGE_HINT);
        return actions;
}

void huge_done(struct huge *huge) {
        runs_done(&huge->wanted);
        runs_done(&huge->chosen);
}

void huge_target_done(struct huge_target *target) {
        runs_done(&target->said);
}

static bool was_said(const struct huge_target *target, const struct damon_range *range, int advice) {
        for (size_t i = 0; i < target->said.nr; i++) {
                const struct advice *said = &target->said.items[i];

                if (said->try == (size_t) advice && said->range.start <= range->start &&
                    range->end <= said->range.end)
                        return true;
        }
        return false;
}

/* Whatever was said of a part of it before does not hold any more. */
static int remember(struct huge_target *target, struct damon_range range, int advice) {
        struct runs *said = &target->said;
        size_t kept = 0;

        for (size_t i = 0; i < said->nr; i++)
                if (said->items[i].range.end <= range.start || range.end <= said->items[i].range.start)
                        said->items[kept++] = said->items[i];
        said->nr = kept < SAID_MAX ? kept : 0;
        return runs_add(said, range, (size_t) advice, false);
}

/* Have the process say it of what it was not said of lately. */
static int say(struct huge *huge, struct huge_target *target, const struct process *process, pid_t pid,
               const struct maps *maps, int advice, struct damos_try *tries, size_t nr) {
        uint64_t time = clock_ns(CLOCK_MONOTONIC);
        int r;

        if (time >= target->forget_at) {
                target->said.nr = 0;
                target->forget_at = time + SAID_TIME;
        }
        if (time < target->retry_at)
                return 0;
        huge->chosen.nr = 0;
        for (size_t i = 0; i < huge->wanted.nr; i++) {
                const struct advice *run = &huge->wanted.items[i];

                if (was_said(target, &run->range, advice))
                        continue;
                r = runs_add(&huge->chosen, run->range, run->try, false);
                if (r < 0)
                        return r;
        }
        /* Advice on a part of a mapping makes two or three of it, of which there may not be too many. */
        if (huge->chosen.nr == 0 || maps->nr + 2 * huge->chosen.nr > huge->nr_maps_max / 2)
                return 0;
        r = inject_madvise(process, pid, &target->inject, advice, huge->chosen.items, huge->chosen.nr,
                           &huge->stat.inject);
        if (r == -EACCES)
                target->retry_at = time + SAID_TIME;
        for (size_t i = 0; i < huge->chosen.nr; i++) {
                const struct advice *run = &huge->chosen.items[i];

                if (run->sz_applied == 0)
                        continue;
                runs_credit(run->range, run->try, tries, nr);
                if (remember(target, run->range, advice) < 0)
                        return -ENOMEM;
        }
        return r == -EACCES ? 0 : r;
}

int huge_apply(struct huge *huge, struct huge_target *target, const struct process *process, pid_t pid,
               const struct maps *maps, enum damos_action action, const struct advice *pieces,
               size_t nr_pieces, struct damos_try *tries, size_t nr) {
        int r;

        if (huge->sz_block == 0)
                return 0;
        r = runs_collect(&huge->wanted, maps, pieces, nr_pieces, huge->sz_block);
        if (r < 0)
                return r;
        switch (action) {
        case DAMOS_NOHUGEPAGE:
                return say(huge, target, process, pid, maps, MADV_NOHUGEPAGE, tries, nr);
        case DAMOS_HUGEPAGE_HINT:
                return say(huge, target, process, pid, maps, MADV_HUGEPAGE, tries, nr);
        default:
                return collapse(process, &huge->wanted, &huge->chosen, huge->page_size, huge->sz_block, tries,
                                nr, &huge->stat.collapse);
        }
}
