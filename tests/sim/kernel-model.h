/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * A model of the kernel's algorithm, to compare the engine with: which pages mm/damon/core.c of
 * Linux 6.12 checks, and what it makes of the outcomes. Nothing of the engine is used for it
 * but the structures, and none of its fields but range and nr_accesses.
 */

#include <damond/attrs.h>
#include <damond/target.h>

#include "rng.h"
#include "sim.h"

/**
 * struct kernel_model - kdamond, with one target
 * @attrs:              attributes
 * @sim:                the world; borrowed
 * @target:             the target, with regions from damon_target_divide(); borrowed
 * @rng:                stands for damon_rand()
 * @samples:            pages that are marked, one a region; owned
 * @sz_samples:         room in @samples
 * @last_nr_regions:    as the static variable of kdamond_split_regions()
 * @nr_checked:         checks since the beginning
 */
struct kernel_model {
        struct damon_attrs attrs;
        struct sim *sim;
        struct damon_target *target;
        struct rng rng;
        struct damon_sample *samples;
        size_t sz_samples;
        size_t last_nr_regions;
        uint64_t nr_checked;
};

/**
 * kernel_model_aggregate() - an aggregation, of virtual time too
 * @model:      model
 *
 * The regions then are as the kernel's users see them: merged. They are split when the next
 * aggregation begins, which is the same moment (kdamond_fn()).
 *
 * Return: 0, -ENOMEM.
 */
int kernel_model_aggregate(struct kernel_model *model);

/**
 * kernel_model_done() - release what the model owns
 * @model:      model
 */
void kernel_model_done(struct kernel_model *model);
