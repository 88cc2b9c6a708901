// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that nobody asked to have watched. It touches its memory once and then only looks
 * whether anyone paged it out: while targets come and go around it, no advice may ever reach it.
 *
 * Output: "ready PID ADDRESS SIZE"; on SIGTERM "swapped-out N majflt M", exit 1 unless both are 0.
 */
#include <sys/prctl.h>

#include "workload.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

int main(int argc, char **argv)
{
        size_t size = argc > 1 ? wl_size(argv[1]) : 64UL << 20;
        uint64_t most = 0, now;
        long faults;
        char *area;

        if (argc > 2 || size == 0 || size % WL_PAGE != 0) {
                fputs("Usage: bystander [SIZE]\n", stderr);
                return 2;
        }
        prctl(PR_SET_NAME, "bystander");
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        area = wl_map(size, false);
        wl_fill(area, size, (uint64_t)getpid());
        printf("ready %d %#" PRIxPTR " %zu\n", getpid(), (uintptr_t)area, size);
        fflush(stdout);
        while (!stop) {
                wl_sleep_ms(1000);
                now = wl_swapped_pages(area, size);     /* pagemap touches no page */
                if (now > most)
                        most = now;
        }
        now = wl_swapped_pages(area, size);
        if (now > most)
                most = now;
        faults = wl_majflt();
        for (size_t at = 0; at < size; at += WL_PAGE)
                (void)*(volatile uint64_t *)(void *)(area + at);
        faults = wl_majflt() - faults;
        printf("swapped-out %" PRIu64 " majflt %ld\n", most, faults);
        return most > 0 || faults > 0;
}
