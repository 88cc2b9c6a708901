/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine, step by step, on operations that do what the test says, and in random runs on
 * simulated memory.
 */

#include <damond/engine.h>

#include "invariants.h"
#include "macro.h"
#include "rng.h"
#include "sim.h"
#include "test.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define ANY { 0, UINT64_MAX }

/* 20 steps an aggregation, 100 an update */
static const struct damon_attrs attrs = {
        .sample_interval = 5000, .aggregation_interval = 100000, .update_interval = 500000,
        .min_regions = 10, .max_regions = 100,
};

struct fake_act {
        enum damos_action action;
        const struct damon_target *target;
        size_t nr_tries;
        size_t nr_regions;              /* of the target when it was applied */
        uint32_t nr_accesses, age;      /* of the first region of the tries */
};

/* Operations of one's own choice. */
struct fake {
        uint64_t apply_time;            /* of a call, nanoseconds */
        size_t nr_applied, nr_unaligned;        /* calls, and those that ended inside of a huge page */
        struct damon_range mappings[4];
        size_t nr_mappings;
        enum damon_outcome outcome;
        enum damon_outcome (*outcome_of)(const struct damon_sample *sample);
        uint64_t sz_applied;            /* a try; UINT64_MAX is all of it */
        uint64_t sz_filtered;           /* a try that has filters */
        const struct damon_range *resident;     /* NULL: not known */
        size_t nr_resident;
        const struct damon_target *updated[2000];
        size_t nr_updated;

        /* where to fail, and where to find whom gone */
        int mappings_error, resident_error, mark_error, check_error, apply_error;
        const struct damon_target *gone_in_mappings, *gone_in_mark, *gone_in_check, *gone_in_apply;

        char calls[8];                  /* u: mappings, r: resident, m: mark, c: check, a: apply */
        size_t nr_released;
        const struct damon_target *last_released;
        struct fake_act acts[2000];
        size_t nr_acts;
        bool acting;                    /* nothing but acts since the last of them */
        struct damon_sample marked[2000];
        size_t nr_marked;
};

static void note_call(struct fake *fake, char c) {
        size_t n = strlen(fake->calls);

        if (n + 1 < sizeof(fake->calls))
                fake->calls[n] = c;
}

static int fake_mappings(void *data, struct damon_target *target,
                         const struct damon_range **ret_mappings, size_t *ret_nr) {
        struct fake *fake = data;

        note_call(fake, 'u');
        assert_false(target->gone);
        if (fake->mappings_error)
                return fake->mappings_error;
        if (fake->gone_in_mappings == target)
                target->gone = true;
        *ret_mappings = fake->mappings;
        *ret_nr = fake->nr_mappings;
        return 0;
}

static int fake_resident(void *data, struct damon_target *target,
                         const struct damon_range **ret_ranges, size_t *ret_nr) {
        struct fake *fake = data;

        note_call(fake, 'r');
        assert_false(target->gone);
        assert_true(target->regions.nr > 0);
        assert_true(fake->nr_updated < ELEMENTSOF(fake->updated));
        fake->updated[fake->nr_updated++] = target;
        if (fake->resident_error)
                return fake->resident_error;
        *ret_ranges = fake->resident;
        *ret_nr = fake->nr_resident;
        return 0;
}

static int fake_mark(void *data, struct damon_sample *samples, size_t nr) {
        struct fake *fake = data;

        note_call(fake, 'm');
        fake->acting = false;
        assert_true(nr > 0 && nr <= ELEMENTSOF(fake->marked));
        if (fake->mark_error)
                return fake->mark_error;
        for (size_t i = 0; i < nr; i++) {
                assert_false(samples[i].target->gone && fake->gone_in_mark != samples[i].target);
                samples[i].page[0] = samples[i].addr;
                samples[i].state = (uint16_t) i;
                fake->marked[i] = samples[i];
                if (fake->gone_in_mark == samples[i].target)
                        samples[i].target->gone = true;
        }
        fake->nr_marked = nr;
        return 0;
}

static int fake_check(void *data, struct damon_sample *samples, size_t nr) {
        struct fake *fake = data;

        note_call(fake, 'c');
        assert_true(nr > 0);
        if (fake->check_error)
                return fake->check_error;
        for (size_t i = 0; i < nr; i++) {
                /* what mark has left is still there */
                assert_int_equal(samples[i].page[0], samples[i].addr);
                samples[i].outcome = fake->outcome_of ? fake->outcome_of(&samples[i])
                                                      : fake->outcome;
                if (fake->gone_in_check == samples[i].target) {
                        samples[i].target->gone = true;
                        samples[i].outcome = DAMON_UNKNOWN;
                }
        }
        return 0;
}

static void check_tries(const struct damon_target *target, const struct damos_try *tries,
                        size_t nr) {
        for (size_t i = 0; i < nr; i++) {
                const struct damon_range *range;

                assert_true(tries[i].region < target->regions.nr);
                range = &target->regions.items[tries[i].region].range;
                assert_int_equal(tries[i].range.start, range->start);
                assert_int_equal(tries[i].range.end, range->end);
                assert_int_equal(tries[i].sz_applied, 0);
                if (i > 0)
                        assert_true(tries[i - 1].region < tries[i].region);
        }
}

/* What a scheme does to a target in a step comes in several calls, and is noted as one. */
static void note_act(struct fake *fake, const struct fake_act *act) {
        struct fake_act *last = fake->nr_acts > 0 ? &fake->acts[fake->nr_acts - 1] : NULL;

        if (last && fake->acting && last->action == act->action && last->target == act->target) {
                last->nr_tries += act->nr_tries;
                last->nr_regions = act->nr_regions;
                return;
        }
        note_call(fake, 'a');
        fake->acting = true;
        assert_true(fake->nr_acts < ELEMENTSOF(fake->acts));
        fake->acts[fake->nr_acts++] = *act;
}

static int fake_apply(void *data, struct damon_target *target, enum damos_action action,
                      struct damos_try *tries, size_t nr, uint64_t limit, uint64_t *ret_time) {
        struct fake *fake = data;
        const struct damon_region *first = &target->regions.items[tries[0].region];

        assert_true(nr > 0);
        assert_false(target->gone);
        fake->nr_unaligned += tries[nr - 1].range.end % (2 * MIB) != 0;
        fake->nr_applied++;
        if (action == DAMOS_STAT)
                assert_non_null(tries[0].filters);
        else
                check_tries(target, tries, nr);
        note_act(fake, &(struct fake_act) {
                action, target, nr, target->regions.nr, first->nr_accesses, first->age,
        });
        *ret_time = fake->apply_time;
        if (fake->gone_in_apply == target)
                target->gone = true;
        for (size_t i = 0; i < nr; i++) {
                uint64_t size = damon_range_size(&tries[i].range);

                tries[i].sz_filtered = tries[i].filters ? MIN(fake->sz_filtered, size) : 0;
                if (action != DAMOS_STAT)
                        tries[i].sz_applied = MIN(fake->sz_applied, size - tries[i].sz_filtered);
        }
        return fake->apply_error;
}

static void fake_target_release(void *data, struct damon_target *target) {
        struct fake *fake = data;

        fake->nr_released++;
        fake->last_released = target;
}

static const struct damon_ops fake_ops = {
        .name = "fake",
        .actions = DAMOS_ACTION_BIT(DAMOS_WILLNEED) | DAMOS_ACTION_BIT(DAMOS_COLD) |
                   DAMOS_ACTION_BIT(DAMOS_PAGEOUT),
        .page_size = PAGE,
        .mappings = fake_mappings,
        .mark = fake_mark,
        .check = fake_check,
        .apply = fake_apply,
        .target_release = fake_target_release,
};

/* The same, with a page table to look at. */
static const struct damon_ops resident_ops = {
        .name = "fake-resident",
        .actions = DAMOS_ACTION_BIT(DAMOS_WILLNEED) | DAMOS_ACTION_BIT(DAMOS_COLD) |
                   DAMOS_ACTION_BIT(DAMOS_PAGEOUT),
        .page_size = PAGE,
        .mappings = fake_mappings,
        .resident = fake_resident,
        .mark = fake_mark,
        .check = fake_check,
        .apply = fake_apply,
        .target_release = fake_target_release,
};

struct world {
        struct rng rng;
        struct fake fake;
        struct damon_engine *engine;
        bool started;
};

static void world_free(struct world *w) {
        if (w)
                damon_engine_free(w->engine);
        free(w);
}

static void world_freep(struct world **w) {
        world_free(*w);
}

#define _cleanup_world_ _cleanup_(world_freep)

static struct world *world_with(const struct damon_ops *ops) {
        struct world *w = calloc(1, sizeof(*w));
        struct damon_env env;

        assert_non_null(w);
        w->rng.state = 1;
        w->fake.mappings[0] = (struct damon_range) { 0, 100 * MIB };
        w->fake.nr_mappings = 1;
        w->fake.outcome = DAMON_ACCESSED;
        w->fake.sz_applied = UINT64_MAX;
        env = (struct damon_env) { rng_below, &w->rng };
        ASSERT_OK(damon_engine_new(&w->engine, &attrs, ops, &w->fake, &env));
        return w;
}

static struct world *world_new(void) {
        return world_with(&fake_ops);
}

static struct damon_target *add(struct world *w, const char *name) {
        struct damon_target *target;

        ASSERT_OK(damon_target_new(&target, name, 1));
        ASSERT_OK(damon_engine_add_target(w->engine, target));
        return target;
}

static struct damon_step step(struct world *w) {
        uint64_t nr_passed = w->started ? 1 : 0;

        w->started = true;
        memset(w->fake.calls, 0, sizeof(w->fake.calls));
        return step_sound(w->engine, nr_passed, false, PAGE);
}

/* Steps until an aggregation ends. */
static unsigned aggregate(struct world *w) {
        for (unsigned i = 1; i <= 1000; i++)
                if (step(w).aggregated)
                        return i;
        fail_msg("aggregations do not end");
        return 0;
}

static struct damos scheme(const char *name, enum damos_action action) {
        return (struct damos) {
                .name = (char *) (uintptr_t) name, .action = action, .pattern = { ANY, ANY, ANY },
        };
}

static const struct damos_stat *stat_of(const struct world *w, size_t i) {
        size_t nr;
        const struct damos *schemes = damon_engine_schemes(w->engine, &nr);

        assert_true(i < nr);
        return &schemes[i].stat;
}

static void assert_all(const struct damon_target *target, uint32_t nr_accesses, uint32_t age) {
        assert_true(target->regions.nr > 0);
        for (size_t i = 0; i < target->regions.nr; i++) {
                assert_int_equal(target->regions.items[i].nr_accesses, nr_accesses);
                assert_int_equal(target->regions.items[i].age, age);
        }
}

