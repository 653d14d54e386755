/* Compressors: natural, sign, rand_k, sparsify and top_k; one for each file of that name in
   perturbations/. */

#ifndef BOUNDCALC_COMPRESSORS_H
#define BOUNDCALC_COMPRESSORS_H
#include "selection.h"
#include "settling.h"
#include "transforms.h"

/* ---- natural: a random number below 2^52 is added to the digits, which are cut off */

PURE double natural_of(const uint64_t word, const double value) {
  const uint64_t drawn = word >> 12, digits = 0xfffffffffffffULL;
  uint64_t bits;
  double out;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + drawn) & ~digits;
  memcpy(&out, &bits, sizeof out);
  return out;
}

/* Numbers without a leading one, and NaN, which a sum may turn into a number. */
PURE int is_odd(const double value) {
  const double size = fabs(value);
  return (size != size) | ((size < 0x1p-1022) & (size > 0));
}

static double natural_odd(const uint64_t word, const double value) {
  int exponent;
  if (value != value) return value;
  const double half = frexp(fabs(value), &exponent);
  exponent += (double)(int64_t)(word >> 12) * 0x1p-52 >= 2.0 - 2.0 * half;
  return copysign(ldexp(0.5, exponent), value);
}

PURE void natural_core(const int count, const int n, uint64_t *state,
                       const double *restrict given, double *restrict sent) {
  const int sub = SUB(n);
  uint64_t words[n * SUB(n)];
  fill_words(state, words, count * n);
  for (int i = 0; i < n; i++) {
    double odd = 0;
    FOR_COUNT(b) {
      const double value = given[i * sub + b];
      odd += is_odd(value) ? 1.0 : 0.0;
      sent[i * sub + b] = natural_of(words[b * n + i], value);
    }
    for (int b = 0; odd != 0 && b < count; b++) {
      const double value = given[i * sub + b];
      if (is_odd(value)) sent[i * sub + b] = natural_odd(words[b * n + i], value);
    }
  }
}

KERNEL natural_apply(const int lanes, const int n, const int remembers, APPLY_ARGUMENTS) {
  TRANSFORMED(natural_core(count, n, state, given, sent));
}

/* ---- sign: the mean size with the signs of the values */

/* Sizes summed as NumPy sums: in pairs above 128 terms, and below in eight parts. */
static void sum_sizes(const int count, const int sub, const int n, const double *given,
                      double *restrict sum) {
  if (n < 8) {
    FOR_COUNT(b) sum[b] = 0;
    for (int i = 0; i < n; i++) FOR_COUNT(b) sum[b] += fabs(given[i * sub + b]);
  } else if (n <= 128) {
    FOR_COUNT(b) {
      double r[8];
      for (int j = 0; j < 8; j++) r[j] = fabs(given[j * sub + b]);
      for (int i = 8; i < n - n % 8; i += 8)
        for (int j = 0; j < 8; j++) r[j] += fabs(given[(i + j) * sub + b]);
      sum[b] = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (int i = n - n % 8; i < n; i++) FOR_COUNT(b) sum[b] += fabs(given[i * sub + b]);
  } else {
    const int half = n / 2 - n / 2 % 8;
    double rest[LANES];
    sum_sizes(count, sub, half, given, sum);
    sum_sizes(count, sub, n - half, given + (size_t)half * sub, rest);
    FOR_COUNT(b) sum[b] += rest[b];
  }
}

PURE void sign_core(const int count, const int n, const double *restrict given,
                    double *restrict sent) {
  double mean[LANES];
  sum_sizes(count, SUB(n), n, given, mean);
  FOR_COUNT(b) mean[b] /= n;
  for (int i = 0; i < n; i++)
    FOR_COUNT(b) sent[i * SUB(n) + b] = copysign(mean[b], given[i * SUB(n) + b] + 0.0);
}

KERNEL sign_apply(const int lanes, const int n, const int remembers, APPLY_ARGUMENTS) {
  TRANSFORMED(sign_core(count, n, given, sent));
}

/* ---- those that keep some components: `kept` holds 1 or 0, sample by sample */

/* Products, not choices: what is not finite stays visible. */
PURE void keep(const int count, const int n, const double *restrict kept, const double scale,
               const double *restrict given, double *restrict sent) {
  for (int i = 0; i < n; i++)
    FOR_COUNT(b) {
      const double value = given[i * SUB(n) + b] * kept[b * n + i];
      sent[i * SUB(n) + b] = scale != 1.0 ? value * scale : value;
    }
}

/* p: the scale, the number of digits of the probability and the digits. */
PURE void sparsify_core(const int count, const int n, const double *p, uint64_t *state,
                        const double *restrict given, double *restrict sent) {
  double kept[n * SUB(n)];
  Stream s = stream_of(state);
  for (int k = 0; k < count * n; k++) kept[k] = happens(p + 2, (int)p[1], &s);
  keep_stream(s, state);
  keep(count, n, kept, p[0], given, sent);
}

KERNEL sparsify_apply(const int lanes, const int n, const int remembers, APPLY_ARGUMENTS) {
  TRANSFORMED(sparsify_core(count, n, p, state, given, sent));
}

/* The k smallest of n random numbers; where there is a tie at the bound, of the next n.
   p: the scale. */
PURE void rand_k_core(const int count, const int n, const int k, const double *p,
                      uint64_t *state, const double *restrict given, double *restrict sent) {
  double kept[n * SUB(n)];
  for (int b = 0; b < count; b++) {
    double *keys = kept + b * n;
    int chosen = k == n ? n : 0;
    for (int i = 0; i < n && k == n; i++) keys[i] = 1;
    while (chosen != k) {
      fill_uniform(state, keys, n);
      const double bound = nth_smallest(keys, n, k - 1);
      chosen = 0;
      for (int i = 0; i < n; i++) chosen += keys[i] <= bound;
      if (chosen == k)
        for (int i = 0; i < n; i++) keys[i] = keys[i] <= bound;
    }
  }
  keep(count, n, kept, p[0], given, sent);
}

KERNEL rand_k_apply(const int lanes, const int n, const int remembers, const int k,
                    APPLY_ARGUMENTS) {
  TRANSFORMED(rand_k_core(count, n, k, p, state, given, sent));
}

/* Components as large as the bound are kept; of those that are too many, the first. */
PURE void top_k_core(const int count, const int n, const int k, const double *restrict given,
                     double *restrict sent) {
  double kept[n * SUB(n)];
  if (k == n) {
    memcpy(sent, given, sizeof kept);
    return;
  }
  for (int b = 0; b < count; b++) {
    double *sizes = kept + b * n;
    int above = 0, tied = 0;
    for (int i = 0; i < n; i++) sizes[i] = fabs(given[i * SUB(n) + b]);
    const double bound = nth_smallest(sizes, n, n - k);
    for (int i = 0; i < n; i++) above += sizes[i] > bound, tied += sizes[i] == bound;
    int room = above + tied > k ? k - above : tied;
    for (int i = 0; i < n; i++) {
      const int at_bound = sizes[i] == bound && room > 0;
      room -= at_bound;
      sizes[i] = sizes[i] > bound || at_bound;
    }
  }
  keep(count, n, kept, 1.0, given, sent);
}

KERNEL top_k_apply(const int lanes, const int n, const int remembers, const int k,
                   APPLY_ARGUMENTS) {
  TRANSFORMED(top_k_core(count, n, k, given, sent));
}

#endif
