/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters that need a look: see sieve.h. */

#include "sieve.h"

#include <string.h>

#include "array.h"
#include "kpageflags.h"
#include "macro.h"
#include "pagemap.h"
#include "root.h"

/* Entries or flags that are read at once: a 2 MiB block of 4 KiB pages. */
#define BLOCK_PAGES 512

/* What is known of one mapping while its pages are looked at. */
struct look {
        bool anonymous;                 /* it is of no file */
        enum damos_answer in_file;      /* pages that are not anonymous are of a file */
};

void sieve_done(struct sieve *sieve) {
        free(sieve->cgroups);
        free(sieve->name);
        free(sieve->passed);
        *sieve = (struct sieve) {};
}

/*
 * The control group that memory is charged to: "HIERARCHY:CONTROLLERS:PATH", where the second
 * version's has no controllers.
 */
static const char *find_memcg(char *cgroups) {
        char *rest = NULL, *found = NULL;

        for (char *line = strtok_r(cgroups, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                char *controllers = strchr(line, ':'), *path;

                path = controllers ? strchr(++controllers, ':') : NULL;
                if (!path)
                        continue;
                *path++ = '\0';
                if (strcmp(controllers, "memory") == 0)
                        return path;
                if (controllers[0] == '\0')
                        found = path;
        }
        return found;
}

int sieve_begin(struct sieve *sieve, const struct page_idle_files *files, const struct process *process,
                const char *target, const struct damos_filters *filters) {
        sieve->files = files;
        sieve->process = process;
        sieve->filters = filters;
        sieve->memcg = NULL;
        sieve->facts = (struct damos_facts) { .target = target };
        sieve->folio = (struct sieve_folio) {};
        sieve->word = (struct bitmap_word) {};
        sieve->young = 0;
        if (damos_filters_types(filters) & DAMOS_FILTER_BIT(DAMOS_FILTER_MEMCG)) {
                int r = root_read_all(process->dir_fd, "cgroup", &sieve->cgroups, &sieve->sz_cgroups);

                if (r == -ENOMEM)
                        return r;
                if (r >= 0)
                        sieve->memcg = find_memcg(sieve->cgroups);
        }
        return 0;
}

static int mark_young(struct sieve *sieve) {
        struct bitmap_word word = { .index = sieve->word.index, .bits = sieve->young };

        if (word.bits == 0)
                return 0;
        sieve->young = 0;
        return bitmap_mark(sieve->files->bitmap_fd, &word, 1);
}

int sieve_end(struct sieve *sieve) {
        return mark_young(sieve);
}

/* The name without what is said of a file that is not there any more. */
static int copy_name(struct sieve *sieve, const struct mapping *mapping) {
        static const char deleted[] = " (deleted)";
        size_t length = mapping->length, nr_deleted = strlen(deleted);
        int r;

        if (length > nr_deleted && memcmp(mapping->name + length - nr_deleted, deleted, nr_deleted) == 0)
                length -= nr_deleted;
        r = ARRAY_GROW(sieve->name, sieve->sz_name, length + 1);
        if (r < 0)
                return r;
        memcpy(sieve->name, mapping->name, length);
        sieve->name[length] = '\0';
        return 0;
}

/* Shared memory that has no file beside it: shmem_zero_setup(), newseg() and memfd_create(2). */
static bool is_shmem_name(const char *name) {
        static const char *const begins[] = { "/dev/zero", "/SYSV", "/memfd:", "/dev/shm/", "[anon_shmem:" };

        for (size_t i = 0; i < ELEMENTSOF(begins); i++)
                if (strncmp(name, begins[i], strlen(begins[i])) == 0)
                        return true;
        return false;
}

/* What the line of the mapping tells: all there is to know of a private mapping of no file. */
static void learn_mapping(struct sieve *sieve, const struct mapping *mapping, struct look *look) {
        struct damos_facts *facts = &sieve->facts;

        look->anonymous = !mapping->shared && (sieve->name[0] == '\0' || sieve->name[0] == '[');
        look->in_file = DAMOS_UNKNOWN;
        *facts = (struct damos_facts) {
                .target = facts->target,
                .memcg = sieve->memcg,
                .mapping = sieve->name,
                .anon = look->anonymous ? DAMOS_YES : mapping->shared ? DAMOS_NO : DAMOS_UNKNOWN,
                .file = look->anonymous ? DAMOS_NO : DAMOS_UNKNOWN,
                .shared = mapping->shared ? DAMOS_YES : DAMOS_UNKNOWN,
        };
}

/* A folio is as large as a power of two, and whatever is behind it is no tail. */
static int count_pages(int kpageflags_fd, uint64_t head, uint64_t *ret_nr) {
        uint64_t nr = 1, flags;

        for (;; nr *= 2) {
                int r = kpageflags_read(kpageflags_fd, head + nr, &flags);

                if (r < 0)
                        return r;
                if (!(flags & KPF_COMPOUND_TAIL))
                        break;
        }
        *ret_nr = nr;
        return 0;
}

/* Return: whether the folio of a page is known now, or a negative errno. */
static int look_at_folio(struct sieve *sieve, uint64_t pfn) {
        struct sieve_folio *folio = &sieve->folio, found = { .nr = 1 };
        int r;

        if (pfn - folio->head < folio->nr)
                return true;
        r = kpageflags_head(sieve->files->kpageflags_fd, pfn, &found.head, &found.flags);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (found.flags & KPF_COMPOUND_HEAD) {
                r = count_pages(sieve->files->kpageflags_fd, found.head, &found.nr);
                if (r < 0)
                        return r;
        }
        *folio = found;
        return true;
}

/* Whether the folio that was looked at was accessed. */
static int look_at_idle_flag(struct sieve *sieve) {
        struct sieve_folio *folio = &sieve->folio;
        uint64_t bit = UINT64_C(1) << (folio->head % 64);
        int r;

        if (folio->young != DAMOS_UNKNOWN || !kpageflags_markable(folio->flags))
                return 0;
        if (!sieve->word.valid || sieve->word.index != folio->head / 64) {
                r = mark_young(sieve);
                if (r < 0)
                        return r;
                sieve->word = (struct bitmap_word) { .index = folio->head / 64 };
                r = bitmap_read(sieve->files->bitmap_fd, &sieve->word, 1);
                if (r < 0)
                        return r;
        }
        if (!sieve->word.valid)
                return 0;
        folio->young = sieve->word.bits & bit ? DAMOS_NO : DAMOS_YES;
        if (folio->young == DAMOS_YES)
                sieve->young |= bit;
        return 0;
}

/* What is not in memory is what its mapping is of, but for a page that was copied, and is in swap. */
static void learn_absent(const struct look *look, uint64_t entry, struct damos_facts *facts, const char *name) {
        bool anon = look->anonymous || (entry & PAGEMAP_SWAPPED);

        facts->anon = anon ? DAMOS_YES : DAMOS_NO;
        facts->file = anon || (look->in_file == DAMOS_UNKNOWN && is_shmem_name(name)) ? DAMOS_NO :
                      look->in_file == DAMOS_UNKNOWN ? DAMOS_YES : look->in_file;
        if (facts->shared == DAMOS_UNKNOWN)
                facts->shared = DAMOS_NO;
        facts->young = DAMOS_NO;
        facts->folio_known = true;
}

/* Step by step, as far as it takes. Return: whether a page is let through, or a negative errno. */
static int let_present(struct sieve *sieve, struct look *look, uint64_t entry, struct damos_facts *facts) {
        enum damos_answer let;
        int r;

        facts->anon = entry & PAGEMAP_FILE ? DAMOS_NO : DAMOS_YES;
        facts->file = facts->anon == DAMOS_YES ? DAMOS_NO : look->in_file;
        if (facts->shared == DAMOS_UNKNOWN)
                facts->shared = entry & PAGEMAP_EXCLUSIVE ? DAMOS_NO : DAMOS_YES;
        let = damos_filters_let(sieve->filters, facts);
        if (let != DAMOS_UNKNOWN)
                return let == DAMOS_YES;

        r = look_at_folio(sieve, pagemap_pfn(entry));
        if (r <= 0)
                return r;
        if (facts->file == DAMOS_UNKNOWN)
                /* all pages of a mapping that are not anonymous are of the same file */
                facts->file = look->in_file = sieve->folio.flags & KPF_SWAPBACKED ? DAMOS_NO : DAMOS_YES;
        facts->folio_known = true;
        facts->sz_folio = sieve->folio.nr * sieve->files->page_size;
        let = damos_filters_let(sieve->filters, facts);
        if (let != DAMOS_UNKNOWN)
                return let == DAMOS_YES;

        r = look_at_idle_flag(sieve);
        if (r < 0)
                return r;
        facts->young = sieve->folio.young;
        return damos_filters_let(sieve->filters, facts) == DAMOS_YES;
}

static int let_page(struct sieve *sieve, struct look *look, uint64_t entry) {
        struct damos_facts facts = sieve->facts;

        if (pagemap_present(entry))
                return let_present(sieve, look, entry, &facts);
        if (!pagemap_in_transit(entry))
                learn_absent(look, entry, &facts, sieve->name);
        return damos_filters_let(sieve->filters, &facts) == DAMOS_YES;
}

static int pass(struct sieve *sieve, uint64_t start, uint64_t end) {
        int r;

        if (sieve->nr_passed > 0 && sieve->passed[sieve->nr_passed - 1].end == start) {
                sieve->passed[sieve->nr_passed - 1].end = end;
                return 0;
        }
        r = ARRAY_GROW(sieve->passed, sieve->sz_passed, sieve->nr_passed + 1);
        if (r < 0)
                return r;
        sieve->passed[sieve->nr_passed++] = (struct damon_range) { start, end };
        return 0;
}

static int look_at_pages(struct sieve *sieve, struct look *look, struct damon_range range) {
        uint64_t page_size = sieve->files->page_size, entries[BLOCK_PAGES];

        while (range.start < range.end) {
                size_t nr = MIN(damon_range_size(&range) / page_size, (uint64_t) BLOCK_PAGES);
                int r;

                r = pagemap_read(sieve->process->pagemap_fd, range.start, page_size, entries, nr);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || (size_t) r < nr)
                        return -ESRCH;
                for (size_t i = 0; i < nr; i++, range.start += page_size) {
                        r = let_page(sieve, look, entries[i]);
                        if (r > 0)
                                r = pass(sieve, range.start, range.start + page_size);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int sieve_range(struct sieve *sieve, const struct mapping *mapping, struct damon_range range) {
        struct look look;
        int r;

        sieve->nr_passed = 0;
        r = copy_name(sieve, mapping);
        if (r < 0)
                return r;
        learn_mapping(sieve, mapping, &look);
        sieve->facts.addr = range.start;
        switch (damos_filters_let(sieve->filters, &sieve->facts)) {
        case DAMOS_YES:
                return pass(sieve, range.start, range.end);
        case DAMOS_NO:
                return 0;
        default:
                return look_at_pages(sieve, &look, range);
        }
}
