/* SPDX-License-Identifier: GPL-2.0-only */
/* The governor: see governor.h. */

#include "governor.h"

#include <string.h>

#include "macro.h"
#include "unit.h"

#define BP_ALL 10000

/* Share of the budget to aim at; the rest is for what cannot be foreseen. */
#define AIM 0.95

/* Share of the budget that ten seconds may see, if nothing unforeseen happens; and that at least
 * is left for samples while looking for targets and updates are still made rarer. */
#define PEAK 1.15
#define LEAST 0.15
#define WINDOW 10e6

/* What the budget affords, as a share of what is in force, that is not worth a change. A step
 * that comes a little late costs less than a change does, budget that is left over is lost. */
#define NEAR_LOW 0.93
#define NEAR_HIGH 1.12

/* The same for a shorter interval soon after a change, for so many microseconds. A longer one cannot
 * wait: where steps come late, checks find what was accessed in a longer time than is said. */
#define NEAR_LOW_SOON 0.65
#define SOON 20e6

/* Shortest step that the regions are shared out between, and most steps that they are: what a step
 * costs by itself is not worth more of them. */
#define STEP_MIN UINT64_C(20000)
#define SPACING_MAX UINT64_C(4)

/* Sample interval, as a share of its limit, below which a target may have more regions again:
 * less than a half, as a split may double their number. */
#define ROOM 0.45

/* Regions after the next split, as a share of what is afforded, that are too many to wait and see;
 * and to which they are taken down. */
#define SPLIT_MAX 2.4
#define FIT 0.9

/* Times the interval in force that the afforded one must be to be taken before an aggregation ends. */
#define URGENT 1.5

/* Aggregations from one change of the number of regions to the next: the first of them still
 * merges down, and where there is room again, nobody is in a hurry. */
#define HOLD_LOWER 2
#define HOLD_RAISE 5

/* Share of the budget that updates may take where it binds, steps there are between them, so
 * that they can be told from what a step usually costs, microseconds at most, and the change of
 * their interval that is worth its price. */
#define UPDATE_SHARE 0.25
#define UPDATE_STEPS 4
#define UPDATE_LIMIT (60 * USEC_PER_SEC)
#define UPDATE_NEAR 1.25

/* Microseconds whose budget may be saved up: less of it makes steps late that cost a little more than
 * others, more of it is spent beside an update that nobody could foresee. */
#define SAVED_LIMIT (USEC_PER_SEC / 2)

/* Microseconds for which a debt is remembered, more or less: the next one may be as high. */
#define DEBT_MEMORY (2 * WINDOW)

/* Share of the budget that is held back for it at most. */
#define DEBT_SHARE 0.15

/* Longest sample interval, microseconds: a day, so that no product of it overflows. */
#define INTERVAL_MAX (86400 * USEC_PER_SEC)

/* What was learned counts as much as so many steps, or microseconds, of news. */
#define MEMORY_STEPS 40.0
#define MEMORY_TIME 60e6
#define MEMORY_REGIONS 25e6

/* Times the usual cost of a step up to which another step is a usual one. */
#define USUAL 1.5

/* Steps that are enough to believe that everything costs something else now. */
#define CONVINCING 8
#define DIFFERENT 0.3

void governor_init(struct governor *governor, uint32_t budget, const struct damon_attrs *configured) {
        *governor = (struct governor) {
                .budget = budget,
                .configured = *configured,
                .attrs = *configured,
                .nr_held = HOLD_LOWER,
                .kept = SOON,
        };
}

void governor_resume(struct governor *governor) {
        governor->period = (struct governor_period) {};
        governor->nr_regions = 0;
        governor->credit = MIN(governor->credit, 0);
}

/* Nanoseconds of CPU time that a microsecond affords. */
static double rate(const struct governor *governor) {
        return (double) NSEC_PER_USEC / BP_ALL * governor->budget;
}

static int compare_double(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return x < y ? -1 : x > y;
}

/* The median: neither updates nor outliers move it. */
static double usual_cost(const struct governor *governor) {
        double sorted[GOVERNOR_NR_RECENT];

        memcpy(sorted, governor->recent, sizeof(sorted));
        qsort(sorted, governor->nr_recent, sizeof(sorted[0]), compare_double);
        return sorted[governor->nr_recent / 2];
}

/* Sample intervals from one sample of a region to the next. */
static double spacing(const struct damon_attrs *attrs) {
        return MAX(attrs->sample_every, 1U);
}

