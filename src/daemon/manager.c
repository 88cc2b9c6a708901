/* SPDX-License-Identifier: GPL-2.0-only */
/* The manager: see manager.h. on_tick() is a sampling tick, manager_scan() a look for targets. */

#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "array.h"
#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "unit.h"

/* Share of the CPU budget that looking for processes may take. */
#define SCAN_SHARE 4

/* Records of targets that come and go, a minute. */
#define TARGET_RECORDS_MAX 100

static uint64_t clock_ns(clockid_t clock) {
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec;
}

static uint64_t now_usec(void) {
        return clock_ns(CLOCK_MONOTONIC) / NSEC_PER_USEC;
}

uint64_t manager_monitoring_time(const struct manager *manager) {
        return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - page_idle_action_time(manager->page_idle);
}

void manager_notify_status(struct manager *manager) {
        char resolution[STATISTICS_RESOLUTION_MAX];

        (void) sd_notifyf(false, "STATUS=%zu targets, %zu regions, %zu schemes%s", manager->nr_attached,
                          damon_engine_nr_regions(manager->engine), manager->plan->nr_schemes,
                          statistics_resolution(manager, resolution));
        manager->told.attrs = manager->governor.attrs;
        manager->told.status_at = now_usec();
}

/* Whether somebody who reads the status line would want to know. */
static bool differ_noticeably(uint64_t a, uint64_t b) {
        return MAX(a, b) - MIN(a, b) > MIN(a, b) / 4;
}

/* Tell what resolution the budget leaves, where that is news. */
static void tell_resolution(struct manager *manager) {
        const struct damon_attrs *attrs = &manager->governor.attrs, *told = &manager->told.attrs;
        bool binds = governor_binds(&manager->governor);
        uint64_t now = now_usec();

        if (binds != manager->told.binds &&
            (manager->told.binds_at == 0 || now - manager->told.binds_at >= 60 * USEC_PER_SEC)) {
                statistics_log_budget(manager);
                manager->told.binds = binds;
                manager->told.binds_at = now;
        }
        if ((differ_noticeably(attrs->sample_interval, told->sample_interval) ||
             differ_noticeably(attrs->max_regions, told->max_regions)) &&
            now - manager->told.status_at >= 10 * USEC_PER_SEC)
                manager_notify_status(manager);
}

static void charge_governor(struct manager *manager, const struct governor_step *step) {
        uint64_t now = now_usec(), cpu = manager_monitoring_time(manager);

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
        uint64_t interval = damon_engine_attrs(manager->engine)->sample_interval, now = now_usec();
        uint64_t earliest = now + interval / 2;
        uint64_t next = manager->grid + interval;
        int r;

        if (next < earliest)
                next += (earliest - next + interval - 1) / interval * interval;
        next = MAX(next, now + governor_delay(&manager->governor));
        r = sd_event_source_set_time(manager->tick, next);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(manager->tick, SD_EVENT_ONESHOT);
}

/* Without targets there is nothing to sample; the first one starts the ticks again. */
static int start_ticking(struct manager *manager) {
        int enabled, r;

        r = sd_event_source_get_enabled(manager->tick, &enabled);
        /* between two ticks of others the timer is off, too */
        if (r < 0 || enabled != SD_EVENT_OFF || manager->nr_attached > 1)
                return r;
        charge_governor(manager, NULL);
        governor_resume(&manager->governor);
        manager->grid = now_usec();
        manager->marked_at = manager->grid;
        return schedule_tick(manager);
}

/*
 * Log that a process is, or is not any more, a target. Where they come and go all the time
 * that would fill the journal: a minute sees so many records, and how many were left out.
 */
static void log_target(struct manager *manager, const char *id, const char *name, pid_t pid,
                       const char *what) {
        char name_field[128], pid_field[32];
        const char *fields[] = { name_field, pid_field, NULL };
        uint64_t now = now_usec();

        if (now - manager->target_log.since >= 60 * USEC_PER_SEC) {
                if (manager->target_log.nr > TARGET_RECORDS_MAX)
                        log_info("%zu more targets came and went", manager->target_log.nr - TARGET_RECORDS_MAX);
                manager->target_log = (struct target_log) { .since = now };
        }
        if (++manager->target_log.nr > TARGET_RECORDS_MAX)
                return;
        (void) snprintf(name_field, sizeof(name_field), "DAMOND_TARGET=%s", name);
        (void) snprintf(pid_field, sizeof(pid_field), "DAMOND_PID=%d", (int) pid);
        log_record(LOG_INFO, id, fields, "%s: process %d %s", name, (int) pid, what);
}

