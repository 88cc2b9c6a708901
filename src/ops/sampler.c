/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marking and checking: see sampler.h. Only bits of sampled pages are ever written, and a tick's checks
 * are all done before its first mark (the engine's order), so that no target's marks are taken for
 * another's.
 */

#include "sampler.h"

#include <assert.h>

#include "clock.h"
#include "kpageflags.h"
#include "macro.h"
#include "pagemap.h"
#include "sort.h"
#include "watched.h"

/* Entries that one read of pagemap may cover: a 2 MiB block of 4 KiB pages. */
#define PAGEMAP_READ_MAX 512

/* damon_sample.state: what is known of a sample's page between mark and check */
enum sample_state {
        SAMPLE_UNKNOWN,                 /* could not be marked */
        SAMPLE_ABSENT,                  /* there was no page */
        SAMPLE_MARKED,                  /* page[FRAME] was there, page[HEAD] was marked */
};

/* damon_sample.page */
enum {
        FRAME,
        HEAD,
};

/* A head page that a sample marks or reads, and the number of the sample in its batch. */
typedef uint64_t frame_t;

static_assert(PAGEMAP_PFN_MASK <= UINT64_MAX >> SAMPLER_BATCH_BITS, "no room for the number of a sample");

static uint64_t frame_head(frame_t frame) {
        return frame >> SAMPLER_BATCH_BITS;
}

static size_t frame_sample(frame_t frame) {
        return frame % SAMPLER_BATCH_MAX;
}

/* Read the entries of @samples[0], and of as many behind it as come cheaply with it. */
static int read_entry_run(const struct page_idle_files *files, const struct damon_sample *samples, size_t nr,
                          uint64_t *entries, size_t *ret_nr) {
        struct damon_target *target = samples[0].target;
        const struct process *process = process_of(target);
        uint64_t buf[PAGEMAP_READ_MAX];
        uint64_t first = samples[0].addr / files->page_size;
        uint64_t last = first;
        size_t n = 1;
        int r;

        for (; n < nr && samples[n].target == target; n++) {
                uint64_t page = samples[n].addr / files->page_size;

                if (page < last || page - last > files->pagemap_run ||
                    page - first >= PAGEMAP_READ_MAX)
                        break;
                last = page;
        }
        r = pagemap_read(process->pagemap_fd, samples[0].addr, files->page_size, buf,
                         last - first + 1);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || (uint64_t) r < last - first + 1)
                target->gone = true;
        else
                for (size_t i = 0; i < n; i++)
                        entries[i] = buf[samples[i].addr / files->page_size - first];
        *ret_nr = n;
        return 0;
}

