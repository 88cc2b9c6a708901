/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-filter.h. */

#include "conf-filter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conf-keys.h"
#include "conf-merge.h"
#include "conf-scheme.h"
#include "conf-target.h"
#include "conf-values.h"
#include "conf-write.h"

#define EXPECTED_TYPE "a type of filter in a string, such as \"anon\""
#define EXPECTED_ADDRESS \
        "the address of a page in a string, such as \"0x7f0000000000\", \"min\" or \"max\""
#define EXPECTED_TARGET "the name of a target in a string, such as \"db\""
#define EXPECTED_MAPPING \
        "the name of a mapping or a pattern in a string, such as \"[heap]\" or \"/usr/lib/*\""

/* The settings that say more than the type does */
static const struct {
        const char *setting;
        enum damos_filter_type type;
} details[] = {
        { "addr_start", DAMOS_FILTER_ADDR },
        { "addr_end", DAMOS_FILTER_ADDR },
        { "target", DAMOS_FILTER_TARGET },
        { "size", DAMOS_FILTER_HUGEPAGE_SIZE },
        { "memcg_path", DAMOS_FILTER_MEMCG },
        { "mapping", DAMOS_FILTER_MAPPING },
};

void conf_parse_filter_type(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *name = conf_string(context, setting, EXPECTED_TYPE);
        struct conf_words words = { .word = name };
        enum damos_filter_type *type = to;

        if (!name || damos_filter_type_from_string(name, type) == 0)
                return;
        for (unsigned i = 0; i < _DAMOS_FILTER_TYPE_MAX; i++)
                conf_words_consider(&words, damos_filter_type_to_string((enum damos_filter_type) i));
        if (words.best)
                conf_error_at(context, setting, "type: there is no filter of type \"%.80s\", did you mean "
                              "\"%s\"?", name, words.best);
        else
                conf_error_at(context, setting, "type: there is no filter of type \"%.80s\", expected one "
                              "of %s", name, words.list);
}

static int parse_address(const char *text, uint64_t *ret) {
        size_t length;

        if (strcmp(text, "min") == 0 || strcmp(text, "max") == 0) {
                *ret = text[1] == 'i' ? 0 : UINT64_MAX;
                return 0;
        }
        if (strncmp(text, "0x", 2) != 0)
                return -EINVAL;
        length = strspn(text + 2, "0123456789abcdefABCDEF");
        if (length == 0 || text[2 + length] != '\0')
                return -EINVAL;
        if (length > 16)
                return -ERANGE;
        *ret = strtoull(text, NULL, 16);
        return 0;
}

void conf_parse_address(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_ADDRESS);
        uint64_t *address = to, value = 0;
        int r;

        if (!text)
                return;
        r = parse_address(text, &value);
        if (r < 0)
                conf_value_error(context, setting, text, r, EXPECTED_ADDRESS);
        else if (value != UINT64_MAX && value % (uint64_t) sysconf(_SC_PAGESIZE) != 0)
                conf_error_at(context, setting, "%s: \"%.80s\" lies within a page, expected a multiple of "
                              "%ld bytes", conf_label(setting), text, sysconf(_SC_PAGESIZE));
        else
                *address = value;
}

void conf_parse_filter_sizes(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct damos_limits limits = { 0, UINT64_MAX };
        struct damos_filter *filter = to;

        conf_parse_size_range(context, setting, &limits);
        filter->sz_min = limits.min;
        filter->sz_max = limits.max;
}

/* A filter that has two of them is wrong, but takes the second one first. */
static char **text_at(void *to) {
        char **text = to;

        free(*text);
        *text = NULL;
        return text;
}

void conf_parse_filter_target(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *name = conf_string(context, setting, EXPECTED_TARGET);

        if (name && conf_check_target(context, setting, name))
                *text_at(to) = conf_copy(context, name);
}

void conf_parse_filter_memcg(struct conf_context *context, const config_setting_t *setting, void *to) {
        conf_parse_cgroup(context, setting, text_at(to));
}

void conf_parse_filter_mapping(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_MAPPING);

        if (!text)
                return;
        if (text[0] == '\0' || !strchr("/[*?", text[0]))
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_MAPPING);
        else
                *text_at(to) = conf_copy(context, text);
}

