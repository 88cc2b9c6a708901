/* SPDX-License-Identifier: GPL-2.0-only */
/* See rng.h. */

#include "rng.h"

uint64_t rng_next(struct rng *rng) {
        uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

uint64_t rng_below(void *rng, uint64_t bound) {
        /* The high half of the 128-bit product; the bias is below bound/2^64. */
        return (uint64_t) (((unsigned __int128) rng_next(rng) * bound) >> 64);
}
