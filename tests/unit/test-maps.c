/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/maps: what is memory and what is not, and that no text, however broken, is believed. */

#include "test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "macro.h"
#include "maps.h"
#include "rng.h"

#define NR_MUTATIONS 100000

#define _cleanup_maps_ _cleanup_(maps_done)

/* Taken from a small program on Linux 6.12 and shortened; every kind of line once. */
static const char good_text[] =
        "00400000-00452000 r-xp 00000000 08:02 173521                             /usr/bin/app\n"
        "00651000-00652000 rw-p 00051000 08:02 173521                             /usr/bin/app\n"
        "00e03000-00e24000 rw-p 00000000 00:00 0                                  [heap]\n"
        "7f1c00000000-7f1c00021000 rw-p 00000000 00:00 0 \n"
        "7f1c00021000-7f1c04000000 ---p 00000000 00:00 0 \n"
        "7f1c08000000-7f1c08002000 rw-s 00000000 00:05 77                /dev/zero (deleted)\n"
        "7f1c08400000-7f1c08600000 rw-s 00000000 00:0f 78                /anon_hugepage (deleted)\n"
        "7ffd1a2c0000-7ffd1a2e1000 rw-p 00000000 00:00 0                          [stack]\n"
        "7ffd1a3f0000-7ffd1a3f4000 r--p 00000000 00:00 0                          [vvar]\n"
        "7ffd1a3f4000-7ffd1a3f6000 r-xp 00000000 00:00 0                          [vdso]\n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

static const struct damon_range good_ranges[] = {
        { 0x400000, 0x452000 },
        { 0x651000, 0x652000 },
        { 0xe03000, 0xe24000 },
        { 0x7f1c00000000, 0x7f1c00021000 },
        { 0x7f1c00021000, 0x7f1c04000000 },
        { 0x7f1c08000000, 0x7f1c08002000 },
        { 0x7ffd1a2c0000, 0x7ffd1a2e1000 },
};

static void assert_ranges(const struct maps *maps, const struct damon_range *ranges, size_t nr) {
        assert_int_equal(maps->nr, nr);
        for (size_t i = 0; i < nr; i++) {
                assert_int_equal(maps->ranges[i].start, ranges[i].start);
                assert_int_equal(maps->ranges[i].end, ranges[i].end);
        }
}

/* The text is parsed where it ends with its block, so that a sanitizer sees a step too far. */
static int parse(struct maps *maps, const char *text, size_t size) {
        char *copy = malloc(size + 1);
        int r;

        assert_non_null(copy);
        memcpy(copy, text, size);
        copy[size] = '\0';
        r = maps_parse(maps, copy);
        free(copy);
        return r;
}

static void reads_a_maps_file(void **state) {
        _cleanup_maps_ struct maps maps = {};

        ASSERT_OK(parse(&maps, good_text, strlen(good_text)));
        assert_ranges(&maps, good_ranges, ELEMENTSOF(good_ranges));
}

static void says_what_each_mapping_is_of(void **state) {
        static const char *const names[] = {
                "/usr/bin/app", "/usr/bin/app", "[heap]", "", "", "/dev/zero (deleted)", "[stack]",
        };
        _cleanup_maps_ struct maps maps = {};

        ASSERT_OK(maps_parse(&maps, good_text));
        assert_int_equal(maps.nr, ELEMENTSOF(names));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(maps.mappings[i].length, strlen(names[i]));
                assert_memory_equal(maps.mappings[i].name, names[i], strlen(names[i]));
                assert_int_equal(maps.mappings[i].shared, i == 5);
        }
}

static void each_reading_starts_afresh(void **state) {
        _cleanup_maps_ struct maps maps = {};

        for (unsigned i = 0; i < 3; i++) {
                ASSERT_OK(parse(&maps, good_text, strlen(good_text)));
                assert_ranges(&maps, good_ranges, ELEMENTSOF(good_ranges));
        }
        ASSERT_OK(parse(&maps, "", 0));
        assert_int_equal(maps.nr, 0);
        ASSERT_ERROR(parse(&maps, "nonsense", 8), EBADMSG);
        ASSERT_OK(parse(&maps, good_text, strlen(good_text)));
        assert_ranges(&maps, good_ranges, ELEMENTSOF(good_ranges));
}

static void an_empty_file_has_no_mappings(void **state) {
        _cleanup_maps_ struct maps maps = {};

        ASSERT_OK(maps_parse(&maps, ""));
        assert_int_equal(maps.nr, 0);
}

