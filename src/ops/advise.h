/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * process_madvise(2): advice on another process's memory, piece by piece, with the result of
 * each piece.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/region.h>

/**
 * struct advice - one piece to advise on, and the result
 * @range:      the piece; must lie inside one mapping, as a hole or a mapping that refuses
 *              ends the kernel's work on the piece
 * @try:        for the caller: what the piece is part of,
 * @sz_filtered: and what there is of that before the piece that filters held back,
 * @sz_split:   or that was left out so as not to split a folio
 * @sz_applied: bytes from its start that the kernel did, or accepted
 * @error:      0, or the errno that the rest was refused with
 */
struct advice {
        struct damon_range range;
        size_t try;
        uint64_t sz_filtered;
        uint64_t sz_split;
        uint64_t sz_applied;
        int error;
};

/**
 * struct advice_run - adjoining pages that are in memory
 * @range:      the pages
 * @piece:      number of the piece that they are of
 * @huge:       they are huge pages, or may be: none is cut
 */
struct advice_run {
        struct damon_range range;
        size_t piece;
        bool huge;
};

/**
 * struct advice_limit - how long advice may take
 * @until:      when no other call is begun, CLOCK_MONOTONIC, nanoseconds
 * @begun:      a call was made; starts as false, as one call is made in any case
 * @sz_call:    bytes in memory that are given to a call, which cannot be stopped half-way, by how long
 *              the last ones took
 * @runs:       @nr_runs runs, in the order of addresses: what is in memory; NULL if that may be all.
 *              Borrowed.
 * @nr_runs:    number of runs
 * @run:        those before it are behind what was done; starts as 0
 */
struct advice_limit {
        uint64_t until;
        bool begun;
        uint64_t sz_call;
        const struct advice_run *runs;
        size_t nr_runs;
        size_t run;
};

/** advice_limit() - a limit of so many nanoseconds from now on; @last is the one before, or all zeroes */
struct advice_limit advice_limit(uint64_t time, const struct advice_limit *last);

/** advice_is_late() - say whether no other call may be begun; without a limit, it always may */
bool advice_is_late(const struct advice_limit *limit);

/** advice_is_left() - say whether there was no time for a piece, or for the rest of it */
static inline bool advice_is_left(const struct advice *piece) {
        return piece->error == 0 && piece->sz_applied < damon_range_size(&piece->range);
}

/**
 * advise() - advise on pieces of a process's memory
 * @pidfd:      process
 * @advice:     MADV_COLD, MADV_PAGEOUT or MADV_WILLNEED: no other is allowed for another
 *              process (mm/madvise.c, Linux 6.12)
 * @pieces:     @nr pieces, each of at most %ADVISE_PIECE_MAX bytes
 * @nr:         number of pieces
 * @limit:      what limits it, or NULL
 *
 * A piece that is refused is passed over, as is the rest of one.
 *
 * Return: 0; -ESRCH if the process has ended; -EPERM or -EACCES without the privilege;
 * -ENOSYS without the call.
 */
int advise(int pidfd, int advice, struct advice *pieces, size_t nr, struct advice_limit *limit);

/** ADVISE_PIECE_MAX - most bytes of a piece, well below what one call is cut to (2 GiB) */
#define ADVISE_PIECE_MAX (UINT64_C(1) << 30)
