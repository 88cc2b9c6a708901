/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Logging: structured records when standard error is the journal, readable lines when it is
 * a terminal, a file or a pipe. Only the daemon logs; the layers below return.
 */

#include <stddef.h>
#include <syslog.h>

#include "macro.h"

/** LOG_FIELDS_MAX - most fields of a record */
#define LOG_FIELDS_MAX 24

/**
 * log_open() - find out where standard error leads
 * @max_level:  least urgent level that is logged, LOG_ERR to LOG_DEBUG
 */
void log_open(int max_level);

/**
 * log_is_journal() - say whether records go to the journal
 */
int log_is_journal(void);

/**
 * log_record() - log one record
 * @level:      LOG_ERR to LOG_DEBUG
 * @id:         MESSAGE_ID: each kind of record has one, but for those of level LOG_DEBUG
 * @fields:     "NAME=value" strings ended by NULL, or NULL: for the journal only, what
 *              people need stands in the message
 * @format:     message
 */
void log_record(int level, const char *id, const char *const *fields, const char *format, ...)
        _printf_(4, 5);

/** log_error(), log_info() - log a record that has no fields */
#define log_error(id, ...) log_record(LOG_ERR, id, NULL, __VA_ARGS__)
#define log_info(id, ...) log_record(LOG_INFO, id, NULL, __VA_ARGS__)
#define log_debug(...) log_record(LOG_DEBUG, NULL, NULL, __VA_ARGS__)
