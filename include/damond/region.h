/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Regions: the unit of monitoring. A region is an address range of a target whose pages
 * are taken to be accessed alike, so that one sampled page a sample interval speaks for
 * all of it. Algorithm and vocabulary are those of the kernel's DAMON
 * (Documentation/mm/damon/design.rst and mm/damon/core.c, Linux 6.12), with the later
 * fixes, and the differences, that the functions below name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/evidence.h>
#include <damond/range.h>

/** DAMON_PACE_ALL - pace of a region that is sampled in each sample interval */
#define DAMON_PACE_ALL 16384

/**
 * struct damon_region - an address range with an access frequency and an age
 * @range:              the addresses
 * @nr_accesses:        how many of the checks found an access, scaled to
 *                      damon_attrs_max_nr_accesses() and rounded. The checks are those of
 *                      the last finished aggregation, and of those before it as long as
 *                      nothing speaks for a change between them
 * @last_nr_accesses:   the same as it was one aggregation before
 * @age:                for how many aggregation intervals @nr_accesses has stayed about
 *                      the same
 * @nr_known:           checks of the running aggregation that could tell,
 * @nr_unknown:         and those that could not
 * @nr_in_memory:       pages of it in memory when it was last to be sampled, as far as known
 * @again:              page, counted from 1 at the start of the region, that is to be looked
 *                      at again, or 0
 * @found:              page, counted from 1, that a second look of the running aggregation found
 *                      accessed, or 0
 * @nr_again:           second looks at pages that had just been accessed,
 * @nr_again_accessed:  and how many of them found another access
 * @nr_idle:            aggregations since one that saw an access, 255 at most
 * @absent:             nothing of it was in memory when it was last to be sampled
 * @unknown:            most checks of the last aggregation could not tell, or there were
 *                      none: no scheme that acts may match
 * @accessed:           @nr_accesses is not 0, or would not be without being rounded: a check
 *                      of the last aggregation found an access
 * @touched:            a check of the running aggregation found an access, also if the region was
 *                      cut since and that lies in another part
 * @last_accessed:      the same as it was one aggregation before
 * @uniform:            as far as second looks tell, all pages are accessed alike, and not a
 *                      part of them only can be told about: no cut would find anything out
 * @fresh:              @evidence is of the last aggregation alone, and a change may have come in
 *                      the middle of it
 * @run:                how many of the last checks, also of earlier aggregations, all found an
 *                      access, or below 0, none; 127 at most
 * @nr_unfaded:         checks since @evidence has faded
 * @pace:               share of the sample intervals in which it is sampled, of %DAMON_PACE_ALL;
 *                      0 is all, as of a region that nothing is known of yet
 * @saved:              what it has saved up for its next sample
 * @cut:                where to cut it, and how urgently; scratch of damon_regions_refine()
 * @running:            outcomes of the aggregation that is running
 * @evidence:           what @nr_accesses rests on
 */
struct damon_region {
        struct damon_range range;
        uint32_t nr_accesses;
        uint32_t last_nr_accesses;
        uint32_t age;
        uint32_t nr_known;
        uint32_t nr_unknown;
        uint32_t nr_in_memory;
        uint32_t again;
        uint32_t found;
        uint16_t nr_unfaded;
        uint16_t pace;
        uint16_t saved;
        uint8_t nr_again;
        uint8_t nr_again_accessed;
        uint8_t nr_idle;
        bool absent;
        bool unknown;
        bool accessed;
        bool touched;
        bool last_accessed;
        bool uniform;
        bool fresh;
        int8_t run;
        struct {
                uint8_t first;
                uint8_t end;
                uint8_t urgency;
        } cut;
        struct damon_evidence running;
        struct damon_evidence evidence;
};

