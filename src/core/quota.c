/* SPDX-License-Identifier: GPL-2.0-only */
/* Quotas: see quota.h. */

#include <damond/quota.h>

#include "macro.h"
#include "unit.h"

/* Bytes a millisecond that are expected as long as nothing was measured; the kernel's figure */
#define SZ_FIRST_MSEC (UINT64_C(4) << 20)

#define SZ_HUGE_PAGE (UINT64_C(2) << 20)
#define NR_GRANULES 16

/* Part of the measured sums that the next measurement takes the place of. */
#define FADE 4

/* Scores are made of shares of 100; ages and sizes by their number of bits. */
#define SUBSCORE_MAX 100
#define MAX_BITS 32

/* Fields of damos_priority(); what does not fit counts as the highest that does. */
#define NR_ACCESSES_BITS 14
#define AGE_BITS 19

static uint64_t field_max(unsigned bits) {
        return (UINT64_C(1) << bits) - 1;
}

static uint64_t saturated(unsigned __int128 value) {
        return value > UINT64_MAX ? UINT64_MAX : (uint64_t) value;
}

bool damos_quota_equal(const struct damos_quota *a, const struct damos_quota *b) {
        return a->size == b->size && a->time == b->time && a->interval == b->interval &&
               a->weights.size == b->weights.size &&
               a->weights.nr_accesses == b->weights.nr_accesses && a->weights.age == b->weights.age &&
               a->nr_goals == b->nr_goals && damos_goals_equal(a->goals, b->goals, a->nr_goals);
}

static unsigned nr_bits(uint64_t value) {
        unsigned n = 0;

        for (; value > 0 && n < MAX_BITS; value >>= 1)
                n++;
        return n;
}

/* Accesses too rare to show in nr_accesses are accesses all the same. */
static uint32_t effective_nr_accesses(const struct damon_region *region) {
        return MAX(region->nr_accesses, (uint32_t) region->accessed);
}

/* What was idle for long is colder, and what was accessed for long hotter, than what just became so. */
static unsigned age_subscore(uint64_t age_seconds, bool accessed) {
        unsigned bits = nr_bits(age_seconds);

        return (accessed ? MAX_BITS + bits : MAX_BITS - bits) * SUBSCORE_MAX / (2 * MAX_BITS);
}

static unsigned hotness(const struct damos_weights *weights, unsigned size_subscore,
                        const struct damon_region *region, const struct damon_attrs *attrs) {
        uint64_t sum = (uint64_t) weights->size + weights->nr_accesses + weights->age;
        uint64_t freq_subscore = (uint64_t) effective_nr_accesses(region) * SUBSCORE_MAX /
                                 damon_attrs_max_nr_accesses(attrs);
        uint64_t age = saturated((unsigned __int128) region->age * attrs->aggregation_interval) /
                       USEC_PER_SEC;
        uint64_t hot;

        if (sum == 0)
                return 0;
        hot = (weights->size * (uint64_t) size_subscore + weights->nr_accesses * freq_subscore +
               weights->age * (uint64_t) age_subscore(age, effective_nr_accesses(region) > 0)) / sum;
        return (unsigned) MIN(hot * DAMOS_MAX_SCORE / SUBSCORE_MAX, (uint64_t) DAMOS_MAX_SCORE);
}

static unsigned size_subscore(const struct damon_region *region) {
        return nr_bits(damon_range_size(&region->range) / DAMOS_GRANULE_MIN) * SUBSCORE_MAX / MAX_BITS;
}

unsigned damos_hot_score(const struct damos_weights *weights, const struct damon_region *region,
                         const struct damon_attrs *attrs) {
        return hotness(weights, size_subscore(region), region, attrs);
}

unsigned damos_cold_score(const struct damos_weights *weights, const struct damon_region *region,
                          const struct damon_attrs *attrs) {
        return DAMOS_MAX_SCORE - hotness(weights, SUBSCORE_MAX - size_subscore(region), region, attrs);
}

uint64_t damos_priority(const struct damos_weights *weights, bool cold,
                        const struct damon_region *region, const struct damon_attrs *attrs) {
        unsigned score = cold ? damos_cold_score(weights, region, attrs) :
                                damos_hot_score(weights, region, attrs);
        uint64_t max_nr_accesses = field_max(NR_ACCESSES_BITS), max_age = field_max(AGE_BITS);
        uint64_t nr_accesses = MIN((uint64_t) effective_nr_accesses(region), max_nr_accesses);
        uint64_t age = MIN((uint64_t) region->age, max_age);

        if (weights->size == 0 && weights->nr_accesses == 0 && weights->age == 0)
                return 0;
        return (uint64_t) (DAMOS_MAX_SCORE - score) << (NR_ACCESSES_BITS + AGE_BITS) |
               (cold ? nr_accesses : max_nr_accesses - nr_accesses) << AGE_BITS | (max_age - age);
}

