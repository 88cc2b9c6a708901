/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_PAGEOUT and what came of it: see pageout.h. */

#include "pageout.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "array.h"
#include "macro.h"
#include "pagemap.h"

/* Pages that are looked at, then paged out, then looked at again. */
#define BATCH_PAGES 16384

/* Fewer pages are read as fast as it takes to find out which of them are there. */
#define SCAN_PAGES_MIN 64

#define SCAN_PARTS 128
#define READ_PAGES 512

/* Free swap below this is none: each CPU keeps some for itself. */
#define SWAP_MIN (UINT64_C(1) << 20)

void pageout_done(struct pageout *pageout) {
        free(pageout->runs);
        free(pageout->entries);
        *pageout = (struct pageout) {};
}

static uint64_t free_swap(void) {
        struct sysinfo info;

        if (sysinfo(&info) < 0)
                return UINT64_MAX;
        return (uint64_t) info.freeswap * info.mem_unit;
}

/* -ENOMEM, or the address space has ended: there is nothing else that goes wrong with a page map. */
static int read_all(int pagemap_fd, struct damon_range range, uint64_t page_size, uint64_t *entries) {
        size_t nr = damon_range_size(&range) / page_size;
        int r = pagemap_read(pagemap_fd, range.start, page_size, entries, nr);

        if (r == -ENOMEM)
                return r;
        return r < 0 || (size_t) r < nr ? -ESRCH : 0;
}

/* Read on. Return: number of entries; 0 at the end of what is left; or a negative errno. */
static int read_next(int pagemap_fd, struct damon_range *left, uint64_t page_size,
                     uint64_t entries[static READ_PAGES]) {
        struct damon_range next = { left->start, MIN(left->end, left->start + READ_PAGES * page_size) };
        int r;

        if (next.start >= next.end)
                return 0;
        r = read_all(pagemap_fd, next, page_size, entries);
        if (r < 0)
                return r;
        left->start = next.end;
        return (int) (damon_range_size(&next) / page_size);
}

static int scan(struct pageout *pageout, int pagemap_fd, struct damon_range range,
                struct pagemap_region found[static SCAN_PARTS], uint64_t *ret_walked) {
        int r = -ENOTTY;

        if (!pageout->cannot_scan)
                r = pagemap_scan(pagemap_fd, range, found, SCAN_PARTS, 0, ret_walked);
        if (r == -ENOTTY) {
                /* as if everything were there */
                pageout->cannot_scan = true;
                found[0] = (struct pagemap_region) { .start = range.start, .end = range.end };
                *ret_walked = range.end;
                return 1;
        }
        return r < 0 && r != -ENOMEM ? -ESRCH : r;
}

static int add_run(struct pageout *pageout, int pagemap_fd, uint64_t page_size,
                   struct damon_range range, bool huge, size_t piece) {
        size_t nr = damon_range_size(&range) / page_size;
        int r;

        r = ARRAY_GROW(pageout->runs, pageout->sz_runs, pageout->nr_runs + 1);
        if (r < 0)
                return r;
        r = ARRAY_GROW(pageout->entries, pageout->sz_entries, pageout->nr_entries + nr);
        if (r < 0)
                return r;
        r = read_all(pagemap_fd, range, page_size, pageout->entries + pageout->nr_entries);
        if (r < 0)
                return r;
        pageout->runs[pageout->nr_runs++] = (struct advice_run) { range, piece, huge };
        pageout->nr_entries += nr;
        return 0;
}

/* Take note of what of a piece is in memory. */
static int look_at(struct pageout *pageout, int pagemap_fd, uint64_t page_size,
                   struct damon_range range, size_t piece) {
        struct pagemap_region found[SCAN_PARTS];

        if (damon_range_size(&range) / page_size < SCAN_PAGES_MIN)
                return add_run(pageout, pagemap_fd, page_size, range, false, piece);
        while (range.start < range.end) {
                uint64_t walked;
                int nr, r;

                nr = scan(pageout, pagemap_fd, range, found, &walked);
                if (nr < 0)
                        return nr;
                for (int i = 0; i < nr; i++) {
                        r = add_run(pageout, pagemap_fd, page_size,
                                    (struct damon_range) { found[i].start, found[i].end },
                                    pageout->cannot_scan || pagemap_is_huge(&found[i]), piece);
                        if (r < 0)
                                return r;
                }
                if (walked <= range.start)
                        return -ESRCH;
                range.start = walked;
        }
        return 0;
}

/* Look at as many pieces as make a batch. */
static int look_before(struct pageout *pageout, int pagemap_fd, uint64_t page_size,
                       const struct advice *pieces, size_t nr, size_t *ret_nr) {
        size_t n = 0;

        pageout->nr_runs = pageout->nr_entries = 0;
        while (n < nr && pageout->nr_entries < BATCH_PAGES) {
                int r = look_at(pageout, pagemap_fd, page_size, pieces[n].range, n);

                if (r < 0)
                        return r;
                n++;
        }
        *ret_nr = n;
        return 0;
}

/* Without swap, only pages of files can go: pieces without any are as good as refused. */
static void refuse_anonymous(const struct pageout *pageout, uint64_t page_size, struct advice *pieces,
                             size_t nr) {
        const uint64_t *entry = pageout->entries;

        for (size_t i = 0; i < nr; i++)
                pieces[i].error = ENOSPC;
        for (size_t i = 0; i < pageout->nr_runs; i++) {
                const struct advice_run *run = &pageout->runs[i];

                for (uint64_t n = damon_range_size(&run->range) / page_size; n > 0; n--, entry++)
                        if (pagemap_present(*entry) && (*entry & PAGEMAP_FILE))
                                pieces[run->piece].error = 0;
        }
}

