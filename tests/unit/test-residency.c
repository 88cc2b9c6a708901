/* SPDX-License-Identifier: GPL-2.0-only */
/* Residency: bytes and addresses of what is in memory, against a count of byte by byte. */

#include <damond/residency.h>

#include "macro.h"
#include "rng.h"
#include "test.h"

#define _cleanup_residency_ _cleanup_(damon_residency_done)

static bool out_of_memory;

void *__real_reallocarray(void *p, size_t nr, size_t size);
void *__wrap_reallocarray(void *p, size_t nr, size_t size);

void *__wrap_reallocarray(void *p, size_t nr, size_t size) {
        return out_of_memory ? NULL : __real_reallocarray(p, nr, size);
}

static int set(struct damon_residency *residency, const struct damon_range *ranges, size_t nr) {
        return damon_residency_set(residency, ranges, nr);
}

#define SET(residency, ...) \
        set(residency, (const struct damon_range[]) { __VA_ARGS__ }, \
            ELEMENTSOF(((const struct damon_range[]) { __VA_ARGS__ })))

static uint64_t size_of(const struct damon_residency *residency, uint64_t start, uint64_t end) {
        return damon_residency_size(residency, (struct damon_range) { start, end });
}

static uint64_t address_of(const struct damon_residency *residency, uint64_t start, uint64_t end,
                           uint64_t offset) {
        return damon_residency_address(residency, (struct damon_range) { start, end }, offset);
}

static void assert_unknown(const struct damon_residency *residency) {
        assert_false(residency->known);
        assert_int_equal(size_of(residency, 100, 300), 200);
        for (uint64_t i = 0; i < 200; i += 199)
                assert_int_equal(address_of(residency, 100, 300, i), 100 + i);
}

static void without_knowledge_everything_is_in_memory(void **state) {
        _cleanup_residency_ struct damon_residency residency = {};

        assert_unknown(&residency);
        ASSERT_OK(damon_residency_set(&residency, NULL, 0));
        assert_unknown(&residency);
}

static void what_was_known_can_be_unknown_again(void **state) {
        _cleanup_residency_ struct damon_residency residency = {};

        ASSERT_OK(SET(&residency, { 110, 120 }));
        assert_int_equal(size_of(&residency, 100, 300), 10);
        ASSERT_OK(damon_residency_set(&residency, NULL, 0));
        assert_unknown(&residency);
        ASSERT_OK(SET(&residency, { 110, 120 }, { 130, 135 }));
        assert_int_equal(size_of(&residency, 100, 300), 15);
}

static void done_leaves_nothing_known(void **state) {
        struct damon_residency residency = {};

        ASSERT_OK(SET(&residency, { 110, 120 }));
        damon_residency_done(&residency);
        assert_null(residency.items);
        assert_unknown(&residency);
        ASSERT_OK(SET(&residency, { 110, 120 }));
        assert_int_equal(size_of(&residency, 100, 300), 10);
        damon_residency_done(&residency);
}

static void nothing_in_memory_is_something_to_know(void **state) {
        _cleanup_residency_ struct damon_residency residency = {};
        const struct damon_range none = {};

        ASSERT_OK(damon_residency_set(&residency, &none, 0));
        assert_true(residency.known);
        assert_int_equal(size_of(&residency, 0, UINT64_MAX), 0);
}

static void parts_end_where_they_end(void **state) {
        _cleanup_residency_ struct damon_residency residency = {};

        ASSERT_OK(SET(&residency, { 10, 20 }, { 20, 30 }, { 50, 60 }));
        assert_int_equal(size_of(&residency, 0, 10), 0);
        assert_int_equal(size_of(&residency, 0, 11), 1);
        assert_int_equal(size_of(&residency, 10, 30), 20);
        assert_int_equal(size_of(&residency, 19, 21), 2);
        assert_int_equal(size_of(&residency, 30, 50), 0);
        assert_int_equal(size_of(&residency, 29, 51), 2);
        assert_int_equal(size_of(&residency, 59, 100), 1);
        assert_int_equal(size_of(&residency, 60, 100), 0);
        assert_int_equal(size_of(&residency, 0, UINT64_MAX), 30);

        assert_int_equal(address_of(&residency, 0, 100, 0), 10);
        assert_int_equal(address_of(&residency, 0, 100, 9), 19);
        assert_int_equal(address_of(&residency, 0, 100, 10), 20);
        assert_int_equal(address_of(&residency, 0, 100, 19), 29);
        assert_int_equal(address_of(&residency, 0, 100, 20), 50);
        assert_int_equal(address_of(&residency, 0, 100, 29), 59);
        assert_int_equal(address_of(&residency, 30, 100, 0), 50);
        assert_int_equal(address_of(&residency, 55, 100, 0), 55);
}

