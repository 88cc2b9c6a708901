/* SPDX-License-Identifier: GPL-2.0-only */
/* See plan.h. */

#include "plan.h"

#include <stdlib.h>
#include <string.h>

struct plan *plan_free(struct plan *plan) {
        if (!plan)
                return NULL;

        for (size_t i = 0; i < plan->nr_targets + plan->nr_targets_off; i++) {
                free(plan->targets[i].name);
                free(plan->targets[i].comm);
                free(plan->targets[i].exe);
                if (plan->targets[i].cmdline)
                        regfree(&plan->targets[i].cmdline_regex);
                free(plan->targets[i].cmdline);
                free(plan->targets[i].user);
                free(plan->targets[i].unit);
                free(plan->targets[i].cgroup);
        }
        free(plan->targets);
        for (size_t i = 0; i < plan->nr_schemes + plan->nr_schemes_off; i++)
                damos_done(&plan->schemes[i]);
        free(plan->schemes);
        free(plan->record);
        for (size_t i = 0; i < plan->nr_files; i++)
                free(plan->files[i]);
        free(plan->files);
        free(plan->origins);
        free(plan);
        return NULL;
}

static bool string_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool plan_target_equal(const struct plan_target *a, const struct plan_target *b) {
        return string_equal(a->name, b->name) && a->pid == b->pid &&
                string_equal(a->comm, b->comm) && string_equal(a->exe, b->exe) &&
                string_equal(a->cmdline, b->cmdline) && string_equal(a->user, b->user) &&
                a->uid == b->uid && string_equal(a->unit, b->unit) &&
                string_equal(a->cgroup, b->cgroup) && a->children == b->children &&
                a->max_processes == b->max_processes;
}
