/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Readers of /proc and /sys that start from an open directory, so that a process stays the
 * one that was looked up, and tests can point them at a tree of their own.
 */

#include <stddef.h>

/**
 * root_read() - read a small text file whole
 * @dir_fd:     directory
 * @path:       path below it
 * @buf:        receives the text and a NUL
 * @size:       bytes of @buf; longer text is cut
 *
 * Return: length of the text, or a negative errno.
 */
int root_read(int dir_fd, const char *path, char *buf, size_t size);

/**
 * root_read_all() - read a text file of any length
 * @dir_fd:     directory
 * @path:       path below it
 * @buf:        buffer that grows as needed, owned by the caller, or NULL; ends with a NUL
 * @capacity:   bytes of @buf; updated
 *
 * Return: length of the text, or a negative errno.
 */
int root_read_all(int dir_fd, const char *path, char **buf, size_t *capacity);
