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
 * @line:       line that it is about, to sort by; 0 is the file as a whole
 */
struct conf_message {
        char *text;
        unsigned line;
};

/**
 * struct conf_diag - all there is to say about a configuration, in the order of the file
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

/**
 * conf_load() - read a configuration file
 * @path:       file
 * @actions:    set of DAMOS_ACTION_BIT() that schemes may use, %DAMOS_STAT aside, which they
 *              always may; others are an error
 * @diag:       empty; receives what is wrong. To be released also on failure.
 * @ret_plan:   set to the plan, owned by the caller
 *
 * Return: 0; -EINVAL if the configuration is wrong or cannot be read, with @diag saying why;
 * -ENOMEM.
 */
int conf_load(const char *path, uint32_t actions, struct conf_diag *diag, struct plan **ret_plan);
