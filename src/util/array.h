/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Growable arrays: doubling, so that what has grown once is not allocated again.
 */

#include <stddef.h>
#include <stdlib.h>

#include "macro.h"

/**
 * array_grow() - make room for a number of elements
 * @items:      the array, or NULL
 * @capacity:   number of elements it has room for; updated
 * @nr:         number of elements it must have room for
 * @size:       bytes of an element
 *
 * Return: the array, perhaps moved; NULL without memory, the array then is as it was.
 */
static inline void *array_grow(void *items, size_t *capacity, size_t nr, size_t size) {
        size_t grown;
        void *p;

        if (items && nr <= *capacity)
                return items;
        grown = MAX(MAX(nr, 2 * *capacity), (size_t) 8);
        p = reallocarray(items, grown, size);
        if (p)
                *capacity = grown;
        return p;
}

/** ARRAY_GROW() - array_grow() on a typed array in place. Return: 0, -ENOMEM. */
#define ARRAY_GROW(items, capacity, nr)                                                 \
        ({                                                                              \
                typeof(items) _grown = array_grow((items), &(capacity), (nr), sizeof(*(items))); \
                if (_grown)                                                             \
                        (items) = _grown;                                               \
                _grown ? 0 : -ENOMEM;                                                   \
        })
