/* SPDX-License-Identifier: GPL-2.0-only */
/* Residency: see residency.h. */

#include <damond/residency.h>

#include <assert.h>

#include "array.h"
#include "macro.h"

void damon_residency_done(struct damon_residency *residency) {
        free(residency->items);
        *residency = (struct damon_residency) {};
}

int damon_residency_set(struct damon_residency *residency, const struct damon_range *ranges,
                        size_t nr) {
        uint64_t before = 0;
        int r;

        r = ARRAY_GROW(residency->items, residency->capacity, nr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < nr; i++) {
                residency->items[i] = (struct damon_resident) { ranges[i], before };
                before += damon_range_size(&ranges[i]);
        }
        residency->nr = nr;
        residency->known = ranges;
        return 0;
}

/* Bytes in memory below an address. */
static uint64_t bytes_below(const struct damon_residency *residency, uint64_t addr) {
        size_t low = 0, high = residency->nr;
        const struct damon_resident *last;

        /* the number of parts that begin below */
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (residency->items[middle].range.start < addr)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0)
                return 0;
        last = &residency->items[low - 1];
        return last->before + MIN(addr, last->range.end) - last->range.start;
}

uint64_t damon_residency_size(const struct damon_residency *residency, struct damon_range range) {
        if (!residency->known)
                return damon_range_size(&range);
        return bytes_below(residency, range.end) - bytes_below(residency, range.start);
}

uint64_t damon_residency_address(const struct damon_residency *residency, struct damon_range range,
                                 uint64_t offset) {
        uint64_t wanted;
        size_t low = 0, high = residency->nr;

        if (!residency->known)
                return range.start + offset;

        /* the last part with no more than the wanted byte before it */
        wanted = bytes_below(residency, range.start) + offset;
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;

                if (residency->items[middle].before <= wanted)
                        low = middle;
                else
                        high = middle;
        }
        assert(low < residency->nr);
        return residency->items[low].range.start + (wanted - residency->items[low].before);
}
