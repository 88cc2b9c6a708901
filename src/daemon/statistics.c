/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics: what each scheme and monitoring have done, as journal records. See manager.h. */

#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "unit.h"

static void log_scheme(const struct damos *scheme) {
        const struct damos_stat *stat = &scheme->stat;
        char tried[UNIT_STRING_MAX], applied[UNIT_STRING_MAX];
        char name[128], action[64], nr_tried[64], sz_tried[64], nr_applied[64], sz_applied[64];
        char qt_exceeds[64], exceeded[64] = "", sz_filtered[64], filtered[64] = "", held_back[UNIT_STRING_MAX];
        const char *fields[] = {
                name, action, nr_tried, sz_tried, nr_applied, sz_applied, qt_exceeds, sz_filtered,
                NULL,
        };

        (void) snprintf(name, sizeof(name), "DAMOND_SCHEME=%s", scheme->name);
        (void) snprintf(action, sizeof(action), "DAMOND_ACTION=%s", damos_action_to_string(scheme->action));
        (void) snprintf(nr_tried, sizeof(nr_tried), "DAMOND_NR_TRIED=%" PRIu64, stat->nr_tried);
        (void) snprintf(sz_tried, sizeof(sz_tried), "DAMOND_SZ_TRIED=%" PRIu64, stat->sz_tried);
        (void) snprintf(nr_applied, sizeof(nr_applied), "DAMOND_NR_APPLIED=%" PRIu64, stat->nr_applied);
        (void) snprintf(sz_applied, sizeof(sz_applied), "DAMOND_SZ_APPLIED=%" PRIu64, stat->sz_applied);
        (void) snprintf(qt_exceeds, sizeof(qt_exceeds), "DAMOND_QT_EXCEEDS=%" PRIu64, stat->qt_exceeds);
        if (damos_quota_is_set(&scheme->quota))
                (void) snprintf(exceeded, sizeof(exceeded), ", quota used up %" PRIu64 " times",
                                stat->qt_exceeds);
        (void) snprintf(sz_filtered, sizeof(sz_filtered), "DAMOND_SZ_FILTERED=%" PRIu64, stat->sz_filtered);
        if (scheme->filters.nr > 0)
                (void) snprintf(filtered, sizeof(filtered), ", %s held back by filters",
                                unit_format_size_short(held_back, stat->sz_filtered));
        log_record(LOG_INFO, DAMOND_MESSAGE_SCHEME_STATISTICS, fields,
                   "scheme %s: %s tried %" PRIu64 " times (%s), applied %" PRIu64 " times (%s)%s%s",
                   scheme->name, damos_action_to_string(scheme->action), stat->nr_tried,
                   unit_format_size_short(tried, stat->sz_tried), stat->nr_applied,
                   unit_format_size_short(applied, stat->sz_applied), exceeded, filtered);
}

/* What the budget leaves of what is configured, beginning with what is sampled. */
static void describe(const struct manager *manager, const char *before, char *buf, size_t size) {
        const struct damon_attrs *attrs = &manager->governor.attrs;
        const struct damon_attrs *configured = &manager->governor.configured;
        char now[UNIT_STRING_MAX], wanted[UNIT_STRING_MAX], share[32] = "";
        size_t n;

        if (attrs->sample_every > 1)
                (void) snprintf(share, sizeof(share), "one in %" PRIu32 " regions ", attrs->sample_every);
        n = (size_t) snprintf(buf, size, "%ssampling %severy %s", before, share,
                              unit_format_time(now, attrs->sample_interval));
        if (attrs->sample_interval != configured->sample_interval && n < size)
                n += (size_t) snprintf(buf + n, size - n, " instead of %s",
                                       unit_format_time(wanted, configured->sample_interval));
        if (attrs->max_regions != configured->max_regions && n < size)
                n += (size_t) snprintf(buf + n, size - n, ", up to %" PRIu32 " of %" PRIu32
                                       " regions a target", attrs->max_regions, configured->max_regions);
        if (attrs->update_interval > 2 * MAX(configured->update_interval, attrs->sample_interval) && n < size)
                (void) snprintf(buf + n, size - n, ", looking at mappings every %s instead of %s",
                                unit_format_time(now, attrs->update_interval),
                                unit_format_time(wanted, configured->update_interval));
}

const char *statistics_resolution(const struct manager *manager,
                                  char buf[static STATISTICS_RESOLUTION_MAX]) {
        buf[0] = '\0';
        if (manager->nr_attached > 0 && governor_binds(&manager->governor))
                describe(manager, "; ", buf, STATISTICS_RESOLUTION_MAX);
        return buf;
}

