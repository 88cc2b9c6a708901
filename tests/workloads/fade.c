// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in parts that fall idle one after the other, not in the order of their addresses, and
 * never are touched again: how cold each of them is, is known. It tells itself what of it has gone
 * to swap, by its page table, without touching it.
 *
 * Output: "ready PID ADDRESS SIZE"; "idle PART" when a part falls idle; then, after "faded", every
 * --watch-ms "swapped MS PAGES..." with the milliseconds since then and the number of pages of each
 * part that are in swap. Ends on SIGTERM.
 */
#include <getopt.h>

#include "workload.h"

#define PARTS_MAX 64
/* Of one pass over what is not idle yet. */
#define PERIOD_MS 100
/* Has no divisor in common with a number of parts that is a power of two. */
#define SHUFFLE 5

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: fade [--size 64M] [--parts 8] [--step-ms 4000] [--watch-ms 100]\n"
              "  --parts      a power of two, up to 64\n"
              "  --step-ms    from one part's falling idle to the next\n", out);
}

static void touch(const char *part, size_t size)
{
        for (size_t at = 0; at < size; at += WL_PAGE)
                (void)*(const volatile char *)(part + at);
}

static void fade(const char *area, size_t sz_part, uint64_t parts, uint64_t step_ms)
{
        uint64_t began = wl_now_ns(), nr_idle = 0;

        for (; !stop && nr_idle < parts; wl_sleep_ms(PERIOD_MS)) {
                if (wl_now_ns() - began >= nr_idle * step_ms * 1000000u) {
                        printf("idle %" PRIu64 "\n", nr_idle * SHUFFLE % parts);
                        fflush(stdout);
                        nr_idle++;
                }
                for (uint64_t turn = nr_idle; turn < parts; turn++)
                        touch(area + turn * SHUFFLE % parts * sz_part, sz_part);
        }
}

static void watch(const char *area, size_t sz_part, uint64_t parts, uint64_t watch_ms)
{
        uint64_t began = wl_now_ns();

        puts("faded");
        for (; !stop; wl_sleep_ms(watch_ms)) {
                printf("swapped %" PRIu64, (wl_now_ns() - began) / 1000000u);
                for (uint64_t i = 0; i < parts; i++)
                        printf(" %" PRIu64, wl_swapped_pages(area + i * sz_part, sz_part));
                putchar('\n');
                fflush(stdout);
        }
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "size", required_argument, NULL, 's' },
                { "parts", required_argument, NULL, 'p' },
                { "step-ms", required_argument, NULL, 't' },
                { "watch-ms", required_argument, NULL, 'w' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        uint64_t size = 64UL << 20, parts = 8, step_ms = 4000, watch_ms = 100;
        char *area;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 's': size = wl_size(optarg); break;
                case 'p': parts = wl_size(optarg); break;
                case 't': step_ms = wl_size(optarg); break;
                case 'w': watch_ms = wl_size(optarg); break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        errno = 0;
        if (optind != argc || parts == 0 || parts > PARTS_MAX || (parts & (parts - 1)) != 0 || size == 0 ||
            size % (parts * WL_PAGE) != 0)
                wl_die("see --help");

        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        area = wl_map(size, false);
        wl_fill(area, size, 1);
        printf("ready %d %#" PRIxPTR " %" PRIu64 "\n", getpid(), (uintptr_t)area, size);
        fflush(stdout);
        fade(area, size / parts, parts, step_ms);
        watch(area, size / parts, parts, watch_ms);
        return 0;
}
