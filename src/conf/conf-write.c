/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-write.h. */

#include "conf-write.h"

#include <inttypes.h>
#include <string.h>

#include "conf-context.h"
#include "conf-control.h"
#include "unit.h"

#define BASIS_POINTS UINT64_C(10000)

/* What is not text is written as "\xNN", for a path may be any bytes. */
static void write_string(const char *s, FILE *f) {
        size_t left = strlen(s);

        fputc('"', f);
        while (left > 0) {
                size_t length = conf_utf8_length(s, left);
                bool plain = length > 1 ||
                        (length == 1 && (unsigned char) *s >= ' ' && *s != 0x7f);

                length = MAX(length, (size_t) 1);
                if (!plain)
                        fprintf(f, "\\x%02x", (unsigned char) *s);
                else
                        fprintf(f, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", (int) length, s);
                s += length;
                left -= length;
        }
        fputc('"', f);
}

void conf_write_interval(const struct plan *plan, const void *from, FILE *f) {
        const uint64_t *interval = from;
        char buf[UNIT_STRING_MAX];

        fprintf(f, "\"%s\"", unit_format_time(buf, *interval));
}

void conf_write_interval_or_off(const struct plan *plan, const void *from, FILE *f) {
        const uint64_t *interval = from;

        if (*interval > 0)
                conf_write_interval(plan, from, f);
        else
                fputs("\"off\"", f);
}

void conf_write_size(const struct plan *plan, const void *from, FILE *f) {
        const uint64_t *size = from;
        char buf[UNIT_STRING_MAX];

        fprintf(f, "\"%s\"", unit_format_size(buf, *size));
}

void conf_write_budget(const struct plan *plan, const void *from, FILE *f) {
        const uint32_t *budget = from;
        char buf[UNIT_STRING_MAX];

        fprintf(f, "\"%s\"", *budget > 0 ? unit_format_percent(buf, *budget) : "off");
}

void conf_write_number(const struct plan *plan, const void *from, FILE *f) {
        const uint32_t *number = from;

        fprintf(f, "%" PRIu32, *number);
}

void conf_write_bool(const struct plan *plan, const void *from, FILE *f) {
        const bool *value = from;

        fputs(*value ? "true" : "false", f);
}

void conf_write_pid(const struct plan *plan, const void *from, FILE *f) {
        const pid_t *pid = from;

        if (*pid > 0)
                fprintf(f, "%d", *pid);
}

void conf_write_string(const struct plan *plan, const void *from, FILE *f) {
        char *const *string = from;

        if (*string)
                write_string(*string, f);
}

void conf_write_string_or_off(const struct plan *plan, const void *from, FILE *f) {
        char *const *string = from;

        write_string(*string ? *string : "off", f);
}

void conf_write_cmdline(const struct plan *plan, const void *from, FILE *f) {
        const struct plan_target *target = from;

        conf_write_string(plan, &target->cmdline, f);
}

void conf_write_user(const struct plan *plan, const void *from, FILE *f) {
        const struct plan_target *target = from;

        conf_write_string(plan, &target->user, f);
}

void conf_write_action(const struct plan *plan, const void *from, FILE *f) {
        const enum damos_action *action = from;

        fprintf(f, "\"%s\"", damos_action_to_string(*action));
}

void conf_write_scheme_targets(const struct plan *plan, const void *from, FILE *f) {
        const struct damos *scheme = from;

        for (size_t i = 0; i < scheme->nr_targets; i++)
                fprintf(f, "%s\"%s\"", i > 0 ? ", " : "[ ", scheme->targets[i]);
        if (scheme->nr_targets > 0)
                fputs(" ]", f);
}

/* A lower limit of 0 has its unit, as a reader expects, unless there is no limit at all. */
static void write_range(const struct damos_limits *limits, const char *min, const char *max,
                        FILE *f) {
        bool open = limits->max == UINT64_MAX;

        fprintf(f, "[ \"%s\", \"%s\" ]", open && limits->min == 0 ? "min" : min,
                open ? "max" : max);
}

void conf_write_size_range(const struct plan *plan, const void *from, FILE *f) {
        const struct damos_limits *limits = from;
        char min[UNIT_STRING_MAX], max[UNIT_STRING_MAX];

        write_range(limits, unit_format_size(min, limits->min), unit_format_size(max, limits->max),
                    f);
}

void conf_write_age_range(const struct plan *plan, const void *from, FILE *f) {
        const struct damos_limits *limits = from;
        char min[UNIT_STRING_MAX], max[UNIT_STRING_MAX];

        write_range(limits, unit_format_time(min, limits->min), unit_format_time(max, limits->max),
                    f);
}

/* Shares that are read back as the same counts: a lower limit rounds up, an upper one down. */
void conf_write_nr_accesses_range(const struct plan *plan, const void *from, FILE *f) {
        uint64_t nr = damon_attrs_max_nr_accesses(&plan->attrs);
        const struct damos_limits *limits = from;
        char min[UNIT_STRING_MAX], max[UNIT_STRING_MAX];
        uint64_t highest = limits->max == UINT64_MAX ? nr : limits->max;

        unit_format_percent(min, (uint32_t) (limits->min * BASIS_POINTS / nr));
        unit_format_percent(max, (uint32_t) ((highest * BASIS_POINTS + nr - 1) / nr));
        write_range(limits, min, max, f);
}

void conf_write_quota(const struct plan *plan, const void *from, FILE *f) {
        const struct damos_quota *quota = from;
        const struct damos_weights *weights = &quota->weights;
        char buf[UNIT_STRING_MAX];

        if (!damos_quota_is_set(quota))
                return;
        fputs("{ ", f);
        if (quota->size > 0)
                fprintf(f, "size = \"%s\"; ", unit_format_size(buf, quota->size));
        if (quota->time > 0)
                fprintf(f, "time = \"%s\"; ", unit_format_time(buf, quota->time));
        fprintf(f, "interval = \"%s\"; weights = { size = %" PRIu32 "; nr_accesses = %" PRIu32
                "; age = %" PRIu32 "; };", unit_format_time(buf, quota->interval), weights->size,
                weights->nr_accesses, weights->age);
        if (quota->nr_goals > 0) {
                fputs(" goals = ", f);
                conf_write_goals(plan, quota, f);
                fputc(';', f);
        }
        fputs(" }", f);
}

void conf_write_returned_within(const struct plan *plan, const void *from, FILE *f) {
        const struct damos *scheme = from;

        if (scheme->action == DAMOS_PAGEOUT)
                conf_write_interval(plan, &scheme->returned_within, f);
}

void conf_write_guard(const struct plan *plan, const void *from, FILE *f) {
        const struct damos *scheme = from;

        if (scheme->action == DAMOS_PAGEOUT)
                conf_write_bool(plan, &scheme->guarded, f);
}