/**
 * struct damon_regions - the regions of one target
 * @items:      @nr regions, sorted by address, disjoint, none empty, every border a
 *              multiple of the page size; owned
 * @nr:         number of regions
 * @capacity:   number of regions that @items has room for
 * @max_absent: parts that what is not in memory is divided into at most, or 0: sixteen; set by
 *              damon_target_sz_limit()
 */
struct damon_regions {
        struct damon_region *items;
        size_t nr;
        size_t capacity;
        size_t max_absent;
};

/**
 * damon_regions_done() - release what the regions own
 * @regions:    regions, left empty and usable
 */
void damon_regions_done(struct damon_regions *regions);

/**
 * damon_regions_size() - bytes in all regions together
 * @regions:    regions
 */
uint64_t damon_regions_size(const struct damon_regions *regions);

/**
 * damon_regions_size_in_memory() - bytes in those regions of which anything is in memory
 * @regions:    regions
 */
uint64_t damon_regions_size_in_memory(const struct damon_regions *regions);

/**
 * damon_regions_append() - add a region behind the last one
 * @regions:    regions
 * @range:      range of the new region; must not begin before the last region's end
 *
 * Return: 0, -EINVAL if @range is empty or overlaps, -ENOMEM.
 */
int damon_regions_append(struct damon_regions *regions, struct damon_range range);

/**
 * damon_regions_set() - make the regions cover exactly the given ranges
 * @regions:    regions
 * @ranges:     @nr ranges, sorted, and disjoint in whole pages
 * @nr:         number of ranges; 0 leaves no region
 * @page_size:  borders are moved outwards to multiples of this
 *
 * Regions outside every range go. Inside a range the surviving regions keep their counts
 * and ages; its first and last one are stretched or cut to its borders, and holes between
 * them become new regions (damon_set_regions() in mm/damon/core.c; unlike there, a region
 * that reaches over several ranges is cut at each of them).
 *
 * Return: 0, or -ENOMEM with @regions unchanged.
 */
int damon_regions_set(struct damon_regions *regions, const struct damon_range *ranges, size_t nr,
                      uint64_t page_size);

/**
 * damon_regions_split_at() - cut one region in two
 * @regions:    regions
 * @i:          which region
 * @size:       bytes of the left part; a multiple of the page size
 *
 * Both parts keep frequency and age, and the evidence divides.
 *
 * Return: 0, -EINVAL if a part would be empty, -ENOMEM.
 */
int damon_regions_split_at(struct damon_regions *regions, size_t i, uint64_t size);

/**
 * damon_regions_chop() - cut every region that is larger than the limit into equal pieces
 * @regions:    regions
 * @sz_limit:   the limit of what is in memory; a multiple of the page size, not 0. Regions of which
 *              nothing is may be as much larger as all regions together are than those in memory,
 *              and at least a sixteenth of all, or what &damon_regions.max_absent says
 * @max_regions: where this would make more of them, the limit is larger
 * @page_size:  pieces are multiples of this, and differ by one page at most
 *
 * Divides a target at the start, and keeps min_regions a promise ever after
 * (damon_apply_min_nr_regions(), Linux 7.1).
 *
 * Return: 0, or -ENOMEM with @regions unchanged.
 */
int damon_regions_chop(struct damon_regions *regions, uint64_t sz_limit, size_t max_regions,
                       uint64_t page_size);

/**
 * damon_region_page() - find a page of a region
 * @region:     region
 * @page:       number of the page in the region, from 0
 * @page_size:  page size
 *
 * Return: its address.
 */
static inline uint64_t damon_region_page(const struct damon_region *region, uint64_t page,
                                         uint64_t page_size) {
        return region->range.start + page * page_size;
}

/**
 * damon_region_count() - count the outcome of a check
 * @region:     region
 * @page:       number of the page in the region that was checked
 * @accessed:   it was accessed
 * @again:      it was the second look at a page: see &damon_region.again
 * @page_size:  page size
 *
 * Second looks say something about the pages of a region, but they are no fair sample of
 * them: they come beside its sample, and do not count for its access frequency. Asks for one
 * where a region's pages are accessed at some of the checks only, and it is not yet known
 * whether that is because some of the pages are, or all of them now and then.
 */
