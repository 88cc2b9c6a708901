/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Advice that only a process itself can give: madvise(2), executed by one of its threads, which
 * is stopped for that by ptrace(2). The thread goes on where it was, and restores itself if
 * whoever stopped it dies in between; see inject-arch.h.
 */

#include <damond/region.h>

#include "advise.h"
#include "inject-code.h"
#include "process.h"
#include "thread.h"

/**
 * struct inject_stat - what was done
 * @nr_stops:   threads that were stopped
 * @nr_calls:   system calls that they made
 * @nr_put_off: times that no thread could be stopped, or one that was had to go on at once
 * @nr_refused: processes that never can be, each time
 * @nr_left:    threads that were left to themselves in the middle, because they took too long
 * @stop_max:   longest time that a thread was stopped, nanoseconds
 * @stop_sum:   all of them together
 * @cpu:        CPU time that all of it took, nanoseconds
 */
struct inject_stat {
        uint64_t nr_stops;
        uint64_t nr_calls;
        uint64_t nr_put_off;
        uint64_t nr_refused;
        uint64_t nr_left;
        uint64_t stop_max;
        uint64_t stop_sum;
        uint64_t cpu;
};

/**
 * struct inject_target - what is known of a process; starts as all zeroes
 * @code:       code in it
 * @watched:    a thread that runs,
 * @watched_at: and since when it is watched, CLOCK_MONOTONIC, nanoseconds
 */
struct inject_target {
        struct inject_code code;
        struct thread watched;
        uint64_t watched_at;
};

/** INJECT_STOP_TIME - no other call is begun when a thread has been stopped for so many nanoseconds */
#define INJECT_STOP_TIME UINT64_C(1000000)

/**
 * inject_madvise() - have a process give advice on its memory
 * @process:    process, which is current
 * @pid:        its ID
 * @target:     what is known of it, kept for the next time
 * @advice:     MADV_HUGEPAGE or MADV_NOHUGEPAGE
 * @pieces:     @nr pieces, each inside of one mapping
 * @nr:         number of pieces
 * @stat:       is added to
 *
 * What could not be done has an error of EAGAIN, and may be tried again.
 *
 * Return: 0; -EACCES if the process cannot be stopped, or not without that it notices; -ESRCH if
 * it has ended; or another negative errno.
 */
int inject_madvise(const struct process *process, pid_t pid, struct inject_target *target, int advice,
                   struct advice *pieces, size_t nr, struct inject_stat *stat);

/**
 * inject_probe() - say whether this can be done here
 * @ret_why:    set, if not, to a sentence that says what is missing; static
 *
 * Return: 0; -ENOTSUP if damond cannot do it on this kind of machine; -EPERM if it may not.
 */
int inject_probe(const char **ret_why);
