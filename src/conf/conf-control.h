/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers and writers of what controls when a scheme is applied, for &conf_key.
 */

#include <libconfig.h>
#include <stdio.h>

#include "conf-context.h"

/** conf_parse_apply_interval() - a time, or "aggregation", which is 0, to a uint64_t of microseconds */
void conf_parse_apply_interval(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_write_apply_interval() - the same, from a uint64_t */
void conf_write_apply_interval(const struct plan *plan, const void *from, FILE *f);
