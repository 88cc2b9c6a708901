// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two processes of the same memory, of which one reads it all the time and the other never
 * touches it again. What is said about the second one shows whose accesses a page counts.
 *
 * Output: "ready IDLE-PID BUSY-PID ADDRESS SIZE"; ends on SIGTERM to the idle one.
 */
#include <getopt.h>
#include <sys/prctl.h>

#include "workload.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: halves [--size 16M] [--period-ms 40] [--name NAME] shared|forked|copied\n"
              "  shared     both have mapped the same memory (MAP_SHARED)\n"
              "  forked     memory of before a fork, which nobody has written to since\n"
              "  copied     the same, but the busy one has written to every page\n"
              "  --name     what the idle one calls itself\n", out);
}

static void touch(char *area, size_t size, bool write)
{
        for (size_t at = 0; at < size; at += WL_PAGE) {
                volatile char *byte = area + at;

                if (write)
                        *byte = *byte;
                else
                        (void)*byte;
        }
}

static __attribute__((noreturn)) void be_busy(char *area, size_t size, uint64_t period_ms, int ready_fd)
{
        prctl(PR_SET_NAME, "busy-half");
        if (write(ready_fd, "", 1) != 1)
                wl_die("the idle process is gone");
        for (;;) {
                touch(area, size, false);
                wl_sleep_ms(period_ms);
        }
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "size", required_argument, NULL, 's' },
                { "period-ms", required_argument, NULL, 'p' },
                { "name", required_argument, NULL, 'n' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        size_t size = 16UL << 20;
        uint64_t period_ms = 40;
        const char *kind, *name = "idle-half";
        int c, ready[2];
        char *area, token;
        pid_t busy;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 's': size = wl_size(optarg); break;
                case 'p': period_ms = wl_size(optarg); break;
                case 'n': name = optarg; break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        errno = 0;
        if (optind != argc - 1 || size == 0 || size % WL_PAGE != 0)
                wl_die("see --help");
        kind = argv[optind];
        if (strcmp(kind, "shared") != 0 && strcmp(kind, "forked") != 0 && strcmp(kind, "copied") != 0)
                wl_die("not a kind of memory: '%s'", kind);

        prctl(PR_SET_NAME, name);
        wl_on(SIGTERM, on_signal);
        if (strcmp(kind, "shared") == 0) {
                area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                if (area == MAP_FAILED)
                        wl_die("no shared memory");
        } else {
                area = wl_map(size, false);
        }
        wl_fill(area, size, 1);
        if (pipe2(ready, O_CLOEXEC) < 0)
                wl_die("no pipe");
        busy = fork();
        if (busy < 0)
                wl_die("no second process");
        if (busy == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                touch(area, size, strcmp(kind, "copied") == 0);
                be_busy(area, size, period_ms, ready[1]);
        }
        close(ready[1]);
        if (read(ready[0], &token, 1) != 1)
                wl_die("the busy process is gone");
        printf("ready %d %d %#" PRIxPTR " %zu\n", getpid(), busy, (uintptr_t)area, size);
        fflush(stdout);
        while (!stop)
                wl_sleep_ms(3600 * 1000);
        return 0;
}
