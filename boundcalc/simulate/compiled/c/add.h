/* f = Σ_u c_u y_u, inputs of n numbers each.  Parameters: the c_u. */

#ifndef BOUNDCALC_ADD_H
#define BOUNDCALC_ADD_H
#include "base.h"

KERNEL add_forward(const int lanes, const int n, const int inputs, const real *restrict p,
                   const real *restrict y, const real *restrict w, const real *restrict label,
                   real *restrict out, real *restrict saved) {
  (void)w, (void)label, (void)saved;
  if (!out) return;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) AT(out, i)[b] = p[0] * AT(y, i)[b];
    for (int u = 1; u < inputs; u++) {
      FOR_LANES(b) AT(out, i)[b] += p[u] * AT(y, u * n + i)[b];
    }
  }
}

/* The products c_u v. */
KERNEL add_backward(const int lanes, const int n, const int inputs, const real *restrict p,
                    const real *restrict y, const real *restrict w, const real *restrict label,
                    const real *restrict saved, const real *restrict v, real *restrict back,
                    real *restrict grad) {
  (void)y, (void)w, (void)label, (void)saved, (void)grad;
  if (!back) return;
  for (int u = 0; u < inputs; u++) {
    for (int i = 0; i < n; i++) FOR_LANES(b) AT(back, u * n + i)[b] = p[u] * AT(v, i)[b];
  }
}

#endif
