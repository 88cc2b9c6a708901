/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * process_madvise(2): advice on another process's memory, piece by piece, with the result of
 * each piece.
 */

#include <stddef.h>
#include <stdint.h>

#include <damond/region.h>

/**
 * struct advice - one piece to advise on, and the result
 * @range:      the piece; must lie inside one mapping, as a hole or a mapping that refuses
 *              ends the kernel's work on the piece
 * @try:        for the caller: what the piece is part of
 * @sz_applied: bytes that the kernel did, or accepted: 0 or all
 * @error:      0, or the errno that the piece was refused with
 */
struct advice {
        struct damon_range range;
        size_t try;
        uint64_t sz_applied;
        int error;
};

/**
 * advise() - advise on pieces of a process's memory
 * @pidfd:      process
 * @advice:     MADV_COLD, MADV_PAGEOUT or MADV_WILLNEED: no other is allowed for another
 *              process (mm/madvise.c, Linux 6.12)
 * @pieces:     @nr pieces, each of at most %ADVISE_PIECE_MAX bytes
 * @nr:         number of pieces
 *
 * A piece that is refused is passed over.
 *
 * Return: 0; -ESRCH if the process has ended; -EPERM or -EACCES without the privilege;
 * -ENOSYS without the call.
 */
int advise(int pidfd, int advice, struct advice *pieces, size_t nr);

/** ADVISE_PIECE_MAX - most bytes of a piece, well below what one call is cut to (2 GiB) */
#define ADVISE_PIECE_MAX (UINT64_C(1) << 30)