static void new_engine_refuses_bad_attrs(void **state) {
        struct damon_attrs bad = attrs;
        struct damon_engine *engine = NULL;
        const struct damon_env env = { rng_below, NULL };

        bad.min_regions = 2;
        ASSERT_ERROR(damon_engine_new(&engine, &bad, &fake_ops, NULL, &env), EINVAL);
        assert_null(engine);
        assert_null(damon_engine_free(NULL));
}

static void engine_without_targets_keeps_time(void **state) {
        _cleanup_world_ struct world *w = world_new();

        assert_int_equal(aggregate(w), 21);
        assert_int_equal(aggregate(w), 20);
        assert_string_equal(w->fake.calls, "");
        assert_int_equal(damon_engine_nr_regions(w->engine), 0);
}

static void step_checks_then_marks(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damon_step s;

        add(w, "a");
        assert_string_equal(w->fake.calls, "u");
        s = step(w);
        assert_string_equal(w->fake.calls, "m");
        assert_int_equal(s.nr_checked, 0);
        assert_int_equal(s.nr_marked, 10);
        s = step(w);
        assert_string_equal(w->fake.calls, "cm");
        assert_int_equal(s.nr_checked, 10);
        assert_int_equal(s.nr_unknown, 0);
        assert_int_equal(s.nr_marked, 10);
        assert_false(s.aggregated);
}

static void aggregation_and_update_come_between_check_and_mark(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos cold = scheme("s", DAMOS_COLD);
        unsigned at_update = 0;

        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        add(w, "a");
        for (unsigned i = 0; i <= 200; i++) {
                bool aggregated = step(w).aggregated;

                if (i == 0)
                        assert_string_equal(w->fake.calls, "m");
                else if (i % 100 == 0)
                        assert_string_equal(w->fake.calls, "caum");
                else if (i % 20 == 0)
                        assert_string_equal(w->fake.calls, "cam");
                else
                        assert_string_equal(w->fake.calls, "cm");
                assert_int_equal(aggregated, i > 0 && i % 20 == 0);
                at_update += strchr(w->fake.calls, 'u') != NULL;
        }
        assert_int_equal(at_update, 2);
}

static void every_region_is_sampled_at_one_of_its_pages(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t[2] = { add(w, "a"), add(w, "b") };
        bool seen_low = false, seen_high = false;

        for (int i = 0; i < 200; i++) {
                size_t k = 0;

                step(w);
                assert_int_equal(w->fake.nr_marked, t[0]->regions.nr + t[1]->regions.nr);
                for (size_t j = 0; j < 2; j++)
                        for (size_t n = 0; n < t[j]->regions.nr; n++, k++) {
                                const struct damon_range *range = &t[j]->regions.items[n].range;
                                const struct damon_sample *s = &w->fake.marked[k];

                                assert_ptr_equal(s->target, t[j]);
                                assert_int_equal(s->region, n);
                                assert_int_equal(s->addr % PAGE, 0);
                                assert_true(range->start <= s->addr && s->addr < range->end);
                                seen_low |= s->addr - range->start < damon_range_size(range) / 10;
                                seen_high |= range->end - s->addr < damon_range_size(range) / 10;
                        }
        }
        assert_true(seen_low && seen_high);
}

/* Share of the checks of a target that found an access. */
static double share_accessed(const struct damon_target *target) {
        struct damon_tally sum = {};

        for (size_t i = 0; i < target->regions.nr; i++) {
                struct damon_tally tally = damon_evidence_tally(&target->regions.items[i].evidence);

                sum.accessed += tally.accessed;
                sum.known += tally.known;
        }
        return sum.accessed / sum.known;
}

static void frequencies_are_what_the_checks_found(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damon_target *t = add(w, "a");
        uint64_t nr_accesses = 0;

        aggregate(w);
        assert_all(t, 20, 0);
        for (int i = 0; i < 20; i++) {
                w->fake.outcome = i < 10 ? DAMON_IDLE : DAMON_ACCESSED;
                step(w);
        }
        for (size_t i = 0; i < t->regions.nr; i++) {
                const struct damon_region *r = &t->regions.items[i];

                nr_accesses += r->nr_accesses * damon_range_size(&r->range);
                assert_true(r->accessed);
                assert_int_equal(r->age, 0);
        }
        /* a piece may have been cut for what was chance */
        assert_in_range(nr_accesses / damon_regions_size(&t->regions), 8, 12);
        /* half of them; small regions have too few checks yet to forget what was before */
        assert_in_range((uint64_t) (100 * share_accessed(t)), 49, 60);
}

static void accesses_that_end_show_soon(void **state) {
        static const int nr_accessed[] = { 20, 10, 5 };

        for (size_t k = 0; k < ELEMENTSOF(nr_accessed); k++) {
                _cleanup_world_ struct world *w = world_new();
                const struct damon_target *t = add(w, "a");

                step(w);
                for (int i = 0; i < 20; i++) {
                        w->fake.outcome = i < 20 - nr_accessed[k] ? DAMON_IDLE : DAMON_ACCESSED;
                        step(w);
                }
                /* of a part that chance left little evidence of, two aggregations have to say so */
                w->fake.outcome = DAMON_IDLE;
                aggregate(w);
                for (size_t i = 0; i < t->regions.nr; i++)
                        assert_true(t->regions.items[i].nr_accesses <= 2);
                aggregate(w);
                for (size_t i = 0; i < t->regions.nr; i++) {
                        assert_int_equal(t->regions.items[i].nr_accesses, 0);
                        assert_true(t->regions.items[i].age <= 1);
                }
        }
}

static void schemes_see_merged_regions_that_are_split_afterwards(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos cold = scheme("s", DAMOS_COLD);
        const struct damon_target *t;

        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        t = add(w, "a");
        for (size_t i = 0; i < 10; i++) {
                const struct fake_act *act = &w->fake.acts[i];

                aggregate(w);
                assert_int_equal(w->fake.nr_acts, i + 1);
                assert_int_equal(act->nr_regions, act->nr_tries);
                /* uniform memory merges to about min_regions: neighbours can miss the limit */
                assert_in_range(act->nr_regions, 10, 20);
                assert_true(t->regions.nr > act->nr_regions);
                assert_int_equal(act->nr_accesses, 20);
        }
}

static void running_checks_start_again_with_each_aggregation(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");

        aggregate(w);
        for (size_t i = 0; i < t->regions.nr; i++)
                assert_int_equal((int) nr_running_accessed(&t->regions.items[i]), 0);
        step(w);
        for (size_t i = 0; i < t->regions.nr; i++)
                assert_int_equal((int) nr_running_accessed(&t->regions.items[i]), 1);
}

static void age_counts_aggregations_without_change(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");

        for (uint32_t i = 0; i < 10; i++) {
                aggregate(w);
                assert_all(t, 20, i);
        }
        w->fake.outcome = DAMON_UNKNOWN;
        aggregate(w);
        assert_all(t, 20, 9);
        w->fake.outcome = DAMON_IDLE;
        aggregate(w);
        assert_all(t, 0, 0);
}

static void stat_leaves_the_age(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos stat = scheme("s", DAMOS_STAT);
        const struct damon_target *t = add(w, "a");

        ASSERT_OK(damon_engine_set_schemes(w->engine, &stat, 1));
        for (uint32_t i = 0; i < 5; i++) {
                aggregate(w);
                assert_all(t, 20, i);
        }
        assert_int_equal(w->fake.nr_acts, 0);
        assert_true(stat_of(w, 0)->nr_tried >= 50);
        assert_int_equal(stat_of(w, 0)->sz_tried, 500 * MIB);
        assert_int_equal(stat_of(w, 0)->nr_applied, 0);
        assert_int_equal(stat_of(w, 0)->sz_applied, 0);
}

static void every_action_makes_the_region_young(void **state) {
        static const enum damos_action actions[] = { DAMOS_WILLNEED, DAMOS_COLD, DAMOS_PAGEOUT };

        for (size_t i = 0; i < ELEMENTSOF(actions); i++) {
                _cleanup_world_ struct world *w = world_new();
                const struct damos s = scheme("s", actions[i]);
                const struct damon_target *t = add(w, "a");

                w->fake.sz_applied = i == 0 ? 0 : UINT64_MAX;   /* even if nothing was done */
                ASSERT_OK(damon_engine_set_schemes(w->engine, &s, 1));
                for (int k = 0; k < 5; k++) {
                        aggregate(w);
                        assert_all(t, 20, 0);
                }
        }
}

static enum damon_outcome low_half(const struct damon_sample *sample) {
        return sample->addr < 50 * MIB ? DAMON_ACCESSED : DAMON_IDLE;
}

static void action_makes_only_the_regions_young_that_it_matched(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damos s = scheme("s", DAMOS_COLD);
        const struct damon_target *t = add(w, "a");

        w->fake.outcome_of = low_half;
        s.pattern.nr_accesses.max = 0;
        ASSERT_OK(damon_engine_set_schemes(w->engine, &s, 1));
        for (int i = 0; i < 10; i++)
                aggregate(w);
        assert_int_equal(w->fake.nr_acts, 10);
        assert_int_equal(t->regions.items[0].nr_accesses, 20);
        assert_int_equal(t->regions.items[0].age, 9);
        for (size_t i = 0; i < t->regions.nr; i++)
                if (t->regions.items[i].nr_accesses == 0)
                        assert_int_equal(t->regions.items[i].age, 0);
}

static void schemes_are_applied_once_an_aggregation_in_their_order(void **state) {
        static const enum damos_action order[] = { DAMOS_COLD, DAMOS_WILLNEED, DAMOS_PAGEOUT };
        _cleanup_world_ struct world *w = world_new();
        struct damos schemes[] = {
                scheme("1", order[0]), scheme("2", order[1]), scheme("3", order[2]),
        };

        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 3));
        for (size_t i = 0; i < 4; i++) {
                aggregate(w);
                assert_int_equal(w->fake.nr_acts, 3 * (i + 1));
                for (size_t k = 0; k < 3; k++) {
                        assert_int_equal(w->fake.acts[3 * i + k].action, order[k]);
                        assert_int_equal(w->fake.acts[3 * i + k].nr_tries,
                                         w->fake.acts[3 * i].nr_tries);
                }
        }
}

