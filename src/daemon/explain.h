/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What would schemes match, and what holds the rest back? Asked for on the command line: damond
 * watches its targets for a while, acts on nothing, and says so in a table.
 */

#include <stdint.h>
#include <stdio.h>

#include "manager.h"

/**
 * explain_run() - watch, and write what was found
 * @manager:    manager of a dry run, of which nothing has run yet
 * @limit:      microseconds to watch at most; 0 is as long as the ages that schemes ask for take
 * @f:          receives the table
 *
 * Ends early when no target is left, and on SIGTERM and SIGINT.
 *
 * Return: 0 or a negative errno, which has been logged.
 */
int explain_run(struct manager *manager, uint64_t limit, FILE *f);
