/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Threads of other processes: which one may be stopped for a moment without that it notices. A stop
 * by ptrace(2) ends a system call that waits, like a signal without a handler does: most calls then
 * go on by themselves, but some return early.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct thread_status - of /proc/PID/task/TID/status
 * @state:      letter
 * @tracer:     who traces it, or 0
 * @filtered:   system calls are filtered
 * @shadow_stack: return addresses are guarded
 * @nr_waits:   how often it has waited
 */
struct thread_status {
        char state;
        pid_t tracer;
        bool filtered;
        bool shadow_stack;
        uint64_t nr_waits;
};

/**
 * enum thread_place - what a thread is doing
 * @THREAD_ELSEWHERE:   something that must not be disturbed
 * @THREAD_RUNNING:     its own code, or a call that does not wait: which of them is not to be seen
 * @THREAD_WAITING:     a system call that waits and does nothing else, and that is gone on with
 *                      after a stop
 */
enum thread_place {
        THREAD_ELSEWHERE,
        THREAD_RUNNING,
        THREAD_WAITING,
};

/**
 * thread_status_parse() - take what matters from the text of a status file
 * @text:       the text
 * @ret_status: set to it
 *
 * Return: 0, -EBADMSG if something is missing.
 */
int thread_status_parse(const char *text, struct thread_status *ret_status);

/**
 * thread_may_be_stopped() - say whether its status allows it
 * @status:     status
 * @tracer:     who may trace it: 0, or the caller once it does
 */
bool thread_may_be_stopped(const struct thread_status *status, pid_t tracer);

/**
 * thread_place_parse() - say what a thread is doing by /proc/PID/task/TID/syscall
 * @text:       text of that file
 */
enum thread_place thread_place_parse(const char *text);

/**
 * thread_call_waits_again() - say whether a system call can be made again if it returned EINTR
 * @nr:         its number
 *
 * Of those that a stop makes return early, see signal(7), these have done nothing then.
 */
bool thread_call_waits_again(long nr);

/** THREAD_CALL_MAX - bytes of the text of a syscall file, with its NUL */
#define THREAD_CALL_MAX 256

/**
 * struct thread - a thread that can be stopped
 * @tid:        its ID
 * @place:      what it is doing
 * @call:       the same in detail: text of /proc/PID/task/TID/syscall
 * @nr_waits:   how often it had waited,
 * @run_time:   and for how long it had run, nanoseconds, if it runs; 0 is unknown
 */
struct thread {
        pid_t tid;
        enum thread_place place;
        char call[THREAD_CALL_MAX];
        uint64_t nr_waits;
        uint64_t run_time;
};

/**
 * struct thread_files - files in /proc/PID/task/TID
 * @status_fd:  status
 * @call_fd:    syscall
 */
struct thread_files {
        int status_fd;
        int call_fd;
};

/**
 * thread_files_open() - open the files of a thread
 * @dir_fd:     directory of its process in /proc
 * @tid:        its ID
 * @ret_files:  set to them
 *
 * Return: 0 or a negative errno.
 */
int thread_files_open(int dir_fd, pid_t tid, struct thread_files *ret_files);

/**
 * thread_files_close() - close them
 * @files:      files
 */
void thread_files_close(struct thread_files *files);

/**
 * thread_is_still_there() - say whether a thread still does what it did, and has not waited again
 * @thread:     thread, as it was found
 * @files:      its files
 */
bool thread_is_still_there(const struct thread *thread, const struct thread_files *files);

/** THREAD_OBSERVATION - for so many nanoseconds one that runs must be watched before it is stopped */
#define THREAD_OBSERVATION UINT64_C(100000000)

/**
 * thread_computes() - say whether a thread has been running for most of the time, and never waited
 * @before:     how it was found first
 * @after:      how it was found, at least %THREAD_OBSERVATION later
 *
 * Another may be in a call that is about to wait, and must not be disturbed.
 */
bool thread_computes(const struct thread *before, const struct thread *after);

/**
 * thread_choose() - find a thread that can be stopped
 * @dir_fd:     directory of the process in /proc
 * @running:    one that runs will do, if there is none that waits
 * @ret_thread: set to the thread
 *
 * Return: 0; -EAGAIN if there is none at this moment; -EACCES if no thread ever may be, for its
 * filters or its shadow stack; or another negative errno.
 */
int thread_choose(int dir_fd, bool running, struct thread *ret_thread);
