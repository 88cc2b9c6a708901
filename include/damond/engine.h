/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The engine: samples targets, keeps their regions, applies schemes. It is moved on by its
 * owner, one step a sample interval; time inside is counted in sample intervals, as in
 * kdamond_fn() of mm/damon/core.c, Linux 6.12.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/attrs.h>
#include <damond/env.h>
#include <damond/ops.h>
#include <damond/scheme.h>
#include <damond/target.h>

struct damon_engine;

/**
 * struct damon_step - what a step did
 * @nr_checked:         samples that were checked
 * @nr_unknown:         those of them whose outcome is unknown
 * @nr_marked:          samples that were marked for the next step
 * @aggregated:         an aggregation ended, and schemes were applied
 * @nr_gone:            targets that wait for damon_engine_pop_gone()
 */
struct damon_step {
        size_t nr_checked;
        size_t nr_unknown;
        size_t nr_marked;
        bool aggregated;
        size_t nr_gone;
};

/**
 * enum damos_news - what has become of a scheme
 * @DAMOS_NO_NEWS:      nothing that anybody need be told
 * @DAMOS_FELL_ASLEEP:  it sleeps, by its watermarks
 * @DAMOS_WOKE_UP:      it does not sleep any more
 * @DAMOS_GOALS_LOST:   a goal of it cannot be read, its quota stays what it is
 * @DAMOS_GOALS_FOUND:  all goals of it can be read again
 */
enum damos_news {
        DAMOS_NO_NEWS,
        DAMOS_FELL_ASLEEP,
        DAMOS_WOKE_UP,
        DAMOS_GOALS_LOST,
        DAMOS_GOALS_FOUND,
};

/**
 * damon_engine_new() - make an engine without targets and schemes
 * @ret_engine: set to the engine, owned by the caller
 * @attrs:      attributes, copied
 * @ops:        operations; borrowed, must outlive the engine
 * @ops_data:   handed to the operations; borrowed
 * @env:        surroundings, copied
 *
 * Return: 0, -EINVAL if @attrs are invalid, -ENOMEM.
 */
int damon_engine_new(struct damon_engine **ret_engine, const struct damon_attrs *attrs,
                     const struct damon_ops *ops, void *ops_data, const struct damon_env *env);

/**
 * damon_engine_free() - free an engine with its targets and schemes
 * @engine:     engine or NULL
 *
 * Return: NULL.
 */
struct damon_engine *damon_engine_free(struct damon_engine *engine);

/**
 * damon_engine_step() - move on
 * @engine:     engine
 * @nr_passed:  sample intervals since the last step; more than 1 if some were missed
 * @stale:      the marks of the last step are older than an interval by so much that what
 *              a check finds would say nothing about an interval; they are dropped
 * @ret_step:   set to what happened
 *
 * Checks what the last step marked; if an aggregation ends: folds, counts ages, merges,
 * applies schemes and refines; else goes on with what schemes had no time or quota left for, and looks
 * at some of what they have paged out, for whether it has come back; asks
 * for the mappings and the residency of the targets whose update is due; then marks a page of each
 * region that is in memory, and a second one where it is worth it.
 *
 * Return: 0, or a negative errno: -ENOMEM, or what the operations returned. The engine
 * stays usable: the next step starts with fresh marks.
 */
int damon_engine_step(struct damon_engine *engine, uint64_t nr_passed, bool stale,
                      struct damon_step *ret_step);

/**
 * damon_engine_add_target() - start to monitor a target
 * @engine:     engine
 * @target:     target, owned by the engine if this succeeds; else the caller releases it
 *
 * Return: 0, -ENOMEM, or what the operations returned.
 */
int damon_engine_add_target(struct damon_engine *engine, struct damon_target *target);

/**
 * damon_engine_remove_target() - stop monitoring a target and free it
 * @engine:     engine
 * @target:     one of its targets
 */
void damon_engine_remove_target(struct damon_engine *engine, struct damon_target *target);

/**
 * damon_engine_pop_gone() - take out a target whose address space has ended
 * @engine:     engine
 *
 * Return: the target, its operations' data released, now owned by the caller; or NULL.
 */
struct damon_target *damon_engine_pop_gone(struct damon_engine *engine);

/**
 * damon_engine_set_attrs() - change the attributes
 * @engine:     engine
 * @attrs:      attributes
 *
 * Regions keep their frequencies and ages; see damon_regions_rescale(). The running
 * aggregation starts again, unless no interval changes: the numbers of regions take effect
 * at its end.
 *
 * Return: 0, -EINVAL if @attrs are invalid.
 */
int damon_engine_set_attrs(struct damon_engine *engine, const struct damon_attrs *attrs);

