/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics: what each scheme and monitoring have done, as journal records. See manager.h. */

#include "manager.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "unit.h"

bool statistics_dry_run(const struct manager *manager, const struct damos *scheme) {
        return manager->dry_run || scheme->dry_run;
}

/* Fields of a record, which is handed to the journal as an array of them that ends with NULL. */
struct fields {
        const char *items[LOG_FIELDS_MAX + 1];
        char texts[LOG_FIELDS_MAX][128];
        size_t nr;
};

__attribute__((format(printf, 2, 3)))
static void add_field(struct fields *fields, const char *format, ...) {
        va_list arguments;

        assert(fields->nr < LOG_FIELDS_MAX);
        va_start(arguments, format);
        (void) vsnprintf(fields->texts[fields->nr], sizeof(fields->texts[0]), format, arguments);
        va_end(arguments);
        fields->items[fields->nr] = fields->texts[fields->nr];
        fields->nr++;
}

/* Go on with a message, as far as there is room. */
__attribute__((format(printf, 3, 4)))
static void add_text(char *text, size_t size, const char *format, ...) {
        size_t length = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text + length, size - length, format, arguments);
        va_end(arguments);
}

static void log_scheme(const struct manager *manager, const struct damos *scheme) {
        const struct damos_stat *stat = &scheme->stat;
        const struct damos_part *matching = &scheme->breakdown.parts[DAMOS_HOLD_NONE];
        uint64_t sz_effective = damos_quota_effective(&scheme->quota, &scheme->charge);
        bool dry_run = statistics_dry_run(manager, scheme);
        char text[1024] = "", a[UNIT_STRING_MAX], b[UNIT_STRING_MAX];
        struct outcome_text outcome;
        struct fields fields = {};

        outcome_format(&stat->outcome, &outcome);
        add_field(&fields, "DAMOND_SCHEME=%s", scheme->name);
        add_field(&fields, "DAMOND_ACTION=%s", damos_action_to_string(scheme->action));
        add_field(&fields, "DAMOND_DRY_RUN=%d", dry_run);
        add_field(&fields, "DAMOND_NR_TRIED=%" PRIu64, stat->nr_tried);
        add_field(&fields, "DAMOND_SZ_TRIED=%" PRIu64, stat->sz_tried);
        add_field(&fields, "DAMOND_NR_APPLIED=%" PRIu64, stat->nr_applied);
        add_field(&fields, "DAMOND_SZ_APPLIED=%" PRIu64, stat->sz_applied);
        add_field(&fields, "DAMOND_SZ_FILTERED=%" PRIu64, stat->sz_filtered);
        add_field(&fields, "DAMOND_QT_EXCEEDS=%" PRIu64, stat->qt_exceeds);
        add_field(&fields, "DAMOND_NR_MATCHING=%" PRIu64, matching->nr);
        add_field(&fields, "DAMOND_SZ_MATCHING=%" PRIu64, matching->size);
        add_field(&fields, "DAMOND_SZ_MATCHING_IN_MEMORY=%" PRIu64, matching->in_memory);
        add_field(&fields, "DAMOND_STATE=%s", scheme->wake.asleep ? "asleep" : "awake");
        for (size_t i = 0; outcome.fields[i]; i++)
                add_field(&fields, "%s", outcome.fields[i]);
        add_text(text, sizeof(text), "tried %" PRIu64 " times (%s), applied %" PRIu64 " times (%s)%s", stat->nr_tried,
                 unit_format_size_short(a, stat->sz_tried), stat->nr_applied,
                 unit_format_size_short(b, stat->sz_applied), outcome.words);
        if (scheme->filters.nr > 0)
                add_text(text, sizeof(text), ", %s held back by filters", unit_format_size_short(a, stat->sz_filtered));
        if (damos_quota_is_set(&scheme->quota)) {
                add_field(&fields, "DAMOND_EFFECTIVE_BYTES=%" PRIu64, sz_effective);
                add_text(text, sizeof(text), ", quota used up %" PRIu64 " times", stat->qt_exceeds);
        }
        if (scheme->quota.nr_goals > 0)
                add_text(text, sizeof(text), ", now %s", unit_format_size_short(a, sz_effective));
        log_record(LOG_INFO, DAMOND_MESSAGE_SCHEME_STATISTICS, fields.items,
                   "scheme %s: %s %s; %s match now, %s of it in memory%s%s", scheme->name,
                   damos_action_to_string(scheme->action), text, unit_format_size_short(a, matching->size),
                   unit_format_size_short(b, matching->in_memory), scheme->wake.asleep ? "; asleep" : "",
                   dry_run ? " (dry run)" : "");
}

