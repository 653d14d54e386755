/* f(y, w) = −label · ⟨y, w⟩: the margin of a linear classifier. */

#ifndef BOUNDCALC_MARGIN_H
#define BOUNDCALC_MARGIN_H
#include "base.h"

KERNEL margin_forward(const int lanes, const int n, const real *restrict p, const real *restrict y,
                      const real *restrict w, const real *restrict label, real *restrict out,
                      real *restrict saved) {
  (void)p, (void)saved;
  if (!out) return;
  lane_product(lanes, n, w, y, label, out);
}

/* ∇_y f = −label · w and ∇_w f = −label · y. */
KERNEL margin_backward(const int lanes, const int n, const real *restrict p, const real *restrict y,
                       const real *restrict w, const real *restrict label,
                       const real *restrict saved, const real *restrict v, real *restrict back,
                       real *restrict grad) {
  (void)p, (void)saved;
  real u[LANES];
  FOR_LANES(b) u[b] = -label[b] * v[b];
  if (back) {
    for (int i = 0; i < n; i++) {
      const real wi = w[i];
      FOR_LANES(b) AT(back, i)[b] = wi * u[b];
    }
  }
  if (grad) lane_dots(lanes, n, y, u, grad);
}

#endif
