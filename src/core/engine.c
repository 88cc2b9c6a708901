/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine: see engine.h. damon_engine_step() is a sampling tick from top to bottom,
 * engine_aggregate() an aggregation.
 */

#include <damond/engine.h>

#include <assert.h>
#include <string.h>

#include "array.h"
#include "macro.h"
#include "queue.h"
#include "unit.h"

/*
 * A target is divided into so many times min_regions at least as far as max_regions leaves room,
 * so that what happens in memory that was of one kind so far is seen soon.
 */
#define NR_EXPLORE 4

/* One in so many samples is of any page, in memory or not. */
#define ANYWHERE_SHARE 8

/*
 * What a scheme should take of a step: half of the interval, so that the targets have the other half
 * to show what they access; and not so long that whoever owns the engine has to wait for it.
 */
#define WORK_SHARE 2
#define WORK_MAX (100 * USEC_PER_MSEC)

struct damon_engine {
        struct damon_attrs attrs;
        const struct damon_ops *ops;            /* borrowed */
        void *ops_data;                         /* borrowed */
        struct damon_env env;

        struct damon_target **targets;
        size_t nr_targets, sz_targets;
        struct damos *schemes;
        struct damos_queue *queues;             /* one of each scheme */
        struct damos_watch *watches;            /* likewise */
        size_t nr_schemes;
        struct damos_worker worker;
        uint64_t now;                           /* microseconds since the engine began */
        void (*observe)(struct damon_target *const *targets, size_t nr,
                        const struct damon_attrs *attrs, void *userdata);
        void *observe_data;                     /* borrowed */
        bool slept;                             /* all schemes have, since the last step */

        /* in sample intervals since the engine began */
        uint64_t nr_passed;
        uint64_t next_aggregation;
        uint64_t update_debt;                   /* times targets: see update_targets() */
        size_t next_updated;                    /* target that is to be updated next */

        struct damon_sample *samples;           /* marked, to be checked by the next step */
        size_t nr_samples, sz_samples;
};

static void engine_schedule(struct damon_engine *engine) {
        engine->next_aggregation = engine->nr_passed + damon_attrs_max_nr_accesses(&engine->attrs);
}

/* Steps between two updates of a target. */
static uint64_t update_steps(const struct damon_attrs *attrs) {
        return MAX(attrs->update_interval / attrs->sample_interval, UINT64_C(1));
}

int damon_engine_new(struct damon_engine **ret_engine, const struct damon_attrs *attrs,
                     const struct damon_ops *ops, void *ops_data, const struct damon_env *env) {
        struct damon_engine *engine;
        int r;

        r = damon_attrs_validate(attrs);
        if (r < 0)
                return r;
        engine = calloc(1, sizeof(*engine));
        if (!engine)
                return -ENOMEM;
        engine->attrs = *attrs;
        engine->ops = ops;
        engine->ops_data = ops_data;
        engine->worker = (struct damos_worker) { .ops = ops, .ops_data = ops_data };
        engine->env = *env;
        engine_schedule(engine);
        *ret_engine = engine;
        return 0;
}

static void schemes_free(struct damos *schemes, struct damos_queue *queues, struct damos_watch *watches,
                         size_t nr) {
        for (size_t i = 0; i < nr; i++) {
                damos_done(&schemes[i]);
                damos_queue_done(&queues[i]);
                damos_watch_done(&watches[i]);
        }
        free(schemes);
        free(queues);
        free(watches);
}

struct damon_engine *damon_engine_free(struct damon_engine *engine) {
        if (!engine)
                return NULL;
        while (engine->nr_targets > 0)
                damon_engine_remove_target(engine, engine->targets[engine->nr_targets - 1]);
        schemes_free(engine->schemes, engine->queues, engine->watches, engine->nr_schemes);
        damos_worker_done(&engine->worker);
        free(engine->targets);
        free(engine->samples);
        free(engine);
        return NULL;
}

size_t damon_engine_nr_regions(const struct damon_engine *engine) {
        size_t nr = 0;

        for (size_t i = 0; i < engine->nr_targets; i++)
                nr += engine->targets[i]->regions.nr;
        return nr;
}

