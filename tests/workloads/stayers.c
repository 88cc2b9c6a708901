// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of different kinds, touched once and then left alone: anonymous, locked, shared with a
 * child, and of a file. What is there of each, by its own page map, is what damond should say that
 * it has moved, and that was refused.
 *
 * Output: "ready PID"; on SIGUSR1 "there ANON LOCKED SHARED FILE", in bytes; ends on SIGTERM.
 */
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "workload.h"

struct area {
        char *start;
        size_t size;
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
        fputs("Usage: stayers [--anon 16M] [--locked 8M] [--shared 8M] [--file PATH]\n"
              "  --file       map the first 8 MiB of this\n", out);
}

static uint64_t present_bytes(const struct area *area)
{
        return wl_present_pages(area->start, area->size) * WL_PAGE;
}

/* Anonymous memory that a child, if there is one, has or has not. */
static struct area fill(size_t size, bool shared)
{
        struct area area = { NULL, size };

        if (size == 0)
                return area;
        area.start = wl_map(size, false);
        wl_fill(area.start, size, size);
        if (!shared && madvise(area.start, size, MADV_DONTFORK) < 0)
                wl_die("MADV_DONTFORK");
        return area;
}

static struct area map_file(const char *path)
{
        struct area area = { NULL, 8 << 20 };
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                wl_die("%s", path);
        area.start = mmap(NULL, area.size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (area.start == MAP_FAILED || madvise(area.start, area.size, MADV_DONTFORK) < 0)
                wl_die("%s", path);
        close(fd);
        for (size_t at = 0; at < area.size; at += WL_PAGE)
                (void)*(volatile char *)(area.start + at);
        return area;
}

static void tell(const struct area *areas, size_t nr)
{
        printf("there");
        for (size_t i = 0; i < nr; i++)
                printf(" %" PRIu64, areas[i].size > 0 ? present_bytes(&areas[i]) : 0);
        printf("\n");
        fflush(stdout);
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "anon", required_argument, NULL, 'a' },
                { "locked", required_argument, NULL, 'l' },
                { "shared", required_argument, NULL, 's' },
                { "file", required_argument, NULL, 'f' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        uint64_t anon = 16 << 20, locked = 8 << 20, shared = 8 << 20;
        const char *file = NULL;
        struct area areas[4] = { 0 };
        sigset_t signals, before;
        pid_t child = -1;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'a': anon = wl_size(optarg); break;
                case 'l': locked = wl_size(optarg); break;
                case 's': shared = wl_size(optarg); break;
                case 'f': file = optarg; break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        errno = 0;
        if (optind != argc || (anon | locked | shared) % WL_PAGE != 0)
                wl_die("see --help");

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGUSR1);
        sigprocmask(SIG_BLOCK, &signals, &before);
        wl_on(SIGTERM, on_signal);
        wl_on(SIGUSR1, on_signal);
        areas[0] = fill(anon, false);
        areas[1] = fill(locked, false);
        if (locked > 0 && mlock(areas[1].start, locked) < 0)
                wl_die("mlock");
        areas[2] = fill(shared, true);
        if (file != NULL)
                areas[3] = map_file(file);
        if (shared > 0) {
                child = fork();
                if (child == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        prctl(PR_SET_NAME, "sharer");
                        for (;;)
                                pause();
                }
        }
        printf("ready %d\n", getpid());
        fflush(stdout);
        while (!stop) {
                sigsuspend(&before);
                if (report) {
                        report = 0;
                        tell(areas, 4);
                }
        }
        if (child > 0)
                kill(child, SIGKILL);
        return 0;
}
