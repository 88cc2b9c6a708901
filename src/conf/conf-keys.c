/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of settings, and the groups and lists that they describe; see conf-keys.h. */

#include "conf-keys.h"

#include <stdio.h>
#include <string.h>

#include "array.h"
#include "conf-control.h"
#include "conf-filter.h"
#include "conf-merge.h"
#include "conf-scheme.h"
#include "conf-target.h"
#include "conf-values.h"
#include "conf-write.h"
#include "unit.h"

/* A share is written with up to two decimals, so that finer frequencies have no name. */
#define MAX_NR_ACCESSES 10000

/* Default of returned_within */
#define RETURNED_WITHIN (60 * USEC_PER_SEC)

/* Default of max_processes */
#define MAX_PROCESSES 100

/* Room for all places that a setting may have, and for a hint with two names */
#define PLACE_MAX 64
#define HINT_MAX (2 * CONF_NAME_MAX + 80)

static void parse_monitoring(struct conf_context *context, const config_setting_t *setting,
                             void *to);
static void parse_targets(struct conf_context *context, const config_setting_t *setting, void *to);
static void parse_schemes(struct conf_context *context, const config_setting_t *setting, void *to);
static void parse_enabled(struct conf_context *context, const config_setting_t *setting, void *to);
static void parse_quota(struct conf_context *context, const config_setting_t *setting, void *to);
static void parse_weights(struct conf_context *context, const config_setting_t *setting, void *to);

/* Schemes come last of these: they need the intervals, the names of the targets, and to be allowed. */
static const struct conf_key file_keys[] = {
        { "monitoring", parse_monitoring },
        { "targets", parse_targets },
        { "allow_injection", conf_parse_bool, conf_write_bool, offsetof(struct plan, allow_injection) },
        { "schemes", parse_schemes },
        { "statistics_interval", conf_parse_interval_or_off, conf_write_interval_or_off,
          offsetof(struct plan, statistics_interval) },
        { "record", conf_parse_record, conf_write_string_or_off, offsetof(struct plan, record) },
        { "record_size", conf_parse_record_size, conf_write_size,
          offsetof(struct plan, record_size) },
};

static const struct conf_key monitoring_keys[] = {
        { "sample_interval", conf_parse_interval, conf_write_interval,
          offsetof(struct plan, attrs.sample_interval) },
        { "aggregation_interval", conf_parse_interval, conf_write_interval,
          offsetof(struct plan, attrs.aggregation_interval) },
        { "update_interval", conf_parse_interval, conf_write_interval,
          offsetof(struct plan, attrs.update_interval) },
        { "min_regions", conf_parse_nr_regions, conf_write_number,
          offsetof(struct plan, attrs.min_regions) },
        { "max_regions", conf_parse_nr_regions, conf_write_number,
          offsetof(struct plan, attrs.max_regions) },
        { "cpu_budget", conf_parse_budget, conf_write_budget, offsetof(struct plan, cpu_budget) },
};

static const struct conf_key target_keys[] = {
        { "name", conf_parse_name, conf_write_string, offsetof(struct plan_target, name), true },
        { "enabled", parse_enabled },
        { "pid", conf_parse_pid, conf_write_pid, offsetof(struct plan_target, pid) },
        { "comm", conf_parse_comm, conf_write_string, offsetof(struct plan_target, comm) },
        { "exe", conf_parse_exe, conf_write_string, offsetof(struct plan_target, exe) },
        { "cmdline", conf_parse_cmdline, conf_write_cmdline },
        { "user", conf_parse_user, conf_write_user },
        { "unit", conf_parse_unit, conf_write_string, offsetof(struct plan_target, unit) },
        { "cgroup", conf_parse_cgroup, conf_write_string, offsetof(struct plan_target, cgroup) },
        { "children", conf_parse_bool, conf_write_bool, offsetof(struct plan_target, children) },
        { "max_processes", conf_parse_max_processes, conf_write_number,
          offsetof(struct plan_target, max_processes) },
};