static int read_entries(struct sampler *sampler, const struct page_idle_files *files,
                        const struct damon_sample *samples, size_t nr) {
        int r;

        for (size_t i = 0, n; i < nr; i += n) {
                if (samples[i].target->gone) {
                        n = 1;
                        continue;
                }
                r = read_entry_run(files, samples + i, nr - i, sampler->entries + i, &n);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void add_frame(struct sampler *sampler, uint64_t head, size_t sample) {
        sampler->frames[sampler->nr_frames++] = head << SAMPLER_BATCH_BITS | sample;
}

/* Sort the frames, and collect the bitmap words that they lie in, with their bits. */
static void collect_words(struct sampler *sampler) {
        struct bitmap_word *word = NULL;

        sort_u64(sampler->frames, sampler->scratch, sampler->nr_frames);
        sampler->nr_words = 0;
        for (size_t i = 0; i < sampler->nr_frames; i++) {
                uint64_t head = frame_head(sampler->frames[i]);

                if (!word || word->index != head / 64) {
                        word = &sampler->words[sampler->nr_words++];
                        *word = (struct bitmap_word) { .index = head / 64 };
                }
                word->bits |= UINT64_C(1) << (head % 64);
        }
}

/* Find the page to mark for a sample, if there is one that can be marked. */
static int prepare_sample(struct sampler *sampler, const struct page_idle_files *files,
                          struct damon_sample *sample, uint64_t entry, size_t i) {
        uint64_t head, flags;
        int r;

        sample->state = SAMPLE_UNKNOWN;
        if (!pagemap_present(entry)) {
                if (!pagemap_in_transit(entry))
                        sample->state = SAMPLE_ABSENT;
                return 0;
        }
        /* A page that is not on the LRU, like one just faulted in, would not take the mark, and
         * then look accessed: it has to be looked at before. */
        r = kpageflags_head(files->kpageflags_fd, pagemap_pfn(entry), &head, &flags);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (!kpageflags_markable(flags))
                return 0;
        sample->state = SAMPLE_MARKED;
        sample->page[FRAME] = pagemap_pfn(entry);
        sample->page[HEAD] = head;
        add_frame(sampler, head, i);
        return 0;
}

/*
 * Judge a sample as far as its page map entry goes; what only the bitmap can say becomes a
 * frame.
 */
static int judge_entry(struct sampler *sampler, const struct page_idle_files *files,
                       struct damon_sample *sample, uint64_t entry, size_t i) {
        uint64_t head = sample->page[HEAD], flags;
        int r;

        if (sample->state == SAMPLE_UNKNOWN)
                return 0;
        if (!pagemap_present(entry)) {
                if (!pagemap_in_transit(entry))
                        sample->outcome = sample->state == SAMPLE_ABSENT ? DAMON_ABSENT : DAMON_IDLE;
                return 0;
        }
        if (sample->state == SAMPLE_MARKED && pagemap_pfn(entry) == sample->page[FRAME]) {
                add_frame(sampler, head, i);
                return 0;
        }

        /* Another page than at the mark: where there was none, a fault has brought it. A page
         * that was moved has taken its idle flag along (folio_migrate_flags(), mm/migrate.c). */
        r = kpageflags_head(files->kpageflags_fd, pagemap_pfn(entry), &head, &flags);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (!kpageflags_markable(flags))
                return 0;
        if (sample->state == SAMPLE_ABSENT) {
                sample->outcome = DAMON_ACCESSED;
                return 0;
        }
        add_frame(sampler, head, i);
        return 0;
}

/*
 * Look up the page of each sample, let @look say what it means, and collect the bitmap words of
 * the frames that came of it.
 */
static int look_up(struct sampler *sampler, const struct page_idle_files *files, struct damon_sample *samples,
                   size_t nr,
                   int (*look)(struct sampler *sampler, const struct page_idle_files *files,
                               struct damon_sample *sample, uint64_t entry, size_t i)) {
        int r;

        r = read_entries(sampler, files, samples, nr);
        if (r < 0)
                return r;
        sampler->nr_frames = 0;
        for (size_t i = 0; i < nr; i++) {
                if (samples[i].target->gone)
                        continue;
                r = look(sampler, files, &samples[i], sampler->entries[i], i);
                if (r < 0)
                        return r;
        }
        collect_words(sampler);
        return 0;
}

/* Judge a sample by the idle flag of its page: the last rows of the decision table. */
static int judge_flag(const struct sampler *sampler, const struct page_idle_files *files,
                      struct damon_sample *sample, uint64_t entry, uint64_t head,
                      const struct bitmap_word *word) {
        uint64_t flags;
        int r;

        if (!word->valid)
                return 0;
        if (word->bits >> (head % 64) & 1) {
                if (!sampler->distrust)
                        sample->outcome = DAMON_IDLE;
                return 0;
        }
        /* A page without the flag was accessed only if it is the marked one, and still one that
         * has a flag. */
        if (pagemap_pfn(entry) != sample->page[FRAME])
                return 0;
        r = kpageflags_read(files->kpageflags_fd, head, &flags);
        if (r < 0)
                return r;
        if (kpageflags_markable(flags))
                sample->outcome = DAMON_ACCESSED;
        return 0;
}

static int mark_batch(struct sampler *sampler, const struct page_idle_files *files,
                      struct damon_sample *samples, size_t nr) {
        const struct bitmap_word *word = sampler->words;
        int r;

        r = look_up(sampler, files, samples, nr, prepare_sample);
        if (r < 0)
                return r;
        r = bitmap_mark(files->bitmap_fd, sampler->words, sampler->nr_words);
        if (r < 0)
                return r;
        for (size_t i = 0; i < sampler->nr_frames; i++) {
                word += frame_head(sampler->frames[i]) / 64 != word->index;
                if (!word->valid)
                        samples[frame_sample(sampler->frames[i])].state = SAMPLE_UNKNOWN;
        }
        return 0;
}

int sampler_mark(struct sampler *sampler, const struct page_idle_files *files, struct damon_sample *samples,
                 size_t nr) {
        sampler->marked_at = clock_ns(CLOCK_MONOTONIC);
        for (size_t i = 0; i < nr; i += SAMPLER_BATCH_MAX) {
                int r = mark_batch(sampler, files, samples + i, MIN(nr - i, SAMPLER_BATCH_MAX));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_batch(struct sampler *sampler, const struct page_idle_files *files,
                       struct damon_sample *samples, size_t nr) {
        const struct bitmap_word *word = sampler->words;
        uint64_t now;
        int r;

        r = look_up(sampler, files, samples, nr, judge_entry);
        if (r < 0)
                return r;
        r = bitmap_read(files->bitmap_fd, sampler->words, sampler->nr_words);
        if (r < 0)
                return r;
        now = clock_ns(CLOCK_MONOTONIC);
        reclaim_update(&sampler->reclaim, files->lru_gen_fd, files->vmstat_fd,
                       now);
        sampler->distrust = reclaim_hides(&sampler->reclaim, now - sampler->marked_at);
        for (size_t i = 0; i < sampler->nr_frames; i++) {
                size_t sample = frame_sample(sampler->frames[i]);
                uint64_t head = frame_head(sampler->frames[i]);

                word += head / 64 != word->index;
                r = judge_flag(sampler, files, &samples[sample], sampler->entries[sample], head,
                               word);
                if (r < 0)
                        return r;
        }
        return 0;
}

int sampler_check(struct sampler *sampler, const struct page_idle_files *files, struct damon_sample *samples,
                  size_t nr) {
        for (size_t i = 0; i < nr; i++)
                samples[i].outcome = DAMON_UNKNOWN;
        for (size_t i = 0; i < nr; i += SAMPLER_BATCH_MAX) {
                int r = check_batch(sampler, files, samples + i, MIN(nr - i, SAMPLER_BATCH_MAX));

                if (r < 0)
                        return r;
        }
        return 0;
}
