/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What the parts of the configuration reader share while a configuration is read: its files,
 * where messages go, and the words they have in common.
 */

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "macro.h"

struct conf_entries;

/**
 * struct conf_file - one file of a configuration
 * @path:               its path, as messages show it; owned
 * @config:             its settings, empty until it was read. They point to it: it does not move.
 * @wide_lines:         @nr_wide_lines lines with integers that libconfig has wrapped, reported
 *                      already; owned
 * @nr_wide_lines:      number of those
 */
struct conf_file {
        char *path;
        config_t config;
        unsigned *wide_lines;
        size_t nr_wide_lines;
};

/**
 * struct conf_context - one reading of a configuration
 * @actions:            actions that schemes may use
 * @diag:               receives messages; borrowed
 * @files:              @nr_files files in the order of reading, the main file first; owned
 * @nr_files:           number of files
 * @file:               the one of these that is being read
 * @size:               bytes of text that were read so far
 * @nr_settings:        settings in these
 * @entries:            the list that is being read, or NULL; borrowed
 * @plan:               plan in the making, preset with the defaults; borrowed
 * @max_nr_accesses:    checks in an aggregation, or 0 if "monitoring" is wrong
 * @out_of_memory:      something could not be allocated; messages may be missing
 */
struct conf_context {
        uint32_t actions;
        struct conf_diag *diag;
        struct conf_file *files;
        size_t nr_files;
        struct conf_file *file;
        size_t size;
        unsigned nr_settings;
        const struct conf_entries *entries;
        struct plan *plan;
        uint32_t max_nr_accesses;
        bool out_of_memory;
};

/**
 * conf_error() - add a message about the file that is being read
 * @context:    context
 * @line:       line that it is about, or 0 for the file as a whole
 * @format:     what is wrong, and what was expected. Control characters and broken UTF-8
 *              that come in with the arguments are replaced: a message is one line.
 */
void conf_error(struct conf_context *context, unsigned line, const char *format, ...)
        _printf_(3, 4);

/**
 * conf_error_at() - add a message about a setting
 * @context:    context
 * @setting:    setting
 * @format:     as for conf_error()
 */
void conf_error_at(struct conf_context *context, const config_setting_t *setting,
                   const char *format, ...) _printf_(3, 4);

/**
 * conf_has_error() - say whether there is a message about a line of the file that is being read
 * @context:    context
 * @line:       the line
 */
bool conf_has_error(const struct conf_context *context, unsigned line);

/**
 * conf_file_of() - the file that a setting is in
 * @setting:    setting of one of the files of a context
 */
const struct conf_file *conf_file_of(const config_setting_t *setting);

/**
 * conf_copy() - duplicate a string, or note that memory ran out
 * @context:    context
 * @text:       string
 *
 * Return: the copy, owned by the caller; NULL without memory.
 */
char *conf_copy(struct conf_context *context, const char *text);

/**
 * struct conf_words - what could have been meant by a word that is not known
 * @word:       the word that was found; borrowed
 * @list:       all words that were considered, as far as they fit
 * @best:       the one that @word looks like, or NULL; borrowed
 * @distance:   number of letters by which they differ
 */
struct conf_words {
        const char *word;
        char list[256];
        const char *best;
        size_t distance;
};

/**
 * conf_words_consider() - take one known word into account
 * @words:      words
 * @known:      the known word
 */
void conf_words_consider(struct conf_words *words, const char *known);

/**
 * conf_utf8_length() - length of the character that a string begins with
 * @s:          @size bytes
 * @size:       not 0
 *
 * Return: number of bytes, or 0 if it is not valid UTF-8.
 */
size_t conf_utf8_length(const char *s, size_t size);

/**
 * conf_make_printable() - replace control characters and broken UTF-8
 * @text:       text, which becomes one line
 */
void conf_make_printable(char *text);

/**
 * conf_prescan() - find what libconfig would choke on, or would misread without a word
 * @context:    context
 * @text:       @size bytes, the last of them a line feed, followed by a NUL byte
 * @size:       number of bytes
 *
 * Return: whether libconfig may have @text; if not, a message says why.
 */
bool conf_prescan(struct conf_context *context, const char *text, size_t size);
