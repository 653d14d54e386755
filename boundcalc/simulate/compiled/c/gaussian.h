/* The tail and density of the standard normal law, relatively accurate far out. */

#ifndef BOUNDCALC_GAUSSIAN_H
#define BOUNDCALC_GAUSSIAN_H
#include "elementary.h"

/* (x + c)·e^(x²/2)·P(N > x) as a polynomial in u = (x − c)/(x + c), 0 ≤ x ≤ 39 (15), where
   c = 11/2 (4) lets the degree be lowest.  The relative error is below 2^-55 (2^-24). */
#if SINGLE
#define GAUSSIAN_CENTER 4.0f
#define GAUSSIAN_MOST 15.0f
PURE real gaussian_ratio(const real u) {
  const real s = u * u;
  const real even_high = 0x1.eed34cp-5f + s * (-0x1.cc1726p-9f + s * 0x1.6e48c2p-13f);
  const real odd_high = -0x1.ed17dep-8f + s * (0x1.9b2628p-10f + s * -0x1.196edep-13f);
  const real even = 0x1.82b4bcp-1f + s * (0x1.8c6d9ep-2f + s * even_high);
  const real odd = -0x1.373e38p-1f + s * (-0x1.7e001ep-3f + s * odd_high);
  return even + u * odd;
}
#else
#define GAUSSIAN_CENTER 5.5
#define GAUSSIAN_MOST 39.0
PURE real gaussian_ratio(const real u) {
  const real s = u * u;
  const real e4 = 0x1.afa74879c0946p-25 + s * -0x1.84754087b22a5p-28;
  const real e3 = 0x1.df447599bce31p-22 + s * (-0x1.1f8589914e065p-22 + s * e4);
  const real e2 = -0x1.544962c18277bp-12 + s * (0x1.11cdc73c0a0e7p-16 + s * e3);
  const real e1 = 0x1.71707b5751f22p-5 + s * (0x1.4034e561d182cp-9 + s * e2);
  const real e0 = 0x1.1239b3f8c06dap-1 + s * (0x1.be33e6ee995f1p-3 + s * e1);
  const real o4 = 0x1.8a1a085fe7594p-26 + s * -0x1.629745deb077cp-29;
  const real o3 = 0x1.8e5277d03e7bbp-20 + s * (-0x1.7d620e0091aaap-23 + s * o4);
  const real o2 = 0x1.2b891cc640623p-14 + s * (-0x1.96a48d881578dp-17 + s * o3);
  const real o1 = -0x1.c83edf43369bap-7 + s * (0x1.1ab345ddb49d6p-12 + s * o2);
  const real o0 = -0x1.77dbb5cdda96cp-2 + s * (-0x1.c15806fa49133p-4 + s * o1);
  return (0x1.8c2b8893b5c8dp-1 + s * e0) + u * (-0x1.5ed05c7e41a2ep-1 + s * o0);
}
#endif

/* e^(−x²/2), x² not rounded: the square of x's first half is exact. */
PURE real gaussian_power(const real x) {
  const pattern rest = ((pattern)1 << (FRACTION_BITS / 2 + 1)) - 1;
  const real half = of_bits(bits_of(x) & ~rest);
  return exp_of_difference((real)-0.5 * half * half, (real)0.5 * (x - half) * (x + half));
}

/* P(N > x) for x ≥ 0, and the density at x; both 0 beyond GAUSSIAN_MOST. */
PURE real gaussian_tail(const real x, real *const density) {
  const real inverse = 1 / (x + GAUSSIAN_CENTER), power = gaussian_power(x);
  const real ratio = gaussian_ratio((x - GAUSSIAN_CENTER) * inverse) * inverse;
  *density = x > GAUSSIAN_MOST ? 0 : power * (real)0x1.9884533d43651p-2; /* 1/√(2π) */
  return x > GAUSSIAN_MOST ? 0 : power * ratio;
}

#endif
