/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-merge.h. */

#include "conf-merge.h"

#include <stdio.h>
#include <string.h>

#include "array.h"

void conf_layers_done(struct conf_layers *layers) {
        free(layers->settings);
        *layers = (struct conf_layers) {};
}

static int add_layer(struct conf_layers *layers, const config_setting_t *setting) {
        int r;

        r = ARRAY_GROW(layers->settings, layers->size, layers->nr + 1);
        if (r < 0)
                return r;
        layers->settings[layers->nr++] = setting;
        return 0;
}

int conf_layers_top(struct conf_context *context, const char *name, struct conf_layers *ret) {
        struct conf_layers layers = {};

        for (size_t i = 0; i < context->nr_files; i++) {
                const config_setting_t *root = config_root_setting(&context->files[i].config);
                const config_setting_t *setting = name[0] == '\0' ? root
                        : config_setting_get_member(root, name);

                if (setting && add_layer(&layers, setting) < 0) {
                        conf_layers_done(&layers);
                        return -ENOMEM;
                }
        }
        *ret = layers;
        return 0;
}

const config_setting_t *conf_layers_get(const struct conf_layers *layers, const char *name) {
        for (size_t i = layers->nr; i-- > 0;) {
                const config_setting_t *member = config_setting_get_member(layers->settings[i],
                                                                           name);

                if (member)
                        return member;
        }
        return NULL;
}

void conf_entries_done(struct conf_entries *list) {
        for (size_t i = 0; i < list->nr; i++)
                conf_layers_done(&list->entries[i].layers);
        free(list->entries);
        *list = (struct conf_entries) {};
}

static bool is_group(const config_setting_t *setting) {
        return config_setting_type(setting) == CONFIG_TYPE_GROUP;
}

/* What is wrong with a name is reported when the entry is read. */
static void name_entry(struct conf_entry *entry, const config_setting_t *setting, size_t place) {
        const config_setting_t *name = config_setting_get_member(setting, "name");

        if (config_setting_type(setting) == CONFIG_TYPE_STRING)
                (void) snprintf(entry->name, sizeof(entry->name), "scheme-%zu", place);
        else if (name && config_setting_type(name) == CONFIG_TYPE_STRING &&
                 conf_is_name(config_setting_get_string(name)))
                (void) snprintf(entry->name, sizeof(entry->name), "%s",
                                config_setting_get_string(name));
}

static struct conf_entry *find_entry(const struct conf_entries *list, const char *name) {
        for (size_t i = 0; name[0] != '\0' && i < list->nr; i++)
                if (strcmp(list->entries[i].name, name) == 0)
                        return &list->entries[i];
        return NULL;
}

static void report_same_name(struct conf_context *context, const config_setting_t *setting,
                             const struct conf_entry *other) {
        const config_setting_t *first = other->layers.settings[0];
        const struct conf_file *file = conf_file_of(first);
        bool elsewhere = file != conf_file_of(setting);

        conf_error_at(context, setting, "%s: the name \"%s\" belongs to the entry in %s%s%u, "
                      "expected a different one", conf_label(setting), other->name,
                      elsewhere ? file->path : "line ", elsewhere ? ":" : "",
                      config_setting_source_line(first));
}

static int add_entry(struct conf_context *context, struct conf_entries *list,
                     const config_setting_t *setting) {
        struct conf_entry entry = {}, *same;
        int r;

        name_entry(&entry, setting, list->nr + 1);
        same = find_entry(list, entry.name);
        if (same) {
                const struct conf_layers *layers = &same->layers;
                const config_setting_t *last = layers->settings[layers->nr - 1];

                if (is_group(setting) && is_group(last) &&
                    conf_file_of(setting) != conf_file_of(last))
                        return add_layer(&same->layers, setting);
                report_same_name(context, setting, same);
        }

        r = add_layer(&entry.layers, setting);
        if (r < 0)
                return r;
        r = ARRAY_GROW(list->entries, list->size, list->nr + 1);
        if (r < 0) {
                conf_layers_done(&entry.layers);
                return r;
        }
        list->entries[list->nr++] = entry;
        return 0;
}

int conf_entries_merge(struct conf_context *context, const char *name, struct conf_entries *ret) {
        struct conf_layers lists = {};
        struct conf_entries merged = {};
        int r;

        r = conf_layers_top(context, name, &lists);
        for (size_t i = 0; r == 0 && i < lists.nr; i++) {
                const config_setting_t *list = lists.settings[i];

                if (config_setting_type(list) != CONFIG_TYPE_LIST) {
                        conf_type_error(context, list, "a list of entries, ( ... )");
                        continue;
                }
                for (unsigned k = 0; r == 0 && k < (unsigned) config_setting_length(list); k++)
                        r = add_entry(context, &merged, config_setting_get_elem(list, k));
        }
        conf_layers_done(&lists);
        if (r < 0) {
                conf_entries_done(&merged);
                return r;
        }
        *ret = merged;
        return 0;
}
