/* f(y) = (y − label)²/2. */

#ifndef BOUNDCALC_SQUARED_H
#define BOUNDCALC_SQUARED_H
#include "base.h"

KERNEL squared_forward(const int lanes, const real *restrict p, const real *restrict y,
                       const real *restrict w, const real *restrict label, real *restrict out,
                       real *restrict saved) {
  (void)p, (void)w, (void)saved;
  if (out) FOR_LANES(b) out[b] = (real)0.5 * ((y[b] - label[b]) * (y[b] - label[b]));
}

KERNEL squared_backward(const int lanes, const real *restrict p, const real *restrict y,
                        const real *restrict w, const real *restrict label,
                        const real *restrict saved, const real *restrict v, real *restrict back,
                        real *restrict grad) {
  (void)p, (void)w, (void)saved, (void)grad;
  if (back) FOR_LANES(b) back[b] = (y[b] - label[b]) * v[b];
}

#endif