/* Tell the parts of what a step has cost from each other. */
static void note_step(struct governor *governor, double cpu, const struct governor_step *step) {
        struct governor_period *period = &governor->period;
        double nr = (double) step->nr_samples, usual;
        double update = MIN((double) step->update_cpu, cpu);
        /* where each step lasts an aggregation, too much is learned rather than nothing for ever */
        bool first = governor->nr_recent == 0;

        period->updates += update;
        cpu -= update;
        if (step->nr_samples > 0 && (!step->aggregated || first)) {
                governor->recent[governor->next_recent] = cpu / nr;
                governor->next_recent = (governor->next_recent + 1) % GOVERNOR_NR_RECENT;
                governor->nr_recent = MIN(governor->nr_recent + 1, (size_t) GOVERNOR_NR_RECENT);
        }
        if (step->nr_samples == 0 || governor->nr_recent == 0) {
                period->between += cpu;
                return;
        }
        usual = usual_cost(governor) * nr;
        usual = MIN(cpu, step->aggregated ? usual : usual * USUAL);
        if (!step->aggregated || !first)
                governor->usual = usual;
        period->steps += usual;
        period->nr_samples += nr;
        period->nr_steps++;
        if (step->aggregated) {
                period->aggregations += cpu - usual;
                period->nr_aggregated += nr * spacing(&governor->attrs);
        } else
                period->between += cpu - usual;
}

/*
 * Nanoseconds of credit that a microsecond earns: its budget, or less where a usual step, or what came
 * beside steps of late, takes more than the budget of a second, as ten seconds may end with one of these.
 */
static double earned(const struct governor *governor) {
        double second = (double) USEC_PER_SEC * rate(governor);
        double usual = MAX(governor->usual - second, 0.0) / WINDOW;
        double debt = MIN(MAX(governor->debt - second, 0.0) / WINDOW, DEBT_SHARE * rate(governor));

        return MAX(rate(governor) - MAX(usual, debt), rate(governor) / 2);
}

void governor_charge(struct governor *governor, uint64_t cpu, uint64_t elapsed,
                     const struct governor_step *step) {
        /* more than a day has long filled the credit */
        uint64_t usec = MIN(elapsed, 86400 * USEC_PER_SEC);
        uint64_t saved = SAVED_LIMIT - MIN(governor->attrs.sample_interval, SAVED_LIMIT);
        double most;

        if (governor->budget == 0)
                return;
        most = MAX((double) USEC_PER_SEC * rate(governor) - governor->usual, 0.0);
        most = MIN(most, (double) saved * rate(governor));
        governor->credit += (int64_t) ((double) usec * earned(governor));
        governor->credit = MIN(governor->credit, (int64_t) most) - (int64_t) cpu;
        governor->debt -= governor->debt * MIN((double) usec / DEBT_MEMORY, 1.0);
        governor->debt = MAX(governor->debt, (double) -governor->credit);

        governor->period.elapsed += (double) usec;
        if (step)
                note_step(governor, (double) cpu, step);
        else
                governor->period.between += (double) cpu;
}

uint64_t governor_delay(const struct governor *governor) {
        if (governor->budget == 0 || governor->credit >= 0)
                return 0;
        return (uint64_t) ((double) -governor->credit / earned(governor)) + 1;
}

/* A mean that forgets: @weight is that of @news, @learned what went into the mean so far. */
static void blend(double *mean, double news, double weight, double learned, double memory) {
        *mean += (news - *mean) * weight / (weight + MIN(learned, memory));
}

static uint64_t update_every(const struct damon_attrs *attrs) {
        return MAX(attrs->update_interval, attrs->sample_interval);
}

static void learn(struct governor *governor) {
        const struct governor_period *period = &governor->period;

        if (period->nr_samples > 0) {
                double sample = period->steps / period->nr_samples;
                double change = sample / governor->sample;

                if (period->nr_steps >= CONVINCING && (change > 1 + DIFFERENT || change < 1 - DIFFERENT))
                        governor->nr_learned = 0;
                blend(&governor->sample, sample, period->nr_steps, governor->nr_learned, MEMORY_STEPS);
                governor->nr_learned += period->nr_steps;
        }
        if (period->nr_aggregated > 0) {
                blend(&governor->aggregation, period->aggregations / period->nr_aggregated, 1,
                      governor->nr_aggregations, 3);
                governor->nr_aggregations++;
        }
        if (period->elapsed > 0) {
                double update = period->updates / period->elapsed * (double) update_every(&governor->attrs);

                blend(&governor->update, update, period->elapsed, governor->learned, MEMORY_TIME);
                blend(&governor->between, period->between / period->elapsed, period->elapsed,
                      governor->learned, MEMORY_TIME);
                governor->learned += period->elapsed;
        }
        governor->period = (struct governor_period) {};
}

