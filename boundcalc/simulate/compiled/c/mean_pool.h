/* f = averages over windows on (channels, rows, columns), zeros of the padding included.  One
   window over everything is an average over positions; one over all rows, of one column, an
   average over tokens. */

#ifndef BOUNDCALC_MEAN_POOL_H
#define BOUNDCALC_MEAN_POOL_H
#include "windows.h"

KERNEL mean_pool_forward(const int lanes, const int channels, const int height,
                         const int row_taps, const int row_stride, const int row_padding,
                         const int width, const int column_taps, const int column_stride,
                         const int column_padding, const real *restrict p,
                         const real *restrict y, const real *restrict w,
                         const real *restrict label, real *restrict out, real *restrict saved) {
  (void)p, (void)w, (void)label, (void)saved;
  if (!out) return;
  const axis rows = {height, row_taps, row_stride, row_padding, 1};
  const axis columns = {width, column_taps, column_stride, column_padding, 1};
  const int positions = axis_count(rows) * axis_count(columns), entries = row_taps * column_taps;
  for (int i = 0; i < channels * positions; i++) {
    real *restrict mean = AT(out, i);
    FOR_LANES(b) mean[b] = 0;
    for (int t = 0; t < entries; t++) {
      const int entry = met(rows, columns, i % positions, t);
      if (entry < 0) continue;
      const real *restrict from = AT(y, i / positions * height * width + entry);
      FOR_LANES(b) mean[b] += from[b];
    }
    FOR_LANES(b) mean[b] /= entries;
  }
}

/* Every average's v, shared out among its entries. */
KERNEL mean_pool_backward(const int lanes, const int channels, const int height,
                          const int row_taps, const int row_stride, const int row_padding,
                          const int width, const int column_taps, const int column_stride,
                          const int column_padding, const real *restrict p,
                          const real *restrict y, const real *restrict w,
                          const real *restrict label, const real *restrict saved,
                          const real *restrict v, real *restrict back, real *restrict grad) {
  (void)p, (void)y, (void)w, (void)label, (void)saved, (void)grad;
  if (!back) return;
  const axis rows = {height, row_taps, row_stride, row_padding, 1};
  const axis columns = {width, column_taps, column_stride, column_padding, 1};
  const int positions = axis_count(rows) * axis_count(columns), entries = row_taps * column_taps;
  memset(back, 0, sizeof(real) * LANES * channels * height * width);
  for (int i = 0; i < channels * positions; i++) {
    real share[LANES];
    FOR_LANES(b) share[b] = AT(v, i)[b] / entries;
    for (int t = 0; t < entries; t++) {
      const int entry = met(rows, columns, i % positions, t);
      if (entry < 0) continue;
      real *restrict to = AT(back, i / positions * height * width + entry);
      FOR_LANES(b) to[b] += share[b];
    }
  }
}

#endif
