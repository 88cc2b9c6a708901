/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * A small seedable generator of random numbers for sampling and splitting: SplitMix64
 * (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014). Not
 * for secrets.
 */

#include <stdint.h>

/**
 * struct rng - a generator
 * @state:      any number is a good seed
 */
struct rng {
        uint64_t state;
};

/**
 * rng_next() - the next 64 random bits
 * @rng:        generator
 */
uint64_t rng_next(struct rng *rng);

/**
 * rng_below() - a uniformly distributed number
 * @rng:        struct rng; void so that it serves as &damon_env.random
 * @bound:      not 0
 *
 * Return: a number in [0, @bound).
 */
uint64_t rng_below(void *rng, uint64_t bound);