static void the_last_line_may_lack_its_newline(void **state) {
        static const char with_name[] = "1000-2000 rw-p 00000000 00:00 0                  [heap]";
        static const char special[] = "1000-2000 r-xp 00000000 00:00 0                  [vdso]";
        static const char bare[] = "1000-2000 rw-p 00000000 00:00 0";
        static const struct damon_range range = { 0x1000, 0x2000 };
        _cleanup_maps_ struct maps maps = {};

        ASSERT_OK(parse(&maps, with_name, strlen(with_name)));
        assert_ranges(&maps, &range, 1);
        ASSERT_OK(parse(&maps, bare, strlen(bare)));
        assert_ranges(&maps, &range, 1);
        ASSERT_OK(parse(&maps, special, strlen(special)));
        assert_int_equal(maps.nr, 0);
}

/* Return: whether a mapping of this name between two others is taken for memory. */
static bool is_memory(const char *name) {
        static const struct damon_range all[] = {
                { 0x1000, 0x2000 }, { 0x2000, 0x5000 }, { 0x6000, 0x7000 },
        };
        static const struct damon_range without[] = { { 0x1000, 0x2000 }, { 0x6000, 0x7000 } };
        _cleanup_maps_ struct maps maps = {};
        char text[512];
        int n;

        n = snprintf(text, sizeof(text),
                     "1000-2000 rw-p 00000000 00:00 0 \n"
                     "2000-5000 rw-p 00000000 00:00 0                          %s\n"
                     "6000-7000 rw-p 00000000 00:00 0 \n", name);
        assert_in_range(n, 1, sizeof(text) - 1);
        ASSERT_OK(parse(&maps, text, (size_t) n));
        if (maps.nr == ELEMENTSOF(all))
                assert_ranges(&maps, all, ELEMENTSOF(all));
        else
                assert_ranges(&maps, without, ELEMENTSOF(without));
        return maps.nr == ELEMENTSOF(all);
}

