/* f_t = row y_t of a table (vocabulary × width), the weights: tokens are data, whole numbers. */

#ifndef BOUNDCALC_EMBEDDING_H
#define BOUNDCALC_EMBEDDING_H
#include "base.h"

/* Where the row of a token begins; −1 for what is no token. */
PURE ptrdiff_t table_row(const real token, const int vocabulary, const int width) {
  const int known = token >= 0 && token < vocabulary && token == (real)(int64_t)token;
  return known ? (ptrdiff_t)token * width : -1;
}

/* A token outside the table has no row: NaN. */
KERNEL embedding_forward(const int lanes, const int tokens, const int vocabulary,
                         const int width, const real *restrict p, const real *restrict y,
                         const real *restrict w, const real *restrict label, real *restrict out,
                         real *restrict saved) {
  (void)p, (void)label, (void)saved;
  if (!out) return;
  for (int t = 0; t < tokens; t++) {
    for (int b = 0; b < lanes; b++) {
      const ptrdiff_t row = table_row(AT(y, t)[b], vocabulary, width);
      for (int i = 0; i < width; i++) {
        AT(out, t * width + i)[b] = row < 0 ? (real)NAN : w[row + i];
      }
    }
  }
}

/* 0 for the tokens; v for their rows. */
KERNEL embedding_backward(const int lanes, const int tokens, const int vocabulary,
                          const int width, const real *restrict p, const real *restrict y,
                          const real *restrict w, const real *restrict label,
                          const real *restrict saved, const real *restrict v,
                          real *restrict back, real *restrict grad) {
  (void)p, (void)w, (void)label, (void)saved;
  for (int t = 0; t < tokens; t++) {
    if (back) FOR_LANES(b) AT(back, t)[b] = 0;
    if (!grad) continue;
    for (int b = 0; b < lanes; b++) {
      const ptrdiff_t row = table_row(AT(y, t)[b], vocabulary, width);
      if (row < 0) continue;
      for (int i = 0; i < width; i++) grad[row + i] += AT(v, t * width + i)[b];
    }
  }
}

#endif
