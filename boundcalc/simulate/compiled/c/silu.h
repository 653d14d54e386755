/* φ = t·σ(t), φ′ = σ(t)(1 + t·σ(−t)). */

#ifndef BOUNDCALC_SILU_H
#define BOUNDCALC_SILU_H
#include "elementwise.h"

PURE Jet silu_jet(const real t, const real *p) {
  (void)p;
  const real e = exp_of_negative(-size_of(t)), large = 1 / (1 + e), small = e * large;
  const real gate = t >= 0 ? large : small, rest = t >= 0 ? small : large;
  return (Jet){t * gate, gate * (1 + t * rest)};
}

ELEMENTWISE(silu)

#endif