static void earlier_action_hides_a_region_from_a_later_scheme_on_age(void **state) {
        for (size_t first = 0; first < 2; first++) {
                _cleanup_world_ struct world *w = world_new();
                struct damos schemes[2];
                bool paged_out = false;

                schemes[first] = scheme("young", DAMOS_COLD);
                schemes[1 - first] = scheme("old", DAMOS_PAGEOUT);
                schemes[first].pattern.age.min = schemes[1 - first].pattern.age.min = 200000;
                add(w, "a");
                ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 2));
                for (int i = 0; i < 10; i++)
                        aggregate(w);
                for (size_t i = 0; i < w->fake.nr_acts; i++)
                        paged_out |= w->fake.acts[i].action == DAMOS_PAGEOUT;
                /* ages 0, 1, 2, then 0 again, and so 1, 2 */
                assert_int_equal(w->fake.nr_acts, 4);
                assert_int_equal(w->fake.acts[0].age, 2);
                assert_int_equal(paged_out, first == 1);
        }
}

static void statistics_count_what_was_tried_and_what_was_done(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos cold = scheme("s", DAMOS_COLD);
        uint64_t nr_tried = 0;

        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        aggregate(w);
        nr_tried += w->fake.acts[0].nr_tries;
        assert_int_equal(stat_of(w, 0)->nr_tried, nr_tried);
        assert_int_equal(stat_of(w, 0)->sz_tried, 100 * MIB);
        assert_int_equal(stat_of(w, 0)->nr_applied, nr_tried);
        assert_int_equal(stat_of(w, 0)->sz_applied, 100 * MIB);

        w->fake.sz_applied = 0;
        aggregate(w);
        nr_tried += w->fake.acts[1].nr_tries;
        assert_int_equal(stat_of(w, 0)->nr_tried, nr_tried);
        assert_int_equal(stat_of(w, 0)->sz_tried, 200 * MIB);
        assert_int_equal(stat_of(w, 0)->nr_applied, w->fake.acts[0].nr_tries);
        assert_int_equal(stat_of(w, 0)->sz_applied, 100 * MIB);

        w->fake.sz_applied = PAGE;
        aggregate(w);
        assert_int_equal(stat_of(w, 0)->nr_applied,
                         w->fake.acts[0].nr_tries + w->fake.acts[2].nr_tries);
        assert_int_equal(stat_of(w, 0)->sz_applied, 100 * MIB + w->fake.acts[2].nr_tries * PAGE);
}

/* What was refused is not charged, but in a dry run nothing is done, and all of it counts. */
static void quota_of_a_dry_run_is_that_of_a_real_one(void **state) {
        for (int dry = 0; dry <= 1; dry++) {
                struct damon_ops ops = fake_ops;
                _cleanup_world_ struct world *w = NULL;
                struct damos cold = scheme("s", DAMOS_COLD);

                ops.dry_run = dry;
                w = world_with(&ops);
                w->fake.sz_applied = 0;
                cold.quota = (struct damos_quota) { .size = 10 * MIB, .interval = 1000000 };
                add(w, "a");
                ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
                aggregate(w);
                assert_int_equal(stat_of(w, 0)->sz_tried, dry ? 10 * MIB : 100 * MIB);
                aggregate(w);
                assert_int_equal(stat_of(w, 0)->sz_tried, dry ? 10 * MIB : 200 * MIB);
        }
}

/* Nothing is done, and all else is as if it had been. */
static void scheme_in_a_dry_run_goes_on_as_if_it_acted(void **state) {
        _cleanup_world_ struct world *dry = world_new(), *real = world_new();
        struct damos schemes[] = { scheme("old", DAMOS_PAGEOUT), scheme("stat", DAMOS_STAT) };

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
                schemes[i].pattern.age.min = 200000;
        add(dry, "a");
        add(real, "a");
        ASSERT_OK(damon_engine_set_schemes(real->engine, schemes, ELEMENTSOF(schemes)));
        schemes[0].dry_run = true;
        ASSERT_OK(damon_engine_set_schemes(dry->engine, schemes, ELEMENTSOF(schemes)));
        for (int i = 0; i < 10; i++) {
                aggregate(dry);
                aggregate(real);
                for (size_t k = 0; k < ELEMENTSOF(schemes); k++)
                        assert_int_equal(stat_of(dry, k)->sz_tried, stat_of(real, k)->sz_tried);
        }
        assert_int_equal(stat_of(real, 0)->sz_applied, 400 * MIB);
        assert_int_equal(stat_of(dry, 0)->sz_applied, 0);
        assert_int_equal(stat_of(dry, 0)->nr_applied, 0);
        assert_int_equal(dry->fake.nr_acts, 0);
}

/* It takes no time, and is charged what is expected: 4 MiB a millisecond. */
static void time_quota_of_a_dry_run_binds(void **state) {
        for (int whole = 0; whole <= 1; whole++) {
                struct damon_ops ops = fake_ops;
                _cleanup_world_ struct world *w = NULL;
                struct damos cold = scheme("s", DAMOS_COLD);

                ops.dry_run = whole;
                w = world_with(&ops);
                cold.dry_run = !whole;
                cold.quota = (struct damos_quota) { .time = 10000, .interval = 1000000 };
                add(w, "a");
                ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
                for (int i = 0; i < 5; i++)
                        aggregate(w);
                assert_in_range(stat_of(w, 0)->sz_tried, 36 * MIB, 40 * MIB);
                for (int i = 0; i < 10; i++)
                        aggregate(w);
                assert_in_range(stat_of(w, 0)->sz_tried, 72 * MIB, 80 * MIB);
                assert_int_equal(stat_of(w, 0)->qt_exceeds, 1);
        }
}

static const struct damos_breakdown *breakdown_of(const struct world *w, size_t i) {
        size_t nr;
        const struct damos *schemes = damon_engine_schemes(w->engine, &nr);

        assert_true(i < nr);
        return &schemes[i].breakdown;
}

/* As each scheme found it, before it or one behind it has changed anything. */
static void breakdown_is_that_of_the_last_aggregation(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damos schemes[] = { scheme("stat", DAMOS_STAT), scheme("cold", DAMOS_COLD), scheme("late", DAMOS_STAT) };

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
                schemes[i].pattern.age.min = 200000;
        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, ELEMENTSOF(schemes)));
        for (int i = 0; i < 10; i++) {
                bool old = i >= 2 && i % 2 == 0;     /* 0, 1, 2, and then 1, 2 */

                aggregate(w);
                for (size_t k = 0; k < ELEMENTSOF(schemes); k++) {
                        const struct damos_breakdown *breakdown = breakdown_of(w, k);
                        bool matches = old && k < 2;

                        assert_int_equal(breakdown->parts[DAMOS_HOLD_NONE].size, matches ? 100 * MIB : 0);
                        assert_int_equal(breakdown->parts[DAMOS_HOLD_AGE].size, matches ? 0 : 100 * MIB);
                }
        }
        /* what stays is known of what stays */
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 1));
        assert_int_equal(breakdown_of(w, 0)->parts[DAMOS_HOLD_AGE].size, 100 * MIB);
}

static void what_the_quota_does_not_allow_waits(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damos cold = scheme("s", DAMOS_COLD);

        cold.quota = (struct damos_quota) { .size = 10 * MIB, .interval = 1000000 };
        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        assert_int_equal(damon_engine_sz_waiting(w->engine, 0), 0);
        aggregate(w);
        assert_int_equal(breakdown_of(w, 0)->parts[DAMOS_HOLD_NONE].size, 100 * MIB);
        assert_int_equal(damon_engine_sz_waiting(w->engine, 0), 90 * MIB);
        aggregate(w);
        assert_int_equal(damon_engine_sz_waiting(w->engine, 0), 100 * MIB);
}

struct seen {
        unsigned nr_aggregations;
        size_t nr_regions;
        struct damos_breakdown breakdown;
};

static void look(struct damon_target *const *targets, size_t nr, const struct damon_attrs *in_force,
                 void *userdata) {
        struct damos old = scheme("s", DAMOS_PAGEOUT);
        struct seen *seen = userdata;

        assert_int_equal(nr, 1);
        assert_int_equal(in_force->aggregation_interval, attrs.aggregation_interval);
        old.pattern.age.min = 200000;
        seen->nr_aggregations++;
        seen->nr_regions = targets[0]->regions.nr;
        seen->breakdown = (struct damos_breakdown) {};
        damos_breakdown_add(&seen->breakdown, &old, targets[0], in_force);
}

/* Nothing is acted on, and so nothing becomes young. */
static void who_observes_sees_what_schemes_would_see(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damos old = scheme("s", DAMOS_PAGEOUT);
        struct damon_target *target = add(w, "a");
        struct seen seen = {};

        old.pattern.age.min = 200000;
        ASSERT_OK(damon_engine_set_schemes(w->engine, &old, 1));
        damon_engine_observe(w->engine, look, &seen);
        for (unsigned i = 0; i < 10; i++) {
                aggregate(w);
                assert_int_equal(seen.nr_aggregations, i + 1);
                assert_int_equal(seen.breakdown.parts[DAMOS_HOLD_NONE].size, i < 2 ? 0 : 100 * MIB);
                /* merged, and not yet cut */
                assert_in_range(seen.nr_regions, 10, 20);
                assert_true(target->regions.nr > seen.nr_regions);
        }
        assert_int_equal(w->fake.nr_acts, 0);
        assert_int_equal(stat_of(w, 0)->nr_tried, 0);
}

/* However small regions are: else neither what is tried first nor what is tried next has all of it. */
static void no_huge_page_is_cut_by_what_is_tried_at_once(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        const struct damon_range all = { 0, 20 * MIB };
        struct damos pageout = scheme("s", DAMOS_PAGEOUT);
        struct damon_attrs small = attrs;

        small.min_regions = 31;
        ASSERT_OK(damon_engine_set_attrs(w->engine, &small));
        w->fake.mappings[0] = all;
        w->fake.resident = &all;
        w->fake.nr_resident = 1;
        w->fake.outcome = DAMON_IDLE;
        w->fake.apply_time = 1000000;
        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, &pageout, 1));
        for (int i = 0; i < 10; i++)
                aggregate(w);
        assert_true(w->fake.nr_applied > 10);
        assert_int_equal(w->fake.nr_unaligned, 0);
}

/* Of 100 MiB, 10 are rejected by address, 10 are allowed by it, and what is behind them is looked at. */
static struct damos_filter mixed_filters[] = {
        { .type = DAMOS_FILTER_ADDR, .matching = true, .addr = { 0, 10 * MIB } },
        { .type = DAMOS_FILTER_ADDR, .matching = true, .allow = true, .addr = { 10 * MIB, 20 * MIB } },
        { .type = DAMOS_FILTER_ANON, .matching = true },
};

static struct world *world_that_looks(bool dry_run) {
        static struct damon_ops ops;
        struct world *w;

