/* Tables of dot products over the samples of a block: the gradients of weight matrices.

   A tile holds the sums of DOT_ROWS × DOT_COLUMNS pairs of rows in registers, so that each
   number is read once for several products.  Rows are given one by one, as pointers, because
   those of a patch lie apart.  Unused samples never enter a sum, whatever stands there. */

#ifndef BOUNDCALC_DOTS_H
#define BOUNDCALC_DOTS_H
#include "tiles.h"

/* Sums, a column and the rows of a tile fill at most the registers but a few: a sum that does
   not stay in one costs more than a smaller tile. */
#if NATIVE == 64
#define DOT_ROWS 4
#else
#define DOT_ROWS 2
#endif
#define DOT_COLUMNS 4

#if defined(__clang__) || __GNUC__ >= 12
#define PICK4(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#else
#define PICK4(x, y, a, b, c, d) __builtin_shuffle(x, y, (__typeof__((x) < (y))){a, b, c, d})
#endif

typedef real four __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef __typeof__((native){0} < (native){0}) mask;

/* A register added up to four numbers. */
PURE four folded(const native x) {
  real parts[SHARE < 4 ? 4 : SHARE] = {0};
  *(native *)parts = x;
  four sum = *(const four *)parts;
#pragma GCC unroll 4
  for (int k = 4; k < SHARE; k += 4) sum += *(const four *)(parts + k);
  return sum;
}

/* The sum of each argument's entries. */
PURE four sums_of_four(const four a, const four b, const four c, const four d) {
  const four ab = PICK4(a, b, 0, 4, 2, 6) + PICK4(a, b, 1, 5, 3, 7);
  const four cd = PICK4(c, d, 0, 4, 2, 6) + PICK4(c, d, 1, 5, 3, 7);
  return PICK4(ab, cd, 0, 1, 4, 5) + PICK4(ab, cd, 2, 3, 6, 7);
}

/* The first `count` entries, 0 in place of the others. */
PURE native first_entries(const native x, const int count) {
  mask inside = (native){0} < (native){0}; /* none */
#pragma GCC unroll 16
  for (int k = 0; k < SHARE; k++) inside[k] = -(k < count);
  return (native)((mask)x & inside);
}

/* In a register: compilers would rather read memory again for each product. */
PURE native held(native x) {
#if defined(__x86_64__)
  __asm__("" : "+x"(x));
#endif
  return x;
}

typedef struct {
  native at[DOT_ROWS][DOT_COLUMNS];
} dot_sums;

/* dot_rows for the last samples, fewer than a register.  Not inlined: it is rare, and the sums that
   it touches would not stay in registers before it. */
static __attribute__((noinline, unused)) void dot_rest(const int lanes, const int rows,
                                                       const int columns, const real *const *v,
                                                       const real *const *y, dot_sums *sums) {
  const int whole = lanes - lanes % SHARE;
  for (int r = 0; r < rows; r++) {
    const native left = first_entries(*(const native *)(v[r] + whole), lanes - whole);
    for (int c = 0; c < columns; c++) {
      sums->at[r][c] += left * first_entries(*(const native *)(y[c] + whole), lanes - whole);
    }
  }
}

/* Adds Σ_b v[r][b] y[c][b] to the sums. */
PURE void dot_rows(const int lanes, const int rows, const int columns, const real *const *v,
                   const real *const *y, dot_sums *sums) {
  const int whole = lanes - lanes % SHARE;
  native sum[DOT_ROWS][DOT_COLUMNS];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) sum[r][c] = sums->at[r][c];
  }
#pragma GCC unroll 1
  for (int b = 0; b < whole; b += SHARE) {
    native left[DOT_ROWS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) left[r] = held(*(const native *)(v[r] + b));
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) {
      const native right = held(*(const native *)(y[c] + b));
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) sum[r][c] += left[r] * right;
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) sums->at[r][c] = sum[r][c];
  }
  if (whole < lanes) dot_rest(lanes, rows, columns, v, y, sums);
}

/* grad[r · down + c] += the sums. */
PURE void add_dots(const int rows, const int columns, const dot_sums *sums, const int down,
                   real *grad) {
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    real *row = grad + (size_t)r * down;
    four total[DOT_COLUMNS] = {{0}};
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) total[c] = folded(sums->at[r][c]);
    const four all = sums_of_four(total[0], total[1], total[2], total[3]);
    if (columns == DOT_COLUMNS) {
      *(four *)row += all;
    } else {
#pragma GCC unroll 4
      for (int c = 0; c < columns; c++) row[c] += all[c];
    }
  }
}

/* One tile of rows that follow one another. */
PURE void dot_tile(const int lanes, const int rows, const int columns, const real *v,
                   const real *y, const int down, real *grad) {
  dot_sums sums = {{{{0}}}};
  const real *left[DOT_ROWS], *right[DOT_COLUMNS];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) left[r] = AT(v, r);
#pragma GCC unroll 4
  for (int c = 0; c < columns; c++) right[c] = AT(y, c);
  dot_rows(lanes, rows, columns, left, right, &sums);
  add_dots(rows, columns, &sums, down, grad);
}

/* All rows of v and a few of y. */
PURE void dot_columns(const int lanes, const int rows, const int columns, const real *v,
                      const real *y, const int down, real *grad) {
  int r = 0;
#pragma GCC unroll 1
  for (; r + DOT_ROWS <= rows; r += DOT_ROWS) {
    dot_tile(lanes, DOT_ROWS, columns, AT(v, r), y, down, grad + (size_t)r * down);
  }
  if (rows % DOT_ROWS) {
    dot_tile(lanes, rows % DOT_ROWS, columns, AT(v, r), y, down, grad + (size_t)r * down);
  }
}

/* grad[r · down + c] += Σ_b v[r][b] y[c][b] for all rows of two values. */
PURE void block_dots(const int lanes, const int rows, const int columns, const real *v,
                     const real *y, const int down, real *grad) {
  int c = 0;
#pragma GCC unroll 1
  for (; c + DOT_COLUMNS <= columns; c += DOT_COLUMNS) {
    dot_columns(lanes, rows, DOT_COLUMNS, v, AT(y, c), down, grad + c);
  }
  if (columns % DOT_COLUMNS) {
    dot_columns(lanes, rows, columns % DOT_COLUMNS, v, AT(y, c), down, grad + c);
  }
}

/* sums[i] += Σ_b v[i][b]. */
PURE void add_lane_sums(const int lanes, const int n, const real *v, real *sums) {
  for (int i = 0; i < n; i++) sums[i] += lane_sum(lanes, AT(v, i));
}

#endif