/* Take the samples of a target that is gone, or of @target, out of the batch. */
static void forget_samples(struct damon_engine *engine, const struct damon_target *target) {
        size_t kept = 0;

        for (size_t i = 0; i < engine->nr_samples; i++)
                if (!engine->samples[i].target->gone && engine->samples[i].target != target)
                        engine->samples[kept++] = engine->samples[i];
        engine->nr_samples = kept;
}

static int check_samples(struct damon_engine *engine, struct damon_step *step) {
        int r;

        forget_samples(engine, NULL);
        if (engine->nr_samples == 0)
                return 0;
        r = engine->ops->check(engine->ops_data, engine->samples, engine->nr_samples);
        if (r < 0)
                return r;

        for (size_t i = 0; i < engine->nr_samples; i++) {
                const struct damon_sample *sample = &engine->samples[i];
                struct damon_region *region = &sample->target->regions.items[sample->region];
                uint64_t page = (sample->addr - region->range.start) / engine->ops->page_size;

                if (sample->outcome == DAMON_UNKNOWN) {
                        region->nr_unknown += !sample->again;
                        step->nr_unknown++;
                } else if (sample->outcome != DAMON_ABSENT || region->absent ||
                           !sample->target->residency.known)
                        damon_region_count(region, page, sample->outcome == DAMON_ACCESSED,
                                           sample->again, engine->ops->page_size);
        }
        step->nr_checked = engine->nr_samples;
        return 0;
}

/*
 * Take note of how much of each region was in memory, with its borders as they are now: it may
 * have been cut since it was sampled.
 */
static void note_old_residency(const struct damon_engine *engine, struct damon_target *target) {
        if (!target->residency.known)
                return;
        for (size_t i = 0; i < target->regions.nr; i++) {
                struct damon_region *region = &target->regions.items[i];
                uint64_t nr_pages = damon_residency_size(&target->residency, region->range) /
                                    engine->ops->page_size;

                if (region->nr_in_memory == 0)
                        continue;
                region->absent = nr_pages == 0;
                region->nr_in_memory = (uint32_t) MIN(nr_pages, UINT32_MAX);
        }
}

static int update_residency(struct damon_engine *engine, struct damon_target *target) {
        const struct damon_range *ranges;
        size_t nr;
        int r;

        if (!engine->ops->resident)
                return 0;
        r = engine->ops->resident(engine->ops_data, target, &ranges, &nr);
        if (r < 0)
                return r;
        note_old_residency(engine, target);
        r = damon_residency_set(&target->residency, ranges, nr);
        if (r < 0)
                return r;
        /* leaves half of the regions for what is in memory */
        return damon_target_cut_absent(target, MAX(engine->attrs.max_regions / 2U, 1U),
                                       engine->ops->page_size);
}

static int update_target(struct damon_engine *engine, struct damon_target *target) {
        const struct damon_range *mappings;
        size_t nr;
        int r;

        r = engine->ops->mappings(engine->ops_data, target, &mappings, &nr);
        if (r < 0 || target->gone)
                return r;
        r = damon_target_update(target, mappings, nr, engine->ops->page_size);
        if (r < 0)
                return r;
        r = update_residency(engine, target);
        if (r < 0)
                return r;
        return damon_target_divide(target, &engine->attrs, engine->ops->page_size);
}

/*
 * Update as many targets as are due, in turn: each once in an update interval, and not all of
 * them in one step, which would be a long one.
 */
