/* SPDX-License-Identifier: GPL-2.0-only */
/* Quantities: what is read, what is turned down, and that what is written reads back. */

#include "test.h"

#include <inttypes.h>

#include "macro.h"
#include "rng.h"
#include "unit.h"

#define NR_RANDOM 20000
#define UNTOUCHED UINT64_C(0x5a5a5a5a)

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define PIB (UINT64_C(1) << 50)

struct parse_case {
        const char *text;
        int r;
        uint64_t value;
};

static void check_parse(int (*parse)(const char *, uint64_t *), const struct parse_case *cases,
                        size_t nr) {
        for (size_t i = 0; i < nr; i++) {
                uint64_t value = UNTOUCHED, expected = cases[i].r < 0 ? UNTOUCHED : cases[i].value;
                int r = parse(cases[i].text, &value);

                if (r != cases[i].r || value != expected)
                        fail_msg("\"%s\": got %d, %" PRIu64 ", want %d, %" PRIu64, cases[i].text, r,
                                 value, cases[i].r, expected);
        }
}

static void test_parse_size(void **state) {
        static const struct parse_case cases[] = {
                { "0", 0, 0 },
                { "0B", 0, 0 },
                { "1B", 0, 1 },
                { "4K", 0, 4 * KIB },
                { "4k", 0, 4 * KIB },
                { "4KB", 0, 4 * KIB },
                { "4KiB", 0, 4 * KIB },
                { "4kib", 0, 4 * KIB },
                { "2 MiB", 0, 2 * MIB },
                { "2  M", 0, 2 * MIB },
                { "128M", 0, 128 * MIB },
                { "3G", 0, 3 * GIB },
                { "5T", 0, 5 * TIB },
                { "7P", 0, 7 * PIB },
                { "1.5M", 0, 3 * MIB / 2 },
                { "0.5K", 0, 512 },
                { "0.9B", 0, 0 },
                { "0.001K", 0, 1 },
                { "0.0000000000000000000000001P", 0, 0 },
                { "1.000000000000000000000000000K", 0, KIB },
                { "007K", 0, 7 * KIB },
                { "18446744073709551615B", 0, UINT64_MAX },
                { "18446744073709551616B", -ERANGE, 0 },
                { "18446744073709551615.9B", 0, UINT64_MAX },
                { "16383.9999P", 0, UINT64_C(18446743961119560931) },
                { "16384P", -ERANGE, 0 },
                { "18014398509481983K", 0, UINT64_MAX - 1023 },
                { "18014398509481984K", -ERANGE, 0 },
                { "99999999999999999999999999999999999999999999999P", -ERANGE, 0 },
                { "", -EINVAL, 0 },
                { "K", -EINVAL, 0 },
                { "1", -EINVAL, 0 },
                { "00", -EINVAL, 0 },
                { "0.0", -EINVAL, 0 },
                { "-1K", -EINVAL, 0 },
                { "+1K", -EINVAL, 0 },
                { "0x10K", -EINVAL, 0 },
                { "1e3K", -EINVAL, 0 },
                { "1,5K", -EINVAL, 0 },
                { "1.K", -EINVAL, 0 },
                { ".5K", -EINVAL, 0 },
                { "1.2.3K", -EINVAL, 0 },
                { "1KK", -EINVAL, 0 },
                { "1Ki", -EINVAL, 0 },
                { "1BB", -EINVAL, 0 },
                { "1BiB", -EINVAL, 0 },
                { "1E", -EINVAL, 0 },
                { "1K ", -EINVAL, 0 },
                { " 1K", -EINVAL, 0 },
                { "1 ", -EINVAL, 0 },
                { "1\tK", -EINVAL, 0 },
                { "1K 1K", -EINVAL, 0 },
                { "max", -EINVAL, 0 },
        };

        check_parse(unit_parse_size, cases, ELEMENTSOF(cases));
}

