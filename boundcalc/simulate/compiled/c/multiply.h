/* f = y₁ ⊙ y₂, two inputs of n numbers. */

#ifndef BOUNDCALC_MULTIPLY_H
#define BOUNDCALC_MULTIPLY_H
#include "base.h"

KERNEL multiply_forward(const int lanes, const int n, const real *restrict p,
                        const real *restrict y, const real *restrict w,
                        const real *restrict label, real *restrict out, real *restrict saved) {
  (void)p, (void)w, (void)label, (void)saved;
  if (!out) return;
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(out, i)[b] = AT(y, i)[b] * AT(y, n + i)[b];
}

/* y₂ ⊙ v and y₁ ⊙ v. */
KERNEL multiply_backward(const int lanes, const int n, const real *restrict p,
                         const real *restrict y, const real *restrict w,
                         const real *restrict label, const real *restrict saved,
                         const real *restrict v, real *restrict back, real *restrict grad) {
  (void)p, (void)w, (void)label, (void)saved, (void)grad;
  if (!back) return;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      AT(back, i)[b] = AT(y, n + i)[b] * AT(v, i)[b];
      AT(back, n + i)[b] = AT(y, i)[b] * AT(v, i)[b];
    }
  }
}

#endif
