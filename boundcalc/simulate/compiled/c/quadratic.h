/* f(y, w) = ‖y‖²/2 + w. */

#ifndef BOUNDCALC_QUADRATIC_H
#define BOUNDCALC_QUADRATIC_H
#include "base.h"

KERNEL quadratic_forward(const int lanes, const int n, const real *restrict p,
                         const real *restrict y, const real *restrict w,
                         const real *restrict label, real *restrict out, real *restrict saved) {
  (void)p, (void)label, (void)saved;
  if (!out) return;
  real total[LANES];
  FOR_LANES(b) total[b] = 0;
  for (int i = 0; i < n; i++) FOR_LANES(b) total[b] += AT(y, i)[b] * AT(y, i)[b];
  FOR_LANES(b) out[b] = (real)0.5 * total[b] + w[0];
}

/* ∇_y f = y and ∇_w f = 1. */
KERNEL quadratic_backward(const int lanes, const int n, const real *restrict p,
                          const real *restrict y, const real *restrict w,
                          const real *restrict label, const real *restrict saved,
                          const real *restrict v, real *restrict back, real *restrict grad) {
  (void)p, (void)w, (void)label, (void)saved;
  if (back) {
    for (int i = 0; i < n; i++) FOR_LANES(b) AT(back, i)[b] = AT(y, i)[b] * v[b];
  }
  if (grad) grad[0] += lane_sum(lanes, v);
}

#endif