        ops = fake_ops;
        ops.filters = DAMOS_FILTER_BIT(DAMOS_FILTER_ANON);
        ops.dry_run = dry_run;
        w = world_with(&ops);
        w->fake.sz_filtered = PAGE;
        add(w, "a");
        return w;
}

static void only_what_addresses_leave_open_is_looked_at(void **state) {
        _cleanup_world_ struct world *w = world_that_looks(false);
        struct damos cold = scheme("s", DAMOS_COLD);
        const struct damon_regions *regions;
        struct damon_target *const *targets;
        size_t nr, nr_looked_at = 0;

        cold.filters = (struct damos_filters) { mixed_filters, ELEMENTSOF(mixed_filters) };
        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        for (int i = 0; i < 3; i++)
                aggregate(w);
        targets = damon_engine_targets(w->engine, &nr);
        regions = &targets[0]->regions;
        assert_int_equal(stat_of(w, 0)->sz_tried, 3 * 90 * MIB);
        assert_int_equal(stat_of(w, 0)->sz_applied + stat_of(w, 0)->sz_filtered, 3 * 100 * MIB);
        nr_looked_at = (stat_of(w, 0)->sz_filtered - 3 * 10 * MIB) / PAGE;
        assert_in_range(nr_looked_at, 1, stat_of(w, 0)->nr_tried - 1);
        /* what was looked at begins a new age, what was not goes on */
        for (size_t i = 0; i < regions->nr; i++)
                if (regions->items[i].range.end <= 10 * MIB)
                        assert_true(regions->items[i].age > 0);
                else
                        assert_int_equal(regions->items[i].age, 0);
}

static void counting_asks_the_operations_only_for_what_is_looked_at(void **state) {
        for (size_t nr = 2; nr <= 3; nr++) {
                _cleanup_world_ struct world *w = world_that_looks(false);
                struct damos count = scheme("s", DAMOS_STAT);

                count.filters = (struct damos_filters) { nr == 2 ? mixed_filters : &mixed_filters[2], nr == 2 ? 2 : 1 };
                ASSERT_OK(damon_engine_set_schemes(w->engine, &count, 1));
                aggregate(w);
                assert_int_equal(w->fake.nr_acts, nr == 2 ? 0 : 1);
                assert_int_equal(stat_of(w, 0)->sz_tried, nr == 2 ? 10 * MIB : 100 * MIB);
                assert_int_equal(stat_of(w, 0)->sz_filtered, nr == 2 ? 90 * MIB : stat_of(w, 0)->nr_tried * PAGE);
                assert_int_equal(stat_of(w, 0)->sz_applied, 0);
        }
}

/* All is held back: what is tried is a hundred times what the one window allows, in a dry run, too. */
static void quota_is_for_what_filters_let_through(void **state) {
        for (int dry = 0; dry <= 1; dry++) {
                _cleanup_world_ struct world *w = world_that_looks(dry);
                struct damos cold = scheme("s", DAMOS_COLD);

                w->fake.sz_filtered = UINT64_MAX;
                cold.filters = (struct damos_filters) { &mixed_filters[2], 1 };
                cold.quota = (struct damos_quota) { .size = MIB, .interval = 100000000 };
                ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
                for (int i = 0; i < 40; i++)
                        aggregate(w);
                assert_true(stat_of(w, 0)->sz_filtered > 100 * MIB);
                assert_int_equal(stat_of(w, 0)->sz_filtered, stat_of(w, 0)->sz_tried);
                assert_int_equal(stat_of(w, 0)->sz_applied, 0);
        }
}

static void scheme_for_one_target_leaves_the_other(void **state) {
        static char name[] = "b";
        static char *names[] = { name };
        _cleanup_world_ struct world *w = world_new();
        struct damos cold = scheme("s", DAMOS_COLD);
        const struct damon_target *b;

        cold.targets = names;
        cold.nr_targets = 1;
        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        add(w, "a");
        b = add(w, "b");
        for (int i = 0; i < 3; i++)
                aggregate(w);
        assert_int_equal(w->fake.nr_acts, 3);
        for (size_t i = 0; i < 3; i++)
                assert_ptr_equal(w->fake.acts[i].target, b);
}

static void unknown_regions_are_left_alone_but_counted(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos schemes[] = { scheme("act", DAMOS_COLD), scheme("count", DAMOS_STAT) };

        w->fake.outcome = DAMON_UNKNOWN;
        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 2));
        for (int i = 0; i < 3; i++)
                aggregate(w);
        assert_int_equal(step(w).nr_unknown, damon_engine_nr_regions(w->engine));
        assert_int_equal(w->fake.nr_acts, 0);
        assert_int_equal(stat_of(w, 0)->nr_tried, 0);
        assert_true(stat_of(w, 1)->nr_tried >= 30);
}

static void set_schemes_keeps_statistics_of_what_stays(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damos schemes[] = {
                scheme("1", DAMOS_STAT), scheme("2", DAMOS_COLD), scheme("3", DAMOS_STAT),
        };
        struct damos_stat before[3];
        size_t nr;

        add(w, "a");
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 3));
        aggregate(w);
        for (size_t i = 0; i < 3; i++) {
                before[i] = *stat_of(w, i);
                assert_true(before[i].nr_tried > 0);
        }
        /* 1 has another name now, 2 another place, 3 another rule */
        schemes[0] = schemes[1];
        schemes[1] = scheme("4", DAMOS_STAT);
        schemes[2].pattern.age.min = 1;
        schemes[0].stat.nr_tried = schemes[1].stat.nr_tried = 12345;
        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 3));
        assert_memory_equal(stat_of(w, 0), &before[1], sizeof(before[1]));
        assert_int_equal(stat_of(w, 1)->nr_tried, 0);
        assert_int_equal(stat_of(w, 2)->nr_tried, 0);

        ASSERT_OK(damon_engine_set_schemes(w->engine, damon_engine_schemes(w->engine, &nr), 3));
        assert_memory_equal(stat_of(w, 0), &before[1], sizeof(before[1]));
        ASSERT_OK(damon_engine_set_schemes(w->engine, NULL, 0));
        (void) damon_engine_schemes(w->engine, &nr);
        assert_int_equal(nr, 0);
}

static void set_schemes_refuses_what_cannot_be_done_and_changes_nothing(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos good = scheme("1", DAMOS_COLD);
        const struct damos bad[] = { scheme("2", DAMOS_STAT), scheme("3", DAMOS_HUGEPAGE) };
        const struct damos *schemes;
        size_t nr;

        ASSERT_OK(damon_engine_set_schemes(w->engine, &good, 1));
        ASSERT_ERROR(damon_engine_set_schemes(w->engine, bad, 2), ENOTSUP);
        schemes = damon_engine_schemes(w->engine, &nr);
        assert_int_equal(nr, 1);
        assert_string_equal(schemes[0].name, "1");
}

static void set_attrs_carries_results_over(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");
        struct damon_attrs slow = attrs;

        for (int i = 0; i < 5; i++)
                aggregate(w);
        assert_all(t, 20, 4);
        step(w);
        slow.aggregation_interval = 200000;
        ASSERT_OK(damon_engine_set_attrs(w->engine, &slow));
        assert_int_equal(damon_engine_attrs(w->engine)->aggregation_interval, 200000);
        assert_all(t, 40, 2);
        assert_int_equal((int) nr_running_accessed(&t->regions.items[0]), 0);
        assert_int_equal(aggregate(w), 40);
        assert_all(t, 40, 3);
}

static void set_attrs_drops_marks_of_the_old_interval(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damon_attrs slow = attrs;

        add(w, "a");
        step(w);
        slow.sample_interval = 10000;
        ASSERT_OK(damon_engine_set_attrs(w->engine, &slow));
        assert_int_equal(step(w).nr_checked, 0);
        assert_string_equal(w->fake.calls, "m");
}

static void set_attrs_of_the_same_changes_nothing(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");

        for (int i = 0; i <= 10; i++)
                step(w);
        ASSERT_OK(damon_engine_set_attrs(w->engine, &attrs));
        assert_int_equal((int) nr_running_accessed(&t->regions.items[0]), 10);
        assert_int_equal(step(w).nr_checked, 10);
        assert_int_equal(aggregate(w), 9);
}

static void set_attrs_refuses_bad_ones_and_changes_nothing(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");
        struct damon_attrs bad = attrs;

        for (int i = 0; i <= 10; i++)
                step(w);
        bad.max_regions = 9;
        ASSERT_ERROR(damon_engine_set_attrs(w->engine, &bad), EINVAL);
        assert_int_equal(damon_engine_attrs(w->engine)->max_regions, 100);
        assert_int_equal((int) nr_running_accessed(&t->regions.items[0]), 10);
}

static void missed_intervals_count_as_time_but_not_as_checks(void **state) {
        for (int accessed = 0; accessed < 2; accessed++) {
                _cleanup_world_ struct world *w = world_new();
                const struct damon_target *t = add(w, "a");

                w->fake.outcome = accessed ? DAMON_ACCESSED : DAMON_IDLE;
                step(w);
                for (int i = 0; i < 4; i++)
                        assert_false(step_sound(w->engine, 4, false, PAGE).aggregated);
                assert_int_equal((int) nr_running_accessed(&t->regions.items[0]), accessed ? 4 : 0);
                assert_int_equal((int) nr_running_idle(&t->regions.items[0]), accessed ? 0 : 4);
                assert_true(step_sound(w->engine, 4, false, PAGE).aggregated);
                assert_all(t, accessed ? 20 : 0, accessed ? 0 : 1);
        }
}

static void long_pause_ends_one_aggregation_and_one_update(void **state) {
        _cleanup_world_ struct world *w = world_new();

        add(w, "a");
        step(w);
        memset(w->fake.calls, 0, sizeof(w->fake.calls));
        assert_true(step_sound(w->engine, 100000, false, PAGE).aggregated);
        assert_string_equal(w->fake.calls, "cum");
        assert_int_equal(aggregate(w), 20);
}

static void stale_marks_are_not_checked(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damos schemes[] = { scheme("act", DAMOS_COLD), scheme("count", DAMOS_STAT) };
        const struct damon_target *t = add(w, "a");
        struct damon_step s;

        ASSERT_OK(damon_engine_set_schemes(w->engine, schemes, 2));
        step(w);
        step(w);
        memset(w->fake.calls, 0, sizeof(w->fake.calls));
        s = step_sound(w->engine, 3, true, PAGE);
        assert_string_equal(w->fake.calls, "m");
        assert_int_equal(s.nr_checked, 0);
        assert_int_equal(s.nr_marked, 10);
        assert_int_equal((int) nr_running_accessed(&t->regions.items[0]), 1);

        /* an aggregation of stale marks alone knows nothing */
        assert_true(step_sound(w->engine, 16, true, PAGE).aggregated);
        assert_false(t->regions.items[0].unknown);
        assert_int_equal(w->fake.nr_acts, 1);
        assert_true(step_sound(w->engine, 20, true, PAGE).aggregated);
        assert_true(t->regions.items[0].unknown);
        assert_int_equal(w->fake.nr_acts, 1);
}

