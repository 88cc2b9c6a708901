/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-syntax.h. */

#include "conf-syntax.h"

#include <stdio.h>
#include <string.h>

#include "conf-context.h"

/* Characters of the text that a message quotes at most */
#define QUOTE_MAX 60

/* For "%.*s" */
#define QUOTE(token) (int) MIN((token)->length, (size_t) QUOTE_MAX), (token)->text

static char closing(char open) {
        return open == '{' ? '}' : open == '(' ? ')' : ']';
}

static const struct conf_bracket *innermost(const struct conf_syntax *syntax) {
        return syntax->depth > 0 ? &syntax->brackets[syntax->depth - 1] : NULL;
}

/* The bracket of the list or array that we are in, or NULL in a group. */
static const struct conf_bracket *in_list(const struct conf_syntax *syntax) {
        const struct conf_bracket *bracket = innermost(syntax);

        return bracket && *bracket->token.text != '{' ? bracket : NULL;
}

/* The setting that a value here belongs to. */
static const struct conf_token *label(const struct conf_syntax *syntax) {
        const struct conf_bracket *list = in_list(syntax);

        return list ? &list->name : &syntax->name;
}

/* What is odd on a line that has a message follows from that as a rule. Returns false. */
#define FAIL(syntax, where, ...)                                                \
        ({                                                                      \
                if (!conf_has_error((syntax)->context, (where)))                \
                        conf_error((syntax)->context, (where), __VA_ARGS__);    \
                (syntax)->bad = true;                                           \
                false;                                                          \
        })

static const char *describe(const struct conf_token *token, char text[static QUOTE_MAX + 3]) {
        switch (token->kind) {
        case CONF_TOKEN_STRING:
                return "a string";
        case CONF_TOKEN_NAME:
        case CONF_TOKEN_SCALAR:
        case CONF_TOKEN_WORD:
                (void) snprintf(text, QUOTE_MAX + 3, "%.*s", QUOTE(token));
                return text;
        default:
                (void) snprintf(text, QUOTE_MAX + 3, "\"%.*s\"", QUOTE(token));
                return text;
        }
}

static bool lacks_value(const struct conf_syntax *syntax) {
        return syntax->state == CONF_SYNTAX_EQUALS ||
                (syntax->state == CONF_SYNTAX_VALUE && !in_list(syntax));
}

static bool no_value(struct conf_syntax *syntax) {
        return FAIL(syntax, syntax->name.line, "'%.*s' has no value, expected %s",
                    QUOTE(&syntax->name), syntax->state == CONF_SYNTAX_EQUALS ?
                    "\"=\" and a value behind it" : "one behind \"=\"");
}

static bool bad_name(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *group = innermost(syntax);
        char what[QUOTE_MAX + 3];

        if (token->kind == CONF_TOKEN_OPEN && group)
                return FAIL(syntax, token->line, "%.*s: found \"%c\" in the group that begins in "
                            "line %u, expected settings, or a list around groups: %.*s = "
                            "( { ... }, { ... } )", QUOTE(&group->name), *token->text,
                            group->token.line, QUOTE(&group->name));
        if (token->kind == CONF_TOKEN_STRING)
                return FAIL(syntax, token->line, "found a string, expected the name of a setting, "
                            "without quotes");
        return FAIL(syntax, token->line, "found %s, expected the name of a setting%s",
                    describe(token, what), group ? ", or \"}\"" : "");
}

static bool bad_equals(struct conf_syntax *syntax, const struct conf_token *token) {
        char what[QUOTE_MAX + 3];

        if (token->line != syntax->name.line || token->kind == CONF_TOKEN_SEPARATOR)
                return no_value(syntax);
        return FAIL(syntax, token->line, "found %s behind '%.*s', expected \"=\" in between",
                    describe(token, what), QUOTE(&syntax->name));
}

/* Returns true, as one of these is in the place of a value: more may be said about what follows. */
static bool bad_word(struct conf_syntax *syntax, const struct conf_token *token) {
        static const char *const quotes[] = {
                "'", "`", "\u2018", "\u2019", "\u201a", "\u201c", "\u201d", "\u201e", "\u00ab",
                "\u00bb",
        };
        const char *expected = "true or false, a number, or a string in double quotes";

        for (size_t i = 0; i < ELEMENTSOF(quotes); i++)
                if (strncmp(token->text, quotes[i], strlen(quotes[i])) == 0)
                        expected = "a string in plain double quotes, such as \"db\"";
        conf_error(syntax->context, token->line, "%.*s: found %.*s, expected %s",
                   QUOTE(label(syntax)), QUOTE(token), expected);
        syntax->bad = true;
        syntax->state = CONF_SYNTAX_AFTER;
        return true;
}

static bool bad_value(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *list = in_list(syntax);
        char what[QUOTE_MAX + 3];

        if (!list && token->kind != CONF_TOKEN_EQUALS)
                return no_value(syntax);
        return FAIL(syntax, token->line, "%.*s: found %s, expected a value",
                    QUOTE(label(syntax)), describe(token, what));
}

/* A setting where a value of a list should be. */
static bool bad_setting(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *list = in_list(syntax);

        return FAIL(syntax, token->line, "%.*s: found the setting '%.*s' between \"%c\" of line %u "
                    "and \"%c\", expected \"{\" and \"}\" around settings", QUOTE(&list->name),
                    QUOTE(token), *list->token.text, list->token.line, closing(*list->token.text));
}

