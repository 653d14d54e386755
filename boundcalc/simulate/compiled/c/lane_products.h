/* Products of matrices that every sample has for itself: C(i, j) = Σ_k A(i, k) B(k, j).

   Entry (i, j) of such a matrix is one row of a value, at[(i · down + j · across) · LANES …].
   Tiles of 2 × 2 entries for WIDTH samples use each line of memory as a whole.  They run over
   the padding up to a multiple of WIDTH, as samples do not mix. */

#ifndef BOUNDCALC_LANE_PRODUCTS_H
#define BOUNDCALC_LANE_PRODUCTS_H
#include "tiles.h"

#define LANE_TILE 2

typedef struct {
  const real *at;
  int down, across;
} lane_matrix;

PURE const real *lane_entry(const lane_matrix m, const int i, const int j) {
  return AT(m.at, i * m.down + j * m.across);
}

PURE void lane_tile(const int rows, const int columns, const int depth, const lane_matrix A,
                    const lane_matrix B, const int i, const int j, const int b, real *c,
                    const int down, const int across) {
  word sum[LANE_TILE][LANE_TILE][WORDS];
#pragma GCC unroll 2
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int s = 0; s < columns; s++) {
#pragma GCC unroll 4
      for (int q = 0; q < WORDS; q++) sum[r][s][q] = (word){0};
    }
  }
#pragma GCC unroll 1
  for (int k = 0; k < depth; k++) {
#pragma GCC unroll 4
    for (int q = 0; q < WORDS; q++) {
#pragma GCC unroll 2
      for (int r = 0; r < rows; r++) {
        const word left = *(const word *)(lane_entry(A, i + r, k) + b + q * SPAN);
#pragma GCC unroll 2
        for (int s = 0; s < columns; s++) {
          sum[r][s][q] += left * *(const word *)(lane_entry(B, k, j + s) + b + q * SPAN);
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
      for (int q = 0; q < WORDS; q++) *(word *)(to + q * SPAN) = sum[r][s][q];
    }
  }
}

/* Some rows (LANE_TILE, or what is left of them) of the product. */
PURE void lane_rows(const int lanes, const int rows, const int columns, const int depth,
                    const lane_matrix A, const lane_matrix B, const int i, real *c,
                    const int down, const int across) {
#pragma GCC unroll 1
  for (int b = 0; b < lanes; b += WIDTH) {
    int j = 0;
#pragma GCC unroll 1
    for (; j + LANE_TILE <= columns; j += LANE_TILE) {
      lane_tile(rows, LANE_TILE, depth, A, B, i, j, b, c, down, across);
    }
    if (j < columns) lane_tile(rows, 1, depth, A, B, i, j, b, c, down, across);
  }
}

/* C = A B: C(i, j) is row i · down + j · across of c. */
PURE void lane_product(const int lanes, const int rows, const int columns, const int depth,
                       const lane_matrix A, const lane_matrix B, real *c, const int down,
                       const int across) {
  int i = 0;
#pragma GCC unroll 1
  for (; i + LANE_TILE <= rows; i += LANE_TILE) {
    lane_rows(lanes, LANE_TILE, columns, depth, A, B, i, c, down, across);
  }
  if (i < rows) lane_rows(lanes, 1, columns, depth, A, B, i, c, down, across);
}

#endif
