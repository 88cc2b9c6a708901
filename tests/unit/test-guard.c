/* SPDX-License-Identifier: GPL-2.0-only */
/* When a guard holds a scheme back, how far, and how it lets go. */

#include "test.h"

#include <damond/guard.h>

#include "macro.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SEC UINT64_C(1000000)
#define HOUR (3600 * SEC)

#define WITHIN (64 * SEC)
#define PERIOD (WITHIN / 16)

static uint64_t now;

static int set_up(void **state) {
        now = SEC;
        return 0;
}

static void move(struct damos_guard *guard, uint64_t bytes) {
        const struct damos_outcome outcome = { .sz_moved = bytes };

        damos_guard_charge(guard, WITHIN, &outcome, now);
}

static void judge(struct damos_guard *guard, uint64_t out, uint64_t back) {
        damos_guard_judge(guard, WITHIN, guard->epoch, out, back, now);
}

static void pass(struct damos_guard *guard, uint64_t time) {
        now += time;
        damos_guard_pass(guard, WITHIN, now);
}

/* Until the pause is over; returns its length, in seconds. */
static uint64_t wait_for_probe(struct damos_guard *guard) {
        uint64_t begun = now;

        while (damos_guard_left(guard) == 0)
                pass(guard, SEC);
        return (now - begun) / SEC;
}

static void nothing_is_held_back_at_first(void **state) {
        struct damos_guard guard = {};

        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        assert_true(damos_guard_left(&guard) == UINT64_MAX);
        move(&guard, GIB);
        assert_true(damos_guard_left(&guard) == UINT64_MAX);
}

static void a_few_mistakes_are_forgiven(void **state) {
        struct damos_guard guard = {};

        for (int i = 0; i < 1000; i++) {
                move(&guard, 10 * MIB);
                judge(&guard, 10 * MIB, 0);
                judge(&guard, 0, 9 * MIB / 10);
                pass(&guard, SEC);
                assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        }
}

static void little_proves_nothing(void **state) {
        struct damos_guard guard = {};

        judge(&guard, MIB - 4096, MIB - 4096);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        judge(&guard, 4096, 4096);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_RETURNED);
}

static void one_in_two_stops(void **state) {
        struct damos_guard guard = {};

        move(&guard, GIB);
        judge(&guard, 10 * MIB, 5 * MIB);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_RETURNED);
        assert_int_equal(damos_guard_left(&guard), 0);
        assert_int_equal(guard.cause_out, 10 * MIB);
        assert_int_equal(guard.cause_back, 5 * MIB);
}

static void one_in_ten_halves(void **state) {
        struct damos_guard guard = {};

        pass(&guard, SEC);
        move(&guard, 64 * MIB);
        judge(&guard, 64 * MIB, 7 * MIB);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_RETURNED);
        assert_int_equal(damos_guard_left(&guard), 32 * MIB);
        move(&guard, 20 * MIB);
        assert_int_equal(damos_guard_left(&guard), 12 * MIB);
        move(&guard, 12 * MIB);
        assert_int_equal(damos_guard_left(&guard), 0);
        pass(&guard, PERIOD);
        assert_int_equal(damos_guard_left(&guard), 32 * MIB);
        /* and again, down to a stop */
        for (uint64_t left = 32; left > 4; left /= 2) {
                move(&guard, left * MIB);
                judge(&guard, 8 * MIB, MIB);
                assert_int_equal(damos_guard_left(&guard), left / 2 * MIB);
                pass(&guard, PERIOD);
        }
        move(&guard, 4 * MIB);
        judge(&guard, 8 * MIB, MIB);
        assert_int_equal(damos_guard_left(&guard), 0);
}

/* What was done before the limit was lowered is no reason to lower it again. */
static void only_what_was_done_since_counts(void **state) {
        struct damos_guard guard = {};
        uint32_t before;

        pass(&guard, SEC);
        move(&guard, 64 * MIB);
        before = guard.epoch;
        judge(&guard, 64 * MIB, 7 * MIB);
        damos_guard_judge(&guard, WITHIN, before, 0, 50 * MIB, now);
        assert_int_equal(damos_guard_left(&guard), 32 * MIB);
}

static void pauses_double_up_to_an_hour(void **state) {
        struct damos_guard guard = {};
        uint64_t expected = 16;

        judge(&guard, MIB, MIB);
        for (int i = 0; i < 12; i++) {
                assert_int_equal(wait_for_probe(&guard), expected);
                assert_int_equal(damos_guard_left(&guard), 4 * MIB);
                move(&guard, 4 * MIB);
                judge(&guard, 4 * MIB, 3 * MIB);
                assert_int_equal(damos_guard_left(&guard), 0);
                expected = MIN(2 * expected, UINT64_C(3600));
        }
}

