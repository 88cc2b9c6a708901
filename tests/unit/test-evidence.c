/* SPDX-License-Identifier: GPL-2.0-only */
/* Evidence: what is counted stays where it was found, and says what it says by arithmetic. */

#include <damond/evidence.h>

#include <math.h>

#include "macro.h"
#include "rng.h"
#include "test.h"

#define CHECK DAMON_EVIDENCE_CHECK
#define PAGE UINT64_C(4096)

/* half a unit of weight in each of a count's bins */
#define ROUNDING (0.5 * DAMON_NR_BINS / CHECK + 1e-6)

static void assert_near(double got, double want, double tolerance) {
        if (!(fabs(got - want) <= tolerance))
                fail_msg("%.9f is not within %.9f of %.9f", got, tolerance, want);
}

static struct damon_evidence all_bins(unsigned nr_accessed, unsigned nr_idle) {
        struct damon_evidence evidence;

        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                evidence.accessed[i] = (uint16_t) (nr_accessed * CHECK);
                evidence.idle[i] = (uint16_t) (nr_idle * CHECK);
        }
        return evidence;
}

/* So many accessed checks of @known in each bin; 0 of 0 where nothing is given. */
static struct damon_evidence of_bins(unsigned known, const unsigned nr_accessed[static DAMON_NR_BINS]) {
        struct damon_evidence evidence;

        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                evidence.accessed[i] = (uint16_t) (nr_accessed[i] * CHECK);
                evidence.idle[i] = (uint16_t) ((known - nr_accessed[i]) * CHECK);
        }
        return evidence;
}

#define OF_BINS(known, ...) of_bins(known, (const unsigned[DAMON_NR_BINS]) { __VA_ARGS__ })

static double gain(double accessed_a, double known_a, double accessed_b, double known_b) {
        return damon_tally_gain((struct damon_tally) { accessed_a, known_a },
                                (struct damon_tally) { accessed_b, known_b });
}

static void gain_is_the_log_likelihood_ratio(void **state) {
        /* by hand: 10 of 10 and 0 of 10 against 10 of 20: 20 ln 2 */
        assert_near(gain(10, 10, 0, 10), 20 * log(2), 1e-9);
        /* 3 of 4 and 1 of 4: 2 (3 ln 0.75 + ln 0.25) + 8 ln 2 */
        assert_near(gain(3, 4, 1, 4), 2 * (3 * log(0.75) + log(0.25)) + 8 * log(2), 1e-9);
        assert_near(gain(3, 4, 1, 4), 1.046496, 1e-6);
        /* 1 of 20 after 0 of 80: ln 0.05 + 19 ln 0.95 - ln 0.01 - 99 ln 0.99 */
        assert_near(gain(1, 20, 0, 80), 1.629849, 1e-6);
        /* 5 of 10 and 50 of 100 are the same rate, and nothing says nothing */
        assert_near(gain(5, 10, 50, 100), 0, 0);
        assert_near(gain(0, 10, 0, 100), 0, 0);
        assert_near(gain(10, 10, 1, 1), 0, 0);
        assert_near(gain(0, 0, 7, 10), 0, 0);
        assert_near(gain(7, 10, 0, 0), 0, 0);
        assert_near(gain(0, 0, 0, 0), 0, 0);
}

static void gain_grows_with_evidence_and_has_no_order(void **state) {
        struct rng rng = { test_seed() };

        for (int i = 0; i < 10000; i++) {
                double known_a = 1 + (double) rng_below(&rng, 1000);
                double known_b = 1 + (double) rng_below(&rng, 1000);
                double a = (double) rng_below(&rng, (uint64_t) known_a + 1);
                double b = (double) rng_below(&rng, (uint64_t) known_b + 1);
                double once = gain(a, known_a, b, known_b);

                assert_true(once >= 0);
                assert_near(gain(b, known_b, a, known_a), once, 1e-6);
                assert_near(gain(known_a - a, known_a, known_b - b, known_b), once, 1e-6);
                assert_near(gain(2 * a, 2 * known_a, 2 * b, 2 * known_b), 2 * once, 1e-5);
        }
}

