/* SPDX-License-Identifier: GPL-2.0-only */
/* What was paged out, and comes back: see watch.h. */

#include <damond/watch.h>

#include <string.h>

#include "array.h"
#include "macro.h"

#define NR_MAX 512
#define NR_LOOKS 7

/* Adjoining ranges that leave together are one up to this size. */
#define SZ_JOINED (UINT64_C(64) << 20)

/* Bytes of addresses that a step looks at, and no more than by one look. */
#define SZ_STEP (UINT64_C(256) << 20)

/* A look that is late by more than this part of the time tells nothing about the time. */
#define LATE_SHARE 8

void damos_watch_done(struct damos_watch *watch) {
        free(watch->items);
        *watch = (struct damos_watch) {};
}

/* When a departure is to be looked at for the next time: after 1/64, 1/32, ... and the whole time. */
static uint64_t due_at(const struct damos_departure *departure, uint64_t within) {
        return departure->time + (within >> (NR_LOOKS - 1 - departure->nr_looks));
}

static bool join(struct damos_departure *last, const struct damos_departure *next) {
        if (last->target != next->target || last->time != next->time || last->epoch != next->epoch ||
            last->range.end != next->range.start || last->nr_looks > 0 ||
            next->range.end - last->range.start > SZ_JOINED)
                return false;
        last->range.end = next->range.end;
        last->sz_out += next->sz_out;
        last->sz_stayed += next->sz_stayed;
        return true;
}

int damos_watch_add(struct damos_watch *watch, const struct damos *scheme, struct damon_target *target,
                    struct damon_range range, const struct damos_outcome *outcome, uint64_t now) {
        struct damos_departure departure = {
                .target = target,
                .range = range,
                .sz_out = outcome->sz_moved - outcome->sz_returned,
                .sz_stayed = damos_outcome_refused(outcome) + outcome->sz_returned,
                .time = now,
                .epoch = scheme->guard.epoch,
        };
        int r;

        if (departure.sz_out == 0 || scheme->returned_within == 0)
                return 0;
        if (watch->nr > 0 && join(&watch->items[watch->nr - 1], &departure))
                return 0;
        if (watch->nr == NR_MAX) {
                if (watch->items[0].nr_looks == 0)
                        return 0;
                memmove(watch->items, watch->items + 1, --watch->nr * sizeof(watch->items[0]));
        }
        r = ARRAY_GROW(watch->items, watch->sz_items, watch->nr + 1);
        if (r < 0)
                return r;
        watch->next_at = watch->nr > 0 ? MIN(watch->next_at, due_at(&departure, scheme->returned_within)) :
                                         due_at(&departure, scheme->returned_within);
        watch->items[watch->nr++] = departure;
        return 0;
}

static int look_at(struct damos_departure *departure, struct damos *scheme, const struct damon_ops *ops,
                   void *ops_data, uint64_t now) {
        uint64_t size, back;
        int r;

        r = ops->present(ops_data, departure->target, departure->range, &size);
        if (r < 0 || departure->target->gone)
                return r;
        back = MIN(size - MIN(size, departure->sz_stayed), departure->sz_out);
        back = MAX(back, departure->sz_back);
        scheme->stat.outcome.sz_returned += back - departure->sz_back;
        if (scheme->guarded)
                damos_guard_judge(&scheme->guard, scheme->returned_within, departure->epoch,
                                  departure->nr_looks == 0 ? departure->sz_out : 0,
                                  back - departure->sz_back, now);
        departure->sz_back = back;
        return 0;
}

static bool is_over(const struct damos_departure *departure) {
        return departure->target->gone || departure->nr_looks == NR_LOOKS ||
               departure->sz_back == departure->sz_out;
}

int damos_watch_look(struct damos_watch *watch, struct damos *scheme, const struct damon_ops *ops,
                     void *ops_data, uint64_t now) {
        uint64_t within = scheme->returned_within, size = 0;
        size_t kept = 0;
        int r = 0;

        if (watch->nr == 0 || now < watch->next_at)
                return 0;
        watch->next_at = UINT64_MAX;
        for (size_t i = 0; i < watch->nr; i++) {
                struct damos_departure *departure = &watch->items[i];

                if (r >= 0 && size < SZ_STEP && due_at(departure, within) <= now) {
                        if (now - departure->time <= within + within / LATE_SHARE)
                                r = look_at(departure, scheme, ops, ops_data, now);
                        size += damon_range_size(&departure->range);
                        /* those that it is too late for are over, too */
                        while (departure->nr_looks < NR_LOOKS && due_at(departure, within) <= now)
                                departure->nr_looks++;
                }
                if (is_over(departure))
                        continue;
                watch->next_at = MIN(watch->next_at, due_at(departure, within));
                watch->items[kept++] = *departure;
        }
        watch->nr = kept;
        return r;
}

void damos_watch_forget(struct damos_watch *watch, const struct damon_target *target) {
        size_t kept = 0;

        for (size_t i = 0; i < watch->nr; i++)
                if (watch->items[i].target != target)
                        watch->items[kept++] = watch->items[i];
        watch->nr = kept;
}
