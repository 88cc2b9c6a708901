/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known at this moment: on request in the log (SIGUSR1), after each aggregation in the
 * record. See snapshot_log() and snapshot_record() in manager.h.
 */

#include "manager.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "log.h"
#include "message-ids.h"
#include "unit.h"

static void print_regions(const struct damon_target *target, const struct damon_attrs *attrs) {
        for (size_t i = 0; i < target->regions.nr; i++) {
                const struct damon_region *region = &target->regions.items[i];
                char size[UNIT_STRING_MAX], age[UNIT_STRING_MAX];

                fprintf(stderr, "region %s %d %012" PRIx64 "-%012" PRIx64 " %8s %3" PRIu32 "/%" PRIu32
                        " %s%s\n",
                        target->name, (int) target->pid, region->range.start, region->range.end,
                        unit_format_size_short(size, damon_range_size(&region->range)),
                        region->nr_accesses, damon_attrs_max_nr_accesses(attrs),
                        unit_format_time(age, region->age * attrs->aggregation_interval / USEC_PER_MSEC *
                                                      USEC_PER_MSEC),
                        region->unknown ? " unknown" : "");
        }
}

static void log_target(const struct damon_target *target) {
        char size[UNIT_STRING_MAX], accessed[UNIT_STRING_MAX], unknown[UNIT_STRING_MAX];
        uint64_t sz_accessed = 0, sz_unknown = 0;

        for (size_t i = 0; i < target->regions.nr; i++) {
                const struct damon_region *region = &target->regions.items[i];

                if (region->unknown)
                        sz_unknown += damon_range_size(&region->range);
                else if (region->accessed)
                        sz_accessed += damon_range_size(&region->range);
        }
        log_info(DAMOND_MESSAGE_SNAPSHOT,
                 "target %s: process %d, %zu regions, %s, of which %s accessed, %s unknown",
                 target->name, (int) target->pid, target->regions.nr,
                 unit_format_size_short(size, damon_regions_size(&target->regions)),
                 unit_format_size_short(accessed, sz_accessed),
                 unit_format_size_short(unknown, sz_unknown));
}

/* What came of the actions on huge pages, if there are any. */
static void log_huge(const struct huge_stat *stat) {
        const struct collapse_stat *collapse = &stat->collapse;
        const struct inject_stat *inject = &stat->inject;

        if (collapse->sz_tried > 0)
                log_info(DAMOND_MESSAGE_SNAPSHOT, "collapse: sz_tried=%" PRIu64 " sz_collapsed=%" PRIu64
                         " sz_huge=%" PRIu64 " sz_sparse=%" PRIu64 " sz_refused=%" PRIu64 " sz_busy=%" PRIu64
                         " sz_no_memory=%" PRIu64,
                         collapse->sz_tried, collapse->sz_collapsed, collapse->sz_huge, collapse->sz_sparse,
                         collapse->sz_refused, collapse->sz_busy, collapse->sz_no_memory);
        if (inject->nr_stops + inject->nr_put_off + inject->nr_refused > 0)
                log_info(DAMOND_MESSAGE_SNAPSHOT, "injection: nr_stops=%" PRIu64 " nr_injections=%" PRIu64
                         " nr_put_off=%" PRIu64 " nr_refused=%" PRIu64 " nr_left=%" PRIu64 " stop_usec=%" PRIu64
                         " stop_usec_max=%" PRIu64,
                         inject->nr_stops, inject->nr_calls, inject->nr_put_off, inject->nr_refused,
                         inject->nr_left, inject->stop_sum / NSEC_PER_USEC, inject->stop_max / NSEC_PER_USEC);
}

/* What the last aggregation found, and what of that is still to be done. */
static void log_breakdown(const struct damos *scheme, uint64_t sz_waiting) {
        const struct damos_breakdown *breakdown = &scheme->breakdown;
        const struct damos_part *matching = &breakdown->parts[DAMOS_HOLD_NONE];
        char size[UNIT_STRING_MAX], in_memory[UNIT_STRING_MAX], held[512] = "", waiting[64] = "";
        size_t n = 0;

        for (size_t i = DAMOS_HOLD_NONE + 1; i < _DAMOS_HOLD_MAX; i++)
                if (breakdown->parts[i].size > 0 && n < sizeof(held))
                        n += (size_t) snprintf(held + n, sizeof(held) - n, "%s %s (%s)",
                                               n == 0 ? "; held back by" : ",",
                                               damos_hold_to_string((enum damos_hold) i),
                                               unit_format_size_short(size, breakdown->parts[i].size));
        if (damos_quota_is_set(&scheme->quota))
                (void) snprintf(waiting, sizeof(waiting), ", %s wait for the quota",
                                unit_format_size_short(size, sz_waiting));
        log_info(DAMOND_MESSAGE_SNAPSHOT, "scheme %s now: %s match, %s in memory%s%s", scheme->name,
                 unit_format_size_short(size, matching->size),
                 unit_format_size_short(in_memory, matching->in_memory), waiting, held);
}

