/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The plan: what a configuration file asks for, checked and complete, and never changed
 * after it was made. The daemon works from plans only and never sees configuration text.
 */

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <damond/attrs.h>
#include <damond/scheme.h>

/**
 * struct plan_target - which processes an entry of "targets" selects
 * @name:       unique name of the entry
 * @pid:        the process with this ID, or 0
 * @comm:       glob that the command name (/proc/PID/comm) must match, or NULL
 * @exe:        glob that the path of the executable must match, or NULL
 * @cmdline:    extended regular expression that must match somewhere in the arguments, joined
 *              by spaces, or NULL
 * @cmdline_regex: the same, compiled, if @cmdline is not NULL
 * @user:       name or number of the user that the process must run as (effective), or NULL
 * @uid:        ID of that user, if @user is not NULL
 * @unit:       glob that the name of the process's systemd unit, or of the slice it is in, must
 *              match, or NULL; with its suffix
 * @cgroup:     glob that the path of the process's control group, or of one that it lies in,
 *              must match, or NULL; begins with a slash or a wildcard
 * @children:   the descendants of the selected processes are targets, too
 * @max_processes: so many processes at most are targets of the entry at a time
 *
 * At least one selector (@pid to @cgroup) is set, and a process must satisfy all that are. A
 * process that several entries select belongs to the first of them.
 */
struct plan_target {
        char *name;
        pid_t pid;
        char *comm;
        char *exe;
        char *cmdline;
        regex_t cmdline_regex;
        char *user;
        uid_t uid;
        char *unit;
        char *cgroup;
        bool children;
        uint32_t max_processes;
};

/**
 * struct plan_origin - where a setting comes from
 * @group:      structure that it is in: the plan, or an entry of its targets or schemes
 * @setting:    its name; static
 * @file:       place of the file in &plan.files
 * @line:       its line there
 */
struct plan_origin {
        const void *group;
        const char *setting;
        size_t file;
        unsigned line;
};

/**
 * struct plan - a configuration
 * @attrs:                      monitoring attributes
 * @cpu_budget:                 what all monitoring together may take of one CPU, in basis
 *                              points; 0 is no limit
 * @statistics_interval:        microseconds between statistics records of a scheme; 0 is
 *                              none
 * @record:                     absolute path of the file that snapshots of all regions are
 *                              appended to, or NULL
 * @record_size:                bytes that the file may have before a new one is begun
 * @allow_injection:            processes may be made to give advice on their own memory
 * @targets:                    @nr_targets entries, in the order of the file
 * @nr_targets:                 number of target entries
 * @nr_targets_off:             entries behind these that are switched off: only to be shown
 * @schemes:                    @nr_schemes schemes, in the order of the file; statistics 0.
 *                              Those read from 7-column strings are named "scheme-N", N
 *                              being their place in the list, from 1.
 * @nr_schemes:                 number of schemes
 * @nr_schemes_off:             schemes behind these that are switched off: only to be shown
 * @files:                      @nr_files paths of what was read, in that order, as messages show
 *                              them: the main file, and drop-ins
 * @nr_files:                   number of files
 * @origins:                    @nr_origins settings that are in one of them; others have their
 *                              defaults
 * @nr_origins:                 number of those
 * @sz_origins:                 number that there is room for
 */
struct plan {
        struct damon_attrs attrs;
        uint32_t cpu_budget;
        uint64_t statistics_interval;
        char *record;
        uint64_t record_size;
        bool allow_injection;
        struct plan_target *targets;
        size_t nr_targets;
        size_t nr_targets_off;
        struct damos *schemes;
        size_t nr_schemes;
        size_t nr_schemes_off;
        char **files;
        size_t nr_files;
        struct plan_origin *origins;
        size_t nr_origins, sz_origins;
};

/**
 * plan_free() - free a plan
 * @plan:       plan or NULL
 *
 * Return: NULL.
 */
struct plan *plan_free(struct plan *plan);

/**
 * plan_target_equal() - say whether two entries select by the same name the same processes
 * @a, @b:      entries
 */
bool plan_target_equal(const struct plan_target *a, const struct plan_target *b);

/**
 * plan_dump() - write a plan as a configuration file
 * @plan:       plan
 * @f:          where to
 *
 * Every setting is written, also those at their default, with its origin; and what is switched
 * off, too. Reading the result gives an equal plan.
 *
 * Return: 0, -ENOMEM.
 */
int plan_dump(const struct plan *plan, FILE *f);

static inline void plan_freep(struct plan **plan) {
        plan_free(*plan);
}