static void a_probe_that_goes_well_is_doubled_until_it_is_enough(void **state) {
        struct damos_guard guard = {};
        uint64_t left = 4 * MIB;
        unsigned nr = 0;

        judge(&guard, MIB, MIB);
        (void) wait_for_probe(&guard);
        /* at first for as long as it takes for all of it to come back */
        for (int i = 0; i < 12; i++) {
                assert_int_equal(damos_guard_left(&guard), left);
                move(&guard, left);
                judge(&guard, left, left / 50);
                pass(&guard, PERIOD);
        }
        for (; left < 256 * MIB; left *= 2)
                for (int i = 0; i < 4; i++) {
                        assert_int_equal(damos_guard_left(&guard), left);
                        move(&guard, left);
                        judge(&guard, left, left / 50);
                        pass(&guard, PERIOD);
                }
        /* it never wants more than 100 MiB in a period */
        while (damos_guard_reason(&guard) != DAMOS_GUARD_NONE) {
                move(&guard, 100 * MIB);
                judge(&guard, 100 * MIB, MIB);
                pass(&guard, PERIOD);
                assert_in_range(++nr, 1, 1);
        }
        assert_true(damos_guard_left(&guard) == UINT64_MAX);
}

/* Nothing is known to be well of which nothing was tried. */
static void an_idle_scheme_stays_as_it_is(void **state) {
        struct damos_guard guard = {};

        judge(&guard, MIB, MIB);
        (void) wait_for_probe(&guard);
        for (int i = 0; i < 1000; i++)
                pass(&guard, PERIOD);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_RETURNED);
        assert_int_equal(damos_guard_left(&guard), 4 * MIB);
}

static void a_relapse_pauses_for_longer_unless_it_is_long_ago(void **state) {
        for (int late = 0; late < 2; late++) {
                struct damos_guard guard = {};

                judge(&guard, MIB, MIB);
                (void) wait_for_probe(&guard);
                for (int i = 0; i < 16; i++) {
                        move(&guard, MIB);
                        judge(&guard, MIB, 0);
                        pass(&guard, PERIOD);
                }
                assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
                for (int i = 0; i < 1000 * late; i++)
                        pass(&guard, PERIOD);
                judge(&guard, 100 * MIB, 100 * MIB);
                assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_RETURNED);
                assert_in_range(wait_for_probe(&guard), late ? 16 : 20, late ? 16 : 32);
        }
}

/* A look a period after the last one, in which tasks waited so long and so much came back. */
static void look(struct damos_guard *guard, struct damos_pressure *pressure, uint64_t waited, uint64_t back) {
        pass(guard, PERIOD);
        pressure->waited += waited;
        pressure->sz_refaulted += back;
        damos_guard_see_pressure(guard, WITHIN, pressure, now);
}

static void programs_that_wait_for_what_is_taken_halve(void **state) {
        struct damos_pressure pressure = { 17 * SEC, GIB };
        struct damos_guard guard = {};

        /* what was before nobody knows */
        move(&guard, 64 * MIB);
        look(&guard, &pressure, 0, 0);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        for (uint64_t left = 32; left > 4; left /= 2) {
                move(&guard, 2 * left * MIB);
                look(&guard, &pressure, PERIOD / 100, left * MIB);
                assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_PRESSURE);
                assert_int_equal(damos_guard_left(&guard), left * MIB);
                assert_int_equal(guard.cause_out, 2 * left * MIB);
                assert_int_equal(guard.cause_back, left * MIB);
        }
        move(&guard, 4 * MIB);
        look(&guard, &pressure, PERIOD, 4 * MIB);
        assert_int_equal(damos_guard_left(&guard), 0);
        assert_int_equal(wait_for_probe(&guard), 16);
}

static void pressure_that_others_make_is_no_reason(void **state) {
        static const struct {
                uint64_t moved, waited, back;
        } cases[] = {
                { 64 * MIB, PERIOD / 100 - 1, GIB },            /* nobody waits */
                { 64 * MIB, PERIOD, 32 * MIB - 1 },             /* for other memory than this */
                { MIB - 1, PERIOD, GIB },                       /* hardly anything was taken */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct damos_pressure pressure = {};
                struct damos_guard guard = {};

                look(&guard, &pressure, 0, 0);
                for (int k = 0; k < 10; k++) {
                        move(&guard, cases[i].moved);
                        look(&guard, &pressure, cases[i].waited, cases[i].back);
                        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
                }
        }
}

