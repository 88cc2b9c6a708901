/* SPDX-License-Identifier: GPL-2.0-only */
/* The manager: see manager.h. on_tick() is a sampling tick from top to bottom. */

#include "manager.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "text.h"
#include "unit.h"

/* Share of the CPU budget that looking for processes, and taking hold of them, may take. */
#define SCAN_SHARE 2

/* Looks may be ahead of that by what such a time affords: many processes may come at once. */
#define SCAN_ADVANCE (4 * USEC_PER_SEC)

/* Times that the service manager is told, in the time that it waits for it, that all is well. */
#define WATCHDOG_SHARE 4

uint64_t manager_now(void) {
        return clock_ns(CLOCK_MONOTONIC) / NSEC_PER_USEC;
}

uint64_t manager_monitoring_time(const struct manager *manager) {
        return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - page_idle_action_time(manager->page_idle);
}

static void charge_governor(struct manager *manager, const struct governor_step *step) {
        uint64_t now = manager_now(), cpu = manager_monitoring_time(manager);

        governor_charge(&manager->governor, cpu - manager->charged_cpu, now - manager->charged_at, step);
        manager->charged_cpu = cpu;
        manager->charged_at = now;
}

/* Give the engine the attributes that the budget affords. */
static int tune_attrs(struct manager *manager, bool aggregated) {
        const struct damon_attrs *attrs = &manager->governor.attrs;
        char sample[UNIT_STRING_MAX], update[UNIT_STRING_MAX];
        struct damon_target *const *targets;
        size_t nr;

        targets = damon_engine_targets(manager->engine, &nr);
        if (!governor_tune(&manager->governor, targets, nr, aggregated))
                return 0;
        log_debug("sample interval %s, update interval %s, up to %" PRIu32 " regions a target",
                  unit_format_time(sample, attrs->sample_interval),
                  unit_format_time(update, attrs->update_interval), attrs->max_regions);
        return damon_engine_set_attrs(manager->engine, attrs);
}

int manager_apply_attrs(struct manager *manager) {
        const struct damon_attrs *attrs = &manager->plan->attrs;

        governor_init(&manager->governor, manager->plan->cpu_budget, attrs);
        return damon_engine_set_attrs(manager->engine, attrs);
}

/*
 * Set the timer of the next step. Intervals lie on a grid; those that this step has used up
 * by itself are passed over, never made up for, and half an interval at least is left for the
 * target to show what it accesses. A step that the budget holds back comes as soon as it may, so
 * that an aggregation has somewhat fewer checks rather than half of them.
 */
static int schedule_tick(struct manager *manager) {
        uint64_t interval = damon_engine_attrs(manager->engine)->sample_interval, now = manager_now();
        uint64_t earliest = now + interval / 2;
        uint64_t next = manager->grid + interval;
        int r;

        if (next < earliest)
                next += (earliest - next + interval - 1) / interval * interval;
        next = MAX(next, now + governor_delay(&manager->governor));
        manager->tick_at = next;
        r = sd_event_source_set_time(manager->tick, next);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(manager->tick, SD_EVENT_ONESHOT);
}

static int resume_ticking(struct manager *manager) {
        charge_governor(manager, NULL);
        governor_resume(&manager->governor);
        manager->grid = manager_now();
        manager->marked_at = manager->grid;
        return schedule_tick(manager);
}

/* Without targets there is nothing to sample; the first one starts the ticks again. */
int manager_start_ticking(struct manager *manager) {
        int enabled, r;

        r = sd_event_source_get_enabled(manager->tick, &enabled);
        /* between two ticks of others the timer is off, too */
        if (r < 0 || enabled != SD_EVENT_OFF || manager->nr_attached > 1 || manager->asleep)
                return r;
        return resume_ticking(manager);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        struct manager *manager = userdata;
        uint64_t interval = damon_engine_attrs(manager->engine)->sample_interval;
        uint64_t now = manager_now();
        uint64_t nr_passed = now > manager->grid ? MAX((now - manager->grid) / interval, UINT64_C(1)) : 1;
        bool stale = now - manager->marked_at > 2 * interval;
        uint64_t update_cpu = page_idle_update_time(manager->page_idle);
        struct governor_step paid;
        struct damon_step step;
        int r;

        r = damon_engine_step(manager->engine, nr_passed, stale, &step);
        if (r < 0) {
                log_error(DAMOND_MESSAGE_FAILED, "monitoring failed: %s", strerror(-r));
                return r;
        }
        manager->grid += nr_passed * interval;
        manager->nr_passed += nr_passed;
        manager->nr_missed += nr_passed - 1;
        manager->nr_samples += step.nr_checked;
        manager->nr_unknown += step.nr_unknown;
        manager->marked_at = manager_now();
        if (step.aggregated) {
                snapshot_record(manager);
                outcome_look(manager);
        }

        paid = (struct governor_step) {
                .nr_samples = step.nr_checked + step.nr_marked,
                .update_cpu = page_idle_update_time(manager->page_idle) - update_cpu,
                .aggregated = step.aggregated,
        };
        charge_governor(manager, &paid);
        if (step.nr_gone > 0)
                targets_drop_gone(manager);
        if (step.aggregated || governor_delay(&manager->governor) > interval) {
                r = tune_attrs(manager, step.aggregated);
                if (r < 0)
                        return r;
                status_tell(manager);
        }
        return manager->nr_attached > 0 ? schedule_tick(manager) : 0;
}

