/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Watermarks: when a scheme is of use. It sleeps while a metric is above the high one, as there is no
 * need for it, and while it is below the low one, as then there is no room for it; once asleep, it
 * wakes only when the metric is below the middle one. See
 * Documentation/mm/damon/design.rst ("Watermarks") and damos_wmark_wait_us() in mm/damon/core.c, Linux
 * 6.12.
 *
 * Differences to the kernel: while a scheme is awake its metric is read at the interval of its
 * watermarks, too, and not at each sample; and a scheme whose metric cannot be read sleeps.
 */

#include <stdbool.h>
#include <stdint.h>

#include <damond/metric.h>

/**
 * struct damos_watermarks - when a scheme is awake
 * @metric:     by what; %DAMOS_NO_METRIC is always
 * @interval:   microseconds from one look at it to the next
 * @high:       highest share that it may be awake at,
 * @mid:        share that it wakes below,
 * @low:        and the lowest that it may be awake at; basis points
 */
struct damos_watermarks {
        enum damos_metric metric;
        uint64_t interval;
        uint32_t high;
        uint32_t mid;
        uint32_t low;
};

/**
 * struct damos_wake - whether a scheme is awake; starts as all zeroes, which is awake
 * @asleep:     it sleeps
 * @check_at:   when to look at the metric again, microseconds
 * @error:      why it could not be read, a negative errno, or 0
 * @value:      what it was, else
 */
struct damos_wake {
        bool asleep;
        uint64_t check_at;
        int error;
        uint64_t value;
};

/** damos_watermarks_equal() - say whether two sets of watermarks are the same */
bool damos_watermarks_equal(const struct damos_watermarks *a, const struct damos_watermarks *b);

/**
 * damos_watermarks_check() - look whether a scheme is to sleep, if it is time to look
 * @watermarks: its watermarks
 * @wake:       what is known of it
 * @meter:      reads the metric
 * @now:        time, microseconds
 *
 * Return: whether it has fallen asleep or woken up.
 */
bool damos_watermarks_check(const struct damos_watermarks *watermarks, struct damos_wake *wake,
                            const struct damos_meter *meter, uint64_t now);
