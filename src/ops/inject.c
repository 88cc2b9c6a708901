/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Advice given by the process itself: see inject.h. A thread of our own is the tracer, because the
 * kernel lets go of all that a thread traces when that thread ends: whatever goes wrong in the
 * middle, it ends.
 */

#include "inject.h"

#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "clock.h"
#include "macro.h"
#include "root.h"

/*
 * A thread that does not stop, or does not come back from a call, within this time is left to itself,
 * nanoseconds. Before it has stopped, that is not without consequences, see thread.h; but it was not
 * in any call from which it could not be stopped, so it only waits for a CPU.
 */
#define STOP_PATIENCE UINT64_C(500000000)
#define CALL_PATIENCE UINT64_C(100000000)

/* For so long a stop is waited for without sleeping. */
#define SPIN_TIME UINT64_C(200000)

/*
 * Threads that are tried before it is put off, and the pause between, nanoseconds, in which the last
 * tracer lets go; and stops for what does not fit in one.
 */
#define ATTEMPTS_MAX 3
#define ATTEMPT_PAUSE 200000
#define STOPS_MAX 8

/* include/uapi/linux/ptrace.h, Linux 5.13 and 3.11 */
#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif
#define GETSIGMASK 0x420a
#define SETSIGMASK 0x420b

struct rseq_configuration {
        uint64_t pointer;
        uint32_t size, signature, flags, pad;
};

struct rseq_section {
        uint32_t version, flags;
        uint64_t start, length, abort;
};

#define SYSCALL_STOP (SIGTRAP | 0x80)

/**
 * struct injection - what the tracer is to do, and what it has done
 * @dir_fd:     directory of the process in /proc
 * @chosen:     thread
 * @tid:        its ID
 * @maps:       text of the maps of the process
 * @code:       code in it
 * @advice:     advice
 * @pieces:     @nr pieces
 * @nr:         number of pieces
 * @nr_done:    how many of them have a result
 * @result:     0, -EAGAIN if something was in the way, or another negative errno
 * @thread:     state of the thread when it was stopped
 * @frame:      frame on its stack
 * @stat:       what was done
 */
struct injection {
        int dir_fd;
        struct thread chosen;
        pid_t tid;
        const char *maps;
        const struct inject_code *code;
        int advice;
        struct advice *pieces;
        size_t nr, nr_done;
        int result;
        struct inject_thread thread;
        struct inject_frame frame;
        struct inject_stat *stat;
};

static uint64_t now(void) {
        return clock_ns(CLOCK_MONOTONIC);
}

/* Return: 0 at a stop, -ESRCH if the thread has ended, -ETIMEDOUT if it does not stop. */
static int wait_stop(pid_t tid, uint64_t patience, int *ret_status) {
        uint64_t start = now();

        for (;;) {
                uint64_t waited;
                pid_t r = waitpid(tid, ret_status, __WALL | WNOHANG | __WNOTHREAD);

                if (r == tid)
                        return WIFSTOPPED(*ret_status) ? 0 : -ESRCH;
                if (r < 0 && errno != EINTR)
                        return -ESRCH;
                waited = now() - start;
                if (waited > patience)
                        return -ETIMEDOUT;
                if (waited < SPIN_TIME)
                        (void) sched_yield();
                else
                        (void) nanosleep(&(struct timespec) { .tv_nsec = 50000 }, NULL);
        }
}

static int set_regs(pid_t tid, const struct user_regs_struct *regs) {
        struct iovec iov = { (void *) regs, sizeof(*regs) };

        return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

static int get_regs(pid_t tid, struct user_regs_struct *regs) {
        struct iovec iov = { regs, sizeof(*regs) };

        return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

/*
 * In a restartable sequence (rseq(2)), which the kernel breaks off whenever the thread has been
 * interrupted, it must not be led away: the kernel would not notice any more.
 */
static bool in_sequence(pid_t tid, uint64_t pc) {
        struct rseq_configuration rseq;
        struct rseq_section section;
        struct iovec local = { &section, sizeof(section) }, remote;
        uint64_t pointer;

        if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(rseq), &rseq) < 0)
                return true;
        if (rseq.pointer == 0)
                return false;
        remote = (struct iovec) { (void *) (uintptr_t) (rseq.pointer + 8), sizeof(pointer) };
        if (process_vm_readv(tid, &(struct iovec) { &pointer, sizeof(pointer) }, 1, &remote, 1, 0) !=
            sizeof(pointer))
                return true;
        if (pointer == 0)
                return false;
        remote = (struct iovec) { (void *) (uintptr_t) pointer, sizeof(section) };
        if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != sizeof(section))
                return true;
        return pc - section.start < section.length;
}