int manager_schedule_scan(struct manager *manager, uint64_t interval) {
        int r;

        if (manager->asleep)
                return 0;
        r = sd_event_source_set_time_relative(manager->scan, interval);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(manager->scan, SD_EVENT_ONESHOT);
}

int manager_set_asleep(struct manager *manager, bool asleep) {
        int r;

        if (asleep == manager->asleep)
                return 0;
        manager->asleep = asleep;
        if (asleep) {
                r = sd_event_source_set_enabled(manager->tick, SD_EVENT_OFF);
                return r < 0 ? r : sd_event_source_set_enabled(manager->scan, SD_EVENT_OFF);
        }
        if (manager->nr_attached > 0 && (r = resume_ticking(manager)) < 0)
                return r;
        return manager_schedule_scan(manager, 0);
}

/* Time to the next look for processes: not so soon that the looking would eat up the budget. */
static uint64_t scan_interval(struct manager *manager, uint64_t cost) {
        uint64_t now = manager_now(), elapsed = now - manager->scanned_at;

        manager->scanned_at = now;
        if (manager->plan->cpu_budget == 0)
                return manager->plan->attrs.update_interval;
        manager->scan_debt -= MIN(manager->scan_debt, elapsed);
        manager->scan_debt += cost / NSEC_PER_USEC * 10000 * SCAN_SHARE / manager->plan->cpu_budget;
        return MAX(manager->plan->attrs.update_interval,
                   manager->scan_debt - MIN(manager->scan_debt, SCAN_ADVANCE));
}

/* A look for processes. If there is nothing to look for, a reload goes on with it. */
static int on_scan(sd_event_source *source, uint64_t usec, void *userdata) {
        struct manager *manager = userdata;
        uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), cost;

        if (manager->plan->nr_targets == 0)
                return 0;
        targets_scan(manager);
        status_tell(manager);
        charge_governor(manager, NULL);
        cost = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
        return manager_schedule_scan(manager, scan_interval(manager, cost));
}

/*
 * The loop runs, or this would not be called. But monitoring is what damond is for: if there is
 * something to monitor, and no tick comes, the service manager shall start it anew.
 */
static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
        struct manager *manager = userdata;
        int r;

        if (manager->nr_attached == 0 || manager->asleep || manager_now() < manager->tick_at + manager->watchdog_usec / 2)
                (void) sd_notify(false, "WATCHDOG=1");
        r = sd_event_source_set_time_relative(source, manager->watchdog_usec / WATCHDOG_SHARE);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        manager_reload(userdata);
        return 0;
}

static int on_user1(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        snapshot_record(userdata);
        snapshot_log(userdata);
        return 0;
}

static int add_signal(struct manager *manager, int signal, sd_event_signal_handler_t handler) {
        return sd_event_add_signal(manager->event, NULL, signal | SD_EVENT_SIGNAL_PROCMASK, handler,
                                   manager);
}

static int set_up_events(struct manager *manager) {
        int r;

        if ((r = sd_event_new(&manager->event)) < 0 ||
            (r = sd_event_set_signal_exit(manager->event, true)) < 0 ||
            /* the default accuracy of 250 ms would make bursts of the ticks */
            (r = sd_event_add_time(manager->event, &manager->tick, CLOCK_MONOTONIC, 0, 1, on_tick,
                                   manager)) < 0 ||
            (r = sd_event_source_set_enabled(manager->tick, SD_EVENT_OFF)) < 0 ||
            (r = sd_event_source_set_exit_on_failure(manager->tick, true)) < 0 ||
            (r = sd_event_add_time_relative(manager->event, &manager->scan, CLOCK_MONOTONIC, 0,
                                            100 * USEC_PER_MSEC, on_scan, manager)) < 0 ||
            (r = sd_watchdog_enabled(false, &manager->watchdog_usec)) < 0)
                return r;
        if (r > 0 && (r = sd_event_add_time_relative(manager->event, &manager->watchdog, CLOCK_MONOTONIC, 0,
                                                     manager->watchdog_usec / 20, on_watchdog, manager)) < 0)
                return r;
        (void) sd_event_source_set_description(manager->tick, "tick");
        (void) sd_event_source_set_description(manager->scan, "scan");
        return 0;
}

