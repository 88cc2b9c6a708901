/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU budget as a promise: the daemon's loop in virtual time, the real governor and the
 * real engine, with steps that cost what they might on hardware. No window of 10 s may see
 * more than 1.2 times the budget, most of the budget must be of use, and what is chosen must
 * come to rest.
 */

#include "scenario.h"

#include <inttypes.h>
#include <math.h>

#include "array.h"
#include "governor.h"
#include "unit.h"

#define TIB (UINT64_C(1) << 40)
#define WINDOW (10 * SEC)

/**
 * struct costs - CPU time, nanoseconds
 * @sample:     of a mark and a check
 * @region:     of a region at the end of an aggregation
 * @mappings:   of a look at the mappings of a target
 * @noise:      share by which a step differs from the mean
 * @drift:      share by which minutes differ
 * @spikes:     one in so many steps takes three times as long, but no more than a tenth of what a
 *              window may see beyond its marks and checks; 0 is never
 */
struct costs {
        double sample;
        double region;
        double mappings;
        double noise;
        double drift;
        uint64_t spikes;
};

static const struct costs usual_costs = {
        .sample = 4000, .region = 400, .mappings = 20000, .noise = 0.2, .drift = 0.2, .spikes = 200,
};

/**
 * struct entry - a step of the daemon
 * @at:         when it began, microseconds
 * @cost:       CPU time, nanoseconds
 * @interval, @max_regions: whether these were changed behind it
 * @binds:      whether the budget binds then
 */
struct entry {
        uint64_t at;
        double cost;
        bool interval, max_regions, binds;
};

/**
 * struct daemon - the manager's loop
 * @s:          memory and engine
 * @governor:   what is tested
 * @costs:      what steps cost,
 * @dice:       and what makes them differ
 * @grid, @marked_at, @charged_at: see struct manager
 * @entries:    @nr_entries steps done
 */
struct daemon {
        struct scenario *s;
        struct governor governor;
        struct costs costs;
        struct rng dice;
        uint64_t grid, marked_at, charged_at;
        struct entry *entries;
        size_t nr_entries, sz_entries;
};

static size_t nr_mappings;

static int count_mappings(void *data, struct damon_target *target,
                          const struct damon_range **ret_mappings, size_t *ret_nr) {
        nr_mappings++;
        return sim_ops.mappings(data, target, ret_mappings, ret_nr);
}

static struct damon_ops counting_ops;

static void daemon_free(struct daemon *d) {
        scenario_free(d->s);
        free(d->entries);
        free(d);
}

static void daemon_freep(struct daemon **d) {
        daemon_free(*d);
}

static struct daemon *daemon_new(const struct damon_attrs *attrs, uint32_t budget,
                                 const struct costs *costs) {
        struct daemon *d = calloc(1, sizeof(*d));
        struct damon_env env;

        assert_non_null(d);
        counting_ops = sim_ops;
        counting_ops.mappings = count_mappings;
        d->s = scenario_new(attrs);
        damon_engine_free(d->s->engine);
        env = (struct damon_env) { rng_below, &d->s->rng };
        ASSERT_OK(damon_engine_new(&d->s->engine, attrs, &counting_ops, d->s->sim, &env));
        governor_init(&d->governor, budget, attrs);
        d->costs = *costs;
        /* the first step comes an interval after the start */
        ASSERT_OK(sim_advance(d->s->sim, attrs->sample_interval));
        d->dice.state = test_seed() + 1;
        return d;
}

static double vary(struct daemon *d, double share) {
        return 1 - share + 2 * share * (double) rng_below(&d->dice, 1000) / 1000;
}

static double budget_of(const struct daemon *d, uint64_t us) {
        return (double) us * (double) NSEC_PER_USEC / 10000 * d->governor.budget;
}

static double step_cost(struct daemon *d, const struct damon_step *step, size_t nr_aggregated,
                        double *ret_update) {
        const struct costs *costs = &d->costs;
        double minutes = (double) sim_now(d->s->sim) / (double) (60 * SEC);
        double factor = vary(d, costs->noise) * (1 + costs->drift * sin(minutes * 0.7));
        double usual = factor * (2000 + costs->sample * (double) (step->nr_checked + step->nr_marked) / 2);
        double update = factor * costs->mappings * (double) nr_mappings, cost = usual + update;

        *ret_update = update;
        if (step->aggregated)
                cost += factor * costs->region * (double) nr_aggregated;
        if (costs->spikes > 0 && rng_below(&d->dice, costs->spikes) == 0)
                cost = MAX(cost, MIN(3 * cost, usual + 0.1 * budget_of(d, WINDOW)));
        return cost;
}

