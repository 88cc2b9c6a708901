/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters that need a look, on files made up by the test: a page map, page flags, the bitmap, and the
 * control group of a process.
 */

#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kpageflags.h"
#include "macro.h"
#include "pagemap.h"
#include "rng.h"
#include "sieve.h"

#define PAGE UINT64_C(4096)
#define NR_PAGES 2048
#define NR_FRAMES 8192
#define FIRST UINT64_C(0x10000)                 /* page number of the first one */
#define ADDR(page) ((FIRST + (page)) * PAGE)

static struct {
        int dir_fd;                             /* of the process */
        struct page_idle_files files;
        struct process process;
        struct sieve sieve;
        bool sifting;
} test;

static int open_fake(void) {
        int fd = memfd_create("fake", MFD_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static int setup(void **state) {
        char path[] = "/tmp/test-sieve-XXXXXX";

        memset(&test, 0, sizeof(test));
        assert_non_null(mkdtemp(path));
        test.process = (struct process) { -1, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), open_fake(), {} };
        assert_true(test.process.dir_fd >= 0);
        assert_int_equal(rmdir(path), 0);
        test.files = (struct page_idle_files) {
                .bitmap_fd = open_fake(), .kpageflags_fd = open_fake(), .page_size = PAGE,
        };
        assert_int_equal(ftruncate(test.process.pagemap_fd, (off_t) (FIRST + NR_PAGES) * 8), 0);
        assert_int_equal(ftruncate(test.files.kpageflags_fd, NR_FRAMES * 8), 0);
        assert_int_equal(ftruncate(test.files.bitmap_fd, NR_FRAMES / 8), 0);
        return 0;
}

static int teardown(void **state) {
        sieve_done(&test.sieve);
        close(test.process.dir_fd);
        close(test.process.pagemap_fd);
        close(test.files.bitmap_fd);
        close(test.files.kpageflags_fd);
        return 0;
}

static void put(int fd, uint64_t i, uint64_t value) {
        assert_int_equal(pwrite(fd, &value, 8, (off_t) i * 8), 8);
}

static uint64_t get(int fd, uint64_t i) {
        uint64_t value;

        assert_int_equal(pread(fd, &value, 8, (off_t) i * 8), 8);
        return value;
}

ssize_t __real_pwrite(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t size, off_t offset);

/* A bit that is written as 0 stays as it is, see bitmap.h. */
ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t offset) {
        uint64_t word = *(const uint64_t *) buf;

        assert_int_equal(size, sizeof(word));
        if (test.sifting)
                word |= get(fd, (uint64_t) offset / 8);
        return __real_pwrite(fd, &word, size, offset);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t size, off_t offset) {
        return __wrap_pwrite(fd, buf, size, offset);
}

static void set_entry(uint64_t page, uint64_t entry) {
        put(test.process.pagemap_fd, FIRST + page, entry);
}

/* A page on the LRU */
static void map_page(uint64_t page, uint64_t pfn, uint64_t bits, uint64_t flags) {
        set_entry(page, PAGEMAP_PRESENT | bits | pfn);
        put(test.files.kpageflags_fd, pfn, KPF_LRU | flags);
}

static void map_folio(uint64_t page, uint64_t head, unsigned order) {
        for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
                map_page(page + i, head + i, PAGEMAP_EXCLUSIVE, i == 0 ? KPF_COMPOUND_HEAD : KPF_COMPOUND_TAIL);
}

static void set_idle(uint64_t pfn) {
        put(test.files.bitmap_fd, pfn / 64, get(test.files.bitmap_fd, pfn / 64) | UINT64_C(1) << pfn % 64);
}

static struct mapping mapping_of(const char *name, bool shared) {
        return (struct mapping) { name, strlen(name), shared };
}

static struct damos_filter filter(enum damos_filter_type type, bool allow) {
        return (struct damos_filter) { .type = type, .matching = true, .allow = allow };
}