static bool read_status(const struct injection *in, struct thread_status *ret_status) {
        char path[64], text[4096];

        (void) snprintf(path, sizeof(path), "task/%d/status", (int) in->tid);
        return root_read(in->dir_fd, path, text, sizeof(text)) >= 0 && thread_status_parse(text, ret_status) >= 0;
}

/* Is this the thread that was chosen, now ours, and still one that may be led away? */
static bool is_ours(const struct injection *in) {
        struct thread_status status;

        return read_status(in, &status) && thread_may_be_stopped(&status, (pid_t) syscall(SYS_gettid));
}

/* Only one can trace it at a time, which says nothing about whether we may. */
static bool is_traced(const struct injection *in) {
        struct thread_status status;

        return !read_status(in, &status) || status.tracer != 0;
}

/* Look at the stopped thread, and put the frame on its stack; of what it does nothing is changed. */
static int prepare(struct injection *in) {
        struct inject_thread *thread = &in->thread;
        struct iovec local = { in->frame.bytes, 0 }, remote;
        uint64_t pc, stack;
        int r;

        if (!is_ours(in))
                return -EAGAIN;
        pc = inject_arch_user_pc(&thread->regs);
        if (pc != 0 && in_sequence(in->tid, pc))
                return -EAGAIN;
        if (ptrace((enum __ptrace_request) GETSIGMASK, in->tid, sizeof(thread->sigmask), &thread->sigmask) < 0)
                return -EAGAIN;
        r = inject_arch_frame(thread, in->code, &in->frame);
        if (r < 0)
                return r;
        r = inject_stack_find(in->maps, inject_arch_sp(&thread->regs), thread->tls, &stack);
        if (r < 0)
                return -EAGAIN;         /* perhaps it is on another one next time */
        if (in->frame.addr < stack || !inject_code_is_there(in->tid, in->code))
                return -EAGAIN;
        local.iov_len = in->frame.size;
        remote = (struct iovec) { (void *) (uintptr_t) in->frame.addr, in->frame.size };
        if (process_vm_writev(in->tid, &local, 1, &remote, 1, 0) != (ssize_t) in->frame.size)
                return -EAGAIN;
        /* A call like sigsuspend(2) has a mask of its own. Under that, a signal would be handled before
         * the call is made again, which then would wait for it in vain. */
        if (ptrace((enum __ptrace_request) SETSIGMASK, in->tid, sizeof(thread->sigmask), &thread->sigmask) < 0)
                return -EAGAIN;
        return 0;
}

/*
 * Have the thread make one call, from any stop. The registers come first: without them the signals
 * would stay blocked if we died in between, while with them it comes back to its own by itself.
 * @ret_signal: if something else came first, and it is to go on, the signal to go on with.
 */
static int call(struct injection *in, const struct advice *piece, int64_t *ret_result, int *ret_signal) {
        const uint64_t all = UINT64_MAX;
        struct user_regs_struct regs = in->thread.regs;
        int r;

        inject_arch_set_call(&regs, in->code, in->frame.addr, piece->range.start, damon_range_size(&piece->range),
                             in->advice);
        r = set_regs(in->tid, &regs);
        if (r < 0)
                return r;
        if (ptrace((enum __ptrace_request) SETSIGMASK, in->tid, sizeof(all), &all) < 0)
                return -errno;
        for (unsigned i = 0; i < 2; i++) {      /* into the call and out of it */
                int status;

                if (ptrace(PTRACE_SYSCALL, in->tid, 0, 0) < 0)
                        return -errno;
                r = wait_stop(in->tid, CALL_PATIENCE, &status);
                if (r < 0)
                        return r;
                if (WSTOPSIG(status) != SYSCALL_STOP) {
                        /* only SIGSTOP cannot be blocked; or the whole process is stopped */
                        *ret_signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
                        return -EINTR;
                }
        }
        r = get_regs(in->tid, &regs);
        return r < 0 ? r : inject_arch_result(&regs, in->code, in->frame.addr, ret_result);
}

