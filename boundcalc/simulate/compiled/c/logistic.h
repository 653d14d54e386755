/* f(y) = ln(1 + e^(−label·y)): softplus at −label·y. */

#ifndef BOUNDCALC_LOGISTIC_H
#define BOUNDCALC_LOGISTIC_H
#include "softplus.h"

/* Keeps f′ = −label·σ(−label·y). */
KERNEL logistic_forward(const int lanes, const real *restrict p, const real *restrict y,
                        const real *restrict w, const real *restrict label, real *restrict out,
                        real *restrict saved) {
  (void)w;
  if (saved) FOR_LANES(b) saved[b] = -label[b] * softplus_jet(-label[b] * y[b], p).slope;
  if (out) FOR_LANES(b) out[b] = softplus_jet(-label[b] * y[b], p).value;
}

KERNEL logistic_backward(const int lanes, const real *restrict p, const real *restrict y,
                         const real *restrict w, const real *restrict label,
                         const real *restrict saved, const real *restrict v, real *restrict back,
                         real *restrict grad) {
  (void)p, (void)y, (void)w, (void)label, (void)grad;
  if (back) FOR_LANES(b) back[b] = saved[b] * v[b];
}

#endif
