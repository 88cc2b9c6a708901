/* SPDX-License-Identifier: GPL-2.0-only */
/* What is remembered of what was paged out, when it is looked at, and what is counted. */

#include "test.h"

#include <damond/watch.h>

#include "macro.h"

#define MIB (UINT64_C(1) << 20)
#define SEC UINT64_C(1000000)
#define WITHIN (64 * SEC)

static struct damon_target target, other;
static uint64_t present[1024];                  /* bytes in each MiB of addresses */
static size_t nr_looks;

static int op_present(void *data, struct damon_target *t, struct damon_range range, uint64_t *ret_size) {
        *ret_size = 0;
        nr_looks++;
        for (uint64_t i = range.start / MIB; i < range.end / MIB; i++)
                *ret_size += present[i];
        return 0;
}

static const struct damon_ops ops = { .present = op_present };

static struct damos_watch watch;
static struct damos scheme;
static uint64_t now;

static int set_up(void **state) {
        memset(present, 0, sizeof(present));
        target.gone = false;
        nr_looks = 0;
        scheme = (struct damos) { .action = DAMOS_PAGEOUT, .returned_within = WITHIN, .guarded = true };
        now = 1000 * SEC;
        return 0;
}

static int tear_down(void **state) {
        damos_watch_done(&watch);
        return 0;
}

/* Of so many MiB from here on, some leave and some stay. */
static void leave(struct damon_target *t, uint64_t first, uint64_t nr, uint64_t moved, uint64_t stayed) {
        const struct damos_outcome outcome = {
                .sz_moved = moved, .sz_refused[DAMOS_REFUSED_OTHER] = stayed,
        };

        ASSERT_OK(damos_watch_add(&watch, &scheme, t, (struct damon_range) { first * MIB, (first + nr) * MIB },
                                  &outcome, now));
}

static void look_after(uint64_t time) {
        now += time;
        ASSERT_OK(damos_watch_look(&watch, &scheme, &ops, NULL, now));
}

static void looks_become_rare(void **state) {
        static const uint64_t times[] = { 1, 2, 4, 8, 16, 32, 64 };
        uint64_t begun = now;
        size_t looks = 0;

        leave(&target, 0, 1, MIB, 0);
        for (uint64_t ms = 0; ms < 100000; ms += 10) {
                look_after(SEC / 100);
                if (nr_looks == looks)
                        continue;
                assert_true(looks < ELEMENTSOF(times));
                assert_int_equal(now - begun, times[looks] * SEC);
                looks = nr_looks;
        }
        assert_int_equal(looks, ELEMENTSOF(times));
        assert_int_equal(watch.nr, 0);
        assert_int_equal(scheme.stat.outcome.sz_returned, 0);
}

static void what_comes_back_counts_once(void **state) {
        leave(&target, 0, 4, 3 * MIB, MIB);
        present[0] = MIB;
        look_after(SEC);
        assert_int_equal(scheme.stat.outcome.sz_returned, 0);
        present[1] = MIB / 2;
        look_after(SEC);
        assert_int_equal(scheme.stat.outcome.sz_returned, MIB / 2);
        /* gone again, and back again */
        present[1] = 0;
        look_after(2 * SEC);
        present[2] = MIB / 2;
        look_after(4 * SEC);
        assert_int_equal(scheme.stat.outcome.sz_returned, MIB / 2);
        /* with more than ever left, that has never been there before */
        present[1] = present[2] = present[3] = MIB;
        present[0] = 2 * MIB;
        look_after(8 * SEC);
        assert_int_equal(scheme.stat.outcome.sz_returned, 3 * MIB);
        assert_int_equal(watch.nr, 0);
}

static void what_comes_back_too_late_does_not_count(void **state) {
        leave(&target, 0, 1, MIB, 0);
        look_after(WITHIN);
        present[0] = MIB;
        look_after(SEC);
        assert_int_equal(scheme.stat.outcome.sz_returned, 0);

        /* nobody looked for long */
        leave(&target, 1, 1, MIB, 0);
        present[1] = MIB;
        look_after(2 * WITHIN);
        assert_int_equal(scheme.stat.outcome.sz_returned, 0);
        assert_int_equal(watch.nr, 0);
}

