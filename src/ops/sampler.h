/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Marks the pages of samples idle, and finds out later which of them were accessed, by the page maps of
 * processes, the page_idle bitmap and kpageflags.
 */

#include <damond/ops.h>

#include "bitmap.h"
#include "page-idle-files.h"
#include "reclaim.h"

/*
 * Samples that are looked up together, and whose frames share the calls for a bitmap word. They
 * come nearly sorted by address, so that frames of one word, where memory was handed out in order,
 * mostly lie in one batch.
 */
#define SAMPLER_BATCH_BITS 9
#define SAMPLER_BATCH_MAX (1U << SAMPLER_BATCH_BITS)

/**
 * struct sampler - a batch of samples at a time; zeros are a sampler that has not marked anything
 * @reclaim:    whether the kernel itself takes accesses away
 * @marked_at:  when the last marks were made, nanoseconds
 * @distrust:   an idle flag proves nothing in this tick
 * @entries:    of the samples of a batch in their page maps
 * @frames:     head pages that the samples mark or read, each with the number of its sample
 * @scratch:    to sort them
 * @nr_frames:  number of frames
 * @words:      of the bitmap, in which the frames lie
 * @nr_words:   number of words
 */
struct sampler {
        struct reclaim reclaim;
        uint64_t marked_at;
        bool distrust;
        uint64_t entries[SAMPLER_BATCH_MAX];
        uint64_t frames[SAMPLER_BATCH_MAX], scratch[SAMPLER_BATCH_MAX];
        size_t nr_frames;
        struct bitmap_word words[SAMPLER_BATCH_MAX];
        size_t nr_words;
};

/**
 * sampler_mark() - see &damon_ops.mark
 * @sampler:    sampler
 * @files:      the kernel's files
 * @samples:    samples of targets with &struct watched
 * @nr:         number of samples
 *
 * Return: 0, -ENOMEM, or what the kernel's files gave.
 */
int sampler_mark(struct sampler *sampler, const struct page_idle_files *files, struct damon_sample *samples,
                 size_t nr);

/**
 * sampler_check() - see &damon_ops.check
 * @sampler:    sampler
 * @files:      the kernel's files
 * @samples:    samples that sampler_mark() got
 * @nr:         number of samples
 *
 * Return: 0, -ENOMEM, or what the kernel's files gave.
 */
int sampler_check(struct sampler *sampler, const struct page_idle_files *files, struct damon_sample *samples,
                  size_t nr);