/* The target that is gone is handed out, the other goes on. */
static void assert_handed_out(struct world *w, struct damon_target *gone) {
        struct damon_target *const *targets;
        struct damon_step s = step(w);
        size_t nr, nr_act = w->fake.nr_acts;

        assert_int_equal(s.nr_gone, 1);
        for (size_t i = 0; i < w->fake.nr_marked; i++)
                assert_ptr_not_equal(w->fake.marked[i].target, gone);
        assert_int_equal(w->fake.nr_released, 0);
        assert_ptr_equal(damon_engine_pop_gone(w->engine), gone);
        assert_int_equal(w->fake.nr_released, 1);
        assert_ptr_equal(w->fake.last_released, gone);
        assert_null(damon_engine_pop_gone(w->engine));
        damon_target_free(gone);

        targets = damon_engine_targets(w->engine, &nr);
        assert_int_equal(nr, 1);
        assert_string_equal(targets[0]->name, "stays");
        aggregate(w);
        assert_int_equal(step(w).nr_gone, 0);
        assert_int_equal(step(w).nr_checked, targets[0]->regions.nr);
        for (size_t i = nr_act; i < w->fake.nr_acts; i++)
                assert_ptr_equal(w->fake.acts[i].target, targets[0]);
        assert_true(w->fake.nr_acts > nr_act);
}

/* Two targets, an acting scheme, some steps. */
static struct world *world_of_two(struct damon_target **ret_goes) {
        const struct damos cold = scheme("s", DAMOS_COLD);
        struct world *w = world_new();

        ASSERT_OK(damon_engine_set_schemes(w->engine, &cold, 1));
        *ret_goes = add(w, "goes");
        add(w, "stays");
        for (int i = 0; i < 10; i++)
                step(w);
        return w;
}

static void target_gone_in_check(void **state) {
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);
        struct damon_step s;

        w->fake.gone_in_check = goes;
        s = step(w);
        assert_int_equal(s.nr_gone, 1);
        assert_int_equal(s.nr_unknown, 10);
        assert_int_equal(s.nr_marked, 10);
        assert_handed_out(w, goes);
}

static void target_gone_in_mark(void **state) {
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);

        w->fake.gone_in_mark = goes;
        assert_int_equal(step(w).nr_gone, 1);
        w->fake.gone_in_mark = NULL;
        assert_handed_out(w, goes);
}

static void target_gone_in_apply(void **state) {
        const struct damos twice[] = { scheme("s", DAMOS_COLD), scheme("t", DAMOS_PAGEOUT) };
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);

        ASSERT_OK(damon_engine_set_schemes(w->engine, twice, 2));
        w->fake.gone_in_apply = goes;
        aggregate(w);
        /* one for the target that went, and both for the one that stays */
        assert_int_equal(w->fake.nr_acts, 3);
        assert_handed_out(w, goes);
}

static void target_gone_in_mappings(void **state) {
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);

        w->fake.gone_in_mappings = goes;
        for (int i = 0; i < 100; i++)
                step(w);
        assert_handed_out(w, goes);
}

static void target_gone_before_it_is_added_is_handed_out_at_once(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damon_target *target;

        ASSERT_OK(damon_target_new(&target, "a", 1));
        w->fake.gone_in_mappings = target;
        ASSERT_OK(damon_engine_add_target(w->engine, target));
        assert_int_equal(step(w).nr_gone, 1);
        assert_int_equal(target->regions.nr, 0);
        assert_ptr_equal(damon_engine_pop_gone(w->engine), target);
        damon_target_free(target);
}

static void target_that_is_gone_is_not_asked_for_mappings(void **state) {
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);
        unsigned nr_updates = 0;

        w->fake.gone_in_check = goes;
        for (int i = 0; i < 200; i++) {
                const char *u;

                assert_int_equal(step(w).nr_gone, 1);
                u = strchr(w->fake.calls, 'u');
                nr_updates += u != NULL;
                assert_true(!u || u[1] != 'u');
        }
        assert_int_equal(nr_updates, 2);
}

static void target_can_be_taken_out_between_mark_and_check(void **state) {
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);

        damon_engine_remove_target(w->engine, goes);
        assert_int_equal(w->fake.nr_released, 1);
        assert_int_equal(step(w).nr_checked, 10);
        assert_int_equal(damon_engine_nr_regions(w->engine), 10);
}

static void target_without_mappings_waits_for_some(void **state) {
        _cleanup_world_ struct world *w = world_new();

        w->fake.nr_mappings = 0;
        add(w, "a");
        for (int i = 0; i <= 99; i++) {
                struct damon_step s = step(w);

                assert_int_equal(s.nr_marked, 0);
                assert_int_equal(s.nr_gone, 0);
        }
        w->fake.nr_mappings = 1;
        assert_int_equal(step(w).nr_marked, 10);
}

static void engine_releases_its_targets_in_the_end(void **state) {
        struct fake fake = { .mappings = { { 0, 100 * MIB } }, .nr_mappings = 1 };
        struct rng rng = { 1 };
        const struct damon_env env = { rng_below, &rng };
        struct damon_engine *engine;
        struct damon_target *target;

        ASSERT_OK(damon_engine_new(&engine, &attrs, &fake_ops, &fake, &env));
        for (int i = 0; i < 3; i++) {
                ASSERT_OK(damon_target_new(&target, "t", i));
                ASSERT_OK(damon_engine_add_target(engine, target));
        }
        assert_null(damon_engine_free(engine));
        assert_int_equal(fake.nr_released, 3);
}

static void add_target_forwards_an_error_and_leaves_the_target(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damon_target *target;
        size_t nr;

        ASSERT_OK(damon_target_new(&target, "a", 1));
        w->fake.mappings_error = -EIO;
        ASSERT_ERROR(damon_engine_add_target(w->engine, target), EIO);
        (void) damon_engine_targets(w->engine, &nr);
        assert_int_equal(nr, 0);
        assert_int_equal(w->fake.nr_released, 0);
        damon_target_free(target);
}

/* Steps until one fails; the next one works, with nothing to check. */
static void assert_fails_once(struct world *w, int *error) {
        struct damon_step s = { .nr_checked = 4711 };
        int r = 0;

        *error = -EIO;
        for (int i = 0; i < 200 && r == 0; i++)
                r = damon_engine_step(w->engine, 1, false, &s);
        assert_int_equal(r, -EIO);
        *error = 0;
        assert_engine_sound(w->engine, PAGE);
        s = step(w);
        assert_int_equal(s.nr_checked, 0);
        assert_true(s.nr_marked > 0);
        s = step(w);
        assert_int_equal(s.nr_checked, damon_engine_nr_regions(w->engine));
        aggregate(w);
}

static void failing_operations_fail_the_step_and_no_more(void **state) {
        struct damon_target *goes;
        _cleanup_world_ struct world *w = world_of_two(&goes);

        assert_fails_once(w, &w->fake.check_error);
        assert_fails_once(w, &w->fake.mark_error);
        assert_fails_once(w, &w->fake.apply_error);
        assert_fails_once(w, &w->fake.mappings_error);
        assert_int_equal(step(w).nr_gone, 0);
}

static void failing_step_leaves_its_result(void **state) {
        _cleanup_world_ struct world *w = world_new();
        struct damon_step s = { .nr_checked = 4711 };

        add(w, "a");
        w->fake.mark_error = -EIO;
        ASSERT_ERROR(damon_engine_step(w->engine, 0, false, &s), EIO);
        assert_int_equal(s.nr_checked, 4711);
}

/* Every page is like no neighbour of its own, at any distance. */
/* What is in memory of the 100 MiB: 4 MiB, 1 page, and 4 MiB at the end. */
static const struct damon_range in_memory[] = {
        { 20 * MIB, 24 * MIB }, { 50 * MIB, 50 * MIB + PAGE }, { 96 * MIB, 100 * MIB },
};

static void has_in_memory(struct world *w, const struct damon_range *ranges, size_t nr) {
        w->fake.resident = ranges;
        w->fake.nr_resident = nr;
}

static bool is_within(const struct damon_range *ranges, size_t nr, uint64_t addr) {
        for (size_t i = 0; i < nr; i++)
                if (ranges[i].start <= addr && addr < ranges[i].end)
                        return true;
        return false;
}

static const struct damon_region *region_at(const struct damon_target *target, uint64_t addr) {
        for (size_t i = 0; i < target->regions.nr; i++)
                if (is_within(&target->regions.items[i].range, 1, addr))
                        return &target->regions.items[i];
        fail_msg("no region there");
        return NULL;
}

static enum damon_outcome by_residency(const struct damon_sample *sample) {
        return is_within(in_memory, ELEMENTSOF(in_memory), sample->addr) ? DAMON_ACCESSED : DAMON_ABSENT;
}

static void residency_is_asked_for_after_mappings(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);

        add(w, "a");
        assert_string_equal(w->fake.calls, "ur");
        for (unsigned i = 0; i <= 200; i++) {
                step(w);
                assert_int_equal(strstr(w->fake.calls, "urm") != NULL, i > 0 && i % 100 == 0);
        }
        assert_int_equal(w->fake.nr_updated, 3);
}

static void mostly_what_is_in_memory_is_sampled(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        const struct damon_target *t;
        size_t nr_inside = 0, nr_outside = 0, nr_sampled = 0, nr_regions = 0;

        has_in_memory(w, in_memory, ELEMENTSOF(in_memory));
        w->fake.outcome_of = by_residency;
        t = add(w, "a");
        /* absent parts have been cut off */
        assert_int_equal(region_at(t, 20 * MIB)->range.start, 20 * MIB);
        assert_int_equal(damon_range_size(&region_at(t, 50 * MIB)->range), PAGE);
        assert_int_equal(region_at(t, 96 * MIB)->range.start, 96 * MIB);
        for (int i = 0; i < 400; i++) {
                step(w);
                for (size_t k = 0; k < w->fake.nr_marked; k++)
                        if (is_within(in_memory, ELEMENTSOF(in_memory), w->fake.marked[k].addr))
                                nr_inside++;
                        else
                                nr_outside++;
                nr_sampled += damon_target_nr_sampled(t);
                nr_regions += t->regions.nr;
        }
        /* one in eight of a region that is absent, and of the others only where they are not whole */
        assert_true(nr_inside >= nr_sampled);
        assert_in_range(nr_outside, (nr_regions - nr_sampled) / 10, (nr_regions - nr_sampled) / 6);
        for (size_t i = 0; i < t->regions.nr; i++) {
                const struct damon_region *r = &t->regions.items[i];
                bool there = is_within(in_memory, ELEMENTSOF(in_memory), r->range.start);

                assert_int_equal(r->absent, !there);
                assert_int_equal(r->nr_accesses, there ? 20 : 0);
                assert_false(r->unknown);
                /* but the first aggregation, which the first access came in */
                assert_int_equal(r->age, there ? 19 - 1 : 19);
        }
}

