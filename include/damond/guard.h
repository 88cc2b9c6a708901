/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The guard of a scheme that pages out: it holds the scheme back when what it pages out is used
 * again soon, when programs wait for memory that is read back, or when there is no room left in swap,
 * and finds out now and then whether that is still so. DAMOS has nothing like it: it does not know
 * what its actions did.
 *
 * What is judged are bytes that were paged out and looked at afterwards, and how many of them were
 * back. A tenth of them is too much: the scheme may do half of what it did. Half of them is wrong
 * altogether, and the scheme stops. After a pause it may try a little. If that stays out, it may do
 * more and more; if not, it stops again, for twice as long.
 *
 * What a scheme takes from programs that are no targets, such as pages of a file that others read,
 * no page table of a target shows. That shows in the machine as a whole: tasks wait for memory, and
 * about as much is read back as the scheme pages out. Then, too, the scheme may do half of what it did.
 */

#include <stdbool.h>
#include <stdint.h>

#include <damond/outcome.h>

/**
 * enum damos_guard_reason - why a scheme is held back
 * @DAMOS_GUARD_NONE:           it is not
 * @DAMOS_GUARD_RETURNED:       too much of what it paged out came back
 * @DAMOS_GUARD_PRESSURE:       programs wait for memory, and much of it is read back
 * @DAMOS_GUARD_SWAP:           there is little swap left, or none at all
 */
enum damos_guard_reason {
        DAMOS_GUARD_NONE,
        DAMOS_GUARD_RETURNED,
        DAMOS_GUARD_PRESSURE,
        DAMOS_GUARD_SWAP,
};

/**
 * struct damos_swap - swap of the machine
 * @size:       bytes in all; 0 is no swap
 * @free:       bytes that are free
 */
struct damos_swap {
        uint64_t size;
        uint64_t free;
};

/**
 * struct damos_pressure - how the whole machine fares, since its boot
 * @waited:     time in which some task waited for memory, microseconds
 * @sz_refaulted: bytes that were reclaimed, by whomever, and are back
 */
struct damos_pressure {
        uint64_t waited;
        uint64_t sz_refaulted;
};

/**
 * struct damos_guard - what is known of a scheme's mistakes; starts as all zeroes
 * @reason:     why it is held back; that swap is short is apart
 * @swap_short: there is little swap left
 * @limit:      bytes that may be moved in a period while it is held back; 0 in a pause
 * @used:       bytes that were moved in the period,
 * @used_before: and in the one before
 * @ends_at:    when the period or the pause ends, microseconds
 * @pause:      length of the last pause, microseconds; fades
 * @nr_good:    periods in a row that gave no cause to hold back
 * @epoch:      number of times that the limit was lowered: what was done before does not count again
 * @sz_out:     bytes paged out in this epoch and looked at since; fades,
 * @sz_back:    and those of them that were back
 * @sz_futile:  bytes that did not fit into swap in this period
 * @pressure:   of the machine at the last look that counted,
 * @pressed_at: when that was, microseconds; 0 before the first one
 * @sz_pressed: bytes that were moved since then
 * @cause_out:  bytes that were paged out when the limit was lowered last, and looked at since or, for
 *              want of other proof, taken together;
 * @cause_back: and those of them that were back, or all that came back in the machine
 */
struct damos_guard {
        enum damos_guard_reason reason;
        bool swap_short;
        uint64_t limit;
        uint64_t used, used_before;
        uint64_t ends_at;
        uint64_t pause;
        uint32_t nr_good;
        uint32_t epoch;
        uint64_t sz_out, sz_back;
        uint64_t sz_futile;
        struct damos_pressure pressure;
        uint64_t pressed_at;
        uint64_t sz_pressed;
        uint64_t cause_out, cause_back;
};

/** damos_guard_reason() - why a scheme is held back, if it is */
static inline enum damos_guard_reason damos_guard_reason(const struct damos_guard *guard) {
        return guard->swap_short ? DAMOS_GUARD_SWAP : guard->reason;
}

/**
 * damos_guard_pass() - let time pass
 * @guard:      guard
 * @within:     time within which what comes back was paged out by mistake, microseconds
 * @now:        time, microseconds
 */
void damos_guard_pass(struct damos_guard *guard, uint64_t within, uint64_t now);

/**
 * damos_guard_left() - bytes that may be moved now
 * @guard:      guard, after damos_guard_pass()
 *
 * Return: UINT64_MAX if the scheme is not held back.
 */
uint64_t damos_guard_left(const struct damos_guard *guard);

/**
 * damos_guard_charge() - take note of what was done
 * @guard:      guard
 * @within:     see damos_guard_pass()
 * @outcome:    what became of it
 * @now:        time, microseconds
 */
void damos_guard_charge(struct damos_guard *guard, uint64_t within, const struct damos_outcome *outcome,
                        uint64_t now);

/**
 * damos_guard_judge() - take note of what came back
 * @guard:      guard
 * @within:     see damos_guard_pass()
 * @epoch:      the guard's epoch when it was paged out
 * @sz_out:     bytes that are looked at for the first time
 * @sz_back:    bytes that are seen to be back for the first time
 * @now:        time, microseconds
 */
void damos_guard_judge(struct damos_guard *guard, uint64_t within, uint32_t epoch, uint64_t sz_out,
                       uint64_t sz_back, uint64_t now);

/**
 * damos_guard_see_pressure() - take note of how the whole machine fares
 * @guard:      guard
 * @within:     see damos_guard_pass()
 * @pressure:   how it fares
 * @now:        time, microseconds
 *
 * Looks in quick succession count as one.
 */
void damos_guard_see_pressure(struct damos_guard *guard, uint64_t within,
                              const struct damos_pressure *pressure, uint64_t now);

/**
 * damos_guard_see_swap() - take note of how much swap there is
 * @guard:      guard
 * @swap:       swap
 */
void damos_guard_see_swap(struct damos_guard *guard, const struct damos_swap *swap);
