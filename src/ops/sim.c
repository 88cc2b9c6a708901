/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripted memory. Times are half-open ranges of whole microseconds, [lo, hi), inside;
 * "since the mark" is (mark, now], so that a mark and a check at one time see nothing.
 */

#include <assert.h>
#include <string.h>

#include "array.h"
#include "macro.h"
#include "sim.h"
#include "sim-pattern.h"
#include "sim-spans.h"

struct mapping {
        struct damon_range range;
        uint64_t from;
        uint64_t until;
};

struct sim_target {
        struct sim *sim;
        struct mapping *mappings;
        size_t nr_mappings;
        size_t mappings_capacity;
        struct sim_pattern *patterns;
        size_t nr_patterns;
        size_t patterns_capacity;
        uint64_t exits_at;
        struct spans mapped;            /* now */
        uint64_t mapped_until;          /* when @mapped changes */
        struct spans hidden;
        struct spans absent;            /* mapped, but not present */
        struct spans present;           /* scratch of op_resident() */
        uint64_t nr_faults;
        bool released;
};

struct sim {
        uint64_t now;
        uint64_t throughput;            /* bytes in a millisecond, or 0 */
        uint64_t swap;                  /* bytes */
        struct sim_target **scripts;
        size_t nr_scripts;
        size_t scripts_capacity;
        struct sim_act *acts;
        size_t nr_acts;
        size_t acts_capacity;
};

static bool range_is_sound(struct damon_range r) {
        return r.start < r.end && r.start % SIM_PAGE_SIZE == 0 && r.end % SIM_PAGE_SIZE == 0;
}

/* What is mapped at a time; also finds when that changes. */
static int script_mapped_at(const struct sim_target *script, uint64_t time,
                            struct spans *ret_mapped, uint64_t *ret_until) {
        struct spans mapped = {};
        uint64_t until = SIM_NEVER;

        for (size_t i = 0; i < script->nr_mappings; i++) {
                const struct mapping *m = &script->mappings[i];

                if (time < m->from)
                        until = MIN(until, m->from);
                else if (time < m->until) {
                        int r = spans_add(&mapped, m->range);

                        if (r < 0) {
                                spans_done(&mapped);
                                return r;
                        }
                        until = MIN(until, m->until);
                }
        }
        *ret_mapped = mapped;
        *ret_until = until;
        return 0;
}

/* Forgets the residency of what is not mapped any more. */
static int script_remap(struct sim_target *script) {
        _cleanup_(spans_done) struct spans mapped = {}, absent = {};
        const struct spans none = {};
        uint64_t until;
        int r = script_mapped_at(script, script->sim->now, &mapped, &until);

        for (size_t i = 0; r >= 0 && i < script->absent.nr; i++)
                r = spans_add_cut(&absent, script->absent.items[i], &mapped, &none);
        if (r < 0)
                return r;
        spans_done(&script->mapped);
        spans_done(&script->absent);
        script->mapped = mapped;
        script->mapped_until = until;
        script->absent = absent;
        mapped = absent = (struct spans) {};
        return 0;
}

static int bring_back(void *arg, struct damon_range range) {
        struct sim_target *script = arg;
        uint64_t size = spans_overlap(&script->absent, range);

        if (size == 0)
                return 0;
        script->nr_faults += size / SIM_PAGE_SIZE;
        return spans_remove(&script->absent, range);
}

static int script_advance(struct sim_target *script, uint64_t lo, uint64_t hi) {
        hi = MIN(hi, script->exits_at);
        for (size_t i = 0; i < script->nr_patterns && script->absent.nr > 0; i++) {
                int r = pattern_visit(&script->patterns[i], lo, hi, bring_back, script);

                if (r < 0)
                        return r;
        }
        return script->sim->now >= script->mapped_until ? script_remap(script) : 0;
}

int sim_new(struct sim **ret_sim) {
        struct sim *sim = calloc(1, sizeof(*sim));

        if (!sim)
                return -ENOMEM;
        sim->swap = SIM_NEVER;
        *ret_sim = sim;
        return 0;
}