static void daemon_tick(struct daemon *d) {
        struct damon_target *const *targets;
        size_t nr_targets;
        struct damon_engine *engine = d->s->engine;
        uint64_t now = sim_now(d->s->sim), interval = damon_engine_attrs(engine)->sample_interval, next;
        uint64_t nr_passed = now > d->grid ? MAX((now - d->grid) / interval, UINT64_C(1)) : 1;
        size_t nr_aggregated = damon_engine_nr_regions(engine);
        struct governor_step paid;
        struct damon_target *gone;
        struct damon_attrs before;
        struct damon_step step;
        struct entry entry = { .at = now };
        double update;

        nr_mappings = 0;
        step = step_sound(engine, nr_passed, now - d->marked_at > 2 * interval, SIM_PAGE_SIZE);
        entry.cost = step_cost(d, &step, nr_aggregated, &update);
        d->grid += nr_passed * interval;
        ASSERT_OK(sim_advance(d->s->sim, (uint64_t) entry.cost / NSEC_PER_USEC));
        now = d->marked_at = sim_now(d->s->sim);
        while ((gone = damon_engine_pop_gone(engine)))
                damon_target_free(gone);

        paid = (struct governor_step) {
                .nr_samples = step.nr_marked + step.nr_checked,
                .update_cpu = (uint64_t) update,
                .aggregated = step.aggregated,
        };
        governor_charge(&d->governor, (uint64_t) entry.cost, now - d->charged_at, &paid);
        d->charged_at = now;
        before = d->governor.attrs;
        targets = damon_engine_targets(engine, &nr_targets);
        if ((step.aggregated || governor_delay(&d->governor) > interval) &&
            governor_tune(&d->governor, targets, nr_targets, step.aggregated)) {
                entry.interval = before.sample_interval != d->governor.attrs.sample_interval;
                entry.max_regions = before.max_regions != d->governor.attrs.max_regions;
                ASSERT_OK(damon_engine_set_attrs(engine, &d->governor.attrs));
        }
        ASSERT_OK(ARRAY_GROW(d->entries, d->sz_entries, d->nr_entries + 1));
        entry.binds = governor_binds(&d->governor);
        d->entries[d->nr_entries++] = entry;

        interval = damon_engine_attrs(engine)->sample_interval;
        next = d->grid + interval;
        if (next < now + interval / 2)
                next += (now + interval / 2 - next + interval - 1) / interval * interval;
        next = MAX(next, now + governor_delay(&d->governor));
        ASSERT_OK(sim_advance(d->s->sim, next - now));
}

static void daemon_run(struct daemon *d, uint64_t us) {
        uint64_t end = sim_now(d->s->sim) + us;

        while (sim_now(d->s->sim) < end)
                daemon_tick(d);
}

/* Return: the most that any window of 10 s saw, as a share of its budget. */
static double worst_window(const struct daemon *d) {
        double spent = 0, worst = 0;

        for (size_t i = 0, first = 0; i < d->nr_entries; i++) {
                spent += d->entries[i].cost;
                while (d->entries[first].at + WINDOW <= d->entries[i].at)
                        spent -= d->entries[first++].cost;
                worst = MAX(worst, spent);
        }
        return worst / budget_of(d, WINDOW);
}

static double mean_use(const struct daemon *d, uint64_t since) {
        double spent = 0;

        for (size_t i = 0; i < d->nr_entries; i++)
                if (d->entries[i].at >= since)
                        spent += d->entries[i].cost;
        return spent / budget_of(d, sim_now(d->s->sim) - since);
}

/* Return: share of the steps in which the budget bound. */
static double bound(const struct daemon *d, uint64_t since) {
        size_t nr = 0, nr_bound = 0;

        for (size_t i = 0; i < d->nr_entries; i++)
                if (d->entries[i].at >= since) {
                        nr++;
                        nr_bound += d->entries[i].binds;
                }
        return (double) nr_bound / (double) nr;
}

static void nr_changes(const struct daemon *d, uint64_t since, size_t *ret_interval, size_t *ret_max) {
        *ret_interval = *ret_max = 0;
        for (size_t i = 0; i < d->nr_entries; i++)
                if (d->entries[i].at >= since) {
                        *ret_interval += d->entries[i].interval;
                        *ret_max += d->entries[i].max_regions;
                }
}

