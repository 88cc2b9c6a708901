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

static inline void assert_numbers_in_bounds(const struct damon_regions *regions,
                                            uint32_t max_nr_accesses) {
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_region *r = &regions->items[i];

                assert_true(r->nr_accesses <= max_nr_accesses);
                assert_true(r->last_nr_accesses <= max_nr_accesses);
                assert_true((uint64_t) r->checks.nr_accessed + r->checks.nr_idle +
                            r->checks.nr_unknown <= max_nr_accesses);
        }
}

static inline void assert_engine_sound(const struct damon_engine *engine, uint64_t page_size) {
        uint32_t max_nr_accesses = damon_attrs_max_nr_accesses(damon_engine_attrs(engine));
        size_t nr, nr_regions = 0;
        struct damon_target *const *targets = damon_engine_targets(engine, &nr);

        for (size_t i = 0; i < nr; i++) {
                assert_sound(&targets[i]->regions, page_size);
                assert_numbers_in_bounds(&targets[i]->regions, max_nr_accesses);
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