/* CPU time of a sample of a region: a mark and a check, and its part of an aggregation. */
static double region_cost(const struct governor *governor, const struct damon_attrs *attrs) {
        uint32_t nr_checks = damon_attrs_max_nr_accesses(&governor->configured);

        return 2 * (governor->sample + governor->aggregation * spacing(attrs) / nr_checks);
}

static bool differ(const struct damon_attrs *a, const struct damon_attrs *b) {
        return a->sample_interval != b->sample_interval || a->update_interval != b->update_interval ||
               a->max_regions != b->max_regions || a->sample_every != b->sample_every;
}

/* Whether the budget affords the configured intervals; if it did not until now, with room to spare. */
static bool affords_configured(const struct governor *governor) {
        const struct damon_attrs *configured = &governor->configured;
        double use = governor->between + governor->update / (double) update_every(configured) +
                governor->nr_regions * region_cost(governor, configured) / (double) configured->sample_interval;

        return use <= AIM * rate(governor) * (differ(&governor->attrs, configured) ? NEAR_LOW : NEAR_HIGH);
}

/* The shortest update interval that leaves enough of the budget for samples. */
static uint64_t afforded_update(const struct governor *governor, uint64_t sample_interval) {
        uint64_t shortest = MAX(governor->configured.update_interval, UPDATE_STEPS * sample_interval);
        double wanted = governor->update / (UPDATE_SHARE * rate(governor));

        if (wanted <= (double) shortest)
                return shortest;
        return wanted < (double) UPDATE_LIMIT ? (uint64_t) wanted : MAX(shortest, UPDATE_LIMIT);
}

/* The time from one sample of a region to the next that affords so many of them. */
static double afforded_interval(const struct governor *governor, double nr_regions) {
        double update_interval = (double) afforded_update(governor, governor->attrs.sample_interval);
        double updates = governor->update / update_interval, rest = governor->between + updates;
        double cost = nr_regions * region_cost(governor, &governor->attrs), peak, available;

        /* Ten seconds may see a step, an update and an aggregation more than their share. */
        peak = governor->between + (update_interval < WINDOW ? updates : 0) +
                (cost + governor->update + 2 * nr_regions * governor->aggregation) / WINDOW;
        available = MIN(AIM * rate(governor) - rest, PEAK * rate(governor) - peak);
        return cost / MAX(available, LEAST * rate(governor));
}

/* Most regions a target, of those that there are now, for so many in all. */
static uint32_t fit_regions(const struct governor *governor, struct damon_target *const *targets,
                            size_t nr_targets, double nr_regions) {
        uint32_t low = governor->configured.min_regions, high = governor->attrs.max_regions;

        while (low < high) {
                uint32_t middle = high - (high - low) / 2;
                double sum = 0;

                for (size_t i = 0; i < nr_targets; i++)
                        sum += (double) MIN(damon_target_nr_sampled(targets[i]), (size_t) middle);
                if (sum <= nr_regions)
                        low = middle;
                else
                        high = middle - 1;
        }
        return low;
}

/* @afforded: regions of all targets that the interval's limit affords */
static void choose_max_regions(struct governor *governor, struct damon_target *const *targets,
                               size_t nr_targets, double afforded, bool aggregated) {
        uint32_t max = governor->attrs.max_regions, before = max;
        double split = 0;

        for (size_t i = 0; i < nr_targets; i++)
                split += (double) MIN(2 * damon_target_nr_sampled(targets[i]), (size_t) max);
        governor->nr_held += aggregated;
        if ((governor->nr_regions > afforded && governor->nr_held >= HOLD_LOWER) ||
            split > SPLIT_MAX * afforded)
                max = fit_regions(governor, targets, nr_targets, FIT * afforded);
        else if (governor->nr_regions < ROOM * afforded && governor->nr_held >= HOLD_RAISE)
                max = (uint32_t) MIN(UINT64_C(2) * max, (uint64_t) governor->configured.max_regions);
        if (max == before)
                return;
        governor->attrs.max_regions = max;
        governor->nr_held = 0;
        governor->watched = 0;
}