static const struct conf_key scheme_keys[] = {
        { "name", conf_parse_name, conf_write_string, offsetof(struct damos, name), true },
        { "enabled", parse_enabled },
        { "action", conf_parse_action, conf_write_action, offsetof(struct damos, action), true },
        { "targets", conf_parse_scheme_targets, conf_write_scheme_targets },
        { "size", conf_parse_size_range, conf_write_size_range,
          offsetof(struct damos, pattern.size) },
        { "nr_accesses", conf_parse_nr_accesses_range, conf_write_nr_accesses_range,
          offsetof(struct damos, pattern.nr_accesses) },
        { "age", conf_parse_age_range, conf_write_age_range, offsetof(struct damos, pattern.age) },
        { "apply_interval", conf_parse_apply_interval, conf_write_apply_interval,
          offsetof(struct damos, apply_interval) },
        { "watermarks", conf_parse_watermarks, conf_write_watermarks,
          offsetof(struct damos, watermarks) },
        { "filters", conf_parse_filters, conf_write_filters, offsetof(struct damos, filters) },
        { "quota", parse_quota, conf_write_quota, offsetof(struct damos, quota) },
        { "dry_run", conf_parse_bool, conf_write_bool, offsetof(struct damos, dry_run) },
        { "returned_within", conf_parse_returned_within, conf_write_returned_within },
        { "guard", conf_parse_guard, conf_write_guard },
};

/* Both are written as one value, see conf_write_quota(). */
static const struct conf_key quota_keys[] = {
        { "size", conf_parse_quota_size, NULL, offsetof(struct damos_quota, size) },
        { "time", conf_parse_interval, NULL, offsetof(struct damos_quota, time) },
        { "interval", conf_parse_interval, NULL, offsetof(struct damos_quota, interval) },
        { "weights", parse_weights, NULL, offsetof(struct damos_quota, weights) },
        { "goals", conf_parse_goals },
};

static const struct conf_key weights_keys[] = {
        { "size", conf_parse_weight, NULL, offsetof(struct damos_weights, size) },
        { "nr_accesses", conf_parse_weight, NULL, offsetof(struct damos_weights, nr_accesses) },
        { "age", conf_parse_weight, NULL, offsetof(struct damos_weights, age) },
};

/* The target is of the kind that the metric says. */
static const struct conf_key goals_keys[] = {
        { "metric", conf_parse_goal_metric },
        { "file", conf_parse_goal_file },
        { "target", conf_parse_goal_target, NULL, 0, true },
};

/* Written as one value, see conf_write_watermarks(). */
static const struct conf_key watermarks_keys[] = {
        { "metric", conf_parse_watermark_metric, NULL, offsetof(struct damos_watermarks, metric), true },
        { "interval", conf_parse_watermark_interval, NULL, offsetof(struct damos_watermarks, interval) },
        { "high", conf_parse_share, NULL, offsetof(struct damos_watermarks, high), true },
        { "mid", conf_parse_share, NULL, offsetof(struct damos_watermarks, mid), true },
        { "low", conf_parse_share, NULL, offsetof(struct damos_watermarks, low), true },
};

/* Likewise; see conf_write_filters(). */
static const struct conf_key filter_keys[] = {
        { "type", conf_parse_filter_type, NULL, offsetof(struct damos_filter, type), true },
        { "matching", conf_parse_bool, NULL, offsetof(struct damos_filter, matching) },
        { "allow", conf_parse_bool, NULL, offsetof(struct damos_filter, allow) },
        { "addr_start", conf_parse_address, NULL, offsetof(struct damos_filter, addr.start) },
        { "addr_end", conf_parse_address, NULL, offsetof(struct damos_filter, addr.end) },
        { "target", conf_parse_filter_target, NULL, offsetof(struct damos_filter, text) },
        { "size", conf_parse_filter_sizes },
        { "memcg_path", conf_parse_filter_memcg, NULL, offsetof(struct damos_filter, text) },
        { "mapping", conf_parse_filter_mapping, NULL, offsetof(struct damos_filter, text) },
};

