/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics: what each scheme has done, as journal records. See manager.h. */

#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "message-ids.h"
#include "unit.h"

static void log_scheme(const struct damos *scheme) {
        const struct damos_stat *stat = &scheme->stat;
        char tried[UNIT_STRING_MAX], applied[UNIT_STRING_MAX];
        char name[128], action[64], nr_tried[64], sz_tried[64], nr_applied[64], sz_applied[64];
        const char *fields[] = {
                name, action, nr_tried, sz_tried, nr_applied, sz_applied, NULL,
        };

        (void) snprintf(name, sizeof(name), "DAMOND_SCHEME=%s", scheme->name);
        (void) snprintf(action, sizeof(action), "DAMOND_ACTION=%s", damos_action_to_string(scheme->action));
        (void) snprintf(nr_tried, sizeof(nr_tried), "DAMOND_NR_TRIED=%" PRIu64, stat->nr_tried);
        (void) snprintf(sz_tried, sizeof(sz_tried), "DAMOND_SZ_TRIED=%" PRIu64, stat->sz_tried);
        (void) snprintf(nr_applied, sizeof(nr_applied), "DAMOND_NR_APPLIED=%" PRIu64, stat->nr_applied);
        (void) snprintf(sz_applied, sizeof(sz_applied), "DAMOND_SZ_APPLIED=%" PRIu64, stat->sz_applied);
        log_record(LOG_INFO, DAMOND_MESSAGE_SCHEME_STATISTICS, fields,
                   "scheme %s: %s tried %" PRIu64 " times (%s), applied %" PRIu64 " times (%s)",
                   scheme->name, damos_action_to_string(scheme->action), stat->nr_tried,
                   unit_format_size_short(tried, stat->sz_tried), stat->nr_applied,
                   unit_format_size_short(applied, stat->sz_applied));
}

void statistics_follow(struct manager *manager, struct damos_stat *logged) {
        const struct damos *schemes;
        size_t nr;

        schemes = damon_engine_schemes(manager->engine, &nr);
        for (size_t i = 0; i < nr; i++)
                logged[i] = schemes[i].stat;
        free(manager->logged);
        manager->logged = logged;
}

void statistics_log(struct manager *manager) {
        const struct damos *schemes;
        size_t nr;

        schemes = damon_engine_schemes(manager->engine, &nr);
        for (size_t i = 0; i < nr; i++)
                if (memcmp(&schemes[i].stat, &manager->logged[i], sizeof(manager->logged[i])) != 0) {
                        log_scheme(&schemes[i]);
                        manager->logged[i] = schemes[i].stat;
                }
}

static int set_timer(struct manager *manager, sd_event_source *source) {
        int r;

        r = sd_event_source_set_time_relative(source, manager->plan->statistics_interval);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_statistics(sd_event_source *source, uint64_t usec, void *userdata) {
        struct manager *manager = userdata;

        statistics_log(manager);
        manager_notify_status(manager);
        return set_timer(manager, source);
}

int statistics_arm(struct manager *manager) {
        manager->statistics = sd_event_source_unref(manager->statistics);
        if (manager->plan->statistics_interval == 0)
                return 0;
        return sd_event_add_time_relative(manager->event, &manager->statistics, CLOCK_MONOTONIC,
                                          manager->plan->statistics_interval, 0, on_statistics, manager);
}
