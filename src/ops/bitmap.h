/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * /sys/kernel/mm/page_idle/bitmap: one bit a page frame, in 64-bit words. A written 1 marks
 * a page idle and forgets that it was accessed; a read looks for accesses since then and
 * tells which pages still are idle. A written 0 does nothing, so that only the pages that
 * are meant are touched. See Documentation/admin-guide/mm/idle_page_tracking.rst and
 * mm/page_idle.c, Linux 6.12.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** BITMAP_RUN_MAX - words that one call moves at most (kernfs moves a page a call) */
#define BITMAP_RUN_MAX 512

/**
 * struct bitmap_word - one word of the bitmap
 * @index:      which word: page frame number / 64
 * @bits:       bits to mark, or bits that were read
 * @valid:      the kernel has this word; false behind the end of memory
 */
struct bitmap_word {
        uint64_t index;
        uint64_t bits;
        bool valid;
};

/**
 * bitmap_mark() - mark pages idle
 * @fd:         bitmap
 * @words:      @nr words, sorted, each once; @valid is set
 * @nr:         number of words
 *
 * Return: 0 or a negative errno.
 */
int bitmap_mark(int fd, struct bitmap_word *words, size_t nr);

/**
 * bitmap_read() - find out which pages are idle
 * @fd:         bitmap
 * @words:      @nr words, sorted, each once; @bits and @valid are set
 * @nr:         number of words
 *
 * Return: 0 or a negative errno.
 */
int bitmap_read(int fd, struct bitmap_word *words, size_t nr);
