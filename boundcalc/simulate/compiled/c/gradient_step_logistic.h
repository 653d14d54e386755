/* f(y, w) = y − w ∘ ∇g(y), g the mean over m rows of ln(1 + exp(z_jᵀy)) plus ½ρ‖y‖².

   Parameters: the rows z_j (m × n), then ρ.  Kept: ∇g(y), and the m slopes σ′(z_jᵀy); room for
   m and n more numbers follows. */

#ifndef BOUNDCALC_GRADIENT_STEP_LOGISTIC_H
#define BOUNDCALC_GRADIENT_STEP_LOGISTIC_H
#include "elementary.h"
#include "gradient_step.h"

/* out = (1/m) Σ_j s_j z_j + ρ y. */
PURE void mean_of_rows(const int lanes, const int n, const int m, const real *restrict p,
                       const real *restrict s, const real *restrict y, real *restrict out) {
  const real ridge = p[(size_t)m * n];
  block_product(lanes, n, m, s, (matrix){p, 1, n}, NULL, out);
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) AT(out, i)[b] = AT(out, i)[b] / m + ridge * AT(y, i)[b];
  }
}

KERNEL gradient_step_logistic_forward(const int lanes, const int n, const int m,
                                      const int each, const real *restrict p,
                                      const real *restrict y, const real *restrict w,
                                      const real *restrict label, real *restrict out,
                                      real *restrict saved) {
  (void)label;
  real *restrict slopes = AT(saved, n), *restrict t = AT(saved, n + m);
  block_product(lanes, m, n, y, (matrix){p, n, 1}, NULL, t);
  for (int j = 0; j < m; j++) {
    FOR_LANES(b) {
      const real x = AT(t, j)[b], e = exp_of_negative(-size_of(x)), whole = 1 + e;
      AT(t, j)[b] = (x >= 0 ? 1 : e) / whole;
      AT(slopes, j)[b] = e / (whole * whole);
    }
  }
  mean_of_rows(lanes, n, m, p, t, y, saved);
  if (out) step_along(lanes, n, each, y, w, saved, out);
}

/* v − ∇²g(y)(w ∘ v), and −∇g(y) ∘ v. */
KERNEL gradient_step_logistic_backward(const int lanes, const int n, const int m,
                                       const int each, const real *restrict p,
                                       const real *restrict y, const real *restrict w,
                                       const real *restrict label, const real *saved,
                                       const real *restrict v, real *restrict back,
                                       real *restrict grad) {
  (void)y, (void)label;
  if (back) {
    const real *slopes = AT(saved, n);
    real *products = AT((real *)saved, n + m), *scaled = AT((real *)saved, n + 2 * m);
    step_scaled(lanes, n, each, w, v, scaled);
    block_product(lanes, m, n, scaled, (matrix){p, n, 1}, NULL, products);
    for (int j = 0; j < m; j++) FOR_LANES(b) AT(products, j)[b] *= AT(slopes, j)[b];
    mean_of_rows(lanes, n, m, p, products, scaled, back);
    for (int i = 0; i < n; i++) FOR_LANES(b) AT(back, i)[b] = AT(v, i)[b] - AT(back, i)[b];
  }
  if (grad) step_weights(lanes, n, each, saved, v, grad);
}

#endif
