/* f = g ⊙ x̂ + c for each of `tokens` vectors y of n numbers, x̂ = y/√(‖y‖²/n + eps) of y (RMS
   normalisation, no c) or of y less its mean (layer normalisation).  Without weights f = x̂.

   Parameters: eps.  Kept for each token: the mean, and 1/√(‖y‖²/n + eps). */

#ifndef BOUNDCALC_NORMALIZATION_H
#define BOUNDCALC_NORMALIZATION_H
#include "base.h"

/* The two numbers of one token. */
PURE void token_scale(const int lanes, const int n, const int centered, const real eps,
                      const real *restrict y, real *restrict mean, real *restrict scale) {
  FOR_LANES(b) mean[b] = 0;
  if (centered) {
    for (int i = 0; i < n; i++) FOR_LANES(b) mean[b] += AT(y, i)[b];
    FOR_LANES(b) mean[b] /= n;
  }
  FOR_LANES(b) scale[b] = 0;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      const real moved = AT(y, i)[b] - mean[b];
      scale[b] += moved * moved;
    }
  }
  FOR_LANES(b) scale[b] = 1 / (real)__builtin_sqrt(scale[b] / n + eps);
}

KERNEL normalization_forward(const int lanes, const int tokens, const int n, const int centered,
                             const int weighted, const real *restrict p, const real *restrict y,
                             const real *restrict w, const real *restrict label,
                             real *restrict out, real *restrict saved) {
  (void)label;
  for (int t = 0; t < tokens; t++) {
    const real *restrict token = AT(y, t * n);
    real *restrict mean = AT(saved, 2 * t), *restrict scale = AT(saved, 2 * t + 1);
    token_scale(lanes, n, centered, p[0], token, mean, scale);
    if (!out) continue;
    for (int i = 0; i < n; i++) {
      const real gain = weighted ? w[i] : 1, shift = weighted && centered ? w[n + i] : 0;
      FOR_LANES(b) {
        AT(out, t * n + i)[b] = (AT(token, i)[b] - mean[b]) * scale[b] * gain + shift;
      }
    }
  }
}

/* ∇_y fᵀv = (I − x̂x̂ᵀ/n)(g ⊙ v)/√(‖y‖²/n + eps), less its mean where y is centred. */
PURE void token_pull(const int lanes, const int n, const int centered, const int weighted,
                     const real *restrict y, const real *restrict mean,
                     const real *restrict scale, const real *restrict w, const real *restrict v,
                     real *restrict back) {
  real along[LANES], left[LANES];
  FOR_LANES(b) along[b] = left[b] = 0;
  for (int i = 0; i < n; i++) {
    const real gain = weighted ? w[i] : 1;
    FOR_LANES(b) along[b] += (AT(y, i)[b] - mean[b]) * scale[b] * (gain * AT(v, i)[b]);
  }
  FOR_LANES(b) along[b] /= n;
  for (int i = 0; i < n; i++) {
    const real gain = weighted ? w[i] : 1;
    FOR_LANES(b) {
      const real unit = (AT(y, i)[b] - mean[b]) * scale[b];
      const real pulled = (gain * AT(v, i)[b] - unit * along[b]) * scale[b];
      AT(back, i)[b] = pulled;
      left[b] += pulled;
    }
  }
  if (!centered) return;
  FOR_LANES(b) left[b] /= n;
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(back, i)[b] -= left[b];
}

/* Tokens one by one; ∇_g fᵀv = x̂ ⊙ v and ∇_c fᵀv = v. */
KERNEL normalization_backward(const int lanes, const int tokens, const int n,
                              const int centered, const int weighted, const real *restrict p,
                              const real *restrict y, const real *restrict w,
                              const real *restrict label, const real *restrict saved,
                              const real *restrict v, real *restrict back,
                              real *restrict grad) {
  (void)p, (void)label;
  for (int t = 0; t < tokens; t++) {
    const real *restrict token = AT(y, t * n), *restrict own = AT(v, t * n);
    const real *restrict mean = AT(saved, 2 * t), *restrict scale = AT(saved, 2 * t + 1);
    if (back) {
      token_pull(lanes, n, centered, weighted, token, mean, scale, w, own, AT(back, t * n));
    }
    if (!grad || !weighted) continue;
    for (int i = 0; i < n; i++) {
      real unit[LANES];
      FOR_LANES(b) unit[b] = (AT(token, i)[b] - mean[b]) * scale[b];
      grad[i] += lane_dot(lanes, unit, AT(own, i));
      if (centered) grad[n + i] += lane_sum(lanes, AT(own, i));
    }
  }
}

#endif
