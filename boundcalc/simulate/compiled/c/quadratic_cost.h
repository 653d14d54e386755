/* f = ½yᵀMy + cᵀy, M symmetric.

   Parameters: the diagonal of M or its rows, then c.  Kept: My. */

#ifndef BOUNDCALC_QUADRATIC_COST_H
#define BOUNDCALC_QUADRATIC_COST_H
#include "quadratic_form.h"

KERNEL quadratic_cost_forward(const int lanes, const int n, const int diagonal,
                              const real *restrict p, const real *restrict y,
                              const real *restrict w, const real *restrict label,
                              real *restrict out, real *restrict saved) {
  (void)w, (void)label;
  const real *c = form_linear(n, diagonal, p);
  form_product(lanes, n, diagonal, p, NULL, y, saved);
  if (!out) return;
  FOR_LANES(b) out[b] = 0;
  for (int i = 0; i < n; i++) {
    const real linear = c[i];
    FOR_LANES(b) out[b] += AT(y, i)[b] * ((real)0.5 * AT(saved, i)[b] + linear);
  }
}

/* (My + c)v. */
KERNEL quadratic_cost_backward(const int lanes, const int n, const int diagonal,
                               const real *restrict p, const real *restrict y,
                               const real *restrict w, const real *restrict label,
                               const real *restrict saved, const real *restrict v,
                               real *restrict back, real *restrict grad) {
  (void)y, (void)w, (void)label, (void)grad;
  if (!back) return;
  const real *c = form_linear(n, diagonal, p);
  for (int i = 0; i < n; i++) {
    const real linear = c[i];
    FOR_LANES(b) AT(back, i)[b] = (AT(saved, i)[b] + linear) * v[b];
  }
}

#endif
