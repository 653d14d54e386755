/* f(y₁, y₂) = y₁ᵀy₂ for two inputs of n numbers. */

#ifndef BOUNDCALC_INNER_H
#define BOUNDCALC_INNER_H
#include "base.h"

KERNEL inner_forward(const int lanes, const int n, const real *restrict p, const real *restrict y,
                     const real *restrict w, const real *restrict label, real *restrict out,
                     real *restrict saved) {
  (void)p, (void)w, (void)label, (void)saved;
  if (!out) return;
  real total[LANES];
  FOR_LANES(b) total[b] = 0;
  for (int i = 0; i < n; i++) {
    const real *const first = AT(y, i), *const second = AT(y, n + i);
    FOR_LANES(b) total[b] += first[b] * second[b];
  }
  FOR_LANES(b) out[b] = total[b];
}

/* ∇₁f = y₂ and ∇₂f = y₁. */
KERNEL inner_backward(const int lanes, const int n, const real *restrict p,
                      const real *restrict y, const real *restrict w, const real *restrict label,
                      const real *restrict saved, const real *restrict v, real *restrict back,
                      real *restrict grad) {
  (void)p, (void)w, (void)label, (void)saved, (void)grad;
  if (!back) return;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) AT(back, i)[b] = AT(y, n + i)[b] * v[b];
    FOR_LANES(b) AT(back, n + i)[b] = AT(y, i)[b] * v[b];
  }
}

#endif
