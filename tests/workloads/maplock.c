// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that holds the lock of its address space for long, which readers of its /proc files
 * and whoever advises its memory wait for: it moves a large mapping back and forth. There is only
 * the zero page in it, so that page tables are all the memory that it takes, and the two places
 * differ by a page within 2 MiB, so that these cannot be moved as a whole. With a CPU quota, which
 * does not mind that a lock is held, each move lasts as long as one likes.
 *
 * Output: "ready PID" once the mapping is filled; on SIGTERM "moves N longest-ms N".
 */
#include <getopt.h>

#include "workload.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: maplock [--size 256M] [--pause-ms 1000]\n"
              "  --pause-ms  time between two moves\n", out);
}

static void move(char *from, char *to, size_t len)
{
        if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
                wl_die("mremap");
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "size", required_argument, NULL, 's' },
                { "pause-ms", required_argument, NULL, 'p' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        uint64_t size = 256 << 20, pause_ms = 1000, moves = 0, longest = 0, began, took;
        char *here, *there, *other;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 's': size = wl_size(optarg); break;
                case 'p': pause_ms = wl_size(optarg); break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        here = wl_map(size, false);
        if (madvise(here, size, MADV_POPULATE_READ) < 0)
                wl_die("the mapping cannot be filled");
        there = wl_map(size + WL_PAGE, false) + WL_PAGE;
        printf("ready %d\n", getpid());
        fflush(stdout);

        for (; !stop; moves++) {
                began = wl_now_ns();
                move(here, there, size);
                took = wl_now_ns() - began;
                if (took > longest)
                        longest = took;
                other = here;
                here = there;
                there = other;
                wl_sleep_ms(pause_ms);
        }
        printf("moves %" PRIu64 " longest-ms %" PRIu64 "\n", moves, longest / 1000000u);
        return 0;
}
