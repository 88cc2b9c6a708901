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

#include "conf.h"
#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "text.h"
#include "unit.h"

static void log_config_errors(const struct conf_diag *diag) {
        for (size_t i = 0; i < diag->nr; i++)
                log_error(DAMOND_MESSAGE_CONFIG_ERROR, "%s", diag->messages[i].text);
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

static void log_scheme_change(const char *name, const char *what) {
        char field[128];
        const char *fields[] = { field, NULL };

        (void) snprintf(field, sizeof(field), "DAMOND_SCHEME=%s", name);
        log_record(LOG_INFO, DAMOND_MESSAGE_RELOAD_CHANGE, fields, "scheme %s %s", name, what);
}

/* Say what is different. Return: whether anything is. */
static bool log_changes(const struct plan *before, const struct plan *after) {
        bool changed = false;

        for (size_t i = 0; i < after->nr_schemes; i++) {
                const struct damos *scheme = &after->schemes[i];
                const struct damos *old = find_scheme(before, scheme->name);

                if (old && damos_same_rule(old, scheme))
                        continue;
                log_scheme_change(scheme->name, old ? "has changed, its statistics begin anew" : "is new");
                changed = true;
        }
        for (size_t i = 0; i < before->nr_schemes; i++)
                if (!find_scheme(after, before->schemes[i].name)) {
                        log_scheme_change(before->schemes[i].name, "is gone");
                        changed = true;
                }
        if (!changed && schemes_changed(before, after)) {
                log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "the order of the schemes has changed");
                changed = true;
        }
        if (attrs_changed(before, after)) {
                log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "monitoring attributes have changed");
                changed = true;
        }
        if (targets_changed(before, after)) {
                log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "target entries have changed");
                changed = true;
        }
        if (before->statistics_interval != after->statistics_interval) {
                log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "the statistics interval has changed");
                changed = true;
        }
        if (before->allow_injection != after->allow_injection) {
                log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "injection is %s", after->allow_injection ?
                         "allowed" : "not allowed any more");
                changed = true;
        }
        if (record_changed(before, after)) {
                char size[UNIT_STRING_MAX];

                if (after->record)
                        log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "the record is %s, of up to %s", after->record,
                                 unit_format_size(size, after->record_size));
                else
                        log_info(DAMOND_MESSAGE_RELOAD_CHANGE, "there is no record");
                changed = true;
        }
        return changed;
}

/* Go over to a plan. What can fail comes first, so that a failure leaves the old plan whole. */
static int commit(struct manager *manager, struct plan *plan) {
        const struct plan *before = manager->plan;
        bool schemes = schemes_changed(before, plan), targets = targets_changed(before, plan);
        bool attrs = attrs_changed(before, plan);
        bool interval = before->statistics_interval != plan->statistics_interval;
        bool record = record_changed(before, plan);
        struct binding *bindings = matcher_prepare(&manager->matcher, plan);
        struct scheme_log *logged = calloc(plan->nr_schemes + 1, sizeof(*logged));
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
        if (schemes && (r = adjust_schemes(manager)) < 0)
                log_error(DAMOND_MESSAGE_FAILED, "cannot adjust the schemes: %s", strerror(-r));
        if (attrs && (r = manager_apply_attrs(manager)) < 0)
                log_error(DAMOND_MESSAGE_FAILED, "the new monitoring attributes were refused: %s", strerror(-r));
        if (interval && (r = statistics_arm(manager)) < 0)
                log_error(DAMOND_MESSAGE_FAILED, "the new statistics interval was refused: %s", strerror(-r));
        record_set(&manager->record, plan->record, plan->record_size);
        if (targets) {
                targets_scan(manager);
                r = manager_schedule_scan(manager, plan->attrs.update_interval);
                if (r < 0)
                        log_error(DAMOND_MESSAGE_FAILED, "cannot look for targets: %s", strerror(-r));
        }
        if (record)
                /* says at once what is wrong with the new one */
                snapshot_record(manager);
        return 0;
}


/* Return: why the configuration was not loaded, for the status line; owned by the caller. */
static char *refusal(const struct manager *manager, const struct conf_diag *diag, int error) {
        char *text = NULL;
        int r;

        if (diag->nr > 0)
                r = asprintf(&text, "%s was not loaded: %zu error%s", manager->config_path, diag->nr,
                             diag->nr == 1 ? "" : "s");
        else
                r = asprintf(&text, "%s was not loaded: %s", manager->config_path, strerror(-error));
        return r < 0 ? NULL : text;
}

void manager_reload(struct manager *manager) {
        struct conf_diag diag = {};
        char files[STATUS_FILES_MAX];
        struct plan *plan;
        bool changed = false;
        int r;

        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, manager_now());
        r = conf_load(manager->config_path, page_idle_actions(), &diag, &plan);
        if (r >= 0) {
                struct plan *before = manager->plan;

                r = commit(manager, plan);
                if (r >= 0)
                        changed = log_changes(before, plan);
                plan_free(r < 0 ? plan : before);
        }

        if (r < 0) {
                log_config_errors(&diag);
                log_error(DAMOND_MESSAGE_RELOAD_REFUSED, "%s was not loaded (%s), damond goes on as before",
                          manager->config_path, diag.nr > 0 ? "see above" : strerror(-r));
                status_set_refusal(manager, refusal(manager, &diag, r));
        } else {
                log_info(DAMOND_MESSAGE_RELOADED, "%s was loaded%s", status_files(manager, files),
                         changed ? "" : ", nothing has changed");
                status_set_refusal(manager, NULL);
        }
        (void) sd_notify(false, "READY=1");
        status_notify(manager);
        conf_diag_done(&diag);
        (void) text_let_go();
}
