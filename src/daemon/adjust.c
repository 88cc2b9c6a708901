/* SPDX-License-Identifier: GPL-2.0-only */
/* What the schemes are adjusted to: see adjust_schemes() in manager.h. */

#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "metrics.h"
#include "unit.h"

/* Intervals are 100 ms at least. */
#define ADJUST_ACCURACY (10 * USEC_PER_MSEC)

static int read_metric(void *userdata, enum damos_metric metric, const char *file,
                       uint64_t *ret_value) {
        const struct manager *manager = userdata;

        if (metric == DAMOS_USER_INPUT)
                return metrics_read_file(file, ret_value);
        return metrics_read(manager->matcher.proc_fd, metric, ret_value);
}

/* Why a scheme sleeps, or does not. */
static void describe(const struct damos *scheme, char *buf, size_t size) {
        const struct damos_watermarks *watermarks = &scheme->watermarks;
        const char *metric = damos_metric_to_string(watermarks->metric);
        char value[UNIT_STRING_MAX], mark[UNIT_STRING_MAX];
        const struct damos_wake *wake = &scheme->wake;

        unit_format_percent(value, (uint32_t) wake->value);
        if (wake->error < 0)
                (void) snprintf(buf, size, "%s cannot be read: %s", metric,
                                metrics_error_string(wake->error));
        else if (!wake->asleep)
                (void) snprintf(buf, size, "%s is %s", metric, value);
        else if (wake->value < watermarks->low)
                (void) snprintf(buf, size, "%s is %s, below its low watermark of %s", metric, value,
                                unit_format_percent(mark, watermarks->low));
        else
                (void) snprintf(buf, size, "%s is %s, above its high watermark of %s", metric, value,
                                unit_format_percent(mark, watermarks->high));
}

static void log_state(const struct damos *scheme) {
        char name[128], state[64], metric[64], value[64], why[ADJUST_REASON_MAX];
        const char *fields[] = { name, state, metric, value, NULL };

        (void) snprintf(name, sizeof(name), "DAMOND_SCHEME=%s", scheme->name);
        (void) snprintf(state, sizeof(state), "DAMOND_STATE=%s", scheme->wake.asleep ? "asleep" : "awake");
        (void) snprintf(metric, sizeof(metric), "DAMOND_METRIC=%s",
                        damos_metric_to_string(scheme->watermarks.metric));
        (void) snprintf(value, sizeof(value), "DAMOND_METRIC_PERMYRIAD=%" PRIu64, scheme->wake.value);
        if (scheme->wake.error < 0)
                fields[3] = NULL;
        describe(scheme, why, sizeof(why));
        log_record(scheme->wake.error < 0 ? LOG_WARNING : LOG_INFO, DAMOND_MESSAGE_WATERMARKS, fields,
                   "scheme %s %s: %s", scheme->name, scheme->wake.asleep ? "sleeps" : "is awake", why);
}

static void log_goals(const struct damos *scheme) {
        const struct damos_tuning *tuning = &scheme->charge.tuning;
        char name[128], size[UNIT_STRING_MAX];
        const char *fields[] = { name, NULL };

        (void) snprintf(name, sizeof(name), "DAMOND_SCHEME=%s", scheme->name);
        if (tuning->error < 0)
                log_record(LOG_WARNING, DAMOND_MESSAGE_GOALS, fields,
                           "scheme %s: a goal cannot be read: %s; its quota stays at %s", scheme->name,
                           metrics_error_string(tuning->error),
                           unit_format_size_short(size, damos_quota_effective(&scheme->quota,
                                                                              &scheme->charge)));
        else
                log_record(LOG_INFO, DAMOND_MESSAGE_GOALS, fields, "scheme %s: all goals can be read again",
                           scheme->name);
}

static int on_adjust(sd_event_source *source, uint64_t usec, void *userdata) {
        return adjust_schemes(userdata);
}

static int set_timer(struct manager *manager, uint64_t at) {
        int r;

        if (!manager->adjust) {
                r = sd_event_add_time(manager->event, &manager->adjust, CLOCK_MONOTONIC, at,
                                      ADJUST_ACCURACY, on_adjust, manager);
                if (r < 0 || (r = sd_event_source_set_exit_on_failure(manager->adjust, true)) < 0)
                        return r;
                (void) sd_event_source_set_description(manager->adjust, "adjust");
        }
        if (at == UINT64_MAX)
                return sd_event_source_set_enabled(manager->adjust, SD_EVENT_OFF);
        r = sd_event_source_set_time(manager->adjust, at);
        return r < 0 ? r : sd_event_source_set_enabled(manager->adjust, SD_EVENT_ONESHOT);
}

int adjust_schemes(struct manager *manager) {
        const struct damos_meter meter = { read_metric, manager };
        const struct damos *scheme;
        enum damos_news news;
        bool asleep;
        int r;

        while ((news = damon_engine_adjust(manager->engine, &meter, manager_now(), &scheme)) != DAMOS_NO_NEWS)
                if (news == DAMOS_FELL_ASLEEP || news == DAMOS_WOKE_UP)
                        log_state(scheme);
                else
                        log_goals(scheme);
        asleep = damon_engine_is_asleep(manager->engine);
        if (asleep != manager->asleep) {
                r = manager_set_asleep(manager, asleep);
                if (r < 0)
                        return r;
                status_notify(manager);
        }
        return set_timer(manager, damon_engine_adjust_at(manager->engine));
}

const char *adjust_sleep_reason(struct manager *manager, size_t i, char buf[static ADJUST_REASON_MAX]) {
        const struct damos_meter meter = { read_metric, manager };
        const struct damos *scheme, *schemes;
        size_t nr;

        while (damon_engine_adjust(manager->engine, &meter, manager_now(), &scheme) != DAMOS_NO_NEWS)
                ;
        schemes = damon_engine_schemes(manager->engine, &nr);
        if (!schemes[i].wake.asleep)
                return NULL;
        describe(&schemes[i], buf, ADJUST_REASON_MAX);
        return buf;
}
