/* f(y, w) = W y + c for each of `tokens` vectors of n numbers: a fully connected layer.

   The weights are W (units × n) row by row, then c if there is a bias. */

#ifndef BOUNDCALC_DENSE_H
#define BOUNDCALC_DENSE_H
#include "dots.h"

KERNEL dense_forward(const int lanes, const int tokens, const int n, const int units,
                     const int bias, const real *restrict p, const real *restrict y,
                     const real *restrict w, const real *restrict label, real *restrict out,
                     real *restrict saved) {
  (void)p, (void)label, (void)saved;
  if (!out) return;
  const matrix W = {w, n, 1};
  for (int t = 0; t < tokens; t++) {
    block_product(lanes, units, n, AT(y, t * n), W, bias ? w + (size_t)units * n : NULL,
                  AT(out, t * units));
  }
}

/* ∇_y f = W for each token, ∇_W f = v yᵀ summed over tokens, ∇_c f = v. */
KERNEL dense_backward(const int lanes, const int tokens, const int n, const int units,
                      const int bias, const real *restrict p, const real *restrict y,
                      const real *restrict w, const real *restrict label,
                      const real *restrict saved, const real *restrict v, real *restrict back,
                      real *restrict grad) {
  (void)p, (void)label, (void)saved;
  const matrix transposed = {w, 1, n};
  for (int t = 0; t < tokens; t++) {
    const real *part = AT(v, t * units);
    if (back) block_product(lanes, n, units, part, transposed, NULL, AT(back, t * n));
    if (grad) {
      block_dots(lanes, units, n, part, AT(y, t * n), n, grad);
      if (bias) add_lane_sums(lanes, units, part, grad + (size_t)units * n);
    }
  }
}

#endif
