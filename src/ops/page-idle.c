/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations set "page_idle": see page-idle.h. How it samples is in sampler.c; here are its targets,
 * their mappings, and what is done to them.
 */

#include "page-idle.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "advise.h"
#include "array.h"
#include "clock.h"
#include "huge.h"
#include "kpageflags.h"
#include "macro.h"
#include "maps.h"
#include "pagemap.h"
#include "pageout.h"
#include "sampler.h"
#include "sieve.h"
#include "watched.h"

/* Share of a CPU that walks over page tables may take, and how much of it may be saved up. */
#define WALK_SHARE 1000
#define WALK_CREDIT_MAX INT64_C(10000000)

struct page_idle {
        struct damon_ops ops;
        struct page_idle_files files;
        bool dry_run;
        uint64_t action_time;           /* nanoseconds */
        uint64_t update_time;           /* nanoseconds */
        int64_t walk_credit;            /* CPU time for walks over page tables, nanoseconds */
        uint64_t walked_at;             /* CLOCK_MONOTONIC, nanoseconds */
        bool cannot_walk;               /* the kernel has no PAGEMAP_SCAN */
        struct sampler sampler;

        /* kept so that a tick needs no allocation */
        struct maps maps;
        struct advice *pieces;
        size_t nr_pieces, sz_pieces;
        struct huge huge;
        uint64_t sz_piece_max;
        struct sieve sieve;
        struct pageout pageout;
        struct advice_limit limit;      /* of the last advice that had one */
};

static int page_idle_mark(void *data, struct damon_sample *samples, size_t nr) {
        struct page_idle *page_idle = data;

        return sampler_mark(&page_idle->sampler, &page_idle->files, samples, nr);
}

static int page_idle_check(void *data, struct damon_sample *samples, size_t nr) {
        struct page_idle *page_idle = data;

        return sampler_check(&page_idle->sampler, &page_idle->files, samples, nr);
}

/*
 * Read the mappings of a target. What goes wrong with one process's file is no failure of
 * the operations: the target is given up.
 */
static int read_maps(struct page_idle *page_idle, struct damon_target *target) {
        const struct process *process = process_of(target);
        int r;

        r = maps_read(&page_idle->maps, process->dir_fd);
        if (r == -ENOMEM)
                return r;
        /* A process without mappings is about to end. */
        if (r < 0 || page_idle->maps.nr == 0 ||
            !process_is_current(process, page_idle->maps.ranges[0].start,
                                page_idle->files.page_size))
                target->gone = true;
        return 0;
}

static int page_idle_mappings(void *data, struct damon_target *target,
                              const struct damon_range **ret_mappings, size_t *ret_nr) {
        struct page_idle *page_idle = data;
        uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        int r;

        r = read_maps(page_idle, target);
        page_idle->update_time += clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        if (r < 0)
                return r;
        *ret_mappings = page_idle->maps.ranges;
        *ret_nr = page_idle->maps.nr;
        return 0;
}

static int page_idle_resident(void *data, struct damon_target *target,
                              const struct damon_range **ret_ranges, size_t *ret_nr) {
        struct page_idle *page_idle = data;
        struct watched *watched = target->ops_data;
        uint64_t now = clock_ns(CLOCK_MONOTONIC), start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        bool known;
        int r = 0;

        page_idle->walk_credit += (int64_t) ((now - page_idle->walked_at) / WALK_SHARE);
        page_idle->walk_credit = MIN(page_idle->walk_credit, WALK_CREDIT_MAX);
        page_idle->walked_at = now;

        if (!page_idle->cannot_walk)
                r = resident_update(&watched->resident, watched->process.pagemap_fd, &target->regions,
                                    now, &page_idle->walk_credit);
        page_idle->update_time += clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        if (r == -ENOMEM)
                return r;
        if (r == -ESRCH)
                target->gone = true;
        else if (r == -ENOTTY)
                page_idle->cannot_walk = true;
        known = r >= 0 && watched->resident.known && !page_idle->cannot_walk;
        *ret_ranges = known ? watched->resident.ranges : NULL;
        *ret_nr = known ? watched->resident.nr : 0;
        return 0;
}

/* How far into its folio a page lies. Return: pages, 0 for a single page or a head. */
static uint64_t offset_in_folio(struct page_idle *page_idle, const struct process *process,
                                uint64_t addr) {
        uint64_t entry, head, flags;

        if (pagemap_read(process->pagemap_fd, addr, page_idle->files.page_size, &entry, 1) != 1 ||
            !pagemap_present(entry) ||
            kpageflags_head(page_idle->files.kpageflags_fd, pagemap_pfn(entry), &head, &flags) < 0)
                return 0;
        return pagemap_pfn(entry) - head;
}