static void special_mappings_are_left_out(void **state) {
        static const char *const names[] = {
                "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]",
                "/anon_hugepage", "/anon_hugepage (deleted)",
                "/dev/hugepages/x", "/dev/hugepages/x (deleted)",
                "/dev/foo", "/dev/dri/card0", "/dev/mem", "/dev/shmoo", "/dev/ze",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (is_memory(names[i]))
                        fail_msg("%s was taken for memory", names[i]);
}

static void everything_else_is_memory(void **state) {
        static const char *const names[] = {
                "", "[heap]", "[stack]", "[anon:arena]", "[anon_shmem:x]", "[vdso", "[vdso]x",
                "[vdso] (deleted)", "vdso]", "[vvar_]", "[vvar",
                "/dev/zero", "/dev/zero (deleted)", "/dev/shm/x", "/dev/shm/x (deleted)",
                "/usr/lib/a file with  spaces", "/usr/lib/libc.so.6 (deleted)",
                "/home/x/[vdso]", "/home/[vdso]/x", "/home/x [vdso] y", "/home/x [vdso]",
                "/home/dev/foo", "/devel/foo", "/memfd:buffer (deleted)", "/SYSV00000000 (deleted)",
                "/home/anon_hugepage", "/home/with\\012newline", "socket:[123]", "/d", "/",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (!is_memory(names[i]))
                        fail_msg("\"%s\" was not taken for memory", names[i]);
}

static void the_highest_addresses_fit(void **state) {
        static const char text[] = "fffffffffffff000-ffffffffffffffff rw-p 00000000 00:00 0 x\n";
        static const struct damon_range range = { 0xfffffffffffff000, 0xffffffffffffffff };
        _cleanup_maps_ struct maps maps = {};

        ASSERT_OK(parse(&maps, text, strlen(text)));
        assert_ranges(&maps, &range, 1);
}

static void malformed_lines_are_refused(void **state) {
        static const char *const texts[] = {
                "\n",
                "x\n",
                "1000\n",
                "1000-\n",
                "-2000 rw-p 00000000 00:00 0\n",
                "1000-2000\n",
                "1000-2000 \n",
                "1000-2000 rw-p\n",
                "1000-2000 rw-p 00000000\n",
                "1000-2000 rw-p 00000000 00:00\n",
                "1000-2000 rw-p 00000000 00:00 \n",
                "1000-2000 rw-p 00000000 00:00",
                "1000-2000 rw-p 00000000 00:00    ",
                "1000 2000 rw-p 00000000 00:00 0\n",
                "1000--2000 rw-p 00000000 00:00 0\n",
                "1000 -2000 rw-p 00000000 00:00 0\n",
                "1000- 2000 rw-p 00000000 00:00 0\n",
                " 1000-2000 rw-p 00000000 00:00 0\n",
                "0x1000-0x2000 rw-p 00000000 00:00 0\n",
                "1000-2000rw-p 00000000 00:00 0\n",
                "1000-2000\trw-p 00000000 00:00 0\n",
                "1000-200G rw-p 00000000 00:00 0\n",
                "A000-B000 rw-p 00000000 00:00 0\n",
                "0000000000001000f-2000 rw-p 00000000 00:00 0\n",
                "00000000000001000-2000 rw-p 00000000 00:00 0\n",
                "1000-00000000000002000 rw-p 00000000 00:00 0\n",
                "1000-1000 rw-p 00000000 00:00 0\n",
                "2000-1000 rw-p 00000000 00:00 0\n",
                "1000-2000 rw-p 00000000 00:00 0\n\n",
                "1000-2000 rw-p 00000000 00:00 0\n3000",
                /* what follows must not be taken for the rest of a line */
                "1000-2000 rw-p 00000000\n3000-4000 rw-p 00000000 00:00 0\n",
                "1000-\n2000 rw-p 00000000 00:00 0\n",
        };
        _cleanup_maps_ struct maps maps = {};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                int r = parse(&maps, texts[i], strlen(texts[i]));

                if (r != -EBADMSG)
                        fail_msg("\"%s\": got %d", texts[i], r);
        }
}

/* Whatever the rest of a line looks like, the lines before it are as they were. */
/* As mappings change while the kernel writes the text, one may come again. */
static void a_mapping_that_comes_again_is_taken_once(void **state) {
        static const struct {
                const char *text;
                uint64_t borders[4];
                size_t nr;
        } cases[] = {
                { "1000-3000 rw-p 00000000 00:00 0\n2000-4000 rw-p 00000000 00:00 0\n",
                  { 0x1000, 0x3000, 0x3000, 0x4000 }, 2 },
                { "1000-2000 rw-p 00000000 00:00 0\n1000-2000 rw-p 00000000 00:00 0\n",
                  { 0x1000, 0x2000 }, 1 },
                { "1000-4000 rw-p 00000000 00:00 0\n2000-3000 rw-p 00000000 00:00 0\n",
                  { 0x1000, 0x4000 }, 1 },
                { "3000-4000 rw-p 00000000 00:00 0\n1000-2000 rw-p 00000000 00:00 0\n",
                  { 0x3000, 0x4000 }, 1 },
        };
        _cleanup_maps_ struct maps maps = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ASSERT_OK(parse(&maps, cases[i].text, strlen(cases[i].text)));
                assert_int_equal(maps.nr, cases[i].nr);
                for (size_t k = 0; k < maps.nr; k++) {
                        assert_int_equal(maps.ranges[k].start, cases[i].borders[2 * k]);
                        assert_int_equal(maps.ranges[k].end, cases[i].borders[2 * k + 1]);
                }
        }
}

static void a_text_cut_anywhere_gives_what_came_before(void **state) {
        _cleanup_maps_ struct maps maps = {}, whole = {};
        size_t sz_whole = 0;

        for (size_t size = 0; size < strlen(good_text); size++) {
                int r;

                if (size > 0 && good_text[size - 1] == '\n')
                        sz_whole = size;
                ASSERT_OK(parse(&whole, good_text, sz_whole));
                r = parse(&maps, good_text, size);
                if (r < 0) {
                        assert_int_equal(r, -EBADMSG);
                        assert_true(size > sz_whole);
                        continue;
                }
                assert_in_range(maps.nr, whole.nr, whole.nr + 1);
                maps.nr = whole.nr;
                assert_ranges(&maps, whole.ranges, whole.nr);
        }
}

static void mutate(struct rng *rng, char *text, size_t size) {
        static const char telling[] = " \n-0f[]/\t:";

        for (uint64_t n = 1 + rng_below(rng, 4); n > 0; n--) {
                size_t at = (size_t) rng_below(rng, size);

                if (rng_below(rng, 2) == 0)
                        text[at] = telling[rng_below(rng, strlen(telling))];
                else
                        text[at] = (char) rng_below(rng, 256);
        }
}

