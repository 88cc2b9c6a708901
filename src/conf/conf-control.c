/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-control.h. */

#include "conf-control.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "conf-keys.h"
#include "conf-merge.h"
#include "conf-values.h"
#include "conf-write.h"
#include "unit.h"

#define EXPECTED_APPLY_INTERVAL \
        "a time in a string, such as \"10s\" (units: " CONF_TIME_UNITS "), or \"aggregation\""
#define EXPECTED_METRIC_INTERVAL \
        "a time in a string of at least \"100ms\", such as \"5s\" (units: " CONF_TIME_UNITS ")"
#define EXPECTED_SHARE \
        "a share in a string from \"0%\" to \"100%\" with at most two decimals, such as \"40%\""
#define EXPECTED_GOAL_FILE "the absolute path of a file, such as \"/run/score\""
#define EXPECTED_GOAL_NUMBER "a whole number of at least 1"
#define EXPECTED_GOALS "a list of groups, ( { ... }, ... )"

#define BASIS_POINTS 10000

/* that of DAMON_RECLAIM */
#define WATERMARKS_INTERVAL (5 * USEC_PER_SEC)

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

static void parse_metric(struct conf_context *context, const config_setting_t *setting,
                         const enum damos_metric *metrics, size_t nr, enum damos_metric *metric) {
        const char *name = conf_string(context, setting, "the name of a metric, such as \"free_mem_rate\"");
        struct conf_words words = { .word = name };

        if (!name)
                return;
        for (size_t i = 0; i < nr; i++) {
                const char *known = damos_metric_to_string(metrics[i]);

                if (strcmp(name, known) == 0) {
                        *metric = metrics[i];
                        return;
                }
                conf_words_consider(&words, known);
        }
        if (words.best)
                conf_error_at(context, setting, "unknown metric \"%.80s\", did you mean \"%s\"?", name,
                              words.best);
        else
                conf_error_at(context, setting, "unknown metric \"%.80s\", expected one of %s", name,
                              words.list);
}

void conf_parse_watermark_metric(struct conf_context *context, const config_setting_t *setting, void *to) {
        static const enum damos_metric metrics[] = {
                DAMOS_FREE_MEM_RATE, DAMOS_AVAILABLE_MEM_RATE, DAMOS_FREE_SWAP_RATE,
                DAMOS_SOME_MEM_PSI_RATE,
        };

        parse_metric(context, setting, metrics, ELEMENTSOF(metrics), to);
}

void conf_parse_watermark_interval(struct conf_context *context, const config_setting_t *setting,
                                   void *to) {
        const char *text = conf_string(context, setting, EXPECTED_METRIC_INTERVAL);
        uint64_t *interval = to, usec;
        int r;

        if (!text)
                return;
        r = unit_parse_time(text, &usec);
        if (r < 0)
                conf_value_error(context, setting, text, r, EXPECTED_METRIC_INTERVAL);
        else if (usec < CONF_METRIC_INTERVAL_MIN)
                conf_error_at(context, setting, "%s: \"%.80s\" is too short, expected %s",
                              conf_label(setting), text, EXPECTED_METRIC_INTERVAL);
        else
                *interval = usec;
}

void conf_parse_share(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_SHARE);
        uint32_t *share = to, value;
        int r;

        if (!text)
                return;
        r = unit_parse_percent(text, &value);
        if (r >= 0 && value > BASIS_POINTS)
                r = -ERANGE;
        if (r < 0)
                conf_value_error(context, setting, text, r, EXPECTED_SHARE);
        else
                *share = value;
}

static void check_not_below(struct conf_context *context, const config_setting_t *setting,
                            const char *name, uint32_t share, const char *lower_name, uint32_t lower) {
        char text[UNIT_STRING_MAX], lower_text[UNIT_STRING_MAX];

        if (share < lower)
                conf_error_at(context, setting, "watermarks: %s is %s, which is below the %s one of %s, "
                              "expected at least that", name, unit_format_percent(text, share),
                              lower_name, unit_format_percent(lower_text, lower));
}

void conf_parse_watermarks(struct conf_context *context, const config_setting_t *setting, void *to) {
        const struct conf_layers layers = { .settings = &setting, .nr = 1 };
        struct damos_watermarks *watermarks = to;

        *watermarks = (struct damos_watermarks) { .interval = WATERMARKS_INTERVAL };
        if (!conf_parse_group(context, &layers, CONF_WATERMARKS, watermarks))
                return;
        check_not_below(context, setting, "high", watermarks->high, "mid", watermarks->mid);
        check_not_below(context, setting, "mid", watermarks->mid, "low", watermarks->low);
}

