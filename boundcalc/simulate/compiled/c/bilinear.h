/* f(y, w) = ⟨y, w⟩. */

#ifndef BOUNDCALC_BILINEAR_H
#define BOUNDCALC_BILINEAR_H
#include "base.h"

KERNEL bilinear_forward(const int lanes, const int n, const real *restrict p,
                        const real *restrict y, const real *restrict w,
                        const real *restrict label, real *restrict out, real *restrict saved) {
  (void)p, (void)label, (void)saved;
  if (out) lane_product(lanes, n, w, y, NULL, out);
}

/* ∇_y f = w and ∇_w f = y. */
KERNEL bilinear_backward(const int lanes, const int n, const real *restrict p,
                         const real *restrict y, const real *restrict w,
                         const real *restrict label, const real *restrict saved,
                         const real *restrict v, real *restrict back, real *restrict grad) {
  (void)p, (void)label, (void)saved;
  if (back) {
    for (int i = 0; i < n; i++) {
      const real factor = w[i];
      FOR_LANES(b) AT(back, i)[b] = factor * v[b];
    }
  }
  if (grad) lane_dots(lanes, n, y, v, grad);
}

#endif