static void log_scheme(const struct manager *manager, const struct damos *scheme, uint64_t sz_waiting) {
        const struct damos_stat *stat = &scheme->stat;
        const struct damos_part *matching = &scheme->breakdown.parts[DAMOS_HOLD_NONE];
        char effective[64] = "";
        struct outcome_text outcome;

        outcome_format(&stat->outcome, &outcome);
        if (damos_quota_is_set(&scheme->quota))
                (void) snprintf(effective, sizeof(effective), " effective_bytes=%" PRIu64,
                                damos_quota_effective(&scheme->quota, &scheme->charge));
        log_info(DAMOND_MESSAGE_SNAPSHOT, "scheme %s: nr_tried=%" PRIu64 " sz_tried=%" PRIu64 " nr_applied=%" PRIu64
                 " sz_applied=%" PRIu64 " qt_exceeds=%" PRIu64 " sz_filtered=%" PRIu64 " nr_matching=%" PRIu64 " sz_matching=%" PRIu64
                 "%s%s state=%s%s%s",
                 scheme->name, stat->nr_tried, stat->sz_tried, stat->nr_applied, stat->sz_applied,
                 stat->qt_exceeds, stat->sz_filtered, matching->nr, matching->size,
                 outcome.numbers, effective,
                 scheme->wake.asleep ? "asleep" : "awake",
                 damos_guard_reason(&scheme->guard) != DAMOS_GUARD_NONE ? " held back" : "",
                 statistics_dry_run(manager, scheme) ? " (dry run)" : "");
        log_breakdown(scheme, sz_waiting);
}

void snapshot_log(const struct manager *manager) {
        const struct damon_attrs *attrs = damon_engine_attrs(manager->engine);
        char interval[UNIT_STRING_MAX], resolution[STATISTICS_RESOLUTION_MAX];
        const struct damos *schemes;
        size_t nr_schemes;

        for (size_t i = 0; i < manager->nr_attached; i++) {
                if (!log_is_journal())
                        print_regions(manager->attached[i].target, attrs);
                log_target(manager->attached[i].target);
        }
        schemes = damon_engine_schemes(manager->engine, &nr_schemes);
        for (size_t i = 0; i < nr_schemes; i++)
                log_scheme(manager, &schemes[i], damon_engine_sz_waiting(manager->engine, i));
        log_huge(page_idle_huge_stat(manager->page_idle));
        log_info(DAMOND_MESSAGE_SNAPSHOT, "monitoring: sample_interval=%s max_regions=%" PRIu32 " samples=%" PRIu64 " unknown=%" PRIu64
                 " missed_intervals=%" PRIu64 " cpu_usec=%" PRIu64 " action_cpu_usec=%" PRIu64 "%s",
                 unit_format_time(interval, attrs->sample_interval), attrs->max_regions,
                 manager->nr_samples, manager->nr_unknown, manager->nr_missed,
                 manager_monitoring_time(manager) / NSEC_PER_USEC,
                 page_idle_action_time(manager->page_idle) / NSEC_PER_USEC,
                 statistics_resolution(manager, resolution));
}

void snapshot_record(struct manager *manager) {
        const struct record *record = &manager->record;
        char path[PATH_MAX + 32];
        const char *fields[] = { path, NULL };
        struct damon_target *const *targets;
        enum record_news news;
        size_t nr;

        if (!record->path)
                return;
        targets = damon_engine_targets(manager->engine, &nr);
        news = record_append(&manager->record, targets, nr, manager_now());
        if (news == RECORD_NO_NEWS)
                return;
        (void) snprintf(path, sizeof(path), "DAMOND_RECORD=%s", record->path);
        if (news == RECORD_FAILED)
                log_record(LOG_WARNING, DAMOND_MESSAGE_RECORD_FAILED, fields,
                           "nothing is recorded: %s: %s; trying again every minute", record->path,
                           record_error_string(record->error));
        else
                log_record(LOG_INFO, DAMOND_MESSAGE_RECORD_RECOVERED, fields, "%s is recorded to again",
                           record->path);
}
