/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A look at the text before libconfig gets it. libconfig 1.5 wraps integers silently, cuts
 * strings at NUL bytes, ends the process on an @include of a directory, needs quadratic time
 * for many settings and runs out of stack on deep nesting. So tokens are told apart here as
 * its scanner does, and whatever it cannot be trusted with is turned down. Whether they make
 * sense together is for conf-syntax.c to say.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf-context.h"
#include "conf-syntax.h"

#define SETTINGS_MAX 10000

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define NAME_START "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*"
#define NAME NAME_START DIGITS "_-"

/**
 * struct scan - a place in the text
 * @context:            receives messages
 * @p:                  the place
 * @line:               its line
 * @syntax:             the grammar, and where in it this is
 * @bad:                libconfig must not see the text
 * @lost:               nor does it make sense to go on
 */
struct scan {
        struct conf_context *context;
        const char *p;
        unsigned line;
        struct conf_syntax syntax;
        bool bad;
        bool lost;
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

static bool is_hex_digit(char c) {
        return c != '\0' && strchr(HEX_DIGITS, c);
}

static void report_escape(struct conf_context *context, unsigned line, const char *p, char meant) {
        if (meant == '\0')
                conf_error(context, line, "\"%.4s\" in a string, expected text", p);
        else
                conf_error(context, line, "\"%.4s\" in a string means \"%c\", expected \"\\%.4s\" for "
                           "these four characters, or \"%s%c\" for that one", p, meant, p,
                           meant == '"' || meant == '\\' ? "\\" : "", meant);
}

/*
 * A backslash in a string. One that is none of libconfig's it takes as it stands, but newer
 * versions know more of them; and names of units have "\x2d" in them. Returns its length.
 */
static size_t check_escape(struct scan *scan) {
        const char *p = scan->p;
        unsigned code = 0;

        if (p[1] == '\n' || (p[1] != '\0' && strchr("\"\\nrtf", p[1])))
                return p[1] == '\n' ? 1 : 2;
        if (strncasecmp(p, "\\x", 2) == 0 && is_hex_digit(p[2]) && is_hex_digit(p[3])) {
                (void) sscanf(p + 2, "%2x", &code);
                if (code != 0 && (code < ' ' || code > '~'))
                        return 4;
                if (!conf_has_error(scan->context, scan->line))
                        report_escape(scan->context, scan->line, p, (char) code);
        } else if (!conf_has_error(scan->context, scan->line))
                conf_error(scan->context, scan->line, "a single backslash before \"%.*s\" in a "
                           "string, expected \"\\\\\" to mean a backslash",
                           (int) conf_utf8_length(p + 1, strlen(p + 1)), p + 1);
        scan->bad = true;
        return 1;
}

/* Nobody needs strings over several lines; one that is left open would swallow what follows. */
static size_t string_length(struct scan *scan) {
        const char *start = scan->p;
        size_t length;

        for (scan->p++; *scan->p != '"' && *scan->p != '\n';)
                scan->p += *scan->p == '\\' ? check_escape(scan) : 1;
        length = (size_t) (scan->p - start);
        if (*scan->p == '\n') {
                if (!conf_has_error(scan->context, scan->line))
                        conf_error(scan->context, scan->line, "the string that begins with %.*s "
                                   "does not end on this line, expected plain double quotes in "
                                   "pairs", (int) MIN(length, (size_t) 40), start);
                scan->lost = true;
        }
        scan->p = start;
        return length + 1;
}

static void skip_comment(struct scan *scan) {
        unsigned first = scan->line;

        for (scan->p += 2; strncmp(scan->p, "*/", 2) != 0; scan->p++) {
                if (*scan->p == '\0') {
                        conf_error(scan->context, first,
                                   "the comment that begins here does not end, expected \"*/\"");
                        scan->lost = true;
                        return;
                }
                if (*scan->p == '\n')
                        scan->line++;
        }
        scan->p += 2;
}

/* Only what is behind it on the line belongs to it. */
static void scan_include(struct scan *scan) {
        conf_error(scan->context, scan->line,
                   "@include is not supported, expected all settings in this file");
        scan->bad = true;
        scan->p += strcspn(scan->p, "\n");
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

/* Length of a number; 0 if there is none. */
static size_t number_length(const char *p) {
        const char *start = p;
        size_t nr;

        if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && is_hex_digit(p[2])) {
                p += 2 + strspn(p + 2, HEX_DIGITS);
                return (size_t) (p - start) + MIN(strspn(p, "L"), (size_t) 2);
        }
        if (*p == '+' || *p == '-')
                p++;
        nr = strspn(p, DIGITS);
        p += nr;
        if (*p == '.') {
                nr += strspn(p + 1, DIGITS);
                p += 1 + strspn(p + 1, DIGITS);
        } else if (nr > 0 && *p == 'L')
                return (size_t) (p - start) + MIN(strspn(p, "L"), (size_t) 2);
        if (nr == 0)
                return 0;
        if (*p == 'e' || *p == 'E') {
                size_t sign = p[1] == '+' || p[1] == '-';

                nr = strspn(p + 1 + sign, DIGITS);
                p += nr > 0 ? 1 + sign + nr : 0;
        }
        return (size_t) (p - start);
}

static void check_integer(struct scan *scan, const char *p, size_t length) {
        bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
        long long value;
        char *end;

        /* Saturates where it overflows, which is as far out of range. */
        value = strtoll(p, &end, hex ? 16 : 10);
        if (end + strspn(end, "L") != p + length || (value >= INT_MIN && value <= INT_MAX))
                return;
        conf_error(scan->context, scan->line, "integer %.*s is too large, expected at most %d",
                   (int) MIN(end - p, (ptrdiff_t) 40), p, INT_MAX);
        note_wide_line(scan->context, scan->line);
}

static const char *skip_blanks(const char *p) {
        return p + strspn(p, " \t\r");
}

/* Whether the name of a setting stands here, and what it takes to be that behind it. */
static bool begins_setting(const char *p) {
        size_t length = strspn(p, NAME);

        if (length == 0 || !strchr(NAME_START, *p))
                return false;
        p += length + strspn(p + length, " \t\r\n");
        return *p == '=' || *p == ':';
}

static bool begins_comment(const char *p) {
        return *p == '#' || (p[0] == '/' && (p[1] == '/' || p[1] == '*'));
}

/* Length of a number, true or false, if it is that up to its end and no word follows. */
static size_t scalar_length(const char *p) {
        size_t length = strspn(p, NAME);
        const char *next;

        if (!(length == 4 && strncasecmp(p, "true", 4) == 0) &&
            !(length == 5 && strncasecmp(p, "false", 5) == 0))
                length = number_length(p);
        if (length == 0)
                return 0;
        next = skip_blanks(p + length);
        if (strchr("\n;,{}()[]\"=:", *next) || begins_comment(next))
                return length;
        return next > p + length && begins_setting(next) ? length : 0;
}

/* Length of what stands in the place of a value, for a message: as much as may have been meant. */
static size_t word_length(const char *p) {
        const char *end = p + MAX(strcspn(p, "\n;,{}()[]\"#="), (size_t) 1);

        for (const char *q = p; q < end; q++)
                if (q > p && strchr(" \t", q[-1]) && (begins_comment(q) || begins_setting(q)))
                        end = q;
        while (end > p + 1 && strchr(" \t\r", end[-1]))
                end--;
        return (size_t) (end - p);
}

/* The token that begins here. */
static struct conf_token find_token(struct scan *scan) {
        struct conf_token token = { CONF_TOKEN_WORD, scan->p, 1, scan->line };
        bool value = scan->syntax.state == CONF_SYNTAX_VALUE;
        size_t scalar = scalar_length(scan->p);

