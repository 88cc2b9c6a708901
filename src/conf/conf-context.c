/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-context.h. */

#include "conf-context.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Words that differ in more letters than this are not taken for each other. */
#define DISTANCE_MAX 2
/* Longer than every key and every name; bounds the work for hostile input. */
#define WORD_MAX 64

void conf_diag_done(struct conf_diag *diag) {
        for (size_t i = 0; i < diag->nr; i++)
                free(diag->messages[i].text);
        free(diag->messages);
        *diag = (struct conf_diag) {};
}

size_t conf_utf8_length(const char *s, size_t size) {
        static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        unsigned char lead = (unsigned char) s[0];
        size_t length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3
                : lead < 0xf8 ? 4 : 0;
        uint32_t code;

        if (length < 2)
                return length;
        if (length > size)
                return 0;

        code = lead & (0x7fu >> length);
        for (size_t i = 1; i < length; i++) {
                if (((unsigned char) s[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | ((unsigned char) s[i] & 0x3f);
        }
        /* Neither overlong, nor a surrogate, nor behind the last code point. */
        if (code < lowest[length] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
                return 0;
        return length;
}

void conf_make_printable(char *text) {
        size_t left = strlen(text);

        while (left > 0) {
                size_t length = conf_utf8_length(text, left);

                if (length == 0 || (length == 1 && ((unsigned char) *text < ' ' || *text == 0x7f)))
                        *text = '?';
                length = MAX(length, (size_t) 1);
                text += length;
                left -= length;
        }
}

/* Takes the text, also on failure. */
static int add_message(struct conf_diag *diag, const struct conf_message *message) {
        struct conf_message *messages;
        size_t at = diag->nr;

        messages = reallocarray(diag->messages, diag->nr + 1, sizeof(*messages));
        if (!messages) {
                free(message->text);
                return -ENOMEM;
        }
        diag->messages = messages;

        while (at > 0 && (messages[at - 1].file > message->file ||
                          (messages[at - 1].file == message->file &&
                           messages[at - 1].line > message->line)))
                at--;
        memmove(messages + at + 1, messages + at, (diag->nr - at) * sizeof(*messages));
        messages[at] = *message;
        diag->nr++;
        return 0;
}

_printf_(4, 0)
static void add_error(struct conf_context *context, const struct conf_file *file, unsigned line,
                      const char *format, va_list arguments) {
        struct conf_message message = { .file = (size_t) (file - context->files), .line = line };
        _cleanup_free_ char *what = NULL;
        int r;

        if (vasprintf(&what, format, arguments) < 0) {
                what = NULL;
                context->out_of_memory = true;
                return;
        }

        r = line > 0 ? asprintf(&message.text, "%s:%u: %s", file->path, line, what)
                : asprintf(&message.text, "%s: %s", file->path, what);
        if (r < 0) {
                context->out_of_memory = true;
                return;
        }
        /* It quotes files, which must not forge further lines in a terminal or a log. */
        conf_make_printable(message.text);
        if (add_message(context->diag, &message) < 0)
                context->out_of_memory = true;
}

void conf_error(struct conf_context *context, unsigned line, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        add_error(context, context->file, line, format, arguments);
        va_end(arguments);
}

void conf_error_at(struct conf_context *context, const config_setting_t *setting,
                   const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        add_error(context, conf_file_of(setting), config_setting_source_line(setting), format,
                  arguments);
        va_end(arguments);
}

bool conf_has_error(const struct conf_context *context, unsigned line) {
        const struct conf_diag *diag = context->diag;

        for (size_t i = 0; i < diag->nr; i++)
                if (diag->messages[i].file == (size_t) (context->file - context->files) &&
                    diag->messages[i].line == line)
                        return true;
        return false;
}

const struct conf_file *conf_file_of(const config_setting_t *setting) {
        return (const struct conf_file *) (const void *)
                ((const char *) setting->config - offsetof(struct conf_file, config));
}

char *conf_copy(struct conf_context *context, const char *text) {
        char *copy = strdup(text);

        if (!copy)
                context->out_of_memory = true;
        return copy;
}

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

static bool same(char a, char b) {
        return lower(a) == lower(b);
}

/* Letters to insert, delete or replace, or to swap with the next one; case aside. */
static size_t edit_distance(const char *a, size_t nr_a, const char *b, size_t nr_b) {
        size_t rows[3][WORD_MAX + 1];

        for (size_t i = 0; i <= nr_a; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= nr_b; j++) {
                        if (i == 0) {
                                row[j] = j;
                                continue;
                        }
                        row[j] = MIN(above[j - 1] + !same(a[i - 1], b[j - 1]),
                                     MIN(above[j], row[j - 1]) + 1);
                        if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                                row[j] = MIN(row[j], before[j - 2] + 1);
                }
        }
        return rows[nr_a % 3][nr_b];
}

void conf_words_consider(struct conf_words *words, const char *known) {
        size_t nr = strlen(words->word), nr_known = strlen(known), used = strlen(words->list);
        size_t distance;

        (void) snprintf(words->list + used, sizeof(words->list) - used, "%s%s",
                        used > 0 ? ", " : "", known);
        if (nr > WORD_MAX || nr_known > WORD_MAX)
                return;

        /* Of a short word more than half would be wrong. */
        distance = edit_distance(words->word, nr, known, nr_known);
        if (distance > DISTANCE_MAX || distance * 2 > nr_known)
                return;
        if (!words->best || distance < words->distance) {
                words->best = known;
                words->distance = distance;
        }
}
