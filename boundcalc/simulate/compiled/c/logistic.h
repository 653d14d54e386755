/* f(y) = ln(1 + e^(−label·y)): softplus at −label·y. */

#ifndef BOUNDCALC_LOGISTIC_H
#define BOUNDCALC_LOGISTIC_H
#include "softplus.h"

/* Keeps f′ = −label·σ(−label·y). */
KERNEL logistic_forward(const int lanes, const real *restrict p, const real *restrict y,
                        const real *restrict w, const real *restrict label, real *restrict out,
                        real *restrict saved) {
  (void)w;
  FOR_LANES(b) {
    const Jet f = softplus_jet(-label[b] * y[b], p);
    saved[b] = -label[b] * f.slope;
    if (out) out[b] = f.value;
  }
}

KERNEL logistic_backward(const int lanes, const real *restrict p, const real *restrict y,
                         const real *restrict w, const real *restrict label,
                         const real *restrict saved, const real *restrict v, real *restrict back,
                         real *restrict grad) {
  (void)p, (void)y, (void)w, (void)label, (void)grad;
  if (back) FOR_LANES(b) back[b] = saved[b] * v[b];
}

#endif
