/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Paths, of control groups above all.
 */

#include <stdbool.h>

/**
 * path_is_in() - say whether a path, or one that it lies in, matches a glob
 * @path:       path; one that does not begin with a slash lies nowhere
 * @glob:       glob, see glob(7)
 */
bool path_is_in(const char *path, const char *glob);
