/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A look at the text before libconfig gets it. libconfig 1.5 wraps integers silently, cuts
 * strings at NUL bytes, ends the process on an @include of a directory, needs quadratic time
 * for many settings and runs out of stack on deep nesting. So tokens are told apart here as
 * its scanner does, and whatever it cannot be trusted with is turned down.
 */

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "conf-context.h"

#define DEPTH_MAX 32
#define SETTINGS_MAX 10000

#define DIGITS "0123456789"
#define NAME_START "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*"
#define NAME NAME_START DIGITS "_-"

/**
 * struct scan - a place in the text
 * @context:            receives messages
 * @p:                  the place
 * @line:               its line
 * @depth:              how many brackets are open
 * @bad:                libconfig must not see the text
 */
struct scan {
        struct conf_context *context;
        const char *p;
        unsigned line;
        unsigned depth;
        bool bad;
};

static bool check_bytes(struct conf_context *context, const char *text, size_t size) {
        unsigned line = 1;
        size_t length;

        if (strncmp(text, "\xef\xbb\xbf", 3) == 0) {
                conf_error(context, 1, "begins with a byte order mark, "
                           "expected plain UTF-8 without one");
                return false;
        }

        for (size_t i = 0; i < size; i += length) {
                length = conf_utf8_length(text + i, size - i);
                if (length == 0 || text[i] == '\0') {
                        conf_error(context, line, "%s, expected a text file in UTF-8",
                                   length == 0 ? "byte that is not valid UTF-8" : "NUL byte");
                        return false;
                }
                if (text[i] == '\n')
                        line++;
        }
        return true;
}

static void skip_string(struct scan *scan) {
        unsigned first = scan->line;

        for (scan->p++; *scan->p != '"'; scan->p++) {
                if (*scan->p == '\0') {
                        conf_error(scan->context, first, "no quote ends the string that begins "
                                   "here, expected one on this line or on one before");
                        scan->bad = true;
                        return;
                }
                if (strncasecmp(scan->p, "\\x00", 4) == 0) {
                        conf_error(scan->context, scan->line,
                                   "\"\\x00\" in a string, expected text");
                        scan->bad = true;
                }
                if (*scan->p == '\n')
                        scan->line++;
                else if (*scan->p == '\\' && (scan->p[1] == '"' || scan->p[1] == '\\'))
                        scan->p++;
        }
        scan->p++;
}

static void skip_comment(struct scan *scan) {
        unsigned first = scan->line;

        for (scan->p += 2; strncmp(scan->p, "*/", 2) != 0; scan->p++) {
                if (*scan->p == '\0') {
                        conf_error(scan->context, first,
                                   "the comment that begins here does not end, expected \"*/\"");
                        scan->bad = true;
                        return;
                }
                if (*scan->p == '\n')
                        scan->line++;
        }
        scan->p += 2;
}

static void scan_include(struct scan *scan) {
        if (strncmp(scan->p, "@include", 8) == 0) {
                conf_error(scan->context, scan->line,
                           "@include is not supported, expected all settings in this file");
                scan->bad = true;
        }
        scan->p++;
}

static void note_wide_line(struct conf_context *context, unsigned line) {
        struct conf_file *file = context->file;
        unsigned *lines = reallocarray(file->wide_lines, file->nr_wide_lines + 1, sizeof(*lines));

        if (!lines) {
                context->out_of_memory = true;
                return;
        }
        file->wide_lines = lines;
        file->wide_lines[file->nr_wide_lines++] = line;
}

static void scan_number(struct scan *scan) {
        const char *digits = scan->p + strspn(scan->p, "+-");
        bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
        long long value;
        char *end;

        /* Saturates where it overflows, which is as far out of range. */
        value = strtoll(scan->p, &end, hex ? 16 : 10);
        if (*end == '.' || *end == 'e' || *end == 'E') {
                scan->p = end + strspn(end, DIGITS ".eE+-");
                return;
        }
        if (value < INT_MIN || value > INT_MAX) {
                conf_error(scan->context, scan->line,
                           "integer %.*s is too large, expected at most %d",
                           (int) MIN(end - scan->p, (ptrdiff_t) 40), scan->p, INT_MAX);
                note_wide_line(scan->context, scan->line);
        }
        scan->p = end;
}

static void open_bracket(struct scan *scan) {
        if (++scan->depth == DEPTH_MAX + 1) {
                conf_error(scan->context, scan->line,
                           "more than %d brackets are open, expected less nesting", DEPTH_MAX);
                scan->bad = true;
        }
        scan->p++;
}

static void count_setting(struct scan *scan) {
        if (++scan->context->nr_settings == SETTINGS_MAX + 1) {
                conf_error(scan->context, scan->line, "more than %d settings, expected fewer",
                           SETTINGS_MAX);
                scan->bad = true;
        }
        scan->p++;
}

static bool begins_number(const char *p) {
        if (*p == '+' || *p == '-')
                p++;
        return *p >= '0' && *p <= '9';
}

static void scan_token(struct scan *scan) {
        const char *p = scan->p;

        if (*p == '"')
                skip_string(scan);
        else if (p[0] == '/' && p[1] == '*')
                skip_comment(scan);
        else if (*p == '#' || (p[0] == '/' && p[1] == '/'))
                scan->p += strcspn(p, "\n");
        else if (*p == '@')
                scan_include(scan);
        else if (strchr("{([", *p))
                open_bracket(scan);
        else if (strchr("=:", *p))
                count_setting(scan);
        else if (strchr(NAME_START, *p))
                scan->p += strspn(p, NAME);
        else if (*p == '.')
                scan->p += strspn(p, DIGITS ".eE+-");
        else if (begins_number(p))
                scan_number(scan);
        else {
                if (*p == '\n')
                        scan->line++;
                else if (strchr("})]", *p) && scan->depth > 0)
                        scan->depth--;
                scan->p++;
        }
}

bool conf_prescan(struct conf_context *context, const char *text, size_t size) {
        struct scan scan = { .context = context, .p = text, .line = 1 };

        if (!check_bytes(context, text, size))
                return false;
        while (*scan.p != '\0')
                scan_token(&scan);
        return !scan.bad;
}
