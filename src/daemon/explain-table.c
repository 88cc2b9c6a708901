/* SPDX-License-Identifier: GPL-2.0-only */
/* A table for people: see explain-table.h. */

#include "explain-table.h"

#include <inttypes.h>
#include <string.h>

#include "conf-write.h"
#include "macro.h"
#include "unit.h"

int explain_table_init(struct explain_table *table, const struct plan *plan) {
        /* one more, so that none is no special case */
        *table = (struct explain_table) {
                .plan = plan,
                .breakdowns = calloc(plan->nr_schemes * plan->nr_targets + 1, sizeof(*table->breakdowns)),
                .nr_processes = calloc(plan->nr_targets + 1, sizeof(*table->nr_processes)),
                .filtered = calloc(plan->nr_schemes + 1, sizeof(*table->filtered)),
                .asleep = calloc(plan->nr_schemes + 1, sizeof(*table->asleep)),
        };
        if (table->breakdowns && table->nr_processes && table->filtered && table->asleep)
                return 0;
        explain_table_done(table);
        return -ENOMEM;
}

void explain_table_done(struct explain_table *table) {
        free(table->breakdowns);
        free(table->nr_processes);
        free(table->filtered);
        for (size_t i = 0; table->asleep && i < table->plan->nr_schemes; i++)
                free(table->asleep[i]);
        free(table->asleep);
        *table = (struct explain_table) {};
}

static struct damos_breakdown *breakdown_of(const struct explain_table *table, size_t scheme, size_t entry) {
        return &table->breakdowns[scheme * table->plan->nr_targets + entry];
}

static void add_target(struct explain_table *table, size_t entry, const struct damon_target *target,
                       const struct damon_attrs *attrs) {
        const struct plan *plan = table->plan;

        table->nr_processes[entry]++;
        table->is_residency_known &= target->residency.known;
        for (size_t i = 0; i < plan->nr_schemes; i++)
                damos_breakdown_add(breakdown_of(table, i, entry), &plan->schemes[i], target, attrs);
}

void explain_table_fill(struct explain_table *table, struct damon_target *const *targets, size_t nr,
                        const struct damon_attrs *attrs) {
        const struct plan *plan = table->plan;

        memset(table->breakdowns, 0, plan->nr_schemes * plan->nr_targets * sizeof(*table->breakdowns));
        memset(table->nr_processes, 0, plan->nr_targets * sizeof(*table->nr_processes));
        table->is_residency_known = true;
        for (size_t i = 0; i < nr; i++)
                for (size_t k = 0; k < plan->nr_targets; k++)
                        if (!targets[i]->gone && strcmp(targets[i]->name, plan->targets[k].name) == 0)
                                add_target(table, k, targets[i], attrs);
}

uint64_t explain_table_age(const struct explain_table *table) {
        uint64_t age = 0;

        for (size_t i = 0; i < table->plan->nr_schemes; i++)
                age = MAX(age, table->plan->schemes[i].pattern.age.min);
        return age;
}

/* As it is configured; what is at its default is left out where it says nothing. */
static void print_rule(const struct explain_table *table, const struct damos *scheme, FILE *f) {
        fprintf(f, "\nscheme %s: %s; size = ", scheme->name, damos_action_to_string(scheme->action));
        conf_write_size_range(table->plan, &scheme->pattern.size, f);
        fputs("; nr_accesses = ", f);
        conf_write_nr_accesses_range(table->plan, &scheme->pattern.nr_accesses, f);
        fputs("; age = ", f);
        conf_write_age_range(table->plan, &scheme->pattern.age, f);
        fputs(scheme->dry_run ? "; dry run\n" : "\n", f);
}

static void print_part(const char *what, const struct damos_part *part, const char *note, FILE *f) {
        char in_memory[UNIT_STRING_MAX], size[UNIT_STRING_MAX];

        fprintf(f, "    %-27s %11s %11s %9" PRIu64 "%s\n", what,
                unit_format_size_short(in_memory, part->in_memory), unit_format_size_short(size, part->size),
                part->nr, note);
}

