/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The manager: the daemon as one object. It owns the event loop, the plan in force, the
 * engine and the targets that were found, and turns time and signals into engine steps,
 * reloads and statistics.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include <damond/engine.h>

#include "governor.h"
#include "match.h"
#include "page-idle.h"
#include "plan.h"
#include "process.h"
#include "record.h"
#include "rng.h"

/**
 * struct attached - a target that is monitored, and the watch for its exit
 * @target:     target; owned by the engine
 * @exit:       event source on its pidfd; owned
 * @inherited:  it belongs to its entry because its parent did, not by properties of its own
 */
struct attached {
        struct damon_target *target;
        sd_event_source *exit;
        bool inherited;
};

/**
 * struct target_log - how many targets came and went of late
 * @since:      when counting began, CLOCK_MONOTONIC, microseconds
 * @nr:         how many since then
 */
struct target_log {
        uint64_t since;
        size_t nr;
};

/**
 * struct scheme_log - what the log says of a scheme
 * @stat:       its statistics
 * @matching:   what matched at the last aggregation
 * @guard:      why it is held back
 */
struct scheme_log {
        struct damos_stat stat;
        struct damos_part matching;
        enum damos_guard_reason guard;
};

/** STATUS_MAX - bytes of a status line with its NUL */
#define STATUS_MAX 512

/**
 * struct told - what people were told of how things are
 * @status:     status line
 * @status_at:  when it was last composed, CLOCK_MONOTONIC, microseconds,
 * @status_cpu: and the CPU time of monitoring until then, nanoseconds
 * @refusal:    what became of the last reload, if it was refused, for the status line, or NULL;
 *              owned
 * @binds:      whether the budget binds, by the log
 * @binds_at:   when; 0 is never
 * @behind:     whether damond keeps up with its sample interval, by the log
 * @behind_at:  when that was last reckoned,
 * @behind_passed: and the sample intervals that had passed by then,
 * @behind_missed: those without a check among them
 */
struct told {
        char status[STATUS_MAX];
        uint64_t status_at;
        uint64_t status_cpu;
        char *refusal;
        bool binds;
        uint64_t binds_at;
        bool behind;
        uint64_t behind_at;
        uint64_t behind_passed;
        uint64_t behind_missed;
};

/**
 * struct manager - the daemon
 * @config_path:        configuration file; borrowed
 * @dry_run:            nothing is ever acted on
 * @plan:               the plan in force
 * @event:              event loop
 * @tick:               timer of the next engine step; off while there are no targets, or @asleep
 * @scan:               timer of the next look for processes
 * @statistics:         timer of the next statistics records
 * @adjust:             timer of the next look at what the schemes are adjusted to
 * @watchdog:           timer of the next word to the service manager that all is well, or NULL
 * @watchdog_usec:      time after which it takes damond for stuck without one, microseconds
 * @page_idle:          operations
 * @engine:             engine
 * @rng:                dice of the engine
 * @governor:           CPU budget
 * @record:             file that snapshots are appended to
 * @matcher:            which process belongs to which entry of the plan
 * @attached:           @nr_attached monitored targets
 * @grid:               time up to which sample intervals have been given to the engine,
 *                      CLOCK_MONOTONIC, microseconds
 * @marked_at:          when the last step ended,
 * @tick_at:            and when the next one is due, CLOCK_MONOTONIC, microseconds
 * @pressure_at:        when the pressure of the machine was read last, CLOCK_MONOTONIC, microseconds
 * @asleep:             all schemes sleep: there are no ticks, and no looks for processes
 * @scanned_at:         when there was a look for processes last,
 * @scan_debt:          and how long its share of the budget takes to pay what it took
 * @charged_at:         when the governor was last charged,
 * @charged_cpu:        and the CPU time of monitoring until then, nanoseconds
 * @nr_samples:         samples checked since the start
 * @nr_unknown:         those whose outcome was unknown
 * @nr_passed:          sample intervals that went by while there were targets,
 * @nr_missed:          those of them without a check
 * @told:               what was said of how things are
 * @recorded_at:        when statistics of monitoring were last logged,
 * @recorded_cpu:       and the CPU time of monitoring until then, nanoseconds
 * @target_log:         keeps the log of targets from growing without end
 * @logged:             of each of the engine's schemes, what was last logged
 * @logged_huge:        the same of actions on huge pages
 */
struct manager {
        const char *config_path;
        bool dry_run;
        struct plan *plan;

