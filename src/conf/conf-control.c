/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-control.h. */

#include "conf-control.h"

#include <string.h>

#include "conf-values.h"
#include "conf-write.h"
#include "unit.h"

#define EXPECTED_APPLY_INTERVAL \
        "a time in a string, such as \"10s\" (units: " CONF_TIME_UNITS "), or \"aggregation\""

void conf_parse_apply_interval(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_APPLY_INTERVAL);
        uint64_t sample_interval = context->plan->attrs.sample_interval, *interval = to, usec;
        char sample[UNIT_STRING_MAX];
        int r;

        if (!text || strcmp(text, "aggregation") == 0)
                return;
        r = unit_parse_time(text, &usec);
        if (r < 0)
                conf_value_error(context, setting, text, r, EXPECTED_APPLY_INTERVAL);
        else if (usec < sample_interval && context->max_nr_accesses > 0)
                conf_error_at(context, setting, "apply_interval: \"%.80s\" is shorter than the "
                              "sample_interval of %s, expected at least that, or \"aggregation\"", text,
                              unit_format_time(sample, sample_interval));
        else
                *interval = usec;
}

void conf_write_apply_interval(const struct plan *plan, const void *from, FILE *f) {
        const uint64_t *interval = from;

        if (*interval > 0)
                conf_write_interval(plan, from, f);
        else
                fputs("\"aggregation\"", f);
}
