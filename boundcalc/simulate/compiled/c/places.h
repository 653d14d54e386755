/* f = (y_i) for m places i of n, each at most once: identity, concat and select.

   Parameters: the places, whole numbers; none where they are `first`, `first` + 1, … */

#ifndef BOUNDCALC_PLACES_H
#define BOUNDCALC_PLACES_H
#include "base.h"

#define PLACE(i) (ordered ? first + (i) : (int)p[i])

KERNEL places_forward(const int lanes, const int n, const int m, const int ordered,
                      const int first, const real *restrict p, const real *restrict y,
                      const real *restrict w, const real *restrict label, real *restrict out,
                      real *restrict saved) {
  (void)n, (void)w, (void)label, (void)saved;
  if (!out) return;
  for (int i = 0; i < m; i++) {
    const real *restrict from = AT(y, PLACE(i));
    FOR_LANES(b) AT(out, i)[b] = from[b];
  }
}

/* v at its places, 0 elsewhere. */
KERNEL places_backward(const int lanes, const int n, const int m, const int ordered,
                       const int first, const real *restrict p, const real *restrict y,
                       const real *restrict w, const real *restrict label,
                       const real *restrict saved, const real *restrict v, real *restrict back,
                       real *restrict grad) {
  (void)y, (void)w, (void)label, (void)saved, (void)grad;
  if (!back) return;
  if (m < n) memset(back, 0, sizeof(real) * LANES * n);
  for (int i = 0; i < m; i++) {
    real *restrict to = AT(back, PLACE(i));
    FOR_LANES(b) to[b] = AT(v, i)[b];
  }
}

#undef PLACE
#endif