void damon_region_count(struct damon_region *region, uint64_t page, bool accessed, bool again,
                        uint64_t page_size);

/**
 * damon_region_is_new() - say whether nothing is known of a region
 * @region:     region
 *
 * It, or what it has in memory, came since the last aggregation.
 */
static inline bool damon_region_is_new(const struct damon_region *region) {
        return damon_evidence_tally(&region->evidence).known <= 0;
}

/**
 * damon_regions_fit() - move borders that lie a few pages off
 * @regions:            regions at the end of an aggregation, not folded yet
 * @max_nr_accesses:    as in damon_regions_fold()
 * @page_size:          page size
 *
 * Borders are as exact as bins are small. What is left of a hot neighbour in a large idle region is
 * sampled once in a while, and makes all of the region young. So where the only access to a region
 * that is known was of this aggregation, was one of the same page at a second look, too, and lies near
 * to a neighbour that is accessed at half of the checks or more, that neighbour gets the pages up to it,
 * and as many beyond, as it is hardly the farthest; by that it at most doubles. The region then has seen
 * no access.
 */
void damon_regions_fit(struct damon_regions *regions, uint32_t max_nr_accesses, uint64_t page_size);

/**
 * damon_regions_fold() - end an aggregation: turn its checks into access frequencies
 * @regions:            regions
 * @max_nr_accesses:    what a region accessed at every check is given
 * @page_size:          page size
 *
 * Where nothing speaks for a change, the checks are added to those of the aggregations
 * before, the older ones of which fade: 20 checks alone would say 0.5 +- 0.11. Where an aggregation has
 * few checks, changes are told by how many of the last ones say the same, however many aggregations it
 * takes. A region without any telling check keeps what it has. The running checks start again at 0.
 *
 * Return: the highest nr_accesses.
 */
uint32_t damon_regions_fold(struct damon_regions *regions, uint32_t max_nr_accesses,
                            uint64_t page_size);

/**
 * damon_regions_count_age() - let the regions grow older, or young again
 * @regions:    folded regions
 * @threshold:  change of nr_accesses up to which a region counts as unchanged
 *
 * A larger change, or one from or to no access at all (Linux 7.1; 6.12 lacks it), makes the
 * age 0, and so does every access that is too rare to show in nr_accesses. An unknown region
 * that shows no such change stays as old as it is.
 */
void damon_regions_count_age(struct damon_regions *regions, uint32_t threshold);

/**
 * damon_regions_merge() - merge neighbours that are accessed alike, once
 * @regions:    regions
 * @threshold:  highest difference of nr_accesses to merge over
 * @sz_limit:   no merged region becomes larger than this; see damon_regions_chop()
 * @crowded:    regions are short: those accessed too rarely to show in nr_accesses merge
 *              although they are not uniform
 *
 * nr_accesses and age of a merged region are the averages, weighted by size. Unlike in the
 * kernel, an accessed region does not merge with an idle one, however near to 0 it is, nor
 * one that became idle with one that has been for much longer (by two aggregations and a quarter):
 * a large neighbour would round its accesses to none and lend it its age, and a scheme would take
 * it for cold, or for colder than what is. Nor do regions merge that differ in themselves, or from each other by more
 * than chance explains.
 */
void damon_regions_merge(struct damon_regions *regions, uint32_t threshold, uint64_t sz_limit,
                         bool crowded);

/**
 * damon_regions_mix() - merge neighbours that are not alike until there are at most @max_regions
 * @regions:            regions
 * @sz_limit:           no merged region becomes larger than this
 * @max_regions:        the upper limit
 *
 * The small ones and those of similar frequency first, and no more of them than it takes. What
 * comes of two is as old as the younger one.
 */