const struct conf_group conf_groups[_CONF_GROUP_MAX] = {
        [CONF_FILE] = { "", file_keys, ELEMENTSOF(file_keys) },
        [CONF_MONITORING] = { "monitoring", monitoring_keys, ELEMENTSOF(monitoring_keys) },
        [CONF_TARGET] = { "targets", target_keys, ELEMENTSOF(target_keys) },
        [CONF_SCHEME] = { "schemes", scheme_keys, ELEMENTSOF(scheme_keys) },
        [CONF_QUOTA] = { "quota", quota_keys, ELEMENTSOF(quota_keys) },
        [CONF_WEIGHTS] = { "weights", weights_keys, ELEMENTSOF(weights_keys) },
        [CONF_GOALS] = { "goals", goals_keys, ELEMENTSOF(goals_keys) },
        [CONF_WATERMARKS] = { "watermarks", watermarks_keys, ELEMENTSOF(watermarks_keys) },
        [CONF_FILTER] = { "filters", filter_keys, ELEMENTSOF(filter_keys) },
};

static bool has_key(const struct conf_group *group, const char *name) {
        for (size_t i = 0; i < group->nr_keys; i++)
                if (strcmp(group->keys[i].name, name) == 0)
                        return true;
        return false;
}

/* Says where a setting belongs, if there is one of that name anywhere. */
static void find_place(const char *name, char place[static PLACE_MAX]) {
        size_t used = 0;

        place[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(conf_groups); i++)
                if (has_key(&conf_groups[i], name) && used < PLACE_MAX)
                        used += (size_t) snprintf(place + used, PLACE_MAX - used, "%s%s%s",
                                                  used > 0 ? " or " : "",
                                                  conf_groups[i].name[0] ? "in " : "at the top level",
                                                  conf_groups[i].name);
}

static void check_known(struct conf_context *context, const struct conf_group *group,
                        const config_setting_t *setting) {
        const char *name = config_setting_name(setting), *colon = group->name[0] ? ": " : "";
        struct conf_words words = { .word = name };
        char place[PLACE_MAX];

        if (has_key(group, name))
                return;

        for (size_t i = 0; i < group->nr_keys; i++)
                conf_words_consider(&words, group->keys[i].name);
        find_place(name, place);
        if (place[0] != '\0')
                conf_error_at(context, setting, "%s%sunknown setting '%.80s', it belongs %s",
                              group->name, colon, name, place);
        else if (words.best)
                conf_error_at(context, setting, "%s%sunknown setting '%.80s', did you mean '%s'?",
                              group->name, colon, name, words.best);
        else
                conf_error_at(context, setting, "%s%sunknown setting '%.80s', expected one of %s",
                              group->name, colon, name, words.list);
}

/* Returns whether all layers are groups. */
static bool check_groups(struct conf_context *context, const struct conf_group *group,
                         const struct conf_layers *layers) {
        bool good = true;

        for (size_t i = 0; i < layers->nr; i++) {
                const config_setting_t *layer = layers->settings[i];

                if (config_setting_type(layer) != CONFIG_TYPE_GROUP) {
                        conf_type_error(context, layer, "a group of settings, { ... }");
                        good = false;
                        continue;
                }
                for (unsigned k = 0; k < (unsigned) config_setting_length(layer); k++)
                        check_known(context, group, config_setting_get_elem(layer, k));
        }
        return good;
}

static void add_origin(struct conf_context *context, const void *group, const char *name,
                       const config_setting_t *setting) {
        struct plan *plan = context->plan;

        if (ARRAY_GROW(plan->origins, plan->sz_origins, plan->nr_origins + 1) < 0)
                context->out_of_memory = true;
        else
                plan->origins[plan->nr_origins++] = (struct plan_origin) {
                        .group = group,
                        .setting = name,
                        .file = (size_t) (conf_file_of(setting) - context->files),
                        .line = config_setting_source_line(setting),
                };
}