void manager_detach(struct manager *manager, size_t i, const char *why) {
        struct attached attached = manager->attached[i];

        manager->attached[i] = manager->attached[--manager->nr_attached];
        /* before its descriptor is closed */
        sd_event_source_unref(attached.exit);
        log_target(manager, DAMOND_MESSAGE_TARGET_GONE, attached.target->name, attached.target->pid, why);
        damon_engine_remove_target(manager->engine, attached.target);
}

static int on_target_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct manager *manager = userdata;

        for (size_t i = 0; i < manager->nr_attached; i++)
                if (manager->attached[i].exit == source) {
                        manager_detach(manager, i, "exited");
                        break;
                }
        return 0;
}

/* A process that shares its memory with a target would be sampled and acted on twice. */
static bool shares_memory(const struct manager *manager, pid_t pid) {
        for (size_t i = 0; i < manager->nr_attached; i++)
                if (process_same_memory(pid, manager->attached[i].target->pid))
                        return true;
        return false;
}

static int attach(struct manager *manager, size_t entry, pid_t pid) {
        const char *name = manager->plan->targets[entry].name;
        struct damon_target *target;
        sd_event_source *source;
        int r;

        r = ARRAY_GROW(manager->attached, manager->sz_attached, manager->nr_attached + 1);
        if (r < 0)
                return r;
        r = page_idle_target_new(manager->page_idle, name, pid, &target);
        if (r < 0)
                return r;
        r = sd_event_add_io(manager->event, &source, page_idle_target_pidfd(target), EPOLLIN, on_target_exit,
                            manager);
        if (r < 0) {
                page_idle_target_free(target);
                return r;
        }
        /* The selectors were read by number: only now is it certain of which process. */
        if (matcher_find(&manager->matcher, pid) != (int) entry ||
            !matcher_bind(&manager->matcher, entry, page_idle_target_start_time(target)))
                r = -ESRCH;
        else if (shares_memory(manager, pid))
                r = -EBUSY;
        else
                r = damon_engine_add_target(manager->engine, target);
        if (r < 0) {
                sd_event_source_unref(source);
                page_idle_target_free(target);
                return r;
        }
        (void) sd_event_source_set_description(source, "target-exit");
        manager->attached[manager->nr_attached++] = (struct attached) { target, source };
        return start_ticking(manager);
}

static void try_attach(struct manager *manager, pid_t pid) {
        const char *name;
        int entry, r;

        for (size_t i = 0; i < manager->nr_attached; i++)
                if (manager->attached[i].target->pid == pid)
                        return;
        entry = matcher_find(&manager->matcher, pid);
        if (entry < 0)
                return;

        name = manager->plan->targets[entry].name;
        r = attach(manager, (size_t) entry, pid);
        if (r >= 0)
                log_target(manager, DAMOND_MESSAGE_TARGET_ATTACHED, name, pid, "is monitored");
        else if (r == -ESRCH || r == -EBUSY || r == -ENOEXEC)
                log_debug("%s: process %d is not monitored now: %s", name, (int) pid, strerror(-r));
        else if (matcher_refuse(&manager->matcher, pid))
                log_warning("%s: process %d cannot be monitored: %s", name, (int) pid, strerror(-r));
}

/* Detach the targets whose address space the operations found ended: by exit, or by another
 * program that the process executed and that may be selected again. */
static void drop_gone(struct manager *manager) {
        for (size_t i = manager->nr_attached; i-- > 0;)
                if (manager->attached[i].target->gone) {
                        pid_t pid = manager->attached[i].target->pid;

                        manager_detach(manager, i, "ended its program");
                        try_attach(manager, pid);
                }
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        struct manager *manager = userdata;
        uint64_t interval = damon_engine_attrs(manager->engine)->sample_interval;
        uint64_t now = now_usec();
        uint64_t nr_passed = now > manager->grid ? MAX((now - manager->grid) / interval, UINT64_C(1)) : 1;
        bool stale = now - manager->marked_at > 2 * interval;
        uint64_t update_cpu = page_idle_update_time(manager->page_idle);
        struct governor_step paid;
        struct damon_step step;
        int r;

        r = damon_engine_step(manager->engine, nr_passed, stale, &step);
        if (r < 0) {
                log_error("monitoring failed: %s", strerror(-r));
                return r;
        }
        manager->grid += nr_passed * interval;
        manager->nr_missed += nr_passed - 1;
        manager->nr_samples += step.nr_checked;
        manager->nr_unknown += step.nr_unknown;
        manager->marked_at = now_usec();
        if (step.aggregated)
                snapshot_record(manager);

        paid = (struct governor_step) {
                .nr_samples = step.nr_checked + step.nr_marked,
                .update_cpu = page_idle_update_time(manager->page_idle) - update_cpu,
                .aggregated = step.aggregated,
        };
        charge_governor(manager, &paid);
        if (step.nr_gone > 0)
                drop_gone(manager);
        if (step.aggregated || governor_delay(&manager->governor) > interval) {
                r = tune_attrs(manager, step.aggregated);
                if (r < 0)
                        return r;
                tell_resolution(manager);
        }
        return manager->nr_attached > 0 ? schedule_tick(manager) : 0;
}