/* Pass @nr pages; what is let through of them, as a string of 0 and 1. */
static const char *sift_list(const struct damos_filters *filters, struct mapping mapping, size_t nr) {
        static char passed[NR_PAGES + 1];

        assert_true(nr <= NR_PAGES);
        test.sifting = true;
        ASSERT_OK(sieve_begin(&test.sieve, &test.files, &test.process, "t", filters));
        ASSERT_OK(sieve_range(&test.sieve, &mapping, (struct damon_range) { ADDR(0), ADDR(nr) }));
        ASSERT_OK(sieve_end(&test.sieve));
        test.sifting = false;
        memset(passed, '0', nr);
        passed[nr] = '\0';
        for (size_t i = 0; i < test.sieve.nr_passed; i++) {
                const struct damon_range *range = &test.sieve.passed[i];

                assert_true(range->start < range->end && range->end <= ADDR(nr));
                /* what adjoins is one */
                assert_true(i == 0 || range->start > test.sieve.passed[i - 1].end);
                for (uint64_t addr = range->start; addr < range->end; addr += PAGE)
                        passed[(addr - ADDR(0)) / PAGE] = '1';
        }
        return passed;
}

static const char *sift(struct damos_filter one, struct mapping mapping, size_t nr) {
        return sift_list(&(struct damos_filters) { &one, 1 }, mapping, nr);
}

static void private_file_has_pages_of_both_kinds(void **state) {
        const struct mapping file = mapping_of("/usr/lib/libc.so.6", false);

        map_page(0, 100, PAGEMAP_FILE | PAGEMAP_EXCLUSIVE, 0);
        map_page(1, 101, PAGEMAP_EXCLUSIVE, KPF_SWAPBACKED);
        set_entry(2, PAGEMAP_SWAPPED | 5 << 5);
        set_entry(3, 0);
        map_page(4, 102, PAGEMAP_FILE, 0);
        assert_string_equal(sift(filter(DAMOS_FILTER_ANON, true), file, 5), "01100");
        assert_string_equal(sift(filter(DAMOS_FILTER_ANON, false), file, 5), "10011");
        assert_string_equal(sift(filter(DAMOS_FILTER_FILE, true), file, 5), "10011");
        assert_string_equal(sift(filter(DAMOS_FILTER_SHARED, true), file, 5), "00001");
        assert_string_equal(sift(filter(DAMOS_FILTER_SHARED, false), file, 5), "11110");
}

static void shared_memory_is_neither_anonymous_nor_of_a_file(void **state) {
        static const char *const names[] = {
                "/dev/zero (deleted)", "/SYSV00000000 (deleted)", "/memfd:x (deleted)", "/dev/shm/x", "/run/tmpfs",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const struct mapping mapping = mapping_of(names[i], true);

                map_page(0, 100, PAGEMAP_FILE | PAGEMAP_EXCLUSIVE, KPF_SWAPBACKED);
                set_entry(1, 0);
                map_page(2, 101, PAGEMAP_FILE, KPF_SWAPBACKED);
                assert_string_equal(sift(filter(DAMOS_FILTER_ANON, true), mapping, 3), "000");
                assert_string_equal(sift(filter(DAMOS_FILTER_FILE, true), mapping, 3), "000");
                assert_string_equal(sift(filter(DAMOS_FILTER_SHARED, true), mapping, 3), "111");
                /* where no page is there, only the name can tell, and of a tmpfs it cannot */
                set_entry(0, 0);
                set_entry(2, 0);
                assert_string_equal(sift(filter(DAMOS_FILTER_FILE, true), mapping, 3), i < 4 ? "000" : "111");
        }
}

