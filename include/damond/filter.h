/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Filters: which of the memory that a scheme matches it leaves alone. See
 * Documentation/mm/damon/design.rst ("Filters") and damos_core_filter_out() in mm/damon/core.c,
 * Linux 6.15.
 *
 * The first filter that a piece of memory matches decides. What none matches is let through, unless
 * the last filter is one that allows, so that a list that ends in what may pass holds back all else.
 *
 * Differences to the kernel: filters are looked at in the order of the list, while the kernel begins
 * with those of addresses and targets; and there are more of them. What cannot be found out about
 * a page is not let through, if it makes a difference.
 *
 * Who looks knows more or less: filters of addresses and targets are for whoever knows nothing but
 * those, all others are for operations, which look at a mapping, or at each of its pages. Hence
 * three answers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/range.h>

/**
 * enum damos_filter_type - what memory a filter is for
 * @DAMOS_FILTER_ADDR:          of a range of addresses
 * @DAMOS_FILTER_TARGET:        of a target entry
 * @DAMOS_FILTER_ANON:          anonymous pages: those of no file, and copies of those of a file
 * @DAMOS_FILTER_FILE:          pages of a file that is not in memory only
 * @DAMOS_FILTER_SHARED:        not of the process alone: of a shared mapping, or mapped by others, too
 * @DAMOS_FILTER_HUGEPAGE_SIZE: of a folio of some size
 * @DAMOS_FILTER_YOUNG:         pages accessed since they were looked at, or never looked at
 * @DAMOS_FILTER_MEMCG:         of a process in a control group
 * @DAMOS_FILTER_MAPPING:       of mappings of some name
 */
enum damos_filter_type {
        DAMOS_FILTER_ADDR,
        DAMOS_FILTER_TARGET,
        DAMOS_FILTER_ANON,
        DAMOS_FILTER_FILE,
        DAMOS_FILTER_SHARED,
        DAMOS_FILTER_HUGEPAGE_SIZE,
        DAMOS_FILTER_YOUNG,
        DAMOS_FILTER_MEMCG,
        DAMOS_FILTER_MAPPING,
        _DAMOS_FILTER_TYPE_MAX,
};

/** DAMOS_FILTER_BIT - a type as a bit of a set of types */
#define DAMOS_FILTER_BIT(type) (UINT32_C(1) << (type))

/** DAMOS_FILTERS_PURE - types that need no operations, a set of DAMOS_FILTER_BIT() */
#define DAMOS_FILTERS_PURE                                                              \
        (DAMOS_FILTER_BIT(DAMOS_FILTER_ADDR) | DAMOS_FILTER_BIT(DAMOS_FILTER_TARGET))

/**
 * struct damos_filter - one filter
 * @type:       what memory it is for,
 * @matching:   or, if false, it is for all other memory
 * @allow:      that memory passes; if false it does not
 * @addr:       of %DAMOS_FILTER_ADDR: the addresses
 * @sz_min:     of %DAMOS_FILTER_HUGEPAGE_SIZE: smallest size, bytes,
 * @sz_max:     and largest
 * @text:       of %DAMOS_FILTER_TARGET the name, of %DAMOS_FILTER_MEMCG a glob for the path of the
 *              control group or of one that it lies in, of %DAMOS_FILTER_MAPPING a glob for the
 *              name; else NULL; owned
 */
struct damos_filter {
        enum damos_filter_type type;
        bool matching;
        bool allow;
        struct damon_range addr;
        uint64_t sz_min, sz_max;
        char *text;
};

/**
 * struct damos_filters - the filters of a scheme
 * @items:      @nr filters, in order; owned
 * @nr:         number of filters
 */
struct damos_filters {
        struct damos_filter *items;
        size_t nr;
};

/** enum damos_answer - whether something is so, as far as it is known */
enum damos_answer {
        DAMOS_UNKNOWN,
        DAMOS_NO,
        DAMOS_YES,
};

/**
 * struct damos_facts - what is known of some memory
 * @target:     name of its target
 * @addr:       its first address; filters of addresses treat all of it alike
 * @memcg:      path of its process's control group; NULL if not known
 * @mapping:    name of its mapping, "" if it has none; NULL if not known
 * @anon:       it is anonymous
 * @file:       it belongs to a file
 * @shared:     it is not of the process alone
 * @young:      it was accessed
 * @folio_known: @sz_folio is known
 * @sz_folio:   size of its folio, bytes; 0 if it is not in memory
 */
struct damos_facts {
        const char *target;
        uint64_t addr;
        const char *memcg;
        const char *mapping;
        enum damos_answer anon, file, shared, young;
        bool folio_known;
        uint64_t sz_folio;
};

/**
 * damos_filter_type_to_string() - name of a type, as in the configuration
 * @type:       type
 */
const char *damos_filter_type_to_string(enum damos_filter_type type);

/**
 * damos_filter_type_from_string() - type of a name
 * @name:       name
 * @ret_type:   set to the type
 *
 * Return: 0, -EINVAL if there is no such type.
 */
int damos_filter_type_from_string(const char *name, enum damos_filter_type *ret_type);

/** damos_filters_done() - release what filters own, leaving none */
void damos_filters_done(struct damos_filters *filters);

/**
 * damos_filters_copy() - make a copy
 * @ret_filters:        set to the copy
 * @filters:            what to copy
 *
 * Return: 0, -ENOMEM.
 */
int damos_filters_copy(struct damos_filters *ret_filters, const struct damos_filters *filters);

/** damos_filters_equal() - say whether two lists do the same in the same way */
bool damos_filters_equal(const struct damos_filters *a, const struct damos_filters *b);

/** damos_filters_types() - types that there are in a list, a set of DAMOS_FILTER_BIT() */
uint32_t damos_filters_types(const struct damos_filters *filters);

/**
 * damos_filters_let() - say whether filters let memory through
 * @filters:    filters
 * @facts:      what is known of it
 *
 * Return: %DAMOS_YES or %DAMOS_NO, also where not all that filters ask for is known, if it makes
 * no difference; else %DAMOS_UNKNOWN.
 */
enum damos_answer damos_filters_let(const struct damos_filters *filters, const struct damos_facts *facts);

/**
 * damos_filters_first_part() - the first part of a range that filters treat alike
 * @filters:    filters
 * @target:     name of the target
 * @range:      range, not empty
 * @ret_let:    set to what damos_filters_let() says of it, by address and target
 *
 * Return: the end of that part.
 */
uint64_t damos_filters_first_part(const struct damos_filters *filters, const char *target,
                                  struct damon_range range, enum damos_answer *ret_let);
