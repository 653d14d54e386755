/* Products of matrices that every sample has for itself: C(i, j) = Σ_k A(i, k) B(k, j).

   Entry (i, j) of such a matrix is one row of a value, at[(i · down + j · across) · LANES …].
   Tiles of 2 × 2 entries for WIDTH samples use each line of memory as a whole.  They run over
   the padding up to a multiple of WIDTH, as samples do not mix. */

#ifndef BOUNDCALC_SAMPLE_PRODUCTS_H
#define BOUNDCALC_SAMPLE_PRODUCTS_H
#include "tiles.h"

#define SAMPLE_TILE 2

typedef struct {
  const real *at;
  int down, across;
} sample_matrix;

PURE const real *sample_entry(const sample_matrix m, const int i, const int j) {
  return AT(m.at, i * m.down + j * m.across);
}

PURE void sample_tile(const int rows, const int columns, const int depth, const sample_matrix A,
                    const sample_matrix B, const int i, const int j, const int b, real *c,
                    const int down, const int across) {
  native sum[SAMPLE_TILE][SAMPLE_TILE][PIECES];
#pragma GCC unroll 2
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int s = 0; s < columns; s++) {
#pragma GCC unroll 4
      for (int q = 0; q < PIECES; q++) sum[r][s][q] = (native){0};
    }
  }
#pragma GCC unroll 1
  for (int k = 0; k < depth; k++) {
#pragma GCC unroll 4
    for (int q = 0; q < PIECES; q++) {
#pragma GCC unroll 2
      for (int r = 0; r < rows; r++) {
        const native left = *(const native *)(sample_entry(A, i + r, k) + b + q * SHARE);
#pragma GCC unroll 2
        for (int s = 0; s < columns; s++) {
          sum[r][s][q] += left * *(const native *)(sample_entry(B, k, j + s) + b + q * SHARE);
        }
      }
    }
  }
#pragma GCC unroll 2
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int s = 0; s < columns; s++) {
      real *to = AT(c, (i + r) * down + (j + s) * across) + b;
#pragma GCC unroll 4
      for (int q = 0; q < PIECES; q++) *(native *)(to + q * SHARE) = sum[r][s][q];
    }
  }
}

/* Some rows (SAMPLE_TILE, or what is left of them) of the product. */
PURE void sample_rows(const int lanes, const int rows, const int columns, const int depth,
                    const sample_matrix A, const sample_matrix B, const int i, real *c,
                    const int down, const int across) {
#pragma GCC unroll 1
  for (int b = 0; b < lanes; b += WIDTH) {
    int j = 0;
#pragma GCC unroll 1
    for (; j + SAMPLE_TILE <= columns; j += SAMPLE_TILE) {
      sample_tile(rows, SAMPLE_TILE, depth, A, B, i, j, b, c, down, across);
    }
    if (j < columns) sample_tile(rows, 1, depth, A, B, i, j, b, c, down, across);
  }
}

/* C = A B: C(i, j) is row i · down + j · across of c. */
PURE void sample_product(const int lanes, const int rows, const int columns, const int depth,
                       const sample_matrix A, const sample_matrix B, real *c, const int down,
                       const int across) {
  int i = 0;
#pragma GCC unroll 1
  for (; i + SAMPLE_TILE <= rows; i += SAMPLE_TILE) {
    sample_rows(lanes, SAMPLE_TILE, columns, depth, A, B, i, c, down, across);
  }
  if (i < rows) sample_rows(lanes, 1, columns, depth, A, B, i, c, down, across);
}

#endif