/*
 * Cold and pageout split a large folio that they are given a part of (mm/madvise.c,
 * Linux 6.12), and a folio has one idle flag only: if a part of it is outside of what is to
 * be acted on, nothing says that the part inside is cold. Such folios are left out.
 *
 * Return: the address from which on no folio reaches below @range.
 */
static uint64_t behind_split_folio(struct page_idle *page_idle, const struct process *process,
                                   const struct damon_range *range) {
        uint64_t page_size = page_idle->files.page_size;
        uint64_t start = range->start, offset;

        while (start < range->end && (offset = offset_in_folio(page_idle, process, start)) > 0) {
                uint64_t sz_folio = page_size;

                /* at least this large; if it is larger, the next round goes on */
                while (sz_folio <= offset * page_size)
                        sz_folio *= 2;
                start += sz_folio - offset * page_size;
        }
        return MIN(start, range->end);
}

/* Return: the address up to which no folio reaches beyond @range. */
static uint64_t before_split_folio(struct page_idle *page_idle, const struct process *process,
                                   const struct damon_range *range) {
        uint64_t inside = offset_in_folio(page_idle, process, range->end) * page_idle->files.page_size;

        return range->end - MIN(inside, damon_range_size(range));
}

/* Cut a part of a mapping into pieces that a call takes. */
static int add_pieces(struct page_idle *page_idle, struct damon_range part, const struct damos_try *tries,
                      size_t try) {
        for (uint64_t start = part.start, next; start < part.end; start = next) {
                int r = ARRAY_GROW(page_idle->pieces, page_idle->sz_pieces, page_idle->nr_pieces + 1);

                if (r < 0)
                        return r;
                next = MIN(part.end, start + page_idle->sz_piece_max);
                page_idle->pieces[page_idle->nr_pieces++] = (struct advice) {
                        .range = { start, next },
                        .try = try,
                        .sz_filtered = tries[try].sz_filtered,
                        .sz_split = tries[try].outcome.sz_refused[DAMOS_REFUSED_SPLIT],
                };
        }
        return 0;
}

/* Add what filters let through of a part of a mapping, and count what they do not. */
static int add_filtered(struct page_idle *page_idle, const struct mapping *mapping, struct damon_range part,
                        struct damos_try *tries, size_t try) {
        struct sieve *sieve = &page_idle->sieve;
        uint64_t behind = part.start;
        int r;

        r = sieve_range(sieve, mapping, part);
        if (r < 0)
                return r;
        for (size_t i = 0; i < sieve->nr_passed; i++) {
                tries[try].sz_filtered += sieve->passed[i].start - behind;
                behind = sieve->passed[i].end;
                r = add_pieces(page_idle, sieve->passed[i], tries, try);
                if (r < 0)
                        return r;
        }
        tries[try].sz_filtered += part.end - behind;
        return 0;
}

