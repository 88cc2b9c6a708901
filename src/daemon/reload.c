/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reload: from the text of the configuration to a new plan in force, or back to the old one.
 * See manager_reload() in manager.h.
 */

#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "conf.h"
#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "unit.h"

static void log_config_errors(const struct conf_diag *diag) {
        for (size_t i = 0; i < diag->nr; i++)
                log_record(LOG_ERR, DAMOND_MESSAGE_CONFIG_ERROR, NULL, "%s", diag->messages[i].text);
}

static const struct damos *find_scheme(const struct plan *plan, const char *name) {
        for (size_t i = 0; i < plan->nr_schemes; i++)
                if (strcmp(plan->schemes[i].name, name) == 0)
                        return &plan->schemes[i];
        return NULL;
}

static bool attrs_changed(const struct plan *a, const struct plan *b) {
        return a->attrs.sample_interval != b->attrs.sample_interval ||
               a->attrs.aggregation_interval != b->attrs.aggregation_interval ||
               a->attrs.update_interval != b->attrs.update_interval ||
               a->attrs.min_regions != b->attrs.min_regions ||
               a->attrs.max_regions != b->attrs.max_regions || a->cpu_budget != b->cpu_budget;
}

static bool schemes_changed(const struct plan *a, const struct plan *b) {
        if (a->nr_schemes != b->nr_schemes)
                return true;
        for (size_t i = 0; i < a->nr_schemes; i++)
                if (!damos_same_rule(&a->schemes[i], &b->schemes[i]))
                        return true;
        return false;
}

static bool targets_changed(const struct plan *a, const struct plan *b) {
        if (a->nr_targets != b->nr_targets)
                return true;
        for (size_t i = 0; i < a->nr_targets; i++)
                if (!plan_target_equal(&a->targets[i], &b->targets[i]))
                        return true;
        return false;
}

static bool record_changed(const struct plan *a, const struct plan *b) {
        return a->record_size != b->record_size ||
               (a->record && b->record ? strcmp(a->record, b->record) != 0 : a->record != b->record);
}

/* Say what is different. Return: whether anything is. */
static bool log_changes(const struct plan *before, const struct plan *after) {
        bool changed = false;

        for (size_t i = 0; i < after->nr_schemes; i++) {
                const struct damos *scheme = &after->schemes[i];
                const struct damos *old = find_scheme(before, scheme->name);

                if (old && damos_same_rule(old, scheme))
                        continue;
                log_info(old ? "scheme %s has changed, its statistics begin anew" : "scheme %s is new",
                         scheme->name);
                changed = true;
        }
        for (size_t i = 0; i < before->nr_schemes; i++)
                if (!find_scheme(after, before->schemes[i].name)) {
                        log_info("scheme %s is gone", before->schemes[i].name);
                        changed = true;
                }
        if (!changed && schemes_changed(before, after)) {
                log_info("the order of the schemes has changed");
                changed = true;
        }
        if (attrs_changed(before, after)) {
                log_info("monitoring attributes have changed");
                changed = true;
        }
        if (targets_changed(before, after)) {
                log_info("target entries have changed");
                changed = true;
        }
        if (before->statistics_interval != after->statistics_interval) {
                log_info("the statistics interval has changed");
                changed = true;
        }
        if (record_changed(before, after)) {
                char size[UNIT_STRING_MAX];

                if (after->record)
                        log_info("the record is %s, of up to %s", after->record,
                                 unit_format_size(size, after->record_size));
                else
                        log_info("there is no record");
                changed = true;
        }
        return changed;
}

/* Let go of the targets that their entry does not select any more. */
static void detach_deselected(struct manager *manager) {
        for (size_t i = manager->nr_attached; i-- > 0;) {
                const struct damon_target *target = manager->attached[i].target;
                int entry = matcher_find(&manager->matcher, target->pid);

                if (entry < 0 || strcmp(manager->plan->targets[entry].name, target->name) != 0)
                        manager_detach(manager, i, "is not selected by the configuration any more");
                else
                        /* an entry with a pid that is new means the process that it now is */
                        (void) matcher_bind(&manager->matcher, (size_t) entry,
                                            page_idle_target_start_time(target));
        }
}

/* Go over to a plan. What can fail comes first, so that a failure leaves the old plan whole. */
static int commit(struct manager *manager, struct plan *plan) {
        const struct plan *before = manager->plan;
        bool schemes = schemes_changed(before, plan), targets = targets_changed(before, plan);
        bool attrs = attrs_changed(before, plan);
        bool interval = before->statistics_interval != plan->statistics_interval;
        bool record = record_changed(before, plan);
        struct binding *bindings = matcher_prepare(&manager->matcher, plan);
        struct damos_stat *logged = calloc(plan->nr_schemes + 1, sizeof(*logged));
        int r = bindings && logged ? 0 : -ENOMEM;

        if (r >= 0 && schemes) {
                /* the last of those that go */
                statistics_log(manager);
                r = damon_engine_set_schemes(manager->engine, plan->schemes, plan->nr_schemes);
        }
        if (r < 0) {
                free(bindings);
                free(logged);
                return r;
        }
        matcher_take(&manager->matcher, plan, bindings);
        if (schemes)
                statistics_follow(manager, logged);
        else
                free(logged);
        manager->plan = plan;
        if (attrs && (r = manager_apply_attrs(manager)) < 0)
                log_error("the new monitoring attributes were refused: %s", strerror(-r));
        if (interval && (r = statistics_arm(manager)) < 0)
                log_error("the new statistics interval was refused: %s", strerror(-r));
        record_set(&manager->record, plan->record, plan->record_size);
        if (targets) {
                detach_deselected(manager);
                manager_scan(manager);
        }
        if (record)
                /* says at once what is wrong with the new one */
                snapshot_record(manager);
        return 0;
}

static void notify_reloading(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                          (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / NSEC_PER_USEC);
}

void manager_reload(struct manager *manager) {
        struct conf_diag diag = {};
        struct plan *plan;
        bool changed = false;
        int r;

        notify_reloading();
        r = conf_load(manager->config_path, PAGE_IDLE_ACTIONS, &diag, &plan);
        if (r >= 0) {
                struct plan *before = manager->plan;

                r = commit(manager, plan);
                if (r >= 0)
                        changed = log_changes(before, plan);
                plan_free(r < 0 ? plan : before);
        }

        if (r < 0) {
                log_config_errors(&diag);
                log_record(LOG_ERR, DAMOND_MESSAGE_CONFIG_ERROR, NULL,
                           "%s was not loaded (%s), damond goes on as before", manager->config_path,
                           diag.nr > 0 ? "see above" : strerror(-r));
                (void) sd_notifyf(false, "READY=1\nSTATUS=%s was not loaded: %zu error%s",
                                  manager->config_path, diag.nr, diag.nr == 1 ? "" : "s");
        } else {
                log_record(LOG_INFO, DAMOND_MESSAGE_RELOADED, NULL, "%s was loaded%s",
                           manager->config_path, changed ? "" : ", nothing has changed");
                (void) sd_notify(false, "READY=1");
                manager_notify_status(manager);
        }
        conf_diag_done(&diag);
}
