/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Evidence: what the checks of a region found, and where in it. Samples have addresses: to
 * keep only how many of them were accessed, as the kernel's DAMON does, throws away what tells
 * where a region ought to be cut. Here a region is seen as a few bins of equal size, and the
 * outcomes are counted by bin.
 */

#include <stdbool.h>
#include <stdint.h>

#include <damond/range.h>

/** DAMON_NR_BINS - bins of a region */
#define DAMON_NR_BINS 8

/** DAMON_EVIDENCE_CHECK - weight of one check: weights are divided when regions are */
#define DAMON_EVIDENCE_CHECK 16

/**
 * struct damon_evidence - outcomes of checks, by bin
 * @accessed:   weight of the checks that found an access, %DAMON_EVIDENCE_CHECK each
 * @idle:       weight of those that found none
 *
 * Zeroed is no evidence.
 */
struct damon_evidence {
        uint16_t accessed[DAMON_NR_BINS];
        uint16_t idle[DAMON_NR_BINS];
};

/**
 * struct damon_tally - evidence added up, in checks
 * @accessed:   checks that found an access
 * @known:      checks that found an access or none
 */
struct damon_tally {
        double accessed;
        double known;
};

/**
 * struct damon_cut - the part of a region that differs most from the rest of it
 * @first:      first bin of the part
 * @end:        bin behind the part
 * @gain:       what speaks for cutting there; see damon_tally_gain()
 */
struct damon_cut {
        uint8_t first;
        uint8_t end;
        double gain;
};

/**
 * damon_tally_gain() - what speaks for two access rates being different
 * @a, @b:      what was seen of each
 *
 * Return: natural logarithm of the likelihood ratio of two rates against a common one. Where
 * the rate is the same, 1.9 is exceeded by chance in 5 of 100 cases, 3.3 in 1 of 100, 5.4 in 1
 * of 1000 (half of a chi square variable with one degree of freedom: S. S. Wilks, The
 * large-sample distribution of the likelihood ratio, 1938).
 */
double damon_tally_gain(struct damon_tally a, struct damon_tally b);

/**
 * damon_evidence_add() - count a check
 * @evidence:   evidence
 * @bin:        bin of the page that was checked
 * @accessed:   it was accessed
 *
 * All counts are halved before one would overflow: what matters is their ratios.
 */
void damon_evidence_add(struct damon_evidence *evidence, unsigned bin, bool accessed);

/**
 * damon_evidence_tally() - add up all bins
 * @evidence:   evidence
 */
struct damon_tally damon_evidence_tally(const struct damon_evidence *evidence);

/**
 * damon_evidence_rate() - access rate of a region
 * @evidence:   evidence
 *
 * Bins are equally large, but after a merge not equally well known: the rate is the mean of
 * the rates of the bins.
 *
 * Return: 0 to 1; 0 without evidence.
 */
double damon_evidence_rate(const struct damon_evidence *evidence);

/**
 * damon_evidence_change() - what speaks for a region's having changed
 * @before:     evidence of earlier aggregations
 * @after:      evidence of the last one
 *
 * Return: as damon_tally_gain(), summed up over the bins: what moved inside of the region shows
 * here, and not in its rate.
 */
double damon_evidence_change(const struct damon_evidence *before,
                             const struct damon_evidence *after);

/**
 * damon_evidence_cut() - find where a region is best cut
 * @evidence:   evidence
 *
 * Of all parts made up of neighbouring bins, finds the one that is likeliest to have another
 * access rate than the rest.
 *
 * Return: the part; without any difference, the first half with a gain of 0.
 */
struct damon_cut damon_evidence_cut(const struct damon_evidence *evidence);

/**
 * damon_evidence_fade() - let evidence lose a sixteenth of its weight
 * @evidence:   evidence
 */
void damon_evidence_fade(struct damon_evidence *evidence);

/**
 * damon_evidence_doubt() - let evidence lose all but an eighth of its weight
 * @evidence:   evidence of a part of what was cut where that made the largest difference
 *
 * Of all cuts there could have been it is the one that finds the most, by chance, too. Of less than half
 * a check nothing is left.
 */
void damon_evidence_doubt(struct damon_evidence *evidence);

/**
 * damon_evidence_transfer() - take evidence over to another range
 * @into:       evidence to add to
 * @into_range: the range it is of
 * @from:       other evidence
 * @from_range: the range that is of; what lies outside of @into_range is left out
 *
 * Inside a bin, evidence is taken to be spread evenly.
 */
void damon_evidence_transfer(struct damon_evidence *into, struct damon_range into_range,
                             const struct damon_evidence *from, struct damon_range from_range);
