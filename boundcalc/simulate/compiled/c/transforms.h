/* Perturbations that replace a value y by Q(y): what all NAME_apply have in common.

   NAME_apply(lanes, n, remembers, …sizes, p, state, events, probability, misfit, memory, y)
   replaces the values of a block in place.  Samples come one after the other: each takes a
   number of `events` if the probability is not negative, and what Q draws for one that acts
   comes from `state` after what was drawn for those before.  Values are double precision in
   between and rounded to `real` at the end.

   A core works on SUB(n) acting samples at a time, component i of sample b at [i * SUB(n) + b]:

     core(count, n, p, state, misfit, given, sent)   writes sent = Q(given)

   `misfit` is NaN until a value does not fit a format that was to hold it; then that value. */

#ifndef BOUNDCALC_TRANSFORMS_H
#define BOUNDCALC_TRANSFORMS_H
#include "acting.h"

#define FEEDBACK 1   /* memory e: sent = Q(y + e), e = y + e - sent */
#define DIFFERENCE 2 /* memory m: m = m + Q(y - m), which is the new value */

/* Samples of a core's block, so that it stays in the first cache. */
#define TOGETHER(n) ((n) > 4096 ? 1 : (n) > 128 ? 8 : 2048 / (n) / 16 * 16)
#define SUB(n) (TOGETHER(n) < LANES ? TOGETHER(n) : LANES)

#define FOR_COUNT(b) _Pragma("GCC ivdep") for (int b = 0; b < count; b++)

#define APPLY_ARGUMENTS                                                              \
  const double *p, uint64_t *state, uint64_t *events, const double probability,      \
      double *misfit, real *memory, real *y

/* What Q is given: samples `first` … of a block, or of the list of those that act. */
PURE void gather(const int count, const int n, const int remembers, const int first,
                 const int *restrict at, const real *restrict memory, const real *restrict y,
                 double *restrict given) {
  const int sub = SUB(n);
  for (int i = 0; i < n; i++) {
    const real *row = AT(y, i), *kept = memory ? AT(memory, i) : NULL;
    for (int s = 0; s < count; s++) {
      const int b = at ? at[first + s] : first + s;
      double value = row[b];
      if (kept && remembers == FEEDBACK) value = row[b] + kept[b];
      if (kept && remembers == DIFFERENCE) value = row[b] - kept[b];
      given[i * sub + s] = value;
    }
  }
}

/* The values after Q, and what is remembered. */
PURE void spread(const int count, const int n, const int remembers, const int first,
                 const int *restrict at, const double *restrict given,
                 const double *restrict sent, real *restrict memory, real *restrict y) {
  const int sub = SUB(n);
  ROUNDED(sent);
  for (int i = 0; i < n; i++) {
    real *row = AT(y, i), *kept = memory ? AT(memory, i) : NULL;
    for (int s = 0; s < count; s++) {
      const int b = at ? at[first + s] : first + s;
      real value = (real)sent[i * sub + s];
      if (kept && remembers == FEEDBACK) kept[b] = (real)given[i * sub + s] - value;
      if (kept && remembers == DIFFERENCE) kept[b] = value = kept[b] + value;
      row[b] = value;
    }
  }
}

/* Runs CORE, a call with `count`, `given` and `sent`, on all samples that act. */
#define TRANSFORMED(CORE)                                                                   \
  do {                                                                                      \
    double given[(n) * SUB(n)], sent[(n) * SUB(n)];                                         \
    int list[LANES], acts = lanes;                                                          \
    const int always = probability < 0;                                                     \
    real *kept = remembers ? memory : NULL;                                                 \
    if (!always) acts = acting(lanes, events, probability, list);                           \
    for (int first = 0; first < acts; first += SUB(n)) {                                    \
      const int count = acts - first < SUB(n) ? acts - first : SUB(n);                      \
      gather(count, n, remembers, first, always ? NULL : list, kept, y, given);             \
      CORE;                                                                                 \
      spread(count, n, remembers, first, always ? NULL : list, given, sent, kept, y);       \
    }                                                                                       \
    (void)p, (void)state, (void)events, (void)misfit, (void)memory;                         \
  } while (0)

#endif
