/* Values held in a format, of which listed bits flip: the twin of perturbations/bit_flip.py.

   p holds the grid, then: the number of digits of the rate and the digits (DIGITS places), the
   probability that any bit of a vector flips, log(1 - rate), and the listed bits. */

#ifndef BOUNDCALC_BIT_FLIP_H
#define BOUNDCALC_BIT_FLIP_H
#include "rounding.h"

#define SATURATE 1 /* what becomes of a result that is infinite or not a number; 0: zero */
#define IEEE 1     /* what the highest codes mean */
#define ONE_NAN 2

enum { COUNT = GRID, RATE, SOME = RATE + DIGITS, LOG_STAY, LISTED };

typedef struct {
  int floating, bits, mantissa, lowest, specials, nonfinite; /* `lowest`: least exponent */
} Codes;

PURE int64_t encoded(const Codes f, const double value) {
  if (!f.floating) return (int64_t)value & ((1LL << f.bits) - 1);
  const double size = fabs(value);
  int exponent = f.lowest;
  if (size > 0) {
    frexp(size, &exponent);
    exponent = exponent - 1 > f.lowest ? exponent - 1 : f.lowest;
  }
  const int64_t digits = (int64_t)ldexp(size, f.mantissa - exponent);
  const int64_t code = ((int64_t)(exponent - f.lowest) << f.mantissa) + digits;
  return code | (int64_t)(signbit(value) != 0) << (f.bits - 1);
}

PURE double decoded(const Codes f, const int64_t code, const double top) {
  const int64_t sign = code >> (f.bits - 1);
  if (!f.floating) return (double)(code - (sign << f.bits));
  const int64_t fields = (1LL << (f.bits - 1 - f.mantissa)) - 1;
  const int64_t field = (code >> f.mantissa) & fields, ones = (1LL << f.mantissa) - 1;
  const int64_t digits = code & ones;
  if (field == fields && (f.specials == IEEE || (f.specials == ONE_NAN && digits == ones)))
    return f.nonfinite == SATURATE ? (sign ? -top : top) : 0.0;
  const double whole = (double)(digits + ((int64_t)(field > 0) << f.mantissa));
  const double size = ldexp(whole, (int)(field > 0 ? field - 1 : 0) + f.lowest - f.mantissa);
  return sign ? -size : size;
}

/* A number of the format with some bits flipped.  NaN has no code: it stays. */
PURE double flipped(const Codes f, const double *p, const double value, const int64_t mask) {
  if (!mask || !isfinite(value)) return value;
  return decoded(f, encoded(f, value / p[SCALE]) ^ mask, p[TOP]) * p[SCALE];
}

/* How many bits stay before the next that flips; the uniform number is drawn to 53 significant
   bits where it is small enough to matter. */
PURE int64_t skipped(const double *p, const int64_t bits, Stream *s) {
  double u = next_uniform(s), scale = 1.0;
  if (u >= p[SOME]) return bits;
  while (u == 0.0) u = next_uniform(s), scale *= UNIT;
  u = (u + next_uniform(s) * UNIT) * scale;
  return (int64_t)(log1p(-u) / p[LOG_STAY]);
}

/* Rare flips: from each to the next.  Else: every listed bit of every component is drawn. */
PURE void flip_some(const int count, const int n, const int many, const int dense, const Codes f,
                    const double *p, uint64_t *state, double *restrict sent) {
  const int64_t bits = (int64_t)n * many;
  Stream s = stream_of(state);
  for (int b = 0; b < count; b++) {
    if (dense) {
      for (int i = 0; i < n; i++) {
        int64_t mask = 0;
        for (int k = 0; k < many; k++)
          mask |= (int64_t)happens(p + RATE, (int)p[COUNT], &s) << (int)p[LISTED + k];
        sent[i * SUB(n) + b] = flipped(f, p, sent[i * SUB(n) + b], mask);
      }
      continue;
    }
    int64_t bit = skipped(p, bits, &s);
    while (bit < bits) {
      const int64_t i = bit / many;
      int64_t mask = 0;
      for (; bit < bits && bit / many == i; bit += 1 + skipped(p, bits, &s))
        mask |= 1LL << (int)p[LISTED + bit % many];
      sent[i * SUB(n) + b] = flipped(f, p, sent[i * SUB(n) + b], mask);
    }
  }
  keep_stream(s, state);
}

PURE void bit_flip_core(const int count, const int n, const int many, const int dense,
                        const Codes f, const double *p, uint64_t *state, double *misfit,
                        const double *restrict given, double *restrict sent) {
  double g[GRID], scale[LANES];
  memcpy(g, p, sizeof g);
  FOR_COUNT(b) scale[b] = g[SCALE];
  for (int i = 0; i < n; i++) {
    find_misfit(count, g, given + i * SUB(n), misfit);
    round_row(count, f.floating, g, scale, given + i * SUB(n), sent + i * SUB(n));
  }
  if (p[RATE] != 0 || p[COUNT] > 1) flip_some(count, n, many, dense, f, p, state, sent);
}

KERNEL bit_flip_apply(const int lanes, const int n, const int remembers, const int many,
                      const int dense, const int floating, const int bits, const int mantissa,
                      const int lowest, const int specials, const int nonfinite,
                      APPLY_ARGUMENTS) {
  const Codes f = {floating, bits, mantissa, lowest, specials, nonfinite};
  TRANSFORMED(bit_flip_core(count, n, many, dense, f, p, state, misfit, given, sent));
}

#endif
