/* Products with a symmetric matrix H, given as a diagonal or row by row, then a vector c. */

#ifndef BOUNDCALC_QUADRATIC_FORM_H
#define BOUNDCALC_QUADRATIC_FORM_H
#include "tiles.h"

/* Where c stands. */
PURE const real *form_linear(const int n, const int diagonal, const real *p) {
  return p + (diagonal ? (size_t)n : (size_t)n * n);
}

/* out = H y + c; c may be NULL. */
PURE void form_product(const int lanes, const int n, const int diagonal, const real *restrict p,
                       const real *restrict c, const real *restrict y, real *restrict out) {
  if (!diagonal) {
    block_product(lanes, n, n, y, (matrix){p, n, 1}, c, out);
    return;
  }
  for (int i = 0; i < n; i++) {
    const real start = c ? c[i] : 0;
    FOR_LANES(b) AT(out, i)[b] = p[i] * AT(y, i)[b] + start;
  }
}

#endif
