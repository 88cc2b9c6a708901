/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Filters that need a look at mappings or pages (include/damond/filter.h), taken right before an
 * action. What the mapping tells spares a look at its pages; what the page map tells spares one at
 * page flags, and these spare one at the idle flag.
 *
 * A page is young if it lacks the idle flag: it was accessed since a sample or this filter last
 * looked at it, or neither did. It is marked, so that the next time will tell.
 */

#include <stddef.h>
#include <stdint.h>

#include <damond/filter.h>

#include "bitmap.h"
#include "maps.h"
#include "page-idle-files.h"
#include "process.h"

/** SIEVE_FILTERS - filters that are looked for, a set of DAMOS_FILTER_BIT() */
#define SIEVE_FILTERS                                                                   \
        (DAMOS_FILTER_BIT(DAMOS_FILTER_ANON) | DAMOS_FILTER_BIT(DAMOS_FILTER_FILE) |           \
         DAMOS_FILTER_BIT(DAMOS_FILTER_SHARED) | DAMOS_FILTER_BIT(DAMOS_FILTER_HUGEPAGE_SIZE) | \
         DAMOS_FILTER_BIT(DAMOS_FILTER_YOUNG) | DAMOS_FILTER_BIT(DAMOS_FILTER_MEMCG) |         \
         DAMOS_FILTER_BIT(DAMOS_FILTER_MAPPING))

/**
 * struct sieve_folio - a folio that was looked at
 * @head:       its first page frame
 * @nr:         number of its pages; 0 if none was looked at
 * @flags:      flags of the head
 * @young:      it was accessed
 */
struct sieve_folio {
        uint64_t head;
        uint64_t nr;
        uint64_t flags;
        enum damos_answer young;
};

/**
 * struct sieve - a look at one process; starts as all zeroes
 * @files:      the kernel's files; borrowed
 * @process:    the process; borrowed
 * @filters:    filters; borrowed
 * @facts:      what is known of the mapping, and its process
 * @memcg:      path of the process's control group, in @cgroups
 * @cgroups:    text of its file; owned
 * @sz_cgroups: bytes of @cgroups
 * @name:       name of the mapping; owned
 * @sz_name:    bytes of @name
 * @folio:      the folio last looked at
 * @word:       the bitmap word last read,
 * @young:      and its pages that are to be marked; 0 if none are, or none was read
 * @passed:     @nr_passed ranges that are let through, as sieve_range() found them; owned
 * @nr_passed:  number of them
 * @sz_passed:  number that there is room for
 */
struct sieve {
        const struct page_idle_files *files;
        const struct process *process;
        const struct damos_filters *filters;
        struct damos_facts facts;
        const char *memcg;
        char *cgroups;
        size_t sz_cgroups;
        char *name;
        size_t sz_name;
        struct sieve_folio folio;
        struct bitmap_word word;
        uint64_t young;
        struct damon_range *passed;
        size_t nr_passed, sz_passed;
};

/** sieve_done() - release what a sieve owns */
void sieve_done(struct sieve *sieve);

/**
 * sieve_begin() - begin to look at a process
 * @sieve:      sieve
 * @files:      the kernel's files
 * @process:    the process
 * @target:     name of its target
 * @filters:    filters
 *
 * Return: 0, -ENOMEM.
 */
int sieve_begin(struct sieve *sieve, const struct page_idle_files *files, const struct process *process,
                const char *target, const struct damos_filters *filters);

/**
 * sieve_range() - find out what of a range is let through
 * @sieve:      sieve, receives those parts
 * @mapping:    mapping that the range lies in
 * @range:      range that no filter of addresses has a border in
 *
 * Return: 0; -ESRCH if the address space has ended; or what is wrong with the kernel's files.
 */
int sieve_range(struct sieve *sieve, const struct mapping *mapping, struct damon_range range);

/**
 * sieve_end() - mark what was found young
 * @sieve:      sieve
 *
 * Return: 0 or a negative errno.
 */
int sieve_end(struct sieve *sieve);
