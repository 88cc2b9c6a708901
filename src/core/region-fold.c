/* SPDX-License-Identifier: GPL-2.0-only */
/* What regions know: checks that add up to frequencies and ages; see region.h. */

#include <damond/region.h>

#include <stdlib.h>
#include <string.h>

#include "ln.h"
#include "macro.h"
#include "region-parts.h"

/*
 * What has to speak for a difference before it is taken for one; see damon_tally_gain(). The
 * figures are those with the smallest errors in the scenarios of tests/sim/test-sampler.c, and
 * none of them is critical: half or double is a little worse.
 */
#define GAIN_CHANGED 5.0        /* a region is not what it was */
#define GAIN_SETTLING 1.0       /* nor what it was in an aggregation that it changed in */
#define GAIN_TURNED 5.0         /* nor what it was before the last few checks */
#define GAIN_MOVED 12.0         /* nor are its parts, over all bins */
#define GAIN_ENDED 2.5          /* accesses have ended */
#define GAIN_AGAIN 2.0          /* pages that were accessed are accessed again more than others */

/* Checks in a row that can show that: one may be unlucky. */
#define NR_TURNED 2

/* Second looks that are enough to know, and those that tell anything at all. */
#define NR_AGAIN_ENOUGH 8
#define NR_AGAIN_MIN 3

/* Rates between which the pages of a region may differ from each other. */
#define RATE_MIXED_MIN 0.005
#define RATE_MIXED_MAX 0.99
#define RATE_AGAIN_MAX 0.95

/* Share of the checks that could tell, or could not, beyond which a part of the pages can. */
#define UNKNOWN_MIXED 0.1

void damon_region_count(struct damon_region *region, uint64_t page, bool accessed, bool again,
                        uint64_t page_size) {
        uint64_t nr_pages = damon_region_nr_pages(region, page_size);
        const struct damon_evidence *known = &region->evidence;

        if (again) {
                region->nr_again++;
                region->nr_again_accessed = (uint8_t) (region->nr_again_accessed + accessed);
                if (accessed)
                        region->found = (uint32_t) page + 1;
                return;
        }
        /* the bin of the middle of the page: where pages are larger than bins, that is where
         * damon_evidence_transfer() leaves most of it with the page */
        region->nr_known++;
        region->touched = region->touched || accessed;
        if (accessed)
                region->run = (int8_t) (region->run > 0 ? MIN(region->run + 1, INT8_MAX) : 1);
        else
                region->run = (int8_t) (region->run < 0 ? MAX(region->run - 1, -INT8_MAX) : -1);
        damon_evidence_add(&region->running,
                           (unsigned) ((2 * page + 1) * DAMON_NR_BINS / (2 * nr_pages)), accessed);

        /* a bin that is a page shows by itself how its pages differ */
        if (!accessed || nr_pages <= DAMON_NR_BINS || page >= UINT32_MAX ||
            region->nr_again >= NR_AGAIN_ENOUGH)
                return;
        if (damon_evidence_tally(known).known <= 0)
                known = &region->running;
        if (damon_evidence_rate(known) < RATE_AGAIN_MAX)
                region->again = (uint32_t) page + 1;
}

/*
 * Where some pages of a region are accessed all the time and others never, a page that was
 * accessed is accessed again; where all of them are accessed now and then, it is not more likely
 * to be than any other. Without second looks, differences are the rule.
 */
static bool is_uniform(const struct damon_region *region, uint64_t page_size) {
        double rate = damon_evidence_rate(&region->evidence), again, gain;
        double nr_again = region->nr_again, nr_accessed = region->nr_again_accessed;

        if (rate < RATE_MIXED_MIN || rate > RATE_MIXED_MAX ||
            damon_region_nr_pages(region, page_size) <= DAMON_NR_BINS)
                return true;
        if (nr_again < NR_AGAIN_MIN)
                return false;
        again = nr_accessed / nr_again;
        if (again <= rate)
                return true;
        gain = nr_accessed * ln(again / rate);
        if (again < 1)
                gain += (nr_again - nr_accessed) * ln((1 - again) / (1 - rate));
        return gain <= GAIN_AGAIN && again <= rate + 0.2;
}

/*
 * Whether all checks since some time, in this aggregation or an earlier one, say the same, and what
 * was before them is something else. Then that is forgotten.
 */
