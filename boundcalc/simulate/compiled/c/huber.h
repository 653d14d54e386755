/* f(y) = c·(z − c/2), z = y − label and c its projection on [−δ, δ], δ = p[0]; f′ = c. */

#ifndef BOUNDCALC_HUBER_H
#define BOUNDCALC_HUBER_H
#include "base.h"

PURE real huber_inside(const real z, const real delta) {
  return z > delta ? delta : (z < -delta ? -delta : z); /* NaN stays */
}

KERNEL huber_forward(const int lanes, const real *restrict p, const real *restrict y,
                     const real *restrict w, const real *restrict label, real *restrict out,
                     real *restrict saved) {
  (void)w, (void)saved;
  const real delta = p[0];
  if (!out) return;
  FOR_LANES(b) {
    const real z = y[b] - label[b], inside = huber_inside(z, delta);
    out[b] = inside * (z - (real)0.5 * inside);
  }
}

KERNEL huber_backward(const int lanes, const real *restrict p, const real *restrict y,
                      const real *restrict w, const real *restrict label,
                      const real *restrict saved, const real *restrict v, real *restrict back,
                      real *restrict grad) {
  (void)w, (void)saved, (void)grad;
  const real delta = p[0];
  if (back) FOR_LANES(b) back[b] = huber_inside(y[b] - label[b], delta) * v[b];
}

#endif