struct sim *sim_free(struct sim *sim) {
        if (!sim)
                return NULL;
        for (size_t i = 0; i < sim->nr_scripts; i++) {
                struct sim_target *script = sim->scripts[i];

                free(script->mappings);
                free(script->patterns);
                spans_done(&script->mapped);
                spans_done(&script->hidden);
                spans_done(&script->absent);
                spans_done(&script->present);
                free(script);
        }
        free(sim->scripts);
        free(sim->acts);
        free(sim);
        return NULL;
}

uint64_t sim_now(const struct sim *sim) {
        return sim->now;
}

int sim_advance(struct sim *sim, uint64_t us) {
        uint64_t lo = sim->now + 1;

        sim->now += us;
        for (size_t i = 0; i < sim->nr_scripts; i++) {
                int r = script_advance(sim->scripts[i], lo, sim->now + 1);

                if (r < 0)
                        return r;
        }
        return 0;
}

void sim_set_throughput(struct sim *sim, uint64_t throughput) {
        sim->throughput = throughput;
}

void sim_set_swap(struct sim *sim, uint64_t size) {
        sim->swap = size;
}

struct damos_swap sim_swap(const struct sim *sim) {
        const struct damon_range all = { 0, UINT64_MAX };
        uint64_t used = 0;

        for (size_t i = 0; i < sim->nr_scripts; i++)
                used += spans_overlap(&sim->scripts[i]->absent, all);
        return (struct damos_swap) { sim->swap, sim->swap - MIN(used, sim->swap) };
}

const struct sim_act *sim_acts(const struct sim *sim, size_t *ret_nr) {
        *ret_nr = sim->nr_acts;
        return sim->acts;
}

int sim_target_new(struct sim *sim, const char *name, struct damon_target **ret_target,
                   struct sim_target **ret_script) {
        _cleanup_free_ struct sim_target *script = calloc(1, sizeof(*script));
        struct damon_target *target;
        int r;

        if (!script)
                return -ENOMEM;
        script->sim = sim;
        script->exits_at = script->mapped_until = SIM_NEVER;
        r = ARRAY_GROW(sim->scripts, sim->scripts_capacity, sim->nr_scripts + 1);
        if (r < 0)
                return r;
        r = damon_target_new(&target, name, (pid_t) (1000 + sim->nr_scripts));
        if (r < 0)
                return r;
        sim->scripts[sim->nr_scripts++] = script;
        target->ops_data = script;
        *ret_target = target;
        *ret_script = TAKE_PTR(script);
        return 0;
}

int sim_target_map(struct sim_target *script, struct damon_range range, uint64_t from,
                   uint64_t until) {
        int r;

        if (!range_is_sound(range) || from >= until)
                return -EINVAL;
        r = ARRAY_GROW(script->mappings, script->mappings_capacity, script->nr_mappings + 1);
        if (r < 0)
                return r;
        script->mappings[script->nr_mappings++] = (struct mapping) { range, from, until };
        return script_remap(script);
}

int sim_target_access(struct sim_target *script, const struct sim_pattern *pattern) {
        uint64_t most;
        int r;

        if (!range_is_sound(pattern->range) || pattern->period == 0 ||
            pattern->stride % SIM_PAGE_SIZE != 0 || pattern->move_step % SIM_PAGE_SIZE != 0 ||
            (pattern->nr_islands > 1 && pattern->stride < damon_range_size(&pattern->range)))
                return -EINVAL;
        /* page numbers are multiplied by times */
        if (__builtin_mul_overflow(pattern_nr_pages(pattern), pattern->period, &most) ||
            most > INT64_MAX)
                return -EINVAL;
        r = ARRAY_GROW(script->patterns, script->patterns_capacity, script->nr_patterns + 1);
        if (r < 0)
                return r;
        script->patterns[script->nr_patterns++] = *pattern;
        return 0;
}

int sim_target_hide(struct sim_target *script, struct damon_range range) {
        return spans_add(&script->hidden, range);
}

int sim_target_evict(struct sim_target *script, struct damon_range range) {
        return spans_add_cut(&script->absent, range, &script->mapped, &script->hidden);
}

void sim_target_exit(struct sim_target *script, uint64_t when) {
        script->exits_at = when;
}

bool sim_target_released(const struct sim_target *script) {
        return script->released;
}

uint64_t sim_target_faults(const struct sim_target *script) {
        return script->nr_faults;
}

uint64_t sim_target_mapped(const struct sim_target *script, struct damon_range range) {
        return spans_overlap(&script->mapped, range);
}

