/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers of what schemes are adjusted to: see damond/metric.h.
 */

#include <stdint.h>

#include <damond/guard.h>
#include <damond/metric.h>

/**
 * metrics_read() - read a metric
 * @proc_fd:    /proc
 * @metric:     which
 * @ret_value:  set to its value
 *
 * Return: 0; -ENOENT or -EOPNOTSUPP if the kernel does not have it, or not now; -EBADMSG if what it
 * says makes no sense; another negative errno.
 */
int metrics_read(int proc_fd, enum damos_metric metric, uint64_t *ret_value);

/**
 * metrics_read_pressure() - read how the whole machine fares
 * @proc_fd:    /proc
 * @ret_pressure: set to that
 *
 * Return: as metrics_read().
 */
int metrics_read_pressure(int proc_fd, struct damos_pressure *ret_pressure);

/**
 * metrics_read_file() - read a number that somebody has written
 * @path:       absolute path of a regular file, with a whole number and nothing else
 * @ret_value:  set to the number
 *
 * Return: 0; -EOPNOTSUPP if the file is no regular one; -EBADMSG if it is no number; -ERANGE if that
 * is too large; another negative errno.
 */
int metrics_read_file(const char *path, uint64_t *ret_value);

/** metrics_error_string() - say in words why one of these has failed */
const char *metrics_error_string(int error);
