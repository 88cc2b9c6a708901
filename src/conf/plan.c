/* SPDX-License-Identifier: GPL-2.0-only */
/* See plan.h. */

#include "plan.h"

#include <inttypes.h>
#include <string.h>

#include "conf-context.h"
#include "unit.h"

#define BASIS_POINTS UINT64_C(10000)

struct plan *plan_free(struct plan *plan) {
        if (!plan)
                return NULL;

        for (size_t i = 0; i < plan->nr_targets; i++) {
                free(plan->targets[i].name);
                free(plan->targets[i].comm);
                free(plan->targets[i].exe);
                if (plan->targets[i].cmdline)
                        regfree(&plan->targets[i].cmdline_regex);
                free(plan->targets[i].cmdline);
                free(plan->targets[i].user);
                free(plan->targets[i].unit);
                free(plan->targets[i].cgroup);
        }
        free(plan->targets);
        for (size_t i = 0; i < plan->nr_schemes; i++)
                damos_done(&plan->schemes[i]);
        free(plan->schemes);
        free(plan->record);
        free(plan);
        return NULL;
}

static bool string_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool plan_target_equal(const struct plan_target *a, const struct plan_target *b) {
        return string_equal(a->name, b->name) && a->pid == b->pid &&
                string_equal(a->comm, b->comm) && string_equal(a->exe, b->exe) &&
                string_equal(a->cmdline, b->cmdline) && string_equal(a->user, b->user) &&
                a->uid == b->uid && string_equal(a->unit, b->unit) &&
                string_equal(a->cgroup, b->cgroup) && a->children == b->children &&
                a->max_processes == b->max_processes;
}

/* What is not text is written as "\xNN", for a path may be any bytes. */
static void dump_string(const char *s, FILE *f) {
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

static void dump_selector(const char *name, const char *value, FILE *f) {
        if (!value)
                return;
        fprintf(f, " %s = ", name);
        dump_string(value, f);
        fputc(';', f);
}

static void dump_target(const struct plan_target *target, FILE *f) {
        fprintf(f, "  { name = \"%s\";", target->name);
        if (target->pid > 0)
                fprintf(f, " pid = %d;", target->pid);
        dump_selector("comm", target->comm, f);
        dump_selector("exe", target->exe, f);
        dump_selector("cmdline", target->cmdline, f);
        dump_selector("user", target->user, f);
        dump_selector("unit", target->unit, f);
        dump_selector("cgroup", target->cgroup, f);
        fprintf(f, " children = %s; max_processes = %" PRIu32 "; }",
                target->children ? "true" : "false", target->max_processes);
}

/* Shares that are read back as the same counts: a lower limit rounds up, an upper one down. */
static void dump_nr_accesses(const struct damos_limits *limits, uint64_t nr, FILE *f) {
        char min[UNIT_STRING_MAX], max[UNIT_STRING_MAX] = "max";

        unit_format_percent(min, (uint32_t) (limits->min * BASIS_POINTS / nr));
        if (limits->max != UINT64_MAX)
                unit_format_percent(max, (uint32_t) ((limits->max * BASIS_POINTS + nr - 1) / nr));
        fprintf(f, "    nr_accesses = [ \"%s\", \"%s\" ];\n", min, max);
}

static void dump_limits(const char *name, const struct damos_limits *limits,
                        char *(*format)(char[static UNIT_STRING_MAX], uint64_t), FILE *f) {
        char min[UNIT_STRING_MAX], max[UNIT_STRING_MAX] = "max";

        format(min, limits->min);
        if (limits->max != UINT64_MAX)
                format(max, limits->max);
        fprintf(f, "    %s = [ \"%s\", \"%s\" ];\n", name, min, max);
}

static void dump_scheme(const struct damos *scheme, uint64_t max_nr_accesses, FILE *f) {
        fprintf(f, "  {\n    name = \"%s\";\n    action = \"%s\";\n", scheme->name,
                damos_action_to_string(scheme->action));
        if (scheme->nr_targets > 0) {
                fputs("    targets = [", f);
                for (size_t i = 0; i < scheme->nr_targets; i++)
                        fprintf(f, "%s \"%s\"", i > 0 ? "," : "", scheme->targets[i]);
                fputs(" ];\n", f);
        }
        dump_limits("size", &scheme->pattern.size, unit_format_size, f);
        dump_nr_accesses(&scheme->pattern.nr_accesses, max_nr_accesses, f);
        dump_limits("age", &scheme->pattern.age, unit_format_time, f);
        fputs("  }", f);
}

static void dump_monitoring(const struct plan *plan, FILE *f) {
        char buf[UNIT_STRING_MAX];

        fputs("monitoring = {\n", f);
        fprintf(f, "  sample_interval = \"%s\";\n",
                unit_format_time(buf, plan->attrs.sample_interval));
        fprintf(f, "  aggregation_interval = \"%s\";\n",
                unit_format_time(buf, plan->attrs.aggregation_interval));
        fprintf(f, "  update_interval = \"%s\";\n",
                unit_format_time(buf, plan->attrs.update_interval));
        fprintf(f, "  min_regions = %" PRIu32 ";\n", plan->attrs.min_regions);
        fprintf(f, "  max_regions = %" PRIu32 ";\n", plan->attrs.max_regions);
        fprintf(f, "  cpu_budget = \"%s\";\n};\n",
                plan->cpu_budget > 0 ? unit_format_percent(buf, plan->cpu_budget) : "off");
}

void plan_dump(const struct plan *plan, FILE *f) {
        char buf[UNIT_STRING_MAX];

        dump_monitoring(plan, f);
        fputs("targets = (", f);
        for (size_t i = 0; i < plan->nr_targets; i++) {
                fputs(i > 0 ? ",\n" : "\n", f);
                dump_target(&plan->targets[i], f);
        }
        fputs(plan->nr_targets > 0 ? "\n);\nschemes = (" : ");\nschemes = (", f);
        for (size_t i = 0; i < plan->nr_schemes; i++) {
                fputs(i > 0 ? ",\n" : "\n", f);
                dump_scheme(&plan->schemes[i], damon_attrs_max_nr_accesses(&plan->attrs), f);
        }
        fputs(plan->nr_schemes > 0 ? "\n);\n" : ");\n", f);
        fprintf(f, "statistics_interval = \"%s\";\n",
                plan->statistics_interval > 0 ? unit_format_time(buf, plan->statistics_interval)
                : "off");
        fputs("record = ", f);
        dump_string(plan->record ? plan->record : "off", f);
        fprintf(f, ";\nrecord_size = \"%s\";\n", unit_format_size(buf, plan->record_size));
}