/* Wilks: 1.9 in 5 of 100 cases, 3.3 in 1 of 100, 5.4 in 1 of 1000 */
static void gain_is_exceeded_by_chance_as_often_as_said(void **state) {
        static const struct {
                double gain;
                unsigned least, most;
        } limits[] = { { 1.9, 4000, 6000 }, { 3.3, 700, 1300 }, { 5.4, 50, 170 } };
        struct rng rng = { test_seed() };
        unsigned nr[ELEMENTSOF(limits)] = {};

        for (int i = 0; i < 100000; i++) {
                unsigned nr_ones[2] = {};
                double g;

                for (int k = 0; k < 2; k++)
                        for (int j = 0; j < 3; j++)
                                nr_ones[k] += (unsigned) __builtin_popcountll(rng_next(&rng));
                g = gain(nr_ones[0], 192, nr_ones[1], 192);
                for (size_t k = 0; k < ELEMENTSOF(limits); k++)
                        nr[k] += g > limits[k].gain;
        }
        for (size_t k = 0; k < ELEMENTSOF(limits); k++)
                assert_in_range(nr[k], limits[k].least, limits[k].most);
}

static void add_counts_in_one_bin(void **state) {
        struct damon_evidence evidence = {}, want = {};

        damon_evidence_add(&evidence, 0, true);
        damon_evidence_add(&evidence, 0, true);
        damon_evidence_add(&evidence, 5, false);
        damon_evidence_add(&evidence, 7, true);
        want.accessed[0] = 2 * CHECK;
        want.idle[5] = CHECK;
        want.accessed[7] = CHECK;
        assert_memory_equal(&evidence, &want, sizeof(want));
}

static void add_halves_before_it_overflows(void **state) {
        struct damon_evidence evidence = OF_BINS(100, 25, 50, 75, 100, 0, 10, 20, 30);
        unsigned nr_halved = 0;

        for (int i = 0; i < 20000; i++) {
                uint16_t before = evidence.idle[6], other = evidence.accessed[1];

                damon_evidence_add(&evidence, 6, false);
                if (evidence.idle[6] > before) {
                        assert_int_equal(evidence.idle[6], before + CHECK);
                        assert_int_equal(evidence.accessed[1], other);
                        continue;
                }
                nr_halved++;
                assert_in_range(before, UINT16_MAX * 9 / 10, UINT16_MAX);
                assert_int_equal(evidence.idle[6], before / 2 + CHECK);
                assert_int_equal(evidence.accessed[1], other / 2);
        }
        assert_in_range(nr_halved, 5, 15);
        /* ratios of what was not added to stay, as far as there is something left of them */
        assert_true(evidence.idle[6] >= UINT16_MAX * 4 / 10);

        evidence = OF_BINS(1000, 250, 500, 750, 1000, 0, 100, 200, 300);
        for (int i = 0; i < 6000; i++)
                damon_evidence_add(&evidence, 3, true);
        assert_true(evidence.accessed[0] < 250 * CHECK);
        assert_near(evidence.idle[0] / (double) evidence.accessed[0], 3, 0.05);
        assert_near(evidence.idle[1] / (double) evidence.accessed[1], 1, 0.05);
        assert_near(evidence.accessed[2] / (double) evidence.accessed[0], 3, 0.05);
        assert_int_equal(evidence.idle[3], 0);
        assert_int_equal(evidence.accessed[4], 0);
}

static void add_halves_in_the_count_of_accesses_too(void **state) {
        struct damon_evidence evidence = {};

        for (int i = 0; i < 100000; i++)
                damon_evidence_add(&evidence, 2, i % 4 == 0);
        assert_near(damon_evidence_rate(&evidence), 0.25, 0.001);
        for (int i = 0; i < 100000; i++)
                damon_evidence_add(&evidence, 2, true);
        assert_true(damon_evidence_rate(&evidence) > 0.99);
}

static void tally_adds_all_bins_up_in_checks(void **state) {
        struct damon_evidence evidence = OF_BINS(10, 1, 2, 3, 4, 5, 6, 7, 8), most;
        struct damon_tally tally = damon_evidence_tally(&evidence);

        assert_near(tally.accessed, 36, 0);
        assert_near(tally.known, 80, 0);
        memset(&most, 0xff, sizeof(most));
        tally = damon_evidence_tally(&most);
        assert_near(tally.known, 2.0 * DAMON_NR_BINS * UINT16_MAX / CHECK, 0);
        evidence = (struct damon_evidence) {};
        tally = damon_evidence_tally(&evidence);
        assert_near(tally.accessed, 0, 0);
        assert_near(tally.known, 0, 0);
}