/* A process with a quarter of its heap in use, in pieces that are used differently often. */
static struct sim_target *add_busy(struct daemon *d, uint64_t heap, uint64_t i) {
        uint64_t part = heap / 64 / SIM_PAGE_SIZE * SIM_PAGE_SIZE;
        struct sim_target *script;

        scenario_add(d->s, "t", heap, &script);
        for (uint64_t k = 0; k < 16; k++) {
                uint64_t at = HEAP + (k * 4 + i % 4) * part;
                const struct sim_pattern pattern = {
                        .range = { at, at + part }, .period = (2 * MS) << ((k * 5 + i) % 12),
                };

                ASSERT_OK(sim_target_access(script, &pattern));
        }
        return script;
}

static struct daemon *busy_daemon(size_t nr_targets, uint64_t heap, uint32_t budget,
                                  const struct costs *costs) {
        struct daemon *d = daemon_new(&default_attrs, budget, costs);

        for (size_t i = 0; i < nr_targets; i++)
                add_busy(d, heap, i);
        return d;
}

static bool as_configured(const struct daemon *d) {
        const struct damon_attrs *attrs = damon_engine_attrs(d->s->engine);

        return memcmp(attrs, &default_attrs, sizeof(*attrs)) == 0;
}

static void assert_promise(const struct daemon *d) {
        double worst = worst_window(d);

        if (worst > 1.2)
                fail_msg("%.3f of the budget in 10 s", worst);
}

static const size_t numbers[] = { 1, 10, 100 };
static const uint32_t budgets[] = { 50, 100, 500 };

static void the_promise_holds_for_any_number_size_and_budget(void **state) {
        static const uint64_t heaps[] = { 64 * MIB, 16 * TIB };
        const uint64_t settled = 180 * SEC, end = 480 * SEC;
        size_t nr_bound = 0;

        for (size_t n = 0; n < ELEMENTSOF(numbers); n++)
                for (size_t b = 0; b < ELEMENTSOF(budgets); b++)
                        for (size_t h = 0; h < ELEMENTSOF(heaps); h++) {
                                _cleanup_(daemon_freep) struct daemon *d =
                                        busy_daemon(numbers[n], heaps[h], budgets[b], &usual_costs);
                                const struct damon_attrs *attrs = damon_engine_attrs(d->s->engine);
                                size_t nr_intervals, nr_max_regions;
                                double share;

                                daemon_run(d, end);
                                share = bound(d, settled);
                                nr_changes(d, settled, &nr_intervals, &nr_max_regions);
                                print_message("%3zu targets of %8" PRIu64 " MiB, %" PRIu32 " bp: worst %.3f, "
                                              "mean %.3f, %zu and %zu changes, %" PRIu64 " ms, %" PRIu32
                                              " regions, update %" PRIu64 " ms\n",
                                              numbers[n], heaps[h] / MIB, budgets[b], worst_window(d),
                                              mean_use(d, settled), nr_intervals, nr_max_regions,
                                              attrs->sample_interval / MS, attrs->max_regions,
                                              attrs->update_interval / MS);
                                assert_promise(d);
                                /* costs drift by two fifths in these five minutes */
                                assert_in_range(nr_intervals, 0, 30);
                                assert_in_range(nr_max_regions, 0, 10);
                                if (share >= 1) {
                                        nr_bound++;
                                        /* the regions of one target alone come and go, those of
                                         * several even out */
                                        assert_true(mean_use(d, settled) >= (numbers[n] > 1 ? 0.85 : 0.7));
                                } else if (share <= 0)
                                        assert_true(as_configured(d));
                                assert_true(attrs->max_regions >= default_attrs.min_regions);
                                assert_true(attrs->sample_interval * MAX(attrs->sample_every, 1U) <=
                                            3 * GOVERNOR_SPACING_LIMIT);
                        }
        /* else nothing was tried */
        assert_true(nr_bound >= 10);
}

