// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of all kinds that filters tell apart, an area of each: anonymous, shared with a child, of a
 * file, copied from a file, shared without and with a name, in huge pages, and in the heap. Nothing is
 * touched, so that all of it can be paged out, but for every other page of the first with --touch.
 *
 * Output: "area NAME START SIZE" of each, "ready PID"; on SIGUSR1 "out NAME GONE SWAPPED PAGES" of
 * each, the pages that are not mapped, and those of them that are in swap by the page table, and
 * "counted"; on SIGUSR2, and at the end on SIGTERM, all is read, compared with what was written, and is
 * as in the beginning, which "intact" says. Exits with 1 if it is not.
 */
#include <getopt.h>
#include <sys/prctl.h>

#include "workload.h"

#define SIZE WL_HUGE

struct area {
        const char *name;
        char *start;
        size_t size;
        uint64_t sum;
};

static struct area areas[8];
static size_t nr_areas;

static volatile sig_atomic_t count, check, stop;

static void on_signal(int signal_number)
{
        if (signal_number == SIGUSR1)
                count = 1;
        else if (signal_number == SIGUSR2)
                check = 1;
        else
                stop = 1;
}

static void add_area(const char *name, char *start, size_t size, bool fill)
{
        struct area *area = &areas[nr_areas++];

        *area = (struct area) { name, start, size, 0 };
        if (fill)
                wl_fill(start, size, nr_areas);
        area->sum = wl_checksum(start, size, 0);
        printf("area %s %#" PRIxPTR " %zu\n", name, (uintptr_t)start, size);
}

static char *map(int prot, int flags, int fd, off_t offset)
{
        char *start = mmap(NULL, SIZE, prot, flags, fd, offset);

        if (start == MAP_FAILED)
                wl_die("mmap");
        return start;
}

static char *grow_heap(void)
{
        char *start = sbrk(SIZE + WL_PAGE);

        if (start == (void *)-1)
                wl_die("sbrk");
        return (char *)(((uintptr_t)start + WL_PAGE - 1) & ~(WL_PAGE - 1));
}

static pid_t share_with_child(void)
{
        pid_t parent = getpid(), child;

        add_area("forked", wl_map(SIZE, false), SIZE, true);
        fflush(stdout);
        child = fork();
        if (child < 0)
                wl_die("fork");
        if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                while (getppid() == parent)
                        pause();
                _exit(0);
        }
        return child;
}

static void make_areas(const char *file, const char *data)
{
        int file_fd = open(file, O_RDONLY | O_CLOEXEC);
        int data_fd = open(data, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (file_fd < 0 || data_fd < 0 || ftruncate(data_fd, SIZE) < 0)
                wl_die("%s or %s", file, data);
        add_area("anon", wl_map(SIZE, false), SIZE, true);
        add_area("file", map(PROT_READ, MAP_PRIVATE, file_fd, 0), SIZE, false);
        add_area("copied", map(PROT_READ | PROT_WRITE, MAP_PRIVATE, file_fd, SIZE), SIZE, true);
        add_area("shm", map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), SIZE, true);
        add_area("tmpfs", map(PROT_READ | PROT_WRITE, MAP_SHARED, data_fd, 0), SIZE, true);
        add_area("huge", wl_map(2 * SIZE, true), 2 * SIZE, true);
        add_area("heap", grow_heap(), SIZE, true);
        close(file_fd);
        close(data_fd);
}

/* Pages that are not mapped. */
static uint64_t gone_pages(const struct area *area)
{
        uint64_t entries[2 * WL_HUGE / WL_PAGE], gone = 0;
        size_t pages = area->size / WL_PAGE;
        int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

        if (fd < 0 || pread(fd, entries, pages * 8, (off_t)((uintptr_t)area->start / WL_PAGE * 8)) !=
                              (ssize_t)(pages * 8))
                wl_die("/proc/self/pagemap");
        close(fd);
        for (size_t i = 0; i < pages; i++)
                gone += !(entries[i] >> 63);
        return gone;
}

static void count_areas(void)
{
        for (size_t i = 0; i < nr_areas; i++)
                printf("out %s %" PRIu64 " %" PRIu64 " %zu\n", areas[i].name, gone_pages(&areas[i]),
                       wl_swapped_pages(areas[i].start, areas[i].size), areas[i].size / WL_PAGE);
        puts("counted");
        fflush(stdout);
}

/* Huge pages that were swapped out come back as small ones: make them anew. */
static void renew_huge(const struct area *area, uint64_t seed)
{
        if (mmap(area->start, area->size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED ||
            madvise(area->start, area->size, MADV_HUGEPAGE) < 0)
                wl_die("no huge pages");
        wl_fill(area->start, area->size, seed);
}

static void check_areas(void)
{
        for (size_t i = 0; i < nr_areas; i++)
                if (wl_checksum(areas[i].start, areas[i].size, 0) != areas[i].sum) {
                        printf("broken %s\n", areas[i].name);
                        exit(1);
                }
        for (size_t i = 0; i < nr_areas; i++)
                if (strcmp(areas[i].name, "huge") == 0)
                        renew_huge(&areas[i], i + 1);
        puts("intact");
        fflush(stdout);
}

static void touch_some(void)
{
        for (size_t i = 0; i < nr_areas; i++)
                for (size_t at = 0; strcmp(areas[i].name, "anon") == 0 && at < areas[i].size; at += 2 * WL_PAGE)
                        (void)*(volatile char *)(areas[i].start + at);
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "file", required_argument, NULL, 'f' },
                { "data", required_argument, NULL, 'd' },
                { "touch", no_argument, NULL, 't' },
                { 0 }
        };
        const char *file = NULL, *data = NULL;
        bool touch = false;
        pid_t child;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'f': file = optarg; break;
                case 'd': data = optarg; break;
                case 't': touch = true; break;
                default: return 2;
                }
        errno = 0;
        if (optind != argc || file == NULL || data == NULL)
                wl_die("needs --file FILE of 4 MiB to map, and --data FILE to make");
        wl_on(SIGUSR1, on_signal);
        wl_on(SIGUSR2, on_signal);
        wl_on(SIGTERM, on_signal);
        child = share_with_child();
        make_areas(file, data);
        printf("ready %d\n", getpid());
        fflush(stdout);
        while (!stop) {
                if (count) {
                        count = 0;
                        count_areas();
                }
                if (check) {
                        check = 0;
                        check_areas();
                }
                if (touch)
                        touch_some();
                wl_sleep_ms(touch ? 20 : 1000);
        }
        check_areas();
        kill(child, SIGKILL);
        return 0;
}