void damon_regions_mix(struct damon_regions *regions, uint64_t sz_limit, size_t max_regions);

/**
 * damon_regions_merge_within() - merge until there are at most @max_regions
 * @regions:            regions
 * @threshold:          where to begin; see damon_regions_merge()
 * @max_nr_accesses:    as in damon_regions_fold(); the threshold to end with
 * @sz_limit:           as in damon_regions_merge(); exceeded only where no other way leads to
 *                      @max_regions, which bounds what monitoring costs
 * @max_regions:        the upper limit; exceeded only by what lies apart
 */
void damon_regions_merge_within(struct damon_regions *regions, uint32_t threshold,
                                uint32_t max_nr_accesses, uint64_t sz_limit, size_t max_regions);

/**
 * damon_regions_refine() - cut regions where that finds something out
 * @regions:            regions after a merge
 * @nr_explore:         up to so many regions, even those without any difference are cut
 * @max_regions:        number of regions that is not exceeded
 * @max_nr_accesses:    as in damon_regions_fold()
 * @page_size:          no piece is smaller than this
 *
 * In this order, as long as there may be more regions: where the checks of a part of a region
 * differ from the rest by more than chance explains; in the middle of what is not uniform,
 * highest variance first; and in the middle of what is larger than its share of @nr_explore.
 * Pieces that differ have frequencies of their own at once, but know less; see damon_evidence_doubt().
 * The kernel cuts all regions at random points (damon_split_regions_of()); for what that
 * costs, see README.md, "How near to the truth".
 *
 * Return: 0, or -ENOMEM with @regions unchanged.
 */
int damon_regions_refine(struct damon_regions *regions, size_t nr_explore, size_t max_regions,
                         uint32_t max_nr_accesses, uint64_t page_size);

/**
 * damon_regions_pace() - share the samples out between the regions
 * @regions:            regions
 * @sample_every:       one sample in so many sample intervals a region, in the mean
 * @max_nr_accesses:    sample intervals of an aggregation
 * @page_size:          page size
 *
 * Those that are not uniform, or have just changed, get more than others, and the large get more
 * than the small; but each gets two an aggregation, so that a change shows in any of them. What is
 * not in memory costs nothing, and is left out.
 */
void damon_regions_pace(struct damon_regions *regions, uint32_t sample_every,
                        uint32_t max_nr_accesses, uint64_t page_size);

/**
 * damon_region_is_due() - save up for the next sample
 * @region:     region
 *
 * To be called once a sample interval.
 *
 * Return: whether it is to be sampled now.
 */
bool damon_region_is_due(struct damon_region *region);

/**
 * damon_regions_rescale() - carry the results over to other intervals
 * @regions:            regions
 * @old_max, @new_max:  max_nr_accesses before and after
 * @old_aggregation, @new_aggregation: aggregation intervals before and after, microseconds
 *
 * Frequencies keep their share of the maximum, ages their duration
 * (damon_update_monitoring_results(); rounded here, so that repeated changes do not make
 * every region younger). Running checks are dropped: they belong to the old intervals. So do earlier
 * ones of pages that are accessed now and then: what a check finds depends on its interval, and
 * they lose weight by as much as that changes.
 */
void damon_regions_rescale(struct damon_regions *regions, uint32_t old_max, uint32_t new_max,
                           uint64_t old_aggregation, uint64_t new_aggregation);

/**
 * damon_regions_forget() - keep nothing but the addresses, as nobody has looked for some time
 * @regions:    regions, unknown until an aggregation ends
 */
void damon_regions_forget(struct damon_regions *regions);

/**
 * damon_regions_check() - look for a broken invariant
 * @regions:    regions
 * @page_size:  the page size
 *
 * For tests and simulations.
 *
 * Return: NULL, or what is wrong.
 */
const char *damon_regions_check(const struct damon_regions *regions, uint64_t page_size);
