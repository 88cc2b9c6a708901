/* SPDX-License-Identifier: GPL-2.0-only */
/* Monitoring attributes: see attrs.h. */

#include <damond/attrs.h>

#include "macro.h"

int damon_attrs_validate(const struct damon_attrs *attrs) {
        if (attrs->sample_interval == 0 || attrs->update_interval == 0 ||
            attrs->aggregation_interval < attrs->sample_interval)
                return -EINVAL;
        if (attrs->min_regions < DAMON_MIN_REGIONS_FLOOR || attrs->min_regions > attrs->max_regions)
                return -EINVAL;
        return 0;
}

uint32_t damon_attrs_max_nr_accesses(const struct damon_attrs *attrs) {
        uint64_t nr = attrs->aggregation_interval / attrs->sample_interval;

        return (uint32_t) MIN(nr, (uint64_t) UINT32_MAX);
}