        sd_event *event;
        sd_event_source *tick;
        sd_event_source *scan;
        sd_event_source *statistics;
        sd_event_source *adjust;
        sd_event_source *watchdog;
        uint64_t watchdog_usec;

        struct page_idle *page_idle;
        struct damon_engine *engine;
        struct rng rng;
        struct governor governor;
        struct record record;
        struct matcher matcher;
        struct attached *attached;
        size_t nr_attached, sz_attached;

        uint64_t grid;
        uint64_t marked_at;
        uint64_t tick_at;
        uint64_t pressure_at;
        bool asleep;
        uint64_t scanned_at;
        uint64_t scan_debt;
        uint64_t charged_at;
        uint64_t charged_cpu;
        uint64_t nr_samples;
        uint64_t nr_unknown;
        uint64_t nr_passed;
        uint64_t nr_missed;

        struct told told;
        uint64_t recorded_at;
        uint64_t recorded_cpu;
        struct target_log target_log;
        struct scheme_log *logged;
        struct huge_stat logged_huge;
};

/**
 * manager_new() - set up the daemon
 * @ret_manager:        set to the manager, owned by the caller
 * @config_path:        configuration file, read again at a reload; borrowed
 * @plan:               plan to begin with; owned by the manager if this succeeds
 * @files:              the kernel's files; borrowed, must outlive the manager
 * @dry_run:            do everything but act
 *
 * Return: 0 or a negative errno.
 */
int manager_new(struct manager **ret_manager, const char *config_path, struct plan *plan,
                const struct page_idle_files *files, bool dry_run);

/**
 * manager_free() - take the daemon down
 * @manager:    manager or NULL
 *
 * Return: NULL.
 */
struct manager *manager_free(struct manager *manager);

/**
 * manager_run() - run until told to stop
 * @manager:    manager
 *
 * Return: 0 after SIGTERM or SIGINT, or a negative errno, which has been logged.
 */
int manager_run(struct manager *manager);

/**
 * manager_reload() - read the configuration again, and go over to it if it is right
 * @manager:    manager
 *
 * What did not change goes on undisturbed. If anything is wrong, the log says so and the plan
 * in force stays.
 */
void manager_reload(struct manager *manager);

/**
 * manager_schedule_scan() - set the timer of the next look for targets
 * @manager:    manager
 * @interval:   when, from now, microseconds
 *
 * Return: 0 or a negative errno.
 */
int manager_schedule_scan(struct manager *manager, uint64_t interval);

/**
 * manager_start_ticking() - begin to sample, if a target was the first one
 * @manager:    manager
 *
 * Return: 0 or a negative errno.
 */
int manager_start_ticking(struct manager *manager);

/**
 * manager_set_asleep() - stop monitoring as all schemes sleep, or go on with it
 * @manager:    manager
 * @asleep:     whether all schemes sleep
 *
 * Return: 0 or a negative errno.
 */
int manager_set_asleep(struct manager *manager, bool asleep);

/**
 * manager_apply_attrs() - give the plan's attributes to governor and engine
 * @manager:    manager
 *
 * Return: 0 or a negative errno.
 */
int manager_apply_attrs(struct manager *manager);

/**
 * manager_monitoring_time() - CPU time that monitoring has taken
 * @manager:    manager
 *
 * Return: nanoseconds since the start; all the daemon does but for actions.
 */
uint64_t manager_monitoring_time(const struct manager *manager);

/**
 * manager_now() - read the clock that all of the daemon goes by
 *
 * Return: CLOCK_MONOTONIC, microseconds.
 */
uint64_t manager_now(void);

/* targets.c */

/**
 * targets_scan() - let go of processes that are not selected any more, and take hold of those that are
 * @manager:    manager
 */
void targets_scan(struct manager *manager);

/**
 * targets_drop_gone() - let go of the targets whose address space the operations found ended
 * @manager:    manager
 *
 * It ended by exit, or because the process has executed another program; it then may be selected
 * again.
 */
void targets_drop_gone(struct manager *manager);

/* adjust.c */

/**
 * adjust_schemes() - let schemes sleep or wake by the state of the machine, where that is due, and log it
 * @manager:    manager
 *
 * Sets the timer of the next time. Must be called when the engine's schemes were set.
 *
 * Return: 0 or a negative errno.
 */
int adjust_schemes(struct manager *manager);

/** ADJUST_REASON_MAX - bytes that hold what adjust_sleep_reason() says */
#define ADJUST_REASON_MAX 160