static void steady_costs_let_everything_rest(void **state) {
        static const struct costs steady = { .sample = 4000, .region = 400, .mappings = 20000, .noise = 0.2 };

        for (size_t n = 0; n < ELEMENTSOF(numbers); n++) {
                _cleanup_(daemon_freep) struct daemon *d = busy_daemon(numbers[n], GIB, 100, &steady);
                size_t nr_intervals, nr_max_regions;

                daemon_run(d, 600 * SEC);
                nr_changes(d, 300 * SEC, &nr_intervals, &nr_max_regions);
                print_message("%3zu targets: mean %.3f, %zu and %zu changes in 5 minutes\n", numbers[n],
                              mean_use(d, 300 * SEC), nr_intervals, nr_max_regions);
                assert_promise(d);
                assert_true(mean_use(d, 300 * SEC) >= 0.88);
                assert_in_range(nr_intervals, 0, 8);
                assert_in_range(nr_max_regions, 0, 1);
        }
}

static void a_budget_that_does_not_bind_changes_nothing(void **state) {
        static const struct costs cheap = { .sample = 1000, .region = 100, .mappings = 20000, .noise = 0.2 };
        _cleanup_(daemon_freep) struct daemon *plenty = busy_daemon(1, GIB, 5000, &cheap);
        _cleanup_(daemon_freep) struct daemon *off = busy_daemon(10, GIB, 0, &usual_costs);
        size_t nr_intervals, nr_max_regions;

        daemon_run(plenty, 60 * SEC);
        nr_changes(plenty, 0, &nr_intervals, &nr_max_regions);
        assert_int_equal(nr_intervals + nr_max_regions, 0);
        assert_true(as_configured(plenty));
        for (size_t i = 0; i + 1 < plenty->nr_entries; i++)
                assert_in_range(plenty->entries[i + 1].at - plenty->entries[i].at, 4 * MS, 6 * MS);

        daemon_run(off, 10 * SEC);
        nr_changes(off, 0, &nr_intervals, &nr_max_regions);
        assert_int_equal(nr_intervals + nr_max_regions, 0);
        assert_true(as_configured(off));
        assert_false(governor_binds(&off->governor));
}

/* One target stays; from the second minute to the fifth there are ninety others. */
static void targets_that_come_and_go(void **state) {
        for (size_t b = 0; b < ELEMENTSOF(budgets); b++) {
                _cleanup_(daemon_freep) struct daemon *d = busy_daemon(1, GIB, budgets[b], &usual_costs);
                uint64_t alone, crowd;
                uint32_t max_regions;

                daemon_run(d, 60 * SEC);
                alone = damon_engine_attrs(d->s->engine)->sample_interval;
                for (size_t i = 0; i < 90; i++) {
                        sim_target_exit(add_busy(d, 64 * MIB << i % 6, i), 300 * SEC + i * 100 * MS);
                        daemon_run(d, 200 * MS);
                }
                daemon_run(d, 290 * SEC - sim_now(d->s->sim));
                crowd = damon_engine_attrs(d->s->engine)->sample_interval;
                max_regions = damon_engine_attrs(d->s->engine)->max_regions;
                daemon_run(d, 300 * SEC);
                print_message("%" PRIu32 " bp: worst %.3f, %" PRIu64 " ms, then %" PRIu64 " ms and %" PRIu32
                              " regions, then %" PRIu64 " ms and %" PRIu32 " regions\n",
                              budgets[b], worst_window(d), alone / MS, crowd / MS, max_regions,
                              damon_engine_attrs(d->s->engine)->sample_interval / MS,
                              damon_engine_attrs(d->s->engine)->max_regions);
                assert_promise(d);
                assert_true(crowd > alone);
                if (budgets[b] <= 100)
                        assert_true(max_regions < default_attrs.max_regions / 4);
                assert_true(damon_engine_attrs(d->s->engine)->sample_interval < 4 * alone);
                assert_int_equal(damon_engine_attrs(d->s->engine)->max_regions, default_attrs.max_regions);
                if (bound(d, 500 * SEC) >= 1)
                        assert_true(mean_use(d, 500 * SEC) >= 0.85);
        }
}

