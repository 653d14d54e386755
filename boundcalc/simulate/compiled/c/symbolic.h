/* Functions that kernels generated from symbolic forms call. */

#ifndef BOUNDCALC_SYMBOLIC_H
#define BOUNDCALC_SYMBOLIC_H
#include "elementary.h"

/* NaN in either argument stays. */
PURE real larger(const real x, const real y) { return (x > y || x != x) ? x : y; }
PURE real smaller(const real x, const real y) { return (x < y || x != x) ? x : y; }

PURE real sign_of(const real x) { return x > 0 ? 1 : (x < 0 ? -1 : x); }

/* 0 below 0, 1 above, `middle` at 0. */
PURE real step_of(const real x, const real middle) {
  return x > 0 ? 1 : (x < 0 ? 0 : (x == 0 ? middle : x));
}

/* x^n for n ≥ 1. */
PURE real whole_power(const real x, const int n) {
  real found = 1, square = x;
  for (int left = n; left; left >>= 1) {
    if (left & 1) found *= square;
    if (left > 1) square *= square;
  }
  return found;
}

/* 1/(1 + e⁻ˣ), without overflow. */
PURE real expit(const real x) {
  const real e = exp_of_negative(-size_of(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

/* ln(1 + eˣ), without overflow. */
PURE real softplus(const real x) {
  return larger(x, 0) + real_log1p(exp_of_negative(-size_of(x)));
}

#endif