void statistics_log_budget(const struct manager *manager) {
        const struct damon_attrs *attrs = &manager->governor.attrs;
        char resolution[STATISTICS_RESOLUTION_MAX], budget[UNIT_STRING_MAX], interval[64], every[64], max_regions[64];
        const char *fields[] = { interval, every, max_regions, NULL };

        describe(manager, "", resolution, sizeof(resolution));
        (void) snprintf(interval, sizeof(interval), "DAMOND_SAMPLE_INTERVAL_USEC=%" PRIu64,
                        attrs->sample_interval);
        (void) snprintf(every, sizeof(every), "DAMOND_SAMPLE_EVERY=%" PRIu32, MAX(attrs->sample_every, 1U));
        (void) snprintf(max_regions, sizeof(max_regions), "DAMOND_MAX_REGIONS=%" PRIu32, attrs->max_regions);
        log_record(LOG_INFO, DAMOND_MESSAGE_BUDGET, fields, "the CPU budget of %s %s: %s",
                   unit_format_percent(budget, manager->governor.budget),
                   governor_binds(&manager->governor) ? "binds" : "does not bind any more", resolution);
}

/* Counts since the start, but for the share of the CPU: that is of the time since the last record. */
static void log_monitoring(struct manager *manager) {
        const struct damon_attrs *attrs = damon_engine_attrs(manager->engine);
        uint64_t cpu = manager_monitoring_time(manager), now, elapsed;
        char nr_targets[64], nr_regions[64], nr_samples[64], nr_unknown[64], nr_missed[64];
        char share[64], interval[64], every[64], max_regions[64];
        const char *fields[] = {
                nr_targets, nr_regions, nr_samples, nr_unknown, nr_missed, share, interval, every, max_regions,
                NULL,
        };
        char resolution[STATISTICS_RESOLUTION_MAX], percent[UNIT_STRING_MAX];
        struct timespec ts;
        uint32_t permyriad;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        now = (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / NSEC_PER_USEC;
        elapsed = MAX(now - manager->recorded_at, UINT64_C(1));
        permyriad = (uint32_t) ((cpu - manager->recorded_cpu) / NSEC_PER_USEC * 10000 / elapsed);
        manager->recorded_at = now;
        manager->recorded_cpu = cpu;
        if (manager->nr_attached == 0)
                return;

        (void) snprintf(nr_targets, sizeof(nr_targets), "DAMOND_NR_TARGETS=%zu", manager->nr_attached);
        (void) snprintf(nr_regions, sizeof(nr_regions), "DAMOND_NR_REGIONS=%zu",
                        damon_engine_nr_regions(manager->engine));
        (void) snprintf(nr_samples, sizeof(nr_samples), "DAMOND_NR_SAMPLES=%" PRIu64, manager->nr_samples);
        (void) snprintf(nr_unknown, sizeof(nr_unknown), "DAMOND_NR_UNKNOWN=%" PRIu64, manager->nr_unknown);
        (void) snprintf(nr_missed, sizeof(nr_missed), "DAMOND_NR_MISSED=%" PRIu64, manager->nr_missed);
        (void) snprintf(share, sizeof(share), "DAMOND_CPU_PERMYRIAD=%" PRIu32, permyriad);
        (void) snprintf(interval, sizeof(interval), "DAMOND_SAMPLE_INTERVAL_USEC=%" PRIu64,
                        attrs->sample_interval);
        (void) snprintf(every, sizeof(every), "DAMOND_SAMPLE_EVERY=%" PRIu32, MAX(attrs->sample_every, 1U));
        (void) snprintf(max_regions, sizeof(max_regions), "DAMOND_MAX_REGIONS=%" PRIu32, attrs->max_regions);
        describe(manager, "", resolution, sizeof(resolution));
        log_record(LOG_INFO, DAMOND_MESSAGE_MONITORING_STATISTICS, fields,
                   "monitored %zu targets with %zu regions for %s of a CPU, %s", manager->nr_attached,
                   damon_engine_nr_regions(manager->engine), unit_format_percent(percent, permyriad),
                   resolution);
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
        log_monitoring(manager);
        return set_timer(manager, source);
}

int statistics_arm(struct manager *manager) {
        manager->statistics = sd_event_source_unref(manager->statistics);
        if (manager->plan->statistics_interval == 0)
                return 0;
        return sd_event_add_time_relative(manager->event, &manager->statistics, CLOCK_MONOTONIC,
                                          manager->plan->statistics_interval, 0, on_statistics, manager);
}