static const struct conf_entry *entry_of(const struct conf_entries *list,
                                         const struct conf_layers *layers) {
        for (size_t i = 0; list && i < list->nr; i++)
                if (&list->entries[i].layers == layers)
                        return &list->entries[i];
        return NULL;
}

/* An entry of a drop-in that says too little was perhaps to change another one. */
static const char *hint_at_another(const struct conf_context *context,
                                   const struct conf_layers *layers, char hint[static HINT_MAX]) {
        const struct conf_entry *entry = entry_of(context->entries, layers);
        const struct conf_file *file = conf_file_of(layers->settings[0]);
        struct conf_words words = {};

        if (!entry || entry->name[0] == '\0' || layers->nr > 1 || file == context->files)
                return "";
        words.word = entry->name;
        for (size_t i = 0; i < context->entries->nr; i++) {
                const struct conf_entry *other = &context->entries->entries[i];
                const config_setting_t *first = other->layers.settings[0];

                if (conf_file_of(first) != file && config_setting_type(first) == CONFIG_TYPE_GROUP)
                        conf_words_consider(&words, other->name);
        }
        (void) snprintf(hint, HINT_MAX, "; no other file has an entry \"%s\" to be changed%s%s%s",
                        entry->name, words.best ? ", did you mean \"" : "",
                        words.best ? words.best : "", words.best ? "\"?" : "");
        return hint;
}

bool conf_parse_group(struct conf_context *context, const struct conf_layers *layers,
                      enum conf_group_id id, void *to) {
        const struct conf_group *group = &conf_groups[id];
        size_t nr_messages = context->diag->nr;
        char hint[HINT_MAX];

        if (!check_groups(context, group, layers))
                return false;
        for (size_t i = 0; i < group->nr_keys; i++) {
                const struct conf_key *key = &group->keys[i];
                const config_setting_t *setting = conf_layers_get(layers, key->name);

                if (setting) {
                        key->parse(context, setting, (char *) to + key->offset);
                        add_origin(context, to, key->name, setting);
                } else if (key->required)
                        conf_error_at(context, layers->settings[0], "%s: '%s' is missing, expected "
                                      "in every entry%s", group->name, key->name,
                                      hint_at_another(context, layers, hint));
        }
        return context->diag->nr == nr_messages;
}

/* Where to complain about two settings that do not go together: at the later one. */
static const config_setting_t *later(const struct conf_layers *layers, const char *name_a,
                                     const char *name_b) {
        const config_setting_t *a = conf_layers_get(layers, name_a);
        const config_setting_t *b = conf_layers_get(layers, name_b);

        if (!a || !b)
                return a ? a : b;
        if (conf_file_of(a) != conf_file_of(b))
                return conf_file_of(a) > conf_file_of(b) ? a : b;
        return config_setting_source_line(a) > config_setting_source_line(b) ? a : b;
}

static void check_not_shorter(struct conf_context *context, const struct conf_layers *layers,
                              const char *name, uint64_t interval) {
        char text[UNIT_STRING_MAX], sample[UNIT_STRING_MAX];
        uint64_t sample_interval = context->plan->attrs.sample_interval;

        if (interval < sample_interval)
                conf_error_at(context, later(layers, name, "sample_interval"),
                              "%s: %s is shorter than the sample_interval of %s, expected at "
                              "least that", name, unit_format_time(text, interval),
                              unit_format_time(sample, sample_interval));
}