static bool has_turned(struct damon_region *region, struct damon_tally now) {
        struct damon_tally before = damon_evidence_tally(&region->evidence);
        double nr_run = abs(region->run), nr_accessed = region->run > 0 ? nr_run : 0;

        before.known += now.known - nr_run;
        before.accessed = MIN(MAX(before.accessed + now.accessed - nr_accessed, 0), before.known);
        if (nr_run < NR_TURNED || before.known <= 0 ||
            damon_tally_gain(before, (struct damon_tally) { nr_accessed, nr_run }) <= GAIN_TURNED)
                return false;
        if (nr_run < now.known)
                /* of this aggregation, all is told */
                region->evidence = (struct damon_evidence) {};
        else
                memset(nr_accessed > 0 ? region->evidence.idle : region->evidence.accessed, 0,
                       sizeof(region->evidence.idle));
        return true;
}

/* Whether the aggregations before say nothing any more. */
static bool has_changed(const struct damon_region *region, struct damon_tally now, bool few) {
        struct damon_tally before = damon_evidence_tally(&region->evidence);
        double nr_other;

        if (before.known <= 0)
                return true;
        nr_other = 2 * before.accessed < before.known ? now.accessed : now.known - now.accessed;
        if (damon_tally_gain(before, now) > (region->fresh ? GAIN_SETTLING : GAIN_CHANGED))
                return !few || nr_other > 1;
        if (before.accessed <= 0)
                return false;
        /* What is accessed at one check in ten shows no end in one aggregation without an access, but
         * in two: a rate of p leaves n checks idle with a likelihood of (1 - p)^n. */
        if (region->nr_accesses > 0 && region->nr_idle > 0 &&
            -ln(1 - before.accessed / before.known) * now.known * region->nr_idle > GAIN_ENDED)
                return true;
        return damon_evidence_change(&region->evidence, &region->running) > GAIN_MOVED;
}

uint32_t damon_scaled_rate(const struct damon_evidence *evidence, uint32_t max_nr_accesses) {
        return (uint32_t) (damon_evidence_rate(evidence) * max_nr_accesses + 0.5);
}

static void region_fold(struct damon_region *region, uint32_t max_nr_accesses, uint64_t page_size) {
        struct damon_tally now = damon_evidence_tally(&region->running);
        bool partly_unknown, touched, few;
        uint32_t nr_unfaded;

        region->last_nr_accesses = region->nr_accesses;
        region->last_accessed = region->accessed;
        /* of less than a check, as a cut may leave it, rounding would make anything */
        region->unknown = now.known < 1 || region->nr_unknown > region->nr_known;
        partly_unknown = MIN(region->nr_known, region->nr_unknown) >
                         UNKNOWN_MIXED * (region->nr_known + region->nr_unknown);
        touched = region->touched;
        region->nr_known = region->nr_unknown = 0;
        region->touched = false;
        if (now.known < 1) {
                region->accessed = region->accessed || touched;
                region->running = (struct damon_evidence) {};
                return;
        }
        region->nr_idle = now.accessed > 0 ? 0 : (uint8_t) MIN(region->nr_idle + 1, UINT8_MAX);

        few = now.known < max_nr_accesses / 2.0;
        if (few && has_turned(region, now))
                region->fresh = true;
        else {
                region->fresh = has_changed(region, now, few);
                if (region->fresh)
                        region->evidence = (struct damon_evidence) {};
        }
        nr_unfaded = region->nr_unfaded + (uint32_t) (now.known + 0.5);
        for (; nr_unfaded >= max_nr_accesses; nr_unfaded -= max_nr_accesses)
                damon_evidence_fade(&region->evidence);
        region->nr_unfaded = (uint16_t) MIN(nr_unfaded, UINT16_MAX);
        damon_evidence_transfer(&region->evidence, region->range, &region->running, region->range);
        region->running = (struct damon_evidence) {};
        region->nr_accesses = damon_scaled_rate(&region->evidence, max_nr_accesses);
        region->accessed = region->nr_accesses > 0 || now.accessed > 0 || touched;
        region->uniform = !partly_unknown && is_uniform(region, page_size);
        if (region->nr_again >= NR_AGAIN_ENOUGH) {
                /* what was found out has to be found again, by and by */
                region->nr_again /= 2;
                region->nr_again_accessed /= 2;
        }
}

uint32_t damon_regions_fold(struct damon_regions *regions, uint32_t max_nr_accesses,
                            uint64_t page_size) {
        uint32_t highest = 0;

        for (size_t i = 0; i < regions->nr; i++) {
                region_fold(&regions->items[i], max_nr_accesses, page_size);
                highest = MAX(highest, regions->items[i].nr_accesses);
        }
        return highest;
}

void damon_regions_count_age(struct damon_regions *regions, uint32_t threshold) {
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_region *region = &regions->items[i];

                if (damon_distance(region->nr_accesses, region->last_nr_accesses) > threshold ||
                    region->accessed != region->last_accessed ||
                    (region->accessed && region->nr_accesses == 0))
                        region->age = 0;
                else if (!region->unknown && region->age < UINT32_MAX)
                        region->age++;
        }
}
