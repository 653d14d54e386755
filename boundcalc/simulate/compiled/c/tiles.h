/* Matrix products over a block of samples, in tiles whose sums stay in registers.

   A panel holds up to PANEL rows of the right side for WIDTH samples, next to each other, so
   that the innermost loop reads memory in order; a tile multiplies it by TILE_ROWS rows of
   the matrix.  Tiles run over the padding up to a multiple of WIDTH, where any number may
   stand: samples do not mix. */

#ifndef BOUNDCALC_TILES_H
#define BOUNDCALC_TILES_H
#include "base.h"

/* The registers hold the sums of a tile, a panel row and a factor: the 16 of AVX2 are
   6 × 2 sums, 2 and 1. */
#if NATIVE == 64
#define TILE_ROWS 12
#elif NATIVE == 32
#define TILE_ROWS 6
#else
#define TILE_ROWS 4
#endif
#define PANEL 256 /* rows: 16 KiB, half of a small first-level cache */
#define PIECES (VECTOR / NATIVE) /* registers of a panel row */

/* A matrix in memory: entry (r, k) is at[r · down + k · across]. */
typedef struct {
  const real *at;
  int down, across;
} matrix;

PURE matrix matrix_from(const matrix m, const int row, const int column) {
  return (matrix){m.at + (size_t)row * m.down + (size_t)column * m.across, m.down, m.across};
}

/* out[r · pitch + b] = or += start[r] + Σ_k m(r, k) panel[k][b] for WIDTH samples b, all rows of
   one tile; the start only with =. */
PURE void tile_product(const int rows, const int depth, const real *restrict panel,
                       const matrix m, const int first, const real *restrict start,
                       real *restrict out, const size_t pitch) {
  native sum[TILE_ROWS][PIECES];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < PIECES; q++) {
      if (first) sum[r][q] = (native){0} + (start ? start[r] : 0);
      else sum[r][q] = *(const native *)(out + r * pitch + q * SHARE);
    }
  }
#pragma GCC unroll 1
  for (int k = 0; k < depth; k++) {
    const native *row = (const native *)(panel + (size_t)k * WIDTH);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const real factor = m.at[(size_t)r * m.down + (size_t)k * m.across];
#pragma GCC unroll 4
      for (int q = 0; q < PIECES; q++) sum[r][q] += factor * row[q];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < PIECES; q++) *(native *)(out + r * pitch + q * SHARE) = sum[r][q];
  }
}

/* The same for any number of rows. */
PURE void panel_product(const int rows, const int depth, const real *restrict panel,
                        const matrix m, const int first, const real *restrict start,
                        real *restrict out, const size_t pitch) {
  int r = 0;
#pragma GCC unroll 1
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
    tile_product(TILE_ROWS, depth, panel, matrix_from(m, r, 0), first, start ? start + r : NULL,
                 out + r * pitch, pitch);
  }
  if (rows % TILE_ROWS) {
    tile_product(rows % TILE_ROWS, depth, panel, matrix_from(m, r, 0), first,
                 start ? start + r : NULL, out + r * pitch, pitch);
  }
}

/* Rows of a value, `pitch` numbers apart, for WIDTH samples. */
PURE void fill_panel(const int depth, const real *restrict y, const size_t pitch,
                     real *restrict panel) {
  for (int k = 0; k < depth; k++) {
    *(vec *)(panel + (size_t)k * WIDTH) = *(const vec *)(y + k * pitch);
  }
}

/* out = start + m y for the block, m of shape rows × depth; start may be NULL. */
PURE void block_product(const int lanes, const int rows, const int depth, const real *restrict y,
                        const matrix m, const real *restrict start, real *restrict out) {
  if (rows == 1 && m.across == 1) { /* nothing is read twice: a panel would not pay */
    const real begin = start ? start[0] : 0;
    lane_product(lanes, depth, m.at, y, NULL, out);
    FOR_LANES(b) out[b] += begin;
    return;
  }
  real panel[PANEL * WIDTH] __attribute__((aligned(64)));
#pragma GCC unroll 1
  for (int b = 0; b < lanes; b += WIDTH) {
#pragma GCC unroll 1
    for (int k = 0; k < depth; k += PANEL) {
      const int part = depth - k < PANEL ? depth - k : PANEL;
      fill_panel(part, AT(y, k) + b, LANES, panel);
      panel_product(rows, part, panel, matrix_from(m, 0, k), k == 0, start, out + b, LANES);
    }
  }
}

#endif