/* The line of the mapping is enough: there is no page map that could be read. */
static void what_the_mapping_tells_needs_no_look_at_pages(void **state) {
        const struct mapping heap = mapping_of("[heap]", false), none = mapping_of("", false);
        struct damos_filter named = filter(DAMOS_FILTER_MAPPING, true);
        struct damos_filter last[] = { filter(DAMOS_FILTER_YOUNG, false), named };
        const struct damos_filters both = { last, 2 };
        static char name[] = "[heap]";

        assert_int_equal(ftruncate(test.process.pagemap_fd, 0), 0);
        named.text = last[1].text = name;
        assert_string_equal(sift(named, heap, 3), "111");
        assert_string_equal(sift(named, none, 3), "000");
        assert_string_equal(sift(filter(DAMOS_FILTER_ANON, true), heap, 3), "111");
        assert_string_equal(sift(filter(DAMOS_FILTER_ANON, true), none, 3), "111");
        assert_string_equal(sift(filter(DAMOS_FILTER_FILE, true), none, 3), "000");
        assert_string_equal(sift(filter(DAMOS_FILTER_SHARED, true), mapping_of("/f", true), 3), "111");
        /* young or not, it is rejected */
        assert_string_equal(sift_list(&both, none, 3), "000");
        /* and here it would make a difference */
        ASSERT_OK(sieve_begin(&test.sieve, &test.files, &test.process, "t", &both));
        ASSERT_ERROR(sieve_range(&test.sieve, &heap, (struct damon_range) { ADDR(0), ADDR(3) }), ESRCH);
}

static void name_of_a_deleted_file_is_its_name(void **state) {
        struct damos_filter named = filter(DAMOS_FILTER_MAPPING, true);
        static char name[] = "/tmp/data";

        named.text = name;
        assert_string_equal(sift(named, mapping_of("/tmp/data (deleted)", false), 1), "1");
        assert_string_equal(sift(named, mapping_of("/tmp/data", true), 1), "1");
        assert_string_equal(sift(named, mapping_of("/tmp/data (deleted) ", true), 1), "0");
        assert_string_equal(sift(named, mapping_of(" (deleted)", true), 1), "0");
}

static void folios_have_sizes(void **state) {
        struct damos_filter huge = filter(DAMOS_FILTER_HUGEPAGE_SIZE, true);

        /* 4 pages of a folio, 1 page, 8 pages, the last two of 4, nothing */
        map_folio(0, 512, 2);
        map_page(4, 516, PAGEMAP_EXCLUSIVE, 0);
        map_folio(5, 520, 3);
        map_folio(13, 528, 2);
        map_page(13, 530, 0, KPF_COMPOUND_TAIL);
        map_page(14, 531, 0, KPF_COMPOUND_TAIL);
        put(test.files.kpageflags_fd, 528, KPF_LRU | KPF_COMPOUND_HEAD);
        put(test.files.kpageflags_fd, 529, KPF_LRU | KPF_COMPOUND_TAIL);
        set_entry(15, 0);
        huge.sz_min = huge.sz_max = 4 * PAGE;
        assert_string_equal(sift(huge, mapping_of("", false), 16), "1111000000000110");
        huge.sz_max = UINT64_MAX;
        assert_string_equal(sift(huge, mapping_of("", false), 16), "1111011111111110");
        huge.sz_min = huge.sz_max = PAGE;
        assert_string_equal(sift(huge, mapping_of("", false), 16), "0000100000000000");
}

static void huge_page_is_found_from_any_part_of_it(void **state) {
        struct damos_filter huge = filter(DAMOS_FILTER_HUGEPAGE_SIZE, true);
        const struct damos_filters filters = { &huge, 1 };

        map_folio(0, 1024, 9);
        map_folio(512, 1536, 9);
        huge.sz_min = huge.sz_max = 512 * PAGE;
        for (uint64_t page = 0; page < 1024; page += 73) {
                const struct mapping mapping = mapping_of("", false);

                ASSERT_OK(sieve_begin(&test.sieve, &test.files, &test.process, "t", &filters));
                ASSERT_OK(sieve_range(&test.sieve, &mapping, (struct damon_range) { ADDR(page), ADDR(1024) }));
                assert_int_equal(test.sieve.nr_passed, 1);
                assert_int_equal(test.sieve.passed[0].start, ADDR(page));
                assert_int_equal(test.sieve.passed[0].end, ADDR(1024));
        }
}

