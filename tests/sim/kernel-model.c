/* SPDX-License-Identifier: GPL-2.0-only */
/* A model of the kernel's algorithm: see kernel-model.h. Functions are named as there. */

#include "kernel-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "macro.h"

/* DAMON_MIN_REGION */
#define MIN_REGION SIM_PAGE_SIZE

/* __damon_va_prepare_access_check(), damon_va_check_accesses() of mm/damon/vaddr.c */
static int check_accesses(struct kernel_model *model) {
        struct damon_regions *regions = &model->target->regions;
        int r;

        r = ARRAY_GROW(model->samples, model->sz_samples, regions->nr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_range *range = &regions->items[i].range;

                model->samples[i] = (struct damon_sample) {
                        .target = model->target,
                        .region = i,
                        .addr = (range->start + rng_below(&model->rng, damon_range_size(range))) /
                                SIM_PAGE_SIZE * SIM_PAGE_SIZE,
                };
        }
        r = sim_ops.mark(model->sim, model->samples, regions->nr);
        if (r < 0)
                return r;
        r = sim_advance(model->sim, model->attrs.sample_interval);
        if (r < 0)
                return r;
        r = sim_ops.check(model->sim, model->samples, regions->nr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < regions->nr; i++)
                regions->items[i].nr_accesses += model->samples[i].outcome == DAMON_ACCESSED;
        model->nr_checked += regions->nr;
        return 0;
}

static uint32_t distance(uint32_t a, uint32_t b) {
        return a > b ? a - b : b - a;
}

/* damon_merge_two_regions() */
static void merge_two_regions(struct damon_region *left, const struct damon_region *right) {
        uint64_t sz_left = damon_range_size(&left->range), sz_right = damon_range_size(&right->range);

        left->nr_accesses = (uint32_t) ((left->nr_accesses * sz_left + right->nr_accesses * sz_right) /
                                        (sz_left + sz_right));
        left->range.end = right->range.end;
}

/* damon_merge_regions_of() */
static void merge_regions_of(struct damon_regions *regions, uint32_t threshold, uint64_t sz_limit) {
        size_t last = 0;

        for (size_t i = 1; i < regions->nr; i++) {
                struct damon_region *left = &regions->items[last];
                const struct damon_region *right = &regions->items[i];

                if (left->range.end == right->range.start &&
                    distance(left->nr_accesses, right->nr_accesses) <= threshold &&
                    damon_range_size(&left->range) + damon_range_size(&right->range) <= sz_limit)
                        merge_two_regions(left, right);
                else
                        regions->items[++last] = *right;
        }
        regions->nr = MIN(regions->nr, last + 1);
}

/* kdamond_merge_regions(), with the threshold that kdamond_fn() gives it */
static void merge_regions(struct kernel_model *model) {
        struct damon_regions *regions = &model->target->regions;
        uint32_t max_threshold = damon_attrs_max_nr_accesses(&model->attrs), threshold = 0;
        /* damon_region_sz_limit() */
        uint64_t sz_limit = MAX(damon_regions_size(regions) / model->attrs.min_regions, MIN_REGION);

        for (size_t i = 0; i < regions->nr; i++)
                threshold = MAX(threshold, regions->items[i].nr_accesses);
        threshold /= 10;
        do {
                merge_regions_of(regions, threshold, sz_limit);
                threshold = MAX(1U, 2 * threshold);
        } while (regions->nr > model->attrs.max_regions && threshold / 2 < max_threshold);
}

/* damon_split_regions_of(): of a region that is split, the left part is split again */
static int split_regions_of(struct kernel_model *model, unsigned nr_subs) {
        struct damon_regions split = {}, *regions = &model->target->regions;

        split.items = calloc(regions->nr * nr_subs, sizeof(split.items[0]));
        if (!split.items)
                return -ENOMEM;
        split.capacity = regions->nr * nr_subs;

        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_range range = regions->items[i].range, cut_off[2];
                size_t nr_cut_off = 0;

                for (unsigned k = 0; k + 1 < nr_subs && damon_range_size(&range) > 2 * MIN_REGION; k++) {
                        uint64_t size = damon_range_size(&range);
                        uint64_t sz_sub = (1 + rng_below(&model->rng, 9)) * size / 10;

                        sz_sub -= sz_sub % MIN_REGION;
                        if (sz_sub == 0)
                                continue;
                        cut_off[nr_cut_off++] = (struct damon_range) { range.start + sz_sub, range.end };
                        range.end = range.start + sz_sub;
                }
                split.items[split.nr++].range = range;
                while (nr_cut_off > 0)
                        split.items[split.nr++].range = cut_off[--nr_cut_off];
        }
        damon_regions_done(regions);
        *regions = split;
        return 0;
}

/* kdamond_split_regions() */
static int split_regions(struct kernel_model *model) {
        size_t nr = model->target->regions.nr;
        unsigned nr_subs = 2;

        if (nr > model->attrs.max_regions / 2)
                return 0;
        if (model->last_nr_regions == nr && nr < model->attrs.max_regions / 3)
                nr_subs = 3;
        model->last_nr_regions = nr;
        return split_regions_of(model, nr_subs);
}

int kernel_model_aggregate(struct kernel_model *model) {
        uint32_t nr_samples = damon_attrs_max_nr_accesses(&model->attrs);
        int r;

        if (model->nr_checked > 0) {
                r = split_regions(model);
                if (r < 0)
                        return r;
        }
        /* kdamond_reset_aggregated() */
        for (size_t i = 0; i < model->target->regions.nr; i++)
                model->target->regions.items[i].nr_accesses = 0;
        for (uint32_t i = 0; i < nr_samples; i++) {
                r = check_accesses(model);
                if (r < 0)
                        return r;
        }
        merge_regions(model);
        return 0;
}

void kernel_model_done(struct kernel_model *model) {
        free(model->samples);
        *model = (struct kernel_model) {};
}
