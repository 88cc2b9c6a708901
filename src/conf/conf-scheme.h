/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers of what only schemes have. All are for &conf_key.parse, but the one of a scheme in
 * seven columns.
 */

#include <libconfig.h>

#include "conf-context.h"

/** conf_parse_action() - name of an action that is possible and allowed, to an enum damos_action */
void conf_parse_action(struct conf_context *context, const config_setting_t *setting, void *to);

/**
 * conf_check_target() - report a name that no target entry has
 * @context:    context
 * @setting:    setting that has the name
 * @name:       the name
 *
 * Return: whether there is such an entry.
 */
bool conf_check_target(struct conf_context *context, const config_setting_t *setting, const char *name);

/** conf_parse_scheme_targets() - names of target entries, to a struct damos */
void conf_parse_scheme_targets(struct conf_context *context, const config_setting_t *setting,
                               void *to);

/** conf_parse_size_range() - two sizes, to a struct damos_limits */
void conf_parse_size_range(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_age_range() - two times, to a struct damos_limits */
void conf_parse_age_range(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_quota_size() - a size of a page at least, to a uint64_t of bytes */
void conf_parse_quota_size(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_returned_within() - a time, to a struct damos */
void conf_parse_returned_within(struct conf_context *context, const config_setting_t *setting,
                                void *to);

/** conf_parse_guard() - true or false, to a struct damos */
void conf_parse_guard(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_weight() - a whole number, to a uint32_t */
void conf_parse_weight(struct conf_context *context, const config_setting_t *setting, void *to);

/**
 * conf_parse_nr_accesses_range() - two shares, to a struct damos_limits
 *
 * The share of the checks becomes a number of checks; inwards, so that no frequency matches
 * that is outside of what was written.
 */
void conf_parse_nr_accesses_range(struct conf_context *context, const config_setting_t *setting,
                                  void *to);

/**
 * conf_parse_columns() - read "min-size max-size min-freq max-freq min-age max-age action"
 * @context:    context
 * @setting:    the string
 * @scheme:     receives pattern and action
 *
 * The text format of DAMON's first user space tool (_convert_damos.py in "[RFC v9 0/8]
 * Implement Data Access Monitoring-based Memory Operation Schemes"), and the words "min" and
 * "max" that it learned later.
 */
void conf_parse_columns(struct conf_context *context, const config_setting_t *setting,
                        struct damos *scheme);
