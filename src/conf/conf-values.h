/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers of values: each checks one setting and stores it, or reports what is wrong. Those
 * whose last argument is void are for &conf_key.parse.
 */

#include <libconfig.h>

#include "conf-context.h"

/** CONF_NAME_MAX - longest name of a target or scheme */
#define CONF_NAME_MAX 64

/** CONF_TIME_UNITS, CONF_SIZE_UNITS - units that messages name, see unit.h */
#define CONF_TIME_UNITS "us, ms, s, m, h, d"
#define CONF_SIZE_UNITS "B, K, M, G, T, P"

/**
 * conf_label() - name to call a setting by in messages
 * @setting:    setting
 *
 * Return: its own name, or that of the list it is in.
 */
const char *conf_label(const config_setting_t *setting);

/**
 * conf_type_error() - report a value of the wrong type
 * @context:    context
 * @setting:    setting
 * @expected:   what was expected
 */
void conf_type_error(struct conf_context *context, const config_setting_t *setting,
                     const char *expected);

/**
 * conf_value_error() - report a string that could not be read
 * @context:    context
 * @setting:    setting
 * @text:       the string, or the part that is wrong
 * @error:      negative errno: -ERANGE if the value is too large, else it makes no sense
 * @expected:   what was expected
 */
void conf_value_error(struct conf_context *context, const config_setting_t *setting,
                      const char *text, int error, const char *expected);

/**
 * conf_string() - string of a setting
 * @context:    context
 * @setting:    setting
 * @expected:   what is expected, if it is something else
 *
 * Return: the string, borrowed; or NULL, reported.
 */
const char *conf_string(struct conf_context *context, const config_setting_t *setting,
                        const char *expected);

/**
 * conf_integer() - whole number of a setting
 * @context:    context
 * @setting:    setting
 * @lowest:     lowest number that is right
 * @highest:    highest number that is right
 * @expected:   what is expected, if it is something else
 * @ret:        set to the number
 *
 * Return: whether there is such a number; if not, it is reported.
 */
bool conf_integer(struct conf_context *context, const config_setting_t *setting, int lowest,
                  int highest, const char *expected, int *ret);

/**
 * conf_parse_size_from() - a size that is not too small
 * @context:    context
 * @setting:    setting
 * @lowest:     smallest size that is right
 * @expected:   what is expected, if it is something else
 * @size:       set to the bytes, if that is right
 */
void conf_parse_size_from(struct conf_context *context, const config_setting_t *setting,
                          uint64_t lowest, const char *expected, uint64_t *size);

/** conf_parse_bool() - true or false, to a bool */
void conf_parse_bool(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_interval() - a time above 0, to a uint64_t of microseconds */
void conf_parse_interval(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_interval_or_off() - the same, or "off", which is 0 */
void conf_parse_interval_or_off(struct conf_context *context, const config_setting_t *setting,
                                void *to);

/** conf_parse_record() - an absolute path, or "off", which is NULL, to a char * that the caller owns */
void conf_parse_record(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_record_size() - a size that holds a few snapshots, to a uint64_t of bytes */
void conf_parse_record_size(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_budget() - a share above 0% and up to 100%, or "off", to a uint32_t */
void conf_parse_budget(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_nr_regions() - a number of regions, to a uint32_t */
void conf_parse_nr_regions(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_is_name() - say whether a text may be the name of a target or scheme */
bool conf_is_name(const char *text);

/** conf_parse_name() - a name, to a char * that the caller owns */
void conf_parse_name(struct conf_context *context, const config_setting_t *setting, void *to);
