/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Writers of values, for &conf_key.write: each writes a value such that it is read as the same,
 * or nothing if there is none.
 */

#include <stdio.h>

struct plan;

/** conf_write_interval() - microseconds, from a uint64_t */
void conf_write_interval(const struct plan *plan, const void *from, FILE *f);

/** conf_write_interval_or_off() - the same, 0 being "off" */
void conf_write_interval_or_off(const struct plan *plan, const void *from, FILE *f);

/** conf_write_size() - bytes, from a uint64_t */
void conf_write_size(const struct plan *plan, const void *from, FILE *f);

/** conf_write_budget() - basis points, from a uint32_t; 0 is "off" */
void conf_write_budget(const struct plan *plan, const void *from, FILE *f);

/** conf_write_number() - a uint32_t */
void conf_write_number(const struct plan *plan, const void *from, FILE *f);

/** conf_write_bool() - a bool */
void conf_write_bool(const struct plan *plan, const void *from, FILE *f);

/** conf_write_pid() - a pid_t; 0 is none */
void conf_write_pid(const struct plan *plan, const void *from, FILE *f);

/** conf_write_string() - a char *; NULL is none */
void conf_write_string(const struct plan *plan, const void *from, FILE *f);

/** conf_write_string_or_off() - a char *; NULL is "off" */
void conf_write_string_or_off(const struct plan *plan, const void *from, FILE *f);

/** conf_write_cmdline() - the regular expression of a struct plan_target; NULL is none */
void conf_write_cmdline(const struct plan *plan, const void *from, FILE *f);

/** conf_write_user() - the user of a struct plan_target; NULL is none */
void conf_write_user(const struct plan *plan, const void *from, FILE *f);

/** conf_write_action() - an enum damos_action */
void conf_write_action(const struct plan *plan, const void *from, FILE *f);

/** conf_write_scheme_targets() - the names in a struct damos */
void conf_write_scheme_targets(const struct plan *plan, const void *from, FILE *f);

/** conf_write_quota() - a struct damos_quota; nothing if there is no limit */
void conf_write_quota(const struct plan *plan, const void *from, FILE *f);

/** conf_write_size_range() - a struct damos_limits of bytes */
void conf_write_size_range(const struct plan *plan, const void *from, FILE *f);

/** conf_write_age_range() - a struct damos_limits of microseconds */
void conf_write_age_range(const struct plan *plan, const void *from, FILE *f);

/** conf_write_nr_accesses_range() - a struct damos_limits of checks, as shares */
void conf_write_nr_accesses_range(const struct plan *plan, const void *from, FILE *f);

/** conf_write_returned_within() - that of a struct damos, if it pages out */
void conf_write_returned_within(const struct plan *plan, const void *from, FILE *f);

/** conf_write_guard() - that of a struct damos, if it pages out */
void conf_write_guard(const struct plan *plan, const void *from, FILE *f);
