/* φ = t·Φ(t), φ′ = Φ(t) + t·Φ′(t), Φ the normal distribution function. */

#ifndef BOUNDCALC_GELU_H
#define BOUNDCALC_GELU_H
#include "elementwise.h"
#include "gaussian.h"

PURE Jet gelu_jet(const real t, const real *p) {
  (void)p;
  real density;
  const real size = size_of(t), tail = gaussian_tail(size, &density);
  const real gate = t >= 0 ? 1 - tail : tail;
  return (Jet){t * gate, size > GAUSSIAN_MOST ? gate : gate + t * density};
}

ELEMENTWISE(gelu)

#endif
