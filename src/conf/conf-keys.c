/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of settings, and the groups and lists that they describe; see conf-keys.h. */

#include "conf-keys.h"

#include <stdio.h>
#include <string.h>

#include "conf-scheme.h"
#include "conf-target.h"
#include "conf-values.h"
#include "unit.h"

/* A share is written with up to two decimals, so that finer frequencies have no name. */
#define MAX_NR_ACCESSES 10000

/* Default of max_processes */
#define MAX_PROCESSES 100

static void parse_monitoring(struct conf_context *context, const config_setting_t *setting,
                             void *to);
static void parse_targets(struct conf_context *context, const config_setting_t *setting, void *to);
static void parse_schemes(struct conf_context *context, const config_setting_t *setting, void *to);

/* Schemes come last: they need the intervals and the names of the targets. */
static const struct conf_key file_keys[] = {
        { "monitoring", parse_monitoring },
        { "targets", parse_targets },
        { "schemes", parse_schemes },
        { "statistics_interval", conf_parse_interval_or_off,
          offsetof(struct plan, statistics_interval) },
        { "record", conf_parse_record, offsetof(struct plan, record) },
        { "record_size", conf_parse_record_size, offsetof(struct plan, record_size) },
};

static const struct conf_key monitoring_keys[] = {
        { "sample_interval", conf_parse_interval, offsetof(struct plan, attrs.sample_interval) },
        { "aggregation_interval", conf_parse_interval,
          offsetof(struct plan, attrs.aggregation_interval) },
        { "update_interval", conf_parse_interval, offsetof(struct plan, attrs.update_interval) },
        { "min_regions", conf_parse_nr_regions, offsetof(struct plan, attrs.min_regions) },
        { "max_regions", conf_parse_nr_regions, offsetof(struct plan, attrs.max_regions) },
        { "cpu_budget", conf_parse_budget, offsetof(struct plan, cpu_budget) },
};

static const struct conf_key target_keys[] = {
        { "name", conf_parse_name, offsetof(struct plan_target, name), true },
        { "pid", conf_parse_pid, offsetof(struct plan_target, pid) },
        { "comm", conf_parse_comm, offsetof(struct plan_target, comm) },
        { "exe", conf_parse_exe, offsetof(struct plan_target, exe) },
        { "cmdline", conf_parse_cmdline, 0 },
        { "user", conf_parse_user, 0 },
        { "unit", conf_parse_unit, offsetof(struct plan_target, unit) },
        { "cgroup", conf_parse_cgroup, offsetof(struct plan_target, cgroup) },
        { "children", conf_parse_bool, offsetof(struct plan_target, children) },
        { "max_processes", conf_parse_max_processes, offsetof(struct plan_target, max_processes) },
};

static const struct conf_key scheme_keys[] = {
        { "name", conf_parse_name, offsetof(struct damos, name), true },
        { "action", conf_parse_action, offsetof(struct damos, action), true },
        { "targets", conf_parse_scheme_targets, 0 },
        { "size", conf_parse_size_range, offsetof(struct damos, pattern.size) },
        { "nr_accesses", conf_parse_nr_accesses_range,
          offsetof(struct damos, pattern.nr_accesses) },
        { "age", conf_parse_age_range, offsetof(struct damos, pattern.age) },
};

const struct conf_group conf_groups[_CONF_GROUP_MAX] = {
        [CONF_FILE] = { "", file_keys, ELEMENTSOF(file_keys) },
        [CONF_MONITORING] = { "monitoring", monitoring_keys, ELEMENTSOF(monitoring_keys) },
        [CONF_TARGET] = { "targets", target_keys, ELEMENTSOF(target_keys) },
        [CONF_SCHEME] = { "schemes", scheme_keys, ELEMENTSOF(scheme_keys) },
};

