/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The files of a configuration: which there are, and what is in them.
 */

#include "conf-context.h"

/**
 * conf_find_files() - find the files of a configuration
 * @context:     context without files; receives them
 * @path:        main file, which need not exist
 * @directories: as for conf_load_from()
 *
 * Return: whether the directories could be read; if not, a message says why, or memory ran out.
 */
bool conf_find_files(struct conf_context *context, const char *path,
                     const char *const *directories);

/**
 * conf_read_text() - read the file that &conf_context.file is
 * @context:    context
 * @ret_size:   set to the number of bytes
 *
 * Return: its text, always with a line feed and then a NUL byte at the end, owned by the caller;
 * NULL if a message says why not, or without memory.
 */
char *conf_read_text(struct conf_context *context, size_t *ret_size);

/**
 * conf_files_done() - release the files
 * @context:    context, left without files
 */
void conf_files_done(struct conf_context *context);