/* Updates that would take several times the budget become rare enough to leave most of it. */
static void dear_updates_become_rare(void **state) {
        static const struct costs dear = {
                .sample = 4000, .region = 400, .mappings = 800000, .noise = 0.2, .spikes = 200,
        };
        _cleanup_(daemon_freep) struct daemon *d = busy_daemon(10, GIB, 100, &dear);
        const struct damon_attrs *attrs = damon_engine_attrs(d->s->engine);

        daemon_run(d, 600 * SEC);
        print_message("worst %.3f, mean %.3f, update %" PRIu64 " ms, sample %" PRIu64 " ms, %" PRIu32
                      " regions\n", worst_window(d), mean_use(d, 200 * SEC), attrs->update_interval / MS,
                      attrs->sample_interval / MS, attrs->max_regions);
        assert_promise(d);
        assert_true(mean_use(d, 200 * SEC) >= 0.85);
        assert_true(attrs->update_interval > 2 * default_attrs.update_interval);
        assert_true(attrs->sample_interval * attrs->sample_every <= GOVERNOR_SPACING_LIMIT * 5 / 4);
        assert_true(attrs->max_regions > 3 * default_attrs.min_regions);
}

/* Pages of libraries: small pieces that differ, which must not take the samples of the heap. */
static void add_libraries(struct sim_target *script) {
        for (uint64_t i = 0; i < 40; i++) {
                uint64_t at = LIBS + (48 * i + 4 * (7 * i % 5)) * KIB;
                const struct sim_pattern pattern = {
                        .range = { at, at + (1 + i % 3) * 4 * KIB }, .period = (20 * MS) << (i % 4),
                };

                ASSERT_OK(sim_target_access(script, &pattern));
        }
}

/* The first of them the most often, the last one never. */
static void make_gradient(struct sim_target *script) {
        uint64_t period = 1000 * MS;

        for (uint64_t i = 15; i-- > 0; period = period * 10 / 16) {
                const struct sim_pattern pattern = {
                        .range = { HEAP + i * 16 * MIB, HEAP + (i + 1) * 16 * MIB },
                        .period = MAX(period / (20 * MS), UINT64_C(1)) * 20 * MS,
                };

                ASSERT_OK(sim_target_access(script, &pattern));
        }
}

static void make_one(struct sim_target *script, struct sim_pattern pattern) {
        pattern.range.start += HEAP;
        pattern.range.end += HEAP;
        pattern.period = 20 * MS;
        ASSERT_OK(sim_target_access(script, &pattern));
}

static void make_islands(struct sim_target *script) {
        make_one(script, (struct sim_pattern) {
                .range = { MIB + 68 * KIB, MIB + 324 * KIB }, .nr_islands = 64, .stride = 4 * MIB,
        });
}

static void make_moving(struct sim_target *script) {
        make_one(script, (struct sim_pattern) {
                .range = { 11 * MIB, 43 * MIB }, .move_step = 51 * MIB, .move_every = 5300 * MS, .nr_places = 5,
        });
}

static void make_needles(struct sim_target *script) {
        make_one(script, (struct sim_pattern) {
                .range = { 68 * KIB, 72 * KIB }, .nr_islands = 1024, .stride = 256 * KIB,
        });
}

/* What 1 % buys of 256 MiB where a sample takes 28 us: the mean error of the second half of a minute. */
static void the_budget_is_well_spent(void **state) {
        static const struct costs costs = { .sample = 28000, .region = 4000, .mappings = 1300000, .noise = 0.05 };
        static const struct {
                const char *name;
                void (*make)(struct sim_target *script);
                double most;            /* islands and moving: at one sample a region and step 0.078 and 0.235 */
        } cases[] = {
                { "islands", make_islands, 0.025 },
                { "moving", make_moving, 0.1 },
                { "gradient", make_gradient, 0.03 },
                { "needles", make_needles, 0.024 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(daemon_freep) struct daemon *d = daemon_new(&default_attrs, 100, &costs);
                struct damon_target *target;
                struct sim_target *script;
                double error = 0;

                target = scenario_add(d->s, "t", 256 * MIB, &script);
                cases[i].make(script);
                add_libraries(script);
                daemon_run(d, 30 * SEC);
                for (int k = 0; k < 120; k++) {
                        daemon_run(d, 250 * MS);
                        error += scenario_error(d->s, target, script) / 120;
                }
                print_message("%s: error %.4f, %zu regions\n", cases[i].name, error, target->regions.nr);
                assert_promise(d);
                assert_true(error <= cases[i].most);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_budget_is_well_spent),
                cmocka_unit_test(the_promise_holds_for_any_number_size_and_budget),
                cmocka_unit_test(steady_costs_let_everything_rest),
                cmocka_unit_test(a_budget_that_does_not_bind_changes_nothing),
                cmocka_unit_test(targets_that_come_and_go),
                cmocka_unit_test(dear_updates_become_rare),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