        if (*scan->p == '"') {
                token.kind = CONF_TOKEN_STRING;
                token.length = string_length(scan);
        } else if (strchr("{([", *scan->p))
                token.kind = CONF_TOKEN_OPEN;
        else if (strchr("})]", *scan->p))
                token.kind = CONF_TOKEN_CLOSE;
        else if (strchr("=:", *scan->p))
                token.kind = CONF_TOKEN_EQUALS;
        else if (strchr(";,", *scan->p))
                token.kind = CONF_TOKEN_SEPARATOR;
        else if (scalar > 0) {
                token.kind = CONF_TOKEN_SCALAR;
                token.length = scalar;
        } else if (value ? begins_setting(scan->p) : strchr(NAME_START, *scan->p) != NULL) {
                token.kind = CONF_TOKEN_NAME;
                token.length = strspn(scan->p, NAME);
        } else
                token.length = word_length(scan->p);
        return token;
}

static void scan_token(struct scan *scan) {
        struct conf_token token = find_token(scan);

        if (scan->lost)
                return;
        if (token.kind == CONF_TOKEN_SCALAR)
                check_integer(scan, token.text, token.length);
        if (token.kind == CONF_TOKEN_EQUALS && ++scan->context->nr_settings == SETTINGS_MAX + 1) {
                conf_error(scan->context, scan->line, "more than %d settings, expected fewer",
                           SETTINGS_MAX);
                scan->bad = true;
        }
        scan->p += token.length;
        scan->lost = !conf_syntax_token(&scan->syntax, &token);
}

static void scan_next(struct scan *scan) {
        const char *p = scan->p;

        if (p[0] == '/' && p[1] == '*')
                skip_comment(scan);
        else if (begins_comment(p))
                scan->p += strcspn(p, "\n");
        else if (strncmp(p, "@include", 8) == 0)
                scan_include(scan);
        else if (strchr(" \t\r\f\n", *p)) {
                scan->line += *p == '\n';
                scan->p++;
        } else
                scan_token(scan);
}

bool conf_prescan(struct conf_context *context, const char *text, size_t size) {
        struct scan scan = {
                .context = context,
                .p = text,
                .line = 1,
                .syntax = { .context = context },
        };

        if (!check_bytes(context, text, size))
                return false;
        while (!scan.lost && *scan.p != '\0')
                scan_next(&scan);
        if (scan.lost)
                return false;
        return conf_syntax_token(&scan.syntax, &(struct conf_token) {
                CONF_TOKEN_END, scan.p, 0, scan.line }) && !scan.bad && !scan.syntax.bad;
}