uint64_t sim_target_resident(const struct sim_target *script, struct damon_range range) {
        return spans_overlap(&script->mapped, range) - spans_overlap(&script->absent, range);
}

/* The truth is that of the last microsecond that has passed. */
static uint64_t script_moment(const struct sim_target *script) {
        return script->sim->now > 0 ? script->sim->now - 1 : 0;
}

double sim_target_rate(const struct sim_target *script, uint64_t addr, uint64_t window) {
        uint64_t time = script_moment(script), page;
        double idle = 1;

        if (time >= script->exits_at || !spans_contain(&script->mapped, addr))
                return 0;
        for (size_t i = 0; i < script->nr_patterns; i++) {
                const struct sim_pattern *p = &script->patterns[i];

                if (!pattern_is_on(p, time) ||
                    !pattern_page(p, pattern_shift(p, time), addr, &page))
                        continue;
                if (p->period <= window)
                        return 1;
                idle *= 1 - (double) window / (double) p->period;
        }
        return 1 - idle;
}

struct borders {
        uint64_t *items;
        size_t nr;
        size_t capacity;
};

static int borders_add(void *arg, struct damon_range range) {
        struct borders *b = arg;
        int r = ARRAY_GROW(b->items, b->capacity, b->nr + 2);

        if (r < 0)
                return r;
        b->items[b->nr++] = range.start;
        b->items[b->nr++] = range.end;
        return 0;
}

static int compare_u64(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

/* All addresses where the truth may change. */
static int script_borders(const struct sim_target *script, struct borders *b) {
        uint64_t time = script_moment(script);

        for (size_t i = 0; i < script->mapped.nr; i++) {
                int r = borders_add(b, script->mapped.items[i]);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < script->nr_patterns; i++) {
                const struct sim_pattern *p = &script->patterns[i];
                int r;

                if (!pattern_is_on(p, time))
                        continue;
                r = pattern_visit_pages(p, pattern_shift(p, time), 0, pattern_nr_pages(p),
                                        borders_add, b);
                if (r < 0)
                        return r;
        }
        if (b->nr > 0)
                qsort(b->items, b->nr, sizeof(*b->items), compare_u64);
        return 0;
}

int sim_target_profile(const struct sim_target *script, uint64_t window,
                       struct sim_piece **ret_pieces, size_t *ret_nr) {
        _cleanup_free_ struct sim_piece *pieces = NULL;
        _cleanup_free_ uint64_t *items = NULL;
        struct borders b = {};
        size_t nr = 0;
        int r = script_borders(script, &b);

        items = b.items;
        if (r < 0)
                return r;
        pieces = calloc(MAX(b.nr, (size_t) 1), sizeof(*pieces));
        if (!pieces)
                return -ENOMEM;
        for (size_t i = 0; i + 1 < b.nr; i++)
                if (items[i] < items[i + 1] && spans_contain(&script->mapped, items[i]))
                        pieces[nr++] = (struct sim_piece) {
                                .range = { items[i], items[i + 1] },
                                .rate = sim_target_rate(script, items[i], window),
                        };
        *ret_pieces = TAKE_PTR(pieces);
        *ret_nr = nr;
        return 0;
}

/* Sum over the bytes of a region of the difference to the truth. */
static double region_error(struct damon_range range, double rate, const struct sim_piece *pieces,
                           size_t nr) {
        uint64_t rest = damon_range_size(&range);
        double error = 0;

        for (size_t i = 0; i < nr && pieces[i].range.start < range.end; i++) {
                struct damon_range cut = range_cut(pieces[i].range, range);
                double off = rate - pieces[i].rate;

                error += (off < 0 ? -off : off) * (double) damon_range_size(&cut);
                rest -= damon_range_size(&cut);
        }
        return error + rate * (double) rest;
}

int sim_target_error(const struct sim_target *script, const struct damon_regions *regions,
                     uint32_t max_nr_accesses, uint64_t window, double *ret_error) {
        _cleanup_free_ struct sim_piece *pieces = NULL;
        size_t nr, first = 0;
        uint64_t size = damon_regions_size(regions);
        double error = 0;
        int r = sim_target_profile(script, window, &pieces, &nr);

        if (r < 0)
                return r;
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_region *region = &regions->items[i];

                while (first < nr && pieces[first].range.end <= region->range.start)
                        first++;
                error += region_error(region->range,
                                      (double) region->nr_accesses / max_nr_accesses,
                                      pieces + first, nr - first);
        }
        *ret_error = size > 0 ? error / (double) size : 0;
        return 0;
}

