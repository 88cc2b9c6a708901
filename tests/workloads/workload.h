/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test workloads share: sizes on command lines, a clock, pseudo-random contents that
 * can be made again, and readers of their own /proc. Header only: each workload is one program.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WL_PAGE 4096UL
#define WL_HUGE (2UL << 20)

static inline __attribute__((noreturn, format(printf, 1, 2))) void wl_die(const char *fmt, ...)
{
        int error = errno;
        va_list args;

        va_start(args, fmt);
        fprintf(stderr, "%s: ", program_invocation_short_name);
        vfprintf(stderr, fmt, args);
        va_end(args);
        if (error != 0)
                fprintf(stderr, ": %s", strerror(error));
        fputc('\n', stderr);
        exit(2);
}

/* Numbers with an optional K, M or G. */
static inline uint64_t wl_size(const char *text)
{
        char *end;
        uint64_t value;

        errno = 0;
        value = strtoull(text, &end, 10);
        if (end == text || errno != 0)
                wl_die("not a size: '%s'", text);
        switch (*end) {
        case 'G':
                value <<= 10;
                __attribute__((fallthrough));
        case 'M':
                value <<= 10;
                __attribute__((fallthrough));
        case 'K':
                value <<= 10;
                end++;
                break;
        default:
                break;
        }
        if (*end != '\0')
                wl_die("not a size: '%s'", text);
        return value;
}

static inline uint64_t wl_now_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline void wl_sleep_ms(uint64_t ms)
{
        struct timespec ts = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };

        nanosleep(&ts, NULL);           /* a signal may cut it short */
}

/* splitmix64: good enough to be incompressible, and cheap enough to be made again. */
static inline uint64_t wl_random(uint64_t *state)
{
        uint64_t z = (*state += 0x9e3779b97f4a7c15u);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
}

static inline void wl_fill(void *start, size_t len, uint64_t seed)
{
        uint64_t *words = start;

        for (size_t i = 0; i < len / sizeof(*words); i++)
                words[i] = wl_random(&seed);
}

/* Depends on the position of every word: pages that changed places are noticed too. */
static inline uint64_t wl_checksum(const void *start, size_t len, uint64_t sum)
{
        const uint64_t *words = start;

        for (size_t i = 0; i < len / sizeof(*words); i++) {
                sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15u;
                sum ^= sum >> 32;
        }
        return sum;
}

/* A number of a "Name:   1234 kB" file; 0 when it is not there. */
static inline uint64_t wl_proc_kb(const char *path, const char *name)
{
        FILE *file = fopen(path, "re");
        char line[256];
        uint64_t value = 0;
        size_t len = strlen(name);

        if (file == NULL)
                return 0;
        while (fgets(line, sizeof(line), file) != NULL)
                if (strncmp(line, name, len) == 0 && line[len] == ':') {
                        value = strtoull(line + len + 1, NULL, 10);
                        break;
                }
        fclose(file);
        return value;
}

static inline long wl_majflt(void)
{
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_majflt;
}

/* How many entries of the page map of a range have this bit at this moment. */
static inline uint64_t wl_pages_with(const void *start, size_t len, unsigned bit)
{
        uint64_t entries[512], count = 0, page = (uintptr_t)start / WL_PAGE;
        uint64_t left = len / WL_PAGE;
        int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                wl_die("/proc/self/pagemap");
        while (left > 0) {
                size_t want = left < 512 ? left : 512;
                ssize_t got = pread(fd, entries, want * 8, (off_t)(page * 8));

                if (got <= 0)
                        wl_die("reading pagemap");
                for (size_t i = 0; i < (size_t)got / 8; i++)
                        count += entries[i] >> bit & 1;
                page += (uint64_t)got / 8;
                left -= (uint64_t)got / 8;
        }
        close(fd);
        return count;
}

static inline uint64_t wl_swapped_pages(const void *start, size_t len)
{
        return wl_pages_with(start, len, 62);
}

static inline uint64_t wl_present_pages(const void *start, size_t len)
{
        return wl_pages_with(start, len, 63);
}

/* Anonymous memory that nothing has touched, aligned to 2 MiB, with or without huge pages. */
static inline char *wl_map(size_t len, bool thp)
{
        char *area = mmap(NULL, len + WL_HUGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        uintptr_t start;

        if (area == MAP_FAILED)
                wl_die("no memory for %zu bytes", len);
        start = ((uintptr_t)area + WL_HUGE - 1) & ~(WL_HUGE - 1);
        if (start > (uintptr_t)area)
                munmap(area, start - (uintptr_t)area);
        if ((uintptr_t)area + WL_HUGE > start)
                munmap((char *)start + len, (uintptr_t)area + WL_HUGE - start);
        /* A kernel without huge pages refuses both, and needs neither. */
        if (madvise((void *)start, len, thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0 && thp)
                wl_die("no transparent huge pages");
        return (char *)start;
}

static inline void wl_on(int signal_number, void (*handler)(int))
{
        struct sigaction action = { .sa_handler = handler };

        sigaction(signal_number, &action, NULL);
}