static void what_is_not_known_is_taken_to_be_in_memory(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t = add(w, "a");

        w->fake.outcome = DAMON_ABSENT;
        for (int i = 0; i < 40; i++) {
                struct damon_step s = step(w);

                assert_int_equal(s.nr_marked, t->regions.nr);
        }
        /* without a page table to look at, a page that is not there is an idle one */
        aggregate(w);
        for (size_t i = 0; i < t->regions.nr; i++) {
                assert_false(t->regions.items[i].absent);
                assert_false(t->regions.items[i].unknown);
                assert_int_equal(t->regions.items[i].nr_accesses, 0);
        }
        assert_int_equal(damon_target_nr_sampled(t), t->regions.nr);

        /* and so it is once it is not known any more */
        has_in_memory(w, in_memory, 0);
        for (int i = 0; i < 100; i++)
                step(w);
        assert_int_equal(damon_target_nr_sampled(t), 0);
        has_in_memory(w, NULL, 0);
        for (int i = 0; i < 100; i++)
                step(w);
        assert_int_equal(damon_target_nr_sampled(t), t->regions.nr);
}

/* A page that is not there says nothing of the part that is. */
static void absent_pages_of_a_region_in_memory_do_not_count(void **state) {
        static const struct damon_range whole = { 0, 100 * MIB };
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t;

        has_in_memory(w, &whole, 1);
        t = add(w, "a");
        step(w);
        for (int i = 0; i < 19; i++) {
                w->fake.outcome = i % 2 ? DAMON_ABSENT : DAMON_ACCESSED;
                step(w);
        }
        for (size_t i = 0; i < t->regions.nr; i++) {
                assert_true(nr_running_accessed(&t->regions.items[i]) >= 10 - 1e-9);
                assert_true(nr_running_idle(&t->regions.items[i]) <= 0);
                assert_int_equal(t->regions.items[i].nr_unknown, 0);
        }
        aggregate(w);
        assert_all(t, 20, 0);
}

static void target_that_is_not_in_memory_goes_on(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t;
        size_t nr_marked = 0;

        has_in_memory(w, in_memory, 0);
        t = add(w, "a");
        w->fake.outcome = DAMON_ABSENT;
        for (int i = 0; i < 20; i++)
                nr_marked += step(w).nr_marked;
        /* each draw is a check, but those that the next step is to check */
        for (size_t i = 0; i < t->regions.nr; i++)
                assert_in_range(t->regions.items[i].nr_known, 19, 20);
        for (int i = 20; i < 201; i++)
                nr_marked += step(w).nr_marked;
        assert_in_range(nr_marked, 1, 201 * t->regions.nr / 6);
        assert_all(t, 0, 10);
}

static void memory_brought_in_is_young(void **state) {
        static const struct damon_range before[] = { { 20 * MIB, 21 * MIB }, { 60 * MIB, 80 * MIB } };
        static const struct damon_range now[] = {
                { 20 * MIB, 24 * MIB }, { 40 * MIB, 50 * MIB }, { 60 * MIB, 81 * MIB },
        };
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t;

        has_in_memory(w, before, ELEMENTSOF(before));
        w->fake.outcome = DAMON_IDLE;
        t = add(w, "a");
        for (int i = 0; i < 100; i++)
                step(w);
        assert_all(t, 0, 4);
        has_in_memory(w, now, ELEMENTSOF(now));
        step(w);
        /* the update */
        assert_int_equal(w->fake.nr_updated, 2);
        assert_int_equal(region_at(t, 45 * MIB)->age, 0);
        assert_false(region_at(t, 45 * MIB)->absent);
        assert_true(damon_evidence_tally(&region_at(t, 45 * MIB)->evidence).known <= 0);
        assert_int_equal(region_at(t, 23 * MIB)->age, 0);
        /* what was there, and what is still not, is as old as it was */
        assert_int_equal(region_at(t, 70 * MIB)->age, 5);
        assert_int_equal(region_at(t, 5 * MIB)->age, 5);
        assert_true(damon_evidence_tally(&region_at(t, 70 * MIB)->evidence).known > 0);
        for (int i = 0; i < 40; i++)
                step(w);
        assert_int_equal(region_at(t, 45 * MIB)->age, 2);
        assert_int_equal(region_at(t, 70 * MIB)->age, 7);
}

static void region_that_is_mostly_new_in_memory_is_young(void **state) {
        /* a page in each 100 KiB: no gap is cut off, the parts are those of one region */
        static struct damon_range pages[1024];
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_attrs other = attrs;
        struct damon_target *t;

        for (size_t i = 0; i < ELEMENTSOF(pages); i++)
                pages[i] = (struct damon_range) { i * 100 * 1024, i * 100 * 1024 + PAGE };
        /* no update in a step that ends an aggregation */
        other.update_interval = 110 * attrs.sample_interval;
        ASSERT_OK(damon_engine_set_attrs(w->engine, &other));
        has_in_memory(w, pages, ELEMENTSOF(pages));
        w->fake.outcome = DAMON_IDLE;
        t = add(w, "a");
        for (int i = 0; i < 110; i++)
                step(w);
        assert_all(t, 0, 5);
        /* twice as much is not yet most of it, three times as much is */
        for (size_t i = 0; i < ELEMENTSOF(pages); i++)
                pages[i].end = pages[i].start + (i < 512 ? 2 : 3) * PAGE;
        step(w);
        assert_int_equal(w->fake.nr_updated, 2);
        assert_int_equal(region_at(t, 10 * MIB)->age, 5);
        assert_true(damon_evidence_tally(&region_at(t, 10 * MIB)->evidence).known > 0);
        assert_int_equal(region_at(t, 90 * MIB)->age, 0);
        assert_true(damon_evidence_tally(&region_at(t, 90 * MIB)->evidence).known <= 0);
}

static void residency_that_becomes_known_leaves_the_age(void **state) {
        static const struct damon_range whole = { 0, 100 * MIB };
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t = add(w, "a");

        w->fake.outcome = DAMON_IDLE;
        for (int i = 0; i < 100; i++)
                step(w);
        has_in_memory(w, &whole, 1);
        step(w);
        assert_int_equal(w->fake.nr_updated, 2);
        assert_true(t->residency.known);
        assert_all(t, 0, 5);
}

static void region_that_was_just_cut_is_young_too(void **state) {
        static struct damon_range pages[1024];
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t;

        for (size_t i = 0; i < ELEMENTSOF(pages); i++)
                pages[i] = (struct damon_range) { i * 100 * 1024, i * 100 * 1024 + PAGE };
        has_in_memory(w, pages, ELEMENTSOF(pages));
        w->fake.outcome = DAMON_IDLE;
        t = add(w, "a");
        /* the update comes in the step that ends the fifth aggregation, as by default */
        for (int i = 0; i < 100; i++)
                step(w);
        assert_all(t, 0, 4);
        for (size_t i = 0; i < ELEMENTSOF(pages); i++)
                pages[i].end = pages[i].start + 3 * PAGE;
        step(w);
        assert_int_equal(w->fake.nr_updated, 2);
        for (size_t i = 0; i < t->regions.nr; i++)
                assert_int_equal(t->regions.items[i].age, 0);
}

/* What lies before the target, behind it, and between its parts is no part of a gap. */
static void gaps_are_measured_inside_of_the_target(void **state) {
        static struct damon_range there[] = { { 1000 * MIB + PAGE, 1100 * MIB - PAGE } };
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t;

        w->fake.mappings[0] = (struct damon_range) { 1000 * MIB, 1100 * MIB };
        has_in_memory(w, there, 1);
        t = add(w, "a");
        assert_int_equal(t->regions.nr, 10);
}

static void absent_parts_take_half_of_the_regions_at_most(void **state) {
        static struct damon_range chunks[91];
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *t;

        for (size_t i = 0; i < ELEMENTSOF(chunks); i++)
                chunks[i] = (struct damon_range) { i * MIB, i * MIB + PAGE };
        chunks[90] = (struct damon_range) { 90 * MIB - PAGE, 90 * MIB };
        w->fake.mappings[0] = (struct damon_range) { 0, 45 * MIB };
        has_in_memory(w, chunks, ELEMENTSOF(chunks));
        t = add(w, "a");
        /* and what is left is divided as it is without them */
        assert_in_range(t->regions.nr, 49, 50 + attrs.min_regions);
        /* smaller than a fiftieth */
        w->fake.mappings[0] = (struct damon_range) { 0, 90 * MIB };
        t = add(w, "b");
        assert_int_equal(t->regions.nr, 10);
}

static void failing_residency_fails_the_step_and_no_more(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_target *target;

        w->fake.resident_error = -ENOMEM;
        ASSERT_OK(damon_target_new(&target, "a", 1));
        ASSERT_ERROR(damon_engine_add_target(w->engine, target), ENOMEM);
        damon_target_free(target);
        w->fake.resident_error = 0;
        add(w, "a");
        assert_fails_once(w, &w->fake.resident_error);
}

/* Each once in an interval, and as evenly as whole steps allow. */
static void targets_are_updated_in_turn(void **state) {
        static const struct {
                size_t nr;
                uint64_t nr_steps;      /* between two updates of a target */
        } cases[] = { { 1, 100 }, { 3, 100 }, { 7, 100 }, { 7, 7 }, { 10, 5 }, { 23, 10 }, { 3, 1 } };

        for (size_t k = 0; k < ELEMENTSOF(cases); k++) {
                _cleanup_world_ struct world *w = world_with(&resident_ops);
                const size_t nr = cases[k].nr, interval = cases[k].nr_steps;
                struct damon_attrs other = attrs;
                struct damon_target *const *targets;
                size_t nr_targets, at = 0;

                other.update_interval = interval * attrs.sample_interval;
                ASSERT_OK(damon_engine_set_attrs(w->engine, &other));
                for (size_t i = 0; i < nr; i++)
                        add(w, "a");
                targets = damon_engine_targets(w->engine, &nr_targets);
                step(w);
                for (size_t i = 1; i <= 300; i++) {
                        w->fake.nr_updated = 0;
                        step(w);
                        for (size_t n = 0; n < w->fake.nr_updated; n++)
                                assert_ptr_equal(w->fake.updated[n], targets[at++ % nr]);
                        assert_int_equal(at, i * nr / interval);
                }
        }
}

