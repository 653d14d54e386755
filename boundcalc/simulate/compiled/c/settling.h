/* The draws and ties that double precision cannot settle, settled exactly: the twin of
   perturbations/formats/settling.py.

   A sum of doubles is kept as an expansion: terms that do not overlap, smallest first, whose sum
   is exact [J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust
   Geometric Predicates, Discrete & Computational Geometry 18, 1997]. */

#ifndef BOUNDCALC_SETTLING_H
#define BOUNDCALC_SETTLING_H
#include "random.h"

#define DIGITS 20 /* of 53 bits: more are needed with probability 2^-1060 */

/* Adds b to an expansion of m terms, which then has m + 1. */
static void grow(double *e, const int m, double b) {
  for (int k = 0; k < m; k++) {
    const double sum = b + e[k], other = sum - b;
    e[k] = (b - (sum - other)) + (e[k] - other);
    b = sum;
  }
  e[m] = b;
}

/* The sign is that of the largest term that is not zero. */
static int sign_of(const double *e, int m) {
  while (m > 0 && e[m - 1] == 0) m--;
  return m == 0 ? 0 : e[m - 1] > 0 ? 1 : -1;
}

/* Whether a uniform real number, of which u has the first 53 bits, is below |x - at|/spacing. */
static __attribute__((noinline)) int goes_away(const double x, const double at,
                                               const double spacing, double u, Stream *s) {
  double rest[4 * DIGITS], next[4 * DIGITS];
  int m = 2;
  rest[0] = x > at ? x : -x;
  grow(rest, 1, x > at ? -at : at);
  for (int digit = 0; digit < DIGITS; digit++) {
    /* rest = |x - at| - u spacing, in units of spacing * 2^(-53 digit) */
    double product = u * spacing;
    ROUNDED(&product);
    grow(rest, m, -product);
    grow(rest, m + 1, -fma(u, spacing, -product));
    m += 2;
    if (sign_of(rest, m) <= 0) return 0;
    memcpy(next, rest, sizeof(double) * (size_t)m);
    grow(next, m, -spacing * UNIT);
    if (sign_of(next, m + 1) >= 0) return 1;
    for (int k = 0; k < m; k++) rest[k] /= UNIT;
    u = next_uniform(s);
  }
  return 0;
}

/* Whether |x - at| > spacing/2, or equal to it where `at` is not the even neighbour: x - at is
   split exactly into a double and the error of that. */
PURE int beyond_half(const double x, const double at, const double spacing, const int even) {
  const double first = x - at, back = first - x;
  const double rest = (x - (first - back)) - (at + back);
  const double over = fabs(first) - spacing / 2;
  const double more = first > 0 ? rest : first < 0 ? -rest : 0.0;
  const double total = over + more;
  return total > 0 || (total == 0 && !even);
}

/* An event whose probability has these first digits of 53 bits, all of them or DIGITS. */
PURE int happens(const double *digits, const int count, Stream *s) {
  for (int k = 0; k < count; k++) {
    const double u = next_uniform(s);
    if (u != digits[k]) return u < digits[k];
  }
  return 0;
}

#endif
