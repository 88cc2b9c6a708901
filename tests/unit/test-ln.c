/* SPDX-License-Identifier: GPL-2.0-only */
/* The natural logarithm, against that of libm. */

#include <float.h>
#include <math.h>

#include "ln.h"
#include "macro.h"
#include "test.h"

static void ln_is_that_of_libm(void **state) {
        static const double numbers[] = {
                1, 2, 0.5, 10, 1e-3, 1.0 / 160, 0.999999, 1.000001, 4096, 1e300, 1e-300, DBL_MIN, DBL_MAX,
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                assert_true(fabs(ln(numbers[i]) - log(numbers[i])) <= 1e-9 * MAX(1, fabs(log(numbers[i]))));
        for (double x = 1e-6; x < 1e6; x *= 1.0007)
                assert_true(fabs(ln(x) - log(x)) < 1e-8);
}

static void ln_grows(void **state) {
        for (double x = 1; x < 4; x += 1e-5)
                assert_true(ln(x) < ln(x + 1e-5));
}

static void ln_of_nothing_is_below_all(void **state) {
        assert_true(ln(0) < ln(DBL_MIN));
        assert_true(ln(0) <= -1e300);
        assert_true(ln(DBL_MIN / 4) <= -1e300);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(ln_is_that_of_libm),
                cmocka_unit_test(ln_grows),
                cmocka_unit_test(ln_of_nothing_is_below_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