/* The thread goes on where it was. That a call was interrupted, the kernel finds out when it does. */
static int let_go(struct injection *in, int signal) {
        (void) ptrace((enum __ptrace_request) SETSIGMASK, in->tid, sizeof(in->thread.sigmask), &in->thread.sigmask);
        if (inject_arch_restore(in->tid, &in->thread.regs) < 0)
                return -ESRCH;
        return ptrace(PTRACE_DETACH, in->tid, 0, (long) signal) < 0 ? -ESRCH : 0;
}

static int make_calls(struct injection *in, uint64_t stopped_at) {
        int signal = 0, r = 0;

        for (size_t i = 0; i < in->nr; i++) {
                int64_t result;

                if (i > 0 && now() - stopped_at > INJECT_STOP_TIME)
                        break;
                r = call(in, &in->pieces[i], &result, &signal);
                if (r < 0)
                        break;
                in->stat->nr_calls++;
                in->pieces[i].error = result < 0 ? (int) -result : 0;
                in->pieces[i].sz_applied = result == 0 ? damon_range_size(&in->pieces[i].range) : 0;
                in->nr_done++;
        }
        /* where it is not known what it does, it is better off alone */
        if (r == -ETIMEDOUT || r == -ESRCH || r == -EBADMSG)
                return r;
        r = let_go(in, signal);
        if (r < 0)
                return r;
        return in->nr_done > 0 ? 0 : -EAGAIN;
}

/* A thread that has stopped by itself, or that nothing can be done with, goes on as if nothing was. */
static int send_on(struct injection *in, bool changed, int signal) {
        if (changed)
                (void) inject_arch_restore(in->tid, &in->thread.regs);
        return ptrace(PTRACE_DETACH, in->tid, 0, (long) signal) < 0 ? -ESRCH : -EAGAIN;
}

static int use_stop(struct injection *in, uint64_t stopped_at, int status) {
        bool changed;
        int r;

        if (status >> 16 != PTRACE_EVENT_STOP)
                return send_on(in, false, status >> 16 == 0 ? WSTOPSIG(status) : 0);
        if (WSTOPSIG(status) != SIGTRAP)
                return send_on(in, false, 0);           /* the process is stopped as a whole */
        r = inject_arch_save(in->tid, &in->thread);
        if (r < 0) {
                (void) send_on(in, false, 0);
                return r;
        }
        changed = inject_arch_wait_again(&in->thread.regs);
        r = prepare(in);
        if (r < 0) {
                (void) send_on(in, changed, 0);
                return r;
        }
        return make_calls(in, stopped_at);
}

/* Where it is not allowed, others may come in between. */
static void set_urgent(bool urgent) {
        const struct sched_param param = { .sched_priority = urgent ? 1 : 0 };

        (void) sched_setscheduler(0, urgent ? SCHED_FIFO : SCHED_OTHER, &param);
}

/* Stop the thread, and use the stop. Whatever is left undone, the end of this one undoes. */
static int trace(struct injection *in, const struct thread_files *files) {
        uint64_t start, stopped;
        int status, r;

        if (ptrace(PTRACE_SEIZE, in->tid, 0, PTRACE_O_TRACESYSGOOD) < 0)
                return errno == ESRCH || is_traced(in) ? -EAGAIN : -errno;
        /* It goes on meanwhile, and may be in any call by now: between this look and the stop there must
         * be as little time as can be, and nobody else in between. */
        set_urgent(true);
        start = now();
        if (!thread_is_still_there(&in->chosen, files) || ptrace(PTRACE_INTERRUPT, in->tid, 0, 0) < 0)
                return -EAGAIN;
        set_urgent(false);
        r = wait_stop(in->tid, STOP_PATIENCE, &status);
        if (r < 0)
                return r;
        in->stat->nr_stops++;
        r = use_stop(in, start, status);
        stopped = now() - start;
        in->stat->stop_max = MAX(in->stat->stop_max, stopped);
        in->stat->stop_sum += stopped;
        return r;
}