static void the_largest_address_spaces_do_not_overflow(void **state) {
        const uint64_t top = UINT64_C(1) << 57, tib = UINT64_C(1) << 40;
        _cleanup_residency_ struct damon_residency residency = {};

        ASSERT_OK(SET(&residency, { 4096, top / 2 }, { top - tib, top }));
        assert_int_equal(size_of(&residency, 0, top), top / 2 - 4096 + tib);
        assert_int_equal(address_of(&residency, 0, top, top / 2 - 4097), top / 2 - 1);
        assert_int_equal(address_of(&residency, 0, top, top / 2 - 4096), top - tib);
        assert_int_equal(address_of(&residency, 0, top, top / 2 - 4096 + tib - 1), top - 1);
}

static void without_memory_it_stays_as_it_was(void **state) {
        _cleanup_residency_ struct damon_residency residency = {};
        struct damon_range many[100];

        for (uint64_t i = 0; i < ELEMENTSOF(many); i++)
                many[i] = (struct damon_range) { 2 * i, 2 * i + 1 };
        ASSERT_OK(SET(&residency, { 110, 120 }, { 130, 135 }));
        out_of_memory = true;
        ASSERT_ERROR(damon_residency_set(&residency, many, ELEMENTSOF(many)), ENOMEM);
        out_of_memory = false;
        assert_true(residency.known);
        assert_int_equal(size_of(&residency, 100, 300), 15);
        assert_int_equal(address_of(&residency, 100, 300, 12), 132);
}

#define NR_BYTES 200

static void random_parts_are_counted_byte_by_byte(void **state) {
        struct rng rng = { test_seed() };
        _cleanup_residency_ struct damon_residency residency = {};

        for (int round = 0; round < 300; round++) {
                struct damon_range ranges[20];
                bool there[NR_BYTES] = {};
                uint64_t at = rng_below(&rng, 5);
                size_t nr = 0;

                while (nr < ELEMENTSOF(ranges)) {
                        uint64_t end = at + 1 + rng_below(&rng, 10);

                        if (end > NR_BYTES)
                                break;
                        ranges[nr++] = (struct damon_range) { at, end };
                        for (; at < end; at++)
                                there[at] = true;
                        at += rng_below(&rng, 4) * rng_below(&rng, 6);
                }
                ASSERT_OK(damon_residency_set(&residency, ranges, nr));

                for (int k = 0; k < 50; k++) {
                        uint64_t start = rng_below(&rng, NR_BYTES), nr_there = 0;
                        uint64_t end = start + 1 + rng_below(&rng, NR_BYTES - start);

                        for (uint64_t i = start; i < end; i++)
                                if (there[i])
                                        assert_int_equal(address_of(&residency, start, end, nr_there++),
                                                         i);
                        assert_int_equal(size_of(&residency, start, end), nr_there);
                }
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_knowledge_everything_is_in_memory),
                cmocka_unit_test(what_was_known_can_be_unknown_again),
                cmocka_unit_test(done_leaves_nothing_known),
                cmocka_unit_test(nothing_in_memory_is_something_to_know),
                cmocka_unit_test(parts_end_where_they_end),
                cmocka_unit_test(the_largest_address_spaces_do_not_overflow),
                cmocka_unit_test(without_memory_it_stays_as_it_was),
                cmocka_unit_test(random_parts_are_counted_byte_by_byte),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