/* What the budget leaves of what is configured, beginning with what is sampled. */
static void describe(const struct manager *manager, const char *before, char *buf, size_t size) {
        const struct damon_attrs *attrs = &manager->governor.attrs;
        const struct damon_attrs *configured = &manager->governor.configured;
        char now[UNIT_STRING_MAX], wanted[UNIT_STRING_MAX], share[32] = "";
        size_t n;

        if (manager->asleep) {
                (void) snprintf(buf, size, "%sall schemes sleep by their watermarks", before);
                return;
        }
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
        if (manager->nr_attached > 0 && (manager->asleep || governor_binds(&manager->governor)))
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
        uint32_t permyriad;

        now = manager_now();
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

void statistics_follow(struct manager *manager, struct scheme_log *logged) {
        const struct damos *schemes;
        size_t nr;

        schemes = damon_engine_schemes(manager->engine, &nr);
        for (size_t i = 0; i < nr; i++)
                logged[i] = (struct scheme_log) {
                        .stat = schemes[i].stat,
                        .matching = schemes[i].breakdown.parts[DAMOS_HOLD_NONE],
                        .guard = damos_guard_reason(&schemes[i].guard),
                };
        free(manager->logged);
        manager->logged = logged;
}

void statistics_log(struct manager *manager) {
        const struct damos *schemes;
        size_t nr;

        schemes = damon_engine_schemes(manager->engine, &nr);
        for (size_t i = 0; i < nr; i++) {
                const struct damos_part *matching = &schemes[i].breakdown.parts[DAMOS_HOLD_NONE];
                struct scheme_log *logged = &manager->logged[i];

                if (memcmp(&schemes[i].stat, &logged->stat, sizeof(logged->stat)) == 0 &&
                    memcmp(matching, &logged->matching, sizeof(logged->matching)) == 0)
                        continue;
                log_scheme(manager, &schemes[i]);
                logged->stat = schemes[i].stat;
                logged->matching = *matching;
        }
}

static void log_collapse(const struct collapse_stat *stat) {
        char collapsed[UNIT_STRING_MAX], huge[UNIT_STRING_MAX], sparse[UNIT_STRING_MAX], other[UNIT_STRING_MAX];
        struct fields fields = {};

        add_field(&fields, "DAMOND_SZ_TRIED=%" PRIu64, stat->sz_tried);
        add_field(&fields, "DAMOND_SZ_COLLAPSED=%" PRIu64, stat->sz_collapsed);
        add_field(&fields, "DAMOND_SZ_HUGE=%" PRIu64, stat->sz_huge);
        add_field(&fields, "DAMOND_SZ_SPARSE=%" PRIu64, stat->sz_sparse);
        add_field(&fields, "DAMOND_SZ_REFUSED=%" PRIu64, stat->sz_refused);
        add_field(&fields, "DAMOND_SZ_BUSY=%" PRIu64, stat->sz_busy);
        add_field(&fields, "DAMOND_SZ_NO_MEMORY=%" PRIu64, stat->sz_no_memory);
        log_record(LOG_INFO, DAMOND_MESSAGE_COLLAPSE_STATISTICS, fields.items,
                   "huge pages: %s made, %s were huge already, %s too sparse, %s not possible",
                   unit_format_size_short(collapsed, stat->sz_collapsed),
                   unit_format_size_short(huge, stat->sz_huge), unit_format_size_short(sparse, stat->sz_sparse),
                   unit_format_size_short(other, stat->sz_refused + stat->sz_busy + stat->sz_no_memory));
}

static void log_injection(const struct inject_stat *stat) {
        char mean[UNIT_STRING_MAX], longest[UNIT_STRING_MAX];
        uint64_t usec_mean = stat->stop_sum / MAX(stat->nr_stops, UINT64_C(1)) / NSEC_PER_USEC;
        struct fields fields = {};

        add_field(&fields, "DAMOND_NR_STOPS=%" PRIu64, stat->nr_stops);
        add_field(&fields, "DAMOND_NR_INJECTIONS=%" PRIu64, stat->nr_calls);
        add_field(&fields, "DAMOND_NR_PUT_OFF=%" PRIu64, stat->nr_put_off);
        add_field(&fields, "DAMOND_NR_REFUSED=%" PRIu64, stat->nr_refused);
        add_field(&fields, "DAMOND_NR_LEFT=%" PRIu64, stat->nr_left);
        add_field(&fields, "DAMOND_STOP_USEC=%" PRIu64, stat->stop_sum / NSEC_PER_USEC);
        add_field(&fields, "DAMOND_STOP_USEC_MAX=%" PRIu64, stat->stop_max / NSEC_PER_USEC);
        log_record(LOG_INFO, DAMOND_MESSAGE_INJECTION_STATISTICS, fields.items,
                   "injection: %" PRIu64 " calls in %" PRIu64 " stops of %s on average, %s at most; put off %" PRIu64
                   " times, refused %" PRIu64 " times", stat->nr_calls, stat->nr_stops,
                   unit_format_time(mean, usec_mean), unit_format_time(longest, stat->stop_max / NSEC_PER_USEC),
                   stat->nr_put_off, stat->nr_refused);
}

/* Of what no scheme or target counts alone. */
static void log_huge(struct manager *manager) {
        const struct huge_stat *stat = page_idle_huge_stat(manager->page_idle);

        if (memcmp(&stat->collapse, &manager->logged_huge.collapse, sizeof(stat->collapse)) != 0)
                log_collapse(&stat->collapse);
        if (memcmp(&stat->inject, &manager->logged_huge.inject, sizeof(stat->inject)) != 0)
                log_injection(&stat->inject);
        manager->logged_huge = *stat;
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
        log_huge(manager);
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
