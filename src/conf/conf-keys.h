/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The settings there are, as tables: they drive the parser, the dump, the suggestions for unknown
 * settings and the check that the manual names every one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct conf_context;
struct conf_layers;
struct plan;
struct config_setting_t;

/**
 * struct conf_key - one setting
 * @name:       its name
 * @parse:      reads the value of @setting to @to; or reports what is wrong with it
 * @write:      writes the value at @from as a file has it, nothing if there is none; NULL if it
 *              is no single value of the structure
 * @offset:     place of the value in the structure that the group describes
 * @required:   the group is wrong without it
 */
struct conf_key {
        const char *name;
        void (*parse)(struct conf_context *context, const struct config_setting_t *setting,
                      void *to);
        void (*write)(const struct plan *plan, const void *from, FILE *f);
        size_t offset;
        bool required;
};

/**
 * struct conf_group - the settings of one kind of group, in the order in which they are read
 * @name:       name of the setting that the group belongs to; "" for the file itself
 * @keys:       @nr_keys settings
 * @nr_keys:    number of settings
 */
struct conf_group {
        const char *name;
        const struct conf_key *keys;
        size_t nr_keys;
};

enum conf_group_id {
        CONF_FILE,
        CONF_MONITORING,
        CONF_TARGET,
        CONF_SCHEME,
        CONF_QUOTA,
        CONF_WEIGHTS,
        CONF_GOALS,
        CONF_WATERMARKS,
        CONF_FILTER,
        _CONF_GROUP_MAX,
};

extern const struct conf_group conf_groups[_CONF_GROUP_MAX];

/**
 * conf_parse_group() - read a group by its table, and note where its settings come from
 * @context:    context
 * @layers:     the group, as the files give it
 * @id:         which table
 * @to:         structure that the table describes
 *
 * Return: whether all was right.
 */
bool conf_parse_group(struct conf_context *context, const struct conf_layers *layers,
                      enum conf_group_id id, void *to);
