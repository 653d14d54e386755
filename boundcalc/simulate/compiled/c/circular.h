/* The sine and cosine together, of numbers up to CIRCULAR_MOST; beyond, ask the C library. */

#ifndef BOUNDCALC_CIRCULAR_H
#define BOUNDCALC_CIRCULAR_H
#include "elementary.h"

/* x = n·π/2 + r with |r| ≤ π/4·(1 + 1/400), for |x| ≤ CIRCULAR_MOST; n + ROUND_BY in `shifted`.

   π/2 comes in parts of 33 bits (14) and a rest, so that n times a part is exact for n ≤ 2^20
   (2^10), as is x minus the first product.  The error of r is 2^-52·|r| + 2^-101 (2^-23, 2^-57). */
#if SINGLE
#define CIRCULAR_MOST 1600.0f
PURE real quarter_turns(const real x, real *const shifted) {
  *shifted = x * 0x1.45f306p-1f + ROUND_BY;
  const real n = *shifted - ROUND_BY;
  const real near = ((x - n * 0x1.9218p0f) - n * 0x1.ed5p-14f) - n * 0x1.10bp-30f;
  return near - n * 0x1.184698p-44f;
}
#else
#define CIRCULAR_MOST 1.6e6
PURE real quarter_turns(const real x, real *const shifted) {
  *shifted = x * 0x1.45f306dc9c883p-1 + ROUND_BY;
  const real n = *shifted - ROUND_BY;
  return ((x - n * 0x1.921fb544p0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
}
#endif

/* sin r = r + r³·S(r²) and cos r = 1 − r²/2 + r⁴·C(r²); the errors are below 2^-56·|r| (2^-27)
   and 2^-63 (2^-32). */
#if SINGLE
PURE real sine_near_zero(const real r, const real z) {
  return r + r * z * (-0x1.555546p-3f + z * (0x1.110748p-7f + z * -0x1.9945e2p-13f));
}
PURE real cosine_near_zero(const real z) {
  const real rest = 0x1.55554ap-5f + z * (-0x1.6c0c24p-10f + z * 0x1.99e634p-16f);
  return 1 - z * (0.5f - z * rest);
}
#else
PURE real sine_near_zero(const real r, const real z) {
  const real high = -0x1.a01a019c02624p-13 +
                    z * (0x1.71de35687bce2p-19 +
                         z * (-0x1.ae5e5906caf5bp-26 + z * 0x1.5d8eddcd274b8p-33));
  return r + r * z * (-0x1.5555555555549p-3 + z * (0x1.111111110f81ap-7 + z * high));
}
PURE real cosine_near_zero(const real z) {
  const real high = 0x1.a01a019cad5a9p-16 +
                    z * (-0x1.27e4f8023ce9bp-22 +
                         z * (0x1.1ee9e46e0a3abp-29 + z * -0x1.8fa9db0279b73p-37));
  const real rest = 0x1.555555555554cp-5 + z * (-0x1.6c16c16c151aep-10 + z * high);
  return 1 - z * (0.5 - z * rest);
}
#endif

/* sin x, and cos x, for |x| ≤ CIRCULAR_MOST: those of r, exchanged for odd n, their signs by n. */
PURE real sine_and_cosine(const real x, real *const cosine) {
  real shifted;
  const real r = quarter_turns(x, &shifted), z = r * r;
  const real s = sine_near_zero(r, z), c = cosine_near_zero(z);
  const pattern n = bits_of(shifted);
  const int places = sizeof(real) * 8 - 2;
  *cosine = of_bits(bits_of(n & 1 ? s : c) ^ (((n + 1) & 2) << places));
  return of_bits(bits_of(n & 1 ? c : s) ^ ((n & 2) << places));
}

#endif
