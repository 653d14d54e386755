/* f_i = e^(y_i/τ)/Σ_j e^(y_j/τ) for each of `rows` rows of n numbers, τ = p[0]. */

#ifndef BOUNDCALC_SOFTMAX_H
#define BOUNDCALC_SOFTMAX_H
#include "elementary.h"

/* One row into `out`; the largest power is 1, so that none overflows. */
KERNEL softmax_row(const int lanes, const int n, const real tau, const real *restrict y,
                   real *restrict out) {
  real top[LANES], total[LANES];
  FOR_LANES(b) top[b] = y[b] / tau;
  for (int i = 1; i < n; i++) {
    FOR_LANES(b) {
      const real t = AT(y, i)[b] / tau;
      top[b] = t > top[b] ? t : top[b];
    }
  }
  FOR_LANES(b) total[b] = 0;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      const real power = exp_of_negative(AT(y, i)[b] / tau - top[b]);
      AT(out, i)[b] = power;
      total[b] += power;
    }
  }
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(out, i)[b] /= total[b];
}

/* (diag(p) − ppᵀ)v/τ for one row.  A constant in v does not matter: without v at the largest
   p_i, the mean of v does not cancel where that p_i is nearly 1. */
KERNEL softmax_row_back(const int lanes, const int n, const real tau, const real *restrict p,
                        const real *restrict v, real *restrict back) {
  real most[LANES], pivot[LANES], mean[LANES];
  FOR_LANES(b) most[b] = p[b], pivot[b] = v[b];
  for (int i = 1; i < n; i++) {
    FOR_LANES(b) {
      const int more = AT(p, i)[b] > most[b];
      most[b] = more ? AT(p, i)[b] : most[b];
      pivot[b] = more ? AT(v, i)[b] : pivot[b];
    }
  }
  FOR_LANES(b) mean[b] = 0;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) mean[b] += AT(p, i)[b] * (AT(v, i)[b] - pivot[b]);
  }
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      AT(back, i)[b] = AT(p, i)[b] * ((AT(v, i)[b] - pivot[b]) - mean[b]) / tau;
    }
  }
}

/* Keeps f. */
KERNEL softmax_forward(const int lanes, const int rows, const int n, const real *restrict p,
                       const real *restrict y, const real *restrict w,
                       const real *restrict label, real *restrict out, real *restrict saved) {
  (void)w, (void)label;
  for (int r = 0; r < rows; r++) softmax_row(lanes, n, p[0], AT(y, r * n), AT(saved, r * n));
  if (!out) return;
  for (int i = 0; i < rows * n; i++) FOR_LANES(b) AT(out, i)[b] = AT(saved, i)[b];
}

KERNEL softmax_backward(const int lanes, const int rows, const int n, const real *restrict p,
                        const real *restrict y, const real *restrict w,
                        const real *restrict label, const real *restrict saved,
                        const real *restrict v, real *restrict back, real *restrict grad) {
  (void)y, (void)w, (void)label, (void)grad;
  if (!back) return;
  for (int r = 0; r < rows; r++) {
    softmax_row_back(lanes, n, p[0], AT(saved, r * n), AT(v, r * n), AT(back, r * n));
  }
}

#endif
