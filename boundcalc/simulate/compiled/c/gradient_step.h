/* What steps f(y, w) = y − w ∘ ∇g(y) share, w one step size or one for `each` of n coordinates. */

#ifndef BOUNDCALC_GRADIENT_STEP_H
#define BOUNDCALC_GRADIENT_STEP_H
#include "dots.h"

/* out = y − w ∘ gradient. */
PURE void step_along(const int lanes, const int n, const int each, const real *restrict y,
                     const real *restrict w, const real *restrict gradient, real *restrict out) {
  for (int i = 0; i < n; i++) {
    const real step = w[each ? i : 0];
    FOR_LANES(b) AT(out, i)[b] = AT(y, i)[b] - step * AT(gradient, i)[b];
  }
}

/* grad −= gradient ∘ v, summed over samples, and over coordinates for a single step size. */
PURE void step_weights(const int lanes, const int n, const int each,
                       const real *restrict gradient, const real *restrict v,
                       real *restrict grad) {
  for (int i = 0; i < n; i++) grad[each ? i : 0] -= lane_dot(lanes, AT(gradient, i), AT(v, i));
}

/* scaled = w ∘ v. */
PURE void step_scaled(const int lanes, const int n, const int each, const real *restrict w,
                      const real *restrict v, real *restrict scaled) {
  for (int i = 0; i < n; i++) {
    const real step = w[each ? i : 0];
    FOR_LANES(b) AT(scaled, i)[b] = step * AT(v, i)[b];
  }
}

#endif