static void looks_in_quick_succession_are_one(void **state) {
        struct damos_pressure pressure = {};
        struct damos_guard guard = {};

        look(&guard, &pressure, 0, 0);
        for (int i = 0; i < 10; i++) {
                now += PERIOD / 11;
                move(&guard, MIB / 4);
                pressure.waited += PERIOD / 11;
                pressure.sz_refaulted += MIB / 4;
                damos_guard_see_pressure(&guard, WITHIN, &pressure, now);
                assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        }
        now += PERIOD / 11 + SEC;
        damos_guard_see_pressure(&guard, WITHIN, &pressure, now);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_PRESSURE);
        assert_int_equal(guard.cause_out, 10 * MIB / 4);

        /* counters that begin anew are no pressure */
        pass(&guard, HOUR);
        move(&guard, 64 * MIB);
        pressure = (struct damos_pressure) {};
        damos_guard_see_pressure(&guard, WITHIN, &pressure, now);
        assert_int_equal(guard.limit, 4 * MIB);
}

static void swap_is_not_used_up(void **state) {
        struct damos_guard guard = {};

        damos_guard_see_swap(&guard, &(struct damos_swap) { 100 * MIB, 10 * MIB });
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        damos_guard_see_swap(&guard, &(struct damos_swap) { 100 * MIB, 10 * MIB - 1 });
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_SWAP);
        assert_int_equal(damos_guard_left(&guard), 0);
        damos_guard_see_swap(&guard, &(struct damos_swap) { 100 * MIB, 20 * MIB - 1 });
        assert_int_equal(damos_guard_left(&guard), 0);
        damos_guard_see_swap(&guard, &(struct damos_swap) { 100 * MIB, 20 * MIB });
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        assert_true(damos_guard_left(&guard) == UINT64_MAX);
}

static void without_swap_files_go_on_and_the_rest_is_given_up(void **state) {
        const struct damos_swap none = {};
        struct damos_guard guard = {};
        struct damos_outcome outcome = {
                .sz_moved = 2 * MIB, .sz_refused[DAMOS_REFUSED_NO_SWAP] = 30 * MIB,
        };

        damos_guard_see_swap(&guard, &none);
        damos_guard_charge(&guard, WITHIN, &outcome, now);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
        pass(&guard, PERIOD);
        outcome.sz_moved = MIB;
        damos_guard_charge(&guard, WITHIN, &outcome, now);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_SWAP);
        assert_int_equal(damos_guard_left(&guard), 0);
        /* swap is added */
        damos_guard_see_swap(&guard, &(struct damos_swap) { GIB, GIB });
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
}

/* What is refused for other reasons is no sign of anything. */
static void shared_memory_is_no_reason_to_stop(void **state) {
        const struct damos_outcome outcome = {
                .sz_refused[DAMOS_REFUSED_SHARED] = GIB, .sz_refused[DAMOS_REFUSED_LOCKED] = GIB,
        };
        struct damos_guard guard = {};

        damos_guard_charge(&guard, WITHIN, &outcome, now);
        assert_int_equal(damos_guard_reason(&guard), DAMOS_GUARD_NONE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(nothing_is_held_back_at_first, set_up),
                cmocka_unit_test_setup(a_few_mistakes_are_forgiven, set_up),
                cmocka_unit_test_setup(little_proves_nothing, set_up),
                cmocka_unit_test_setup(one_in_two_stops, set_up),
                cmocka_unit_test_setup(one_in_ten_halves, set_up),
                cmocka_unit_test_setup(programs_that_wait_for_what_is_taken_halve, set_up),
                cmocka_unit_test_setup(pressure_that_others_make_is_no_reason, set_up),
                cmocka_unit_test_setup(looks_in_quick_succession_are_one, set_up),
                cmocka_unit_test_setup(only_what_was_done_since_counts, set_up),
                cmocka_unit_test_setup(pauses_double_up_to_an_hour, set_up),
                cmocka_unit_test_setup(a_probe_that_goes_well_is_doubled_until_it_is_enough, set_up),
                cmocka_unit_test_setup(an_idle_scheme_stays_as_it_is, set_up),
                cmocka_unit_test_setup(a_relapse_pauses_for_longer_unless_it_is_long_ago, set_up),
                cmocka_unit_test_setup(swap_is_not_used_up, set_up),
                cmocka_unit_test_setup(without_swap_files_go_on_and_the_rest_is_given_up, set_up),
                cmocka_unit_test_setup(shared_memory_is_no_reason_to_stop, set_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