void manager_scan(struct manager *manager) {
        _cleanup_close_ int fd = openat(manager->matcher.proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *entry;
        DIR *dir;

        if (manager->plan->nr_targets == 0 || fd < 0)
                return;
        dir = fdopendir(fd);
        if (!dir)
                return;
        TAKE_FD(fd);
        while ((entry = readdir(dir)))
                if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                        try_attach(manager, (pid_t) strtol(entry->d_name, NULL, 10));
        closedir(dir);
        matcher_forget_ended(&manager->matcher);
}

/* The next look for processes: not so soon that the looking would eat up the budget. */
static int on_scan(sd_event_source *source, uint64_t usec, void *userdata) {
        struct manager *manager = userdata;
        uint64_t interval = manager->plan->attrs.update_interval;
        uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), cost;
        int r;

        manager_scan(manager);
        charge_governor(manager, NULL);
        cost = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
        if (manager->plan->cpu_budget > 0)
                interval = MAX(interval, cost / NSEC_PER_USEC * 10000 * SCAN_SHARE /
                                                 manager->plan->cpu_budget);
        r = sd_event_source_set_time_relative(source, interval);
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
            (r = add_signal(manager, SIGHUP, on_hangup)) < 0 ||
            (r = add_signal(manager, SIGUSR1, on_user1)) < 0 ||
            /* the default accuracy of 250 ms would make bursts of the ticks */
            (r = sd_event_add_time(manager->event, &manager->tick, CLOCK_MONOTONIC, 0, 1, on_tick,
                                   manager)) < 0 ||
            (r = sd_event_source_set_enabled(manager->tick, SD_EVENT_OFF)) < 0 ||
            (r = sd_event_source_set_exit_on_failure(manager->tick, true)) < 0 ||
            (r = sd_event_add_time_relative(manager->event, &manager->scan, CLOCK_MONOTONIC, 0,
                                            100 * USEC_PER_MSEC, on_scan, manager)) < 0 ||
            (r = statistics_arm(manager)) < 0)
                return r;
        (void) sd_event_source_set_description(manager->tick, "tick");
        (void) sd_event_source_set_description(manager->scan, "scan");
        (void) sd_event_set_watchdog(manager->event, true);
        return 0;
}

int manager_new(struct manager **ret_manager, const char *config_path, struct plan *plan,
                const struct page_idle_files *files, bool dry_run) {
        struct manager *manager = calloc(1, sizeof(*manager));
        const struct damon_ops *ops;
        struct binding *bindings;
        struct damos_stat *logged;
        struct damon_env env;
        int r;

        if (!manager)
                return -ENOMEM;
        manager->config_path = config_path;
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
        manager->recorded_at = now_usec();
        manager->charged_at = now_usec();
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
        sd_event_unref(manager->event);
        plan_free(manager->plan);
        free(manager->logged);
        free(manager);
        return NULL;
}

int manager_run(struct manager *manager) {
        int r;

        log_record(LOG_INFO, DAMOND_MESSAGE_STARTED, NULL, "started with %s: %zu target entries, %zu schemes",
                   manager->config_path, manager->plan->nr_targets, manager->plan->nr_schemes);
        record_set(&manager->record, manager->plan->record, manager->plan->record_size);
        snapshot_record(manager);
        (void) sd_notify(false, "READY=1");
        manager_notify_status(manager);

        r = sd_event_loop(manager->event);

        (void) sd_notify(false, "STOPPING=1");
        statistics_log(manager);
        log_record(LOG_INFO, DAMOND_MESSAGE_STOPPED, NULL, "stopped");
        return r;
}