/* Three digits, rounded up: people read them. */
static uint64_t round_up(double interval) {
        uint64_t value = interval < (double) INTERVAL_MAX ? (uint64_t) interval : INTERVAL_MAX, digit = 1;

        while (value / digit >= 1000)
                digit *= 10;
        return (value + digit - 1) / digit * digit;
}

/* Keep an interval that is near enough to the one that is afforded. */
static uint64_t choose_interval(uint64_t current, double afforded, double low, double high) {
        if (afforded > high * (double) current || afforded < low * (double) current)
                return round_up(afforded);
        return current;
}

/* The mean over a while, but if it says little of what is there now. */
static void note_regions(struct governor *governor, size_t nr_regions, bool aggregated) {
        double nr = (double) nr_regions, aggregation = (double) governor->attrs.aggregation_interval;
        double memory = MAX(MEMORY_REGIONS, 3 * aggregation);

        if (nr > 2 * governor->nr_regions || nr < 0.4 * governor->nr_regions)
                governor->watched = 0;
        else if (!aggregated)
                return;
        blend(&governor->nr_regions, nr, aggregation, governor->watched, memory);
        governor->watched += aggregation;
}

/*
 * Sample each region once in so many microseconds: with a part of them in each step, so that there
 * are more aggregations, and the samples can be where they are worth most.
 */
static void space_samples(struct governor *governor, uint64_t usec) {
        uint64_t shortest = governor->configured.sample_interval, every;

        every = MIN(usec / MAX(shortest, STEP_MIN), SPACING_MAX);
        governor->attrs.sample_every = (uint32_t) MAX(every, UINT64_C(1));
        governor->attrs.sample_interval =
                MAX(round_up((double) usec / governor->attrs.sample_every), shortest);
}

bool governor_tune(struct governor *governor, struct damon_target *const *targets, size_t nr_targets,
                   bool aggregated) {
        const struct damon_attrs *configured = &governor->configured;
        struct damon_attrs *attrs = &governor->attrs, before = *attrs;
        double afforded, wanted, limit, least, current;
        size_t nr_regions = 0;
        uint64_t chosen;
        bool soon;

        for (size_t i = 0; i < nr_targets; i++)
                nr_regions += damon_target_nr_sampled(targets[i]);
        if (governor->budget == 0)
                return false;
        learn(governor);
        if (governor->nr_learned < 1 || nr_regions == 0)
                return false;
        note_regions(governor, nr_regions, aggregated);
        governor->kept += aggregated ? (double) attrs->aggregation_interval : 0;
        soon = governor->kept < SOON;

        afforded = afforded_interval(governor, governor->nr_regions);
        current = (double) attrs->sample_interval * spacing(attrs);
        if (!aggregated && afforded < URGENT * current)
                return false;
        limit = (double) MAX(GOVERNOR_SPACING_LIMIT, configured->sample_interval);
        if (affords_configured(governor)) {
                attrs->sample_interval = configured->sample_interval;
                attrs->sample_every = configured->sample_every;
                attrs->update_interval = configured->update_interval;
        } else {
                /* with regions that it is not in max_regions to take away */
                least = afforded_interval(governor, (double) nr_targets * (configured->min_regions + 2.0));
                wanted = MIN(afforded, MAX(limit, least));
                chosen = choose_interval((uint64_t) current, wanted, soon ? NEAR_LOW_SOON : NEAR_LOW, NEAR_HIGH);
                if (chosen != (uint64_t) current)
                        space_samples(governor, chosen);
                wanted = (double) afforded_update(governor, attrs->sample_interval);
                chosen = choose_interval(attrs->update_interval, wanted, 1 / UPDATE_NEAR, UPDATE_NEAR);
                attrs->update_interval = MAX(chosen, configured->update_interval);
        }
        choose_max_regions(governor, targets, nr_targets, governor->nr_regions * limit / afforded,
                           aggregated);
        /* the same number of checks in an aggregation, so that nr_accesses keeps its meaning */
        attrs->aggregation_interval = attrs->sample_interval == configured->sample_interval ?
                configured->aggregation_interval :
                attrs->sample_interval * damon_attrs_max_nr_accesses(configured);
        if (attrs->sample_interval != before.sample_interval)
                governor->kept = 0;
        return differ(attrs, &before);
}

bool governor_binds(const struct governor *governor) {
        return differ(&governor->attrs, &governor->configured);
}
