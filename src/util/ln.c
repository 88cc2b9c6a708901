/* SPDX-License-Identifier: GPL-2.0-only */
/* The natural logarithm: see ln.h. */

#include "ln.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#define LN_2 0.693147180559945309
#define SQRT_2 1.41421356237309505

/* IEEE 754: 11 bits of exponent, 52 of mantissa */
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023

double ln(double x) {
        uint64_t bits;
        double m, z, square, sum = 0;
        int e;

        if (x < DBL_MIN)
                return -DBL_MAX;
        memcpy(&bits, &x, sizeof(bits));
        e = (int) (bits >> MANTISSA_BITS) - EXPONENT_BIAS;
        bits = (bits & ((UINT64_C(1) << MANTISSA_BITS) - 1)) | (uint64_t) EXPONENT_BIAS << MANTISSA_BITS;
        memcpy(&m, &bits, sizeof(m));
        if (m > SQRT_2) {
                m /= 2;
                e++;
        }
        z = (m - 1) / (m + 1);
        square = z * z;
        for (int i = 11; i >= 1; i -= 2)
                sum = sum * square + 1.0 / i;
        return e * LN_2 + 2 * z * sum;
}