static void young_pages_are_marked_and_old_the_next_time(void **state) {
        const struct mapping mapping = mapping_of("", false);
        const struct damos_filter old = filter(DAMOS_FILTER_YOUNG, false);

        map_page(0, 100, 0, 0);
        map_page(1, 200, 0, 0);
        map_page(2, 101, 0, 0);
        map_page(3, 201, 0, 0);
        map_folio(4, 320, 2);
        set_entry(8, 0);
        set_entry(9, PAGEMAP_SWAPPED | 5 << 5);
        set_idle(200);
        set_idle(101);
        assert_string_equal(sift(old, mapping, 10), "0110000011");
        /* all that are there are marked now, and nothing else */
        assert_int_equal(get(test.files.bitmap_fd, 320 / 64), UINT64_C(1) << 320 % 64);
        assert_int_equal(get(test.files.bitmap_fd, 100 / 64), UINT64_C(3) << 100 % 64);
        assert_int_equal(get(test.files.bitmap_fd, 200 / 64), UINT64_C(3) << 200 % 64);
        assert_string_equal(sift(old, mapping, 10), "1111111111");
}

/* Not on the LRU, behind the end of the bitmap, being moved, without a head: nothing can be said. */
static void what_cannot_be_told_is_not_let_through(void **state) {
        const struct mapping mapping = mapping_of("", false);

        map_page(0, 100, 0, 0);
        put(test.files.kpageflags_fd, 100, 0);
        map_page(1, NR_FRAMES + 64, 0, 0);
        set_entry(2, PAGEMAP_SWAPPED | 30);
        map_page(3, 300, 0, KPF_COMPOUND_TAIL);
        map_page(4, 301, 0, 0);
        set_idle(301);
        assert_string_equal(sift(filter(DAMOS_FILTER_YOUNG, false), mapping, 5), "00001");
        assert_string_equal(sift(filter(DAMOS_FILTER_YOUNG, true), mapping, 5), "00000");
        /* that it is anonymous the mapping tells */
        assert_string_equal(sift(filter(DAMOS_FILTER_ANON, true), mapping, 5), "11111");
        assert_string_equal(sift(filter(DAMOS_FILTER_ANON, true), mapping_of("/f", false), 5), "11011");
}

static void put_cgroup(const char *text) {
        static struct damos_filter memcg = { .type = DAMOS_FILTER_MEMCG };
        const struct damos_filters filters = { &memcg, 1 };
        char path[] = "/tmp/test-sieve-XXXXXX", file[64];
        int fd;

        assert_non_null(mkdtemp(path));
        (void) snprintf(file, sizeof(file), "%s/cgroup", path);
        fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        close(test.process.dir_fd);
        test.process.dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        ASSERT_OK(sieve_begin(&test.sieve, &test.files, &test.process, "t", &filters));
        assert_int_equal(unlink(file), 0);
        assert_int_equal(rmdir(path), 0);
}

static void control_group_is_that_of_memory(void **state) {
        put_cgroup("0::/a/b\n");
        assert_string_equal(test.sieve.memcg, "/a/b");
        put_cgroup("12:cpu,cpuacct:/cpu\n5:memory:/mem\n1:name=systemd:/unit\n0::/unified\n");
        assert_string_equal(test.sieve.memcg, "/mem");
        put_cgroup("1:name=systemd:/unit\n0::/with:colons\n");
        assert_string_equal(test.sieve.memcg, "/with:colons");
        put_cgroup("1:name=systemd:/unit\n");
        assert_null(test.sieve.memcg);
        put_cgroup("nonsense\n::\n:\n");
        assert_string_equal(test.sieve.memcg, "");
        put_cgroup("");
        assert_null(test.sieve.memcg);
}

static void process_without_a_control_group_is_not_let_through(void **state) {
        struct damos_filter memcg = filter(DAMOS_FILTER_MEMCG, true);
        static char path[] = "/";

        memcg.text = path;
        assert_string_equal(sift(memcg, mapping_of("", false), 3), "000");
        memcg.allow = false;
        assert_string_equal(sift(memcg, mapping_of("", false), 3), "000");
}