/**
 * damon_engine_set_schemes() - change the schemes
 * @engine:     engine
 * @schemes:    @nr schemes, copied, in the order in which they are to be applied
 * @nr:         number of schemes
 *
 * A scheme that was there before, with the same name and rule, keeps its statistics, what it has
 * used of its quota, and what is known of what it paged out.
 *
 * Return: 0, -ENOTSUP if the operations cannot do an action or look for what a filter is about,
 * -ENOMEM; on failure nothing has changed.
 */
int damon_engine_set_schemes(struct damon_engine *engine, const struct damos *schemes, size_t nr);

/**
 * damon_engine_observe() - look at what schemes would be applied to, instead of applying them
 * @engine:     engine
 * @observe:    called in each aggregation, when regions are as schemes see them, with the @nr
 *              targets, of which some may be gone
 * @userdata:   handed to @observe
 */
void damon_engine_observe(struct damon_engine *engine,
                          void (*observe)(struct damon_target *const *targets, size_t nr,
                                          const struct damon_attrs *attrs, void *userdata),
                          void *userdata);

/**
 * damon_engine_filtered() - find how much of what matches a scheme now its filters hold back
 * @engine:     engine
 * @i:          number of the scheme
 * @ret_size:   set to bytes, of addresses or of what is in memory, as filters count them
 *
 * Return: 0, -ENOMEM, or what went wrong with the operations.
 */
int damon_engine_filtered(struct damon_engine *engine, size_t i, uint64_t *ret_size);

/**
 * damon_engine_adjust() - adjust the schemes to the machine, as far as that is due
 * @engine:     engine
 * @meter:      reads metrics
 * @now:        time by the owner's clock, which goes on while the engine rests; microseconds
 * @ret_scheme: set to the scheme that there is news of, borrowed; to be called again then
 *
 * A new scheme is awake until this is called. Goals of one that sleeps are left alone.
 *
 * Return: the news, %DAMOS_NO_NEWS when all is done.
 */
enum damos_news damon_engine_adjust(struct damon_engine *engine, const struct damos_meter *meter,
                                    uint64_t now, const struct damos **ret_scheme);

/**
 * damon_engine_adjust_at() - when damon_engine_adjust() is due
 * @engine:     engine
 *
 * Return: time by the same clock, UINT64_MAX for never.
 */
uint64_t damon_engine_adjust_at(const struct damon_engine *engine);

/**
 * damon_engine_is_asleep() - say whether all schemes sleep
 * @engine:     engine
 *
 * Steps then do nothing at all, and may be left out. Of what happens to memory meanwhile nothing is
 * known: when a scheme has woken up, all regions begin anew.
 */
bool damon_engine_is_asleep(const struct damon_engine *engine);

/**
 * damon_engine_set_swap() - tell how much swap there is
 * @engine:     engine
 * @swap:       swap
 *
 * The guards of schemes go by it: it is to be called as often as they are to notice.
 */
void damon_engine_set_swap(struct damon_engine *engine, const struct damos_swap *swap);

/**
 * damon_engine_set_pressure() - tell how the machine fares
 * @engine:     engine
 * @pressure:   how it fares
 *
 * As damon_engine_set_swap().
 */
void damon_engine_set_pressure(struct damon_engine *engine, const struct damos_pressure *pressure);

/**
 * damon_engine_attrs() - the attributes in force
 * @engine:     engine
 *
 * Return: attributes; borrowed.
 */
const struct damon_attrs *damon_engine_attrs(const struct damon_engine *engine);

/**
 * damon_engine_targets() - the targets
 * @engine:     engine
 * @ret_nr:     set to the number of targets
 *
 * Return: array of targets, in the order they were added; borrowed until the next call
 * that changes the targets.
 */
struct damon_target *const *damon_engine_targets(const struct damon_engine *engine, size_t *ret_nr);

/**
 * damon_engine_schemes() - the schemes, with their statistics
 * @engine:     engine
 * @ret_nr:     set to the number of schemes
 *
 * Return: array of schemes; borrowed until damon_engine_set_schemes().
 */
const struct damos *damon_engine_schemes(const struct damon_engine *engine, size_t *ret_nr);

/**
 * damon_engine_sz_waiting() - what the last aggregation found for a scheme and it has not tried yet
 * @engine:     engine
 * @i:          number of the scheme
 *
 * Because its quota does not allow it, or there was no time yet.
 *
 * Return: bytes.
 */
uint64_t damon_engine_sz_waiting(const struct damon_engine *engine, size_t i);

/**
 * damon_engine_nr_regions() - regions of all targets
 * @engine:     engine
 */
size_t damon_engine_nr_regions(const struct damon_engine *engine);