static void rate_is_the_mean_of_the_bins(void **state) {
        struct damon_evidence evidence = {};

        assert_near(damon_evidence_rate(&evidence), 0, 0);
        evidence = all_bins(0, 3);
        assert_near(damon_evidence_rate(&evidence), 0, 0);
        evidence = all_bins(3, 0);
        assert_near(damon_evidence_rate(&evidence), 1, 0);
        evidence = OF_BINS(10, 0, 0, 0, 0, 10, 10, 10, 10);
        assert_near(damon_evidence_rate(&evidence), 0.5, 1e-12);

        /* one half a hundred times better known than the other, but not larger */
        evidence = (struct damon_evidence) {};
        for (size_t i = 0; i < DAMON_NR_BINS; i++)
                if (i < 4)
                        evidence.accessed[i] = 100 * CHECK;
                else
                        evidence.idle[i] = CHECK;
        assert_near(damon_evidence_rate(&evidence), 0.5, 1e-12);

        /* bins of which nothing is known do not count: 3/4 and 1/2 */
        evidence = (struct damon_evidence) {};
        evidence.accessed[1] = 3 * CHECK;
        evidence.idle[1] = CHECK;
        evidence.accessed[6] = evidence.idle[6] = 7 * CHECK;
        assert_near(damon_evidence_rate(&evidence), 0.625, 1e-12);
}

static void change_is_the_gain_of_all_bins(void **state) {
        struct damon_evidence low = OF_BINS(4, 4, 4, 4, 4), high = OF_BINS(4, 0, 0, 0, 0, 4, 4, 4, 4);
        struct damon_evidence one = low, none = {};

        /* the same rate, but other pages: 4 of 4 against 0 of 4 in each of 8 bins */
        assert_near(damon_evidence_change(&low, &high), 8 * 8 * log(2), 1e-9);
        assert_near(damon_evidence_change(&low, &low), 0, 0);
        assert_near(damon_evidence_change(&low, &none), 0, 0);
        assert_near(damon_evidence_change(&none, &high), 0, 0);
        one.accessed[2] = 0;
        one.idle[2] = 4 * CHECK;
        assert_near(damon_evidence_change(&low, &one), gain(4, 4, 0, 4), 1e-9);
}

static void cut_finds_the_part_that_differs(void **state) {
        for (unsigned first = 0; first < DAMON_NR_BINS; first++)
                for (unsigned end = first + 1; end <= DAMON_NR_BINS; end++)
                        for (int inverse = 0; inverse < 2; inverse++) {
                                struct damon_evidence evidence = all_bins(inverse ? 9 : 1, inverse ? 1 : 9);
                                struct damon_cut cut;
                                unsigned size = end - first;

                                if (size == DAMON_NR_BINS)
                                        continue;
                                for (unsigned i = first; i < end; i++) {
                                        evidence.accessed[i] = (inverse ? 1 : 9) * CHECK;
                                        evidence.idle[i] = (inverse ? 9 : 1) * CHECK;
                                }
                                cut = damon_evidence_cut(&evidence);
                                /* what reaches to the end is the rest of what begins at the start */
                                assert_int_equal(cut.first, end == DAMON_NR_BINS ? 0 : first);
                                assert_int_equal(cut.end, end == DAMON_NR_BINS ? first : end);
                                assert_near(cut.gain, gain(9 * size, 10 * size, 8 - size, 10 * (8 - size)),
                                            1e-9);
                        }
}

static void cut_of_what_is_alike_is_the_first_half(void **state) {
        const struct damon_evidence alike[] = {
                {}, all_bins(0, 5), all_bins(5, 0), all_bins(5, 5), all_bins(1, 3),
                /* nothing to compare it with */
                { .accessed = { [6] = 3 }, .idle = { [6] = 4 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(alike); i++) {
                struct damon_cut cut = damon_evidence_cut(&alike[i]);

                assert_int_equal(cut.first, 0);
                assert_int_equal(cut.end, DAMON_NR_BINS / 2);
                assert_near(cut.gain, 0, 0);
        }
}

static void cut_is_the_best_of_all_parts(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 1000; round++) {
                struct damon_evidence evidence;
                struct damon_cut cut;
                double best = 0;

                for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                        evidence.accessed[i] = (uint16_t) rng_below(&rng, 10 * CHECK);
                        evidence.idle[i] = (uint16_t) rng_below(&rng, 10 * CHECK);
                }
                cut = damon_evidence_cut(&evidence);
                assert_true(cut.first < cut.end && cut.end < DAMON_NR_BINS);
                for (unsigned first = 0; first < DAMON_NR_BINS; first++)
                        for (unsigned end = first + 1; end < DAMON_NR_BINS; end++) {
                                struct damon_tally part = {}, rest = {};
                                double g;

                                for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                                        struct damon_tally *tally = i >= first && i < end ? &part : &rest;

                                        tally->accessed += evidence.accessed[i] / (double) CHECK;
                                        tally->known += (evidence.accessed[i] + evidence.idle[i]) /
                                                        (double) CHECK;
                                }
                                g = damon_tally_gain(part, rest);
                                best = MAX(best, g);
                                if (first == cut.first && end == cut.end)
                                        assert_near(g, cut.gain, 1e-6);
                        }
                assert_near(cut.gain, best, 1e-6);
        }
}

