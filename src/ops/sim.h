/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Operations on scripted memory in virtual time, for tests and simulations: what is accessed
 * when is known beforehand, so that what the engine finds can be compared with the truth. No
 * clock, no dice and no I/O: a run is repeated exactly by its script and the engine's seed.
 *
 * Memory is never looked at page by page. Accesses are arithmetic on patterns and residency
 * is a list of ranges, so that minutes of monitoring of many GiB take milliseconds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/ops.h>

#include "macro.h"

/** SIM_PAGE_SIZE - page size, bytes */
#define SIM_PAGE_SIZE UINT64_C(4096)

/** SIM_CALL - bytes that an action is done to at once, whatever time that may take */
#define SIM_CALL (16 * SIM_PAGE_SIZE)

/** SIM_NEVER - a time that does not come */
#define SIM_NEVER UINT64_MAX

/** sim_ops - the operations; their data is a struct sim */
extern const struct damon_ops sim_ops;

/**
 * struct sim_pattern - who accesses what, and when
 * @range:      the pages; with @nr_islands, those of the first island
 * @nr_islands: islands of the size of @range; 0 is 1
 * @stride:     bytes from the start of an island to the start of the next
 * @period:     each page is accessed once in so many microseconds: the accesses sweep over
 *              all islands in address order, and then begin again
 * @from:       when it begins, microseconds
 * @until:      when it ends; 0 is never
 * @move_step:  bytes by which the islands move
 * @move_every: microseconds between moves; 0 is no move
 * @nr_places:  after so many places they are back where they were; 0 is never
 */
struct sim_pattern {
        struct damon_range range;
        uint64_t nr_islands;
        uint64_t stride;
        uint64_t period;
        uint64_t from;
        uint64_t until;
        uint64_t move_step;
        uint64_t move_every;
        uint64_t nr_places;
};

/**
 * struct sim_act - an action that was applied to a range
 * @time:       when, microseconds
 * @target:     the target; only to compare with, it may be freed by now
 * @action:     what
 * @range:      where
 * @sz_applied: what was reported,
 * @outcome:    and what came of it
 */
struct sim_act {
        uint64_t time;
        const struct damon_target *target;
        enum damos_action action;
        struct damon_range range;
        uint64_t sz_applied;
        struct damos_outcome outcome;
};

/**
 * struct sim_piece - a range whose pages are accessed alike
 * @range:      the range
 * @rate:       share of the windows, 0 to 1, in which one of its pages is accessed
 */
struct sim_piece {
        struct damon_range range;
        double rate;
};

struct sim;
struct sim_target;

/**
 * sim_new() - make a world at time 0 without targets
 * @ret_sim:    set to the world, owned by the caller
 *
 * Return: 0, -ENOMEM.
 */
int sim_new(struct sim **ret_sim);

/**
 * sim_free() - free a world and its simulated targets
 * @sim:        world or NULL; no engine may use it any more
 *
 * Return: NULL.
 */
struct sim *sim_free(struct sim *sim);

static inline void sim_freep(struct sim **sim) {
        sim_free(*sim);
}

/**
 * sim_now() - virtual time, microseconds
 * @sim:        world
 */
uint64_t sim_now(const struct sim *sim);

/**
 * sim_advance() - let time pass, and the accesses of that time happen
 * @sim:        world
 * @us:         microseconds
 *
 * Return: 0, -ENOMEM.
 */
int sim_advance(struct sim *sim, uint64_t us);

/**
 * sim_set_throughput() - how fast actions are done from now on
 * @sim:        world
 * @throughput: bytes of ranges that are tried in a millisecond; 0, as it is at first, if they take
 *              no time at all
 *
 * What they take is reported, but virtual time does not pass.
 */
void sim_set_throughput(struct sim *sim, uint64_t throughput);

/**
 * sim_set_swap() - how much swap there is
 * @sim:        world
 * @size:       bytes; %SIM_NEVER, as it is at first, for as much as is needed
 *
 * All that is not present takes of it.
 */
void sim_set_swap(struct sim *sim, uint64_t size);

/**
 * sim_swap() - swap as it is now
 * @sim:        world
 */
struct damos_swap sim_swap(const struct sim *sim);

/**
 * sim_acts() - what was applied so far, in order
 * @sim:        world
 * @ret_nr:     set to the number of actions
 *
 * Return: array; borrowed until the next step of the engine.
 */
const struct sim_act *sim_acts(const struct sim *sim, size_t *ret_nr);

