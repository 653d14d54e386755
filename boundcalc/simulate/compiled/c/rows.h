/* What a pass does with whole values between its kernels. */

#ifndef BOUNDCALC_ROWS_H
#define BOUNDCALC_ROWS_H
#include "base.h"

KERNEL fill_rows(const int lanes, const int n, const real value, real *restrict y) {
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(y, i)[b] = value;
}

KERNEL copy_rows(const int lanes, const int n, const real *restrict from, real *restrict to) {
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(to, i)[b] = AT(from, i)[b];
}

KERNEL add_rows(const int lanes, const int n, const real *restrict more, real *restrict y) {
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(y, i)[b] += AT(more, i)[b];
}

/* Vectors that lie sample by sample, as rows; and back. */
KERNEL gather_rows(const int lanes, const int n, const real *restrict from, real *restrict to) {
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(to, i)[b] = from[(size_t)b * n + i];
}

KERNEL scatter_rows(const int lanes, const int n, const real *restrict from, real *restrict to) {
  for (int i = 0; i < n; i++) FOR_LANES(b) to[(size_t)b * n + i] = AT(from, i)[b];
}

/* One vector added to every sample. */
KERNEL add_to_all(const int lanes, const int n, const real *restrict vector, real *restrict y) {
  for (int i = 0; i < n; i++) FOR_LANES(b) AT(y, i)[b] += vector[i];
}

#endif
