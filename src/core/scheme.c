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
        free(scheme->name);
        *scheme = (struct damos) {};
}

int damos_copy(struct damos *ret_scheme, const struct damos *scheme) {
        struct damos copy = *scheme;

        copy.targets = NULL;
        copy.nr_targets = 0;
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

static bool within(const struct damos_limits *limits, uint64_t value) {
        return value >= limits->min && value <= limits->max;
}

bool damos_matches(const struct damos *scheme, const struct damon_region *region,
                   const struct damon_attrs *attrs) {
        /* accesses too rare to show in nr_accesses are accesses all the same */
        uint32_t nr_accesses = MAX(region->nr_accesses, (uint32_t) region->accessed);
        uint64_t age;

        if (region->unknown && scheme->action != DAMOS_STAT)
                return false;
        if (region->absent && damos_lets_go(scheme->action))
                return false;
        if (__builtin_mul_overflow(region->age, attrs->aggregation_interval, &age))
                age = UINT64_MAX;
        return within(&scheme->pattern.size, damon_range_size(&region->range)) &&
               within(&scheme->pattern.nr_accesses, nr_accesses) &&
               within(&scheme->pattern.age, age);
}