uint64_t damos_charge_fits(const struct damos_charge *charge, uint64_t time) {
        if (charge->measured_work == 0)
                return saturated((unsigned __int128) time * SZ_FIRST_MSEC /
                                 (USEC_PER_MSEC * NSEC_PER_USEC));
        return saturated((unsigned __int128) time * charge->measured_work /
                         MAX(charge->measured_time, UINT64_C(1)));
}

uint64_t damos_expected_time(uint64_t work) {
        return saturated((unsigned __int128) work * (USEC_PER_MSEC * NSEC_PER_USEC) / SZ_FIRST_MSEC);
}

static uint64_t time_limit(const struct damos_quota *quota) {
        return saturated((unsigned __int128) quota->time * NSEC_PER_USEC);
}

bool damos_quota_tune(const struct damos_quota *quota, struct damos_charge *charge,
                      const struct damos_meter *meter, uint64_t now) {
        return damos_goals_tune(quota->goals, quota->nr_goals, quota->interval,
                                quota->size > 0 ? quota->size : UINT64_MAX, &charge->tuning, meter, now);
}

/* Bytes that a window allows, whatever time they take. */
static uint64_t size_limit(const struct damos_quota *quota, const struct damos_charge *charge) {
        uint64_t size = quota->size > 0 ? quota->size : UINT64_MAX;

        return quota->nr_goals > 0 ? MIN(size, charge->tuning.input / DAMOS_GOAL_BYTE) : size;
}

uint64_t damos_quota_effective(const struct damos_quota *quota, const struct damos_charge *charge) {
        uint64_t size = size_limit(quota, charge);

        if (quota->time == 0)
                return size;
        return MIN(size, MAX(damos_charge_fits(charge, time_limit(quota)), DAMOS_GRANULE_MIN));
}

uint64_t damos_quota_granule(const struct damos_quota *quota, const struct damos_charge *charge) {
        uint64_t granule = SZ_HUGE_PAGE, effective = damos_quota_effective(quota, charge);

        while (granule > DAMOS_GRANULE_MIN && granule > effective / NR_GRANULES)
                granule /= 2;
        return granule;
}

bool damos_quota_left(const struct damos_quota *quota, const struct damos_charge *charge,
                      struct damos_allowance *ret_left) {
        uint64_t granule = damos_quota_granule(quota, charge), limit = time_limit(quota);
        uint64_t size = size_limit(quota, charge);
        struct damos_allowance left = { UINT64_MAX, UINT64_MAX };

        if (size < UINT64_MAX)
                left.size = size - MIN(charge->size, size);
        if (quota->time > 0)
                left.work = charge->time == 0 ? damos_quota_effective(quota, charge) :
                                                damos_charge_fits(charge, limit - MIN(charge->time, limit));
        if (left.size < granule || left.work < granule)
                return false;
        if (quota->time > 0)
                left.work = MAX(left.work / 2, granule);
        *ret_left = left;
        return true;
}

/* A window that took much too long uses up those that follow, too. */
uint64_t damos_quota_pass(const struct damos_quota *quota, struct damos_charge *charge, uint64_t now) {
        uint64_t limit = time_limit(quota), nr_over, nr_exceeded = 0;
        struct damos_allowance left;

        if (!charge->running || now < charge->ends_at)
                return 0;
        nr_over = 1 + (now - charge->ends_at) / quota->interval;
        if (!damos_quota_left(quota, charge, &left))
                nr_exceeded = quota->time > 0 ? MIN(MAX(charge->time / limit, UINT64_C(1)), nr_over) : 1;
        charge->size = 0;
        charge->time -= MIN(charge->time, quota->time > 0 ? saturated((unsigned __int128) limit * nr_over) :
                                                            charge->time);
        charge->running = charge->time > 0;
        charge->ends_at += nr_over * quota->interval;
        return nr_exceeded;
}

void damos_quota_charge(const struct damos_quota *quota, struct damos_charge *charge, uint64_t now,
                        uint64_t size, uint64_t work, uint64_t time) {
        if (work > 0) {
                charge->measured_work += work - charge->measured_work / FADE;
                charge->measured_time += time - charge->measured_time / FADE;
        }
        if (!damos_quota_is_set(quota))
                return;
        if (!charge->running) {
                charge->running = true;
                charge->ends_at = now + quota->interval;
        }
        charge->size += size;
        charge->time += time;
}
