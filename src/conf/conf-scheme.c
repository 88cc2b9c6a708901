/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-scheme.h. */

#include "conf-scheme.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "conf-values.h"
#include "unit.h"

#define NR_COLUMNS 7
#define BASIS_POINTS 10000

/**
 * struct quantity - what the borders of a range are
 * @parse:      reads one border
 * @range:      description of a range
 * @border:     description of one border
 */
struct quantity {
        int (*parse)(const char *text, uint64_t *ret);
        const char *range;
        const char *border;
};

static int parse_share(const char *text, uint64_t *ret) {
        uint32_t share;
        int r;

        r = unit_parse_percent(text, &share);
        if (r < 0)
                return r;
        if (share > BASIS_POINTS)
                return -ERANGE;
        *ret = share;
        return 0;
}

/* The first tool's frequencies are whole and below 100. */
static int parse_frequency(const char *text, uint64_t *ret) {
        size_t length = strspn(text, "0123456789");

        if (length == 0 || text[length] != '\0')
                return -EINVAL;
        if (length > 2)
                return -ERANGE;
        *ret = (uint64_t) atoi(text);
        return 0;
}

static const struct quantity size_quantity = {
        unit_parse_size,
        "two sizes, such as [ \"4K\", \"max\" ]",
        "a size such as \"4K\" (units: " CONF_SIZE_UNITS "), \"min\" or \"max\"",
};

static const struct quantity share_quantity = {
        parse_share,
        "two shares, such as [ \"0%\", \"25%\" ]",
        "a share from \"0%\" to \"100%\" with at most two decimals, \"min\" or \"max\"",
};

static const struct quantity age_quantity = {
        unit_parse_time,
        "two times, such as [ \"2m\", \"max\" ]",
        "a time such as \"2m\" (units: " CONF_TIME_UNITS "), \"min\" or \"max\"",
};

/* Returns whether there are two strings. */
static bool range_strings(struct conf_context *context, const config_setting_t *setting,
                          const char *expected, const char *ret[static 2]) {
        if (config_setting_type(setting) != CONFIG_TYPE_ARRAY &&
            config_setting_type(setting) != CONFIG_TYPE_LIST) {
                conf_type_error(context, setting, expected);
                return false;
        }
        if (config_setting_length(setting) != 2) {
                conf_error_at(context, setting,
                              "%s: found %d values, expected %s", conf_label(setting),
                              config_setting_length(setting), expected);
                return false;
        }

        for (unsigned i = 0; i < 2; i++) {
                ret[i] = conf_string(context, config_setting_get_elem(setting, i), expected);
                if (!ret[i])
                        return false;
        }
        return true;
}

static int parse_border(const struct quantity *quantity, const char *text, uint64_t *ret) {
        if (strcmp(text, "min") == 0)
                *ret = 0;
        else if (strcmp(text, "max") == 0)
                *ret = UINT64_MAX;
        else
                return quantity->parse(text, ret);
        return 0;
}

/* Nothing could match such a range. */
static bool check_order(struct conf_context *context, const config_setting_t *setting,
                        const char *what, const struct damos_limits *limits,
                        const char *min, const char *max) {
        const char *wrong = NULL;

        if (strcmp(min, "max") == 0)
                wrong = "begins at";
        else if (limits->min > limits->max)
                wrong = "ends below";
        if (!wrong)
                return true;

        conf_error_at(context, setting,
                      "%s: \"%.40s\" to \"%.40s\" %s \"%.40s\", expected the lower limit first",
                      what, min, max, wrong, min);
        return false;
}

static bool parse_range(struct conf_context *context, const config_setting_t *setting,
                        const struct quantity *quantity, struct damos_limits *limits,
                        const char *texts[static 2]) {
        uint64_t values[2] = {};
        bool good = true;

        if (!range_strings(context, setting, quantity->range, texts))
                return false;
        for (unsigned i = 0; i < 2; i++) {
                int r;

                r = parse_border(quantity, texts[i], &values[i]);
                if (r < 0) {
                        conf_value_error(context, config_setting_get_elem(setting, i), texts[i], r,
                                         quantity->border);
                        good = false;
                }
        }
        if (!good)
                return false;

        *limits = (struct damos_limits) { values[0], values[1] };
        return check_order(context, setting, conf_label(setting), limits, texts[0], texts[1]);
}

void conf_parse_size_range(struct conf_context *context, const config_setting_t *setting,
                           void *to) {
        const char *texts[2];

        (void) parse_range(context, setting, &size_quantity, to, texts);
}

void conf_parse_age_range(struct conf_context *context, const config_setting_t *setting,
                          void *to) {
        const char *texts[2];

        (void) parse_range(context, setting, &age_quantity, to, texts);
}

void conf_parse_quota_size(struct conf_context *context, const config_setting_t *setting, void *to) {
        conf_parse_size_from(context, setting, DAMOS_GRANULE_MIN,
                             "a size in a string of at least \"4K\", such as \"128M\"", to);
}