/* Whether a filter has the settings that its type needs, and none that other types need. */
static void check_details(struct conf_context *context, const config_setting_t *setting,
                          const struct damos_filter *filter) {
        const char *type = damos_filter_type_to_string(filter->type), *needs = NULL, *other = NULL;
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(details); i++) {
                const config_setting_t *detail = config_setting_get_member(setting, details[i].setting);

                if (details[i].type == filter->type) {
                        other = needs;
                        needs = details[i].setting;
                        found |= detail != NULL;
                } else if (detail)
                        conf_error_at(context, detail, "%s: is not for a filter of type \"%s\", expected in "
                                      "one of type \"%s\" only", details[i].setting, type,
                                      damos_filter_type_to_string(details[i].type));
        }
        if (needs && !found)
                conf_error_at(context, setting, "filters: a filter of type \"%s\" says nothing, expected %s%s%s",
                              type, other ?: "", other ? " or " : "", needs);
        else if (filter->type == DAMOS_FILTER_ADDR && filter->addr.start >= filter->addr.end)
                conf_error_at(context, setting, "filters: addr_start 0x%" PRIx64 " is not below addr_end "
                              "0x%" PRIx64 ", expected the lower address first", filter->addr.start,
                              filter->addr.end);
}

static void parse_filter(struct conf_context *context, const config_setting_t *setting,
                         struct damos_filter *filter) {
        const struct conf_layers layers = { .settings = &setting, .nr = 1 };

        *filter = (struct damos_filter) { .matching = true };
        if (config_setting_type(setting) == CONFIG_TYPE_GROUP) {
                if (config_setting_get_member(setting, "addr_start") || config_setting_get_member(setting, "addr_end"))
                        filter->addr.end = UINT64_MAX;
                if (conf_parse_group(context, &layers, CONF_FILTER, filter))
                        check_details(context, setting, filter);
        } else
                conf_type_error(context, setting, "a group of settings, { ... }");
}

void conf_parse_filters(struct conf_context *context, const config_setting_t *setting, void *to) {
        struct damos_filters *filters = to;
        int nr;

        if (config_setting_type(setting) != CONFIG_TYPE_LIST)
                return conf_type_error(context, setting, "a list of filters, ( ... )");
        nr = config_setting_length(setting);
        if (nr == 0)
                return;
        filters->items = calloc((size_t) nr, sizeof(filters->items[0]));
        if (!filters->items) {
                context->out_of_memory = true;
                return;
        }
        for (; filters->nr < (size_t) nr; filters->nr++)
                parse_filter(context, config_setting_get_elem(setting, (unsigned) filters->nr),
                             &filters->items[filters->nr]);
}

static void write_address(const char *setting, uint64_t address, FILE *f) {
        if (address == UINT64_MAX)
                fprintf(f, " %s = \"max\";", setting);
        else
                fprintf(f, " %s = \"0x%" PRIx64 "\";", setting, address);
}

static void write_filter(const struct plan *plan, const struct damos_filter *filter, FILE *f) {
        const struct damos_limits sizes = { filter->sz_min, filter->sz_max };

        fprintf(f, "{ type = \"%s\"; matching = %s; allow = %s;", damos_filter_type_to_string(filter->type),
                filter->matching ? "true" : "false", filter->allow ? "true" : "false");
        if (filter->type == DAMOS_FILTER_ADDR) {
                write_address("addr_start", filter->addr.start, f);
                write_address("addr_end", filter->addr.end, f);
        }
        for (size_t i = 0; i < ELEMENTSOF(details); i++) {
                if (details[i].type != filter->type || filter->type == DAMOS_FILTER_ADDR)
                        continue;
                fprintf(f, " %s = ", details[i].setting);
                if (filter->text)
                        conf_write_string(plan, &filter->text, f);
                else
                        conf_write_size_range(plan, &sizes, f);
                fputc(';', f);
        }
        fputs(" }", f);
}

void conf_write_filters(const struct plan *plan, const void *from, FILE *f) {
        const struct damos_filters *filters = from;

        for (size_t i = 0; i < filters->nr; i++) {
                fputs(i > 0 ? ",\n      " : "(\n      ", f);
                write_filter(plan, &filters->items[i], f);
        }
        if (filters->nr > 0)
                fputs("\n    )", f);
}