static void long_pause_updates_each_target_once(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        const struct damon_target *t[4];
        struct damon_step s;

        for (size_t i = 0; i < 4; i++)
                t[i] = add(w, "a");
        for (int i = 0; i < 51; i++)
                step(w);
        for (int k = 0; k < 3; k++) {
                size_t nr_seen = 0;

                w->fake.nr_updated = 0;
                /* times targets, it would be more than 64 bits hold */
                ASSERT_OK(damon_engine_step(w->engine, UINT64_C(1) << 62, true, &s));
                assert_int_equal(w->fake.nr_updated, 4);
                for (size_t i = 0; i < 4; i++)
                        for (size_t n = 0; n < 4; n++)
                                nr_seen += w->fake.updated[n] == t[i];
                assert_int_equal(nr_seen, 4);
        }
        w->fake.nr_updated = 0;
        for (int i = 0; i < 100; i++)
                step(w);
        assert_int_equal(w->fake.nr_updated, 4);
}

static void updates_that_fail_do_not_pile_up(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_step s;

        for (size_t i = 0; i < 3; i++)
                add(w, "a");
        step(w);
        w->fake.resident_error = -EIO;
        for (int i = 0; i < 10; i++)
                ASSERT_ERROR(damon_engine_step(w->engine, 100, true, &s), EIO);
        w->fake.resident_error = 0;
        w->fake.nr_updated = 0;
        step(w);
        assert_int_equal(w->fake.nr_updated, 3);
        step(w);
        assert_int_equal(w->fake.nr_updated, 3);
}

/* Intervals that are changed again and again put no update off for ever. */
static void set_attrs_keeps_what_is_due(void **state) {
        _cleanup_world_ struct world *w = world_with(&resident_ops);
        struct damon_attrs other = attrs;

        add(w, "a");
        step(w);
        w->fake.nr_updated = 0;
        for (int i = 0; i < 1000; i++) {
                other.aggregation_interval = attrs.aggregation_interval + (i % 2 ? 0 : 5000);
                ASSERT_OK(damon_engine_set_attrs(w->engine, &other));
                step(w);
        }
        assert_int_equal(w->fake.nr_updated, 10);

        /* half of an interval, whatever its length */
        for (int i = 0; i < 50; i++)
                step(w);
        assert_int_equal(w->fake.nr_updated, 10);
        other.update_interval = 10 * attrs.update_interval;
        ASSERT_OK(damon_engine_set_attrs(w->engine, &other));
        for (int i = 0; i < 499; i++)
                step(w);
        assert_int_equal(w->fake.nr_updated, 10);
        step(w);
        assert_int_equal(w->fake.nr_updated, 11);
}

static enum damon_outcome mixed_pages(const struct damon_sample *sample) {
        struct rng rng = { sample->addr };

        return rng_below(&rng, 2) ? DAMON_ACCESSED : DAMON_IDLE;
}

static void number_of_regions_stays_within_its_limits(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");
        size_t most = 0;

        w->fake.outcome_of = mixed_pages;
        for (int i = 0; i < 2000; i++) {
                step(w);
                assert_in_range(t->regions.nr, 10, 100);
                most = MAX(most, t->regions.nr);
        }
        assert_true(most > 50);
}

static void limits_hold_for_each_target(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t[] = { add(w, "a"), add(w, "b"), add(w, "c") };
        size_t most = 0;

        w->fake.outcome_of = mixed_pages;
        for (int i = 0; i < 1000; i++) {
                step(w);
                for (size_t k = 0; k < 3; k++)
                        assert_in_range(t[k]->regions.nr, 10, 100);
                most = MAX(most, damon_engine_nr_regions(w->engine));
        }
        assert_true(most > 150);
}

static void uniform_memory_is_explored_by_few_regions(void **state) {
        for (int accessed = 0; accessed < 2; accessed++) {
                _cleanup_world_ struct world *w = world_new();
                const struct damon_target *t = add(w, "a");

                w->fake.outcome = accessed ? DAMON_ACCESSED : DAMON_IDLE;
                for (int i = 0; i < 100; i++) {
                        aggregate(w);
                        /* of 100 that there may be; with each aggregation they are merged and cut */
                        assert_in_range(t->regions.nr, 15, 40);
                }
        }
}

static void pages_found_accessed_are_looked_at_again(void **state) {
        _cleanup_world_ struct world *w = world_new();
        static struct damon_sample before[2000];
        size_t i_before, nr_before, nr_again = 0, nr = 0;

        add(w, "a");
        w->fake.outcome_of = mixed_pages;
        step(w);
        for (int i = 0; i < 2000; i++) {
                struct damon_step s;

                nr_before = w->fake.nr_marked;
                memcpy(before, w->fake.marked, nr_before * sizeof(before[0]));
                s = step(w);
                for (size_t k = 0; k < w->fake.nr_marked; k++) {
                        const struct damon_sample *sample = &w->fake.marked[k];

                        nr++;
                        nr_again += sample->again;
                        /* regions that changed have other pages */
                        if (!sample->again || s.aggregated)
                                continue;
                        /* beside a sample of the same region */
                        assert_true(k + 1 < w->fake.nr_marked);
                        assert_int_equal(w->fake.marked[k + 1].region, sample->region);
                        assert_false(w->fake.marked[k + 1].again);
                        /* once: it is no fair sample */
                        for (i_before = 0; i_before < nr_before; i_before++)
                                if (!before[i_before].again && before[i_before].addr == sample->addr)
                                        break;
                        assert_true(i_before < nr_before);
                        assert_int_equal(mixed_pages(&before[i_before]), DAMON_ACCESSED);
                }
        }
        /* the price: at most one in two, and less where it is known */
        print_message("%zu of %zu samples were second looks\n", nr_again, nr);
        assert_in_range(100 * nr_again / nr, 1, 30);
}

static enum damon_outcome accessed_now_and_then(const struct damon_sample *sample) {
        struct rng rng = { sample->addr };

        return rng_below(&rng, 100) ? DAMON_IDLE : DAMON_ACCESSED;
}

static bool is_looked_at_again(const struct world *w, uint64_t addr) {
        for (size_t k = 0; k < w->fake.nr_marked; k++)
                if (w->fake.marked[k].again && w->fake.marked[k].addr == addr)
                        return true;
        return false;
}

/* Where not all regions are sampled at each step, what was idle so far does not wait for its turn. */
static void what_was_idle_is_looked_at_again_at_once(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");
        static struct damon_sample before[2000];
        struct damon_attrs spare = attrs;
        size_t nr_at_once = 0;

        spare.sample_every = 4;
        ASSERT_OK(damon_engine_set_attrs(w->engine, &spare));
        w->fake.outcome_of = accessed_now_and_then;
        step(w);
        for (int i = 0; i < 2000; i++) {
                size_t nr_before = w->fake.nr_marked;

                memcpy(before, w->fake.marked, nr_before * sizeof(before[0]));
                if (step(w).aggregated)
                        continue;
                for (size_t k = 0; k < nr_before; k++) {
                        const struct damon_region *region = &t->regions.items[before[k].region];

                        if (before[k].again || accessed_now_and_then(&before[k]) == DAMON_IDLE ||
                            region->accessed || region->nr_again >= 8 ||
                            damon_range_size(&region->range) <= DAMON_NR_BINS * PAGE)
                                continue;
                        assert_true(is_looked_at_again(w, before[k].addr));
                        nr_at_once++;
                }
        }
        assert_true(nr_at_once > 10);
}

static void uniform_memory_is_not_looked_at_again(void **state) {
        for (int accessed = 0; accessed < 2; accessed++) {
                _cleanup_world_ struct world *w = world_new();

                w->fake.outcome = accessed ? DAMON_ACCESSED : DAMON_IDLE;
                add(w, "a");
                for (int i = 0; i < 500; i++) {
                        step(w);
                        for (size_t k = 0; k < w->fake.nr_marked; k++)
                                assert_false(w->fake.marked[k].again);
                }
        }
}

static void same_seed_gives_the_same_run(void **state) {
        _cleanup_world_ struct world *a = world_new(), *b = world_new();
        const struct damon_target *t = add(a, "t"), *u = add(b, "t");

        a->fake.outcome_of = b->fake.outcome_of = mixed_pages;
        for (int i = 0; i < 500; i++) {
                step(a);
                step(b);
        }
        assert_int_equal(t->regions.nr, u->regions.nr);
        for (size_t i = 0; i < t->regions.nr; i++) {
                const struct damon_region *r = &t->regions.items[i], *q = &u->regions.items[i];

                assert_int_equal(r->range.start, q->range.start);
                assert_int_equal(r->range.end, q->range.end);
                assert_int_equal(r->nr_accesses, q->nr_accesses);
                assert_int_equal(r->age, q->age);
        }
}

static void regions_change_only_at_aggregations_and_updates(void **state) {
        _cleanup_world_ struct world *w = world_new();
        const struct damon_target *t = add(w, "a");
        _cleanup_(cover_done) struct cover cover = cover_of(&t->regions);
        size_t nr = t->regions.nr;

        w->fake.outcome_of = mixed_pages;
        for (int i = 0; i < 500; i++) {
                struct damon_step s = step(w);

                if (!s.aggregated && !strchr(w->fake.calls, 'u'))
                        assert_int_equal(t->regions.nr, nr);
                nr = t->regions.nr;
                assert_covers(&t->regions, &cover);
        }
}

/* A world of simulated memory in which anything may happen. */
struct chaos {
        struct rng rng;
        struct sim *sim;
        struct damon_engine *engine;
        struct damon_target *targets[4];
        size_t nr_targets;
};

static struct damon_range random_range(struct rng *rng) {
        uint64_t start = rng_below(rng, 100) * 16 * MIB + rng_below(rng, 2) * (UINT64_C(1) << 44);

        return (struct damon_range) { start, start + (1 + rng_below(rng, 5000)) * PAGE };
}

