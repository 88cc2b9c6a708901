/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What always holds, whatever the engine has seen: sound regions, numbers within their bounds,
 * and that merging and splitting neither lose nor invent memory.
 */

#include <damond/engine.h>

#include "macro.h"
#include "test.h"

/**
 * struct cover - the addresses that regions cover, wherever their borders are
 * @ranges:     @nr ranges that do not touch; owned
 * @nr:         number of ranges
 */
struct cover {
        struct damon_range *ranges;
        size_t nr;
};

static inline void cover_done(struct cover *cover) {
        free(cover->ranges);
        *cover = (struct cover) {};
}

static inline struct cover cover_of(const struct damon_regions *regions) {
        struct cover c = { calloc(regions->nr + 1, sizeof(*c.ranges)), 0 };

        assert_non_null(c.ranges);
        for (size_t i = 0; i < regions->nr; i++) {
                struct damon_range range = regions->items[i].range;

                if (c.nr > 0 && c.ranges[c.nr - 1].end == range.start)
                        c.ranges[c.nr - 1].end = range.end;
                else
                        c.ranges[c.nr++] = range;
        }
        return c;
}

/** assert_covers() - the regions still cover the same addresses */
static inline void assert_covers(const struct damon_regions *regions, const struct cover *cover) {
        _cleanup_(cover_done) struct cover now = cover_of(regions);

        assert_int_equal(now.nr, cover->nr);
        for (size_t i = 0; i < now.nr; i++) {
                assert_int_equal(now.ranges[i].start, cover->ranges[i].start);
                assert_int_equal(now.ranges[i].end, cover->ranges[i].end);
        }
}

static inline void assert_sound(const struct damon_regions *regions, uint64_t page_size) {
        const char *wrong = damon_regions_check(regions, page_size);

        if (wrong)
                fail_msg("%s", wrong);
}

/** nr_running_accessed() - checks of the running aggregation that found an access */
static inline double nr_running_accessed(const struct damon_region *region) {
        return damon_evidence_tally(&region->running).accessed;
}

/** nr_running_idle() - checks of the running aggregation that found none */
static inline double nr_running_idle(const struct damon_region *region) {
        struct damon_tally tally = damon_evidence_tally(&region->running);

        return tally.known - tally.accessed;
}

static inline void assert_numbers_in_bounds(const struct damon_regions *regions,
                                            uint32_t max_nr_accesses, uint64_t page_size) {
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_region *r = &regions->items[i];

                assert_true(r->nr_accesses <= max_nr_accesses);
                assert_true(r->last_nr_accesses <= max_nr_accesses);
                assert_true(r->nr_accesses == 0 || r->accessed);
                assert_true(r->last_nr_accesses == 0 || r->last_accessed);
                assert_true(r->again <= damon_range_size(&r->range) / page_size);
                assert_true(r->nr_again_accessed <= r->nr_again);
        }
}

/** assert_checks_in_bounds() - no more checks run than there are sample intervals */
static inline void assert_checks_in_bounds(const struct damon_regions *regions,
                                           uint32_t max_nr_accesses) {
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_region *r = &regions->items[i];

                /* weights are rounded where an update moves a border in the middle of them */
                assert_true(damon_evidence_tally(&r->running).known + r->nr_unknown <=
                            max_nr_accesses + 1.0);
        }
}

static inline void assert_engine_sound(const struct damon_engine *engine, uint64_t page_size) {
        uint32_t max_nr_accesses = damon_attrs_max_nr_accesses(damon_engine_attrs(engine));
        size_t nr, nr_regions = 0;
        struct damon_target *const *targets = damon_engine_targets(engine, &nr);

        for (size_t i = 0; i < nr; i++) {
                assert_sound(&targets[i]->regions, page_size);
                assert_numbers_in_bounds(&targets[i]->regions, max_nr_accesses, page_size);
                assert_checks_in_bounds(&targets[i]->regions, max_nr_accesses);
                nr_regions += targets[i]->regions.nr;
        }
        assert_int_equal(damon_engine_nr_regions(engine), nr_regions);
}

/** step_sound() - a step that has to succeed and to keep every promise */
static inline struct damon_step step_sound(struct damon_engine *engine, uint64_t nr_passed,
                                           bool stale, uint64_t page_size) {
        struct damon_step step;

        ASSERT_OK(damon_engine_step(engine, nr_passed, stale, &step));
        assert_engine_sound(engine, page_size);
        assert_true(step.nr_unknown <= step.nr_checked);
        return step;
}
