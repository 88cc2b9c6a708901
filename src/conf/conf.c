/* SPDX-License-Identifier: GPL-2.0-only */
/* From a path to a plan; see conf.h. */

#include "conf.h"

#include <fcntl.h>
#include <libconfig.h>
#include <string.h>
#include <sys/stat.h>

#include "conf-context.h"
#include "conf-keys.h"
#include "unit.h"

/* libconfig needs quadratic time; no sensible file comes near. */
#define FILE_SIZE_MAX (256 * 1024)

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

/* Returns a descriptor, or -EINVAL: reported. */
static int open_file(struct conf_context *context) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        /* A FIFO without a writer would block otherwise. */
        fd = open(context->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0) {
                conf_error(context, 0, "cannot be opened: %s", strerror(errno));
                return -EINVAL;
        }
        if (!S_ISREG(st.st_mode)) {
                conf_error(context, 0, "is not a regular file, expected a file with settings");
                return -EINVAL;
        }
        if (geteuid() == 0 && (st.st_mode & S_IWOTH)) {
                conf_error(context, 0, "is writable by everyone, expected mode 0644 or stricter as "
                           "root acts on it");
                return -EINVAL;
        }
        return TAKE_FD(fd);
}

/* Reads to the end: the size that fstat() tells may be out of date, or 0 under /proc. */
static int read_all(struct conf_context *context, int fd, char *text, size_t *ret_size) {
        size_t size = 0;
        ssize_t n;

        do {
                n = read(fd, text + size, FILE_SIZE_MAX + 1 - size);
                if (n < 0) {
                        conf_error(context, 0, "cannot be read: %s", strerror(errno));
                        return -EINVAL;
                }
                size += (size_t) n;
        } while (n > 0 && size <= FILE_SIZE_MAX);

        if (size > FILE_SIZE_MAX) {
                conf_error(context, 0, "is too large, expected at most %d KiB",
                           FILE_SIZE_MAX / 1024);
                return -EINVAL;
        }
        *ret_size = size;
        return 0;
}

static int read_text(struct conf_context *context, char **ret_text, size_t *ret_size) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -1;
        size_t size;
        int r;

        fd = open_file(context);
        if (fd < 0)
                return fd;
        text = malloc(FILE_SIZE_MAX + 2);
        if (!text)
                return -ENOMEM;
        r = read_all(context, fd, text, &size);
        if (r < 0)
                return r;

        /* libconfig does not recognise a comment on a last line that does not end. */
        text[size++] = '\n';
        text[size] = '\0';
        *ret_text = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

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

static void parse_text(struct conf_context *context, const char *text) {
        config_t config;

        config_init(&config);
        if (config_read_string(&config, text) == CONFIG_TRUE)
                (void) conf_parse_group(context, config_root_setting(&config), CONF_FILE,
                                        context->plan);
        else
                report_syntax(context, &config, text);
        config_destroy(&config);
}

int conf_load(const char *path, uint32_t actions, struct conf_diag *diag, struct plan **ret_plan) {
        _cleanup_(plan_freep) struct plan *plan = NULL;
        _cleanup_free_ char *text = NULL;
        struct conf_context context = {
                .path = path,
                .actions = actions | DAMOS_ACTION_BIT(DAMOS_STAT),
                .diag = diag,
        };
        size_t size;
        int r;

        plan = malloc(sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        *plan = default_plan;
        context.plan = plan;
        context.max_nr_accesses = damon_attrs_max_nr_accesses(&plan->attrs);

        r = read_text(&context, &text, &size);
        if (r < 0)
                return r;
        if (conf_prescan(&context, text, size))
                parse_text(&context, text);
        free(context.wide_lines);

        if (context.out_of_memory)
                return -ENOMEM;
        if (diag->nr > 0)
                return -EINVAL;
        *ret_plan = TAKE_PTR(plan);
        return 0;
}