static void test_parse_time(void **state) {
        static const struct parse_case cases[] = {
                { "0", 0, 0 },
                { "0s", 0, 0 },
                { "1us", 0, 1 },
                { "5ms", 0, 5 * USEC_PER_MSEC },
                { "5 ms", 0, 5 * USEC_PER_MSEC },
                { "1s", 0, USEC_PER_SEC },
                { "2m", 0, 120 * USEC_PER_SEC },
                { "2min", 0, 120 * USEC_PER_SEC },
                { "3h", 0, 10800 * USEC_PER_SEC },
                { "1d", 0, 86400 * USEC_PER_SEC },
                { "1m 30s", 0, 90 * USEC_PER_SEC },
                { "1m30s", 0, 90 * USEC_PER_SEC },
                { "1 m 30 s", 0, 90 * USEC_PER_SEC },
                { "1.5s", 0, 1500 * USEC_PER_MSEC },
                { "0.5us", 0, 0 },
                { "0.0000015s", 0, 1 },
                { "18446744073709551615us", 0, UINT64_MAX },
                { "18446744073709551616us", -ERANGE, 0 },
                { "18446744073709551615us 1us", -ERANGE, 0 },
                { "213503982d", 0, UINT64_C(213503982) * 86400 * USEC_PER_SEC },
                { "213503983d", -ERANGE, 0 },
                { "213503982d 213503982d 213503982d", -ERANGE, 0 },
                { "99999999999999999999999999999d", -ERANGE, 0 },
                { "99999999999999999999999999999d x", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "5", -EINVAL, 0 },
                { "ms", -EINVAL, 0 },
                { "5 parsecs", -EINVAL, 0 },
                { "5MS", -EINVAL, 0 },
                { "5M", -EINVAL, 0 },
                { "-5ms", -EINVAL, 0 },
                { "5ms ", -EINVAL, 0 },
                { " 5ms", -EINVAL, 0 },
                { "5ms,1s", -EINVAL, 0 },
                { "5m s", -EINVAL, 0 },
                { "5ms5", -EINVAL, 0 },
                { "5.ms", -EINVAL, 0 },
                { "5ns", -EINVAL, 0 },
                { "off", -EINVAL, 0 },
        };

        check_parse(unit_parse_time, cases, ELEMENTSOF(cases));
}

static int parse_percent(const char *text, uint64_t *ret) {
        uint32_t bp = (uint32_t) UNTOUCHED;
        int r = unit_parse_percent(text, &bp);

        *ret = bp;
        return r;
}

static void test_parse_percent(void **state) {
        static const struct parse_case cases[] = {
                { "0%", 0, 0 },
                { "1%", 0, 100 },
                { "0.5%", 0, 50 },
                { "0.05%", 0, 5 },
                { "12.34%", 0, 1234 },
                { "100%", 0, 10000 },
                { "100 %", 0, 10000 },
                { "150%", 0, 15000 },
                { "42949672.95%", 0, UINT32_MAX },
                { "42949672.96%", -ERANGE, 0 },
                { "99999999999999999999999999%", -ERANGE, 0 },
                { "", -EINVAL, 0 },
                { "%", -EINVAL, 0 },
                { "0", -EINVAL, 0 },
                { "1", -EINVAL, 0 },
                { "1.%", -EINVAL, 0 },
                { ".5%", -EINVAL, 0 },
                { "0.001%", -EINVAL, 0 },
                { "0.500%", -EINVAL, 0 },
                { "-1%", -EINVAL, 0 },
                { "1%%", -EINVAL, 0 },
                { "1% ", -EINVAL, 0 },
        };

        check_parse(parse_percent, cases, ELEMENTSOF(cases));
}

struct format_case {
        uint64_t value;
        const char *text;
};

static void check_format(char *(*format)(char[static UNIT_STRING_MAX], uint64_t),
                         const struct format_case *cases, size_t nr) {
        for (size_t i = 0; i < nr; i++) {
                char buf[UNIT_STRING_MAX];

                assert_ptr_equal(format(buf, cases[i].value), buf);
                assert_string_equal(buf, cases[i].text);
        }
}

static void test_format_size(void **state) {
        static const struct format_case cases[] = {
                { 0, "0B" },
                { 1, "1B" },
                { 1023, "1023B" },
                { 1024, "1K" },
                { 1025, "1025B" },
                { 3 * MIB / 2, "1536K" },
                { 2 * MIB, "2M" },
                { GIB, "1G" },
                { TIB, "1T" },
                { 2048 * PIB, "2048P" },
                { UINT64_MAX, "18446744073709551615B" },
        };

        check_format(unit_format_size, cases, ELEMENTSOF(cases));
}

