/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * A process held fast: whatever is done to it is done through descriptors that name this
 * process for ever, never through a number that another process may get.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct process_image - what changes when a process executes a program
 * @start_time:         when the process began, clock ticks since boot
 * @start_code:         where the kernel put its code,
 * @start_stack:        its stack,
 * @arg_start:          and its arguments
 */
struct process_image {
        uint64_t start_time;
        uint64_t start_code;
        uint64_t start_stack;
        uint64_t arg_start;
};

/**
 * struct process - one image of one process
 * @pidfd:      the process
 * @dir_fd:     its directory in /proc
 * @pagemap_fd: the page map of the address space it had when it was opened
 * @image:      the image that this is
 */
struct process {
        int pidfd;
        int dir_fd;
        int pagemap_fd;
        struct process_image image;
};

/**
 * process_open() - take hold of a process
 * @ret_process:        set to the process
 * @proc_fd:            /proc
 * @pid:                process ID
 *
 * Return: 0; -ESRCH if there is no such process any more; -EBUSY if it is not a process of
 * its own at the moment, because it shares its parent's memory between vfork and exec or
 * executes a program right now (try later); -ENOEXEC if it is a kernel thread; -EACCES,
 * -EPERM without the privilege; or another negative errno.
 */
int process_open(struct process *ret_process, int proc_fd, pid_t pid);

/**
 * process_close() - let go of a process
 * @process:    process
 */
void process_close(struct process *process);

/**
 * process_is_current() - say whether a process still runs the image it was opened with
 * @process:    process
 * @addr:       an address inside one of its mappings, or 0 for none known
 * @page_size:  page size, bytes
 *
 * What is done through the pidfd right after this was true happens to that image, unless it
 * executes a program in the very moment between.
 */
bool process_is_current(const struct process *process, uint64_t addr, uint64_t page_size);

/**
 * process_parent() - find the parent of a process
 * @proc_fd:    /proc
 * @pid:        process ID
 *
 * Return: its process ID, 0 for a process without a parent; or a negative errno.
 */
pid_t process_parent(int proc_fd, pid_t pid);

/**
 * process_same_memory() - say whether two processes share one address space
 * @a, @b:      process IDs
 */
bool process_same_memory(pid_t a, pid_t b);
