/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers and writers of what controls when a scheme is applied, and how much it does; for  * Readers and writers of what controls when a scheme is applied, for &conf_key.conf_key.
 */

#include <libconfig.h>
#include <stdio.h>

#include "conf-context.h"

/** CONF_METRIC_INTERVAL_MIN - shortest interval at which metrics are read, microseconds */
#define CONF_METRIC_INTERVAL_MIN UINT64_C(100000)

/** conf_parse_apply_interval() - a time, or "aggregation", which is 0, to a uint64_t of microseconds */
void conf_parse_apply_interval(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_write_apply_interval() - the same, from a uint64_t */
void conf_write_apply_interval(const struct plan *plan, const void *from, FILE *f);

/** conf_parse_watermarks() - a group, to a struct damos_watermarks */
void conf_parse_watermarks(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_write_watermarks() - the same; nothing if there are none */
void conf_write_watermarks(const struct plan *plan, const void *from, FILE *f);

/** conf_parse_watermark_metric() - name of a metric, to an enum damos_metric */
void conf_parse_watermark_metric(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_watermark_interval() - a time that is not too short, to a uint64_t of microseconds */
void conf_parse_watermark_interval(struct conf_context *context, const config_setting_t *setting,
                                   void *to);

/** conf_parse_goals() - a list of groups, to a struct damos_quota */
void conf_parse_goals(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_write_goals() - the same, from a struct damos_quota; nothing if there are none */
void conf_write_goals(const struct plan *plan, const void *from, FILE *f);

/** conf_parse_goal_metric() - name of a metric, to a struct damos_goal */
void conf_parse_goal_metric(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_goal_file() - an absolute path, to a struct damos_goal */
void conf_parse_goal_file(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_goal_target() - what the metric that was read before is to reach, to a struct damos_goal */
void conf_parse_goal_target(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_share() - a share up to 100%, to a uint32_t of basis points */
void conf_parse_share(struct conf_context *context, const config_setting_t *setting, void *to);
