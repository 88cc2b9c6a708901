/* SPDX-License-Identifier: GPL-2.0-only */
/* From files to a plan; see conf.h. */

#include "conf.h"

#include <libconfig.h>
#include <string.h>

#include "conf-files.h"
#include "conf-keys.h"
#include "conf-merge.h"
#include "unit.h"

static const struct plan default_plan = {
        .attrs = {
                .sample_interval = 5 * USEC_PER_MSEC,
                .aggregation_interval = 100 * USEC_PER_MSEC,
                .update_interval = USEC_PER_SEC,
                .min_regions = 10,
                .max_regions = 1000,
        },
        .cpu_budget = 100,
        .statistics_interval = 60 * USEC_PER_SEC,
        .record_size = 64 * 1024 * 1024,
};

/**
 * struct quote - a line of the file as messages show it
 * @start:      first character that is not white space
 * @length:     number of characters, without white space at the end
 */
struct quote {
        const char *start;
        int length;
};

static struct quote quote_line(const char *text, unsigned line) {
        size_t length;

        for (unsigned i = 1; i < line && *text != '\0'; i++)
                text += strcspn(text, "\n") + (strchr(text, '\n') ? 1 : 0);
        text += strspn(text, " \t\r");
        length = strcspn(text, "\n");
        while (length > 0 && strchr(" \t\r", text[length - 1]))
                length--;
        return (struct quote) { text, (int) MIN(length, (size_t) 60) };
}

/* libconfig names the line of the token that did not fit, often one behind the mistake. */
static void report_syntax(struct conf_context *context, const config_t *config, const char *text) {
        unsigned line = config_error_line(config) > 0 ? (unsigned) config_error_line(config) : 1;
        struct quote here = quote_line(text, line), before = { "", 0 };
        unsigned above = line;

        while (above > 1 && before.length == 0)
                before = quote_line(text, --above);

        if (strcmp(config_error_text(config), "syntax error") != 0)
                conf_error(context, line, "%s near \"%.*s\"", config_error_text(config),
                           here.length, here.start);
        else if (here.length == 0)
                conf_error(context, line, "syntax error behind \"%.*s\", expected more; a missing "
                           "bracket?", before.length, before.start);
        else if (before.length == 0)
                conf_error(context, line, "syntax error near \"%.*s\"; a missing \";\", \",\" or "
                           "quote?", here.length, here.start);
        else
                conf_error(context, line, "syntax error near \"%.*s\" behind \"%.*s\"; a missing "
                           "\";\", \",\" or quote on this line or the one before?", here.length,
                           here.start, before.length, before.start);
}

/* Returns whether the file could be read, be it with wrong values. */
static bool read_file(struct conf_context *context, struct conf_file *file) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        context->file = file;
        text = conf_read_text(context, &size);
        if (!text || !conf_prescan(context, text, size))
                return false;
        if (config_read_string(&file->config, text) == CONFIG_TRUE)
                return true;
        report_syntax(context, &file->config, text);
        return false;
}

static void parse_files(struct conf_context *context) {
        struct conf_layers layers;

        if (conf_layers_top(context, "", &layers) < 0) {
                context->out_of_memory = true;
                return;
        }
        (void) conf_parse_group(context, &layers, CONF_FILE, context->plan);
        conf_layers_done(&layers);
}

/* Without one of the files, what the others say makes no sense. */
static void read_files(struct conf_context *context, const char *path,
                       const char *const *directories) {
        bool good = conf_find_files(context, path, directories);

        for (size_t i = 0; i < context->nr_files; i++)
                good = read_file(context, &context->files[i]) && good;
        if (good)
                parse_files(context);
}

static void name_files(struct conf_context *context) {
        struct plan *plan = context->plan;

        plan->files = calloc(context->nr_files, sizeof(plan->files[0]));
        if (!plan->files) {
                context->out_of_memory = true;
                return;
        }
        for (size_t i = 0; i < context->nr_files; i++) {
                conf_make_printable(context->files[i].path);
                plan->files[plan->nr_files++] = TAKE_PTR(context->files[i].path);
        }
}

int conf_load_from(const char *path, const char *const *directories, uint32_t actions,
                   struct conf_diag *diag, struct plan **ret_plan) {
        _cleanup_(plan_freep) struct plan *plan = NULL;
        struct conf_context context = {
                .actions = actions | DAMOS_ACTION_BIT(DAMOS_STAT),
                .diag = diag,
        };

        plan = malloc(sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        *plan = default_plan;
        context.plan = plan;
        context.max_nr_accesses = damon_attrs_max_nr_accesses(&plan->attrs);

        read_files(&context, path, directories);
        if (!context.out_of_memory && diag->nr == 0)
                name_files(&context);
        conf_files_done(&context);

        if (context.out_of_memory)
                return -ENOMEM;
        if (diag->nr > 0)
                return -EINVAL;
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

int conf_load(const char *path, uint32_t actions, struct conf_diag *diag, struct plan **ret_plan) {
        static const char *const of_packages[] = {
                "/run/damond.conf.d",
                "/usr/local/lib/damond.conf.d",
                "/usr/lib/damond.conf.d",
                NULL,
        };
        static const char *const none[] = { NULL };

        /* A file from elsewhere is to mean the same on every machine. */
        return conf_load_from(path, strcmp(path, CONF_PATH) == 0 ? of_packages : none, actions,
                              diag, ret_plan);
}
