/* exp, expm1, log and log1p of one number: no branches, no tables, so that FOR_LANES loops over
   them become vector loops on any machine with vectors of integers (AVX2 is enough).

   Adding ROUND_BY, 1.5·2^52 (1.5·2^23 in single precision, which stands in brackets throughout),
   whose last bit is worth 1, rounds a number to an integer, which then stands in the last bits.
   2^k is made in the bits of the exponent.  Polynomials are minimax ones (Remez' exchange) with
   rounded coefficients, for which the bounds beside them hold.  Results are within 2 units in
   the last place; infinities, NaN and numbers below the normal range are treated as in the C
   library. */

#ifndef BOUNDCALC_ELEMENTARY_H
#define BOUNDCALC_ELEMENTARY_H
#include "base.h"

#define BOUNDCALC_SINGLE_float 1
#define BOUNDCALC_SINGLE_double 0
#define BOUNDCALC_JOIN(a, b) a##b
#define BOUNDCALC_IS_SINGLE(type) BOUNDCALC_JOIN(BOUNDCALC_SINGLE_, type)
#define SINGLE BOUNDCALC_IS_SINGLE(REAL)

#if SINGLE
typedef uint32_t pattern;
#define FRACTION_BITS 23          /* bits after the point */
#define EXPONENT_BIAS 127             /* of the exponent */
#define ROUND_BY 0x1.8p23f      /* see above */
#define EXP_LEAST -104.0f    /* e^x is 0 below, */
#define EXP_MOST 89.0f       /* infinite above */
#define LIFT_BITS 40              /* 2^LIFT_BITS times the least number is normal */
#define LN2_HIGH 0x1.62e4p-1f       /* ln 2 in 16 bits: a product with an exponent is exact */
#define LN2_LOW 0x1.7f7d1cp-20f     /* the rest */
#else
typedef uint64_t pattern;
#define FRACTION_BITS 52
#define EXPONENT_BIAS 1023
#define ROUND_BY 0x1.8p52
#define EXP_LEAST -746.0
#define EXP_MOST 710.0
#define LIFT_BITS 64
#define LN2_HIGH 0x1.62e42fefa38p-1 /* 42 bits */
#define LN2_LOW 0x1.ef35793c7673p-45
#endif
#define LOG2_E ((real)0x1.71547652b82fep+0)
#define SQRT_HALF ((real)0x1.6a09e667f3bcdp-1)
#define NO_NUMBER ((real)__builtin_nan(""))
#define INFINITE ((real)__builtin_inf())

PURE pattern bits_of(const real x) {
  pattern found;
  memcpy(&found, &x, sizeof x);
  return found;
}

PURE real of_bits(const pattern x) {
  real found;
  memcpy(&found, &x, sizeof x);
  return found;
}

PURE real size_of(const real x) { return of_bits(bits_of(x) & (~(pattern)0 >> 1)); } /* |x| */

/* |x| with the sign of y. */
PURE real signed_as(const real x, const real y) {
  const pattern sign = (pattern)1 << (sizeof(real) * 8 - 1);
  return of_bits((bits_of(x) & ~sign) | (bits_of(y) & sign));
}

/* (e^r − 1 − r)/r² on |r| ≤ ln 2/2; r² times the error is below 2^-55·|r| (2^-25·|r|). */
PURE real exp_tail(const real r) {
#if SINGLE
  const real c0 = 0x1p-1f, c1 = 0x1.5554bp-3f, c2 = 0x1.555488p-5f, c3 = 0x1.1227acp-7f,
             c4 = 0x1.6d98cap-10f;
  return c0 + r * (c1 + r * (c2 + r * (c3 + r * c4)));
#else
  const real c0 = 0x1.0000000000005p-1, c1 = 0x1.555555555555cp-3, c2 = 0x1.55555555521c0p-5,
             c3 = 0x1.111111110e6aap-7, c4 = 0x1.6c16c17f0f44fp-10, c5 = 0x1.a01a01b5e08aap-13,
             c6 = 0x1.a019a6e9c0e3bp-16, c7 = 0x1.71dde9fc725cap-19, c8 = 0x1.28a255e09d19fp-22,
             c9 = 0x1.af76aed599593p-26;
  /* Pairs rather than Horner's chain: the wait for one product after the other costs more. */
  const real s = r * r, lower = (c0 + r * c1) + s * (c2 + r * c3);
  return lower + (s * s) * ((c4 + r * c5) + s * ((c6 + r * c7) + s * (c8 + r * c9)));
#endif
}

/* x − less = n·ln 2 + r: n + shift, and e^r − 1. */
PURE real reduced(const real x, const real less, const real shift, real *const shifted) {
  *shifted = (x - less) * LOG2_E + shift;
  const real n = *shifted - shift;
  const real r = ((x - n * LN2_HIGH) - n * LN2_LOW) - less;
  return r + r * r * exp_tail(r);
}

/* e^x.  2^n is a product of two factors, as n reaches from below the least exponent to above
   the largest.

   Here and below it is the result that is replaced for x too far out, not x: compilers make two
   computations of a replaced x, one of them full of numbers below the normal range, which are
   slow. */
PURE real real_exp(const real x) {
  real shifted;
  const real tail = reduced(x, 0, ROUND_BY + EXPONENT_BIAS, &shifted);
  const real half = shifted * (real)0.5 + (real)0.5 * (ROUND_BY + EXPONENT_BIAS);
  const real first = of_bits(bits_of(half) << FRACTION_BITS);
  const real second = of_bits((bits_of(shifted) - bits_of(half) + EXPONENT_BIAS) << FRACTION_BITS);
  const real found = (first + first * tail) * second;
  return x < EXP_LEAST ? 0 : (x > EXP_MOST ? INFINITE : found);
}

