// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process whose working set is known exactly: anonymous memory with pseudo-random contents
 * of which one part is read over and over and the rest never again. The accuracy tests compare
 * what damond says, and what it pages out, with this truth; at the end the whole memory must
 * still hold what was written to it.
 *
 * Output: "ready PID ADDRESS SIZE HOT-ADDRESS HOT-SIZE" once the memory is filled; a "status"
 * line on SIGUSR1; "checksum ok PID" or "checksum wrong PID" on SIGTERM or after --seconds.
 */
#include <getopt.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "workload.h"

/* Small enough that the two of a pair share the 64 pages of a bitmap word several times over. */
#define PAIR_BATCH (4 * WL_PAGE)

struct options {
        uint64_t size, hot, offset, seconds, period_ms;
        bool thp, pair;
};

static volatile sig_atomic_t stop, report;

static void on_signal(int signal_number)
{
        if (signal_number == SIGUSR1)
                report = 1;
        else
                stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: hotcold [--size 256M] [--hot 64M] [--offset 0] [--thp] [--pair]\n"
              "               [--seconds N] [--period-ms P]\n"
              "  --offset     where in its memory the hot part starts\n"
              "  --thp        on transparent huge pages\n"
              "  --pair       two such processes whose pages alternate in physical memory\n"
              "  --seconds    end by itself after that time\n"
              "  --period-ms  start a pass over the hot part so often (default: at once)\n", out);
}

static void parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {
                { "size", required_argument, NULL, 's' },
                { "hot", required_argument, NULL, 'h' },
                { "offset", required_argument, NULL, 'o' },
                { "thp", no_argument, NULL, 't' },
                { "pair", no_argument, NULL, 'p' },
                { "seconds", required_argument, NULL, 'n' },
                { "period-ms", required_argument, NULL, 'm' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        int c;

        *o = (struct options){ .size = 256 << 20, .hot = 64 << 20 };
        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 's': o->size = wl_size(optarg); break;
                case 'h': o->hot = wl_size(optarg); break;
                case 'o': o->offset = wl_size(optarg); break;
                case 't': o->thp = true; break;
                case 'p': o->pair = true; break;
                case 'n': o->seconds = wl_size(optarg); break;
                case 'm': o->period_ms = wl_size(optarg); break;
                case 'H': usage(stdout); exit(0);
                default: usage(stderr); exit(2);
                }
        errno = 0;
        if (optind != argc || o->size == 0 || (o->size | o->hot | o->offset) % WL_PAGE != 0)
                wl_die("sizes are whole pages, and there is nothing after the options");
        if (o->offset > o->size || o->hot > o->size - o->offset)
                wl_die("the hot part does not fit into the memory");
        if (o->thp && o->size % WL_HUGE != 0)
                wl_die("--thp needs a size in whole huge pages (2M)");
}

/* The turn goes back and forth through two pipes; on one CPU, so that both processes draw from
 * the same list of free pages. */
struct turn {
        int wait_fd, pass_fd;
};

static void turn_wait(const struct turn *turn)
{
        char token;

        if (turn->wait_fd >= 0 && read(turn->wait_fd, &token, 1) != 1)
                wl_die("the other process of the pair is gone");
}

static void turn_pass(const struct turn *turn)
{
        if (turn->pass_fd >= 0 && write(turn->pass_fd, "", 1) != 1)
                wl_die("the other process of the pair is gone");
}

static void fill(const struct options *o, char *area, const struct turn *turn)
{
        uint64_t step = o->thp ? WL_HUGE : PAIR_BATCH;
        uint64_t seed = (uint64_t)getpid() << 32;

        if (!o->pair) {
                wl_fill(area, o->size, seed);
                return;
        }
        for (uint64_t at = 0; at < o->size; at += step) {
                turn_wait(turn);
                wl_fill(area + at, o->size - at < step ? o->size - at : step, seed + at);
                turn_pass(turn);
        }
}

static int work(const struct options *o, const struct turn *turn)
{
        char *area = wl_map(o->size, o->thp), *hot = area + o->offset;
        uint64_t sum, start, passes = 0, slowest_ns = 0;
        cpu_set_t all, one;

        sched_getaffinity(0, sizeof(all), &all);
        if (o->pair) {
                int cpu = 0;

                while (!CPU_ISSET(cpu, &all))
                        cpu++;
                CPU_ZERO(&one);
                CPU_SET(cpu, &one);
                sched_setaffinity(0, sizeof(one), &one);
        }
        fill(o, area, turn);
        sched_setaffinity(0, sizeof(all), &all);
        sum = wl_checksum(area, o->size, 0);

        printf("ready %d %#" PRIxPTR " %" PRIu64 " %#" PRIxPTR " %" PRIu64 "\n", getpid(),
               (uintptr_t)area, o->size, (uintptr_t)hot, o->hot);
        if (o->thp)
                printf("huge %d %" PRIu64 " kB\n", getpid(),
                       wl_proc_kb("/proc/self/smaps_rollup", "AnonHugePages"));
        fflush(stdout);

        start = wl_now_ns();
        while (!stop) {
                uint64_t began = wl_now_ns(), took;

                for (uint64_t at = 0; at < o->hot; at += WL_PAGE)
                        (void)*(volatile uint64_t *)(void *)(hot + at);
                took = wl_now_ns() - began;
                passes++;
                if (took > slowest_ns)
                        slowest_ns = took;
                if (report) {
                        struct rusage usage;

                        report = 0;
                        getrusage(RUSAGE_SELF, &usage);
                        printf("status %d passes %" PRIu64 " majflt %ld minflt %ld rss_kb %" PRIu64
                               " swap_kb %" PRIu64 " slowest_ms %.1f\n", getpid(), passes,
                               usage.ru_majflt, usage.ru_minflt,
                               wl_proc_kb("/proc/self/status", "VmRSS"),
                               wl_proc_kb("/proc/self/status", "VmSwap"),
                               (double)slowest_ns / 1e6);
                        fflush(stdout);
                        slowest_ns = 0;
                }
                if (o->seconds > 0 && wl_now_ns() - start >= o->seconds * 1000000000u)
                        break;
                if (o->period_ms > took / 1000000u)
                        wl_sleep_ms(o->period_ms - took / 1000000u);
                else if (o->hot == 0)
                        wl_sleep_ms(10);        /* nothing to read: wait for a signal */
        }

        if (wl_checksum(area, o->size, 0) != sum) {
                printf("checksum wrong %d\n", getpid());
                fflush(stdout);
                return 1;
        }
        printf("checksum ok %d\n", getpid());
        fflush(stdout);
        return 0;
}

static int work_in_pair(const struct options *o)
{
        int forth[2], back[2], status = 0;
        struct turn first, second;
        pid_t child;
        int ret;

        if (pipe2(forth, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
                wl_die("no pipe");
        first = (struct turn){ back[0], forth[1] };
        second = (struct turn){ forth[0], back[1] };
        if (write(back[1], "", 1) != 1)         /* the first turn is the parent's */
                wl_die("no pipe");
        child = fork();
        if (child < 0)
                wl_die("no second process");
        if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                exit(work(o, &second));
        }
        ret = work(o, &first);
        kill(child, SIGTERM);
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
                return 1;
        return ret != 0 ? ret : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
        static const struct turn alone = { -1, -1 };
        struct options o;

        parse(argc, argv, &o);
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        wl_on(SIGUSR1, on_signal);
        return o.pair ? work_in_pair(&o) : work(&o, &alone);
}
