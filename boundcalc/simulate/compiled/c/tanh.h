/* φ = tanh: with e = e^(−2|t|), tanh |t| = (1 − e)/(1 + e) and φ′ = 4e/(1 + e)². */

#ifndef BOUNDCALC_TANH_H
#define BOUNDCALC_TANH_H
#include "elementwise.h"

PURE Jet tanh_jet(const real t, const real *p) {
  (void)p;
  real less; /* e − 1, which does not cancel */
  const real e = exp_and_expm1(-2 * size_of(t), &less), inverse = 1 / (2 + less);
  return (Jet){signed_as(-less * inverse, t), 4 * e * inverse * inverse};
}

ELEMENTWISE(tanh)

#endif
