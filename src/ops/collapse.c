/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_COLLAPSE: see collapse.h. */

#include "collapse.h"

#include <sys/mman.h>

#include "macro.h"

bool collapse_is_possible(void) {
        /* of nothing: whether the advice is known is looked at first */
        return madvise(NULL, 0, MADV_COLLAPSE) == 0;
}

/* Collect the blocks that there is something to do about, and enough to do it with. */
static int choose(const struct process *process, const struct runs *wanted, struct runs *chosen,
                  uint64_t page_size, uint64_t sz_block, struct collapse_stat *stat) {
        chosen->nr = 0;
        for (size_t i = 0; i < wanted->nr; i++) {
                const struct advice *run = &wanted->items[i];
                bool joins = false;

                for (uint64_t addr = run->range.start; addr < run->range.end; addr += sz_block) {
                        struct block block;
                        int r;

                        r = block_look(process->pagemap_fd, addr, sz_block, page_size, &block);
                        if (r < 0)
                                return r;
                        stat->sz_tried += sz_block;
                        if (block.huge) {
                                stat->sz_huge += sz_block;
                                continue;
                        }
                        if (block.nr_present * COLLAPSE_SHARE < sz_block / page_size) {
                                stat->sz_sparse += sz_block;
                                continue;
                        }
                        r = runs_add(chosen, (struct damon_range) { addr, addr + sz_block }, run->try, joins);
                        if (r < 0)
                                return r;
                        joins = true;
                }
        }
        return 0;
}

static void count_failure(struct collapse_stat *stat, int error, uint64_t size) {
        switch (error) {
        case ENOMEM:
        case EBUSY:
                stat->sz_no_memory += size;
                break;
        case EINVAL:
                stat->sz_refused += size;
                break;
        default:
                /* EAGAIN; and a block that the kernel did, but that is huge no longer */
                stat->sz_busy += size;
                break;
        }
}

int collapse(const struct process *process, const struct runs *wanted, struct runs *chosen,
             uint64_t page_size, uint64_t sz_block, struct damos_try *tries, size_t nr,
             struct collapse_stat *stat) {
        int r;

        r = choose(process, wanted, chosen, page_size, sz_block, stat);
        if (r < 0)
                return r;
        r = advise(process->pidfd, MADV_COLLAPSE, chosen->items, chosen->nr, NULL);
        if (r < 0)
                return r;

        /* A run of which one block could not be collapsed has failed as a whole. */
        for (size_t i = 0; i < chosen->nr; i++) {
                const struct advice *run = &chosen->items[i];

                for (uint64_t addr = run->range.start; addr < run->range.end; addr += sz_block) {
                        struct damon_range range = { addr, addr + sz_block };
                        struct block block;

                        r = block_look(process->pagemap_fd, addr, sz_block, page_size, &block);
                        if (r < 0)
                                return r;
                        if (block.huge) {
                                stat->sz_collapsed += sz_block;
                                runs_credit(range, run->try, tries, nr);
                        } else
                                count_failure(stat, run->error, sz_block);
                }
        }
        return 0;
}
