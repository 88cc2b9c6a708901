/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters: which one decides, also where not all is known, and where addresses cut. */

#include <damond/filter.h>

#include "macro.h"
#include "rng.h"
#include "test.h"

#define PAGE UINT64_C(4096)
#define NR_RANDOM 100000

static char any_text[] = "a";

#define LIST(...)                                                                       \
        ((struct damos_filters) {                                                       \
                (struct damos_filter[]) { __VA_ARGS__ },                                \
                ELEMENTSOF(((struct damos_filter[]) { __VA_ARGS__ })),                  \
        })

static struct damos_filter filter(enum damos_filter_type type, bool matching, bool allow) {
        return (struct damos_filter) { .type = type, .matching = matching, .allow = allow };
}

static void names_of_types_are_those_of_the_configuration(void **state) {
        static const char *const names[_DAMOS_FILTER_TYPE_MAX] = {
                "addr", "target", "anon", "file", "shared", "hugepage_size", "young", "memcg", "mapping",
        };
        enum damos_filter_type type = _DAMOS_FILTER_TYPE_MAX;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_string_equal(damos_filter_type_to_string((enum damos_filter_type) i), names[i]);
                ASSERT_OK(damos_filter_type_from_string(names[i], &type));
                assert_int_equal(type, i);
        }
        ASSERT_ERROR(damos_filter_type_from_string("Anon", &type), EINVAL);
        ASSERT_ERROR(damos_filter_type_from_string("", &type), EINVAL);
}

/* The cases of damos_test_set_filters_default_reject() in mm/damon/tests/core-kunit.h that one list has. */
static void what_no_filter_is_for_goes_by_the_last_one(void **state) {
        const struct damos_facts facts = {
                .target = "a", .anon = DAMOS_NO, .file = DAMOS_NO, .shared = DAMOS_NO, .young = DAMOS_NO,
        };
        const struct damos_filter allow = filter(DAMOS_FILTER_ANON, true, true);
        const struct damos_filter reject = filter(DAMOS_FILTER_ANON, true, false);
        const struct damos_filters none = {};

        assert_int_equal(damos_filters_let(&none, &facts), DAMOS_YES);
        assert_int_equal(damos_filters_let(&LIST(allow), &facts), DAMOS_NO);
        assert_int_equal(damos_filters_let(&LIST(reject), &facts), DAMOS_YES);
        assert_int_equal(damos_filters_let(&LIST(reject, allow), &facts), DAMOS_NO);
        assert_int_equal(damos_filters_let(&LIST(allow, reject), &facts), DAMOS_YES);
}

static void first_filter_that_matches_decides(void **state) {
        struct damos_facts facts = { .target = "a", .anon = DAMOS_YES, .young = DAMOS_YES };
        const struct damos_filters both = LIST(filter(DAMOS_FILTER_YOUNG, true, false),
                                               filter(DAMOS_FILTER_ANON, true, true));
        const struct damos_filters reverse = LIST(both.items[1], both.items[0]);

        assert_int_equal(damos_filters_let(&both, &facts), DAMOS_NO);
        assert_int_equal(damos_filters_let(&reverse, &facts), DAMOS_YES);
        facts.young = DAMOS_NO;
        assert_int_equal(damos_filters_let(&both, &facts), DAMOS_YES);
        facts.young = DAMOS_UNKNOWN;
        assert_int_equal(damos_filters_let(&both, &facts), DAMOS_UNKNOWN);
        assert_int_equal(damos_filters_let(&reverse, &facts), DAMOS_YES);
        facts.anon = DAMOS_NO;
        assert_int_equal(damos_filters_let(&both, &facts), DAMOS_NO);
}

static enum damos_answer let_by_text(enum damos_filter_type type, const char *text, const char *fact) {
        struct damos_filter one = filter(type, true, true);
        const struct damos_facts facts = { .target = fact, .memcg = fact, .mapping = fact };

        one.text = (char *) (uintptr_t) text;
        return damos_filters_let(&LIST(one), &facts);
}

