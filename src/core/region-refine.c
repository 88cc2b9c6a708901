/* SPDX-License-Identifier: GPL-2.0-only */
/* How regions are cut where that finds something out; see region.h. */

#include <damond/region.h>

#include "macro.h"
#include "region-parts.h"

/* A part of a region differs from the rest if so much speaks for that; see region-fold.c. */
#define GAIN_CUT 3.0

/* Checks of a piece that say enough of it to be told. */
#define NR_TELLING 3

/* How urgent cuts are: differences first, then what is mixed, then the large. */
#define URGENCY_DIFFERENT 128
#define URGENCY_TOLD 138        /* by so much that it is no change in time, seen here and there */
#define URGENCY_MIXED 64
#define URGENCY_MAX 255

/* How much is to be found out by a cut, and where: see damon_regions_refine(). */
static void plan_cut(struct damon_region *region, uint64_t sz_explore, uint64_t page_size) {
        struct damon_cut cut = damon_evidence_cut(&region->evidence);
        double rate = damon_evidence_rate(&region->evidence);
        unsigned urgency = 0;

        if (damon_region_nr_pages(region, page_size) < 2 || region->absent)
                cut.gain = 0;
        else if (cut.gain > GAIN_CUT)
                urgency = URGENCY_DIFFERENT + (unsigned) MIN(2 * cut.gain, URGENCY_MAX - URGENCY_DIFFERENT);
        else if (!region->uniform)
                urgency = URGENCY_MIXED +
                          (unsigned) (4 * rate * (1 - rate) * (URGENCY_DIFFERENT - URGENCY_MIXED - 1));
        else if (damon_range_size(&region->range) > sz_explore)
                urgency = (unsigned) MIN(damon_range_size(&region->range) / sz_explore, URGENCY_MIXED - 1U);
        if (cut.gain < 0.5) {
                cut.first = 0;
                cut.end = DAMON_NR_BINS / 2;
        }
        region->cut.first = cut.first;
        region->cut.end = cut.end;
        region->cut.urgency = (uint8_t) urgency;
}

static size_t nr_more_pieces(const struct damon_region *region) {
        return (size_t) (region->cut.first > 0) + (region->cut.end < DAMON_NR_BINS);
}

/* The number of regions that cuts of an urgency may lead to. */
static size_t nr_limit(unsigned urgency, size_t nr_explore, size_t max_regions) {
        if (urgency >= URGENCY_DIFFERENT)
                return max_regions;
        /* leave room for the differences that this brings to light */
        if (urgency >= URGENCY_MIXED)
                return max_regions - max_regions / 10;
        return MIN(nr_explore, max_regions);
}

/*
 * Of a piece that differs from the rest, its own checks are told at once. One in which they found no
 * access is not taken for idle before an aggregation of its own says so.
 */
static void tell_piece(struct damon_region *piece, uint32_t max_nr_accesses) {
        uint32_t before = piece->nr_accesses;

        if (!piece->accessed || damon_evidence_tally(&piece->evidence).known < NR_TELLING)
                return;
        piece->nr_accesses = damon_scaled_rate(&piece->evidence, max_nr_accesses);
        if (damon_distance(piece->nr_accesses, before) > max_nr_accesses / 10)
                piece->age = 0;
}

/* Cut a region into up to three pieces at the end of the regions, which has room. */
static void cut_region(struct damon_regions *regions, const struct damon_region *whole,
                       uint32_t max_nr_accesses, uint64_t page_size) {
        uint64_t nr_pages = damon_region_nr_pages(whole, page_size);
        uint64_t borders[] = {
                0,
                /* the first page whose middle lies in the bin, and in the one behind */
                (whole->cut.first * nr_pages + DAMON_NR_BINS / 2 - 1) / DAMON_NR_BINS,
                (whole->cut.end * nr_pages + DAMON_NR_BINS / 2 - 1) / DAMON_NR_BINS,
                nr_pages,
        };

        for (size_t i = 0; i + 1 < ELEMENTSOF(borders); i++) {
                struct damon_region *piece;

                if (borders[i] == borders[i + 1])
                        continue;
                piece = &regions->items[regions->nr++];
                *piece = *whole;
                damon_region_reshape(piece, (struct damon_range) {
                        .start = damon_region_page(whole, borders[i], page_size),
                        .end = damon_region_page(whole, borders[i + 1], page_size),
                });
                if (whole->cut.urgency >= URGENCY_TOLD)
                        tell_piece(piece, max_nr_accesses);
                if (whole->cut.urgency >= URGENCY_DIFFERENT)
                        damon_evidence_doubt(&piece->evidence);
        }
}

int damon_regions_refine(struct damon_regions *regions, size_t nr_explore, size_t max_regions,
                         uint32_t max_nr_accesses, uint64_t page_size) {
        size_t nr_before = regions->nr, nr = nr_before, left = 0;
        size_t nr_more[URGENCY_MAX + 1] = {};
        uint64_t sz_explore = MAX(damon_regions_size_in_memory(regions) / nr_explore, page_size);
        unsigned least = URGENCY_MAX;           /* cuts less urgent than this are not made */
        const struct damon_region *from;

        for (size_t i = 0; i < nr_before; i++) {
                plan_cut(&regions->items[i], sz_explore, page_size);
                nr_more[regions->items[i].cut.urgency] += nr_more_pieces(&regions->items[i]);
        }
        for (; least > 0; least--) {
                size_t limit = nr_limit(least, nr_explore, max_regions);

                left = limit > nr ? limit - nr : 0;
                if (nr_more[least] > left)
                        break;
                nr += nr_more[least];
        }
        nr += least > 0 ? left : 0;
        if (nr == nr_before)
                return 0;
        from = damon_regions_spread(regions, nr);
        if (!from)
                return -ENOMEM;

        regions->nr = 0;
        for (size_t i = 0; i < nr_before; i++) {
                struct damon_region whole = from[i];
                size_t more = nr_more_pieces(&whole);

                if (whole.cut.urgency > least)
                        cut_region(regions, &whole, max_nr_accesses, page_size);
                else if (least > 0 && whole.cut.urgency == least && more <= left) {
                        left -= more;
                        cut_region(regions, &whole, max_nr_accesses, page_size);
                } else
                        regions->items[regions->nr++] = whole;
        }
        return 0;
}
