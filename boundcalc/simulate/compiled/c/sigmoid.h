/* φ = σ(t) = 1/(1 + e^−t), φ′ = σ(t)σ(−t). */

#ifndef BOUNDCALC_SIGMOID_H
#define BOUNDCALC_SIGMOID_H
#include "elementwise.h"

PURE Jet sigmoid_jet(const real t, const real *p) {
  (void)p;
  const real e = exp_of_negative(-size_of(t)), large = 1 / (1 + e), small = e * large;
  return (Jet){t >= 0 ? large : small, small * large};
}

ELEMENTWISE(sigmoid)

#endif
