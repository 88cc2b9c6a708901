/* SPDX-License-Identifier: GPL-2.0-only */
/* The table that --explain prints, to the letter. */

#include "explain-table.h"

#include "macro.h"
#include "test.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)

static const struct damon_attrs attrs = {
        .sample_interval = 5000, .aggregation_interval = 100000, .update_interval = 1000000,
        .min_regions = 10, .max_regions = 1000,
};

static char name_db[] = "db", name_web[] = "web", name_none[] = "none", name_out[] = "out", name_all[] = "all";
static char *only_db[] = { name_db };

static struct damos_filter filter = { .type = DAMOS_FILTER_ANON };
static struct plan_target entries[] = { { .name = name_db }, { .name = name_web }, { .name = name_none } };
static struct damos schemes[] = {
        {
                .name = name_out, .action = DAMOS_PAGEOUT, .targets = only_db, .nr_targets = 1,
                .pattern = { { 4096, UINT64_MAX }, { 0, 0 }, { 60 * USEC_PER_SEC, UINT64_MAX } },
                .quota = { .size = 2 * MIB, .interval = USEC_PER_SEC },
        },
        {
                .name = name_all, .action = DAMOS_STAT, .dry_run = true,
                .pattern = { { 0, UINT64_MAX }, { 0, UINT64_MAX }, { 0, UINT64_MAX } },
        },
};

static const struct damon_region regions[] = {
        { .range = { 0, 5 * MIB }, .age = 600 },
        { .range = { 5 * MIB, 6 * MIB }, .age = 123 },
        { .range = { 6 * MIB, 6 * MIB + MIB / 2 }, .age = 299 },
        { .range = { 7 * MIB, 20 * MIB }, .nr_accesses = 20, .age = 90 },
};

static struct damon_target *target_new(const char *name, pid_t pid) {
        struct damon_target *target;

        ASSERT_OK(damon_target_new(&target, name, pid));
        for (size_t i = 0; i < ELEMENTSOF(regions); i++) {
                ASSERT_OK(damon_regions_append(&target->regions, regions[i].range));
                target->regions.items[i] = regions[i];
        }
        return target;
}

static void assert_prints(const struct explain_table *table, uint64_t watched, const char *expected) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        explain_table_print(table, watched, f);
        assert_int_equal(fclose(f), 0);
        assert_string_equal(text, expected);
}

static void table_is_by_scheme_and_entry(void **state) {
        static const struct damon_range resident = { 3 * MIB, 10 * MIB };
        const struct plan plan = {
                .attrs = attrs, .targets = entries, .nr_targets = ELEMENTSOF(entries),
                .schemes = schemes, .nr_schemes = ELEMENTSOF(schemes),
        };
        struct damon_target *targets[] = {
                target_new("db", 1), target_new("web", 2), target_new("db", 3), target_new("db", 4),
                target_new("gone from the plan", 5),
        };
        struct explain_table table;

        ASSERT_OK(explain_table_init(&table, &plan));
        assert_int_equal(explain_table_age(&table), 60 * USEC_PER_SEC);
        for (size_t i = 0; i < 3; i++)
                ASSERT_OK(damon_residency_set(&targets[i]->residency, &resident, 1));
        targets[3]->gone = true;
        explain_table_fill(&table, targets, ELEMENTSOF(targets), &attrs);
        /* what it was before does not count */
        explain_table_fill(&table, targets, ELEMENTSOF(targets), &attrs);
        assert_prints(&table, 59 * USEC_PER_SEC,
"\n"
"scheme out: pageout; size = [ \"4K\", \"max\" ]; nr_accesses = [ \"0%\", \"0%\" ]; age = [ \"1m\", \"max\" ]\n"
"                                  in memory   addresses   regions\n"
"  target db: 2 processes\n"
"    matches now                          4M         10M         2\n"
"    held back: frequency                 6M         26M         2\n"
"    held back: age                       3M          3M         4  up to 29s old\n"
"  target web: the scheme is not for it\n"
"  target none: no process\n"
"  held back: quota, which allows about 2M in 1s: 8M wait\n"
"  watched for 59s only: what is 1m old cannot be told yet\n"
"\n"
"scheme all: stat; size = [ \"min\", \"max\" ]; nr_accesses = [ \"min\", \"max\" ]; age = [ \"min\", \"max\" ]; dry run\n"
"                                  in memory   addresses   regions\n"
"  target db: 2 processes\n"
"    matches now                         13M         39M         8\n"
"  target web: 1 process\n"
"    matches now                        6.5M       19.5M         4\n"
"  target none: no process\n");

        /* what is found out at the end */
        schemes[0].filters = (struct damos_filters) { &filter, 1 };
        table.filtered[0] = 3 * MIB;
        table.asleep[0] = strdup("free_swap_rate is 3%, below its low watermark of 5%");
        assert_non_null(table.asleep[0]);

        /* a kernel that does not tell what is in memory */
        ASSERT_OK(damon_residency_set(&targets[1]->residency, NULL, 0));
        explain_table_fill(&table, targets + 1, 1, &attrs);
        assert_prints(&table, 60 * USEC_PER_SEC,
"\n"
"scheme out: pageout; size = [ \"4K\", \"max\" ]; nr_accesses = [ \"0%\", \"0%\" ]; age = [ \"1m\", \"max\" ]\n"
"                                  in memory   addresses   regions\n"
"  target db: no process\n"
"  target web: the scheme is not for it\n"
"  target none: no process\n"
"  held back: filters: 3M of what matches\n"
"  held back: quota, which allows about 2M in 1s: 0B wait\n"
"  held back: watermarks: free_swap_rate is 3%, below its low watermark of 5%\n"
"\n"
"scheme all: stat; size = [ \"min\", \"max\" ]; nr_accesses = [ \"min\", \"max\" ]; age = [ \"min\", \"max\" ]; dry run\n"
"                                  in memory   addresses   regions\n"
"  target db: no process\n"
"  target web: 1 process\n"
"    matches now                       19.5M       19.5M         4\n"
"  target none: no process\n"
"\n"
"What is in memory is not known, and all addresses are taken to be.\n");
        explain_table_done(&table);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                damon_target_free(targets[i]);
}

static void nothing_to_explain(void **state) {
        static const struct plan nothing;
        struct explain_table table;

        ASSERT_OK(explain_table_init(&table, &nothing));
        explain_table_fill(&table, NULL, 0, &attrs);
        assert_int_equal(explain_table_age(&table), 0);
        assert_prints(&table, 0, "");
        explain_table_done(&table);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(table_is_by_scheme_and_entry),
                cmocka_unit_test(nothing_to_explain),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
