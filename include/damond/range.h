/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Address ranges.
 */

#include <stdint.h>

/**
 * struct damon_range - a half-open range of virtual addresses
 * @start:      first byte
 * @end:        first byte behind the range; never below @start
 */
struct damon_range {
        uint64_t start;
        uint64_t end;
};

static inline uint64_t damon_range_size(const struct damon_range *range) {
        return range->end - range->start;
}
