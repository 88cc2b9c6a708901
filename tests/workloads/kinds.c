// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of all kinds that filters tell apart, an area of each: anonymous, shared with a child, of a
 * file, copied from a file, shared without and with a name, in huge pages, and in the heap. Nothing is
 * touched, so that all of it can be paged out, but for every other page of the first with --touch.
 *
 * With --rewrite there are two more: locked in memory, and with holes, where every eighth page of one
 * half is not mapped and every fourth of both was never written to. Then page after page, at random, is
 * read, compared with what was written, and maybe written anew, all the time; the child goes on reading
 * what it was given.
 *
 * Output: "area NAME START SIZE" of each, "ready PID"; on SIGUSR1 "out NAME GONE SWAPPED PAGES" of
 * each, the pages that are not mapped, and those of them that are in swap by the page table, and
 * "counted"; on SIGUSR2, and at the end on SIGTERM, all is read, compared with what was written, and is
 * as in the beginning (but with --rewrite, as it is), which "intact" says; with --rewrite "intact
 * REWRITTEN", the number of pages until then. Exits with 1 if it is not, and says where.
 */
#include <getopt.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "workload.h"

#define SIZE WL_HUGE

/* Pages that are checked at a time, how many of these are written anew, and the pause, milliseconds. */
#define NR_CHECKED 128
#define REWRITE_SHARE 4
#define PAUSE 1
#define CHILD_PAUSE 20

#define NR_WAITERS 4

struct area {
        const char *name;
        char *start;
        size_t nr_pages;
        bool writable;
        uint64_t *sums;                 /* what is in each page */
};

static struct area areas[10];
static size_t nr_areas;
static bool touch, rewrite;
static uint64_t nr_rewritten, state;

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

static bool is_hole(const struct area *area, size_t page)
{
        return strcmp(area->name, "holes") == 0 && page < area->nr_pages / 2 && page % 8 == 7;
}

static bool is_empty(const struct area *area, size_t page)
{
        return strcmp(area->name, "holes") == 0 && page % 4 == 1;
}

/* Those of the first area are to stay shared. */
static bool stays_as_it_is(const struct area *area, size_t page)
{
        return !area->writable || is_hole(area, page) || is_empty(area, page) ||
               (area == &areas[0] && page % 2 == 1);
}

static char *page_of(const struct area *area, size_t page)
{
        return area->start + page * WL_PAGE;
}

static void add_area(const char *name, char *start, size_t size, bool writable)
{
        struct area *area = &areas[nr_areas++];
        uint64_t seed = nr_areas;

        *area = (struct area) { name, start, size / WL_PAGE, writable, calloc(size / WL_PAGE, sizeof(uint64_t)) };
        if (area->sums == NULL)
                wl_die("calloc");
        for (size_t page = 0; page < area->nr_pages; page++) {
                if (is_hole(area, page)) {
                        munmap(page_of(area, page), WL_PAGE);
                        continue;
                }
                if (writable && !is_empty(area, page))
                        wl_fill(page_of(area, page), WL_PAGE, wl_random(&seed));
                area->sums[page] = wl_checksum(page_of(area, page), WL_PAGE, 0);
        }
        printf("area %s %#" PRIxPTR " %zu\n", name, (uintptr_t)start, size);
}

static void check_page(const struct area *area, size_t page)
{
        if (is_hole(area, page) || wl_checksum(page_of(area, page), WL_PAGE, 0) == area->sums[page])
                return;
        printf("broken %s, page %zu, process %d\n", area->name, page, getpid());
        exit(1);
}

/* The sum is not of what lies there then, but of what was to be written there. */
static void rewrite_page(struct area *area, size_t page)
{
        static uint64_t text[WL_PAGE / sizeof(uint64_t)];

        if (stays_as_it_is(area, page))
                return;
        wl_fill(text, WL_PAGE, wl_random(&state));
        area->sums[page] = wl_checksum(text, WL_PAGE, 0);
        memcpy(page_of(area, page), text, WL_PAGE);
        nr_rewritten++;
}

