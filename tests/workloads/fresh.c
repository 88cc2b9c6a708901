// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults pages in once and never touches them again. New pages wait in a per-CPU batch before
 * they reach the LRU, and a page that is not there cannot be marked idle: its bit reads 0, the
 * same as if it had been accessed. The test that such pages are not called hot watches this.
 *
 * Output: "ready PID ADDRESS SIZE"; ends on SIGTERM.
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
        fputs("Usage: fresh [--pages 64] [--more N --period-ms P [--max-pages 262144]]\n"
              "  --pages      pages touched once, before \"ready\"\n"
              "  --more       then so many new ones every period\n", out);
}

static void touch(char *area, uint64_t from, uint64_t to)
{
        for (uint64_t page = from; page < to; page++)
                *(volatile uint64_t *)(void *)(area + page * WL_PAGE) = page + 1;
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "pages", required_argument, NULL, 'n' },
                { "more", required_argument, NULL, 'm' },
                { "period-ms", required_argument, NULL, 'p' },
                { "max-pages", required_argument, NULL, 'x' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        uint64_t pages = 64, more = 0, period_ms = 100, max_pages = 262144;
        char *area;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'n': pages = wl_size(optarg); break;
                case 'm': more = wl_size(optarg); break;
                case 'p': period_ms = wl_size(optarg); break;
                case 'x': max_pages = wl_size(optarg); break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        errno = 0;
        if (optind != argc || pages == 0 || period_ms == 0)
                wl_die("see --help");
        if (more == 0 || max_pages < pages)
                max_pages = pages;

        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        area = wl_map(max_pages * WL_PAGE, false);
        touch(area, 0, pages);
        printf("ready %d %#" PRIxPTR " %" PRIu64 "\n", getpid(), (uintptr_t)area,
               max_pages * WL_PAGE);
        fflush(stdout);
        while (!stop) {
                uint64_t next = pages + more;

                wl_sleep_ms(more > 0 ? period_ms : 3600 * 1000);
                if (next > max_pages)
                        next = max_pages;
                touch(area, pages, next);
                pages = next;
        }
        printf("touched %" PRIu64 " pages\n", pages);
        return 0;
}
