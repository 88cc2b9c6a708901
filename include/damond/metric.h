/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Metrics: what watermarks and goals go by. Whoever owns the engine reads them.
 */

#include <stdint.h>

/**
 * enum damos_metric - a property of the machine
 * @DAMOS_NO_METRIC:            none
 * @DAMOS_FREE_MEM_RATE:        free memory, as a share of all
 * @DAMOS_AVAILABLE_MEM_RATE:   memory that is free or can be had without swapping, as a share of all
 * @DAMOS_FREE_SWAP_RATE:       free swap space, as a share of all; 0 if there is none
 * @DAMOS_SOME_MEM_PSI_RATE:    share of the time, in the last ten seconds or so, in which some tasks
 *                              waited for memory
 * @DAMOS_SOME_MEM_PSI_US:      time in which some tasks waited for memory, since the machine began;
 *                              microseconds
 * @DAMOS_USER_INPUT:           a number that somebody has written to a file
 *
 * Shares are in basis points.
 */
enum damos_metric {
        DAMOS_NO_METRIC,
        DAMOS_FREE_MEM_RATE,
        DAMOS_AVAILABLE_MEM_RATE,
        DAMOS_FREE_SWAP_RATE,
        DAMOS_SOME_MEM_PSI_RATE,
        DAMOS_SOME_MEM_PSI_US,
        DAMOS_USER_INPUT,
        _DAMOS_METRIC_MAX,
};

/**
 * struct damos_meter - reads metrics
 * @read:       sets @ret_value to what @metric is now, that of @file for %DAMOS_USER_INPUT. Returns 0 or
 *              a negative errno.
 * @userdata:   handed to @read; borrowed
 */
struct damos_meter {
        int (*read)(void *userdata, enum damos_metric metric, const char *file, uint64_t *ret_value);
        void *userdata;
};

/**
 * damos_metric_to_string() - name of a metric, as in the configuration
 * @metric:     metric
 */
const char *damos_metric_to_string(enum damos_metric metric);
