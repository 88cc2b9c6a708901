/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Sorting without allocation: qsort(3) of glibc before 2.37 asks malloc() for room.
 */

#include <stddef.h>
#include <stdint.h>

/**
 * sort_u64() - sort numbers, lowest first
 * @items:      @nr numbers
 * @scratch:    room for as many
 * @nr:         how many
 */
void sort_u64(uint64_t *items, uint64_t *scratch, size_t nr);
