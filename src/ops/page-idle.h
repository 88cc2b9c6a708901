/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The operations set "page_idle": virtual address spaces of processes, watched through
 * pagemap, the page_idle bitmap and kpageflags, acted on by process_madvise(2).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <damond/ops.h>

#include "huge.h"
#include "page-idle-files.h"

struct page_idle;

/**
 * page_idle_new() - make a set of operations
 * @ret_page_idle:      set to the operations' data, for damon_engine_new()
 * @ret_ops:            set to the operations; part of the data
 * @files:              the kernel's files; copied, to be closed after the operations
 * @dry_run:            do not act: nothing is ever applied
 *
 * Return: 0, -ENOMEM.
 */
int page_idle_new(struct page_idle **ret_page_idle, const struct damon_ops **ret_ops,
                  const struct page_idle_files *files, bool dry_run);

/**
 * page_idle_free() - free the operations, after the engine
 * @page_idle:  operations' data or NULL
 *
 * Return: NULL.
 */
struct page_idle *page_idle_free(struct page_idle *page_idle);

/**
 * page_idle_target_new() - make a target of a process
 * @page_idle:  operations' data
 * @name:       name of the configuration entry
 * @pid:        process ID
 * @ret_target: set to the target, owned by the caller until an engine takes it
 *
 * Return: 0, -ENOMEM, or what process_open() returned.
 */
int page_idle_target_new(struct page_idle *page_idle, const char *name, pid_t pid,
                         struct damon_target **ret_target);

/**
 * page_idle_target_free() - free a target that no engine has taken
 * @target:     target made by page_idle_target_new()
 */
void page_idle_target_free(struct damon_target *target);

/**
 * page_idle_target_pidfd() - descriptor that becomes readable when a target exits
 * @target:     target made by page_idle_target_new()
 *
 * Return: descriptor, owned by the target.
 */
int page_idle_target_pidfd(const struct damon_target *target);

/**
 * page_idle_target_start_time() - when the process of a target began
 * @target:     target made by page_idle_target_new()
 *
 * Return: clock ticks since boot; with the process ID it names a process for ever.
 */
uint64_t page_idle_target_start_time(const struct damon_target *target);

/**
 * page_idle_action_time() - CPU time that actions have taken, looks at what came of them included
 * @page_idle:  operations' data
 *
 * Return: nanoseconds since page_idle_new(). What the process used beyond this is
 * monitoring.
 */
uint64_t page_idle_action_time(const struct page_idle *page_idle);

/**
 * page_idle_update_time() - CPU time that looks at mappings and residency have taken
 * @page_idle:  operations
 *
 * Return: nanoseconds since the start.
 */
uint64_t page_idle_update_time(const struct page_idle *page_idle);

/**
 * page_idle_actions() - say which actions the operations can do here
 *
 * Return: a set of DAMOS_ACTION_BIT(): %PAGE_IDLE_ACTIONS, and what depends on the kernel.
 */
uint32_t page_idle_actions(void);

/**
 * page_idle_huge_stat() - what the actions on huge pages have done
 * @page_idle:  operations' data
 *
 * Return: statistics since page_idle_new(), valid as long as the operations.
 */
const struct huge_stat *page_idle_huge_stat(const struct page_idle *page_idle);

/** PAGE_IDLE_ACTIONS - actions that every kernel can do, a set of DAMOS_ACTION_BIT() */
#define PAGE_IDLE_ACTIONS                                                               \
        (DAMOS_ACTION_BIT(DAMOS_WILLNEED) | DAMOS_ACTION_BIT(DAMOS_COLD) |              \
         DAMOS_ACTION_BIT(DAMOS_PAGEOUT) | DAMOS_ACTION_BIT(DAMOS_STAT))
