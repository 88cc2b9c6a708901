// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a sample costs at least: makes the system calls that sampling by page_idle takes, one page of
 * each of the given regions a step, and nothing else. Marks and checks as damond does, with one call
 * for pages of one word of the bitmap, but neither judges nor remembers what it finds.
 *
 * Standard input: a region a line, "START-END" in hexadecimal.
 * Output: "floor STEPS steps SAMPLES samples NS" (CPU time of the calls alone, in nanoseconds; that
 * is instructions where they are counted as time).
 */
#include <fcntl.h>
#include <inttypes.h>

#include "workload.h"

#define MAX_REGIONS 4096
#define PFN_MASK ((UINT64_C(1) << 55) - 1)
#define PRESENT (UINT64_C(1) << 63)

static struct {
        uint64_t start, pages;
} regions[MAX_REGIONS];

/* a page that was marked, by the word of the bitmap that its bit is in */
static struct mark {
        uint64_t addr, pfn;
} marks[MAX_REGIONS];

static size_t nr_regions, nr_marks;
static uint64_t spent, seed = 1;

static int by_pfn(const void *a, const void *b)
{
        const struct mark *x = a, *y = b;

        return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static uint64_t cpu_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t read_u64(int fd, uint64_t index)
{
        uint64_t value = 0;

        if (pread(fd, &value, sizeof(value), (off_t)(index * sizeof(value))) < 0)
                wl_die("pread");
        return value;
}

/* One word for all marks that lie in it, and the next mark behind. */
static size_t word_of(size_t i, uint64_t *ret_bits)
{
        uint64_t word = marks[i].pfn / 64;

        for (*ret_bits = 0; i < nr_marks && marks[i].pfn / 64 == word; i++)
                *ret_bits |= UINT64_C(1) << (marks[i].pfn % 64);
        return i;
}

static void mark(int pagemap, int kpageflags, int bitmap)
{
        struct mark chosen[MAX_REGIONS];
        uint64_t begun;

        for (size_t i = 0; i < nr_regions; i++)
                chosen[i].addr = regions[i].start + wl_random(&seed) % regions[i].pages * WL_PAGE;

        begun = cpu_ns();
        for (size_t i = 0; i < nr_regions; i++) {
                uint64_t entry = read_u64(pagemap, chosen[i].addr / WL_PAGE);

                chosen[i].pfn = entry & PRESENT ? entry & PFN_MASK : 0;
                if (chosen[i].pfn)
                        read_u64(kpageflags, chosen[i].pfn);
        }
        spent += cpu_ns() - begun;

        nr_marks = 0;
        for (size_t i = 0; i < nr_regions; i++)
                if (chosen[i].pfn)
                        marks[nr_marks++] = chosen[i];
        qsort(marks, nr_marks, sizeof(marks[0]), by_pfn);

        begun = cpu_ns();
        for (size_t i = 0; i < nr_marks;) {
                uint64_t bits, index = marks[i].pfn / 64;

                i = word_of(i, &bits);
                if (pwrite(bitmap, &bits, sizeof(bits), (off_t)(index * sizeof(bits))) < 0)
                        wl_die("pwrite");
        }
        spent += cpu_ns() - begun;
}

static void check(int pagemap, int kpageflags, int bitmap)
{
        uint64_t begun = cpu_ns();

        for (size_t i = 0; i < nr_marks; i++)
                read_u64(pagemap, marks[i].addr / WL_PAGE);
        for (size_t i = 0, end; i < nr_marks; i = end) {
                uint64_t bits, idle;

                end = word_of(i, &bits);
                idle = read_u64(bitmap, marks[i].pfn / 64);
                for (; i < end; i++)
                        if (!(idle >> (marks[i].pfn % 64) & 1))
                                read_u64(kpageflags, marks[i].pfn);
        }
        spent += cpu_ns() - begun;
}

static int open_file(const char *path, int flags)
{
        int fd = open(path, flags | O_CLOEXEC);

        if (fd < 0)
                wl_die("cannot open %s", path);
        return fd;
}

int main(int argc, char **argv)
{
        char path[64];
        uint64_t start, end, steps, samples = 0;
        int pagemap, kpageflags, bitmap;

        if (argc != 4) {
                fputs("Usage: floor PID STEPS INTERVAL-MS <REGIONS\n", stderr);
                return 2;
        }
        while (nr_regions < MAX_REGIONS && scanf("%" SCNx64 "-%" SCNx64, &start, &end) == 2) {
                regions[nr_regions].start = start;
                regions[nr_regions++].pages = (end - start) / WL_PAGE;
        }
        snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
        pagemap = open_file(path, O_RDONLY);
        kpageflags = open_file("/proc/kpageflags", O_RDONLY);
        bitmap = open_file("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
        steps = wl_size(argv[2]);
        for (uint64_t i = 0; i < steps; i++) {
                mark(pagemap, kpageflags, bitmap);
                wl_sleep_ms(wl_size(argv[3]));
                check(pagemap, kpageflags, bitmap);
                samples += nr_regions;
        }
        printf("floor %" PRIu64 " steps %" PRIu64 " samples %" PRIu64 "\n", steps, samples, spent);
        return 0;
}
