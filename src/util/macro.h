/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Scope-bound cleanup and the few macros that every layer uses.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/** TAKE_PTR() - hand a pointer on, leaving NULL behind */
#define TAKE_PTR(p)                          \
        ({                                   \
                typeof(p) _taken = (p);      \
                (p) = NULL;                  \
                _taken;                      \
        })

/** TAKE_FD() - hand a file descriptor on, leaving -1 behind */
#define TAKE_FD(fd)                          \
        ({                                   \
                int _taken_fd = (fd);        \
                (fd) = -1;                   \
                _taken_fd;                   \
        })

static inline void freep(void *p) {
        free(*(void **) p);
}

/** close_safe() - close a descriptor if there is one; keeps errno. Return: -1. */
static inline int close_safe(int fd) {
        if (fd >= 0) {
                int saved = errno;
                (void) close(fd);
                errno = saved;
        }
        return -1;
}

static inline void closep(int *fd) {
        close_safe(*fd);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