/* What is known of a page, made up at random, in the words of the test */
struct truth {
        bool present, anon, shared, young, huge;
};

/* A list of any two filters on random pages lets through what the rule says. */
static void random_pages_are_sifted_by_the_rule(void **state) {
        static const enum damos_filter_type types[] = {
                DAMOS_FILTER_ANON, DAMOS_FILTER_FILE, DAMOS_FILTER_SHARED, DAMOS_FILTER_YOUNG,
                DAMOS_FILTER_HUGEPAGE_SIZE,
        };
        static struct truth truth[NR_PAGES];
        struct rng rng = { test_seed() };

        for (int round = 0; round < 100; round++) {
                struct damos_filter items[2];
                const char *passed;

                for (size_t i = 0; i < 2; i++) {
                        items[i] = filter(types[rng_below(&rng, ELEMENTSOF(types))], rng_below(&rng, 2));
                        items[i].matching = rng_below(&rng, 2);
                        items[i].sz_min = items[i].sz_max = 2 * PAGE;
                }
                for (uint64_t i = 0; i < NR_FRAMES / 64; i++)
                        put(test.files.bitmap_fd, i, 0);
                for (uint64_t page = 0; page < NR_PAGES; page += 2) {
                        /* two pages of one folio, or one page that is there, and one that is not */
                        uint64_t pfn = 2 * ((page * 2654435761 >> 3) % (NR_FRAMES / 2));
                        struct truth t = {
                                true, rng_below(&rng, 2), rng_below(&rng, 2), rng_below(&rng, 2), rng_below(&rng, 2),
                        };
                        uint64_t bits = (t.anon ? 0 : PAGEMAP_FILE) | (t.shared ? 0 : PAGEMAP_EXCLUSIVE);

                        map_page(page, pfn, bits, t.huge ? KPF_COMPOUND_HEAD : 0);
                        put(test.files.kpageflags_fd, pfn + 1, KPF_LRU | (t.huge ? KPF_COMPOUND_TAIL : 0));
                        set_entry(page + 1, t.huge ? PAGEMAP_PRESENT | bits | (pfn + 1) : 0);
                        if (!t.young)
                                set_idle(pfn);
                        truth[page] = t;
                        truth[page + 1] = t.huge ? t : (struct truth) {};
                }
                passed = sift_list(&(struct damos_filters) { items, 2 }, mapping_of("/f", false), NR_PAGES);
                for (size_t page = 0; page < NR_PAGES; page++) {
                        const struct truth *t = &truth[page];
                        const struct damos_facts facts = {
                                .target = "t",
                                .anon = t->anon ? DAMOS_YES : DAMOS_NO,
                                .file = t->anon ? DAMOS_NO : DAMOS_YES,
                                .shared = t->shared ? DAMOS_YES : DAMOS_NO,
                                .young = t->young ? DAMOS_YES : DAMOS_NO,
                                .folio_known = true,
                                .sz_folio = t->huge ? 2 * PAGE : t->present ? PAGE : 0,
                        };

                        if ((passed[page] == '1') !=
                            (damos_filters_let(&(struct damos_filters) { items, 2 }, &facts) == DAMOS_YES))
                                fail_msg("page %zu of round %d: %c", page, round, passed[page]);
                }
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(private_file_has_pages_of_both_kinds),
                TEST(shared_memory_is_neither_anonymous_nor_of_a_file),
                TEST(what_the_mapping_tells_needs_no_look_at_pages),
                TEST(name_of_a_deleted_file_is_its_name),
                TEST(folios_have_sizes),
                TEST(huge_page_is_found_from_any_part_of_it),
                TEST(young_pages_are_marked_and_old_the_next_time),
                TEST(what_cannot_be_told_is_not_let_through),
                TEST(control_group_is_that_of_memory),
                TEST(process_without_a_control_group_is_not_let_through),
                TEST(random_pages_are_sifted_by_the_rule),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
