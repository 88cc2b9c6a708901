/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The grammar of libconfig, which for whatever breaks it knows two words only, "syntax error", and
 * often the line behind: here it is gone through beforehand, token by token, to say what is wrong,
 * where, and what was expected. Nothing is read here, so that what is right is read once, by
 * libconfig.
 */

#include <stdbool.h>
#include <stddef.h>

struct conf_context;

/** CONF_DEPTH_MAX - brackets that may be open at a time */
#define CONF_DEPTH_MAX 32

enum conf_token_kind {
        CONF_TOKEN_NAME,
        CONF_TOKEN_EQUALS,
        CONF_TOKEN_STRING,
        CONF_TOKEN_SCALAR,      /* a number, true or false */
        CONF_TOKEN_WORD,        /* nothing that libconfig knows */
        CONF_TOKEN_OPEN,
        CONF_TOKEN_CLOSE,
        CONF_TOKEN_SEPARATOR,   /* ";" or "," */
        CONF_TOKEN_END,         /* of the text */
};

/**
 * struct conf_token - a token
 * @kind:       what it is
 * @text:       @length characters in the text; borrowed
 * @length:     number of characters
 * @line:       line that it begins in
 */
struct conf_token {
        enum conf_token_kind kind;
        const char *text;
        size_t length;
        unsigned line;
};

/**
 * struct conf_bracket - an opening bracket that was not closed yet
 * @token:      the bracket
 * @name:       name of the setting whose value it begins or is in
 */
struct conf_bracket {
        struct conf_token token;
        struct conf_token name;
};

enum conf_syntax_state {
        CONF_SYNTAX_NAME,       /* a setting may begin */
        CONF_SYNTAX_EQUALS,     /* behind its name */
        CONF_SYNTAX_VALUE,      /* a value must follow, or may in a list that is empty so far */
        CONF_SYNTAX_AFTER,      /* behind a value */
};

/**
 * struct conf_syntax - a text that is being gone through; it begins with all but @context 0
 * @context:    receives messages
 * @state:      what may follow
 * @brackets:   @depth brackets that are open, the outermost first
 * @depth:      number of open brackets
 * @name:       name of the setting that was begun last
 * @last:       the token before
 * @bad:        libconfig must not see the text
 */
struct conf_syntax {
        struct conf_context *context;
        enum conf_syntax_state state;
        struct conf_bracket brackets[CONF_DEPTH_MAX];
        unsigned depth;
        struct conf_token name;
        struct conf_token last;
        bool bad;
};

/**
 * conf_syntax_token() - take the next token
 * @syntax:     where we are
 * @token:      the token
 *
 * Return: whether it makes sense to go on; if not, a message says why.
 */
bool conf_syntax_token(struct conf_syntax *syntax, const struct conf_token *token);
