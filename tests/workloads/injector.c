/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Has a process give advice on its memory, over and over, the way damond does:
 *   injector PID START SIZE COUNT [DEATH]
 * START is in hexadecimal. COUNT is how often a thread is stopped. Prints "ready", and in the end
 * what it took. With DEATH it dies of SIGKILL right before that call of ptrace(2), counted from the
 * first one: so it can be made to die at every moment at which the thread is in its hands.
 */
#include "workload.h"

#include "inject.h"

#define NR_PIECES 4

static uint64_t death;

long __real_ptrace(int request, pid_t pid, void *addr, void *data);
long __wrap_ptrace(int request, pid_t pid, void *addr, void *data);

/* by the linker, in place of the one of the C library */
long __wrap_ptrace(int request, pid_t pid, void *addr, void *data)
{
        if (death > 0 && --death == 0)
                kill(getpid(), SIGKILL);
        return __real_ptrace(request, pid, addr, data);
}

int main(int argc, char *argv[])
{
        struct inject_target target = {};
        struct inject_stat stat = {};
        uint64_t start, size, count, nr_refused = 0;
        struct process process;
        pid_t pid;
        int r;

        if (argc != 5 && argc != 6)
                wl_die("usage: injector PID START SIZE COUNT [DEATH]");
        if (argc == 6)
                death = wl_size(argv[5]);
        pid = atoi(argv[1]);
        start = strtoull(argv[2], NULL, 16);
        size = wl_size(argv[3]);
        count = wl_size(argv[4]);
        r = process_open(&process, open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), pid);
        if (r < 0)
                wl_die("process %d: %s", pid, strerror(-r));
        puts("ready");
        fflush(stdout);
        for (uint64_t i = 0; stat.nr_stops < count && i < 50 * count; i++) {
                struct advice pieces[NR_PIECES] = {};

                for (unsigned k = 0; k < NR_PIECES; k++)
                        pieces[k].range = (struct damon_range) { start + k * size / NR_PIECES,
                                                                 start + (k + 1) * size / NR_PIECES };
                r = inject_madvise(&process, pid, &target, i % 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE, pieces,
                                   NR_PIECES, &stat);
                if (r < 0 && r != -EACCES)
                        break;
                nr_refused += r == -EACCES;
                for (unsigned k = 0; k < NR_PIECES; k++)
                        if (pieces[k].error != 0 && pieces[k].error != EAGAIN)
                                wl_die("piece %u: %s", k, strerror(pieces[k].error));
        }
        printf("injected: nr_calls=%" PRIu64 " nr_stops=%" PRIu64 " nr_put_off=%" PRIu64 " nr_left=%" PRIu64
               " refused=%" PRIu64 " stop_usec_mean=%" PRIu64 " stop_usec_max=%" PRIu64 "\n",
               stat.nr_calls, stat.nr_stops, stat.nr_put_off, stat.nr_left, nr_refused,
               stat.stop_sum / (stat.nr_stops ? stat.nr_stops : 1) / 1000, stat.stop_max / 1000);
        if (r < 0)
                wl_die("advice: %s", strerror(-r));
        return stat.nr_stops >= count ? 0 : 1;
}
