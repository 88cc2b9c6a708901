/* SPDX-License-Identifier: GPL-2.0-only */
/* Code and constants: that they leave memory and come back, and that what was written to them stays. */

#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "macro.h"
#include "pagemap.h"
#include "text.h"

/* The largest pages, and what comes in around a page that faults. */
#define AROUND (64 * 1024)

#define NR_AROUND 3

/* Behind a pointer that the compiler does not see through, or it would not read them. */
static const char constants[NR_AROUND * AROUND] __attribute__((aligned(AROUND))) = {
        [AROUND] = 'c', [AROUND + 1] = 'd',
};

static const char *volatile of_file = &constants[AROUND];

static bool is_mapped(const char *p) {
        uint64_t page_size = (uint64_t) sysconf(_SC_PAGESIZE), entry;
        _cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pagemap_read(fd, (uintptr_t) p, page_size, &entry, 1), 1);
        return pagemap_present(entry);
}

static void test_goes_and_comes_back(void **state) {
        int64_t unmapped;

        assert_int_equal(of_file[0], 'c');
        assert_true(is_mapped(of_file));
        unmapped = text_let_go();
        assert_false(is_mapped(of_file));
        assert_true(unmapped > 0);
        assert_int_equal(of_file[0], 'c');
        assert_true(is_mapped(of_file));
}

/* As a debugger writes a breakpoint, or the linker a relocation. */
static void test_written_stays(void **state) {
        size_t page_size = (size_t) sysconf(_SC_PAGESIZE);
        char *page = (char *) (uintptr_t) of_file;

        assert_int_equal(mprotect(page, page_size, PROT_READ | PROT_WRITE), 0);
        *(volatile char *) page = 'w';
        assert_int_equal(mprotect(page, page_size, PROT_READ), 0);
        assert_true(text_let_go() >= 0);
        assert_true(is_mapped(page));
        assert_int_equal(of_file[0], 'w');
        assert_int_equal(of_file[1], 'd');
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_goes_and_comes_back),
                cmocka_unit_test(test_written_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
