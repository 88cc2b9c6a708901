/* SPDX-License-Identifier: GPL-2.0-only */
/* Watermarks: hysteresis, when they are looked at, and what is not known. */

#include <damond/watermarks.h>

#include "macro.h"
#include "test.h"

#define SEC UINT64_C(1000000)

struct gauge {
        enum damos_metric asked;
        unsigned nr_asked;
        uint64_t value;
        int error;
};

static int read_gauge(void *userdata, enum damos_metric metric, const char *file,
                      uint64_t *ret_value) {
        struct gauge *gauge = userdata;

        gauge->asked = metric;
        gauge->nr_asked++;
        if (gauge->error < 0)
                return gauge->error;
        *ret_value = gauge->value;
        return 0;
}

/* those of DAMON_RECLAIM */
static const struct damos_watermarks reclaim = {
        .metric = DAMOS_FREE_MEM_RATE, .interval = 5 * SEC, .high = 5000, .mid = 4000, .low = 2000,
};

/* damos_wmark_wait_us(), line by line. */
static void hysteresis_is_that_of_the_kernel(void **state) {
        static const struct {
                uint32_t value;
                bool asleep_before, asleep;
        } cases[] = {
                { 10000, false, true }, { 10000, true, true },
                { 5001, false, true }, { 5001, true, true },
                { 5000, false, false }, { 5000, true, true },
                { 4000, false, false }, { 4000, true, true },
                { 3999, false, false }, { 3999, true, false },
                { 2000, false, false }, { 2000, true, false },
                { 1999, false, true }, { 1999, true, true },
                { 0, false, true }, { 0, true, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct gauge gauge = { .value = cases[i].value };
                const struct damos_meter meter = { read_gauge, &gauge };
                struct damos_wake wake = { .asleep = cases[i].asleep_before };
                bool changed = damos_watermarks_check(&reclaim, &wake, &meter, 0);

                assert_int_equal(wake.asleep, cases[i].asleep);
                assert_int_equal(changed, cases[i].asleep != cases[i].asleep_before);
                assert_int_equal(wake.value, cases[i].value);
                assert_int_equal(gauge.asked, DAMOS_FREE_MEM_RATE);
        }
}

static void metric_is_read_once_an_interval(void **state) {
        struct gauge gauge = { .value = 3000 };
        const struct damos_meter meter = { read_gauge, &gauge };
        struct damos_wake wake = {};

        for (uint64_t now = 100 * SEC; now < 160 * SEC; now += SEC / 10)
                assert_false(damos_watermarks_check(&reclaim, &wake, &meter, now));
        assert_int_equal(gauge.nr_asked, 12);
        /* asleep or not */
        gauge.value = 9000;
        assert_true(damos_watermarks_check(&reclaim, &wake, &meter, 160 * SEC));
        for (uint64_t now = 160 * SEC; now < 220 * SEC; now += SEC / 10)
                assert_false(damos_watermarks_check(&reclaim, &wake, &meter, now));
        assert_int_equal(gauge.nr_asked, 24);
}

static void what_cannot_be_read_lets_sleep(void **state) {
        struct gauge gauge = { .error = -ENOENT };
        const struct damos_meter meter = { read_gauge, &gauge };
        struct damos_wake wake = {};

        assert_true(damos_watermarks_check(&reclaim, &wake, &meter, 0));
        assert_true(wake.asleep);
        assert_int_equal(wake.error, -ENOENT);
        gauge = (struct gauge) { .value = 3000 };
        assert_true(damos_watermarks_check(&reclaim, &wake, &meter, 5 * SEC));
        assert_false(wake.asleep);
        assert_int_equal(wake.error, 0);
}

static void without_watermarks_nothing_is_read(void **state) {
        const struct damos_watermarks none = {};
        struct gauge gauge = { .value = 10000 };
        const struct damos_meter meter = { read_gauge, &gauge };
        struct damos_wake wake = {};

        assert_false(damos_watermarks_check(&none, &wake, &meter, SEC));
        assert_int_equal(gauge.nr_asked, 0);
        assert_false(wake.asleep);
}

static void watermarks_are_equal_if_all_of_them_is(void **state) {
        struct damos_watermarks others[5];

        assert_true(damos_watermarks_equal(&reclaim, &reclaim));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                others[i] = reclaim;
        others[0].metric = DAMOS_AVAILABLE_MEM_RATE;
        others[1].interval++;
        others[2].high++;
        others[3].mid++;
        others[4].low++;
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_false(damos_watermarks_equal(&reclaim, &others[i]));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(hysteresis_is_that_of_the_kernel),
                cmocka_unit_test(metric_is_read_once_an_interval),
                cmocka_unit_test(what_cannot_be_read_lets_sleep),
                cmocka_unit_test(without_watermarks_nothing_is_read),
                cmocka_unit_test(watermarks_are_equal_if_all_of_them_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
