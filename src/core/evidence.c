/* SPDX-License-Identifier: GPL-2.0-only */
/* Evidence: see evidence.h. */

#include <damond/evidence.h>

#include "ln.h"
#include "macro.h"

/* What log-likelihoods differ by no more than is not a difference but rounding. */
#define GAIN_MIN 1e-6

/* Weights stay so far below UINT16_MAX that a check always fits. */
#define WEIGHT_MAX 60000

static struct damon_tally tally_bins(const struct damon_evidence *evidence, unsigned first,
                                     unsigned end) {
        uint32_t accessed = 0, idle = 0;

        for (unsigned i = first; i < end; i++) {
                accessed += evidence->accessed[i];
                idle += evidence->idle[i];
        }
        return (struct damon_tally) {
                .accessed = accessed / (double) DAMON_EVIDENCE_CHECK,
                .known = (accessed + idle) / (double) DAMON_EVIDENCE_CHECK,
        };
}

/* x ln(x / of), which goes to 0 with x */
static double term(double x, double of) {
        return x > 0 ? x * ln(x / of) : 0;
}

/* Logarithm of the likelihood of what was seen, at the rate that makes it likeliest. */
static double log_likelihood(struct damon_tally tally) {
        return term(tally.accessed, tally.known) +
               term(tally.known - tally.accessed, tally.known);
}

double damon_tally_gain(struct damon_tally a, struct damon_tally b) {
        struct damon_tally both = { a.accessed + b.accessed, a.known + b.known };
        double gain = log_likelihood(a) + log_likelihood(b) - log_likelihood(both);

        return gain > GAIN_MIN ? gain : 0;
}

void damon_evidence_add(struct damon_evidence *evidence, unsigned bin, bool accessed) {
        uint16_t *count = accessed ? &evidence->accessed[bin] : &evidence->idle[bin];

        if (*count > WEIGHT_MAX)
                for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                        evidence->accessed[i] /= 2;
                        evidence->idle[i] /= 2;
                }
        *count = (uint16_t) (*count + DAMON_EVIDENCE_CHECK);
}

struct damon_tally damon_evidence_tally(const struct damon_evidence *evidence) {
        return tally_bins(evidence, 0, DAMON_NR_BINS);
}

double damon_evidence_rate(const struct damon_evidence *evidence) {
        double sum = 0;
        unsigned nr = 0;

        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                uint32_t known = (uint32_t) evidence->accessed[i] + evidence->idle[i];

                if (known == 0)
                        continue;
                sum += evidence->accessed[i] / (double) known;
                nr++;
        }
        return nr > 0 ? sum / nr : 0;
}

double damon_evidence_change(const struct damon_evidence *before,
                             const struct damon_evidence *after) {
        double gain = 0;

        for (unsigned i = 0; i < DAMON_NR_BINS; i++)
                gain += damon_tally_gain(tally_bins(before, i, i + 1),
                                         tally_bins(after, i, i + 1));
        return gain;
}

struct damon_cut damon_evidence_cut(const struct damon_evidence *evidence) {
        struct damon_tally whole = damon_evidence_tally(evidence);
        struct damon_cut best = { 0, DAMON_NR_BINS / 2, GAIN_MIN };
        double together = log_likelihood(whole);

        /* most regions are all idle or all accessed */
        if (whole.accessed > 0 && whole.accessed < whole.known)
                for (unsigned first = 0; first < DAMON_NR_BINS; first++)
                        /* what reaches to the last bin is the rest of what begins with the first */
                        for (unsigned end = first + 1; end < DAMON_NR_BINS; end++) {
                                struct damon_tally part = tally_bins(evidence, first, end);
                                struct damon_tally rest = {
                                        whole.accessed - part.accessed, whole.known - part.known,
                                };
                                double gain = log_likelihood(part) + log_likelihood(rest) - together;

                                if (gain > best.gain)
                                        best = (struct damon_cut) { (uint8_t) first, (uint8_t) end, gain };
                        }
        if (best.gain <= GAIN_MIN)
                best.gain = 0;
        return best;
}

void damon_evidence_fade(struct damon_evidence *evidence) {
        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                evidence->accessed[i] = (uint16_t) (evidence->accessed[i] * 15U / 16);
                evidence->idle[i] = (uint16_t) (evidence->idle[i] * 15U / 16);
        }
}

/* Leave an eighth; what that leaves of one bin is carried over to the next. */
static void doubt(uint16_t weights[static DAMON_NR_BINS]) {
        unsigned carry = 0;

        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                carry += weights[i];
                weights[i] = (uint16_t) (carry / 8);
                carry %= 8;
        }
}

void damon_evidence_doubt(struct damon_evidence *evidence) {
        doubt(evidence->accessed);
        doubt(evidence->idle);
}

/* Round, and carry over what that leaves, so that what is divided often does not grow or vanish. */
static uint16_t round_weight(double weight, double *carry) {
        uint16_t rounded;

        weight += *carry;
        rounded = (uint16_t) MAX(weight + 0.5, 0.0);
        *carry = weight - rounded;
        return rounded;
}

/* Store weights, all scaled down alike if one is too large. */
static void store_weights(struct damon_evidence *evidence, const double accessed[static DAMON_NR_BINS],
                          const double idle[static DAMON_NR_BINS]) {
        double most = 0, scale, carry_accessed = 0, carry_idle = 0;

        for (unsigned i = 0; i < DAMON_NR_BINS; i++)
                most = MAX(most, MAX(accessed[i], idle[i]));
        scale = most > WEIGHT_MAX ? WEIGHT_MAX / most : 1;
        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                evidence->accessed[i] = round_weight(accessed[i] * scale, &carry_accessed);
                evidence->idle[i] = round_weight(idle[i] * scale, &carry_idle);
        }
}

void damon_evidence_transfer(struct damon_evidence *into, struct damon_range into_range,
                             const struct damon_evidence *from, struct damon_range from_range) {
        /* relative to the lower start, so that a double holds each border exactly enough */
        uint64_t base = MIN(into_range.start, from_range.start);
        double into_bin = (double) damon_range_size(&into_range) / DAMON_NR_BINS;
        double from_bin = (double) damon_range_size(&from_range) / DAMON_NR_BINS;
        double accessed[DAMON_NR_BINS], idle[DAMON_NR_BINS];

        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                double start = (double) (into_range.start - base) + i * into_bin;

                accessed[i] = into->accessed[i];
                idle[i] = into->idle[i];
                for (unsigned k = 0; k < DAMON_NR_BINS; k++) {
                        double from_start = (double) (from_range.start - base) + k * from_bin;
                        double overlap = MIN(start + into_bin, from_start + from_bin) - MAX(start, from_start);

                        if (overlap <= 0)
                                continue;
                        accessed[i] += from->accessed[k] * overlap / from_bin;
                        idle[i] += from->idle[k] * overlap / from_bin;
                }
        }
        store_weights(into, accessed, idle);
}
