/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of every kind that actions on huge pages may come across, each aligned to a huge page and
 * with a gap behind it. Prints "area NAME START SIZE" for each, with START in hexadecimal, then
 * "ready"; and on SIGUSR1 whether what it wrote is still there, "intact" or "CHANGED NAME".
 */
#include "workload.h"

enum {
        PLAIN,                          /* all of it in memory, no advice */
        SPARSE,                         /* every fourth page of it */
        UNWILLING,                      /* MADV_NOHUGEPAGE */
        HOLES,                          /* parts of the second and the fifth block are not mapped */
        SHARED,                         /* shared anonymous memory */
        FILE_PRIVATE,                   /* of a file, read only */
        FILE_SHARED,                    /* of a file, to be written to */
        NR_AREAS,
};

static struct area {
        const char *name;
        size_t size;
        char *start;
        uint64_t sum;
} areas[NR_AREAS] = {
        [PLAIN] = { .name = "plain", .size = 8 * WL_HUGE },
        [SPARSE] = { .name = "sparse", .size = 4 * WL_HUGE },
        [UNWILLING] = { .name = "unwilling", .size = 4 * WL_HUGE },
        [HOLES] = { .name = "holes", .size = 8 * WL_HUGE },
        [SHARED] = { .name = "shared", .size = 4 * WL_HUGE },
        [FILE_PRIVATE] = { .name = "file-private", .size = 4 * WL_HUGE },
        [FILE_SHARED] = { .name = "file-shared", .size = 4 * WL_HUGE },
};

static volatile sig_atomic_t asked;

static void on_term(int signal_number)
{
        (void)signal_number;
        _exit(0);
}

static void on_user1(int signal_number)
{
        asked = 1;
}

static bool is_hole(const struct area *area, size_t page)
{
        size_t block = page * WL_PAGE / WL_HUGE, inside = page * WL_PAGE % WL_HUGE;

        return area == &areas[HOLES] && (block == 1 || block == 4) && inside >= 1 << 20 &&
               inside < (1 << 20) + (64 << 10);
}

static bool is_empty(const struct area *area, size_t page)
{
        return is_hole(area, page) || (area == &areas[SPARSE] && page % 4 != 0);
}

static uint64_t checksum(const struct area *area)
{
        uint64_t sum = 0;

        for (size_t page = 0; page < area->size / WL_PAGE; page++)
                if (!is_empty(area, page))
                        sum = wl_checksum(area->start + page * WL_PAGE, WL_PAGE, sum);
        return sum;
}

static int make_file(size_t size)
{
        char path[] = "/tmp/huge-XXXXXX", *text = malloc(size);
        int fd = mkstemp(path);

        if (fd < 0 || text == NULL)
                wl_die("%s", path);
        unlink(path);
        wl_fill(text, size, 99);
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, text + done, size - done);

                if (n <= 0)
                        wl_die("write");
                done += (size_t)n;
        }
        free(text);
        return fd;
}

static void map_area(struct area *area, char *at)
{
        int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, prot = PROT_READ | PROT_WRITE, fd = -1;

        if (area == &areas[SHARED])
                flags = MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS;
        if (area == &areas[FILE_PRIVATE] || area == &areas[FILE_SHARED])
                fd = make_file(area->size);
        if (area == &areas[FILE_PRIVATE])
                flags = MAP_FIXED | MAP_PRIVATE, prot = PROT_READ;
        if (area == &areas[FILE_SHARED])
                flags = MAP_FIXED | MAP_SHARED;
        area->start = mmap(at, area->size, prot, flags, fd, 0);
        if (area->start == MAP_FAILED)
                wl_die("mmap %s", area->name);
        if (area == &areas[UNWILLING] && madvise(area->start, area->size, MADV_NOHUGEPAGE) < 0)
                wl_die("madvise");
        for (size_t page = 0; page < area->size / WL_PAGE; page++) {
                char *p = area->start + page * WL_PAGE;

                if (is_hole(area, page))
                        munmap(p, WL_PAGE);
                else if (!is_empty(area, page) && (prot & PROT_WRITE))
                        wl_fill(p, WL_PAGE, (uintptr_t)p);
        }
        area->sum = checksum(area);
        printf("area %s %lx %zu\n", area->name, (unsigned long)(uintptr_t)area->start, area->size);
}

int main(void)
{
        size_t size = WL_HUGE;
        uintptr_t at;
        char *reserve;

        for (unsigned i = 0; i < NR_AREAS; i++)
                size += areas[i].size + WL_HUGE;
        reserve = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (reserve == MAP_FAILED)
                wl_die("no addresses");
        at = ((uintptr_t)reserve + WL_HUGE - 1) & ~(WL_HUGE - 1);
        wl_on(SIGUSR1, on_user1);
        wl_on(SIGTERM, on_term);
        for (unsigned i = 0; i < NR_AREAS; i++) {
                map_area(&areas[i], (char *)at);
                at += areas[i].size + WL_HUGE;
        }
        puts("ready");
        fflush(stdout);
        for (;;) {
                const char *changed = NULL;

                pause();
                if (!asked)
                        continue;
                asked = 0;
                for (unsigned i = 0; i < NR_AREAS; i++)
                        if (checksum(&areas[i]) != areas[i].sum)
                                changed = areas[i].name;
                printf(changed ? "CHANGED %s\n" : "intact\n", changed);
                fflush(stdout);
        }
}
