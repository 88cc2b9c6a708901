/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every allocation of the configuration reader may fail: it says so, leaves nothing behind and
 * gives no half of a plan. Those of libconfig do not fail here, as it does not expect that.
 */

#include "test-conf.h"

/* Allocations until one fails; 0 is none. */
static size_t countdown;

static bool fails(void) {
        return countdown > 0 && --countdown == 0;
}

#define WRAP(type, name, parameters, arguments)                                 \
        type __real_##name parameters;                                          \
        type __wrap_##name parameters;                                          \
        type __wrap_##name parameters {                                         \
                return fails() ? NULL : __real_##name arguments;                \
        }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t nr, size_t size), (nr, size))
WRAP(void *, reallocarray, (void *p, size_t nr, size_t size), (p, nr, size))
WRAP(char *, strdup, (const char *s), (s))
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size))

int __real_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_asprintf(char **ret, const char *format, ...);

/* What is returned then is not to be used. */
int __wrap_vasprintf(char **ret, const char *format, va_list arguments) {
        *ret = (char *) 1;
        return fails() ? -1 : __real_vasprintf(ret, format, arguments);
}

int __wrap_asprintf(char **ret, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = __wrap_vasprintf(ret, format, arguments);
        va_end(arguments);
        return r;
}

/* Lets one allocation after another fail, until none does. Returns the plan, or NULL. */
static struct plan *load_without_memory(const char *path, int expected) {
        for (size_t n = 1;; n++) {
                struct conf_diag diag = {};
                struct plan *plan = NULL;
                int r;

                countdown = n;
                r = conf_load_from(path, no_directories, ACTIONS, &diag, &plan);
                conf_diag_done(&diag);
                if (countdown == 0) {
                        ASSERT_ERROR(r, ENOMEM);
                        assert_null(plan);
                        continue;
                }
                countdown = 0;
                assert_int_equal(r, expected);
                print_message("%zu allocations\n", n - 1);
                assert_true(n > 40);
                return plan;
        }
}

static void test_load(void **state) {
        struct plan *plan = load_without_memory(TEST_DATA "/conf/good/merged.conf", 0);

        plan_free(plan);
        plan = load_without_memory(TEST_DATA "/conf/good/full.conf", 0);
        plan_free(plan);
        plan = load_without_memory(TEST_DATA "/conf/good/goals.conf", 0);
        plan_free(plan);
        plan = load_without_memory(TEST_DATA "/conf/good/selectors.conf", 0);
        plan_free(plan);
}

static void test_errors(void **state) {
        assert_null(load_without_memory(TEST_DATA "/conf/bad/drop-ins.conf", -EINVAL));
}

static void test_dump(void **state) {
        struct plan *plan = load(TEST_DATA "/conf/good/merged.conf");
        FILE *f = fopen("/dev/null", "we");
        size_t n = 0;
        int r;

        assert_non_null(f);
        do {
                countdown = ++n;
                r = plan_dump(plan, f);
                if (countdown == 0)
                        ASSERT_ERROR(r, ENOMEM);
        } while (countdown == 0);
        countdown = 0;
        ASSERT_OK(r);
        assert_true(n > 50);
        fclose(f);
        plan_free(plan);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_dump),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