static void check_known(struct conf_context *context, const struct conf_group *group,
                        const config_setting_t *setting) {
        const char *name = config_setting_name(setting), *colon = group->name[0] ? ": " : "";
        unsigned line = config_setting_source_line(setting);
        struct conf_words words = { .word = name };

        for (size_t i = 0; i < group->nr_keys; i++)
                if (strcmp(group->keys[i].name, name) == 0)
                        return;

        for (size_t i = 0; i < group->nr_keys; i++)
                conf_words_consider(&words, group->keys[i].name);
        if (words.best)
                conf_error(context, line, "%s%sunknown setting '%.80s', did you mean '%s'?",
                           group->name, colon, name, words.best);
        else
                conf_error(context, line, "%s%sunknown setting '%.80s', expected one of %s",
                           group->name, colon, name, words.list);
}

bool conf_parse_group(struct conf_context *context, const config_setting_t *setting,
                      enum conf_group_id id, void *to) {
        const struct conf_group *group = &conf_groups[id];
        size_t nr_messages = context->diag->nr;

        if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
                conf_type_error(context, setting, "a group of settings, { ... }");
                return false;
        }

        for (unsigned i = 0; i < (unsigned) config_setting_length(setting); i++)
                check_known(context, group, config_setting_get_elem(setting, i));
        for (size_t i = 0; i < group->nr_keys; i++) {
                const struct conf_key *key = &group->keys[i];
                const config_setting_t *member = config_setting_get_member(setting, key->name);

                if (member)
                        key->parse(context, member, (char *) to + key->offset);
                else if (key->required)
                        conf_error(context, config_setting_source_line(setting),
                                   "%s: '%s' is missing, expected in every entry", group->name,
                                   key->name);
        }
        return context->diag->nr == nr_messages;
}

/* Where to complain about two settings that do not go together: at the later one. */
static unsigned later_line(const config_setting_t *group, const char *a, const char *b) {
        const config_setting_t *setting_a = config_setting_get_member(group, a);
        const config_setting_t *setting_b = config_setting_get_member(group, b);
        unsigned line_a = setting_a ? config_setting_source_line(setting_a) : 0;
        unsigned line_b = setting_b ? config_setting_source_line(setting_b) : 0;

        return MAX(line_a, line_b);
}

static void check_not_shorter(struct conf_context *context, const config_setting_t *setting,
                              const char *name, uint64_t interval) {
        char text[UNIT_STRING_MAX], sample[UNIT_STRING_MAX];
        uint64_t sample_interval = context->plan->attrs.sample_interval;

        if (interval < sample_interval)
                conf_error(context, later_line(setting, name, "sample_interval"),
                           "%s: %s is shorter than the sample_interval of %s, expected at least "
                           "that", name, unit_format_time(text, interval),
                           unit_format_time(sample, sample_interval));
}

static void check_attrs(struct conf_context *context, const config_setting_t *setting) {
        const struct damon_attrs *attrs = &context->plan->attrs;

        check_not_shorter(context, setting, "aggregation_interval", attrs->aggregation_interval);
        check_not_shorter(context, setting, "update_interval", attrs->update_interval);
        if (attrs->aggregation_interval / attrs->sample_interval > MAX_NR_ACCESSES)
                conf_error(context,
                           later_line(setting, "aggregation_interval", "sample_interval"),
                           "aggregation_interval: is more than %d times the sample_interval, "
                           "expected less", MAX_NR_ACCESSES);
        if (attrs->min_regions > attrs->max_regions)
                conf_error(context, later_line(setting, "min_regions", "max_regions"),
                           "min_regions: %u is more than the max_regions of %u, expected at most "
                           "that", attrs->min_regions, attrs->max_regions);
}

static void parse_monitoring(struct conf_context *context, const config_setting_t *setting,
                             void *to) {
        size_t nr_messages = context->diag->nr;

        context->max_nr_accesses = 0;
        if (!conf_parse_group(context, setting, CONF_MONITORING, to))
                return;
        check_attrs(context, setting);
        if (context->diag->nr == nr_messages)
                context->max_nr_accesses = damon_attrs_max_nr_accesses(&context->plan->attrs);
}