/**
 * sim_target_new() - make a target without mappings
 * @sim:        world
 * @name:       name of the target
 * @ret_target: set to the target for the engine, owned by the caller
 * @ret_script: set to its script, owned by @sim: it outlives the target
 *
 * Return: 0, -ENOMEM.
 */
int sim_target_new(struct sim *sim, const char *name, struct damon_target **ret_target,
                   struct sim_target **ret_script);

/**
 * sim_target_map() - have a range mapped for some time
 * @script:     target
 * @range:      range, of whole pages; may overlap and touch others
 * @from:       when it is mapped, microseconds
 * @until:      when it is unmapped; %SIM_NEVER to keep it
 *
 * A mapping that grows is a mapping with another one behind it that begins later.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int sim_target_map(struct sim_target *script, struct damon_range range, uint64_t from,
                   uint64_t until);

/**
 * sim_target_access() - have pages accessed
 * @script:     target
 * @pattern:    what and when, copied; only what is mapped is accessed
 *
 * Return: 0, -EINVAL if the pattern makes no sense, -ENOMEM.
 */
int sim_target_access(struct sim_target *script, const struct sim_pattern *pattern);

/**
 * sim_target_hide() - have checks of a range find nothing out, and advice fail, as for hugetlb
 * @script:     target
 * @range:      range of whole pages
 *
 * Return: 0, -ENOMEM.
 */
int sim_target_hide(struct sim_target *script, struct damon_range range);

/**
 * sim_target_evict() - make the pages of a range non-present, as pageout does
 * @script:     target
 * @range:      range of whole pages
 *
 * Return: 0, -ENOMEM.
 */
int sim_target_evict(struct sim_target *script, struct damon_range range);

/**
 * sim_target_exit() - have the target end
 * @script:     target
 * @when:       microseconds
 */
void sim_target_exit(struct sim_target *script, uint64_t when);

/**
 * sim_target_released() - say whether the engine let go of the target
 * @script:     target
 */
bool sim_target_released(const struct sim_target *script);

/**
 * sim_target_faults() - pages that were accessed while they were not present
 * @script:     target
 */
uint64_t sim_target_faults(const struct sim_target *script);

/**
 * sim_target_mapped() - mapped bytes of a range, now
 * @script:     target
 * @range:      range
 */
uint64_t sim_target_mapped(const struct sim_target *script, struct damon_range range);

/**
 * sim_target_resident() - mapped bytes of a range whose pages are present, now
 * @script:     target
 * @range:      range
 */
uint64_t sim_target_resident(const struct sim_target *script, struct damon_range range);

/**
 * sim_target_rate() - how often a page is accessed, in truth, in the moment before now
 * @script:     target
 * @addr:       an address in the page
 * @window:     length of a window, microseconds: the sample interval
 *
 * Patterns that overlap are taken to be independent.
 *
 * Return: share of the windows, 0 to 1, in which the page is accessed.
 */
double sim_target_rate(const struct sim_target *script, uint64_t addr, uint64_t window);

/**
 * sim_target_profile() - how often all pages are accessed, in truth
 * @script:     target
 * @window:     see sim_target_rate()
 * @ret_pieces: set to @ret_nr pieces, sorted, that cover what is mapped; owned by the caller
 * @ret_nr:     set to the number of pieces
 *
 * Return: 0, -ENOMEM.
 */
int sim_target_profile(const struct sim_target *script, uint64_t window,
                       struct sim_piece **ret_pieces, size_t *ret_nr);

/**
 * sim_target_error() - how wrong the regions are
 * @script:             target
 * @regions:            folded regions
 * @max_nr_accesses:    what stands for a rate of 1
 * @window:             see sim_target_rate()
 * @ret_error:          set to the mean over all bytes of the regions of the absolute
 *                      difference of nr_accesses / @max_nr_accesses and the true rate
 *
 * Return: 0, -ENOMEM.
 */
int sim_target_error(const struct sim_target *script, const struct damon_regions *regions,
                     uint32_t max_nr_accesses, uint64_t window, double *ret_error);

/**
 * sim_target_working_set() - what was accessed in a time, in truth
 * @script:     target
 * @after:      accesses at this time do not count any more, microseconds
 * @until:      accesses at this time still count; not in the future
 * @ret_size:   set to the bytes of the pages that were accessed at least once
 *
 * Return: 0, -ENOMEM.
 */
int sim_target_working_set(const struct sim_target *script, uint64_t after, uint64_t until,
                           uint64_t *ret_size);