static void test_format_size_short(void **state) {
        static const struct format_case cases[] = {
                { 0, "0B" },
                { 1, "1B" },
                { 1023, "1023B" },
                { 1024, "1K" },
                { 1536, "1.5K" },
                { 1300, "1.27K" },
                { 10 * KIB + 100, "10.1K" },
                { 999 * KIB + 100, "999K" },
                { 10239, "10K" },
                { MIB - 1, "1M" },
                { MIB, "1M" },
                { 1234567890, "1.15G" },
                { 5 * TIB, "5T" },
                { UINT64_MAX, "16384P" },
        };

        check_format(unit_format_size_short, cases, ELEMENTSOF(cases));
}

static void test_format_time(void **state) {
        static const struct format_case cases[] = {
                { 0, "0us" },
                { 1, "1us" },
                { 1500, "1500us" },
                { 5000, "5ms" },
                { USEC_PER_SEC, "1s" },
                { 90 * USEC_PER_SEC, "90s" },
                { 120 * USEC_PER_SEC, "2m" },
                { 3600 * USEC_PER_SEC, "1h" },
                { 86400 * USEC_PER_SEC, "1d" },
                { UINT64_MAX, "18446744073709551615us" },
        };

        check_format(unit_format_time, cases, ELEMENTSOF(cases));
}

static char *format_percent(char buf[static UNIT_STRING_MAX], uint64_t bp) {
        return unit_format_percent(buf, (uint32_t) bp);
}

static void test_format_percent(void **state) {
        static const struct format_case cases[] = {
                { 0, "0%" },
                { 1, "0.01%" },
                { 10, "0.1%" },
                { 50, "0.5%" },
                { 100, "1%" },
                { 1234, "12.34%" },
                { 10000, "100%" },
                { UINT32_MAX, "42949672.95%" },
        };

        check_format(format_percent, cases, ELEMENTSOF(cases));
}

/* Numbers of every length, with and without zeros at the end. */
static uint64_t random_number(struct rng *rng) {
        uint64_t value = rng_next(rng) >> rng_below(rng, 64);

        return value << rng_below(rng, 64);
}

static void check_round_trip(char *(*format)(char[static UNIT_STRING_MAX], uint64_t),
                             int (*parse)(const char *, uint64_t *), uint64_t value) {
        char buf[UNIT_STRING_MAX];
        uint64_t again;

        ASSERT_OK(parse(format(buf, value), &again));
        if (again != value)
                fail_msg("%" PRIu64 " is written \"%s\" and read %" PRIu64, value, buf, again);
}

static void test_round_trips(void **state) {
        struct rng rng = { test_seed() };

        for (size_t i = 0; i < NR_RANDOM; i++) {
                uint64_t value = random_number(&rng);

                check_round_trip(unit_format_size, unit_parse_size, value);
                check_round_trip(unit_format_time, unit_parse_time, value);
                check_round_trip(unit_format_time, unit_parse_time,
                                 rng_below(&rng, 1000000) * USEC_PER_SEC);
                check_round_trip(format_percent, parse_percent, (uint32_t) value);
        }
}

/* The short form is for people, but must not be far off. */
static void test_short_is_close(void **state) {
        struct rng rng = { test_seed() };

        for (size_t i = 0; i < NR_RANDOM; i++) {
                uint64_t value = random_number(&rng) / 2, again;
                char buf[UNIT_STRING_MAX];

                ASSERT_OK(unit_parse_size(unit_format_size_short(buf, value), &again));
                if (again > value + value / 128 || again < value - value / 128)
                        fail_msg("%" PRIu64 " is written \"%s\"", value, buf);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_size),
                cmocka_unit_test(test_parse_time),
                cmocka_unit_test(test_parse_percent),
                cmocka_unit_test(test_format_size),
                cmocka_unit_test(test_format_size_short),
                cmocka_unit_test(test_format_time),
                cmocka_unit_test(test_format_percent),
                cmocka_unit_test(test_round_trips),
                cmocka_unit_test(test_short_is_close),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
