/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers of what only targets have. All are for &conf_key.parse.
 */

#include <libconfig.h>

#include "conf-context.h"

/** conf_parse_pid() - a process ID above 1, to a pid_t */
void conf_parse_pid(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_comm() - a pattern for a command name, to a char * that the caller owns */
void conf_parse_comm(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_exe() - a pattern for the path of an executable, to a char * likewise */
void conf_parse_exe(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_cmdline() - a regular expression for arguments, to a struct plan_target */
void conf_parse_cmdline(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_user() - name or number of a user, to a struct plan_target */
void conf_parse_user(struct conf_context *context, const config_setting_t *setting, void *to);

/**
 * conf_parse_unit() - a pattern for the name of a unit, to a char * that the caller owns
 *
 * A name without a suffix is that of a service, as in systemctl(1).
 */
void conf_parse_unit(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_cgroup() - a pattern for the path of a control group, to a char * likewise */
void conf_parse_cgroup(struct conf_context *context, const config_setting_t *setting, void *to);

/** conf_parse_max_processes() - a number of processes, to a uint32_t */
void conf_parse_max_processes(struct conf_context *context, const config_setting_t *setting,
                              void *to);