static void fade_takes_a_sixteenth(void **state) {
        struct damon_evidence evidence = OF_BINS(8, 0, 1, 2, 3, 4, 5, 6, 8), before = evidence;
        double rate = damon_evidence_rate(&evidence);

        damon_evidence_fade(&evidence);
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                assert_int_equal(evidence.accessed[i], before.accessed[i] / 16 * 15);
                assert_int_equal(evidence.idle[i], before.idle[i] / 16 * 15);
        }
        assert_near(damon_evidence_rate(&evidence), rate, 1e-9);

        /* down to nothing in the end, and not below */
        memset(&evidence, 0xff, sizeof(evidence));
        for (int i = 0; i < 200; i++)
                damon_evidence_fade(&evidence);
        assert_near(damon_evidence_tally(&evidence).known, 0, 0);
}

static void doubt_leaves_an_eighth(void **state) {
        struct damon_evidence evidence = OF_BINS(8, 0, 8, 16, 24, 32, 40, 48, 64), before = evidence;

        damon_evidence_doubt(&evidence);
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                assert_int_equal(evidence.accessed[i], before.accessed[i] / 8);
                assert_int_equal(evidence.idle[i], before.idle[i] / 8);
        }

        /* what is a little of each bin is no less in all */
        evidence = (struct damon_evidence) {};
        for (size_t i = 0; i < DAMON_NR_BINS; i++)
                evidence.accessed[i] = 3;
        damon_evidence_doubt(&evidence);
        assert_near(damon_evidence_tally(&evidence).accessed, 3.0 * DAMON_NR_BINS / 8 / CHECK, 1e-9);
}

static void fade_and_add_settle_at_sixteen_times_what_is_added(void **state) {
        struct damon_evidence evidence = {};
        const struct damon_evidence each = OF_BINS(20, 5, 10, 20, 0, 1, 2, 3, 4);
        const struct damon_range range = { PAGE, 801 * PAGE };

        for (int i = 0; i < 200; i++) {
                damon_evidence_fade(&evidence);
                damon_evidence_transfer(&evidence, range, &each, range);
        }
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                assert_near(evidence.accessed[i], 16.0 * each.accessed[i], 16);
                assert_near(evidence.idle[i], 16.0 * each.idle[i], 16);
        }
}

static void transfer_to_the_same_range_adds(void **state) {
        struct damon_evidence into = OF_BINS(10, 1, 2, 3, 4, 5, 6, 7, 8);
        const struct damon_evidence from = OF_BINS(5, 5, 4, 3, 2, 1, 0, 1, 2);
        static const struct damon_range ranges[] = {
                { 0, 8 * PAGE }, { 7 * PAGE, 8 * PAGE }, { 3, 10 }, { 0, UINT64_C(1) << 46 },
                { (UINT64_C(1) << 47) - PAGE, UINT64_C(1) << 47 }, { PAGE, UINT64_MAX / PAGE * PAGE },
        };

        for (size_t k = 0; k < ELEMENTSOF(ranges); k++) {
                struct damon_evidence both = into;

                damon_evidence_transfer(&both, ranges[k], &from, ranges[k]);
                for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                        assert_int_equal(both.accessed[i], into.accessed[i] + from.accessed[i]);
                        assert_int_equal(both.idle[i], into.idle[i] + from.idle[i]);
                }
        }
}

