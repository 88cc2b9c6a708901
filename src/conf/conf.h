/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Configuration: from the text of damond.conf to a plan, or to a list of everything that is
 * wrong with the text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

/**
 * struct conf_message - one thing to say about a configuration
 * @text:       one line, "FILE:LINE: what is wrong and what was expected", or "FILE: ..." of
 *              the file as a whole; owned
 * @file:       place of this file in the order of reading, to sort by
 * @line:       line that it is about, to sort by; 0 is the file as a whole
 */
struct conf_message {
        char *text;
        size_t file;
        unsigned line;
};

/**
 * struct conf_diag - all there is to say about a configuration, in the order of its files
 * @messages:   @nr messages; owned
 * @nr:         number of messages
 */
struct conf_diag {
        struct conf_message *messages;
        size_t nr;
};

/**
 * conf_diag_done() - release the messages
 * @diag:       diagnostics, left empty
 */
void conf_diag_done(struct conf_diag *diag);

/** CONF_PATH - configuration file of the system, to which packages may add drop-ins */
#define CONF_PATH "/etc/damond.conf"

/**
 * conf_load() - read a configuration
 * @path:       main file. Drop-ins are files named *.conf in the directory @path with ".d" behind
 *              it and, for %CONF_PATH, in damond.conf.d of /run, /usr/local/lib and /usr/lib.
 * @actions:    set of DAMOS_ACTION_BIT() that schemes may use, %DAMOS_STAT aside, which they
 *              always may; others are an error
 * @diag:       empty; receives what is wrong. To be released also on failure.
 * @ret_plan:   set to the plan, owned by the caller
 *
 * Drop-ins are read after the main file, sorted by name. One whose name is also in an earlier
 * directory is not, and one that is empty or a link to /dev/null only hides those. What a later
 * file says of a setting holds; entries of lists are told by their names.
 *
 * Return: 0; -EINVAL if the configuration is wrong or cannot be read, with @diag saying why;
 * -ENOMEM.
 */
int conf_load(const char *path, uint32_t actions, struct conf_diag *diag, struct plan **ret_plan);

/**
 * conf_load_from() - read a configuration with drop-ins from elsewhere
 * @path:       main file
 * @directories: NULL-terminated, where to look for drop-ins besides @path with ".d" behind it;
 *              the earlier ones hide those of the same name in later ones
 * @actions:    as for conf_load(), like all else
 * @diag:       likewise
 * @ret_plan:   likewise
 */
int conf_load_from(const char *path, const char *const *directories, uint32_t actions,
                   struct conf_diag *diag, struct plan **ret_plan);