/**
 * adjust_sleep_reason() - say in words why a scheme would sleep now, by its watermarks
 * @manager:    manager that never adjusts its schemes otherwise
 * @i:          number of the scheme
 * @buf:        %ADJUST_REASON_MAX bytes
 *
 * Return: @buf, or NULL if it would not.
 */
const char *adjust_sleep_reason(struct manager *manager, size_t i, char buf[static ADJUST_REASON_MAX]);

/* status.c */

/**
 * status_notify() - tell the service manager in one line how things are
 * @manager:    manager
 */
void status_notify(struct manager *manager);

/**
 * status_tell() - tell what is news, now and then: the status line to the service manager, and to the
 * log that the budget binds or that damond does not keep up
 * @manager:    manager
 */
void status_tell(struct manager *manager);

/**
 * status_set_refusal() - take note of what became of a reload
 * @manager:    manager
 * @refusal:    why it was refused, owned by the manager; or NULL if it was not
 */
void status_set_refusal(struct manager *manager, char *refusal);

/** STATUS_FILES_MAX - bytes that hold what status_files() says of files with paths of usual length */
#define STATUS_FILES_MAX 256

/**
 * status_files() - name the files that the plan in force was read from
 * @manager:    manager
 * @buf:        %STATUS_FILES_MAX bytes
 *
 * Return: @buf: "/etc/damond.conf and 2 drop-ins".
 */
const char *status_files(const struct manager *manager, char buf[static STATUS_FILES_MAX]);

/* statistics.c */

/**
 * statistics_arm() - set the timer of the statistics records
 * @manager:    manager
 *
 * Return: 0 or a negative errno.
 */
int statistics_arm(struct manager *manager);

/**
 * statistics_follow() - take note of the engine's schemes, after they were set
 * @manager:    manager
 * @logged:     room for what is logged of each of them; owned by the manager
 */
void statistics_follow(struct manager *manager, struct scheme_log *logged);

/**
 * statistics_log() - log a record for each scheme whose statistics, or what it matches, have changed
 * @manager:    manager
 */
void statistics_log(struct manager *manager);

/**
 * statistics_dry_run() - say whether a scheme acts on nothing
 * @manager:    manager
 * @scheme:     one of its schemes
 */
bool statistics_dry_run(const struct manager *manager, const struct damos *scheme);

/** STATISTICS_RESOLUTION_MAX - bytes that hold what statistics_resolution() says */
#define STATISTICS_RESOLUTION_MAX 256

/**
 * statistics_resolution() - say in words what resolution the budget leaves
 * @manager:    manager
 * @buf:        %STATISTICS_RESOLUTION_MAX bytes
 *
 * Return: @buf: "; sampling one in 4 regions every 120ms instead of 5ms, ...", or an empty string
 * if all is as configured or nothing is monitored.
 */
const char *statistics_resolution(const struct manager *manager,
                                  char buf[static STATISTICS_RESOLUTION_MAX]);

/**
 * statistics_log_budget() - log that the budget binds, or does not bind any more
 * @manager:    manager
 */
void statistics_log_budget(const struct manager *manager);

/* outcome.c */

/**
 * struct outcome_text - an outcome in words and numbers
 * @fields:     fields of a journal record, ended by NULL; point to @buf
 * @buf:        what they hold
 * @numbers:    for a snapshot: " sz_moved=N sz_returned=N sz_refused_shared=N ..."
 * @words:      for people: ", moved 1.2G, of which 3M came back, ...", if anything is known
 */
struct outcome_text {
        const char *fields[2 + _DAMOS_REFUSAL_MAX + 1];
        char buf[2 + _DAMOS_REFUSAL_MAX][64];
        char numbers[512];
        char words[256];
};

/**
 * outcome_format() - write an outcome
 * @outcome:    outcome
 * @ret_text:   set to the text
 */
void outcome_format(const struct damos_outcome *outcome, struct outcome_text *ret_text);

/**
 * outcome_look() - tell the engine how the machine fares, and the log which schemes are held back
 * @manager:    manager
 */
void outcome_look(struct manager *manager);

/* snapshot.c */

/**
 * snapshot_log() - log what is known at this moment: targets, regions, schemes
 * @manager:    manager
 *
 * Regions are left out where standard error is the journal.
 */
void snapshot_log(const struct manager *manager);

/**
 * snapshot_record() - append what is known at this moment to the record, if one is configured
 * @manager:    manager
 *
 * Logs when the record cannot be written any more, and when it can again.
 */
void snapshot_record(struct manager *manager);