void conf_parse_returned_within(struct conf_context *context, const config_setting_t *setting,
                                void *to) {
        struct damos *scheme = to;

        conf_parse_interval(context, setting, &scheme->returned_within);
}

void conf_parse_guard(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct damos *scheme = to;

        conf_parse_bool(context, setting, &scheme->guarded);
}

void conf_parse_weight(struct conf_context *context, const config_setting_t *setting, void *to) {
        uint32_t *weight = to;
        int value;

        if (conf_integer(context, setting, 0, INT_MAX, "a whole number of at least 0", &value))
                *weight = (uint32_t) value;
}

void conf_parse_nr_accesses_range(struct conf_context *context, const config_setting_t *setting,
                                  void *to) {
        uint64_t nr = context->max_nr_accesses;
        struct damos_limits *limits = to, counts;
        char resolution[UNIT_STRING_MAX];
        const char *texts[2];

        if (!parse_range(context, setting, &share_quantity, limits, texts) || nr == 0)
                return;

        counts.min = (limits->min * nr + BASIS_POINTS - 1) / BASIS_POINTS;
        counts.max = limits->max == UINT64_MAX ? UINT64_MAX : limits->max * nr / BASIS_POINTS;
        if (counts.min > counts.max)
                conf_error_at(context, setting,
                              "%s: nothing lies in \"%s\" to \"%s\", expected a range that holds a "
                              "multiple of %s%s, the resolution of %u checks an aggregation",
                              conf_label(setting), texts[0], texts[1],
                              BASIS_POINTS % nr == 0 ? "" : "about ",
                              unit_format_percent(resolution, (uint32_t) (BASIS_POINTS / nr)),
                              context->max_nr_accesses);
        *limits = counts;
}

static void list_actions(struct conf_words *words) {
        for (unsigned i = 0; i < _DAMOS_ACTION_MAX; i++)
                conf_words_consider(words, damos_action_to_string((enum damos_action) i));
}

/* No process can do it to another one. */
static bool needs_injection(enum damos_action action) {
        return action == DAMOS_NOHUGEPAGE || action == DAMOS_HUGEPAGE_HINT;
}

static const char *why_impossible(enum damos_action action) {
        switch (action) {
        case DAMOS_HUGEPAGE:
                return "it needs a kernel with transparent huge pages, of Linux 6.1 or later";
        case DAMOS_NOHUGEPAGE:
        case DAMOS_HUGEPAGE_HINT:
                return "it needs a kernel with transparent huge pages, on x86-64 or 64-bit Arm";
        default:
                return "there is no way to do it to another process here";
        }
}

static void parse_action(struct conf_context *context, const config_setting_t *setting,
                         const char *name, enum damos_action *action) {
        struct conf_words words = { .word = name };
        enum damos_action value;

        list_actions(&words);
        if (damos_action_from_string(name, &value) < 0) {
                if (words.best)
                        conf_error_at(context, setting,
                                      "unknown action \"%.80s\", did you mean \"%s\"?", name,
                                      words.best);
                else
                        conf_error_at(context, setting,
                                      "unknown action \"%.80s\", expected one of %s", name,
                                      words.list);
        } else if (needs_injection(value) && !context->plan->allow_injection)
                conf_error_at(context, setting, "action \"%s\" needs 'allow_injection = true;' at the top "
                              "level: the kernel takes this advice only from a process itself, so damond "
                              "would have to stop one of its threads and make it give it; damond.conf(5) "
                              "says what that means", name);
        else if (!(context->actions & DAMOS_ACTION_BIT(value)))
                conf_error_at(context, setting, "action \"%s\" cannot be done: %s", name,
                              why_impossible(value));
        else
                *action = value;
}

void conf_parse_action(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting,
                                       "an action in a string, such as \"pageout\"");

        if (text)
                parse_action(context, setting, text, to);
}

bool conf_check_target(struct conf_context *context, const config_setting_t *setting,
                       const char *name) {
        const struct plan *plan = context->plan;
        struct conf_words words = { .word = name };

        for (size_t i = 0; i < plan->nr_targets + plan->nr_targets_off; i++) {
                if (!plan->targets[i].name)
                        continue;
                if (strcmp(plan->targets[i].name, name) == 0)
                        return true;
                conf_words_consider(&words, plan->targets[i].name);
        }
        if (words.best)
                conf_error_at(context, setting,
                              "%s: there is no target \"%.80s\", did you mean \"%s\"?",
                              conf_label(setting), name, words.best);
        else
                conf_error_at(context, setting,
                              "%s: there is no target \"%.80s\", expected the name of an entry of "
                              "the list of targets", conf_label(setting), name);
        return false;
}