struct set_cut {
        struct spans set;
        struct spans mapped;
};

static int set_cut_add(void *arg, struct damon_range range) {
        struct set_cut *c = arg;
        const struct spans none = {};

        return spans_add_cut(&c->set, range, &c->mapped, &none);
}

int sim_target_working_set(const struct sim_target *script, uint64_t after, uint64_t until,
                           uint64_t *ret_size) {
        struct set_cut c = {};
        uint64_t ignored, hi = MIN(until + 1, script->exits_at);
        int r = script_mapped_at(script, until, &c.mapped, &ignored);

        for (size_t i = 0; r >= 0 && i < script->nr_patterns; i++)
                r = pattern_visit(&script->patterns[i], after + 1, hi, set_cut_add, &c);
        if (r >= 0)
                *ret_size = spans_overlap(&c.set, (struct damon_range) { 0, UINT64_MAX });
        spans_done(&c.set);
        spans_done(&c.mapped);
        return r < 0 ? r : 0;
}

/* The script of a target; notices its end. */
static struct sim_target *script_of(struct damon_target *target) {
        struct sim_target *script = target->ops_data;

        assert(script && !script->released);
        if (script->sim->now >= script->exits_at)
                target->gone = true;
        return script;
}

static int op_mappings(void *data, struct damon_target *target,
                       const struct damon_range **ret_mappings, size_t *ret_nr) {
        struct sim_target *script = script_of(target);

        *ret_mappings = script->mapped.items;
        *ret_nr = target->gone ? 0 : script->mapped.nr;
        return 0;
}

static int op_resident(void *data, struct damon_target *target,
                       const struct damon_range **ret_ranges, size_t *ret_nr) {
        struct sim_target *script = script_of(target);

        script->present.nr = 0;
        for (size_t i = 0; i < script->mapped.nr; i++) {
                int r = spans_add_cut(&script->present, script->mapped.items[i], &script->mapped,
                                      &script->absent);

                if (r < 0)
                        return r;
        }
        *ret_ranges = script->present.items;
        *ret_nr = script->present.nr;
        return 0;
}

static int op_mark(void *data, struct damon_sample *samples, size_t nr) {
        struct sim *sim = data;

        for (size_t i = 0; i < nr; i++) {
                (void) script_of(samples[i].target);
                samples[i].page[0] = sim->now;
        }
        return 0;
}

static bool script_accessed(const struct sim_target *script, uint64_t addr, uint64_t lo,
                            uint64_t hi) {
        if (!spans_contain(&script->mapped, addr))
                return false;
        for (size_t i = 0; i < script->nr_patterns; i++)
                if (pattern_accesses(&script->patterns[i], addr, lo, hi))
                        return true;
        return false;
}

static int op_check(void *data, struct damon_sample *samples, size_t nr) {
        struct sim *sim = data;

        for (size_t i = 0; i < nr; i++) {
                struct damon_sample *s = &samples[i];
                const struct sim_target *script = script_of(s->target);

                if (s->target->gone || spans_contain(&script->hidden, s->addr))
                        s->outcome = DAMON_UNKNOWN;
                else if (script_accessed(script, s->addr, s->page[0] + 1, sim->now + 1))
                        s->outcome = DAMON_ACCESSED;
                else if (spans_contain(&script->absent, s->addr))
                        s->outcome = DAMON_ABSENT;
                else
                        s->outcome = DAMON_IDLE;
        }
        return 0;
}