/* A selector that is there but wrong has been reported. */
static bool has_selector(const config_setting_t *group) {
        static const char *const selectors[] = {
                "pid", "comm", "exe", "cmdline", "user", "unit", "cgroup",
        };

        for (size_t i = 0; i < ELEMENTSOF(selectors); i++)
                if (config_setting_get_member(group, selectors[i]))
                        return true;
        return false;
}

static void parse_target(struct conf_context *context, const config_setting_t *setting, size_t i) {
        struct plan_target *target = &context->plan->targets[i];

        target->max_processes = MAX_PROCESSES;
        if (conf_parse_group(context, setting, CONF_TARGET, target) && !has_selector(setting))
                conf_error(context, config_setting_source_line(setting),
                           "targets: \"%s\" selects nothing, expected at least one of pid, comm, "
                           "exe, cmdline, user, unit, cgroup", target->name);
}

static void parse_scheme(struct conf_context *context, const config_setting_t *setting, size_t i) {
        struct damos *scheme = &context->plan->schemes[i];

        scheme->pattern = (struct damos_access_pattern) {
                .size.max = UINT64_MAX,
                .nr_accesses.max = UINT64_MAX,
                .age.max = UINT64_MAX,
        };
        if (config_setting_type(setting) == CONFIG_TYPE_GROUP) {
                (void) conf_parse_group(context, setting, CONF_SCHEME, scheme);
        } else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
                if (asprintf(&scheme->name, "scheme-%zu", i + 1) < 0) {
                        scheme->name = NULL;
                        context->out_of_memory = true;
                }
                conf_parse_columns(context, setting, scheme);
        } else
                conf_type_error(context, setting,
                                "a group of settings, { ... }, or a string of seven columns");
}

/* What is not a list is reported. */
static bool is_list(struct conf_context *context, const config_setting_t *setting) {
        if (config_setting_type(setting) == CONFIG_TYPE_LIST)
                return true;
        conf_type_error(context, setting, "a list of entries, ( ... )");
        return false;
}

static const char *target_name(const struct plan *plan, size_t i) {
        return plan->targets[i].name;
}

static const char *scheme_name(const struct plan *plan, size_t i) {
        return plan->schemes[i].name;
}

/* Says so if an entry before the given one has the same name. */
static void check_unique(struct conf_context *context, const config_setting_t *list, size_t i,
                         const char *(*name_of)(const struct plan *plan, size_t i)) {
        const char *name = name_of(context->plan, i);

        for (size_t j = 0; name && j < i; j++) {
                const char *other = name_of(context->plan, j);

                if (!other || strcmp(name, other) != 0)
                        continue;
                conf_error(context,
                           config_setting_source_line(config_setting_get_elem(list, (unsigned) i)),
                           "%s: the name \"%s\" belongs to the entry in line %u, expected a "
                           "different one", conf_label(list), name,
                           config_setting_source_line(config_setting_get_elem(list, (unsigned) j)));
                return;
        }
}

static void parse_targets(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct plan *plan = to;

        if (!is_list(context, setting))
                return;
        plan->nr_targets = (size_t) config_setting_length(setting);
        plan->targets = calloc(MAX(plan->nr_targets, (size_t) 1), sizeof(plan->targets[0]));
        if (!plan->targets) {
                plan->nr_targets = 0;
                context->out_of_memory = true;
                return;
        }

        for (size_t i = 0; i < plan->nr_targets; i++) {
                parse_target(context, config_setting_get_elem(setting, (unsigned) i), i);
                check_unique(context, setting, i, target_name);
        }
}

static void parse_schemes(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct plan *plan = to;

        if (!is_list(context, setting))
                return;
        plan->nr_schemes = (size_t) config_setting_length(setting);
        plan->schemes = calloc(MAX(plan->nr_schemes, (size_t) 1), sizeof(plan->schemes[0]));
        if (!plan->schemes) {
                plan->nr_schemes = 0;
                context->out_of_memory = true;
                return;
        }

        for (size_t i = 0; i < plan->nr_schemes; i++) {
                parse_scheme(context, config_setting_get_elem(setting, (unsigned) i), i);
                check_unique(context, setting, i, scheme_name);
        }
}
