/* φ = t·σ(q), q = 2√(2/π)·(t + 0.044715t³); φ′ = σ(q)(1 + t·q′σ(−q)).  In q, t is cut off at ±40,
   as the operator does: beyond, the gate is 0 or 1 to the last bit. */

#ifndef BOUNDCALC_GELU_TANH_H
#define BOUNDCALC_GELU_TANH_H
#include "elementwise.h"

#define GELU_FACTOR ((real)0x1.9884533d43651p+0) /* 2√(2/π) */
#define GELU_CUBIC ((real)0.044715)

PURE Jet gelu_tanh_jet(const real t, const real *p) {
  (void)p;
  const real far = 40, near = t > far ? far : (t < -far ? -far : t);
  const real bend = GELU_CUBIC * near * near;
  const real q = GELU_FACTOR * near * (1 + bend), slope = GELU_FACTOR * (1 + 3 * bend);
  const real e = exp_of_negative(-size_of(q)), large = 1 / (1 + e), small = e * large;
  const real gate = q >= 0 ? large : small, rest = q >= 0 ? small : large;
  return (Jet){t * gate, gate * (1 + near * slope * rest)};
}

ELEMENTWISE(gelu_tanh)

#endif
