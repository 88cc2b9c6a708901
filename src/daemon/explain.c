/* SPDX-License-Identifier: GPL-2.0-only */
/* What would schemes match? See explain.h. */

#include "explain.h"

#include <string.h>

#include "explain-table.h"
#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "unit.h"

/*
 * Aggregations beyond the ages that schemes ask for: regions need some to find the borders of what is
 * used, and what was accessed just when it was first looked at needs to grow old, too.
 */
#define NR_SETTLE 20

/**
 * struct explanation - watching that goes on
 * @manager:    who does it; borrowed
 * @table:      what was found last
 * @is_filled:  anything was found
 * @began_at:   when it began, CLOCK_MONOTONIC, microseconds
 */
struct explanation {
        struct manager *manager;
        struct explain_table table;
        bool is_filled;
        uint64_t began_at;
};

static void observe(struct damon_target *const *targets, size_t nr, const struct damon_attrs *attrs,
                    void *userdata) {
        struct explanation *explanation = userdata;
        uint64_t watched = manager_now() - explanation->began_at;
        uint64_t age = explain_table_age(&explanation->table);

        explain_table_fill(&explanation->table, targets, nr, attrs);
        explanation->is_filled = true;
        if (watched >= age && watched - age >= NR_SETTLE * attrs->aggregation_interval)
                (void) sd_event_exit(explanation->manager->event, 0);
}

/* After whatever has happened. */
static int on_post(sd_event_source *source, void *userdata) {
        struct manager *manager = userdata;

        return manager->nr_attached > 0 ? 0 : sd_event_exit(manager->event, 0);
}

static int watch(struct explanation *explanation, uint64_t limit) {
        struct manager *manager = explanation->manager;
        uint64_t settled = NR_SETTLE * manager->plan->attrs.aggregation_interval;
        char time[UNIT_STRING_MAX];
        int r;

        /* without a handler, the event ends the loop */
        if ((r = sd_event_add_post(manager->event, NULL, on_post, manager)) < 0 ||
            (limit > 0 && (r = sd_event_add_time_relative(manager->event, NULL, CLOCK_MONOTONIC, limit, 0,
                                                          NULL, NULL)) < 0))
                return r;
        fprintf(stderr, "damond: watching %zu process%s for %s %s; Ctrl-C shows what is known until then\n",
                manager->nr_attached, manager->nr_attached == 1 ? "" : "es", limit > 0 ? "at most" : "at least",
                unit_format_time(time, limit > 0 ? limit : explain_table_age(&explanation->table) + settled));
        return sd_event_loop(manager->event);
}

/* What takes too long to be found out in each aggregation, or does not depend on them. */
static int fill_rest(struct explanation *explanation) {
        struct explain_table *table = &explanation->table;
        char reason[ADJUST_REASON_MAX];

        for (size_t i = 0; i < explanation->manager->plan->nr_schemes; i++) {
                int r;

                if (table->plan->schemes[i].filters.nr > 0 &&
                    (r = damon_engine_filtered(explanation->manager->engine, i, &table->filtered[i])) < 0)
                        return r;
                if (!adjust_sleep_reason(explanation->manager, i, reason))
                        continue;
                table->asleep[i] = strdup(reason);
                if (!table->asleep[i])
                        return -ENOMEM;
        }
        return 0;
}

static void print(const struct explanation *explanation, FILE *f) {
        uint64_t watched = manager_now() - explanation->began_at;
        char resolution[STATISTICS_RESOLUTION_MAX], time[UNIT_STRING_MAX];

        if (!explanation->is_filled) {
                fputs("Watched for too short a time: no aggregation has ended.\n", f);
                return;
        }
        fprintf(f, "Watched for %s%s; nothing was acted on.\n",
                unit_format_time(time, watched / USEC_PER_SEC * USEC_PER_SEC),
                statistics_resolution(explanation->manager, resolution));
        explain_table_print(&explanation->table, watched, f);
}

int explain_run(struct manager *manager, uint64_t limit, FILE *f) {
        struct explanation explanation = { .manager = manager, .began_at = manager_now() };
        int r;

        if (manager->plan->nr_schemes == 0) {
                fputs("No schemes are configured: nothing would be done.\n", f);
                return 0;
        }
        r = explain_table_init(&explanation.table, manager->plan);
        if (r < 0) {
                log_error(DAMOND_MESSAGE_FAILED, "out of memory");
                return r;
        }
        damon_engine_observe(manager->engine, observe, &explanation);
        targets_scan(manager);
        if (manager->nr_attached == 0)
                fputs("No process is selected: nothing would be watched.\n", f);
        else if ((r = watch(&explanation, limit)) < 0 || (r = fill_rest(&explanation)) < 0)
                log_error(DAMOND_MESSAGE_FAILED, "cannot watch: %s", strerror(-r));
        else
                print(&explanation, f);
        explain_table_done(&explanation.table);
        return r;
}