static void random_mutations_never_crash_nor_give_disorder(void **state) {
        struct rng rng = { test_seed() };
        const size_t size = strlen(good_text);
        _cleanup_maps_ struct maps maps = {};
        _cleanup_free_ char *text = malloc(size + 1);
        unsigned nr_good = 0, nr_bad = 0;

        assert_non_null(text);
        for (unsigned i = 0; i < NR_MUTATIONS; i++) {
                int r;

                memcpy(text, good_text, size + 1);
                mutate(&rng, text, size);
                r = maps_parse(&maps, text);
                if (r < 0) {
                        assert_int_equal(r, -EBADMSG);
                        nr_bad++;
                        continue;
                }
                nr_good++;
                for (size_t k = 0; k < maps.nr; k++)
                        if (maps.ranges[k].start >= maps.ranges[k].end ||
                            (k > 0 && maps.ranges[k].start < maps.ranges[k - 1].end))
                                fail_msg("disorder from\n%s", text);
        }
        /* neither everything nor nothing was refused, or the mutations test nothing */
        assert_in_range(nr_good, NR_MUTATIONS / 100, NR_MUTATIONS);
        assert_in_range(nr_bad, NR_MUTATIONS / 100, NR_MUTATIONS);
}

static int open_process(pid_t pid) {
        char path[32];
        int fd;

        (void) snprintf(path, sizeof(path), "/proc/%d", (int) pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

static void a_process_that_ended_is_esrch(void **state) {
        _cleanup_close_ int dir_fd = -1;
        _cleanup_maps_ struct maps maps = {};
        siginfo_t info;
        pid_t pid;
        int r;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                pause();
                _exit(0);
        }
        dir_fd = open_process(pid);
        ASSERT_OK(maps_read(&maps, dir_fd));
        assert_true(maps.nr > 0);

        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        r = maps_read(&maps, dir_fd);           /* a zombie: kernels differ */
        assert_true(r == -ESRCH || (r == 0 && maps.nr == 0));
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        ASSERT_ERROR(maps_read(&maps, dir_fd), ESRCH);

        /* and so is a directory without the file */
        (void) close_safe(TAKE_FD(dir_fd));
        dir_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ASSERT_ERROR(maps_read(&maps, dir_fd), ESRCH);
}

static bool contains(const struct maps *maps, const void *p) {
        uint64_t addr = (uintptr_t) p;

        for (size_t i = 0; i < maps->nr; i++)
                if (maps->ranges[i].start <= addr && addr < maps->ranges[i].end)
                        return true;
        return false;
}

static void reads_its_own_process(void **state) {
        _cleanup_free_ char *small = malloc(100), *large = malloc(1 << 20);
        _cleanup_close_ int dir_fd = open_process(getpid());
        _cleanup_maps_ struct maps maps = {};
        int local = 0;

        assert_non_null(small);
        assert_non_null(large);
        ASSERT_OK(maps_read(&maps, dir_fd));
        assert_true(contains(&maps, &local));
        assert_true(contains(&maps, small));
        assert_true(contains(&maps, large));
        assert_true(contains(&maps, good_text));
        assert_true(contains(&maps, (const void *) (uintptr_t) maps_read));
        assert_false(contains(&maps, NULL));
        for (size_t i = 1; i < maps.nr; i++)
                assert_true(maps.ranges[i - 1].end <= maps.ranges[i].start);
        assert_true(maps.ranges[maps.nr - 1].end <= UINT64_C(0xffffffffff600000));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_a_maps_file),
                cmocka_unit_test(says_what_each_mapping_is_of),
                cmocka_unit_test(each_reading_starts_afresh),
                cmocka_unit_test(an_empty_file_has_no_mappings),
                cmocka_unit_test(the_last_line_may_lack_its_newline),
                cmocka_unit_test(special_mappings_are_left_out),
                cmocka_unit_test(everything_else_is_memory),
                cmocka_unit_test(the_highest_addresses_fit),
                cmocka_unit_test(malformed_lines_are_refused),
                cmocka_unit_test(a_mapping_that_comes_again_is_taken_once),
                cmocka_unit_test(a_text_cut_anywhere_gives_what_came_before),
                cmocka_unit_test(random_mutations_never_crash_nor_give_disorder),
                cmocka_unit_test(a_process_that_ended_is_esrch),
                cmocka_unit_test(reads_its_own_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