static void transfer_leaves_out_what_lies_outside(void **state) {
        const struct damon_evidence from = OF_BINS(8, 0, 1, 2, 3, 4, 5, 6, 7);
        struct damon_evidence into = {}, want = {};

        /* the range begins where the other ends, and the other way round */
        damon_evidence_transfer(&into, (struct damon_range) { 800, 1600 }, &from,
                                (struct damon_range) { 0, 800 });
        damon_evidence_transfer(&into, (struct damon_range) { 0, 800 }, &from,
                                (struct damon_range) { 800, 1600 });
        assert_memory_equal(&into, &want, sizeof(want));

        /* bins 2 and 3 of it become all, in quarters */
        damon_evidence_transfer(&into, (struct damon_range) { 200, 400 }, &from,
                                (struct damon_range) { 0, 800 });
        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                assert_int_equal(into.accessed[i], (i < 4 ? 2 : 3) * CHECK / 4);
                assert_int_equal(into.idle[i], (i < 4 ? 6 : 5) * CHECK / 4);
        }

        /* 3.5 bins of what reaches out at the left */
        into = (struct damon_evidence) {};
        damon_evidence_transfer(&into, (struct damon_range) { 450, 1250 }, &from,
                                (struct damon_range) { 0, 800 });
        assert_int_equal(into.accessed[0], (4 + 5) * CHECK / 2);
        assert_int_equal(into.accessed[1], (5 + 6) * CHECK / 2);
        assert_int_equal(into.accessed[2], (6 + 7) * CHECK / 2);
        assert_int_equal(into.accessed[3], 7 * CHECK / 2);
        for (size_t i = 4; i < DAMON_NR_BINS; i++)
                assert_int_equal(into.accessed[i] + into.idle[i], 0);
}

static struct damon_evidence taken_over(const struct damon_evidence *from, struct damon_range from_range,
                                        struct damon_range into_range) {
        struct damon_evidence into = {};

        damon_evidence_transfer(&into, into_range, from, from_range);
        return into;
}

/* What is in [0, share) of a range, bins that are cut counting in part. */
static struct damon_tally tally_up_to(const struct damon_evidence *evidence, double share) {
        struct damon_tally tally = {};

        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                double part = MIN(MAX(share * DAMON_NR_BINS - i, 0.0), 1.0) / CHECK;

                tally.accessed += evidence->accessed[i] * part;
                tally.known += (evidence->accessed[i] + evidence->idle[i]) * part;
        }
        return tally;
}

static void splits_and_merges_keep_weight_and_place(void **state) {
        struct rng rng = { test_seed() };

        for (int round = 0; round < 2000; round++) {
                /* up to all of a process's address space, and down to two pages, wherever */
                uint64_t nr_pages = 2 + rng_below(&rng, UINT64_C(1) << (1 + rng_below(&rng, 34)));
                uint64_t start = rng_below(&rng, UINT64_C(1) << rng_below(&rng, 35)) * PAGE;
                uint64_t left_pages = 1 + rng_below(&rng, nr_pages - 1);
                struct damon_range whole = { start, start + nr_pages * PAGE };
                struct damon_range left = { start, start + left_pages * PAGE };
                struct damon_range right = { left.end, whole.end };
                double share = (double) left_pages / (double) nr_pages;
                struct damon_evidence evidence, in_left, in_right, back = {}, low, high;
                struct damon_tally all, tally, want;

                for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                        evidence.accessed[i] = (uint16_t) rng_below(&rng, 50 * CHECK);
                        evidence.idle[i] = (uint16_t) rng_below(&rng, 50 * CHECK);
                }
                all = damon_evidence_tally(&evidence);

                in_left = taken_over(&evidence, whole, left);
                in_right = taken_over(&evidence, whole, right);
                want = tally_up_to(&evidence, share);
                tally = damon_evidence_tally(&in_left);
                assert_near(tally.accessed, want.accessed, ROUNDING);
                assert_near(tally.known, want.known, 2 * ROUNDING);
                tally = damon_evidence_tally(&in_right);
                assert_near(tally.accessed, all.accessed - want.accessed, ROUNDING);
                assert_near(tally.known, all.known - want.known, 2 * ROUNDING);

                damon_evidence_transfer(&back, whole, &in_left, left);
                damon_evidence_transfer(&back, whole, &in_right, right);
                tally = damon_evidence_tally(&back);
                assert_near(tally.accessed, all.accessed, 4 * ROUNDING);
                assert_near(tally.known, all.known, 8 * ROUNDING);

                /* nothing has moved over the border, but inside of the bin that it is in */
                low = taken_over(&in_left, left, whole);
                high = taken_over(&in_right, right, whole);
                for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                        if (i > share * DAMON_NR_BINS)
                                assert_int_equal(low.accessed[i] + low.idle[i], 0);
                        if (i + 1 < share * DAMON_NR_BINS)
                                assert_int_equal(high.accessed[i] + high.idle[i], 0);
                }
        }
}