/* e^(x − less), x ≤ 0 and |less| below 1: the difference is not rounded. */
PURE real exp_of_difference(const real x, const real less) {
  real shifted;
  const real tail = reduced(x, less, ROUND_BY + (EXPONENT_BIAS + LIFT_BITS), &shifted);
  /* 2^(n + LIFT_BITS) is normal: the last product rounds only where the result is not. */
  const real scale = of_bits(bits_of(shifted) << FRACTION_BITS);
  const real down = of_bits((pattern)(EXPONENT_BIAS - LIFT_BITS) << FRACTION_BITS);
  return x < EXP_LEAST ? 0 : (scale + scale * tail) * down;
}

/* e^x for x ≤ 0. */
PURE real exp_of_negative(const real x) { return exp_of_difference(x, 0); }

/* e^x for x ≤ 0, and e^x − 1 to the last places. */
PURE real exp_and_expm1(const real x, real *const expm1) {
  real shifted;
  const real tail = reduced(x, 0, ROUND_BY + (EXPONENT_BIAS + LIFT_BITS), &shifted);
  const real scale = of_bits(bits_of(shifted) << FRACTION_BITS);
  const real down = of_bits((pattern)(EXPONENT_BIAS - LIFT_BITS) << FRACTION_BITS);
  const real power = scale * down;
  *expm1 = x < EXP_LEAST ? -1 : (power - 1) + power * tail;
  return x < EXP_LEAST ? 0 : (scale + scale * tail) * down;
}

/* ln(1 + f) for √½ − 1 ≤ f ≤ √2 − 1, plus k·ln 2.

   With s = f/(2 + f), ln(1 + f) = 2 artanh s = 2s + s·z·Q(z), z = s²; and 2s = f − s·f, where f
   is exact.  The error of Q times z/2 is below 2^-59 (2^-29). */
PURE real log_of_parts(const real f, const real k) {
#if SINGLE
  const real q0 = 0x1.55557ap-1f, q1 = 0x1.995f4ap-2f, q2 = 0x1.31d66cp-2f;
#else
  const real q0 = 0x1.555555555558bp-1, q1 = 0x1.9999999981c43p-2, q2 = 0x1.2492494086e87p-2,
             q3 = 0x1.c71c530a3c7d6p-3, q4 = 0x1.74660fb5e21d5p-3, q5 = 0x1.39a610f8a1077p-3,
             q6 = 0x1.2edd07e4fb90cp-3;
#endif
  const real s = f / (2 + f), z = s * s;
#if SINGLE
  const real rest = z * (q0 + z * (q1 + z * q2));
#else
  const real rest = z * (q0 + z * (q1 + z * (q2 + z * (q3 + z * (q4 + z * (q5 + z * q6))))));
#endif
  return k * LN2_HIGH + (f - (s * (f - rest) - k * LN2_LOW));
}

/* x = 2^k·m with √½ ≤ m < √2, for a normal x > 0: m, and k. */
PURE real mantissa(const real x, real *const k) {
  const pattern least = bits_of(SQRT_HALF), one = (pattern)EXPONENT_BIAS << FRACTION_BITS;
  const pattern moved = bits_of(x) + (one - least);
  /* The exponent in the last bits of 2^FRACTION_BITS, so that no conversion is needed. */
  const real exponent = (real)((pattern)1 << FRACTION_BITS);
  *k = of_bits(bits_of(exponent) | (moved >> FRACTION_BITS)) - (exponent + EXPONENT_BIAS);
  return of_bits((moved & (((pattern)1 << FRACTION_BITS) - 1)) + least);
}

/* ln x. */
PURE real real_log(const real x) {
  const real least = of_bits((pattern)1 << FRACTION_BITS); /* of the normal range */
  const real up = of_bits((pattern)(EXPONENT_BIAS + LIFT_BITS) << FRACTION_BITS);
  const real lifted = x < least ? x * up : x;
  real k;
  const real m = mantissa(lifted, &k);
  const real found = log_of_parts(m - 1, x < least ? k - LIFT_BITS : k);
  const real outside = x == 0 ? -INFINITE : (x < 0 ? NO_NUMBER : x);
  return (x > 0 && x < INFINITE) ? found : outside;
}

/* ln(1 + x). */
PURE real real_log1p(const real x) {
  real k;
  const real m = mantissa(1 + x, &k);
  /* (1 + x)·2^-k − 1 with one rounding; far out, the 1 does not matter. */
  const real shrink = of_bits((bits_of(ROUND_BY - k) + EXPONENT_BIAS) << FRACTION_BITS);
  const real f = x < (real)((pattern)1 << FRACTION_BITS) ? x * shrink + (shrink - 1) : m - 1;
  const real found = log_of_parts(f, k);
  const real outside = x == -1 ? -INFINITE : (x < -1 ? NO_NUMBER : x);
  return (x > -1 && x < INFINITE) ? found : outside;
}

/* ln(1 + x) for 0 ≤ x ≤ 1. */
PURE real log1p_of_share(const real x) {
  const int large = x > (real)0x1.a827999fcef32p-2; /* √2 − 1 */
  return log_of_parts(large ? (real)0.5 * x - (real)0.5 : x, large ? (real)1 : (real)0);
}

#endif
