/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of other processes: see thread.h. */

#include "thread.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "macro.h"
#include "root.h"

/* Threads that are looked at, at most. */
#define THREADS_MAX 64

/*
 * They wait without having done a part of what they are for, and the kernel makes them again after
 * a stop, with what is left of their time: ERESTARTSYS and its like, signal(7). Not those on
 * sockets, which return EINTR if there is a time limit, and not read(2), which may be of anything.
 */
static const long waiting_calls[] = {
        SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_ppoll, SYS_pselect6, SYS_rt_sigsuspend,
        SYS_wait4, SYS_waitid,
#ifdef SYS_poll
        SYS_poll, SYS_select, SYS_pause,
#endif
};

/* They return EINTR after a stop, where nothing has been transferred, but do not go on. */
static const long interrupted_calls[] = {
        SYS_epoll_pwait, SYS_rt_sigtimedwait, SYS_semop, SYS_semtimedop, SYS_io_getevents, SYS_read,
        SYS_readv, SYS_write, SYS_writev, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_sendto,
        SYS_sendmsg, SYS_sendmmsg, SYS_accept, SYS_accept4, SYS_connect, SYS_msgsnd, SYS_msgrcv,
        SYS_mq_timedsend, SYS_mq_timedreceive,
#ifdef SYS_epoll_wait
        SYS_epoll_wait,
#endif
#ifdef SYS_epoll_pwait2
        SYS_epoll_pwait2,
#endif
#ifdef SYS_io_pgetevents
        SYS_io_pgetevents,
#endif
};

static bool is_one_of(long nr, const long *calls, size_t nr_calls) {
        for (size_t i = 0; i < nr_calls; i++)
                if (calls[i] == nr)
                        return true;
        return false;
}

bool thread_call_waits_again(long nr) {
        return is_one_of(nr, interrupted_calls, ELEMENTSOF(interrupted_calls));
}

/* Return: what stands behind "\nNAME:", or NULL. */
static const char *find_field(const char *text, const char *name) {
        const char *p = strstr(text, name);

        if (!p)
                return NULL;
        p += strlen(name);
        return p + strspn(p, " \t");
}

int thread_status_parse(const char *text, struct thread_status *ret_status) {
        const char *state = find_field(text, "\nState:"), *tracer = find_field(text, "\nTracerPid:");
        const char *seccomp = find_field(text, "\nSeccomp:");
        const char *waits = find_field(text, "\nvoluntary_ctxt_switches:");
        const char *features = find_field(text, "\nx86_Thread_features:");

        if (!state || *state == '\0' || !tracer || !waits)
                return -EBADMSG;
        *ret_status = (struct thread_status) {
                .state = *state,
                .tracer = (pid_t) atoi(tracer),
                .filtered = seccomp && atoi(seccomp) != 0,
                .shadow_stack = features && strncmp(features, "shstk", strlen("shstk")) == 0,
                .nr_waits = strtoull(waits, NULL, 10),
        };
        return 0;
}

bool thread_may_be_stopped(const struct thread_status *status, pid_t tracer) {
        /* while it is traced and stopped, its state is 't' */
        bool settled = status->state == 'R' || status->state == 'S' || (tracer > 0 && status->state == 't');

        return settled && status->tracer == tracer && !status->filtered && !status->shadow_stack;
}

enum thread_place thread_place_parse(const char *text) {
        char *end;
        long nr;

        if (strncmp(text, "running", strlen("running")) == 0)
                return THREAD_RUNNING;
        nr = strtol(text, &end, 10);
        if (end == text || *end != ' ' || !is_one_of(nr, waiting_calls, ELEMENTSOF(waiting_calls)))
                return THREAD_ELSEWHERE;
        return THREAD_WAITING;
}

static bool read_text(int fd, char *buf, size_t size) {
        ssize_t n;

        do
                n = pread(fd, buf, size - 1, 0);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return false;
        buf[n] = '\0';
        return true;
}

static int open_file(int dir_fd, pid_t tid, const char *name) {
        char path[64];

        (void) snprintf(path, sizeof(path), "task/%d/%s", (int) tid, name);
        return openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
}

int thread_files_open(int dir_fd, pid_t tid, struct thread_files *ret_files) {
        struct thread_files files = {
                .status_fd = open_file(dir_fd, tid, "status"),
                .call_fd = open_file(dir_fd, tid, "syscall"),
        };

        if (files.status_fd < 0 || files.call_fd < 0) {
                thread_files_close(&files);
                return -ESRCH;
        }
        *ret_files = files;
        return 0;
}

void thread_files_close(struct thread_files *files) {
        files->status_fd = close_safe(files->status_fd);
        files->call_fd = close_safe(files->call_fd);
}

bool thread_is_still_there(const struct thread *thread, const struct thread_files *files) {
        char text[4096], call[THREAD_CALL_MAX];
        struct thread_status status;

        return read_text(files->status_fd, text, sizeof(text)) && thread_status_parse(text, &status) >= 0 &&
               status.nr_waits == thread->nr_waits && read_text(files->call_fd, call, sizeof(call)) &&
               strcmp(call, thread->call) == 0;
}

bool thread_computes(const struct thread *before, const struct thread *after) {
        return before->tid == after->tid && before->nr_waits == after->nr_waits && before->run_time > 0 &&
               after->run_time - before->run_time >= THREAD_OBSERVATION / 2;
}

/* Return: 0 if it may be stopped, then with what it is doing; -EAGAIN if not now, -EACCES if not ever. */
static int look(int task_fd, const char *tid, struct thread *ret_thread) {
        struct thread_status status;
        struct thread thread = { .tid = (pid_t) atoi(tid) };
        char path[64], text[4096];

        (void) snprintf(path, sizeof(path), "%s/status", tid);
        if (root_read(task_fd, path, text, sizeof(text)) < 0 || thread_status_parse(text, &status) < 0)
                return -EAGAIN;
        if (status.filtered || status.shadow_stack)
                return -EACCES;
        if (!thread_may_be_stopped(&status, 0))
                return -EAGAIN;
        (void) snprintf(path, sizeof(path), "%s/syscall", tid);
        if (root_read(task_fd, path, thread.call, sizeof(thread.call)) < 0)
                return -EAGAIN;
        thread.nr_waits = status.nr_waits;
        thread.place = thread_place_parse(thread.call);
        if (thread.place == THREAD_ELSEWHERE)
                return -EAGAIN;
        (void) snprintf(path, sizeof(path), "%s/schedstat", tid);
        if (thread.place == THREAD_RUNNING && root_read(task_fd, path, text, sizeof(text)) > 0)
                thread.run_time = strtoull(text, NULL, 10);
        *ret_thread = thread;
        return 0;
}

int thread_choose(int dir_fd, bool running, struct thread *ret_thread) {
        int result = -EACCES, fd;
        DIR *dir;

        fd = openat(dir_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        dir = fdopendir(fd);
        if (!dir) {
                close_safe(fd);
                return -ENOMEM;
        }
        for (unsigned i = 0; i < THREADS_MAX;) {
                const struct dirent *entry = readdir(dir);
                struct thread thread;
                int r;

                if (!entry)
                        break;
                if (entry->d_name[0] == '.')
                        continue;
                i++;
                r = look(fd, entry->d_name, &thread);
                if (r == -EAGAIN && result < 0)
                        result = r;
                if (r < 0 || (thread.place == THREAD_RUNNING && (!running || result == 0)))
                        continue;
                *ret_thread = thread;
                result = 0;
                if (thread.place == THREAD_WAITING)
                        break;
        }
        closedir(dir);
        return result;
}