int manager_new(struct manager **ret_manager, const char *config_path, struct plan *plan,
                const struct page_idle_files *files, bool dry_run) {
        struct manager *manager = calloc(1, sizeof(*manager));
        const struct damon_ops *ops;
        struct binding *bindings;
        struct scheme_log *logged;
        struct damon_env env;
        int r;

        if (!manager)
                return -ENOMEM;
        manager->config_path = config_path;
        manager->dry_run = dry_run;
        manager->rng.state = clock_ns(CLOCK_REALTIME);
        manager->matcher.proc_fd = files->proc_fd;
        record_init(&manager->record);
        env = (struct damon_env) { .random = rng_below, .userdata = &manager->rng };

        if ((r = page_idle_new(&manager->page_idle, &ops, files, dry_run)) < 0 ||
            (r = damon_engine_new(&manager->engine, &plan->attrs, ops, manager->page_idle, &env)) < 0 ||
            (r = damon_engine_set_schemes(manager->engine, plan->schemes, plan->nr_schemes)) < 0) {
                manager_free(manager);
                return r;
        }
        bindings = matcher_prepare(&manager->matcher, plan);
        logged = calloc(plan->nr_schemes + 1, sizeof(*logged));
        if (!bindings || !logged) {
                free(bindings);
                free(logged);
                manager_free(manager);
                return -ENOMEM;
        }
        matcher_take(&manager->matcher, plan, bindings);
        statistics_follow(manager, logged);
        manager->plan = plan;
        governor_init(&manager->governor, plan->cpu_budget, &plan->attrs);
        manager->recorded_at = manager_now();
        manager->told.behind_at = manager_now();
        manager->charged_at = manager_now();
        manager->charged_cpu = manager_monitoring_time(manager);
        r = set_up_events(manager);
        if (r < 0) {
                manager->plan = NULL;
                manager_free(manager);
                return r;
        }
        *ret_manager = manager;
        return 0;
}

struct manager *manager_free(struct manager *manager) {
        if (!manager)
                return NULL;
        for (size_t i = 0; i < manager->nr_attached; i++)
                sd_event_source_unref(manager->attached[i].exit);
        free(manager->attached);
        damon_engine_free(manager->engine);
        page_idle_free(manager->page_idle);
        record_done(&manager->record);
        matcher_done(&manager->matcher);
        sd_event_source_unref(manager->tick);
        sd_event_source_unref(manager->scan);
        sd_event_source_unref(manager->statistics);
        sd_event_source_unref(manager->adjust);
        sd_event_source_unref(manager->watchdog);
        sd_event_unref(manager->event);
        plan_free(manager->plan);
        free(manager->logged);
        free(manager->told.refusal);
        free(manager);
        return NULL;
}

int manager_run(struct manager *manager) {
        char files[STATUS_FILES_MAX];
        int r;

        if ((r = add_signal(manager, SIGHUP, on_hangup)) < 0 ||
            (r = add_signal(manager, SIGUSR1, on_user1)) < 0 ||
            (r = statistics_arm(manager)) < 0) {
                log_error(DAMOND_MESSAGE_FAILED, "cannot start: %s", strerror(-r));
                return r;
        }
        log_info(DAMOND_MESSAGE_STARTED, "started with %s: %zu target entries, %zu schemes%s",
                 status_files(manager, files), manager->plan->nr_targets, manager->plan->nr_schemes,
                 manager->dry_run ? ", dry run" : "");
        record_set(&manager->record, manager->plan->record, manager->plan->record_size);
        snapshot_record(manager);
        r = adjust_schemes(manager);
        (void) sd_notify(false, "READY=1");
        status_notify(manager);

        /* the start is over; if it cannot, damond is larger, and that is all */
        (void) text_let_go();
        if (r >= 0)
                r = sd_event_loop(manager->event);

        (void) sd_notify(false, "STOPPING=1");
        statistics_log(manager);
        log_info(DAMOND_MESSAGE_STOPPED, "stopped");
        return r;
}
