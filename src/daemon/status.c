/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How things are: in one line for "systemctl status", and in the log where they have changed for
 * worse or better. See manager.h.
 */

#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "unit.h"

/* Time between two status lines at least: a share of the CPU over less says little. */
#define STATUS_INTERVAL (5 * USEC_PER_SEC)

/* Time between two records that the budget binds or not, or that ticks are missed or not. */
#define NEWS_INTERVAL (60 * USEC_PER_SEC)

/* Sample intervals, of which a share that was missed says something. */
#define NR_JUDGED 20

/* Bytes in memory of regions that checks have found accessed, and idle, of all targets. */
static void sum_up(const struct manager *manager, uint64_t *ret_accessed, uint64_t *ret_cold) {
        struct damon_target *const *targets;
        size_t nr;

        *ret_accessed = *ret_cold = 0;
        targets = damon_engine_targets(manager->engine, &nr);
        for (size_t i = 0; i < nr; i++)
                for (size_t k = 0; k < targets[i]->regions.nr; k++) {
                        const struct damon_region *region = &targets[i]->regions.items[k];

                        if (!region->unknown)
                                *(region->accessed ? ret_accessed : ret_cold) +=
                                        targets[i]->residency.known ?
                                        damon_residency_size(&targets[i]->residency, region->range) :
                                        damon_range_size(&region->range);
                }
}

static void describe_targets(const struct manager *manager, char *buf, size_t size) {
        char accessed_string[UNIT_STRING_MAX], cold_string[UNIT_STRING_MAX];
        uint64_t accessed, cold;

        if (manager->plan->nr_targets == 0) {
                (void) snprintf(buf, size, "No targets are configured");
                return;
        }
        if (manager->asleep) {
                (void) snprintf(buf, size, "All schemes sleep by their watermarks, nothing is sampled");
                return;
        }
        if (manager->nr_attached == 0) {
                (void) snprintf(buf, size, "Waiting for processes of %zu target entr%s",
                                manager->plan->nr_targets, manager->plan->nr_targets == 1 ? "y" : "ies");
                return;
        }
        sum_up(manager, &accessed, &cold);
        (void) snprintf(buf, size, "%zu target%s, %zu regions, %s accessed, %s cold", manager->nr_attached,
                        manager->nr_attached == 1 ? "" : "s", damon_engine_nr_regions(manager->engine),
                        unit_format_size_short(accessed_string, accessed),
                        unit_format_size_short(cold_string, cold));
}

static void describe_cost(struct manager *manager, uint64_t now, char *buf, size_t size) {
        uint64_t cpu = manager_monitoring_time(manager), elapsed = now - manager->told.status_at;
        char used[UNIT_STRING_MAX], budget[UNIT_STRING_MAX], resolution[STATISTICS_RESOLUTION_MAX];
        uint32_t permyriad;
        size_t n;

        buf[0] = '\0';
        if (manager->nr_attached > 0 && !manager->asleep && manager->told.status_at > 0 && elapsed > 0) {
                permyriad = (uint32_t) ((cpu - manager->told.status_cpu) / NSEC_PER_USEC * 10000 / elapsed);
                n = (size_t) snprintf(buf, size, "; %s of a CPU",
                                      unit_format_percent(used, permyriad));
                if (manager->plan->cpu_budget > 0 && n < size)
                        (void) snprintf(buf + n, size - n, " of the %s budgeted",
                                        unit_format_percent(budget, manager->plan->cpu_budget));
                n = strlen(buf);
                (void) snprintf(buf + n, size - n, "%s", statistics_resolution(manager, resolution));
        }
        manager->told.status_at = now;
        manager->told.status_cpu = cpu;
}

void status_notify(struct manager *manager) {
        char targets[STATUS_MAX / 4], cost[STATUS_MAX / 2], status[STATUS_MAX];
        const char *refusal = manager->told.refusal;

        describe_targets(manager, targets, sizeof(targets));
        describe_cost(manager, manager_now(), cost, sizeof(cost));
        (void) snprintf(status, sizeof(status), "%s%s%s%s", targets, cost, refusal ? "; " : "",
                        refusal ? refusal : "");
        if (strcmp(status, manager->told.status) == 0)
                return;
        memcpy(manager->told.status, status, sizeof(status));
        (void) sd_notifyf(false, "STATUS=%s", status);
}

void status_set_refusal(struct manager *manager, char *refusal) {
        free(manager->told.refusal);
        manager->told.refusal = refusal;
}

const char *status_files(const struct manager *manager, char buf[static STATUS_FILES_MAX]) {
        size_t nr = manager->plan->nr_files - 1;
        int n;

        n = snprintf(buf, STATUS_FILES_MAX, "%s", manager->config_path);
        if (nr > 0 && n < STATUS_FILES_MAX)
                (void) snprintf(buf + n, STATUS_FILES_MAX - (size_t) n, " and %zu drop-in%s", nr,
                                nr == 1 ? "" : "s");
        return buf;
}

static void tell_budget(struct manager *manager, uint64_t now) {
        bool binds = governor_binds(&manager->governor);

        if (binds == manager->told.binds ||
            (manager->told.binds_at > 0 && now - manager->told.binds_at < NEWS_INTERVAL))
                return;
        statistics_log_budget(manager);
        manager->told.binds = binds;
        manager->told.binds_at = now;
}

/*
 * A tick that is late now and then is made good for by scaling. Where a quarter of them is missing
 * over a minute or more, the machine is too busy, or the intervals are too short for what is
 * monitored.
 */
static void tell_overrun(struct manager *manager, uint64_t now) {
        struct told *told = &manager->told;
        uint64_t passed = manager->nr_passed - told->behind_passed;
        uint64_t missed = manager->nr_missed - told->behind_missed;
        char nr_missed[64], interval[64], interval_string[UNIT_STRING_MAX];
        const char *fields[] = { nr_missed, interval, NULL };
        uint64_t sample_interval = manager->governor.attrs.sample_interval;
        bool behind = missed > passed / 4;

        if (now - told->behind_at < NEWS_INTERVAL || passed < NR_JUDGED)
                return;
        told->behind_at = now;
        told->behind_passed = manager->nr_passed;
        told->behind_missed = manager->nr_missed;
        if (behind == told->behind)
                return;
        told->behind = behind;
        (void) snprintf(nr_missed, sizeof(nr_missed), "DAMOND_NR_MISSED=%" PRIu64, missed);
        (void) snprintf(interval, sizeof(interval), "DAMOND_SAMPLE_INTERVAL_USEC=%" PRIu64, sample_interval);
        log_record(behind ? LOG_WARNING : LOG_INFO, DAMOND_MESSAGE_OVERRUN, fields,
                   "monitoring %s with the sample interval of %s: %" PRIu64 " of the last %" PRIu64
                   " intervals were missed", behind ? "does not keep up" : "keeps up again",
                   unit_format_time(interval_string, sample_interval), missed, passed);
}

void status_tell(struct manager *manager) {
        uint64_t now = manager_now();

        tell_budget(manager, now);
        tell_overrun(manager, now);
        if (now - manager->told.status_at >= STATUS_INTERVAL)
                status_notify(manager);
}
