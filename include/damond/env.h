/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What the engine may ask of the world around it. The engine itself has no clock, no
 * randomness and no I/O of its own, so that whatever happens to it can happen again.
 */

#include <stdint.h>

/**
 * struct damon_env - the engine's surroundings
 * @random:     returns a uniformly distributed number in [0, @bound); @bound is not 0
 * @userdata:   handed to @random; borrowed
 */
struct damon_env {
        uint64_t (*random)(void *userdata, uint64_t bound);
        void *userdata;
};
