/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See unit.h. Decimals are read by hand: strtod() depends on the locale, and no floating
 * point number holds every uint64_t.
 */

#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "macro.h"

/* A fraction is kept in units of 10^-18; finer digits are below any unit's resolution. */
#define FRACTION_DIGITS 18
#define FRACTION_ONE UINT64_C(1000000000000000000)

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef unsigned __int128 wide;

/* The lowest number that is too large; numbers and sums stop there instead of wrapping. */
#define WIDE_LIMIT ((wide) UINT64_MAX + 1)

struct number {
        wide whole;
        uint64_t fraction;
        size_t nr_decimals;
};

struct unit {
        const char *name;
        uint64_t factor;
};

static const struct unit size_units[] = {
        { "B", 1 },
        { "K", UINT64_C(1) << 10 },
        { "M", UINT64_C(1) << 20 },
        { "G", UINT64_C(1) << 30 },
        { "T", UINT64_C(1) << 40 },
        { "P", UINT64_C(1) << 50 },
};

static const struct unit time_units[] = {
        { "us", 1 },
        { "ms", USEC_PER_MSEC },
        { "s", USEC_PER_SEC },
        { "m", 60 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC },
        { "d", 86400 * USEC_PER_SEC },
        { "min", 60 * USEC_PER_SEC },
};

/* Those that are written; "min" is only read. */
#define NR_FORMAT_TIME_UNITS (ELEMENTSOF(time_units) - 1)

/* Returns what follows the number, or NULL if there is none. */
static const char *parse_number(const char *s, struct number *ret) {
        size_t nr_digits = strspn(s, DIGITS);
        struct number number = {};

        if (nr_digits == 0)
                return NULL;
        for (; nr_digits > 0; nr_digits--, s++)
                number.whole = MIN(number.whole * 10 + (wide) (*s - '0'), WIDE_LIMIT);

        if (*s == '.') {
                s++;
                number.nr_decimals = strspn(s, DIGITS);
                if (number.nr_decimals == 0)
                        return NULL;
                for (size_t i = 0; i < FRACTION_DIGITS; i++)
                        number.fraction = number.fraction * 10 +
                                (i < number.nr_decimals ? (uint64_t) (s[i] - '0') : 0);
                s += number.nr_decimals;
        }

        *ret = number;
        return s;
}

static wide scale(const struct number *number, uint64_t factor) {
        return number->whole * factor + (wide) number->fraction * factor / FRACTION_ONE;
}

static int narrow(wide value, uint64_t *ret) {
        if (value > UINT64_MAX)
                return -ERANGE;
        *ret = (uint64_t) value;
        return 0;
}

static const struct unit *find_size_unit(const char *s) {
        bool infix = *s != '\0' && (s[1] == 'i' || s[1] == 'I');
        const char *end = *s != '\0' ? s + 1 + infix : s;
        bool suffix = *end == 'B' || *end == 'b';

        for (size_t i = 0; i < ELEMENTSOF(size_units); i++)
                if (strncasecmp(s, size_units[i].name, 1) == 0)
                        return s[1] == '\0' || (i > 0 && suffix && end[1] == '\0') ?
                                &size_units[i] : NULL;
        return NULL;
}

int unit_parse_size(const char *s, uint64_t *ret_bytes) {
        const struct unit *unit;
        struct number number;

        if (strcmp(s, "0") == 0) {
                *ret_bytes = 0;
                return 0;
        }

        s = parse_number(s, &number);
        if (!s)
                return -EINVAL;
        unit = find_size_unit(s + strspn(s, " "));
        if (!unit)
                return -EINVAL;

        return narrow(scale(&number, unit->factor), ret_bytes);
}

static const struct unit *find_time_unit(const char *s, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                if (strlen(time_units[i].name) == length &&
                    strncmp(s, time_units[i].name, length) == 0)
                        return &time_units[i];
        return NULL;
}

int unit_parse_time(const char *s, uint64_t *ret_usec) {
        wide sum = 0;

        if (strcmp(s, "0") == 0) {
                *ret_usec = 0;
                return 0;
        }

        while (true) {
                const struct unit *unit;
                struct number number;
                size_t length;

                s = parse_number(s, &number);
                if (!s)
                        return -EINVAL;
                s += strspn(s, " ");
                length = strspn(s, LETTERS);
                unit = find_time_unit(s, length);
                if (!unit)
                        return -EINVAL;
                sum = MIN(sum + scale(&number, unit->factor), WIDE_LIMIT);
                s += length;
                if (*s == '\0')
                        break;
                s += strspn(s, " ");
        }

        return narrow(sum, ret_usec);
}

int unit_parse_percent(const char *s, uint32_t *ret_bp) {
        struct number number;
        wide bp;

        s = parse_number(s, &number);
        if (!s || number.nr_decimals > 2 || strcmp(s + strspn(s, " "), "%") != 0)
                return -EINVAL;

        bp = scale(&number, 100);
        if (bp > UINT32_MAX)
                return -ERANGE;
        *ret_bp = (uint32_t) bp;
        return 0;
}

/* Largest first: 0 is a multiple of each, and is written in the smallest. */
static char *format_exactly(char *buf, uint64_t value, const struct unit *units, size_t nr) {
        size_t i = nr - 1;

        while (i > 0 && (value == 0 || value % units[i].factor != 0))
                i--;
        (void) snprintf(buf, UNIT_STRING_MAX, "%" PRIu64 "%s", value / units[i].factor,
                        units[i].name);
        return buf;
}

char *unit_format_size(char buf[static UNIT_STRING_MAX], uint64_t bytes) {
        return format_exactly(buf, bytes, size_units, ELEMENTSOF(size_units));
}

char *unit_format_time(char buf[static UNIT_STRING_MAX], uint64_t usec) {
        return format_exactly(buf, usec, time_units, NR_FORMAT_TIME_UNITS);
}

/* Writes hundredths without superfluous decimals. */
static void format_hundredths(char *buf, uint64_t hundredths, const char *unit) {
        unsigned rest = (unsigned) (hundredths % 100);
        uint64_t whole = hundredths / 100;

        if (rest == 0)
                (void) snprintf(buf, UNIT_STRING_MAX, "%" PRIu64 "%s", whole, unit);
        else if (rest % 10 == 0)
                (void) snprintf(buf, UNIT_STRING_MAX, "%" PRIu64 ".%u%s", whole, rest / 10, unit);
        else
                (void) snprintf(buf, UNIT_STRING_MAX, "%" PRIu64 ".%02u%s", whole, rest, unit);
}

char *unit_format_size_short(char buf[static UNIT_STRING_MAX], uint64_t bytes) {
        uint64_t hundredths, step;
        size_t i = ELEMENTSOF(size_units) - 1;

        while (i > 0 && bytes < size_units[i].factor)
                i--;
        step = bytes / size_units[i].factor >= 100 ? 100
                : bytes / size_units[i].factor >= 10 ? 10 : 1;
        hundredths = (uint64_t) (((wide) bytes * 100 / step + size_units[i].factor / 2) /
                                 size_units[i].factor * step);
        if (hundredths >= 102400 && i < ELEMENTSOF(size_units) - 1) {
                /* Rounding up has reached the next unit. */
                hundredths = 100;
                i++;
        }

        format_hundredths(buf, hundredths, size_units[i].name);
        return buf;
}

char *unit_format_percent(char buf[static UNIT_STRING_MAX], uint32_t bp) {
        format_hundredths(buf, bp, "%");
        return buf;
}
