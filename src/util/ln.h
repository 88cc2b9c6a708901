/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The natural logarithm, which is all that damond would need of libm: to have that library in
 * memory for it would cost 600 KiB, more than a tenth of all that damond takes.
 */

/**
 * ln() - natural logarithm
 * @x:  a number from 0; denormal ones count as 0
 *
 * With x = m 2^e and z = (m - 1) / (m + 1), ln x = e ln 2 + 2 (z + z^3/3 + z^5/5 + ...), where
 * |z| <= 0.172.
 *
 * Return: the logarithm, to nine digits; of 0, a number below all others.
 */
double ln(double x);
