/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-values.h. */

#include "conf-values.h"

#include <limits.h>
#include <string.h>

#include "unit.h"

#define EXPECTED_INTERVAL "a time in a string, such as \"5ms\" (units: " CONF_TIME_UNITS ")"
#define EXPECTED_INTERVAL_OR_OFF \
        "a time in a string, such as \"60s\" (units: " CONF_TIME_UNITS "), or \"off\""
#define EXPECTED_BUDGET \
        "a share in a string, such as \"1%\" or \"0.5%\", with at most two decimals, or \"off\""
#define EXPECTED_NR_REGIONS "a whole number of at least 3"
#define EXPECTED_BOOL "true or false, without quotes"
#define EXPECTED_NAME "a name of 1 to 64 letters, digits and characters of \"._@:-\""

#define EXPECTED_RECORD "the absolute path of a file, such as \"/var/log/damond/record\", or \"off\""
#define EXPECTED_RECORD_SIZE \
        "a size in a string of at least \"64K\", such as \"64M\" (units: " CONF_SIZE_UNITS ")"

/* A record of some hundred regions; one that is renamed at each snapshot is of no use. */
#define RECORD_SIZE_MIN UINT64_C(65536)

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:-"

const char *conf_label(const config_setting_t *setting) {
        while (!config_setting_name(setting) && config_setting_parent(setting))
                setting = config_setting_parent(setting);
        return config_setting_name(setting);
}

static const char *type_name(const config_setting_t *setting) {
        switch (config_setting_type(setting)) {
        case CONFIG_TYPE_GROUP:
                return "a group { }";
        case CONFIG_TYPE_LIST:
                return "a list ( )";
        case CONFIG_TYPE_ARRAY:
                return "an array [ ]";
        case CONFIG_TYPE_BOOL:
                return "true or false";
        case CONFIG_TYPE_STRING:
                return "a string";
        case CONFIG_TYPE_FLOAT:
                return "a number with a fraction";
        default:
                return "a number";
        }
}

void conf_type_error(struct conf_context *context, const config_setting_t *setting,
                     const char *expected) {
        conf_error_at(context, setting, "%s: found %s, expected %s",
                      conf_label(setting), type_name(setting), expected);
}

void conf_value_error(struct conf_context *context, const config_setting_t *setting,
                      const char *text, int error, const char *expected) {
        conf_error_at(context, setting, "%s: \"%.80s\" is %s, expected %s",
                      conf_label(setting), text, error == -ERANGE ? "too large" : "not valid",
                      expected);
}

const char *conf_string(struct conf_context *context, const config_setting_t *setting,
                        const char *expected) {
        if (config_setting_type(setting) == CONFIG_TYPE_STRING)
                return config_setting_get_string(setting);
        conf_type_error(context, setting, expected);
        return NULL;
}

static void parse_interval(struct conf_context *context, const config_setting_t *setting,
                           const char *text, const char *expected, uint64_t *interval) {
        uint64_t usec;
        int r;

        r = unit_parse_time(text, &usec);
        if (r < 0)
                conf_value_error(context, setting, text, r, expected);
        else if (usec == 0)
                conf_error_at(context, setting,
                              "%s: \"%.80s\" is 0 microseconds, expected %s",
                              conf_label(setting), text, expected);
        else
                *interval = usec;
}

void conf_parse_interval(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_INTERVAL);

        if (text)
                parse_interval(context, setting, text, EXPECTED_INTERVAL, to);
}

void conf_parse_interval_or_off(struct conf_context *context, const config_setting_t *setting,
                                void *to) {
        const char *text = conf_string(context, setting, EXPECTED_INTERVAL_OR_OFF);
        uint64_t *interval = to;

        if (text && strcmp(text, "off") == 0)
                *interval = 0;
        else if (text)
                parse_interval(context, setting, text, EXPECTED_INTERVAL_OR_OFF, interval);
}

void conf_parse_record(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_RECORD);
        char **record = to;

        if (!text || strcmp(text, "off") == 0)
                return;
        if (text[0] != '/' || text[strlen(text) - 1] == '/')
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_RECORD);
        else
                *record = conf_copy(context, text);
}

void conf_parse_size_from(struct conf_context *context, const config_setting_t *setting,
                          uint64_t lowest, const char *expected, uint64_t *size) {
        const char *text = conf_string(context, setting, expected);
        uint64_t bytes;
        int r;

        if (!text)
                return;
        r = unit_parse_size(text, &bytes);
        if (r < 0)
                conf_value_error(context, setting, text, r, expected);
        else if (bytes < lowest)
                conf_error_at(context, setting, "%s: \"%.80s\" is too small, expected %s",
                              conf_label(setting), text, expected);
        else
                *size = bytes;
}

void conf_parse_record_size(struct conf_context *context, const config_setting_t *setting, void *to) {
        conf_parse_size_from(context, setting, RECORD_SIZE_MIN, EXPECTED_RECORD_SIZE, to);
}

void conf_parse_budget(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_BUDGET);
        uint32_t *budget = to, share = 0;
        int r;

        if (!text)
                return;
        if (strcmp(text, "off") == 0) {
                *budget = 0;
                return;
        }

        r = unit_parse_percent(text, &share);
        if (r < 0)
                conf_value_error(context, setting, text, r, EXPECTED_BUDGET);
        else if (share == 0)
                conf_error_at(context, setting, "%s: \"%.80s\" leaves no time to monitor, expected "
                              "a share above 0%%; use \"off\" for no limit", conf_label(setting),
                              text);
        else if (share > 10000)
                conf_error_at(context, setting, "%s: \"%.80s\" is more than one CPU, expected at "
                              "most \"100%%\"; use \"off\" for no limit", conf_label(setting), text);
        else
                *budget = share;
}

bool conf_integer(struct conf_context *context, const config_setting_t *setting, int lowest,
                  int highest, const char *expected, int *ret) {
        const struct conf_file *file = conf_file_of(setting);
        int value;

        if (config_setting_type(setting) != CONFIG_TYPE_INT &&
            config_setting_type(setting) != CONFIG_TYPE_INT64) {
                conf_type_error(context, setting, expected);
                return false;
        }
        for (size_t i = 0; i < file->nr_wide_lines; i++)
                if (file->wide_lines[i] == config_setting_source_line(setting))
                        return false;

        value = (int) config_setting_get_int64(setting);
        if (value < lowest || value > highest) {
                conf_error_at(context, setting, "%s: %d is too %s, expected %s",
                              conf_label(setting), value, value < lowest ? "small" : "large",
                              expected);
                return false;
        }
        *ret = value;
        return true;
}

void conf_parse_nr_regions(struct conf_context *context, const config_setting_t *setting,
                           void *to) {
        uint32_t *nr_regions = to;
        int value;

        if (conf_integer(context, setting, DAMON_MIN_REGIONS_FLOOR, INT_MAX, EXPECTED_NR_REGIONS,
                         &value))
                *nr_regions = (uint32_t) value;
}

void conf_parse_bool(struct conf_context *context, const config_setting_t *setting, void *to) {
        bool *value = to;

        if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
                *value = config_setting_get_bool(setting);
        else
                conf_type_error(context, setting, EXPECTED_BOOL);
}

bool conf_is_name(const char *text) {
        size_t length = strlen(text);

        return length > 0 && length <= CONF_NAME_MAX && strspn(text, NAME_CHARACTERS) == length;
}

void conf_parse_name(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_NAME);
        char **name = to;

        if (!text)
                return;
        if (!conf_is_name(text))
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_NAME);
        else
                *name = conf_copy(context, text);
}
