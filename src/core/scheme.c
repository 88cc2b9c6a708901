/* SPDX-License-Identifier: GPL-2.0-only */
/* Schemes: see scheme.h. */

#include <damond/scheme.h>

#include <assert.h>
#include <string.h>

#include "macro.h"

static const char *const action_names[_DAMOS_ACTION_MAX] = {
        [DAMOS_WILLNEED] = "willneed",
        [DAMOS_COLD] = "cold",
        [DAMOS_PAGEOUT] = "pageout",
        [DAMOS_HUGEPAGE] = "hugepage",
        [DAMOS_NOHUGEPAGE] = "nohugepage",
        [DAMOS_STAT] = "stat",
        [DAMOS_HUGEPAGE_HINT] = "hugepage_hint",
};

const char *damos_action_to_string(enum damos_action action) {
        assert((size_t) action < ELEMENTSOF(action_names));
        return action_names[action];
}

int damos_action_from_string(const char *name, enum damos_action *ret_action) {
        for (size_t i = 0; i < ELEMENTSOF(action_names); i++)
                if (strcmp(name, action_names[i]) == 0) {
                        *ret_action = (enum damos_action) i;
                        return 0;
                }
        return -EINVAL;
}

void damos_done(struct damos *scheme) {
        for (size_t i = 0; i < scheme->nr_targets; i++)
                free(scheme->targets[i]);
        free(scheme->targets);
        for (size_t i = 0; i < scheme->quota.nr_goals; i++)
                free(scheme->quota.goals[i].file);
        free(scheme->quota.goals);
        damos_filters_done(&scheme->filters);
        free(scheme->name);
        *scheme = (struct damos) {};
}

static int copy_goals(struct damos_quota *quota, const struct damos_quota *from) {
        quota->goals = calloc(from->nr_goals, sizeof(quota->goals[0]));
        if (!quota->goals)
                return -ENOMEM;
        for (size_t i = 0; i < from->nr_goals; i++) {
                struct damos_goal *goal = &quota->goals[quota->nr_goals++];

                *goal = from->goals[i];
                goal->file = NULL;
                if (from->goals[i].file && !(goal->file = strdup(from->goals[i].file)))
                        return -ENOMEM;
        }
        return 0;
}

int damos_copy(struct damos *ret_scheme, const struct damos *scheme) {
        struct damos copy = *scheme;

        copy.targets = NULL;
        copy.nr_targets = 0;
        copy.quota.goals = NULL;
        copy.quota.nr_goals = 0;
        copy.filters = (struct damos_filters) {};
        copy.name = strdup(scheme->name);
        if (!copy.name)
                return -ENOMEM;
        if (scheme->nr_targets > 0) {
                copy.targets = calloc(scheme->nr_targets, sizeof(copy.targets[0]));
                if (!copy.targets)
                        goto no_memory;
        }
        for (size_t i = 0; i < scheme->nr_targets; i++) {
                copy.targets[i] = strdup(scheme->targets[i]);
                if (!copy.targets[i])
                        goto no_memory;
                copy.nr_targets++;
        }
        if (scheme->quota.nr_goals > 0 && copy_goals(&copy.quota, &scheme->quota) < 0)
                goto no_memory;
        if (damos_filters_copy(&copy.filters, &scheme->filters) < 0)
                goto no_memory;
        *ret_scheme = copy;
        return 0;

no_memory:
        damos_done(&copy);
        return -ENOMEM;
}

static bool limits_equal(const struct damos_limits *a, const struct damos_limits *b) {
        return a->min == b->min && a->max == b->max;
}

bool damos_same_rule(const struct damos *a, const struct damos *b) {
        if (strcmp(a->name, b->name) != 0 || a->action != b->action ||
            !limits_equal(&a->pattern.size, &b->pattern.size) ||
            !limits_equal(&a->pattern.nr_accesses, &b->pattern.nr_accesses) ||
            !limits_equal(&a->pattern.age, &b->pattern.age) ||
            a->dry_run != b->dry_run || a->apply_interval != b->apply_interval ||
            !damos_watermarks_equal(&a->watermarks, &b->watermarks) ||
            !damos_filters_equal(&a->filters, &b->filters) ||
            a->returned_within != b->returned_within || a->guarded != b->guarded ||
            !damos_quota_equal(&a->quota, &b->quota) || a->nr_targets != b->nr_targets)
                return false;
        for (size_t i = 0; i < a->nr_targets; i++)
                if (strcmp(a->targets[i], b->targets[i]) != 0)
                        return false;
        return true;
}

bool damos_is_for(const struct damos *scheme, const struct damon_target *target) {
        for (size_t i = 0; i < scheme->nr_targets; i++)
                if (strcmp(scheme->targets[i], target->name) == 0)
                        return true;
        return scheme->nr_targets == 0;
}
