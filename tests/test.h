/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What every test includes: cmocka with the headers it forgets to, and assertions that
 * speak errno.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASSERT_OK(expr)                                                         \
        do {                                                                    \
                int _r = (expr);                                                \
                if (_r < 0)                                                     \
                        fail_msg("%s: %s", #expr, strerror(-_r));               \
        } while (0)

#define ASSERT_ERROR(expr, error)                                               \
        do {                                                                    \
                int _r = (expr);                                                \
                if (_r != -(error))                                             \
                        fail_msg("%s: got %d, want -" #error, #expr, _r);       \
        } while (0)

/** test_seed() - seed of a randomised test: $DAMOND_TEST_SEED, else a fixed one; printed */
static inline uint64_t test_seed(void) {
        const char *s = getenv("DAMOND_TEST_SEED");
        uint64_t seed = s ? strtoull(s, NULL, 0) : 20261122;

        print_message("DAMOND_TEST_SEED=%llu\n", (unsigned long long) seed);
        return seed;
}
