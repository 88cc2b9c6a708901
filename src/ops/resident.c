/* SPDX-License-Identifier: GPL-2.0-only */
/* Residency: see resident.h. */

#include "resident.h"

#include "array.h"
#include "clock.h"
#include "macro.h"
#include "pagemap.h"

/*
 * A step of the walk: 65,536 pages of 4 KiB take about a millisecond if all are there. Where a step is
 * quick, there is little, and the next one is twice as long: JavaScript engines and others spread over
 * the whole address space, 128 TiB, what is a few hundred megabytes. It ends with as many pages all the
 * same.
 */
#define STEP_BYTES (UINT64_C(256) << 20)
#define STEP_BYTES_MAX (UINT64_C(1) << 47)
#define STEP_PAGES 65536
#define STEP_QUICK UINT64_C(200000)     /* nanoseconds */
#define STEP_RANGES 512

/* More ranges than this are not worth their memory: small gaps go. */
#define RANGES_MAX 2048
#define MIN_GAP (UINT64_C(64) << 10)

/* Between walks passes so many times the time that one takes. */
#define PAUSE_FACTOR 1000

void resident_done(struct resident *resident) {
        free(resident->ranges);
        free(resident->next);
        *resident = (struct resident) {};
}

/* Join the ranges behind @last that only a gap smaller than min_gap is between. */
static void join_next(struct resident *resident, size_t last) {
        for (size_t i = last + 1; i < resident->nr_next; i++)
                if (resident->next[i].start - resident->next[last].end < resident->min_gap)
                        resident->next[last].end = resident->next[i].end;
                else
                        resident->next[++last] = resident->next[i];
        resident->nr_next = MIN(resident->nr_next, last + 1);
}

static int add_next(struct resident *resident, const struct pagemap_region *found, size_t nr) {
        size_t last = resident->nr_next > 0 ? resident->nr_next - 1 : 0;
        int r;

        r = ARRAY_GROW(resident->next, resident->sz_next, resident->nr_next + nr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < nr; i++)
                resident->next[resident->nr_next++] = (struct damon_range) { found[i].start, found[i].end };
        join_next(resident, last);
        while (resident->nr_next > RANGES_MAX) {
                resident->min_gap *= 2;
                join_next(resident, 0);
        }
        return 0;
}

/* One step of the walk, up to @end at most. */
static int walk_step(struct resident *resident, int pagemap_fd, uint64_t end) {
        struct pagemap_region found[STEP_RANGES];
        uint64_t walked;
        int nr, r;

        nr = pagemap_scan(pagemap_fd, (struct damon_range) { resident->cursor, end }, found, STEP_RANGES,
                          STEP_PAGES, &walked);
        if (nr < 0)
                return nr;
        r = add_next(resident, found, (size_t) nr);
        if (r < 0)
                return r;
        resident->cursor = walked;
        return 0;
}

/* Where the walk goes on: the next part of the regions that adjoin each other. */
static struct damon_range next_part(const struct damon_regions *regions, uint64_t cursor) {
        struct damon_range part = {};

        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_range *range = &regions->items[i].range;

                if (range->end <= cursor)
                        continue;
                if (part.end == 0)
                        part = (struct damon_range) { MAX(range->start, cursor), range->end };
                else if (part.end == range->start)
                        part.end = range->end;
                else
                        break;
        }
        return part;
}

static void finish_walk(struct resident *resident, uint64_t now) {
        struct resident found = *resident;

        resident->ranges = found.next;
        resident->nr = found.nr_next;
        resident->capacity = found.sz_next;
        resident->next = found.ranges;
        resident->sz_next = found.capacity;
        resident->known = true;
        resident->cursor = 0;
        resident->not_before = now + PAUSE_FACTOR * found.spent;
}

int resident_update(struct resident *resident, int pagemap_fd, const struct damon_regions *regions,
                    uint64_t now, int64_t *credit) {
        struct damon_range part = {};

        if (resident->cursor == 0) {
                if (now < resident->not_before || *credit <= 0)
                        return 0;
                resident->nr_next = 0;
                resident->spent = 0;
                resident->step = STEP_BYTES;
                /* gaps may have become fewer since the last walk */
                resident->min_gap = MAX(resident->min_gap / 2, MIN_GAP);
        }
        while (*credit > 0) {
                uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), spent;
                int r;

                if (resident->cursor >= part.end) {
                        part = next_part(regions, resident->cursor);
                        if (part.end == 0) {
                                finish_walk(resident, now);
                                return 0;
                        }
                        resident->cursor = part.start;
                }
                r = walk_step(resident, pagemap_fd, MIN(part.end, resident->cursor + resident->step));
                if (r < 0) {
                        resident->cursor = 0;
                        return r;
                }
                spent = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
                resident->spent += spent;
                resident->step = spent < STEP_QUICK ? MIN(2 * resident->step, STEP_BYTES_MAX) :
                                                      MAX(resident->step / 4, STEP_BYTES);
                *credit -= (int64_t) spent;
        }
        return 0;
}
