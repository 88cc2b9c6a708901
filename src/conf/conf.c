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

/* What is left for libconfig to complain of: the grammar has been checked. */
static void report_syntax(struct conf_context *context, const config_t *config, const char *text) {
        int line = config_error_line(config);

        for (int i = 1; i < line && *text != '\0'; i++)
                text += strcspn(text, "\n") + 1;
        text += strspn(text, " \t");
        conf_error(context, (unsigned) line, "%s near \"%.*s\"", config_error_text(config),
                   (int) MIN(strcspn(text, "\r\n"), (size_t) 60), text);
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
