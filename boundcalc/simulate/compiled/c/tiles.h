/* Matrix products over a block of samples, in tiles whose sums stay in registers.

   A panel holds up to PANEL rows of the right side for WIDTH samples, next to each other, so
   that the innermost loop reads memory in order; a tile multiplies it by TILE_ROWS rows of
   the matrix.  Tiles run over the padding up to a multiple of WIDTH, where any number may
   stand: samples do not mix. */

#ifndef BOUNDCALC_TILES_H
#define BOUNDCALC_TILES_H
#include "base.h"

/* A word is one register of the machine.  The registers hold the sums of a tile, a panel row
   and a factor: 16 of AVX2 are 6 × 2 sums, 2 and 1. */
#if defined(__AVX512F__)
#define REGISTER 64 /* bytes */
#define TILE_ROWS 12
#elif defined(__AVX__)
#define REGISTER 32
#define TILE_ROWS 6
#else
#define REGISTER 16
#define TILE_ROWS 4
#endif
#define PANEL 256 /* rows: 16 KiB, half of a small first-level cache */

#define WORDS (VECTOR / REGISTER) /* in a panel row */
#define SPAN ((int)(REGISTER / sizeof(real)))
typedef real word __attribute__((vector_size(REGISTER), aligned(sizeof(real)), may_alias));

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
  word sum[TILE_ROWS][WORDS];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < WORDS; q++) {
      if (first) sum[r][q] = (word){0} + (start ? start[r] : 0);
      else sum[r][q] = *(const word *)(out + r * pitch + q * SPAN);
    }
  }
#pragma GCC unroll 1
  for (int k = 0; k < depth; k++) {
    const word *row = (const word *)(panel + (size_t)k * WIDTH);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const real factor = m.at[(size_t)r * m.down + (size_t)k * m.across];
#pragma GCC unroll 4
      for (int q = 0; q < WORDS; q++) sum[r][q] += factor * row[q];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int q = 0; q < WORDS; q++) *(word *)(out + r * pitch + q * SPAN) = sum[r][q];
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

/* One row of outputs, a sum of rows: nothing is read twice, and a panel would not pay. */
PURE void single_product(const int lanes, const int depth, const real *restrict y,
                         const matrix m, const real *restrict start, real *restrict out) {
  const real begin = start ? start[0] : 0;
  FOR_LANES(b) out[b] = begin;
  int k = 0;
#pragma GCC unroll 1
  for (; k + 4 <= depth; k += 4) {
    const real m0 = m.at[(size_t)k * m.across], m1 = m.at[(size_t)(k + 1) * m.across],
               m2 = m.at[(size_t)(k + 2) * m.across], m3 = m.at[(size_t)(k + 3) * m.across];
    const real *y0 = AT(y, k), *y1 = AT(y, k + 1), *y2 = AT(y, k + 2), *y3 = AT(y, k + 3);
    FOR_LANES(b) out[b] += (m0 * y0[b] + m1 * y1[b]) + (m2 * y2[b] + m3 * y3[b]);
  }
  for (; k < depth; k++) {
    const real factor = m.at[(size_t)k * m.across];
    FOR_LANES(b) out[b] += factor * AT(y, k)[b];
  }
}

/* out = start + m y for the block, m of shape rows × depth; start may be NULL. */
PURE void block_product(const int lanes, const int rows, const int depth, const real *restrict y,
                        const matrix m, const real *restrict start, real *restrict out) {
  if (rows == 1) {
    single_product(lanes, depth, y, m, start, out);
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
