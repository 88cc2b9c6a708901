/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Quantities as people write them: "128M", "2 MiB", "5ms", "1m 30s", "0.5%". Parsing is
 * generous in spelling and strict in meaning; nothing overflows silently.
 */

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_SEC UINT64_C(1000000000)

/** UNIT_STRING_MAX - bytes that hold any formatted quantity, with its NUL */
#define UNIT_STRING_MAX 32

/**
 * unit_parse_size() - parse a number of bytes
 * @s:          digits, perhaps with a fraction, and a unit: B, K, M, G, T or P, each perhaps
 *              followed by "B" or "iB", in any case; all are powers of 1024. A space may stand
 *              before the unit. Only "0" needs no unit.
 * @ret_bytes:  set to the bytes; a fraction of a byte is cut off
 *
 * Return: 0, -EINVAL if @s is not of that form, -ERANGE if it is 2^64 or more.
 */
int unit_parse_size(const char *s, uint64_t *ret_bytes);

/**
 * unit_parse_time() - parse a duration
 * @s:          one or more of a number, perhaps with a fraction, and a unit: us, ms, s, m
 *              (or min), h, d; a space may stand before each unit and between the parts. Only
 *              "0" needs no unit.
 * @ret_usec:   set to the microseconds; a fraction of one is cut off
 *
 * Return: 0, -EINVAL, -ERANGE.
 */
int unit_parse_time(const char *s, uint64_t *ret_usec);

/**
 * unit_parse_percent() - parse a share
 * @s:          number, perhaps with a fraction of up to two digits, and "%"
 * @ret_bp:     set to the share in basis points, 1/10000
 *
 * Return: 0, -EINVAL, -ERANGE if it is 2^32 basis points or more.
 */
int unit_parse_percent(const char *s, uint32_t *ret_bp);

/**
 * unit_format_size() - write a number of bytes exactly, in the largest unit without a rest
 * @buf:        %UNIT_STRING_MAX bytes
 * @bytes:      number of bytes
 *
 * What this writes, unit_parse_size() reads back as the same number.
 *
 * Return: @buf.
 */
char *unit_format_size(char buf[static UNIT_STRING_MAX], uint64_t bytes);

/**
 * unit_format_size_short() - write a number of bytes for people: three digits or so
 * @buf:        %UNIT_STRING_MAX bytes
 * @bytes:      number of bytes
 *
 * Return: @buf.
 */
char *unit_format_size_short(char buf[static UNIT_STRING_MAX], uint64_t bytes);

/**
 * unit_format_time() - write a duration exactly, in the largest unit without a rest
 * @buf:        %UNIT_STRING_MAX bytes
 * @usec:       microseconds
 *
 * What this writes, unit_parse_time() reads back as the same number.
 *
 * Return: @buf.
 */
char *unit_format_time(char buf[static UNIT_STRING_MAX], uint64_t usec);

/**
 * unit_format_percent() - write a share, with as many decimals as it needs
 * @buf:        %UNIT_STRING_MAX bytes
 * @bp:         basis points
 *
 * Return: @buf.
 */
char *unit_format_percent(char buf[static UNIT_STRING_MAX], uint32_t bp);