void conf_parse_scheme_targets(struct conf_context *context, const config_setting_t *setting,
                               void *to) {
        static const char expected[] = "names of targets, such as [ \"db\" ]";
        struct damos *scheme = to;
        int length;

        if (config_setting_type(setting) != CONFIG_TYPE_ARRAY &&
            config_setting_type(setting) != CONFIG_TYPE_LIST)
                return conf_type_error(context, setting, expected);
        length = config_setting_length(setting);
        if (length == 0)
                return conf_error_at(context, setting,
                                     "%s: is empty, expected %s; leave it out to mean all targets",
                                     conf_label(setting), expected);

        scheme->targets = calloc((size_t) length, sizeof(scheme->targets[0]));
        if (!scheme->targets) {
                context->out_of_memory = true;
                return;
        }
        for (unsigned i = 0; i < (unsigned) length; i++) {
                const config_setting_t *element = config_setting_get_elem(setting, i);
                const char *name = conf_string(context, element, expected);

                if (name && conf_check_target(context, element, name))
                        scheme->targets[scheme->nr_targets++] = conf_copy(context, name);
        }
}

/* A column of a lower limit and one of an upper limit, in which "null" and 0 are no limit. */
static bool parse_column_pair(struct conf_context *context, const config_setting_t *setting,
                              const struct quantity *quantity, const char *what,
                              char *const words[static 2], struct damos_limits *ret) {
        uint64_t values[2] = {};
        bool good = true;

        for (unsigned i = 0; i < 2; i++) {
                int r = 0;

                if (strcmp(words[i], "null") != 0)
                        r = parse_border(quantity, words[i], &values[i]);
                if (r < 0) {
                        conf_error_at(context, setting,
                                      "%s %s \"%.40s\" is %s, expected %s",
                                      i == 0 ? "lowest" : "highest", what, words[i],
                                      r == -ERANGE ? "too large" : "not valid", quantity->border);
                        good = false;
                } else if (i == 1 && values[i] == 0 && strcmp(words[i], "min") != 0)
                        values[i] = UINT64_MAX;
        }
        if (!good)
                return false;

        *ret = (struct damos_limits) { values[0], values[1] };
        return check_order(context, setting, what, ret, words[0], words[1]);
}

static void scale_frequencies(struct conf_context *context, const config_setting_t *setting,
                              struct damos_limits *limits) {
        uint64_t nr = context->max_nr_accesses;
        uint64_t percent = limits->max;

        if (nr == 0)
                return;
        /* Truncated, as the first tool does. */
        limits->min = limits->min * nr / 100;
        if (percent == UINT64_MAX || percent == 0)
                return;
        limits->max = percent * nr / 100;
        if (limits->max == 0)
                conf_error_at(context, setting,
                              "highest frequency %u percent of %u checks an aggregation is less "
                              "than one check, which would be no limit, expected at least %u or "
                              "\"min\"",
                              (unsigned) percent, context->max_nr_accesses,
                              (100 + context->max_nr_accesses - 1) / context->max_nr_accesses);
}

static size_t split_words(char *text, char *ret_words[static NR_COLUMNS]) {
        char *rest = NULL, *word;
        size_t nr = 0;

        for (word = strtok_r(text, " \t\r\n", &rest); word;
             word = strtok_r(NULL, " \t\r\n", &rest), nr++)
                if (nr < NR_COLUMNS)
                        ret_words[nr] = word;
        return nr;
}

static void lower_case(char *word) {
        for (; *word != '\0'; word++)
                if (*word >= 'A' && *word <= 'Z')
                        *word = (char) (*word - 'A' + 'a');
}

void conf_parse_columns(struct conf_context *context, const config_setting_t *setting,
                        struct damos *scheme) {
        static const struct quantity sizes = {
                unit_parse_size, NULL, "a size such as 4K (units: " CONF_SIZE_UNITS
                "), null, min or max" };
        static const struct quantity frequencies = {
                parse_frequency, NULL, "a whole percentage from 0 to 99 without a sign, null, min "
                "or max" };
        static const struct quantity ages = {
                unit_parse_time, NULL, "a time such as 100ms (units: " CONF_TIME_UNITS
                "), null, min or max" };
        _cleanup_free_ char *text = conf_copy(context, config_setting_get_string(setting));
        struct damos_access_pattern *pattern = &scheme->pattern;
        char *words[NR_COLUMNS];
        size_t nr;

        if (!text)
                return;
        nr = split_words(text, words);
        if (nr != NR_COLUMNS)
                return conf_error_at(context, setting,
                                     "scheme of %zu words, expected seven: min-size max-size "
                                     "min-freq max-freq min-age max-age action", nr);

        (void) parse_column_pair(context, setting, &sizes, "size", words, &pattern->size);
        if (parse_column_pair(context, setting, &frequencies, "frequency", words + 2,
                              &pattern->nr_accesses))
                scale_frequencies(context, setting, &pattern->nr_accesses);
        (void) parse_column_pair(context, setting, &ages, "age", words + 4, &pattern->age);
        lower_case(words[6]);
        parse_action(context, setting, words[6], &scheme->action);
}
