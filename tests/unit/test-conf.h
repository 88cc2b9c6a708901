/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What the tests of the configuration reader share: files that come and go, and plans and
 * messages that are what they should be.
 */

#include "test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "macro.h"

/* As on a kernel without huge pages. */
#define ACTIONS                                                                           \
        (DAMOS_ACTION_BIT(DAMOS_WILLNEED) | DAMOS_ACTION_BIT(DAMOS_COLD) |                \
         DAMOS_ACTION_BIT(DAMOS_PAGEOUT) | DAMOS_ACTION_BIT(DAMOS_STAT))

static const char *const no_directories[] = { NULL };

static char directory[] = "/tmp/test-conf-XXXXXX";

static inline int setup(void **state) {
        return mkdtemp(directory) ? 0 : -1;
}

static inline int teardown(void **state) {
        return rmdir(directory);
}

static inline int remove_file(const char *path, const struct stat *st, int type, struct FTW *at) {
        return at->level == 0 ? 0 : remove(path);
}

/* For tests that do not remove what they have written. */
static inline int clear(void **state) {
        return nftw(directory, remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

/* Returns the path of a file in the temporary directory; static, one of several in turn. */
static inline const char *temporary(const char *name) {
        static char paths[8][256];
        static unsigned next;
        char *path = paths[next++ % ELEMENTSOF(paths)];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
        return path;
}

static inline void write_file(const char *path, const char *data, size_t size) {
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_int_equal(fwrite(data, 1, size, f), size);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, 0644), 0);
}

/* Writes a file below the temporary directory, and makes the directory that it is in. */
static inline void put(const char *name, const char *text) {
        const char *slash = strchr(name, '/');
        char subdirectory[64];

        if (slash) {
                (void) snprintf(subdirectory, sizeof(subdirectory), "%.*s", (int) (slash - name),
                                name);
                if (mkdir(temporary(subdirectory), 0755) < 0)
                        assert_int_equal(errno, EEXIST);
        }
        write_file(temporary(name), text, strlen(text));
}

static inline char *read_file(const char *path) {
        FILE *f = fopen(path, "re"), *out;
        char *text = NULL;
        size_t size;
        int c;

        if (!f)
                fail_msg("%s: %s", path, strerror(errno));
        out = open_memstream(&text, &size);
        assert_non_null(out);
        while ((c = fgetc(f)) != EOF)
                fputc(c, out);
        fclose(f);
        fclose(out);
        return text;
}

static inline struct plan *load_with(const char *path, const char *const *directories, uint32_t actions) {
        struct conf_diag diag = {};
        struct plan *plan = NULL;
        int r;

        r = conf_load_from(path, directories, actions, &diag, &plan);
        if (diag.nr > 0)
                fail_msg("%s", diag.messages[0].text);
        ASSERT_OK(r);
        assert_non_null(plan);
        return plan;
}

static inline struct plan *load_from(const char *path, const char *const *directories) {
        return load_with(path, directories, ACTIONS);
}

static inline struct plan *load(const char *path) {
        return load_from(path, no_directories);
}

/* All messages, a line each, without the directory; the caller frees them. */
static inline char *load_bad_from(const char *path, const char *const *directories) {
        struct plan *untouched = (struct plan *) &directory, *plan = untouched;
        struct conf_diag diag = {};
        char *text = NULL;
        size_t size, skip = (size_t) (strrchr(path, '/') + 1 - path);
        FILE *out = open_memstream(&text, &size);

        assert_non_null(out);
        ASSERT_ERROR(conf_load_from(path, directories, ACTIONS, &diag, &plan), EINVAL);
        assert_ptr_equal(plan, untouched);
        assert_true(diag.nr > 0);
        for (size_t i = 0; i < diag.nr; i++) {
                assert_memory_equal(diag.messages[i].text, path, skip);
                assert_true(i == 0 || diag.messages[i].file > diag.messages[i - 1].file ||
                            (diag.messages[i].file == diag.messages[i - 1].file &&
                             diag.messages[i].line >= diag.messages[i - 1].line));
                fprintf(out, "%s\n", diag.messages[i].text + skip);
        }
        fclose(out);
        conf_diag_done(&diag);
        assert_int_equal(diag.nr, 0);
        return text;
}

static inline char *load_bad(const char *path) {
        return load_bad_from(path, no_directories);
}

/* The file is removed. */
static inline void check_bad(const char *path, const char *expected) {
        _cleanup_free_ char *messages = load_bad(path);

        assert_string_equal(messages, expected);
        assert_int_equal(remove(path), 0);
}

static inline void check_bad_text(const char *data, size_t size, const char *expected) {
        const char *path = temporary("bad.conf");

        write_file(path, data, size);
        check_bad(path, expected);
}

static inline void assert_plan_equal(const struct plan *a, const struct plan *b) {
        assert_int_equal(a->attrs.sample_interval, b->attrs.sample_interval);
        assert_int_equal(a->attrs.aggregation_interval, b->attrs.aggregation_interval);
        assert_int_equal(a->attrs.update_interval, b->attrs.update_interval);
        assert_int_equal(a->attrs.min_regions, b->attrs.min_regions);
        assert_int_equal(a->attrs.max_regions, b->attrs.max_regions);
        assert_int_equal(a->cpu_budget, b->cpu_budget);
        assert_int_equal(a->statistics_interval, b->statistics_interval);
        assert_int_equal(a->record_size, b->record_size);
        assert_int_equal(a->allow_injection, b->allow_injection);
        assert_int_equal(!a->record, !b->record);
        if (a->record)
                assert_string_equal(a->record, b->record);
        assert_int_equal(a->nr_targets, b->nr_targets);
        for (size_t i = 0; i < a->nr_targets; i++)
                assert_true(plan_target_equal(&a->targets[i], &b->targets[i]));
        assert_int_equal(a->nr_schemes, b->nr_schemes);
        for (size_t i = 0; i < a->nr_schemes; i++)
                if (!damos_same_rule(&a->schemes[i], &b->schemes[i]))
                        fail_msg("scheme \"%s\" differs", a->schemes[i].name);
}

static inline void check_dump(const struct plan *plan) {
        const char *path = temporary("dump.conf");
        struct plan *again;
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        ASSERT_OK(plan_dump(plan, f));
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, 0644), 0);
        again = load(path);
        assert_plan_equal(plan, again);
        plan_free(again);
        assert_int_equal(unlink(path), 0);
}
