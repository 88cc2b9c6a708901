/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Several files as one: what they say of the same thing lies in layers, the file that was read
 * last on top. A setting is that of the topmost layer that has it.
 */

#include <libconfig.h>

#include "conf-context.h"
#include "conf-values.h"

/**
 * struct conf_layers - what the files say of one thing
 * @settings:   @nr settings, groups as a rule, in the order of reading; owned, but not what they
 *              point to
 * @nr:         number of layers
 * @size:       number that there is room for
 */
struct conf_layers {
        const config_setting_t **settings;
        size_t nr, size;
};

/**
 * conf_layers_top() - gather the settings of one name that the files have at top level
 * @context:    context
 * @name:       the name; "" for the files themselves
 * @ret:        set to the layers, owned by the caller
 *
 * Return: 0, -ENOMEM.
 */
int conf_layers_top(struct conf_context *context, const char *name, struct conf_layers *ret);

/**
 * conf_layers_get() - look up what holds
 * @layers:     layers; those that are no groups have no settings
 * @name:       name of a setting
 *
 * Return: the setting, NULL if there is none.
 */
const config_setting_t *conf_layers_get(const struct conf_layers *layers, const char *name);

/** conf_layers_done() - release layers */
void conf_layers_done(struct conf_layers *layers);

/**
 * struct conf_entry - an entry of a list
 * @name:       its name, "" if it has none that is right
 * @layers:     what the files say of it, at least one; what is no group is alone
 */
struct conf_entry {
        char name[CONF_NAME_MAX + 1];
        struct conf_layers layers;
};

/**
 * struct conf_entries - a list
 * @entries:    @nr entries; owned
 * @nr:         number of entries
 * @size:       number that there is room for
 */
struct conf_entries {
        struct conf_entry *entries;
        size_t nr, size;
};

/**
 * conf_entries_merge() - make one list of those that the files have at top level
 * @context:    context
 * @name:       name of the lists
 * @ret:        set to the list, owned by the caller
 *
 * Groups of one name in several files are one entry, at the place that it has in the first. An
 * entry that is a string gets its place in its name. What is no list, and two entries that have
 * the same name and cannot be one, are reported.
 *
 * Return: 0, -ENOMEM.
 */
int conf_entries_merge(struct conf_context *context, const char *name, struct conf_entries *ret);

/** conf_entries_done() - release a list */
void conf_entries_done(struct conf_entries *list);
