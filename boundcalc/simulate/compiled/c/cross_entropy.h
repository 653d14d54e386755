/* f(y) = ln Σ_j e^(y_j) − y_label for n logits, label one of 0, …, n − 1. */

#ifndef BOUNDCALC_CROSS_ENTROPY_H
#define BOUNDCALC_CROSS_ENTROPY_H
#include "elementary.h"

/* Keeps f′ = softmax(y) − e, whose entry at the label is minus the sum of the others: there
   p_label − 1 would cancel. */
KERNEL cross_entropy_forward(const int lanes, const int n, const real *restrict p,
                             const real *restrict y, const real *restrict w,
                             const real *restrict label, real *restrict out,
                             real *restrict saved) {
  (void)p, (void)w;
  real top[LANES], place[LANES], own[LANES], others[LANES], off[LANES], whole[LANES];
  FOR_LANES(b) top[b] = y[b], place[b] = 0;
  for (int i = 1; i < n; i++) {
    FOR_LANES(b) {
      const int more = AT(y, i)[b] > top[b];
      top[b] = more ? AT(y, i)[b] : top[b];
      place[b] = more ? (real)i : place[b];
    }
  }
  /* Sums of powers without the largest, which is the 1 of log1p, and without the label's. */
  FOR_LANES(b) own[b] = 0, others[b] = 0, off[b] = 0, whole[b] = 0;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      const real lower = AT(y, i)[b] - top[b], power = exp_of_negative(lower);
      own[b] = label[b] == (real)i ? lower : own[b];
      others[b] += place[b] == (real)i ? 0 : power;
      off[b] += label[b] == (real)i ? 0 : power;
      whole[b] += power;
      AT(saved, i)[b] = power;
    }
  }
  if (out) FOR_LANES(b) out[b] = real_log1p(others[b]) - own[b];
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      const real share = label[b] == (real)i ? -off[b] : AT(saved, i)[b];
      AT(saved, i)[b] = share / whole[b];
    }
  }
}

KERNEL cross_entropy_backward(const int lanes, const int n, const real *restrict p,
                              const real *restrict y, const real *restrict w,
                              const real *restrict label, const real *restrict saved,
                              const real *restrict v, real *restrict back, real *restrict grad) {
  (void)p, (void)y, (void)w, (void)label, (void)grad;
  if (!back) return;
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(back, i)[b] = AT(saved, i)[b] * v[b];
}

#endif