static void rewrite_some(void)
{
        for (size_t i = 0; i < NR_CHECKED; i++) {
                struct area *area = &areas[wl_random(&state) % nr_areas];
                size_t page = wl_random(&state) % area->nr_pages;

                check_page(area, page);
                if (i % REWRITE_SHARE == 0)
                        rewrite_page(area, page);
        }
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

static char *lock(char *start)
{
        if (mlock(start, SIZE) < 0)
                wl_die("mlock");
        return start;
}

/* It reads what the parent may have written anew, and must not see that. */
static _Noreturn void be_child(pid_t parent)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent) {
                if (!rewrite) {
                        pause();
                        continue;
                }
                for (size_t i = 0; i < NR_CHECKED; i++)
                        check_page(&areas[0], wl_random(&state) % areas[0].nr_pages);
                wl_sleep_ms(CHILD_PAUSE);
        }
        _exit(0);
}

static pid_t share_with_child(void)
{
        pid_t parent = getpid(), child;

        add_area("forked", wl_map(SIZE, false), SIZE, true);
        fflush(stdout);
        child = fork();
        if (child < 0)
                wl_die("fork");
        if (child == 0)
                be_child(parent);
        return child;
}

static void *wait_forever(void *unused)
{
        for (;;)
                pause();
        return unused;
}

/* Threads that may be stopped, see INJECTION in damond.conf(5): one may still be on its way back. */
static void start_waiters(void)
{
        pthread_t thread;

        for (unsigned i = 0; i < NR_WAITERS; i++)
                if (pthread_create(&thread, NULL, wait_forever, NULL) != 0)
                        wl_die("pthread_create");
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
        if (rewrite) {
                add_area("locked", lock(wl_map(SIZE, false)), SIZE, true);
                add_area("holes", wl_map(2 * SIZE, false), 2 * SIZE, true);
        }
        close(file_fd);
        close(data_fd);
}

static void count_areas(void)
{
        for (size_t i = 0; i < nr_areas; i++) {
                size_t size = areas[i].nr_pages * WL_PAGE;

                printf("out %s %" PRIu64 " %" PRIu64 " %zu\n", areas[i].name,
                       areas[i].nr_pages - wl_present_pages(areas[i].start, size),
                       wl_swapped_pages(areas[i].start, size), areas[i].nr_pages);
        }
        puts("counted");
        fflush(stdout);
}

/* Huge pages that were swapped out come back as small ones: make them anew. */
static void renew_huge(const struct area *area, uint64_t seed)
{
        size_t size = area->nr_pages * WL_PAGE;

        if (mmap(area->start, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED ||
            madvise(area->start, size, MADV_HUGEPAGE) < 0)
                wl_die("no huge pages");
        for (size_t page = 0; page < area->nr_pages; page++)
                wl_fill(page_of(area, page), WL_PAGE, wl_random(&seed));
}

static void check_areas(pid_t child)
{
        for (size_t i = 0; i < nr_areas; i++)
                for (size_t page = 0; page < areas[i].nr_pages; page++)
                        check_page(&areas[i], page);
        if (waitpid(child, NULL, WNOHANG) != 0) {
                puts("the child is dead");
                exit(1);
        }
        for (size_t i = 0; i < nr_areas; i++)
                if (!rewrite && strcmp(areas[i].name, "huge") == 0)
                        renew_huge(&areas[i], i + 1);
        if (rewrite)
                printf("intact %" PRIu64 "\n", nr_rewritten);
        else
                puts("intact");
        fflush(stdout);
}

static void touch_some(void)
{
        for (size_t i = 0; i < nr_areas; i++)
                for (size_t at = 0; strcmp(areas[i].name, "anon") == 0 && at < SIZE; at += 2 * WL_PAGE)
                        (void)*(volatile char *)(areas[i].start + at);
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "file", required_argument, NULL, 'f' },
                { "data", required_argument, NULL, 'd' },
                { "touch", no_argument, NULL, 't' },
                { "rewrite", no_argument, NULL, 'r' },
                { 0 }
        };
        const char *file = NULL, *data = NULL;
        pid_t child;
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'f': file = optarg; break;
                case 'd': data = optarg; break;
                case 't': touch = true; break;
                case 'r': rewrite = true; break;
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
        if (rewrite)
                start_waiters();
        printf("ready %d\n", getpid());
        fflush(stdout);
        while (!stop) {
                if (count) {
                        count = 0;
                        count_areas();
                }
                if (check) {
                        check = 0;
                        check_areas(child);
                }
                if (touch)
                        touch_some();
                if (rewrite)
                        rewrite_some();
                wl_sleep_ms(rewrite ? PAUSE : touch ? 20 : 1000);
        }
        check_areas(child);
        kill(child, SIGKILL);
        return 0;
}
