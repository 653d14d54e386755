/* f = softmax(QKᵀ/√d)V for heads side by side: Q (T, h·d), K (S, h·d), V (S, h·e) after one
   another in y, f (T, h·e).  Causal: row t reads the keys up to t.

   Kept: the weights P (h, T, S); room for T·S more numbers follows. */

#ifndef BOUNDCALC_ATTENTION_H
#define BOUNDCALC_ATTENTION_H
#include "elementary.h"
#include "sample_products.h"

/* Scores of one row to weights, in place: p = exp(s − max s)/Σ, scaled before. */
PURE void soft_row(const int lanes, const int keys, const int seen, const real scale, real *row) {
  real most[LANES], total[LANES];
  FOR_LANES(b) most[b] = row[b] *= scale;
  for (int s = 1; s < seen; s++) {
    FOR_LANES(b) {
      const real score = AT(row, s)[b] * scale;
      AT(row, s)[b] = score;
      most[b] = score > most[b] ? score : most[b];
    }
  }
  FOR_LANES(b) total[b] = 0;
  for (int s = 0; s < seen; s++) {
    FOR_LANES(b) {
      const real power = exp_of_negative(AT(row, s)[b] - most[b]);
      AT(row, s)[b] = power;
      total[b] += power;
    }
  }
  for (int s = 0; s < seen; s++) FOR_LANES(b) AT(row, s)[b] /= total[b];
  for (int s = seen; s < keys; s++) FOR_LANES(b) AT(row, s)[b] = 0;
}

/* (diag(p) − ppᵀ)u/√d in place of u.  A constant in u does not matter; without its component
   at the largest p, the mean of u does not cancel where one p is nearly 1. */
PURE void pulled_row(const int lanes, const int keys, const real scale, const real *restrict p,
                     real *restrict u) {
  real most[LANES], at_most[LANES], mean[LANES];
  FOR_LANES(b) {
    most[b] = p[b];
    at_most[b] = u[b];
    mean[b] = 0;
  }
  for (int s = 1; s < keys; s++) {
    FOR_LANES(b) {
      const real weight = AT(p, s)[b];
      at_most[b] = weight > most[b] ? AT(u, s)[b] : at_most[b];
      most[b] = weight > most[b] ? weight : most[b];
    }
  }
  for (int s = 0; s < keys; s++) FOR_LANES(b) mean[b] += AT(p, s)[b] * (AT(u, s)[b] - at_most[b]);
  for (int s = 0; s < keys; s++) {
    FOR_LANES(b) {
      AT(u, s)[b] = AT(p, s)[b] * ((AT(u, s)[b] - at_most[b]) - mean[b]) * scale;
    }
  }
}

KERNEL attention_forward(const int lanes, const int rows, const int keys, const int heads,
                         const int d, const int e, const int causal, const real *restrict p,
                         const real *restrict y, const real *restrict w,
                         const real *restrict label, real *restrict out, real *restrict saved) {
  (void)p, (void)w, (void)label;
  const real scale = 1 / (real)__builtin_sqrt((double)d);
#pragma GCC unroll 1
  for (int h = 0; h < heads; h++) {
    real *P = AT(saved, h * rows * keys);
    const sample_matrix Q = {AT(y, h * d), heads * d, 1};
    const sample_matrix K = {AT(y, rows * heads * d + h * d), 1, heads * d};
    const sample_matrix V = {AT(y, (rows + keys) * heads * d + h * e), heads * e, 1};
    sample_product(lanes, rows, keys, d, Q, K, P, keys, 1);
    for (int t = 0; t < rows; t++) {
      soft_row(lanes, keys, causal ? t + 1 : keys, scale, AT(P, t * keys));
    }
    if (!out) continue;
    sample_product(lanes, rows, e, keys, (sample_matrix){P, keys, 1}, V, AT(out, h * e), heads * e,
                   1);
  }
}

/* With G = v and Z = (diag(P) − PPᵀ)GVᵀ/√d row by row: ZK, ZᵀQ and PᵀG. */
KERNEL attention_backward(const int lanes, const int rows, const int keys, const int heads,
                          const int d, const int e, const int causal, const real *restrict p,
                          const real *restrict y, const real *restrict w,
                          const real *restrict label, const real *saved, const real *restrict v,
                          real *restrict back, real *restrict grad) {
  (void)p, (void)w, (void)label, (void)grad, (void)causal;
  if (!back) return;
  const real scale = 1 / (real)__builtin_sqrt((double)d);
  real *room = AT((real *)saved, heads * rows * keys);
  const int k_row = rows * heads * d, v_row = (rows + keys) * heads * d;
#pragma GCC unroll 1
  for (int h = 0; h < heads; h++) {
    const real *P = AT(saved, h * rows * keys);
    const sample_matrix G = {AT(v, h * e), heads * e, 1}, Z = {room, keys, 1};
    const sample_matrix V = {AT(y, v_row + h * e), 1, heads * e};
    const sample_matrix Q = {AT(y, h * d), heads * d, 1}, K = {AT(y, k_row + h * d), heads * d, 1};
    sample_product(lanes, rows, keys, e, G, V, room, keys, 1);
    for (int t = 0; t < rows; t++) {
      pulled_row(lanes, keys, scale, AT(P, t * keys), AT(room, t * keys));
    }
    sample_product(lanes, rows, d, keys, Z, K, AT(back, h * d), heads * d, 1);
    sample_product(lanes, keys, d, rows, (sample_matrix){room, 1, keys}, Q, AT(back, k_row + h * d),
                 heads * d, 1);
    sample_product(lanes, keys, e, rows, (sample_matrix){P, 1, keys}, G, AT(back, v_row + h * e),
                 heads * e, 1);
  }
}

#endif
