/* f(y, w) = y − w ∘ (Hy + c), H symmetric: a step along the gradient of ½yᵀHy + cᵀy.

   Parameters: the diagonal of H or its rows, then c.  Kept: Hy + c; room for n more follows. */

#ifndef BOUNDCALC_GRADIENT_STEP_QUADRATIC_H
#define BOUNDCALC_GRADIENT_STEP_QUADRATIC_H
#include "gradient_step.h"
#include "quadratic_form.h"

KERNEL gradient_step_quadratic_forward(const int lanes, const int n, const int diagonal,
                                       const int each, const real *restrict p,
                                       const real *restrict y, const real *restrict w,
                                       const real *restrict label, real *restrict out,
                                       real *restrict saved) {
  (void)label;
  form_product(lanes, n, diagonal, p, form_linear(n, diagonal, p), y, saved);
  if (out) step_along(lanes, n, each, y, w, saved, out);
}

/* v − H(w ∘ v), and −(Hy + c) ∘ v. */
KERNEL gradient_step_quadratic_backward(const int lanes, const int n, const int diagonal,
                                        const int each, const real *restrict p,
                                        const real *restrict y, const real *restrict w,
                                        const real *restrict label, const real *saved,
                                        const real *restrict v, real *restrict back,
                                        real *restrict grad) {
  (void)y, (void)label;
  if (back) {
    real *scaled = AT((real *)saved, n);
    step_scaled(lanes, n, each, w, v, scaled);
    form_product(lanes, n, diagonal, p, NULL, scaled, back);
    for (int i = 0; i < n; i++) FOR_LANES(b) AT(back, i)[b] = AT(v, i)[b] - AT(back, i)[b];
  }
  if (grad) step_weights(lanes, n, each, saved, v, grad);
}

#endif