/* Cut a range into parts that lie inside one mapping each. @mapping goes on with the tries. */
static int add_parts(struct page_idle *page_idle, struct damon_range range, struct damos_try *tries,
                     size_t try, size_t *mapping) {
        const struct maps *maps = &page_idle->maps;

        while (*mapping < maps->nr && maps->ranges[*mapping].end <= range.start)
                (*mapping)++;
        for (size_t i = *mapping; i < maps->nr && maps->ranges[i].start < range.end; i++) {
                struct damon_range part = {
                        MAX(range.start, maps->ranges[i].start), MIN(range.end, maps->ranges[i].end),
                };
                int r = tries[try].filters ?
                        add_filtered(page_idle, &maps->mappings[i], part, tries, try) :
                        add_pieces(page_idle, part, tries, try);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* What of a range is in memory, and was left out so as not to split a folio. */
static int count_left_out(struct page_idle *page_idle, const struct process *process,
                          struct damon_range range, struct damos_try *try) {
        uint64_t size;
        int r;

        if (range.start >= range.end)
                return 0;
        r = pageout_present(&page_idle->pageout, process->pagemap_fd, page_idle->files.page_size, range,
                            &size);
        if (r >= 0)
                try->outcome.sz_refused[DAMOS_REFUSED_SPLIT] += size;
        return r;
}

static int collect_pieces(struct page_idle *page_idle, const struct process *process,
                          enum damos_action action, struct damos_try *tries, size_t nr) {
        bool looks = action == DAMOS_PAGEOUT && !page_idle->dry_run;
        size_t mapping = 0;
        bool begun = false;             /* the run of adjoining tries has passed its first folio */
        uint64_t border = 0;

        page_idle->nr_pieces = 0;
        page_idle->sz_piece_max = looks ? PAGEOUT_PIECE_MAX : ADVISE_PIECE_MAX;
        for (size_t i = 0; i < nr; i++) {
                struct damon_range range = tries[i].range;
                int r;

                if (damos_lets_go(action)) {
                        /* A folio on the border of two tries goes with the second one, whole. */
                        bool goes_on = i + 1 < nr && tries[i + 1].range.start == range.end;

                        begun = begun && i > 0 && tries[i - 1].range.end == range.start;
                        range.start = begun ? border : behind_split_folio(page_idle, process, &range);
                        begun = range.start < range.end;
                        range.end = before_split_folio(page_idle, process, &range);
                        border = range.end;
                        r = looks ? count_left_out(page_idle, process, (struct damon_range) {
                                        tries[i].range.start, range.start }, &tries[i]) : 0;
                        if (r >= 0)
                                r = add_parts(page_idle, range, tries, i, &mapping);
                        if (r >= 0 && looks && begun && !goes_on)
                                r = count_left_out(page_idle, process, (struct damon_range) {
                                        border, tries[i].range.end }, &tries[i]);
                } else
                        r = add_parts(page_idle, range, tries, i, &mapping);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What there was no time for is left of the tries, and nothing is known of it. */
static void leave_rest(const struct page_idle *page_idle, struct damos_try *tries, size_t nr) {
        const struct advice *piece = page_idle->pieces, *end = piece + page_idle->nr_pieces;
        uint64_t stop;

        while (piece < end && !advice_is_left(piece))
                piece++;
        if (piece == end)
                return;
        stop = piece->range.start + piece->sz_applied;
        tries[piece->try].sz_filtered = piece->sz_filtered;
        tries[piece->try].outcome.sz_refused[DAMOS_REFUSED_SPLIT] = piece->sz_split;
        for (size_t i = piece->try; i < nr; i++)
                tries[i].sz_left = tries[i].range.end - MAX(tries[i].range.start, stop);
}

static int apply_huge(struct page_idle *page_idle, struct damon_target *target,
                      enum damos_action action, struct damos_try *tries, size_t nr) {
        uint64_t cpu = page_idle->huge.stat.inject.cpu;
        struct watched *watched = target->ops_data;
        int r;

        r = huge_apply(&page_idle->huge, &watched->huge, &watched->process, target->pid, &page_idle->maps,
                       action, page_idle->pieces, page_idle->nr_pieces, tries, nr);
        /* of another thread than this one, whose time is counted by the caller */
        page_idle->action_time += page_idle->huge.stat.inject.cpu - cpu;
        if (r == -ESRCH)
                target->gone = true;
        return r == -ESRCH || r == -EACCES ? 0 : r;
}

static int begin_sieve(struct page_idle *page_idle, const struct damon_target *target,
                       const struct damos_try *tries, size_t nr) {
        for (size_t i = 0; i < nr; i++)
                if (tries[i].filters)
                        return sieve_begin(&page_idle->sieve, &page_idle->files, process_of(target),
                                           target->name, tries[i].filters);
        return 0;
}

/* Advice that may have to wait for a device is given for so long only. */
static int advise_now(struct page_idle *page_idle, const struct process *process, enum damos_action action,
                      struct damos_try *tries, uint64_t time) {
        struct advice_limit *limit = NULL;

        if (action == DAMOS_COLD)
                return advise(process->pidfd, MADV_COLD, page_idle->pieces, page_idle->nr_pieces, NULL);
        if (time < UINT64_MAX) {
                page_idle->limit = advice_limit(time, &page_idle->limit);
                limit = &page_idle->limit;
        }
        if (action == DAMOS_WILLNEED)
                return advise(process->pidfd, MADV_WILLNEED, page_idle->pieces, page_idle->nr_pieces, limit);
        return pageout(&page_idle->pageout, process->pidfd, process->pagemap_fd, page_idle->files.page_size,
                       page_idle->pieces, page_idle->nr_pieces, tries, limit);
}

static int apply_now(struct page_idle *page_idle, struct damon_target *target,
                     enum damos_action action, struct damos_try *tries, size_t nr, uint64_t limit) {
        const struct process *process = process_of(target);
        int r;

        assert(page_idle->ops.actions & DAMOS_ACTION_BIT(action));

        /* Right before acting: is this still the process, and the program, that was watched? */
        r = read_maps(page_idle, target);
        if (r < 0 || target->gone)
                return r;
        r = begin_sieve(page_idle, target, tries, nr);
        if (r < 0)
                return r;
        r = collect_pieces(page_idle, process, action, tries, nr);
        if (r >= 0)
                r = sieve_end(&page_idle->sieve);
        if (r == -ESRCH)
                target->gone = true;
        if (r < 0 || page_idle->dry_run || action == DAMOS_STAT)
                return r == -ESRCH ? 0 : r;
        if (HUGE_ACTIONS & DAMOS_ACTION_BIT(action))
                return apply_huge(page_idle, target, action, tries, nr);

        r = advise_now(page_idle, process, action, tries, limit);
        if (r == -ESRCH)
                target->gone = true;
        if (r >= 0)
                leave_rest(page_idle, tries, nr);
        for (size_t i = 0; i < page_idle->nr_pieces; i++)
                tries[page_idle->pieces[i].try].sz_applied += page_idle->pieces[i].sz_applied;
        /* A security module may protect this one process; what all of them lack was found out
         * by page_idle_files_open(). */
        return r == -ESRCH || r == -EACCES ? 0 : r;
}

static int page_idle_apply(void *data, struct damon_target *target, enum damos_action action,
                           struct damos_try *tries, size_t nr, uint64_t limit, uint64_t *ret_time) {
        struct page_idle *page_idle = data;
        uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), began = clock_ns(CLOCK_MONOTONIC);
        int r;

        r = apply_now(page_idle, target, action, tries, nr, limit);
        page_idle->action_time += clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        *ret_time = clock_ns(CLOCK_MONOTONIC) - began;
        return r;
}

static int page_idle_present(void *data, struct damon_target *target, struct damon_range range,
                             uint64_t *ret_size) {
        struct page_idle *page_idle = data;
        uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        int r;

        r = pageout_present(&page_idle->pageout, process_of(target)->pagemap_fd,
                            page_idle->files.page_size, range, ret_size);
        page_idle->action_time += clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        if (r == -ESRCH)
                target->gone = true;
        return r == -ESRCH ? 0 : r;
}

static void watched_free(struct watched *watched) {
        process_close(&watched->process);
        resident_done(&watched->resident);
        huge_target_done(&watched->huge);
        free(watched);
}

static void page_idle_target_release(void *data, struct damon_target *target) {
        watched_free(target->ops_data);
        target->ops_data = NULL;
}

int page_idle_new(struct page_idle **ret_page_idle, const struct damon_ops **ret_ops,
                  const struct page_idle_files *files, bool dry_run) {
        struct page_idle *page_idle = calloc(1, sizeof(*page_idle));

        if (!page_idle)
                return -ENOMEM;
        page_idle->files = *files;
        page_idle->dry_run = dry_run;
        page_idle->huge = (struct huge) {
                .page_size = files->page_size, .sz_block = files->huge_size, .nr_maps_max = files->nr_maps_max,
        };
        page_idle->ops = (struct damon_ops) {
                .name = "page_idle",
                .actions = page_idle_actions(),
                .filters = SIEVE_FILTERS,
                .page_size = files->page_size,
                .dry_run = dry_run,
                .mappings = page_idle_mappings,
                .resident = page_idle_resident,
                .mark = page_idle_mark,
                .check = page_idle_check,
                .apply = page_idle_apply,
                .present = page_idle_present,
                .target_release = page_idle_target_release,
        };
        *ret_ops = &page_idle->ops;
        *ret_page_idle = page_idle;
        return 0;
}

struct page_idle *page_idle_free(struct page_idle *page_idle) {
        if (!page_idle)
                return NULL;
        maps_done(&page_idle->maps);
        huge_done(&page_idle->huge);
        sieve_done(&page_idle->sieve);
        free(page_idle->pieces);
        pageout_done(&page_idle->pageout);
        free(page_idle);
        return NULL;
}

int page_idle_target_new(struct page_idle *page_idle, const char *name, pid_t pid,
                         struct damon_target **ret_target) {
        struct watched *watched = calloc(1, sizeof(*watched));
        struct damon_target *target;
        int r;

        if (!watched)
                return -ENOMEM;
        r = process_open(&watched->process, page_idle->files.proc_fd, pid);
        if (r < 0) {
                free(watched);
                return r;
        }
        r = damon_target_new(&target, name, pid);
        if (r < 0) {
                watched_free(watched);
                return r;
        }
        target->ops_data = watched;
        *ret_target = target;
        return 0;
}

void page_idle_target_free(struct damon_target *target) {
        page_idle_target_release(NULL, target);
        damon_target_free(target);
}

int page_idle_target_pidfd(const struct damon_target *target) {
        const struct process *process = process_of(target);

        return process->pidfd;
}

uint64_t page_idle_target_start_time(const struct damon_target *target) {
        const struct process *process = process_of(target);

        return process->image.start_time;
}

uint32_t page_idle_actions(void) {
        return PAGE_IDLE_ACTIONS | huge_actions();
}

const struct huge_stat *page_idle_huge_stat(const struct page_idle *page_idle) {
        return &page_idle->huge.stat;
}

uint64_t page_idle_action_time(const struct page_idle *page_idle) {
        return page_idle->action_time;
}

uint64_t page_idle_update_time(const struct page_idle *page_idle) {
        return page_idle->update_time;
}