void conf_write_watermarks(const struct plan *plan, const void *from, FILE *f) {
        const struct damos_watermarks *watermarks = from;
        char interval[UNIT_STRING_MAX], high[UNIT_STRING_MAX], mid[UNIT_STRING_MAX], low[UNIT_STRING_MAX];

        if (watermarks->metric == DAMOS_NO_METRIC)
                return;
        fprintf(f, "{ metric = \"%s\"; interval = \"%s\"; high = \"%s\"; mid = \"%s\"; low = \"%s\"; }",
                damos_metric_to_string(watermarks->metric),
                unit_format_time(interval, watermarks->interval),
                unit_format_percent(high, watermarks->high), unit_format_percent(mid, watermarks->mid),
                unit_format_percent(low, watermarks->low));
}

void conf_parse_goal_metric(struct conf_context *context, const config_setting_t *setting, void *to) {
        static const enum damos_metric metrics[] = {
                DAMOS_SOME_MEM_PSI_US, DAMOS_AVAILABLE_MEM_RATE, DAMOS_FREE_MEM_RATE,
        };
        struct damos_goal *goal = to;

        parse_metric(context, setting, metrics, ELEMENTSOF(metrics), &goal->metric);
}

void conf_parse_goal_file(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_GOAL_FILE);
        struct damos_goal *goal = to;

        if (!text)
                return;
        if (text[0] != '/' || text[strlen(text) - 1] == '/')
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_GOAL_FILE);
        else {
                goal->metric = DAMOS_USER_INPUT;
                goal->file = conf_copy(context, text);
        }
}

void conf_parse_goal_target(struct conf_context *context, const config_setting_t *setting, void *to) {
        size_t nr_messages = context->diag->nr;
        struct damos_goal *goal = to;
        uint32_t share = 0;
        int number;

        switch (goal->metric) {
        case DAMOS_NO_METRIC:
                return;         /* reported, or will be */
        case DAMOS_SOME_MEM_PSI_US:
                return conf_parse_interval(context, setting, &goal->target);
        case DAMOS_USER_INPUT:
                if (conf_integer(context, setting, 1, INT_MAX, EXPECTED_GOAL_NUMBER, &number))
                        goal->target = (uint64_t) number;
                return;
        default:
                conf_parse_share(context, setting, &share);
                if (share == 0 && context->diag->nr == nr_messages)
                        conf_error_at(context, setting, "target: is 0%%, which is always reached, expected "
                                      "more");
                goal->target = share;
        }
}

static void parse_goal(struct conf_context *context, const config_setting_t *setting,
                       struct damos_goal *goal) {
        const struct conf_layers layers = { .settings = &setting, .nr = 1 };
        bool has_metric, has_file;

        if (!conf_parse_group(context, &layers, CONF_GOALS, goal))
                return;
        has_metric = conf_layers_get(&layers, "metric");
        has_file = conf_layers_get(&layers, "file");
        if (has_metric == has_file)
                conf_error_at(context, setting, "goals: %s, expected either a metric or a file",
                              has_metric ? "one has both a metric and a file" : "one goes by nothing");
}

void conf_parse_goals(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct damos_quota *quota = to;
        int length;

        if (config_setting_type(setting) != CONFIG_TYPE_LIST)
                return conf_type_error(context, setting, EXPECTED_GOALS);
        length = config_setting_length(setting);
        if (length == 0)
                return conf_error_at(context, setting, "goals: is empty, expected " EXPECTED_GOALS);
        quota->goals = calloc((size_t) length, sizeof(quota->goals[0]));
        if (!quota->goals) {
                context->out_of_memory = true;
                return;
        }
        for (unsigned i = 0; i < (unsigned) length; i++)
                parse_goal(context, config_setting_get_elem(setting, i), &quota->goals[quota->nr_goals++]);
}

static void write_goal(const struct plan *plan, const struct damos_goal *goal, FILE *f) {
        char target[UNIT_STRING_MAX];

        if (goal->metric == DAMOS_USER_INPUT) {
                fputs("{ file = ", f);
                conf_write_string(plan, &goal->file, f);
                fprintf(f, "; target = %" PRIu64 "; }", goal->target);
                return;
        }
        if (goal->metric == DAMOS_SOME_MEM_PSI_US)
                unit_format_time(target, goal->target);
        else
                unit_format_percent(target, (uint32_t) goal->target);
        fprintf(f, "{ metric = \"%s\"; target = \"%s\"; }", damos_metric_to_string(goal->metric), target);
}

void conf_write_goals(const struct plan *plan, const void *from, FILE *f) {
        const struct damos_quota *quota = from;

        for (size_t i = 0; i < quota->nr_goals; i++) {
                fputs(i > 0 ? ", " : "( ", f);
                write_goal(plan, &quota->goals[i], f);
        }
        if (quota->nr_goals > 0)
                fputs(" )", f);
}