/* Advise on the pieces that were not refused beforehand. */
static int advise_rest(int pidfd, struct advice *pieces, size_t nr, struct advice_limit *limit) {
        for (size_t i = 0, n; i < nr; i += n) {
                int r;

                for (n = 0; i + n < nr && pieces[i + n].error == 0; n++)
                        ;
                r = n > 0 ? advise(pidfd, MADV_PAGEOUT, pieces + i, n, limit) : 0;
                if (r < 0)
                        return r;
                n = MAX(n, (size_t) 1);
        }
        return 0;
}

static enum damos_refusal reason_of(uint64_t entry, const struct advice *piece) {
        if (piece->error == ENOSPC)
                return DAMOS_REFUSED_NO_SWAP;
        if (piece->error == EINVAL)
                return DAMOS_REFUSED_LOCKED;
        return entry & PAGEMAP_EXCLUSIVE ? DAMOS_REFUSED_OTHER : DAMOS_REFUSED_SHARED;
}

/* Return: bytes of anonymous memory that were refused, and nothing says why. */
static uint64_t compare_page(uint64_t before, uint64_t after, uint64_t page_size,
                             const struct advice *piece, struct damos_outcome *outcome) {
        enum damos_refusal reason;

        if (!pagemap_present(before))
                return 0;
        if (!pagemap_present(after)) {
                /* in transit, it is still there */
                if (!pagemap_in_transit(after))
                        outcome->sz_moved += page_size;
                return 0;
        }
        if (pagemap_pfn(before) != pagemap_pfn(after)) {
                outcome->sz_moved += page_size;
                outcome->sz_returned += page_size;
                return 0;
        }
        reason = reason_of(after, piece);
        outcome->sz_refused[reason] += page_size;
        return reason == DAMOS_REFUSED_OTHER && !(after & PAGEMAP_FILE) ? page_size : 0;
}

static int compare_run(const struct advice_run *run, const uint64_t *before, int pagemap_fd,
                       uint64_t page_size, const struct advice *piece, struct damos_outcome *outcome) {
        struct damon_range left = run->range;
        uint64_t entries[READ_PAGES], unexplained = 0;
        int n;

        if (advice_is_left(piece))
                left.end = MIN(left.end, piece->range.start + piece->sz_applied);
        while ((n = read_next(pagemap_fd, &left, page_size, entries)) > 0)
                for (int i = 0; i < n; i++)
                        unexplained += compare_page(*before++, entries[i], page_size, piece, outcome);
        if (n < 0)
                return n;
        /* it would not have fitted in what is left of swap */
        if (unexplained > 0 && free_swap() < SWAP_MIN + unexplained) {
                outcome->sz_refused[DAMOS_REFUSED_OTHER] -= unexplained;
                outcome->sz_refused[DAMOS_REFUSED_NO_SWAP] += unexplained;
        }
        return 0;
}

static int look_after(const struct pageout *pageout, int pagemap_fd, uint64_t page_size,
                      const struct advice *pieces, struct damos_try *tries) {
        const uint64_t *entries = pageout->entries;

        for (size_t i = 0; i < pageout->nr_runs; i++) {
                const struct advice_run *run = &pageout->runs[i];
                const struct advice *piece = &pieces[run->piece];
                struct damos_outcome outcome = {};
                int r;

                r = compare_run(run, entries, pagemap_fd, page_size, piece, &outcome);
                if (r < 0)
                        return r;
                damos_outcome_add(&tries[piece->try].outcome, &outcome);
                entries += damon_range_size(&run->range) / page_size;
        }
        return 0;
}

int pageout(struct pageout *pageout, int pidfd, int pagemap_fd, uint64_t page_size,
            struct advice *pieces, size_t nr, struct damos_try *tries, struct advice_limit *limit) {
        static const struct advice_run none;

        for (size_t i = 0, n; i < nr && !advice_is_late(limit); i += n) {
                int r;

                r = look_before(pageout, pagemap_fd, page_size, pieces + i, nr - i, &n);
                if (r < 0)
                        return r;
                if (free_swap() < SWAP_MIN)
                        refuse_anonymous(pageout, page_size, pieces + i, n);
                if (limit) {
                        limit->runs = pageout->nr_runs > 0 ? pageout->runs : &none;
                        limit->nr_runs = pageout->nr_runs;
                        limit->run = 0;
                }
                r = advise_rest(pidfd, pieces + i, n, limit);
                if (r < 0)
                        return r;
                r = look_after(pageout, pagemap_fd, page_size, pieces + i, tries);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int count_read(int pagemap_fd, uint64_t page_size, struct damon_range range, uint64_t *ret_size) {
        uint64_t entries[READ_PAGES], size = 0;
        int n;

        while ((n = read_next(pagemap_fd, &range, page_size, entries)) > 0)
                for (int i = 0; i < n; i++)
                        size += pagemap_present(entries[i]) ? page_size : 0;
        if (n < 0)
                return n;
        *ret_size = size;
        return 0;
}

int pageout_present(struct pageout *pageout, int pagemap_fd, uint64_t page_size,
                    struct damon_range range, uint64_t *ret_size) {
        uint64_t size = 0;

        while (range.start < range.end) {
                struct pagemap_region found[SCAN_PARTS];
                uint64_t walked;
                int nr = scan(pageout, pagemap_fd, range, found, &walked);

                if (nr < 0)
                        return nr;
                if (pageout->cannot_scan)
                        return count_read(pagemap_fd, page_size, range, ret_size);
                if (walked <= range.start)
                        return -ESRCH;
                for (int i = 0; i < nr; i++)
                        size += found[i].end - found[i].start;
                range.start = walked;
        }
        *ret_size = size;
        return 0;
}