static void chaos_add_target(struct chaos *c) {
        static const char *const names[] = { "a", "b", "c" };
        struct sim_target *script;
        struct damon_target *target;

        ASSERT_OK(sim_target_new(c->sim, names[rng_below(&c->rng, 3)], &target, &script));
        for (uint64_t i = rng_below(&c->rng, 6); i > 0; i--)
                ASSERT_OK(sim_target_map(script, random_range(&c->rng),
                                         sim_now(c->sim) + rng_below(&c->rng, 2) * 700000,
                                         sim_now(c->sim) + (2 + rng_below(&c->rng, 5)) * 1000000));
        for (uint64_t i = rng_below(&c->rng, 6); i > 0; i--) {
                const struct sim_pattern p = {
                        .range = random_range(&c->rng), .period = 1 + rng_below(&c->rng, 50000),
                        .move_step = rng_below(&c->rng, 9) * MIB,
                        .move_every = rng_below(&c->rng, 3) * 300000,
                        .nr_places = rng_below(&c->rng, 10),
                };

                ASSERT_OK(sim_target_access(script, &p));
        }
        if (rng_below(&c->rng, 2))
                ASSERT_OK(sim_target_hide(script, random_range(&c->rng)));
        if (rng_below(&c->rng, 2))
                sim_target_exit(script, sim_now(c->sim) + rng_below(&c->rng, 3000000));
        ASSERT_OK(damon_engine_add_target(c->engine, target));
        c->targets[c->nr_targets++] = target;
}

static void chaos_forget(struct chaos *c, const struct damon_target *target) {
        for (size_t i = 0; i < c->nr_targets; i++)
                if (c->targets[i] == target) {
                        c->targets[i] = c->targets[--c->nr_targets];
                        return;
                }
        fail_msg("a target that is not there");
}

static void chaos_set_schemes(struct chaos *c) {
        static const enum damos_action actions[] = {
                DAMOS_STAT, DAMOS_COLD, DAMOS_PAGEOUT, DAMOS_WILLNEED,
        };
        static const char *const names[] = { "1", "2", "3" };
        struct damos schemes[3];
        size_t nr = rng_below(&c->rng, 4);

        for (size_t i = 0; i < nr; i++) {
                schemes[i] = scheme(names[i], actions[rng_below(&c->rng, ELEMENTSOF(actions))]);
                schemes[i].pattern.age.min = rng_below(&c->rng, 500000);
                schemes[i].pattern.nr_accesses.max = rng_below(&c->rng, 10);
        }
        ASSERT_OK(damon_engine_set_schemes(c->engine, schemes, nr));
}

static void chaos_set_attrs(struct chaos *c) {
        struct damon_attrs a = {
                .sample_interval = 1000 * (1 + rng_below(&c->rng, 10)),
                .update_interval = 1000 * (1 + rng_below(&c->rng, 500)),
                .min_regions = 3 + (uint32_t) rng_below(&c->rng, 20),
        };

        a.aggregation_interval = a.sample_interval * (1 + rng_below(&c->rng, 30));
        a.max_regions = a.min_regions + (uint32_t) rng_below(&c->rng, 200);
        ASSERT_OK(damon_engine_set_attrs(c->engine, &a));
}

static void chaos_step(struct chaos *c) {
        uint64_t nr_passed = rng_below(&c->rng, 20) ? 1 : 1 + rng_below(&c->rng, 50);
        struct damon_target *target;
        struct damon_step s;
        size_t nr_gone = 0;

        ASSERT_OK(sim_advance(c->sim, nr_passed * damon_engine_attrs(c->engine)->sample_interval));
        s = step_sound(c->engine, nr_passed, nr_passed > 10, PAGE);
        if (rng_below(&c->rng, 4) == 0) {
                while ((target = damon_engine_pop_gone(c->engine))) {
                        chaos_forget(c, target);
                        damon_target_free(target);
                        nr_gone++;
                }
                assert_int_equal(nr_gone, s.nr_gone);
        }
        if (rng_below(&c->rng, 50) == 0 && c->nr_targets < ELEMENTSOF(c->targets))
                chaos_add_target(c);
        if (rng_below(&c->rng, 200) == 0 && c->nr_targets > 0) {
                target = c->targets[rng_below(&c->rng, c->nr_targets)];
                chaos_forget(c, target);
                damon_engine_remove_target(c->engine, target);
        }
        if (rng_below(&c->rng, 100) == 0)
                chaos_set_schemes(c);
        if (rng_below(&c->rng, 100) == 0)
                chaos_set_attrs(c);
}

static void acts_are_sound(const struct sim *sim) {
        size_t nr;
        const struct sim_act *acts = sim_acts(sim, &nr);

        assert_true(nr > 0);
        for (size_t i = 0; i < nr; i++) {
                assert_int_not_equal(acts[i].action, DAMOS_STAT);
                assert_true(acts[i].range.start < acts[i].range.end);
                assert_true(acts[i].sz_applied <= damon_range_size(&acts[i].range));
        }
}

static void anything_may_happen_to_simulated_targets(void **state) {
        uint64_t seed = test_seed();

        for (uint64_t round = 0; round < 20; round++) {
                struct chaos c = { .rng = { seed + round } };
                const struct damon_env env = { rng_below, &c.rng };

                ASSERT_OK(sim_new(&c.sim));
                ASSERT_OK(damon_engine_new(&c.engine, &attrs, &sim_ops, c.sim, &env));
                chaos_add_target(&c);
                chaos_set_schemes(&c);
                for (int i = 0; i < 1500; i++)
                        chaos_step(&c);
                acts_are_sound(c.sim);
                damon_engine_free(c.engine);
                sim_free(c.sim);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(new_engine_refuses_bad_attrs),
                cmocka_unit_test(engine_without_targets_keeps_time),
                cmocka_unit_test(step_checks_then_marks),
                cmocka_unit_test(aggregation_and_update_come_between_check_and_mark),
                cmocka_unit_test(every_region_is_sampled_at_one_of_its_pages),
                cmocka_unit_test(frequencies_are_what_the_checks_found),
                cmocka_unit_test(accesses_that_end_show_soon),
                cmocka_unit_test(schemes_see_merged_regions_that_are_split_afterwards),
                cmocka_unit_test(running_checks_start_again_with_each_aggregation),
                cmocka_unit_test(age_counts_aggregations_without_change),
                cmocka_unit_test(stat_leaves_the_age),
                cmocka_unit_test(every_action_makes_the_region_young),
                cmocka_unit_test(action_makes_only_the_regions_young_that_it_matched),
                cmocka_unit_test(schemes_are_applied_once_an_aggregation_in_their_order),
                cmocka_unit_test(earlier_action_hides_a_region_from_a_later_scheme_on_age),
                cmocka_unit_test(statistics_count_what_was_tried_and_what_was_done),
                cmocka_unit_test(quota_of_a_dry_run_is_that_of_a_real_one),
                cmocka_unit_test(scheme_in_a_dry_run_goes_on_as_if_it_acted),
                cmocka_unit_test(time_quota_of_a_dry_run_binds),
                cmocka_unit_test(breakdown_is_that_of_the_last_aggregation),
                cmocka_unit_test(what_the_quota_does_not_allow_waits),
                cmocka_unit_test(who_observes_sees_what_schemes_would_see),
                cmocka_unit_test(only_what_addresses_leave_open_is_looked_at),
                cmocka_unit_test(counting_asks_the_operations_only_for_what_is_looked_at),
                cmocka_unit_test(quota_is_for_what_filters_let_through),
                cmocka_unit_test(scheme_for_one_target_leaves_the_other),
                cmocka_unit_test(unknown_regions_are_left_alone_but_counted),
                cmocka_unit_test(set_schemes_keeps_statistics_of_what_stays),
                cmocka_unit_test(set_schemes_refuses_what_cannot_be_done_and_changes_nothing),
                cmocka_unit_test(set_attrs_carries_results_over),
                cmocka_unit_test(set_attrs_drops_marks_of_the_old_interval),
                cmocka_unit_test(set_attrs_of_the_same_changes_nothing),
                cmocka_unit_test(set_attrs_refuses_bad_ones_and_changes_nothing),
                cmocka_unit_test(missed_intervals_count_as_time_but_not_as_checks),
                cmocka_unit_test(long_pause_ends_one_aggregation_and_one_update),
                cmocka_unit_test(stale_marks_are_not_checked),
                cmocka_unit_test(target_gone_in_check),
                cmocka_unit_test(target_gone_in_mark),
                cmocka_unit_test(target_gone_in_apply),
                cmocka_unit_test(target_gone_in_mappings),
                cmocka_unit_test(target_gone_before_it_is_added_is_handed_out_at_once),
                cmocka_unit_test(target_that_is_gone_is_not_asked_for_mappings),
                cmocka_unit_test(target_can_be_taken_out_between_mark_and_check),
                cmocka_unit_test(target_without_mappings_waits_for_some),
                cmocka_unit_test(engine_releases_its_targets_in_the_end),
                cmocka_unit_test(add_target_forwards_an_error_and_leaves_the_target),
                cmocka_unit_test(failing_operations_fail_the_step_and_no_more),
                cmocka_unit_test(failing_step_leaves_its_result),
                cmocka_unit_test(residency_is_asked_for_after_mappings),
                cmocka_unit_test(mostly_what_is_in_memory_is_sampled),
                cmocka_unit_test(what_is_not_known_is_taken_to_be_in_memory),
                cmocka_unit_test(absent_pages_of_a_region_in_memory_do_not_count),
                cmocka_unit_test(target_that_is_not_in_memory_goes_on),
                cmocka_unit_test(memory_brought_in_is_young),
                cmocka_unit_test(region_that_is_mostly_new_in_memory_is_young),
                cmocka_unit_test(residency_that_becomes_known_leaves_the_age),
                cmocka_unit_test(region_that_was_just_cut_is_young_too),
                cmocka_unit_test(gaps_are_measured_inside_of_the_target),
                cmocka_unit_test(absent_parts_take_half_of_the_regions_at_most),
                cmocka_unit_test(failing_residency_fails_the_step_and_no_more),
                cmocka_unit_test(targets_are_updated_in_turn),
                cmocka_unit_test(long_pause_updates_each_target_once),
                cmocka_unit_test(updates_that_fail_do_not_pile_up),
                cmocka_unit_test(set_attrs_keeps_what_is_due),
                cmocka_unit_test(number_of_regions_stays_within_its_limits),
                cmocka_unit_test(limits_hold_for_each_target),
                cmocka_unit_test(uniform_memory_is_explored_by_few_regions),
                cmocka_unit_test(pages_found_accessed_are_looked_at_again),
                cmocka_unit_test(what_was_idle_is_looked_at_again_at_once),
                cmocka_unit_test(no_huge_page_is_cut_by_what_is_tried_at_once),
                cmocka_unit_test(uniform_memory_is_not_looked_at_again),
                cmocka_unit_test(same_seed_gives_the_same_run),
                cmocka_unit_test(regions_change_only_at_aggregations_and_updates),
                cmocka_unit_test(anything_may_happen_to_simulated_targets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