/* Ages of many seconds need no milliseconds. */
static char *format_age(char buf[static UNIT_STRING_MAX], uint64_t age) {
        uint64_t step = age >= 10 * USEC_PER_SEC ? USEC_PER_SEC : USEC_PER_MSEC;

        return unit_format_time(buf, age / step * step);
}

static void print_target(const struct explain_table *table, size_t i, size_t entry, FILE *f) {
        const struct damos_breakdown *breakdown = breakdown_of(table, i, entry);
        size_t nr = table->nr_processes[entry];
        const char *name = table->plan->targets[entry].name;

        if (nr == 0) {
                fprintf(f, "  target %s: no process\n", name);
                return;
        }
        if (breakdown->parts[DAMOS_HOLD_TARGET].nr > 0) {
                fprintf(f, "  target %s: the scheme is not for it\n", name);
                return;
        }
        fprintf(f, "  target %s: %zu process%s\n", name, nr, nr == 1 ? "" : "es");
        print_part("matches now", &breakdown->parts[DAMOS_HOLD_NONE], "", f);
        for (size_t hold = DAMOS_HOLD_NONE + 1; hold < _DAMOS_HOLD_MAX; hold++) {
                char what[64], age[UNIT_STRING_MAX], note[64] = "";

                if (breakdown->parts[hold].nr == 0)
                        continue;
                (void) snprintf(what, sizeof(what), "held back: %s", damos_hold_to_string((enum damos_hold) hold));
                if (hold == DAMOS_HOLD_AGE)
                        (void) snprintf(note, sizeof(note), "  up to %s old", format_age(age, breakdown->age));
                print_part(what, &breakdown->parts[hold], note, f);
        }
}

/* As in the first window, before it is known how long actions take. */
static void print_quota(const struct explain_table *table, size_t i, FILE *f) {
        const struct damos *scheme = &table->plan->schemes[i];
        uint64_t size = 0, allowed = damos_quota_effective(&scheme->quota, &(struct damos_charge) {});
        char interval[UNIT_STRING_MAX], now[UNIT_STRING_MAX], later[UNIT_STRING_MAX];

        if (!damos_quota_is_set(&scheme->quota))
                return;
        for (size_t entry = 0; entry < table->plan->nr_targets; entry++)
                size += breakdown_of(table, i, entry)->parts[DAMOS_HOLD_NONE].size;
        fprintf(f, "  held back: quota, which allows about %s in %s: %s wait\n",
                unit_format_size_short(now, allowed), unit_format_time(interval, scheme->quota.interval),
                unit_format_size_short(later, size - MIN(size, allowed)));
}

static void print_scheme(const struct explain_table *table, size_t i, uint64_t watched, FILE *f) {
        const struct damos *scheme = &table->plan->schemes[i];
        char seen[UNIT_STRING_MAX], wanted[UNIT_STRING_MAX];

        print_rule(table, scheme, f);
        fprintf(f, "    %-27s %11s %11s %9s\n", "", "in memory", "addresses", "regions");
        for (size_t entry = 0; entry < table->plan->nr_targets; entry++)
                print_target(table, i, entry, f);
        if (scheme->filters.nr > 0)
                fprintf(f, "  held back: filters: %s of what matches\n",
                        unit_format_size_short(seen, table->filtered[i]));
        print_quota(table, i, f);
        if (table->asleep[i])
                fprintf(f, "  held back: watermarks: %s\n", table->asleep[i]);
        if (watched < scheme->pattern.age.min)
                fprintf(f, "  watched for %s only: what is %s old cannot be told yet\n",
                        format_age(seen, watched), unit_format_time(wanted, scheme->pattern.age.min));
}

void explain_table_print(const struct explain_table *table, uint64_t watched, FILE *f) {
        const struct plan *plan = table->plan;

        for (size_t i = 0; i < plan->nr_schemes; i++)
                print_scheme(table, i, watched, f);
        if (!table->is_residency_known)
                fputs("\nWhat is in memory is not known, and all addresses are taken to be.\n", f);
}
