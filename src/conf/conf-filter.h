/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers of what only filters have, and the writer of all of it. All are for &conf_key.
 */

#include <libconfig.h>
#include <stdio.h>

#include "conf-context.h"

/** conf_parse_filters() - a list of filters, to a struct damos_filters that the caller owns */
void conf_parse_filters(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_filter_type() - name of a type, to an enum damos_filter_type */
void conf_parse_filter_type(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_address() - address of a page, to a uint64_t */
void conf_parse_address(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_filter_sizes() - two sizes, to a struct damos_filter */
void conf_parse_filter_sizes(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_filter_target() - name of a target entry, to a char * that the caller owns */
void conf_parse_filter_target(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_filter_memcg() - a pattern for the path of a control group, to a char * likewise */
void conf_parse_filter_memcg(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_filter_mapping() - a pattern for the name of a mapping, to a char * likewise */
void conf_parse_filter_mapping(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_write_filters() - a struct damos_filters; nothing if there are none */
void conf_write_filters(const struct plan *plan, const void *from, FILE *f);