static void the_guard_hears_of_it(void **state) {
        leave(&target, 0, 10, 10 * MIB, 0);
        present[0] = MIB / 2;
        look_after(SEC);
        assert_int_equal(scheme.guard.sz_out, 10 * MIB);
        assert_int_equal(scheme.guard.sz_back, MIB / 2);
        look_after(SEC);
        assert_int_equal(scheme.guard.sz_out, 10 * MIB);
        assert_int_equal(scheme.guard.sz_back, MIB / 2);
        for (size_t i = 0; i < 5; i++)
                present[i] = MIB;
        look_after(2 * SEC);
        assert_int_equal(damos_guard_reason(&scheme.guard), DAMOS_GUARD_RETURNED);
}

static void without_a_guard_it_only_counts(void **state) {
        scheme.guarded = false;
        leave(&target, 0, 10, 10 * MIB, 0);
        for (size_t i = 0; i < 10; i++)
                present[i] = MIB;
        look_after(SEC);
        assert_int_equal(scheme.stat.outcome.sz_returned, 10 * MIB);
        assert_int_equal(damos_guard_reason(&scheme.guard), DAMOS_GUARD_NONE);
        scheme.returned_within = 0;
        leave(&target, 0, 10, 10 * MIB, 0);
        assert_int_equal(watch.nr, 0);
}

static void neighbours_are_remembered_as_one(void **state) {
        for (uint64_t i = 0; i < 200; i++)
                leave(&target, i, 1, MIB, 0);
        assert_int_equal(watch.nr, 4);
        leave(&target, 300, 1, MIB, 0);         /* apart */
        leave(&other, 301, 1, MIB, 0);          /* of another */
        now++;
        leave(&other, 302, 1, MIB, 0);          /* later */
        assert_int_equal(watch.nr, 7);
        leave(&other, 303, 1, 0, MIB);          /* nothing left */
        assert_int_equal(watch.nr, 7);
}

/* Whatever is done, memory is bounded, and what is remembered is looked at once at least. */
static void memory_is_bounded(void **state) {
        for (uint64_t i = 0; i < 10000; i++) {
                leave(&target, i % 500 * 2, 1, MIB, 0);
                assert_true(watch.nr <= 512);
        }
        assert_int_equal(watch.nr, 512);
        assert_true(watch.sz_items * sizeof(watch.items[0]) <= 40 * 1024);
        for (int i = 0; i < 10; i++)
                look_after(SEC / 10);
        /* no more in a step than the addresses allow */
        look_after(0);
        look_after(0);
        assert_int_equal(nr_looks, 512);
        /* now there is room for others */
        leave(&target, 1001, 1, MIB, 0);
        assert_int_equal(watch.nr, 512);
        assert_int_equal(watch.items[511].range.start, 1001 * MIB);
}

static void a_step_looks_at_so_much_only(void **state) {
        for (uint64_t i = 0; i < 10; i++)
                leave(&target, i * 102, 100, MIB, 0);
        look_after(SEC);
        assert_int_equal(nr_looks, 3);
        look_after(0);
        assert_int_equal(nr_looks, 6);
        look_after(0);
        look_after(0);
        look_after(0);
        assert_int_equal(nr_looks, 10);
}

static void a_target_that_goes_is_forgotten(void **state) {
        for (uint64_t i = 0; i < 10; i++)
                leave(i % 2 == 0 ? &target : &other, i * 2, 1, MIB, 0);
        damos_watch_forget(&watch, &target);
        assert_int_equal(watch.nr, 5);
        for (size_t i = 0; i < watch.nr; i++)
                assert_ptr_equal(watch.items[i].target, &other);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(looks_become_rare, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_comes_back_counts_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_comes_back_too_late_does_not_count, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_guard_hears_of_it, set_up, tear_down),
                cmocka_unit_test_setup_teardown(without_a_guard_it_only_counts, set_up, tear_down),
                cmocka_unit_test_setup_teardown(neighbours_are_remembered_as_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(memory_is_bounded, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_step_looks_at_so_much_only, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_target_that_goes_is_forgotten, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