static void check_attrs(struct conf_context *context, const struct conf_layers *layers) {
        const struct damon_attrs *attrs = &context->plan->attrs;

        check_not_shorter(context, layers, "aggregation_interval", attrs->aggregation_interval);
        check_not_shorter(context, layers, "update_interval", attrs->update_interval);
        if (attrs->aggregation_interval / attrs->sample_interval > MAX_NR_ACCESSES)
                conf_error_at(context, later(layers, "aggregation_interval", "sample_interval"),
                              "aggregation_interval: is more than %d times the sample_interval, "
                              "expected less", MAX_NR_ACCESSES);
        if (attrs->min_regions > attrs->max_regions)
                conf_error_at(context, later(layers, "min_regions", "max_regions"),
                              "min_regions: %u is more than the max_regions of %u, expected at "
                              "most that", attrs->min_regions, attrs->max_regions);
}

/* Of these three, "setting" is the one of the last file, and all count. */
static void parse_monitoring(struct conf_context *context, const config_setting_t *setting,
                             void *to) {
        size_t nr_messages = context->diag->nr;
        struct conf_layers layers;

        if (conf_layers_top(context, config_setting_name(setting), &layers) < 0) {
                context->out_of_memory = true;
                return;
        }
        if (conf_parse_group(context, &layers, CONF_MONITORING, to))
                check_attrs(context, &layers);
        context->max_nr_accesses = context->diag->nr > nr_messages ? 0
                : damon_attrs_max_nr_accesses(&context->plan->attrs);
        conf_layers_done(&layers);
}

/* Checks only: is_enabled() is asked before the entry is read. */
static void parse_enabled(struct conf_context *context, const config_setting_t *setting, void *to) {
        bool enabled;

        conf_parse_bool(context, setting, &enabled);
}

static bool is_enabled(const struct conf_entry *entry) {
        const config_setting_t *setting = conf_layers_get(&entry->layers, "enabled");

        return !setting || config_setting_type(setting) != CONFIG_TYPE_BOOL ||
                config_setting_get_bool(setting);
}

/* Returns the entries that are enabled and then those that are not; NULL without memory. */
static void *parse_list(struct conf_context *context, const char *name, size_t size,
                        void (*parse)(struct conf_context *context, const struct conf_entry *entry,
                                      void *to),
                        size_t *ret_nr, size_t *ret_nr_off) {
        struct conf_entries list = {};
        size_t nr = 0, next[2] = {};
        char *items = NULL;

        if (conf_entries_merge(context, name, &list) == 0)
                items = calloc(MAX(list.nr, (size_t) 1), size);
        context->entries = &list;
        if (items) {
                for (size_t i = 0; i < list.nr; i++)
                        nr += is_enabled(&list.entries[i]);
                next[false] = nr;
                for (size_t i = 0; i < list.nr; i++)
                        parse(context, &list.entries[i],
                              items + size * next[is_enabled(&list.entries[i])]++);
                *ret_nr = nr;
                *ret_nr_off = list.nr - nr;
        } else
                context->out_of_memory = true;
        context->entries = NULL;
        conf_entries_done(&list);
        return items;
}

/* A selector that is there but wrong has been reported. */
static bool has_selector(const struct conf_layers *layers) {
        static const char *const selectors[] = {
                "pid", "comm", "exe", "cmdline", "user", "unit", "cgroup",
        };

        for (size_t i = 0; i < ELEMENTSOF(selectors); i++)
                if (conf_layers_get(layers, selectors[i]))
                        return true;
        return false;
}

static void parse_target(struct conf_context *context, const struct conf_entry *entry, void *to) {
        struct plan_target *target = to;
        char hint[HINT_MAX];

        target->max_processes = MAX_PROCESSES;
        if (conf_parse_group(context, &entry->layers, CONF_TARGET, target) &&
            !has_selector(&entry->layers))
                conf_error_at(context, entry->layers.settings[0], "targets: \"%s\" selects "
                              "nothing, expected at least one of pid, comm, exe, cmdline, user, "
                              "unit, cgroup%s", target->name,
                              hint_at_another(context, &entry->layers, hint));
}