static void transfer_of_unaligned_borders_shares_by_size(void **state) {
        /* a region of 10 pages, of which 3 go; a bin is 1.25 pages */
        struct damon_evidence evidence = OF_BINS(16, 16, 16, 16, 0, 0, 0, 0, 0);
        struct damon_range whole = { 0, 10 * PAGE };
        struct damon_evidence left = taken_over(&evidence, whole, (struct damon_range) { 0, 3 * PAGE });
        struct damon_evidence right = taken_over(&evidence, whole,
                                                 (struct damon_range) { 3 * PAGE, 10 * PAGE });

        /* 3 / 1.25 = 2.4 of the bins */
        assert_near(damon_evidence_tally(&left).known, 16 * 2.4, ROUNDING);
        assert_near(damon_evidence_rate(&left), 1, 0);
        assert_near(damon_evidence_tally(&right).accessed, 16 * 0.6, ROUNDING);
        assert_near(damon_evidence_tally(&right).known, 16 * 5.6, 2 * ROUNDING);
        /* all of what was accessed is in the first 0.75 pages of the 7, which is in the first bin */
        assert_int_equal(right.accessed[0], lround(16 * 0.6 * CHECK));
        /* and the rest of the bin, which is 0.875 pages, comes from the next one's 1.25 */
        assert_int_equal(right.idle[0], lround(16 * 0.1 * CHECK));
}

static void transfer_does_not_overflow(void **state) {
        struct damon_evidence into, from;
        const struct damon_range low = { 0, UINT64_C(1) << 46 };
        const struct damon_range high = { UINT64_C(1) << 46, UINT64_C(1) << 47 };
        const struct damon_range both = { 0, UINT64_C(1) << 47 };
        struct damon_evidence all;

        for (size_t i = 0; i < DAMON_NR_BINS; i++) {
                from.accessed[i] = 60000;
                from.idle[i] = (uint16_t) (i * 5000);
        }
        into = from;
        damon_evidence_transfer(&into, low, &from, low);
        /* all scaled down alike: the rate stays */
        for (size_t i = 0; i < DAMON_NR_BINS; i++)
                assert_near(into.idle[i] / (double) into.accessed[i], (double) i * 5000 / 60000, 1e-3);
        assert_near(damon_evidence_rate(&into), damon_evidence_rate(&from), 1e-3);

        all = taken_over(&from, low, both);
        damon_evidence_transfer(&all, both, &from, high);
        assert_near(damon_evidence_rate(&all), damon_evidence_rate(&from), 0.01);
        /* and a check still fits */
        for (unsigned i = 0; i < DAMON_NR_BINS; i++) {
                uint16_t before = all.accessed[i];

                damon_evidence_add(&all, i, true);
                assert_true(all.accessed[i] >= before / 2);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(gain_is_the_log_likelihood_ratio),
                cmocka_unit_test(gain_grows_with_evidence_and_has_no_order),
                cmocka_unit_test(gain_is_exceeded_by_chance_as_often_as_said),
                cmocka_unit_test(add_counts_in_one_bin),
                cmocka_unit_test(add_halves_before_it_overflows),
                cmocka_unit_test(add_halves_in_the_count_of_accesses_too),
                cmocka_unit_test(tally_adds_all_bins_up_in_checks),
                cmocka_unit_test(rate_is_the_mean_of_the_bins),
                cmocka_unit_test(change_is_the_gain_of_all_bins),
                cmocka_unit_test(cut_finds_the_part_that_differs),
                cmocka_unit_test(cut_of_what_is_alike_is_the_first_half),
                cmocka_unit_test(cut_is_the_best_of_all_parts),
                cmocka_unit_test(fade_takes_a_sixteenth),
                cmocka_unit_test(doubt_leaves_an_eighth),
                cmocka_unit_test(fade_and_add_settle_at_sixteen_times_what_is_added),
                cmocka_unit_test(transfer_to_the_same_range_adds),
                cmocka_unit_test(transfer_leaves_out_what_lies_outside),
                cmocka_unit_test(splits_and_merges_keep_weight_and_place),
                cmocka_unit_test(transfer_of_unaligned_borders_shares_by_size),
                cmocka_unit_test(transfer_does_not_overflow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