static void *tracer(void *data) {
        struct injection *in = data;
        struct thread_files files;

        in->result = -EAGAIN;
        if (thread_files_open(in->dir_fd, in->tid, &files) >= 0) {
                in->result = trace(in, &files);
                thread_files_close(&files);
        }
        in->stat->nr_left += in->result == -ETIMEDOUT || in->result == -EBADMSG;
        in->stat->cpu += clock_ns(CLOCK_THREAD_CPUTIME_ID);
        return NULL;
}

/* Return: 0, or why there was no tracer. */
static int run_tracer(struct injection *in) {
        sigset_t all, before;
        pthread_t thread;
        int r;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, NULL, tracer, in);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0)
                return -r;
        (void) pthread_join(thread, NULL);
        return 0;
}

/* Find a thread that may be stopped now. One that runs must have been watched for a while. */
static int choose(struct injection *in, struct inject_target *target) {
        int r = thread_choose(in->dir_fd, inject_arch_may_run, &in->chosen);

        if (r < 0 || in->chosen.place == THREAD_WAITING)
                return r;
        if (target->watched.tid != in->chosen.tid || target->watched.nr_waits != in->chosen.nr_waits) {
                target->watched = in->chosen;
                target->watched_at = now();
        }
        return now() - target->watched_at >= THREAD_OBSERVATION &&
               thread_computes(&target->watched, &in->chosen) ? 0 : -EAGAIN;
}

/* Stop some thread once. Return: 0; or -EAGAIN if nothing came of it, or another negative errno. */
static int inject_once(struct injection *in, struct inject_target *target) {
        int r;

        for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
                if (i > 0)
                        (void) nanosleep(&(struct timespec) { .tv_nsec = ATTEMPT_PAUSE }, NULL);
                r = choose(in, target);
                in->tid = in->chosen.tid;
                if (r >= 0)
                        r = run_tracer(in);
                /* a thread that has ended is not the end of the process */
                if (r >= 0)
                        r = in->result == -ESRCH ? -EAGAIN : in->result;
                if (r != -EAGAIN)
                        return r;
        }
        return -EAGAIN;
}

int inject_madvise(const struct process *process, pid_t pid, struct inject_target *target, int advice,
                   struct advice *pieces, size_t nr, struct inject_stat *stat) {
        _cleanup_free_ struct injection *in = calloc(1, sizeof(*in));
        _cleanup_free_ char *maps = NULL;
        size_t sz_maps = 0;
        int r;

        for (size_t i = 0; i < nr; i++)
                pieces[i].error = EAGAIN;
        if (!in)
                return -ENOMEM;
        r = root_read_all(process->dir_fd, "maps", &maps, &sz_maps);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        if (!inject_code_is_there(pid, &target->code)) {
                r = inject_code_find(pid, maps, &target->code);
                if (r < 0) {
                        stat->nr_refused += r == -ENOTSUP;
                        return r == -ENOTSUP ? -EACCES : r;
                }
        }
        *in = (struct injection) {
                .dir_fd = process->dir_fd,
                .maps = maps, .code = &target->code, .advice = advice, .stat = stat,
        };
        for (unsigned i = 0; i < STOPS_MAX && nr > 0; i++) {
                in->pieces = pieces;
                in->nr = nr;
                in->nr_done = 0;
                r = inject_once(in, target);
                pieces += in->nr_done;
                nr -= in->nr_done;
                if (r < 0)
                        break;
        }
        if (r == -EAGAIN || r == -ETIMEDOUT || r == -EBADMSG || r == -EINTR)
                stat->nr_put_off++;
        else if (r == -EPERM || r == -EACCES || r == -ENOTSUP || r == -E2BIG) {
                stat->nr_refused++;
                return -EACCES;
        }
        return r == -ENOMEM || r == -ESRCH ? r : 0;
}

int inject_probe(const char **ret_why) {
        char scope[16];

        if (!INJECT_IS_SUPPORTED) {
                *ret_why = "damond does not know how to do it on this kind of processor";
                return -ENOTSUP;
        }
        /* it does not trace anything; whether it may is found out before whom */
        if (ptrace(PTRACE_DETACH, -1, 0, 0) < 0 && errno != ESRCH) {
                *ret_why = "ptrace(2) is not allowed: a sandbox with SystemCallFilter= must admit it";
                return -EPERM;
        }
        if (root_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope)) > 0 && scope[0] == '3') {
                *ret_why = "kernel.yama.ptrace_scope is 3: no process may stop another";
                return -EPERM;
        }
        return 0;
}
