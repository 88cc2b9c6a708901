/* SPDX-License-Identifier: GPL-2.0-only */
/* The governor: see governor.h. */

#include "governor.h"

#include "macro.h"
#include "unit.h"

#define BP_ALL 10000

void governor_init(struct governor *governor, uint32_t budget, uint64_t sample_interval) {
        *governor = (struct governor) {
                .budget = budget,
                .sample_interval = sample_interval,
        };
}

void governor_resume(struct governor *governor) {
        governor->spent = 0;
        governor->nr_samples = 0;
}

static int64_t sec_budget(const struct governor *governor) {
        return (int64_t) (NSEC_PER_SEC / BP_ALL * governor->budget);
}

void governor_charge(struct governor *governor, uint64_t cpu, uint64_t elapsed, uint64_t nr_samples) {
        /* more than a day has long filled the credit */
        uint64_t usec = MIN(elapsed, 86400 * USEC_PER_SEC);

        governor->credit += (int64_t) (usec * NSEC_PER_USEC / BP_ALL * governor->budget);
        governor->credit = MIN(governor->credit, sec_budget(governor)) - (int64_t) cpu;
        governor->spent += cpu;
        governor->nr_samples += nr_samples;
}

uint64_t governor_delay(const struct governor *governor) {
        if (governor->budget == 0 || governor->credit >= 0)
                return 0;
        return (uint64_t) -governor->credit / NSEC_PER_USEC * BP_ALL / governor->budget + 1;
}

/* Dearer at once, cheaper by and by: a cost that swings must not break the promise. */
static void estimate_cost(struct governor *governor) {
        uint64_t cost;

        if (governor->nr_samples == 0)
                return;
        cost = governor->spent / governor->nr_samples;
        governor->cost = MAX(cost, (3 * governor->cost + cost) / 4);
        governor->spent = 0;
        governor->nr_samples = 0;
}

uint64_t governor_interval(struct governor *governor, uint64_t current, uint64_t nr_regions) {
        uint64_t afforded;

        if (governor->budget == 0)
                return governor->sample_interval;
        estimate_cost(governor);

        /* interval = cost of a step / share of the CPU; nine tenths of the budget to aim at */
        afforded = governor->cost * nr_regions / NSEC_PER_USEC * BP_ALL / governor->budget * 10 / 9;
        if (afforded <= governor->sample_interval)
                return governor->sample_interval;
        if (afforded <= current && current <= afforded + afforded / 2)
                return current;
        return afforded + afforded / 8;
}
