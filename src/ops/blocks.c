/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks: see blocks.h. */

#include "blocks.h"

#include "array.h"
#include "macro.h"
#include "pagemap.h"

/* Entries of the page map that are read at once: a block of 4 KiB pages. */
#define READ_MAX 512

void runs_done(struct runs *runs) {
        free(runs->items);
        *runs = (struct runs) {};
}

int runs_add(struct runs *runs, struct damon_range range, size_t try, bool joins) {
        int r;

        if (joins && runs->nr > 0 && runs->items[runs->nr - 1].range.end == range.start &&
            range.end - runs->items[runs->nr - 1].range.start <= ADVISE_PIECE_MAX) {
                runs->items[runs->nr - 1].range.end = range.end;
                return 0;
        }
        r = ARRAY_GROW(runs->items, runs->capacity, runs->nr + 1);
        if (r < 0)
                return r;
        runs->items[runs->nr++] = (struct advice) { .range = range, .try = try };
        return 0;
}

/* Add the whole blocks of a part of a mapping. */
static int add_part(struct runs *runs, struct damon_range part, const struct advice *pieces, size_t nr,
                    uint64_t sz_block) {
        uint64_t end = part.end / sz_block * sz_block;
        uint64_t start = (part.start + sz_block - 1) / sz_block * sz_block;
        size_t piece = 0;

        for (uint64_t next; start < end; start = next) {
                int r;

                next = MIN(end, start + MAX(ADVISE_PIECE_MAX / sz_block, UINT64_C(1)) * sz_block);
                while (piece + 1 < nr && pieces[piece].range.end <= start)
                        piece++;
                r = runs_add(runs, (struct damon_range) { start, next }, pieces[piece].try, false);
                if (r < 0)
                        return r;
        }
        return 0;
}

int runs_collect(struct runs *runs, const struct maps *maps, const struct advice *pieces, size_t nr,
                 uint64_t sz_block) {
        size_t mapping = 0;

        runs->nr = 0;
        for (size_t i = 0, next; i < nr; i = next) {
                struct damon_range whole = pieces[i].range;

                for (next = i + 1; next < nr && pieces[next].range.start == whole.end; next++)
                        whole.end = pieces[next].range.end;
                while (mapping < maps->nr && maps->ranges[mapping].end <= whole.start)
                        mapping++;
                for (size_t k = mapping; k < maps->nr && maps->ranges[k].start < whole.end; k++) {
                        struct damon_range part = {
                                MAX(whole.start, maps->ranges[k].start),
                                MIN(whole.end, maps->ranges[k].end),
                        };
                        int r = add_part(runs, part, pieces + i, next - i, sz_block);

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

void runs_credit(struct damon_range range, size_t try, struct damos_try *tries, size_t nr) {
        for (; try < nr && tries[try].range.start < range.end; try++) {
                uint64_t start = MAX(range.start, tries[try].range.start);
                uint64_t end = MIN(range.end, tries[try].range.end);

                if (start < end)
                        tries[try].sz_applied += end - start;
        }
}

int block_look(int pagemap_fd, uint64_t addr, uint64_t sz_block, uint64_t page_size,
               struct block *ret_block) {
        uint64_t nr = sz_block / page_size, entries[READ_MAX], first = 0;
        struct block block = { .huge = true };

        for (uint64_t done = 0; done < nr;) {
                int n = pagemap_read(pagemap_fd, addr + done * page_size, page_size, entries,
                                     MIN(nr - done, (uint64_t) READ_MAX));

                if (n <= 0)
                        return n == 0 ? -ESRCH : n;
                if (done == 0)
                        first = pagemap_pfn(entries[0]);
                for (uint64_t i = 0; i < (uint64_t) n; i++) {
                        block.nr_present += pagemap_present(entries[i]);
                        block.huge &= pagemap_present(entries[i]) &&
                                      pagemap_pfn(entries[i]) == first + done + i;
                }
                done += (uint64_t) n;
        }
        block.huge &= first % nr == 0;
        *ret_block = block;
        return 0;
}
