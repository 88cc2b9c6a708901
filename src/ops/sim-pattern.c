/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses as arithmetic: see sim-pattern.h. */

#include "sim-pattern.h"

#include "macro.h"

static uint64_t pattern_nr_islands(const struct sim_pattern *p) {
        return MAX(p->nr_islands, UINT64_C(1));
}

uint64_t pattern_nr_pages(const struct sim_pattern *p) {
        return pattern_nr_islands(p) * (damon_range_size(&p->range) / SIM_PAGE_SIZE);
}

bool pattern_is_on(const struct sim_pattern *p, uint64_t time) {
        return p->from <= time && (p->until == 0 || time < p->until);
}

/* How far the islands are from where they began. */
uint64_t pattern_shift(const struct sim_pattern *p, uint64_t time) {
        uint64_t place = p->move_every > 0 ? (time - p->from) / p->move_every : 0;

        return (p->nr_places > 0 ? place % p->nr_places : place) * p->move_step;
}

/* The end of the stay at the place of a time. */
static uint64_t pattern_stays_until(const struct sim_pattern *p, uint64_t time) {
        if (p->move_every == 0)
                return SIM_NEVER;
        return p->from + ((time - p->from) / p->move_every + 1) * p->move_every;
}

/* Finds the number of a page among those of the pattern. */
bool pattern_page(const struct sim_pattern *p, uint64_t shift, uint64_t addr,
                         uint64_t *ret_page) {
        uint64_t start = p->range.start + shift, size = damon_range_size(&p->range), island;

        if (addr < start)
                return false;
        island = p->stride > 0 ? (addr - start) / p->stride : 0;
        if (island >= pattern_nr_islands(p) || addr - start - island * p->stride >= size)
                return false;
        *ret_page = (island * size + addr - start - island * p->stride) / SIM_PAGE_SIZE;
        return true;
}

/* Page j is accessed at times j * period / pages, rounded down, plus multiples of period. */
static uint64_t nr_accesses_before(uint64_t offset, uint64_t period, uint64_t time) {
        return time <= offset ? 0 : (time - 1 - offset) / period + 1;
}

bool pattern_accesses(const struct sim_pattern *p, uint64_t addr, uint64_t lo, uint64_t hi) {
        lo = MAX(lo, p->from);
        hi = p->until > 0 ? MIN(hi, p->until) : hi;
        while (lo < hi) {
                uint64_t end = MIN(hi, pattern_stays_until(p, lo)), page, offset;

                if (pattern_page(p, pattern_shift(p, lo), addr, &page)) {
                        offset = page * p->period / pattern_nr_pages(p);
                        if (nr_accesses_before(offset, p->period, end) >
                            nr_accesses_before(offset, p->period, lo))
                                return true;
                }
                lo = end;
        }
        return false;
}

/* Visits pages [first, last) of a pattern, island by island. */
int pattern_visit_pages(const struct sim_pattern *p, uint64_t shift, uint64_t first,
                               uint64_t last, visit_t visit, void *arg) {
        uint64_t nr = damon_range_size(&p->range) / SIM_PAGE_SIZE;

        while (first < last) {
                uint64_t island = first / nr, end = MIN(last, (island + 1) * nr);
                uint64_t base = p->range.start + shift + island * p->stride;
                struct damon_range range = {
                        base + (first - island * nr) * SIM_PAGE_SIZE,
                        base + (end - island * nr) * SIM_PAGE_SIZE,
                };
                int r = visit(arg, range);

                if (r < 0)
                        return r;
                first = end;
        }
        return 0;
}

/* The first page that is accessed at this time of a period, or later in it. */
static uint64_t pattern_page_at(const struct sim_pattern *p, uint64_t time) {
        return (time * pattern_nr_pages(p) + p->period - 1) / p->period;
}

/* Visits the pages that are accessed in [lo, hi), during which nothing moves. */
static int pattern_visit_stay(const struct sim_pattern *p, uint64_t lo, uint64_t hi, visit_t visit,
                              void *arg) {
        uint64_t shift = pattern_shift(p, lo), nr = pattern_nr_pages(p), first, last;
        int r;

        if (hi - lo >= p->period)
                return pattern_visit_pages(p, shift, 0, nr, visit, arg);
        first = pattern_page_at(p, lo % p->period);
        last = pattern_page_at(p, (hi - 1) % p->period + 1);
        if (lo % p->period <= (hi - 1) % p->period)
                return pattern_visit_pages(p, shift, first, last, visit, arg);
        r = pattern_visit_pages(p, shift, first, nr, visit, arg);
        if (r < 0)
                return r;
        return pattern_visit_pages(p, shift, 0, last, visit, arg);
}

int pattern_visit(const struct sim_pattern *p, uint64_t lo, uint64_t hi, visit_t visit,
                         void *arg) {
        lo = MAX(lo, p->from);
        hi = p->until > 0 ? MIN(hi, p->until) : hi;
        while (lo < hi) {
                uint64_t end = MIN(hi, pattern_stays_until(p, lo));
                int r = pattern_visit_stay(p, lo, end, visit, arg);

                if (r < 0)
                        return r;
                lo = end;
        }
        return 0;
}