/* Page out what is there, in the order of addresses, as far as it fits into swap. */
static int script_page_out(struct sim_target *script, struct damon_range range,
                           struct damos_outcome *outcome) {
        uint64_t free = sim_swap(script->sim).free, present = sim_target_resident(script, range);
        _cleanup_(spans_done) struct spans there = {}, gone = {};
        uint64_t size;
        int r;

        r = spans_add_cut(&there, range, &script->mapped, &script->absent);
        for (size_t i = 0; r >= 0 && i < there.nr; i++)
                r = spans_add_cut(&gone, there.items[i], &script->mapped, &script->hidden);
        if (r < 0)
                return r;
        size = spans_overlap(&gone, range);
        outcome->sz_refused[DAMOS_REFUSED_LOCKED] = present - size;
        for (size_t i = 0; i < gone.nr; i++) {
                uint64_t fits = MIN(damon_range_size(&gone.items[i]), free - outcome->sz_moved);

                if (fits == 0)
                        break;
                outcome->sz_moved += fits;
                r = spans_add(&script->absent, (struct damon_range) {
                                gone.items[i].start, gone.items[i].start + fits });
                if (r < 0)
                        return r;
        }
        outcome->sz_refused[DAMOS_REFUSED_NO_SWAP] = size - outcome->sz_moved;
        return 0;
}

static int script_act(struct sim_target *script, enum damos_action action, struct damos_try *try) {
        struct damon_range range = try->range;

        switch (action) {
        case DAMOS_PAGEOUT:
                return script_page_out(script, range, &try->outcome);
        case DAMOS_WILLNEED:
                return spans_remove(&script->absent, range);
        default:
                return 0;
        }
}

/* Mapped bytes that advice is taken for. */
static uint64_t script_sz_advised(const struct sim_target *script, struct damon_range range) {
        uint64_t size = spans_overlap(&script->mapped, range);

        for (size_t i = spans_find(&script->hidden, range.start);
             i < script->hidden.nr && script->hidden.items[i].start < range.end; i++)
                size -= spans_overlap(&script->mapped, range_cut(script->hidden.items[i], range));
        return size;
}

/* Another call is made until the time is up. */
static uint64_t sz_in_time(const struct sim *sim, uint64_t time) {
        uint64_t fits;

        if (sim->throughput == 0 || __builtin_mul_overflow(time, sim->throughput, &fits))
                return UINT64_MAX;
        return MAX((fits / 1000000 + SIM_CALL - 1) / SIM_CALL, UINT64_C(1)) * SIM_CALL;
}

static int op_apply(void *data, struct damon_target *target, enum damos_action action,
                    struct damos_try *tries, size_t nr, uint64_t limit, uint64_t *ret_time) {
        struct sim *sim = data;
        uint64_t size = 0, fits = sz_in_time(sim, limit);
        struct sim_target *script = script_of(target);
        int r = ARRAY_GROW(sim->acts, sim->acts_capacity, sim->nr_acts + nr);

        if (r < 0)
                return r;
        for (size_t i = 0; i < nr; i++) {
                struct damos_try *t = &tries[i], done = *t;

                t->sz_left = damon_range_size(&t->range) - MIN(damon_range_size(&t->range), fits - size);
                done.range.end -= t->sz_left;
                if (done.range.start == done.range.end)
                        continue;
                t->sz_applied = target->gone ? 0 : script_sz_advised(script, done.range);
                r = target->gone ? 0 : script_act(script, action, &done);
                if (r < 0)
                        return r;
                t->outcome = done.outcome;
                sim->acts[sim->nr_acts++] = (struct sim_act) {
                        sim->now, target, action, done.range, t->sz_applied, t->outcome,
                };
                size += damon_range_size(&done.range);
        }
        *ret_time = sim->throughput > 0 ? size * 1000000 / sim->throughput : 0;
        return 0;
}

static int op_present(void *data, struct damon_target *target, struct damon_range range,
                      uint64_t *ret_size) {
        *ret_size = sim_target_resident(script_of(target), range);
        return 0;
}

static void op_target_release(void *data, struct damon_target *target) {
        struct sim_target *script = target->ops_data;

        assert(script && !script->released);
        script->released = true;
        target->ops_data = NULL;
}

const struct damon_ops sim_ops = {
        .name = "sim",
        .actions = DAMOS_ACTION_BIT(DAMOS_WILLNEED) | DAMOS_ACTION_BIT(DAMOS_COLD) |
                   DAMOS_ACTION_BIT(DAMOS_PAGEOUT),
        .page_size = SIM_PAGE_SIZE,
        .mappings = op_mappings,
        .resident = op_resident,
        .mark = op_mark,
        .check = op_check,
        .apply = op_apply,
        .present = op_present,
        .target_release = op_target_release,
};
