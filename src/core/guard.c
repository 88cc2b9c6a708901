/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard of a scheme: see guard.h. */

#include <damond/guard.h>

#include "macro.h"
#include "unit.h"

/* Parts of what was paged out, one in so many, that may not come back: see damond.conf(5). */
#define WRONG_SHARE 2
#define BAD_SHARE 10
#define GOOD_SHARE 20

/* Fewer bytes prove nothing. */
#define SZ_PROOF (UINT64_C(1) << 20)

/* What may be tried after a pause: enough to prove something, and too little to hurt. */
#define SZ_PROBE (4 * SZ_PROOF)

/* Parts of the time within which what comes back counts. */
#define NR_PERIODS 16
#define PAUSE_PART 4

/*
 * Pressure counts if tasks wait for memory for so small a part of the time: swap in memory is quick, and
 * a program that reads back all that is taken from it, 57 MB a second, waits for a thirtieth of the time
 * only. Looks are so far apart at least.
 */
#define WAITED_PART 100
#define LOOK_MIN USEC_PER_SEC

/* From one raise of the limit to the next: some of what it has allowed has come back by then. */
#define NR_RAISE (NR_PERIODS / 4)
#define PAUSE_MAX (60 * 60 * USEC_PER_SEC)

/* Part of a pause that a period without cause for complaint takes off the next one. */
#define PAUSE_FADE 64

/* Parts of the swap that are too little to go on, and enough to go on again. */
#define SWAP_SHORT 10
#define SWAP_ENOUGH 5

/* If no more than that of what is tried goes to swap, trying is in vain. */
#define FUTILE_SHARE 16

static void begin_period(struct damos_guard *guard, uint64_t within, uint64_t now) {
        guard->used_before = guard->used;
        guard->used = 0;
        guard->sz_futile = 0;
        guard->ends_at = now + MAX(within / NR_PERIODS, UINT64_C(1));
}

/* From here on, only what is done from now on counts. */
static void begin_epoch(struct damos_guard *guard) {
        guard->epoch++;
        guard->nr_good = 0;
        guard->cause_out = guard->sz_out;
        guard->cause_back = guard->sz_back;
        guard->sz_out = guard->sz_back = 0;
}

static void stop(struct damos_guard *guard, enum damos_guard_reason reason, uint64_t within,
                 uint64_t now) {
        begin_period(guard, within, now);
        begin_epoch(guard);
        guard->reason = reason;
        guard->limit = 0;
        guard->pause = MIN(MAX(2 * guard->pause, within / PAUSE_PART), PAUSE_MAX);
        guard->ends_at = now + guard->pause;
}

static void halve(struct damos_guard *guard, enum damos_guard_reason reason, uint64_t within,
                  uint64_t now) {
        uint64_t limit = MAX(guard->used, guard->used_before);

        if (limit / 2 < SZ_PROBE) {
                stop(guard, reason, within, now);
                return;
        }
        begin_period(guard, within, now);
        begin_epoch(guard);
        guard->reason = reason;
        guard->limit = limit / 2;
}

/*
 * A period has ended in which the scheme was held back. When all of what it did first has been watched
 * for as long as it takes, it may do more, or is free if it does not want to.
 */
static void relax(struct damos_guard *guard) {
        bool wants_more = guard->used > guard->limit / 2;

        if (guard->sz_out == 0 || guard->sz_back > guard->sz_out / GOOD_SHARE ||
            ++guard->nr_good < NR_PERIODS)
                return;
        if (!wants_more)
                guard->reason = DAMOS_GUARD_NONE;
        else if (guard->nr_good % NR_RAISE == 0)
                guard->limit *= 2;
}

void damos_guard_pass(struct damos_guard *guard, uint64_t within, uint64_t now) {
        if (now < guard->ends_at)
                return;
        if (guard->reason == DAMOS_GUARD_NONE)
                guard->pause -= guard->pause / PAUSE_FADE;
        else if (guard->limit == 0)
                guard->limit = SZ_PROBE;
        else
                relax(guard);
        guard->sz_out -= guard->sz_out / NR_PERIODS;
        guard->sz_back -= guard->sz_back / NR_PERIODS;
        begin_period(guard, within, now);
}

uint64_t damos_guard_left(const struct damos_guard *guard) {
        if (guard->swap_short)
                return 0;
        if (guard->reason == DAMOS_GUARD_NONE)
                return UINT64_MAX;
        return guard->limit - MIN(guard->used, guard->limit);
}

void damos_guard_charge(struct damos_guard *guard, uint64_t within, const struct damos_outcome *outcome,
                        uint64_t now) {
        guard->used += outcome->sz_moved;
        guard->sz_pressed += outcome->sz_moved;
        guard->sz_futile += outcome->sz_refused[DAMOS_REFUSED_NO_SWAP];
        if (guard->sz_futile >= SZ_PROOF && guard->used < guard->sz_futile / FUTILE_SHARE)
                stop(guard, DAMOS_GUARD_SWAP, within, now);
        damos_guard_judge(guard, within, guard->epoch, outcome->sz_returned, outcome->sz_returned, now);
}

void damos_guard_judge(struct damos_guard *guard, uint64_t within, uint32_t epoch, uint64_t sz_out,
                       uint64_t sz_back, uint64_t now) {
        if (epoch != guard->epoch)
                return;
        guard->sz_out += sz_out;
        guard->sz_back += sz_back;
        if (guard->sz_out < SZ_PROOF)
                return;
        if (guard->sz_back >= guard->sz_out / WRONG_SHARE)
                stop(guard, DAMOS_GUARD_RETURNED, within, now);
        else if (guard->sz_back > guard->sz_out / BAD_SHARE)
                halve(guard, DAMOS_GUARD_RETURNED, within, now);
}

void damos_guard_see_pressure(struct damos_guard *guard, uint64_t within,
                              const struct damos_pressure *pressure, uint64_t now) {
        struct damos_pressure before = guard->pressure;
        uint64_t since = guard->pressed_at, moved = guard->sz_pressed, waited, back;

        if (since > 0 && now - since < MAX(within / NR_PERIODS, LOOK_MIN))
                return;
        guard->pressure = *pressure;
        guard->pressed_at = now;
        guard->sz_pressed = 0;
        waited = pressure->waited - MIN(before.waited, pressure->waited);
        back = pressure->sz_refaulted - MIN(before.sz_refaulted, pressure->sz_refaulted);
        if (since == 0 || moved < SZ_PROOF || back < moved / WRONG_SHARE ||
            waited < (now - since) / WAITED_PART)
                return;
        halve(guard, DAMOS_GUARD_PRESSURE, within, now);
        guard->cause_out = moved;
        guard->cause_back = back;
}

void damos_guard_see_swap(struct damos_guard *guard, const struct damos_swap *swap) {
        bool enough = swap->size > 0 && swap->free >= swap->size / SWAP_ENOUGH;

        /* without any, pages of files can still go: what else is in vain shows */
        guard->swap_short = swap->size > 0 &&
                            (guard->swap_short ? !enough : swap->free < swap->size / SWAP_SHORT);
        if (enough && guard->reason == DAMOS_GUARD_SWAP)
                guard->reason = DAMOS_GUARD_NONE;
}
