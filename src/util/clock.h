/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Clocks, as one number.
 */

#include <stdint.h>
#include <time.h>

/** clock_ns() - read a clock of the kernel. Return: nanoseconds. */
static inline uint64_t clock_ns(clockid_t clock) {
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}