/* A group within an entry is one value: that of the last file that has it. */
static bool parse_inner_group(struct conf_context *context, const config_setting_t *setting,
                              enum conf_group_id id, void *to) {
        const struct conf_layers layers = { .settings = &setting, .nr = 1 };

        return conf_parse_group(context, &layers, id, to);
}

static void parse_weights(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct damos_weights *weights = to;

        *weights = (struct damos_weights) {};
        (void) parse_inner_group(context, setting, CONF_WEIGHTS, weights);
}

static void parse_quota(struct conf_context *context, const config_setting_t *setting, void *to) {
        char time[UNIT_STRING_MAX], interval[UNIT_STRING_MAX];
        struct damos_quota *quota = to;

        *quota = (struct damos_quota) {
                .interval = USEC_PER_SEC, .weights = { .nr_accesses = 1, .age = 1 },
        };
        if (!parse_inner_group(context, setting, CONF_QUOTA, quota))
                return;
        if (!damos_quota_is_set(quota))
                conf_error_at(context, setting, "quota: limits nothing, expected size, time or goals");
        else if (quota->time > quota->interval)
                conf_error_at(context, setting, "quota: a time of %s is more than the interval of %s, "
                              "expected at most that", unit_format_time(time, quota->time),
                              unit_format_time(interval, quota->interval));
        else if (quota->nr_goals > 0 && quota->interval < CONF_METRIC_INTERVAL_MIN)
                conf_error_at(context, setting, "quota: an interval of %s is too short for goals, expected at "
                              "least 100ms", unit_format_time(interval, quota->interval));
}

static void parse_string(struct conf_context *context, const struct conf_entry *entry,
                         struct damos *scheme) {
        static const char *const settings[] = { "name", "action", "size", "nr_accesses", "age" };
        const config_setting_t *setting = entry->layers.settings[0];

        scheme->name = conf_copy(context, entry->name);
        conf_parse_columns(context, setting, scheme);
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                add_origin(context, scheme, settings[i], setting);
}

/* Of pageout alone is known what it did. */
static void check_outcome(struct conf_context *context, const struct conf_entry *entry,
                          const struct damos *scheme) {
        static const char *const settings[] = { "returned_within", "guard" };

        if (scheme->action == DAMOS_PAGEOUT)
                return;
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                const config_setting_t *setting = conf_layers_get(&entry->layers, settings[i]);

                if (setting)
                        conf_error_at(context, setting, "%s: action \"%s\" moves nothing that could "
                                      "come back, expected with \"pageout\" only", settings[i],
                                      damos_action_to_string(scheme->action));
        }
}

static void parse_scheme(struct conf_context *context, const struct conf_entry *entry, void *to) {
        const config_setting_t *setting = entry->layers.settings[0];
        struct damos *scheme = to;

        scheme->pattern = (struct damos_access_pattern) {
                .size.max = UINT64_MAX,
                .nr_accesses.max = UINT64_MAX,
                .age.max = UINT64_MAX,
        };
        scheme->returned_within = RETURNED_WITHIN;
        scheme->guarded = true;
        if (config_setting_type(setting) == CONFIG_TYPE_GROUP) {
                if (conf_parse_group(context, &entry->layers, CONF_SCHEME, scheme))
                        check_outcome(context, entry, scheme);
        } else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
                parse_string(context, entry, scheme);
        } else
                conf_type_error(context, setting,
                                "a group of settings, { ... }, or a string of seven columns");
        if (scheme->action != DAMOS_PAGEOUT) {
                scheme->returned_within = 0;
                scheme->guarded = false;
        }
}

static void parse_targets(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct plan *plan = to;

        plan->targets = parse_list(context, config_setting_name(setting), sizeof(plan->targets[0]),
                                   parse_target, &plan->nr_targets, &plan->nr_targets_off);
}

static void parse_schemes(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct plan *plan = to;

        plan->schemes = parse_list(context, config_setting_name(setting), sizeof(plan->schemes[0]),
                                   parse_scheme, &plan->nr_schemes, &plan->nr_schemes_off);
}
