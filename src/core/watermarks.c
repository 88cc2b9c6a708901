/* SPDX-License-Identifier: GPL-2.0-only */
/* Watermarks: see watermarks.h. */

#include <damond/watermarks.h>

#include <stddef.h>

bool damos_watermarks_equal(const struct damos_watermarks *a, const struct damos_watermarks *b) {
        return a->metric == b->metric && a->interval == b->interval && a->high == b->high &&
               a->mid == b->mid && a->low == b->low;
}

static bool sleeps_at(const struct damos_watermarks *watermarks, bool asleep, uint64_t value) {
        return value > watermarks->high || value < watermarks->low || (asleep && value >= watermarks->mid);
}

bool damos_watermarks_check(const struct damos_watermarks *watermarks, struct damos_wake *wake,
                            const struct damos_meter *meter, uint64_t now) {
        bool before = wake->asleep;

        if (watermarks->metric == DAMOS_NO_METRIC || now < wake->check_at)
                return false;
        wake->check_at = now + watermarks->interval;
        wake->error = meter->read(meter->userdata, watermarks->metric, NULL, &wake->value);
        wake->asleep = wake->error < 0 || sleeps_at(watermarks, before, wake->value);
        return wake->asleep != before;
}
