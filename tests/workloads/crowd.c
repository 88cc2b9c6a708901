// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service whose processes start and stop all the time: a number of them, each with some memory
 * of which it uses a part, and each for as long as chance has it, up to some seconds; for one that
 * ends another one starts at once. When each of them has lived is said, for comparison with
 * what was noticed of it.
 *
 * Output: "start PID NS" and "end PID NS", in nanoseconds of CLOCK_MONOTONIC, also of itself.
 */
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "workload.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: crowd [--number 50] [--seconds 60] [--longest-ms 15000] [--seed 1]\n", out);
}

static void say(const char *what, pid_t pid)
{
        printf("%s %d %" PRIu64 "\n", what, pid, wl_now_ns());
        fflush(stdout);
}

static __attribute__((noreturn)) void live(uint64_t seed, uint64_t longest_ms)
{
        uint64_t end = wl_now_ns() + (1 + wl_random(&seed) % longest_ms) * 1000000u;
        size_t size = (1 + wl_random(&seed) % 8) << 18;
        char *area = wl_map(size, false);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        wl_fill(area, size, seed);
        while (wl_now_ns() < end) {
                for (size_t at = 0; at < size / 4; at += WL_PAGE)
                        (void)*(volatile uint64_t *)(void *)(area + at);
                wl_sleep_ms(100);
        }
        _exit(0);
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "number", required_argument, NULL, 'n' },
                { "seconds", required_argument, NULL, 't' },
                { "longest-ms", required_argument, NULL, 'l' },
                { "seed", required_argument, NULL, 's' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        uint64_t number = 50, seconds = 60, longest_ms = 15000, rng = 1, alive = 0, end;
        pid_t child;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'n': number = wl_size(optarg); break;
                case 't': seconds = wl_size(optarg); break;
                case 'l': longest_ms = wl_size(optarg); break;
                case 's': rng = wl_size(optarg); break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        if (longest_ms == 0)
                wl_die("nobody lives for no time");
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        say("start", getpid());
        end = wl_now_ns() + seconds * 1000000000u;
        for (;;) {
                bool over = stop || wl_now_ns() >= end;

                for (; alive < number && !over; alive++) {
                        uint64_t seed = wl_random(&rng);

                        child = fork();
                        if (child < 0)
                                wl_die("fork");
                        if (child == 0)
                                live(seed, longest_ms);
                        say("start", child);
                }
                child = waitpid(-1, NULL, WNOHANG);
                if (child > 0) {
                        say("end", child);
                        alive--;
                } else if (child < 0) {
                        break;                  /* it is over, and nobody is left */
                } else {
                        wl_sleep_ms(10);
                }
        }
        say("end", getpid());
        return 0;
}
