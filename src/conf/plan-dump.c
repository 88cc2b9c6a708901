/* SPDX-License-Identifier: GPL-2.0-only */
/* A plan as a configuration file; see plan_dump() in plan.h. */

#include "plan.h"

#include <string.h>

#include "conf-keys.h"
#include "macro.h"

/* Column of the comments, unless a value is longer */
#define COLUMN 48

/**
 * struct dump - a plan that is being written
 * @plan:       the plan
 * @f:          where to
 */
struct dump {
        const struct plan *plan;
        FILE *f;
};

static void write_origin(const struct dump *dump, const void *group, const char *setting) {
        const struct plan *plan = dump->plan;

        for (size_t i = 0; i < plan->nr_origins; i++) {
                const struct plan_origin *origin = &plan->origins[i];

                if (origin->group == group && strcmp(origin->setting, setting) == 0) {
                        fprintf(dump->f, "# %s:%u\n", plan->files[origin->file], origin->line);
                        return;
                }
        }
        fputs("# default\n", dump->f);
}

static void write_line(const struct dump *dump, const void *group, const char *indent,
                       const char *setting, const char *value) {
        int length = fprintf(dump->f, "%s%s = %s;", indent, setting, value);

        fprintf(dump->f, "%*s", MAX(COLUMN - length, 2), "");
        write_origin(dump, group, setting);
}

static int write_setting(const struct dump *dump, const void *group, const char *indent,
                         const struct conf_key *key) {
        _cleanup_free_ char *value = NULL;
        size_t size;
        FILE *f = open_memstream(&value, &size);

        if (!f)
                return -ENOMEM;
        key->write(dump->plan, (const char *) group + key->offset, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (size > 0)
                write_line(dump, group, indent, key->name, value);
        return 0;
}

/* What has no writer is written elsewhere. */
static int write_settings(const struct dump *dump, enum conf_group_id id, const void *group,
                          const char *indent) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < conf_groups[id].nr_keys; i++)
                if (conf_groups[id].keys[i].write)
                        r = write_setting(dump, group, indent, &conf_groups[id].keys[i]);
        return r;
}

/* The items behind the first @nr_on ones are switched off. */
static int write_list(const struct dump *dump, enum conf_group_id id, const void *items,
                      size_t size, size_t nr_on, size_t nr) {
        int r = 0;

        fprintf(dump->f, "%s = (", conf_groups[id].name);
        for (size_t i = 0; r == 0 && i < nr; i++) {
                const void *item = (const char *) items + i * size;

                fputs(i > 0 ? ",\n  {\n" : "\n  {\n", dump->f);
                r = write_settings(dump, id, item, "    ");
                write_line(dump, item, "    ", "enabled", i < nr_on ? "true" : "false");
                fputs("  }", dump->f);
        }
        fputs(nr > 0 ? "\n);\n" : ");\n", dump->f);
        return r;
}

int plan_dump(const struct plan *plan, FILE *f) {
        const struct dump dump = { plan, f };
        int r;

        if (plan->nr_files > 0)
                fputs("# Read in this order:\n", f);
        for (size_t i = 0; i < plan->nr_files; i++)
                fprintf(f, "#   %s\n", plan->files[i]);
        fputs("monitoring = {\n", f);
        r = write_settings(&dump, CONF_MONITORING, plan, "  ");
        if (r < 0)
                return r;
        fputs("};\n", f);
        r = write_list(&dump, CONF_TARGET, plan->targets, sizeof(plan->targets[0]),
                       plan->nr_targets, plan->nr_targets + plan->nr_targets_off);
        if (r < 0)
                return r;
        r = write_list(&dump, CONF_SCHEME, plan->schemes, sizeof(plan->schemes[0]),
                       plan->nr_schemes, plan->nr_schemes + plan->nr_schemes_off);
        return r < 0 ? r : write_settings(&dump, CONF_FILE, plan, "");
}