static bool bad_after(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *list = in_list(syntax);
        char what[QUOTE_MAX + 3];

        if (list)
                return FAIL(syntax, token->line, "%.*s: found %s, expected \",\" and another value, "
                            "or \"%c\" for the \"%c\" of line %u", QUOTE(&list->name),
                            describe(token, what), closing(*list->token.text), *list->token.text,
                            list->token.line);
        return FAIL(syntax, token->line, "found %s behind the value of '%.*s', expected \";\"",
                    describe(token, what), QUOTE(&syntax->name));
}

/* Arrays have neither groups nor lists in them. */
static bool bad_in_array(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *array = innermost(syntax);

        if (*token->text == '{')
                return FAIL(syntax, token->line, "%.*s: found \"{\" between \"[\" of line %u and "
                            "\"]\", expected a list around groups: %.*s = ( { ... }, { ... } )",
                            QUOTE(&array->name), array->token.line, QUOTE(&array->name));
        return FAIL(syntax, token->line, "%.*s: found \"%c\" between \"[\" of line %u and \"]\", "
                    "expected strings or numbers", QUOTE(&array->name), *token->text,
                    array->token.line);
}

static bool open_bracket(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *outer = innermost(syntax);

        if (outer && *outer->token.text == '[')
                return bad_in_array(syntax, token);
        if (syntax->depth == CONF_DEPTH_MAX)
                return FAIL(syntax, token->line, "more than %d brackets are open, expected less "
                            "nesting", CONF_DEPTH_MAX);
        syntax->brackets[syntax->depth] = (struct conf_bracket) { *token, *label(syntax) };
        syntax->depth++;
        syntax->state = *token->text == '{' ? CONF_SYNTAX_NAME : CONF_SYNTAX_VALUE;
        return true;
}

static bool close_bracket(struct conf_syntax *syntax, const struct conf_token *token) {
        const struct conf_bracket *bracket = innermost(syntax);

        if (!bracket)
                return FAIL(syntax, token->line, "\"%c\" closes nothing, expected an opening "
                            "bracket before it", *token->text);
        if (*token->text != closing(*bracket->token.text))
                return FAIL(syntax, token->line, "\"%c\" does not close the \"%c\" of line %u, "
                            "expected \"%c\" before it", *token->text, *bracket->token.text,
                            bracket->token.line, closing(*bracket->token.text));
        if (lacks_value(syntax))
                return no_value(syntax);
        if (in_list(syntax) && syntax->last.kind == CONF_TOKEN_SEPARATOR)
                return FAIL(syntax, syntax->last.line, "%.*s: one comma too many, expected none "
                            "between the last value and \"%c\"", QUOTE(&bracket->name),
                            *token->text);
        syntax->name = bracket->name;
        syntax->depth--;
        syntax->state = CONF_SYNTAX_AFTER;
        return true;
}

static bool end(struct conf_syntax *syntax) {
        const struct conf_bracket *bracket = innermost(syntax);

        if (lacks_value(syntax))
                return no_value(syntax);
        if (bracket)
                return FAIL(syntax, bracket->token.line, "the file ends before the \"%c\" of this "
                            "line is closed, expected \"%c\"", *bracket->token.text,
                            closing(*bracket->token.text));
        return true;
}

static bool take_name(struct conf_syntax *syntax, const struct conf_token *token) {
        if (token->kind != CONF_TOKEN_NAME)
                return bad_name(syntax, token);
        syntax->name = *token;
        syntax->state = CONF_SYNTAX_EQUALS;
        return true;
}

static bool take_value(struct conf_syntax *syntax, const struct conf_token *token) {
        switch (token->kind) {
        case CONF_TOKEN_OPEN:
                return open_bracket(syntax, token);
        case CONF_TOKEN_STRING:
        case CONF_TOKEN_SCALAR:
                syntax->state = CONF_SYNTAX_AFTER;
                return true;
        case CONF_TOKEN_NAME:
                return in_list(syntax) ? bad_setting(syntax, token) : no_value(syntax);
        case CONF_TOKEN_WORD:
                return bad_word(syntax, token);
        default:
                return bad_value(syntax, token);
        }
}

static bool take_after(struct conf_syntax *syntax, const struct conf_token *token) {
        bool list = in_list(syntax);

        /* Strings behind one another are one. */
        if (token->kind == CONF_TOKEN_STRING && syntax->last.kind == CONF_TOKEN_STRING)
                return true;
        if (token->kind == CONF_TOKEN_SEPARATOR && (!list || *token->text == ',')) {
                syntax->state = list ? CONF_SYNTAX_VALUE : CONF_SYNTAX_NAME;
                return true;
        }
        if (token->kind == CONF_TOKEN_NAME && !list)
                return take_name(syntax, token);
        return bad_after(syntax, token);
}

static bool take(struct conf_syntax *syntax, const struct conf_token *token) {
        if (token->kind == CONF_TOKEN_CLOSE)
                return close_bracket(syntax, token);
        if (token->kind == CONF_TOKEN_END)
                return end(syntax);

        switch (syntax->state) {
        case CONF_SYNTAX_NAME:
                return take_name(syntax, token);
        case CONF_SYNTAX_EQUALS:
                if (token->kind != CONF_TOKEN_EQUALS)
                        return bad_equals(syntax, token);
                syntax->state = CONF_SYNTAX_VALUE;
                return true;
        case CONF_SYNTAX_VALUE:
                return take_value(syntax, token);
        default:
                return take_after(syntax, token);
        }
}

bool conf_syntax_token(struct conf_syntax *syntax, const struct conf_token *token) {
        bool good = take(syntax, token);

        syntax->last = *token;
        return good;
}
