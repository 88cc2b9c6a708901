/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What page_idle operations need of the kernel, and what to tell a person whose kernel or
 * whose privileges do not have it.
 */

#include <stdint.h>
#include <stdio.h>

/**
 * struct page_idle_files - the kernel's files that the operations work on
 * @proc_fd:            /proc
 * @bitmap_fd:          the page_idle bitmap
 * @kpageflags_fd:      /proc/kpageflags
 * @lru_gen_fd:         state of the multi-generational LRU, or -1; see reclaim.h
 * @vmstat_fd:          /proc/vmstat, or -1; see reclaim.h
 * @page_size:          page size, bytes
 * @huge_size:          size of a transparent huge page, bytes; 0 if the kernel has none
 * @nr_maps_max:        mappings that a process may have
 * @pagemap_run:        pages between two samples of one mapping up to which it is cheaper
 *                      to read all entries from one to the other than to read twice
 */
struct page_idle_files {
        int proc_fd;
        int bitmap_fd;
        int kpageflags_fd;
        int lru_gen_fd;
        int vmstat_fd;
        uint64_t page_size;
        uint64_t huge_size;
        uint64_t nr_maps_max;
        uint64_t pagemap_run;
};

/**
 * page_idle_files_open() - open what the operations need
 * @ret_files:  set to the files
 * @ret_why:    set, on failure, to a sentence that says what is missing; static
 *
 * Takes the lock of the bitmap: two users of it would take each other's accesses away.
 *
 * Return: 0; -ENOTSUP if the kernel lacks something; -EPERM if the privilege is missing;
 * -EBUSY if another process holds the lock.
 */
int page_idle_files_open(struct page_idle_files *ret_files, const char **ret_why);

/**
 * page_idle_files_close() - close them
 * @files:      files
 */
void page_idle_files_close(struct page_idle_files *files);

/**
 * page_idle_probe() - say what this kernel and these privileges offer
 * @f:          receives a line for each thing
 *
 * Does not take the lock, so that it disturbs no damond that is running.
 *
 * Return: 0 if damond can work, or what page_idle_files_open() would return.
 */
int page_idle_probe(FILE *f);

/**
 * page_idle_caveats() - say what works, but worse than one may expect
 * @proc_fd:    /proc
 * @say:        called with each sentence
 * @userdata:   handed to @say
 */
void page_idle_caveats(int proc_fd, void (*say)(const char *sentence, void *userdata),
                       void *userdata);