static void texts_are_matched_as_they_are_meant(void **state) {
        static const struct {
                enum damos_filter_type type;
                const char *text, *fact;
                bool is_for;
        } cases[] = {
                { DAMOS_FILTER_TARGET, "db", "db", true },
                { DAMOS_FILTER_TARGET, "d*", "db", false },
                { DAMOS_FILTER_MEMCG, "/a.slice", "/a.slice", true },
                { DAMOS_FILTER_MEMCG, "/a.slice", "/a.slice/b.service", true },
                { DAMOS_FILTER_MEMCG, "/a.slice", "/a.slice2/b.service", false },
                { DAMOS_FILTER_MEMCG, "*/b.service", "/a.slice/b.service/c", true },
                { DAMOS_FILTER_MEMCG, "/", "/a", true },
                { DAMOS_FILTER_MEMCG, "/", "", false },
                { DAMOS_FILTER_MAPPING, "[heap]", "[heap]", true },
                { DAMOS_FILTER_MAPPING, "[heap]", "h", false },
                { DAMOS_FILTER_MAPPING, "[heap]", "[stack]", false },
                { DAMOS_FILTER_MAPPING, "[anon:*]", "[anon:java heap]", true },
                { DAMOS_FILTER_MAPPING, "[anon:*]", "[anon_shmem:x]", false },
                { DAMOS_FILTER_MAPPING, "[*", "[heap]", true },
                { DAMOS_FILTER_MAPPING, "[*", "", false },
                { DAMOS_FILTER_MAPPING, "*", "", true },
                { DAMOS_FILTER_MAPPING, "?*", "", false },
                { DAMOS_FILTER_MAPPING, "?*", "/a", true },
                { DAMOS_FILTER_MAPPING, "/usr/lib/*", "/usr/lib/x86_64/libc.so.6", true },
                { DAMOS_FILTER_MAPPING, "/usr/lib/*", "/usr/libexec/x", false },
                { DAMOS_FILTER_MAPPING, "/usr/lib/lib[cm].so*", "/usr/lib/libm.so.6", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (let_by_text(cases[i].type, cases[i].text, cases[i].fact) !=
                    (cases[i].is_for ? DAMOS_YES : DAMOS_NO))
                        fail_msg("%s of %s", cases[i].text, cases[i].fact);
}

static void sizes_of_folios_are_closed_ranges(void **state) {
        struct damos_filter huge = filter(DAMOS_FILTER_HUGEPAGE_SIZE, true, true);
        struct damos_facts facts = { .target = "a", .sz_folio = 2 << 20 };

        huge.sz_min = huge.sz_max = 2 << 20;
        assert_int_equal(damos_filters_let(&LIST(huge), &facts), DAMOS_UNKNOWN);
        facts.folio_known = true;
        assert_int_equal(damos_filters_let(&LIST(huge), &facts), DAMOS_YES);
        huge.sz_min++;
        assert_int_equal(damos_filters_let(&LIST(huge), &facts), DAMOS_NO);
        huge.sz_min = 0;
        facts.sz_folio = 0;
        assert_int_equal(damos_filters_let(&LIST(huge), &facts), DAMOS_YES);
        huge.sz_min = 1;
        assert_int_equal(damos_filters_let(&LIST(huge), &facts), DAMOS_NO);
}

/* The rule as the kernel has it, where all is known. */
static bool let_simply(const struct damos_filter *items, size_t nr, const bool *is_so) {
        for (size_t i = 0; i < nr; i++)
                if (is_so[items[i].type] == items[i].matching)
                        return items[i].allow;
        return nr == 0 || !items[nr - 1].allow;
}

static void tell(struct damos_facts *facts, enum damos_filter_type type, enum damos_answer answer) {
        enum damos_answer *const places[_DAMOS_FILTER_TYPE_MAX] = {
                [DAMOS_FILTER_ANON] = &facts->anon,
                [DAMOS_FILTER_FILE] = &facts->file,
                [DAMOS_FILTER_SHARED] = &facts->shared,
                [DAMOS_FILTER_YOUNG] = &facts->young,
        };

        *places[type] = answer;
}

/*
 * Lists of up to four types in any order, some of which are not known: what is said is what the simple
 * rule says whatever the unknown ones are, and it is unknown only if that differs.
 */
static void unknown_is_what_makes_a_difference(void **state) {
        enum damos_filter_type types[] = {
                DAMOS_FILTER_ANON, DAMOS_FILTER_FILE, DAMOS_FILTER_SHARED, DAMOS_FILTER_YOUNG,
        };
        struct rng rng = { test_seed() };
        size_t nr_unknown = 0;

        for (size_t n = 0; n < NR_RANDOM; n++) {
                struct damos_filter items[4];
                const struct damos_filters filters = { items, rng_below(&rng, 5) };
                struct damos_facts facts = { .target = "a" };
                enum damos_answer answers[4], said;
                bool may[2] = {};

                for (size_t i = 0; i < 4; i++) {
                        size_t other = i + rng_below(&rng, 4 - i);
                        enum damos_filter_type type = types[other];

                        types[other] = types[i];
                        types[i] = type;
                        items[i] = filter(type, rng_below(&rng, 2), rng_below(&rng, 2));
                        answers[i] = (enum damos_answer) rng_below(&rng, 3);
                        tell(&facts, type, answers[i]);
                }
                for (unsigned bits = 0; bits < 16; bits++) {
                        bool is_so[_DAMOS_FILTER_TYPE_MAX] = {};

                        for (size_t i = 0; i < 4; i++)
                                is_so[types[i]] = answers[i] == DAMOS_UNKNOWN ? bits >> i & 1 :
                                                  answers[i] == DAMOS_YES;
                        may[let_simply(items, filters.nr, is_so)] = true;
                }
                said = damos_filters_let(&filters, &facts);
                assert_int_equal(said, may[false] && may[true] ? DAMOS_UNKNOWN :
                                       may[true] ? DAMOS_YES : DAMOS_NO);
                nr_unknown += said == DAMOS_UNKNOWN;
        }
        assert_true(nr_unknown > NR_RANDOM / 100);
}

static void parts_end_where_something_changes(void **state) {
        struct rng rng = { test_seed() };
        size_t nr_parts = 0;

        for (size_t n = 0; n < NR_RANDOM / 10; n++) {
                struct damos_filter items[5];
                const struct damos_filters filters = { items, rng_below(&rng, 6) };
                struct damon_range rest = { rng_below(&rng, 20) * PAGE, 0 };
                enum damos_answer before = DAMOS_UNKNOWN;
                bool first = true;

                rest.end = rest.start + (1 + rng_below(&rng, 20)) * PAGE;
                for (size_t i = 0; i < filters.nr; i++) {
                        static const enum damos_filter_type types[] = {
                                DAMOS_FILTER_ADDR, DAMOS_FILTER_ADDR, DAMOS_FILTER_TARGET, DAMOS_FILTER_ANON,
                        };

                        items[i] = filter(types[rng_below(&rng, 4)], rng_below(&rng, 2), rng_below(&rng, 2));
                        items[i].addr.start = rng_below(&rng, 40) * PAGE;
                        items[i].addr.end = items[i].addr.start + (1 + rng_below(&rng, 10)) * PAGE;
                        items[i].text = any_text;
                }
                while (rest.start < rest.end) {
                        enum damos_answer let = DAMOS_UNKNOWN;
                        uint64_t end = damos_filters_first_part(&filters, "a", rest, &let);

                        assert_true(end > rest.start && end <= rest.end);
                        for (uint64_t addr = rest.start; addr < end; addr += PAGE)
                                assert_int_equal(damos_filters_let(&filters, &(struct damos_facts) {
                                        .target = "a", .addr = addr }), let);
                        assert_true(first || let != before);
                        first = false;
                        before = let;
                        rest.start = end;
                        nr_parts++;
                }
        }
        assert_true(nr_parts > NR_RANDOM / 10 * 11 / 10);
}

static void copies_are_equal_and_of_their_own(void **state) {
        struct damos_filter one = filter(DAMOS_FILTER_TARGET, true, false);
        struct damos_filters list, copy;

        one.text = any_text;
        list = LIST(one, filter(DAMOS_FILTER_ANON, true, true));
        ASSERT_OK(damos_filters_copy(&copy, &list));
        assert_true(damos_filters_equal(&list, &copy));
        assert_ptr_not_equal(copy.items[0].text, any_text);
        assert_int_equal(damos_filters_types(&copy),
                         DAMOS_FILTER_BIT(DAMOS_FILTER_TARGET) | DAMOS_FILTER_BIT(DAMOS_FILTER_ANON));
        damos_filters_done(&copy);
        assert_int_equal(copy.nr, 0);
        damos_filters_done(&copy);
}

static void every_difference_counts(void **state) {
        static char other_text[] = "b";
        const struct damos_filter one = { .type = DAMOS_FILTER_TARGET, .matching = true, .text = any_text };
        struct damos_filter others[] = { one, one, one, one, one, one, one, one, one };
        const struct damos_filters none = {};

        others[0].type = DAMOS_FILTER_MAPPING;
        others[1].matching = false;
        others[2].allow = true;
        others[3].addr.start = 1;
        others[4].addr.end = 1;
        others[5].sz_min = 1;
        others[6].sz_max = 1;
        others[7].text = other_text;
        others[8].text = NULL;
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_false(damos_filters_equal(&LIST(one), &LIST(others[i])));
        assert_true(damos_filters_equal(&LIST(one), &LIST(one)));
        assert_false(damos_filters_equal(&LIST(one), &LIST(one, one)));
        assert_false(damos_filters_equal(&LIST(one, others[0]), &LIST(others[0], one)));
        assert_false(damos_filters_equal(&LIST(one), &none));
        assert_true(damos_filters_equal(&none, &none));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_of_types_are_those_of_the_configuration),
                cmocka_unit_test(what_no_filter_is_for_goes_by_the_last_one),
                cmocka_unit_test(first_filter_that_matches_decides),
                cmocka_unit_test(texts_are_matched_as_they_are_meant),
                cmocka_unit_test(sizes_of_folios_are_closed_ranges),
                cmocka_unit_test(unknown_is_what_makes_a_difference),
                cmocka_unit_test(parts_end_where_something_changes),
                cmocka_unit_test(copies_are_equal_and_of_their_own),
                cmocka_unit_test(every_difference_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
