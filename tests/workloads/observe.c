// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks and checks random pages of a range of another process by damond's own page_idle
 * operations, and counts the outcomes. Where the truth about the range is known this says how
 * far a single check can be trusted, without the engine that evens out what a check gets wrong.
 *
 * Output: "checked N accessed N idle N unknown N cpu_ns N" (CPU time of all marks and checks).
 */
#include <getopt.h>

#include <damond/ops.h>
#include <damond/target.h>

#include "page-idle.h"
#include "workload.h"

#define MAX_SAMPLES 1024

struct options {
        pid_t pid;
        uint64_t start, size, samples, interval_ms, steps, skip;
};

static void usage(FILE *out)
{
        fputs("Usage: observe [--samples 64] [--interval-ms 20] [--steps 100] [--skip 0]\n"
              "               PID ADDRESS SIZE\n"
              "  --samples      pages of each step; a page may be taken twice\n"
              "  --interval-ms  from mark to check\n"
              "  --skip         steps before the first one that counts\n", out);
}

static void parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {
                { "samples", required_argument, NULL, 's' },
                { "interval-ms", required_argument, NULL, 'i' },
                { "steps", required_argument, NULL, 'n' },
                { "skip", required_argument, NULL, 'k' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        int c;

        *o = (struct options){ .samples = 64, .interval_ms = 20, .steps = 100 };
        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 's': o->samples = wl_size(optarg); break;
                case 'i': o->interval_ms = wl_size(optarg); break;
                case 'n': o->steps = wl_size(optarg); break;
                case 'k': o->skip = wl_size(optarg); break;
                case 'H': usage(stdout); exit(0);
                default: usage(stderr); exit(2);
                }
        errno = 0;
        if (optind != argc - 3 || o->samples == 0 || o->samples > MAX_SAMPLES)
                wl_die("see --help");
        o->pid = (pid_t)wl_size(argv[optind]);
        o->start = strtoull(argv[optind + 1], NULL, 0);
        o->size = wl_size(argv[optind + 2]);
        if (o->size < WL_PAGE)
                wl_die("the range has no page");
}

static uint64_t cpu_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int main(int argc, char **argv)
{
        uint64_t outcomes[4] = { 0 }, cpu = 0, begun, seed = 1;
        struct damon_sample samples[MAX_SAMPLES] = { 0 };
        struct page_idle_files files;
        struct page_idle *page_idle;
        const struct damon_ops *ops;
        struct damon_target *target;
        const char *why;
        struct options o;

        parse(argc, argv, &o);
        if (page_idle_files_open(&files, &why) < 0)
                wl_die("%s", why);
        if (page_idle_new(&page_idle, &ops, &files, true) < 0 ||
            page_idle_target_new(page_idle, "observed", o.pid, &target) < 0)
                wl_die("process %d cannot be observed", o.pid);

        for (uint64_t step = 0; step < o.skip + o.steps && !target->gone; step++) {
                for (uint64_t i = 0; i < o.samples; i++) {
                        samples[i].target = target;
                        samples[i].addr = o.start + wl_random(&seed) % (o.size / WL_PAGE) * WL_PAGE;
                }
                begun = cpu_ns();
                if (ops->mark(page_idle, samples, o.samples) < 0)
                        wl_die("marking failed");
                cpu += cpu_ns() - begun;
                wl_sleep_ms(o.interval_ms);
                begun = cpu_ns();
                if (ops->check(page_idle, samples, o.samples) < 0)
                        wl_die("checking failed");
                cpu += cpu_ns() - begun;
                for (uint64_t i = 0; i < o.samples && step >= o.skip; i++)
                        outcomes[samples[i].outcome]++;
        }
        if (target->gone)
                wl_die("process %d is gone", o.pid);
        printf("checked %" PRIu64 " accessed %" PRIu64 " idle %" PRIu64 " unknown %" PRIu64
               " cpu_ns %" PRIu64 "\n", o.samples * o.steps, outcomes[DAMON_ACCESSED],
               outcomes[DAMON_IDLE] + outcomes[DAMON_ABSENT], outcomes[DAMON_UNKNOWN], cpu);
        page_idle_target_free(target);
        page_idle_free(page_idle);
        page_idle_files_close(&files);
        return 0;
}
