/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters: see filter.h. */

#include <damond/filter.h>

#include <assert.h>
#include <fnmatch.h>
#include <string.h>

#include "macro.h"
#include "path.h"

/* Those that the kernel has, too, are called as there: mm/damon/sysfs-schemes.c, Linux 6.15. */
static const char *const type_names[_DAMOS_FILTER_TYPE_MAX] = {
        [DAMOS_FILTER_ADDR] = "addr",
        [DAMOS_FILTER_TARGET] = "target",
        [DAMOS_FILTER_ANON] = "anon",
        [DAMOS_FILTER_FILE] = "file",
        [DAMOS_FILTER_SHARED] = "shared",
        [DAMOS_FILTER_HUGEPAGE_SIZE] = "hugepage_size",
        [DAMOS_FILTER_YOUNG] = "young",
        [DAMOS_FILTER_MEMCG] = "memcg",
        [DAMOS_FILTER_MAPPING] = "mapping",
};

const char *damos_filter_type_to_string(enum damos_filter_type type) {
        assert((size_t) type < ELEMENTSOF(type_names));
        return type_names[type];
}

int damos_filter_type_from_string(const char *name, enum damos_filter_type *ret_type) {
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (strcmp(name, type_names[i]) == 0) {
                        *ret_type = (enum damos_filter_type) i;
                        return 0;
                }
        return -EINVAL;
}

void damos_filters_done(struct damos_filters *filters) {
        for (size_t i = 0; i < filters->nr; i++)
                free(filters->items[i].text);
        free(filters->items);
        *filters = (struct damos_filters) {};
}

int damos_filters_copy(struct damos_filters *ret_filters, const struct damos_filters *filters) {
        struct damos_filters copy = {};

        if (filters->nr > 0) {
                copy.items = calloc(filters->nr, sizeof(copy.items[0]));
                if (!copy.items)
                        return -ENOMEM;
        }
        for (; copy.nr < filters->nr; copy.nr++) {
                struct damos_filter *item = &copy.items[copy.nr];

                *item = filters->items[copy.nr];
                if (!item->text)
                        continue;
                item->text = strdup(item->text);
                if (!item->text) {
                        damos_filters_done(&copy);
                        return -ENOMEM;
                }
        }
        *ret_filters = copy;
        return 0;
}

static bool filter_equal(const struct damos_filter *a, const struct damos_filter *b) {
        return a->type == b->type && a->matching == b->matching && a->allow == b->allow &&
               a->addr.start == b->addr.start && a->addr.end == b->addr.end &&
               a->sz_min == b->sz_min && a->sz_max == b->sz_max &&
               (a->text && b->text ? strcmp(a->text, b->text) == 0 : a->text == b->text);
}

bool damos_filters_equal(const struct damos_filters *a, const struct damos_filters *b) {
        if (a->nr != b->nr)
                return false;
        for (size_t i = 0; i < a->nr; i++)
                if (!filter_equal(&a->items[i], &b->items[i]))
                        return false;
        return true;
}

uint32_t damos_filters_types(const struct damos_filters *filters) {
        uint32_t types = 0;

        for (size_t i = 0; i < filters->nr; i++)
                types |= DAMOS_FILTER_BIT(filters->items[i].type);
        return types;
}

static enum damos_answer answer(bool is_so) {
        return is_so ? DAMOS_YES : DAMOS_NO;
}

/* Names of no file are in brackets, which a glob would take for a set of characters. */
static bool is_named(const char *name, const char *glob) {
        if (glob[0] == '[')
                return name[0] == '[' && fnmatch(glob + 1, name + 1, FNM_NOESCAPE) == 0;
        return fnmatch(glob, name, 0) == 0;
}

static enum damos_answer is_for(const struct damos_filter *filter, const struct damos_facts *facts) {
        switch (filter->type) {
        case DAMOS_FILTER_ADDR:
                return answer(facts->addr >= filter->addr.start && facts->addr < filter->addr.end);
        case DAMOS_FILTER_TARGET:
                return answer(strcmp(facts->target, filter->text) == 0);
        case DAMOS_FILTER_ANON:
                return facts->anon;
        case DAMOS_FILTER_FILE:
                return facts->file;
        case DAMOS_FILTER_SHARED:
                return facts->shared;
        case DAMOS_FILTER_HUGEPAGE_SIZE:
                return facts->folio_known ? answer(facts->sz_folio >= filter->sz_min &&
                                                   facts->sz_folio <= filter->sz_max) : DAMOS_UNKNOWN;
        case DAMOS_FILTER_YOUNG:
                return facts->young;
        case DAMOS_FILTER_MEMCG:
                return facts->memcg ? answer(path_is_in(facts->memcg, filter->text)) : DAMOS_UNKNOWN;
        case DAMOS_FILTER_MAPPING:
                return facts->mapping ? answer(is_named(facts->mapping, filter->text)) : DAMOS_UNKNOWN;
        default:
                assert(!"no such filter");
                return DAMOS_UNKNOWN;
        }
}

/* A filter that may match leaves two ways open: that it decides, and that a later one does. */
enum damos_answer damos_filters_let(const struct damos_filters *filters, const struct damos_facts *facts) {
        enum damos_answer last = answer(filters->nr == 0 || !filters->items[filters->nr - 1].allow);
        bool may_pass = false, may_stay = false;

        for (size_t i = 0; i < filters->nr; i++) {
                const struct damos_filter *filter = &filters->items[i];
                enum damos_answer is_so = is_for(filter, facts);

                if (is_so == (filter->matching ? DAMOS_NO : DAMOS_YES))
                        continue;
                if (is_so != DAMOS_UNKNOWN) {
                        last = answer(filter->allow);
                        break;
                }
                may_pass |= filter->allow;
                may_stay |= !filter->allow;
        }
        if (last == DAMOS_YES)
                return may_stay ? DAMOS_UNKNOWN : DAMOS_YES;
        return may_pass ? DAMOS_UNKNOWN : DAMOS_NO;
}

/* The first address behind @addr where a filter begins or ends. */
static uint64_t next_border(const struct damos_filters *filters, uint64_t addr) {
        uint64_t border = UINT64_MAX;

        for (size_t i = 0; i < filters->nr; i++) {
                const struct damos_filter *filter = &filters->items[i];

                if (filter->type != DAMOS_FILTER_ADDR)
                        continue;
                if (filter->addr.start > addr)
                        border = MIN(border, filter->addr.start);
                if (filter->addr.end > addr)
                        border = MIN(border, filter->addr.end);
        }
        return border;
}

uint64_t damos_filters_first_part(const struct damos_filters *filters, const char *target,
                                  struct damon_range range, enum damos_answer *ret_let) {
        struct damos_facts facts = { .target = target, .addr = range.start };
        enum damos_answer let = damos_filters_let(filters, &facts);

        do
                facts.addr = next_border(filters, facts.addr);
        while (facts.addr < range.end && damos_filters_let(filters, &facts) == let);
        *ret_let = let;
        return MIN(facts.addr, range.end);
}