static int update_targets(struct damon_engine *engine, uint64_t nr_passed) {
        uint64_t interval = update_steps(&engine->attrs);

        engine->update_debt += MIN(nr_passed, interval) * engine->nr_targets;
        engine->update_debt = MIN(engine->update_debt, interval * engine->nr_targets);
        for (; engine->update_debt >= interval; engine->update_debt -= interval) {
                struct damon_target *target = engine->targets[engine->next_updated++ % engine->nr_targets];
                int r;

                if (target->gone)
                        continue;
                r = update_target(engine, target);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Fit, fold, count ages, merge: after this the regions say what the aggregation has shown. */
static void merge_target(const struct damon_engine *engine, struct damon_target *target) {
        uint32_t max_nr_accesses = damon_attrs_max_nr_accesses(&engine->attrs);
        uint64_t page_size = engine->ops->page_size;
        uint32_t threshold;

        damon_regions_fit(&target->regions, max_nr_accesses, page_size);
        threshold = damon_regions_fold(&target->regions, max_nr_accesses, page_size) / 10;
        damon_regions_count_age(&target->regions, threshold);
        damon_regions_merge_within(&target->regions, threshold, max_nr_accesses,
                                   damon_target_sz_limit(target, &engine->attrs, page_size),
                                   engine->attrs.max_regions);
}

/* What only counts, all of it and without limit, needs no queue. */
static void count_matches(const struct damon_engine *engine, struct damos *scheme,
                          const struct damon_target *target) {
        for (size_t i = 0; i < target->regions.nr; i++) {
                const struct damon_region *region = &target->regions.items[i];

                if (!damos_matches(scheme, region, &engine->attrs) || damos_has_changed(region))
                        continue;
                scheme->stat.nr_tried++;
                scheme->stat.sz_tried += damon_range_size(&region->range);
        }
}

/* What came of what a scheme did is of interest whether it does anything now or not. */
static int look_after_scheme(struct damon_engine *engine, size_t i) {
        struct damos *scheme = &engine->schemes[i];

        if (scheme->guarded)
                damos_guard_pass(&scheme->guard, scheme->returned_within, engine->now);
        return damos_watch_look(&engine->watches[i], scheme, engine->ops, engine->ops_data, engine->now);
}

static int work_on_scheme(struct damon_engine *engine, size_t i) {
        uint64_t time = MIN(engine->attrs.sample_interval / WORK_SHARE, WORK_MAX) * NSEC_PER_USEC;

        engine->worker.watch = &engine->watches[i];
        return damos_queue_work(&engine->queues[i], &engine->schemes[i], &engine->worker, engine->now, time,
                                WORK_SHARE);
}

static void break_down(const struct damon_engine *engine, struct damos *scheme) {
        scheme->breakdown = (struct damos_breakdown) {};
        for (size_t i = 0; i < engine->nr_targets; i++)
                if (!engine->targets[i]->gone)
                        damos_breakdown_add(&scheme->breakdown, scheme, engine->targets[i], &engine->attrs);
}

static int apply_scheme(struct damon_engine *engine, size_t i) {
        struct damos *scheme = &engine->schemes[i];
        int r;

        break_down(engine, scheme);
        if (scheme->action == DAMOS_STAT && !damos_quota_is_set(&scheme->quota) &&
            scheme->filters.nr == 0) {
                for (size_t k = 0; k < engine->nr_targets; k++)
                        if (!engine->targets[k]->gone && damos_is_for(scheme, engine->targets[k]))
                                count_matches(engine, scheme, engine->targets[k]);
                return 0;
        }
        r = damos_queue_fill(&engine->queues[i], scheme, engine->targets, engine->nr_targets,
                             &engine->attrs, &engine->worker);
        return r < 0 ? r : work_on_scheme(engine, i);
}

/* A scheme with an interval of its own does no more at a time than what its quota then has left. */
static bool goes_on(const struct damos *scheme) {
        struct damos_allowance left;

        if (scheme->wake.asleep)
                return false;
        return scheme->apply_interval == 0 || damos_quota_left(&scheme->quota, &scheme->charge, &left);
}

/* What such a scheme has not got done when an aggregation ends is found anew, like that of all others. */
static bool is_due(const struct damon_engine *engine, size_t i, bool aggregated) {
        const struct damos *scheme = &engine->schemes[i];
        const struct damos_queue *queue = &engine->queues[i];

        if (scheme->wake.asleep)
                return false;
        if (scheme->apply_interval == 0)
                return aggregated;
        return engine->now >= scheme->apply_at ||
               (aggregated && queue->next < queue->nr && goes_on(scheme));
}

/* Apply the schemes that are due, and go on with what the steps before have left undone of the others. */
static int apply_schemes(struct damon_engine *engine, bool aggregated) {
        int r = 0;

        for (size_t i = 0; i < engine->nr_schemes && !engine->observe; i++) {
                struct damos *scheme = &engine->schemes[i];
                int error = look_after_scheme(engine, i);

                r = r < 0 ? r : error;
                error = 0;
                if (is_due(engine, i, aggregated)) {
                        if (engine->now >= scheme->apply_at)
                                scheme->apply_at = engine->now + scheme->apply_interval;
                        error = apply_scheme(engine, i);
                } else if (goes_on(scheme))
                        error = work_on_scheme(engine, i);
                r = r < 0 ? r : error;
        }
        return r;
}

static int refine_target(const struct damon_engine *engine, struct damon_target *target) {
        size_t nr_explore = MIN(NR_EXPLORE * (size_t) engine->attrs.min_regions,
                                engine->attrs.max_regions / 2U);
        int r;

        /* min_regions may have been raised */
        r = damon_target_divide(target, &engine->attrs, engine->ops->page_size);
        if (r < 0)
                return r;
        r = damon_regions_refine(&target->regions, MAX(nr_explore, (size_t) 1),
                                 engine->attrs.max_regions,
                                 damon_attrs_max_nr_accesses(&engine->attrs), engine->ops->page_size);
        damon_regions_pace(&target->regions, engine->attrs.sample_every,
                           damon_attrs_max_nr_accesses(&engine->attrs), engine->ops->page_size);
        return r;
}

/*
 * An aggregation ends for all targets, also if something fails with one of them. The kernel's
 * order: merge, apply schemes to what came of it, split, which here is to refine.
 */
static int engine_aggregate(struct damon_engine *engine) {
        int r, error;

        for (size_t i = 0; i < engine->nr_targets; i++)
                if (!engine->targets[i]->gone)
                        merge_target(engine, engine->targets[i]);
        if (engine->observe)
                engine->observe(engine->targets, engine->nr_targets, &engine->attrs, engine->observe_data);
        r = apply_schemes(engine, true);
        for (size_t i = 0; i < engine->nr_targets; i++) {
                if (engine->targets[i]->gone)
                        continue;
                error = refine_target(engine, engine->targets[i]);
                r = r < 0 ? r : error;
        }
        return r;
}

/*
 * Take note of how much of a region is in memory. Where most of it was brought in since that was
 * last known, nothing is known of it, and its age is not that of what was there before.
 */
static void note_residency(struct damon_region *region, uint64_t nr_pages, bool known) {
        if ((region->absent && nr_pages > 0) ||
            (known && region->nr_in_memory > 0 && nr_pages / 2 > region->nr_in_memory)) {
                region->evidence = (struct damon_evidence) {};
                region->age = 0;
        }
        region->absent = nr_pages == 0;
        region->nr_in_memory = known ? (uint32_t) MIN(nr_pages, UINT32_MAX) : 0;
}

static uint64_t roll(const struct damon_engine *engine, uint64_t bound) {
        return engine->env.random(engine->env.userdata, bound);
}

static void add_sample(struct damon_engine *engine, struct damon_target *target, size_t i, uint64_t addr,
                       bool again) {
        engine->samples[engine->nr_samples++] = (struct damon_sample) {
                .target = target,
                .region = i,
                .addr = addr,
                .again = again,
        };
}

/*
 * Sample a page at random of those in memory, and the one that is worth a second look. What is in
 * memory is found out now and then only: some of the samples are of any page, so that what was
 * brought in since is not overlooked until then.
 */
static void draw_samples(struct damon_engine *engine, struct damon_target *target, size_t i) {
        struct damon_region *region = &target->regions.items[i];
        const struct damon_residency *residency = &target->residency;
        uint64_t page_size = engine->ops->page_size, again = region->again, addr;
        uint64_t nr_pages = damon_residency_size(residency, region->range) / page_size;
        bool due;

        note_residency(region, nr_pages, residency->known);
        due = damon_region_is_due(region);
        /* whether what was idle so far still is should be known when the aggregation ends */
        if (again > 0 && (due || !region->accessed)) {
                region->again = 0;
                if (!region->absent)
                        add_sample(engine, target, i, damon_region_page(region, again - 1, page_size), true);
        }
        if (!due)
                return;
        if (residency->known && roll(engine, ANYWHERE_SHARE) == 0)
                addr = damon_region_page(region, roll(engine, damon_range_size(&region->range) / page_size),
                                         page_size);
        else if (region->absent) {
                /* idle, by the page table */
                damon_region_count(region, 0, false, false, page_size);
                return;
        } else
                addr = damon_residency_address(residency, region->range, page_size * roll(engine, nr_pages));
        add_sample(engine, target, i, addr, false);
}

static int mark_samples(struct damon_engine *engine, struct damon_step *step) {
        int r;

        /* one of each region, and a second look at most */
        r = ARRAY_GROW(engine->samples, engine->sz_samples, 2 * damon_engine_nr_regions(engine));
        if (r < 0)
                return r;

        for (size_t i = 0; i < engine->nr_targets; i++) {
                struct damon_target *target = engine->targets[i];

                for (size_t k = 0; k < target->regions.nr && !target->gone; k++)
                        draw_samples(engine, target, k);
        }
        if (engine->nr_samples == 0)
                return 0;

        r = engine->ops->mark(engine->ops_data, engine->samples, engine->nr_samples);
        if (r < 0) {
                engine->nr_samples = 0;
                return r;
        }
        step->nr_marked = engine->nr_samples;
        return 0;
}

bool damon_engine_is_asleep(const struct damon_engine *engine) {
        for (size_t i = 0; i < engine->nr_schemes; i++)
                if (!engine->schemes[i].wake.asleep)
                        return false;
        return engine->nr_schemes > 0;
}

/* What was accessed meanwhile nobody knows, nor for how long anything was not. */
static void begin_anew(struct damon_engine *engine) {
        for (size_t i = 0; i < engine->nr_targets; i++) {
                damon_regions_forget(&engine->targets[i]->regions);
                /* fails only where there is nothing to forget */
                (void) damon_residency_set(&engine->targets[i]->residency, NULL, 0);
        }
        /* when it came back, if anything has, is not known either */
        for (size_t i = 0; i < engine->nr_schemes; i++)
                engine->watches[i].nr = 0;
        engine->nr_samples = 0;
        engine->slept = false;
        engine_schedule(engine);
}

int damon_engine_step(struct damon_engine *engine, uint64_t nr_passed, bool stale,
                      struct damon_step *ret_step) {
        struct damon_step step = {};
        int r = 0;

        engine->nr_passed += nr_passed;
        engine->now += nr_passed * engine->attrs.sample_interval;
        if (damon_engine_is_asleep(engine)) {
                *ret_step = step;
                return 0;
        }
        if (engine->slept)
                begin_anew(engine);

        if (!stale)
                r = check_samples(engine, &step);
        engine->nr_samples = 0;
        if (r < 0)
                return r;

        if (engine->nr_passed >= engine->next_aggregation) {
                engine->next_aggregation = engine->nr_passed +
                                           damon_attrs_max_nr_accesses(&engine->attrs);
                step.aggregated = true;
                r = engine_aggregate(engine);
        } else
                r = apply_schemes(engine, false);
        if (r < 0)
                return r;

        r = update_targets(engine, nr_passed);
        if (r < 0)
                return r;

        r = mark_samples(engine, &step);
        if (r < 0)
                return r;

        for (size_t i = 0; i < engine->nr_targets; i++)
                step.nr_gone += engine->targets[i]->gone;
        *ret_step = step;
        return 0;
}

int damon_engine_add_target(struct damon_engine *engine, struct damon_target *target) {
        int r;

        r = ARRAY_GROW(engine->targets, engine->sz_targets, engine->nr_targets + 1);
        if (r < 0)
                return r;
        r = update_target(engine, target);
        if (r < 0)
                return r;
        engine->targets[engine->nr_targets++] = target;
        return 0;
}

/* Take a target out of the engine, and its operations' data out of the target. */
static struct damon_target *detach_target(struct damon_engine *engine, size_t i) {
        struct damon_target *target = engine->targets[i];

        forget_samples(engine, target);
        for (size_t k = 0; k < engine->nr_schemes; k++) {
                damos_queue_forget(&engine->queues[k], target);
                damos_watch_forget(&engine->watches[k], target);
        }
        memmove(&engine->targets[i], &engine->targets[i + 1],
                (engine->nr_targets - i - 1) * sizeof(engine->targets[0]));
        engine->nr_targets--;
        engine->ops->target_release(engine->ops_data, target);
        return target;
}

void damon_engine_remove_target(struct damon_engine *engine, struct damon_target *target) {
        for (size_t i = 0; i < engine->nr_targets; i++)
                if (engine->targets[i] == target) {
                        damon_target_free(detach_target(engine, i));
                        return;
                }
        assert(!"not a target of this engine");
}

struct damon_target *damon_engine_pop_gone(struct damon_engine *engine) {
        for (size_t i = 0; i < engine->nr_targets; i++)
                if (engine->targets[i]->gone)
                        return detach_target(engine, i);
        return NULL;
}

static bool intervals_equal(const struct damon_attrs *a, const struct damon_attrs *b) {
        return a->sample_interval == b->sample_interval &&
               a->aggregation_interval == b->aggregation_interval &&
               a->update_interval == b->update_interval;
}

int damon_engine_set_attrs(struct damon_engine *engine, const struct damon_attrs *attrs) {
        int r;

        r = damon_attrs_validate(attrs);
        if (r < 0)
                return r;
        if (intervals_equal(attrs, &engine->attrs)) {
                engine->attrs = *attrs;
                return 0;
        }

        for (size_t i = 0; i < engine->nr_targets; i++)
                damon_regions_rescale(&engine->targets[i]->regions,
                                      damon_attrs_max_nr_accesses(&engine->attrs),
                                      damon_attrs_max_nr_accesses(attrs),
                                      engine->attrs.aggregation_interval,
                                      attrs->aggregation_interval);
        engine->nr_samples = 0;
        /* what is due stays as near */
        engine->update_debt = (uint64_t) ((unsigned __int128) engine->update_debt * update_steps(attrs) /
                                          update_steps(&engine->attrs));
        engine->attrs = *attrs;
        engine_schedule(engine);
        return 0;
}

static const struct damos *find_same_rule(const struct damon_engine *engine,
                                          const struct damos *scheme) {
        for (size_t i = 0; i < engine->nr_schemes; i++)
                if (damos_same_rule(&engine->schemes[i], scheme))
                        return &engine->schemes[i];
        return NULL;
}

int damon_engine_set_schemes(struct damon_engine *engine, const struct damos *schemes, size_t nr) {
        struct damos *copies = NULL;
        struct damos_queue *queues = NULL;
        struct damos_watch *watches = NULL;

        for (size_t i = 0; i < nr; i++)
                if (schemes[i].action != DAMOS_STAT &&
                    !(engine->ops->actions & DAMOS_ACTION_BIT(schemes[i].action)))
                        return -ENOTSUP;
        for (size_t i = 0; i < nr; i++)
                if (damos_filters_types(&schemes[i].filters) & ~(engine->ops->filters | DAMOS_FILTERS_PURE))
                        return -ENOTSUP;

        if (nr > 0) {
                copies = calloc(nr, sizeof(*copies));
                queues = calloc(nr, sizeof(*queues));
                watches = calloc(nr, sizeof(*watches));
                if (!copies || !queues || !watches) {
                        schemes_free(copies, queues, watches, 0);
                        return -ENOMEM;
                }
        }
        for (size_t i = 0; i < nr; i++) {
                const struct damos *before = find_same_rule(engine, &schemes[i]);

                if (damos_copy(&copies[i], &schemes[i]) < 0) {
                        schemes_free(copies, queues, watches, i);
                        return -ENOMEM;
                }
                copies[i].stat = before ? before->stat : (struct damos_stat) {};
                copies[i].charge = before ? before->charge : (struct damos_charge) {};
                copies[i].breakdown = before ? before->breakdown : (struct damos_breakdown) {};
                copies[i].wake = before ? before->wake : (struct damos_wake) {};
                copies[i].apply_at = before ? before->apply_at : engine->now + copies[i].apply_interval;
                copies[i].guard = before ? before->guard : (struct damos_guard) {};
        }
        for (size_t i = 0; i < nr; i++) {
                const struct damos *before = find_same_rule(engine, &schemes[i]);

                if (before) {
                        struct damos_watch *watch = &engine->watches[before - engine->schemes];

                        watches[i] = *watch;
                        *watch = (struct damos_watch) {};
                }
        }
        schemes_free(engine->schemes, engine->queues, engine->watches, engine->nr_schemes);
        engine->schemes = copies;
        engine->queues = queues;
        engine->watches = watches;
        engine->nr_schemes = nr;
        engine->slept = engine->slept || damon_engine_is_asleep(engine);
        return 0;
}

void damon_engine_observe(struct damon_engine *engine,
                          void (*observe)(struct damon_target *const *targets, size_t nr,
                                          const struct damon_attrs *attrs, void *userdata),
                          void *userdata) {
        engine->observe = observe;
        engine->observe_data = userdata;
}

static enum damos_news adjust_scheme(struct damos *scheme, const struct damos_meter *meter, uint64_t now) {
        if (damos_watermarks_check(&scheme->watermarks, &scheme->wake, meter, now))
                return scheme->wake.asleep ? DAMOS_FELL_ASLEEP : DAMOS_WOKE_UP;
        if (!scheme->wake.asleep && damos_quota_tune(&scheme->quota, &scheme->charge, meter, now))
                return scheme->charge.tuning.error < 0 ? DAMOS_GOALS_LOST : DAMOS_GOALS_FOUND;
        return DAMOS_NO_NEWS;
}

enum damos_news damon_engine_adjust(struct damon_engine *engine, const struct damos_meter *meter,
                                    uint64_t now, const struct damos **ret_scheme) {
        for (size_t i = 0; i < engine->nr_schemes; i++) {
                enum damos_news news = adjust_scheme(&engine->schemes[i], meter, now);

                if (news == DAMOS_NO_NEWS)
                        continue;
                if (news == DAMOS_FELL_ASLEEP)
                        damos_queue_drop(&engine->queues[i]);
                engine->slept = engine->slept || damon_engine_is_asleep(engine);
                *ret_scheme = &engine->schemes[i];
                return news;
        }
        return DAMOS_NO_NEWS;
}

uint64_t damon_engine_adjust_at(const struct damon_engine *engine) {
        uint64_t at = UINT64_MAX;

        for (size_t i = 0; i < engine->nr_schemes; i++) {
                const struct damos *scheme = &engine->schemes[i];

                if (scheme->watermarks.metric != DAMOS_NO_METRIC)
                        at = MIN(at, scheme->wake.check_at);
                if (scheme->quota.nr_goals > 0 && !scheme->wake.asleep)
                        at = MIN(at, scheme->charge.tuning.tune_at);
        }
        return at;
}

void damon_engine_set_swap(struct damon_engine *engine, const struct damos_swap *swap) {
        for (size_t i = 0; i < engine->nr_schemes; i++)
                if (engine->schemes[i].guarded)
                        damos_guard_see_swap(&engine->schemes[i].guard, swap);
}

void damon_engine_set_pressure(struct damon_engine *engine, const struct damos_pressure *pressure) {
        for (size_t i = 0; i < engine->nr_schemes; i++) {
                struct damos *scheme = &engine->schemes[i];

                if (scheme->guarded)
                        damos_guard_see_pressure(&scheme->guard, scheme->returned_within, pressure, engine->now);
        }
}

const struct damon_attrs *damon_engine_attrs(const struct damon_engine *engine) {
        return &engine->attrs;
}

struct damon_target *const *damon_engine_targets(const struct damon_engine *engine, size_t *ret_nr) {
        *ret_nr = engine->nr_targets;
        return engine->targets;
}

const struct damos *damon_engine_schemes(const struct damon_engine *engine, size_t *ret_nr) {
        *ret_nr = engine->nr_schemes;
        return engine->schemes;
}

int damon_engine_filtered(struct damon_engine *engine, size_t i, uint64_t *ret_size) {
        const struct damos *scheme = &engine->schemes[i];
        uint64_t sum = 0;

        for (size_t k = 0; k < engine->nr_targets; k++) {
                struct damon_target *target = engine->targets[k];
                uint64_t size;
                int r;

                if (target->gone || !damos_is_for(scheme, target))
                        continue;
                r = damos_breakdown_filtered(scheme, target, &engine->attrs, engine->ops, engine->ops_data, &size);
                if (r < 0)
                        return r;
                sum += size;
        }
        *ret_size = sum;
        return 0;
}

uint64_t damon_engine_sz_waiting(const struct damon_engine *engine, size_t i) {
        return damos_queue_size(&engine->queues[i]);
}
