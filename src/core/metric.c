/* SPDX-License-Identifier: GPL-2.0-only */
/* Metrics: see metric.h. */

#include <damond/metric.h>

#include <assert.h>
#include <stddef.h>

#include "macro.h"

static const char *const metric_names[_DAMOS_METRIC_MAX] = {
        [DAMOS_NO_METRIC] = "none",
        [DAMOS_FREE_MEM_RATE] = "free_mem_rate",
        [DAMOS_AVAILABLE_MEM_RATE] = "available_mem_rate",
        [DAMOS_FREE_SWAP_RATE] = "free_swap_rate",
        [DAMOS_SOME_MEM_PSI_RATE] = "some_mem_psi_rate",
        [DAMOS_SOME_MEM_PSI_US] = "some_mem_psi_us",
        [DAMOS_USER_INPUT] = "user_input",
};

const char *damos_metric_to_string(enum damos_metric metric) {
        assert((size_t) metric < ELEMENTSOF(metric_names));
        return metric_names[metric];
}
