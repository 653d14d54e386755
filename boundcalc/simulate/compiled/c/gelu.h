/* φ = t·Φ(t), φ′ = Φ(t) + t·Φ′(t), Φ the normal distribution function; 0 or 1 beyond ±40. */

#ifndef BOUNDCALC_GELU_H
#define BOUNDCALC_GELU_H
#include "elementwise.h"
#include "gaussian.h"

PURE Jet gelu_jet(const real t, const real *p) {
  (void)p;
  const real far = 40, size = size_of(t), near = size > far ? far : size;
  real density;
  const real tail = gaussian_tail(near, &density), gate = t >= 0 ? 1 - tail : tail;
  return (Jet){t * gate, gate + signed_as(near, t) * density};
}

ELEMENTWISE(gelu)

#endif
