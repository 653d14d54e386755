/* Perturbations that look at nothing: NAME_draw for each distribution.

   One call draws the n components of sample 0, then those of sample 1, …, from one stream, and
   writes them component by component.  With a probability that is not negative every sample
   first takes a uniform number of the stream `events`; the vectors of those on which the
   perturbation acts are drawn, and the others are 0.  All is computed in double precision as
   NumPy does, and then rounded to `real`.  NAME_draw4 does the same for four streams, faster. */

#ifndef BOUNDCALC_DRAWS_H
#define BOUNDCALC_DRAWS_H
#include "acting.h"
#include "normal.h"

#define DRAWN 512 /* numbers of a stream that are drawn at once */

enum { CONSTANT, GAUSSIAN, TWO_POINT, UNIFORM };

/* x·scale + shift with two roundings: what passes through an empty instruction is rounded. */
#if defined(__x86_64__)
#define ROUND_HERE(vector) __asm__("" : "+x"(vector))
#elif defined(__aarch64__)
#define ROUND_HERE(vector) __asm__("" : "+w"(vector))
#endif
PURE void scaled(double *restrict x, const int count, const double scale, const double shift) {
  int k = 0;
#ifdef ROUND_HERE
  typedef double part __attribute__((vector_size(NATIVE), aligned(8), may_alias));
  for (; k + (int)(NATIVE / 8) <= count; k += NATIVE / 8) {
    part product = *(part *)(x + k) * scale;
    ROUND_HERE(product);
    *(part *)(x + k) = product + shift;
  }
#endif
  for (int j = k; j < count; j++) x[j] *= scale;
  ROUNDED(x);
  for (int j = k; j < count; j++) x[j] += shift;
}

/* From standard numbers to those of a law. */
PURE void finish(const int law, const double *restrict p, double *restrict x, const int count) {
  switch (law) {
    case CONSTANT: /* value */
      for (int k = 0; k < count; k++) x[k] = p[0];
      break;
    case GAUSSIAN: /* std, center, tables */
      scaled(x, count, p[0], p[1]);
      break;
    case TWO_POINT: /* low, high, probability of high */
      for (int k = 0; k < count; k++) x[k] = x[k] < p[2] ? p[1] : p[0];
      break;
    case UNIFORM: /* low, width */
      scaled(x, count, p[1], p[0]);
  }
}

PURE void law_fill(const int law, uint64_t *state, const double *p, double *restrict x,
                   const int count) {
  if (law == GAUSSIAN) fill_normal(state, p + 2, x, count);
  else if (law != CONSTANT) fill_uniform(state, x, count);
  finish(law, p, x, count);
}

PURE void law_fill4(const int law, uint64_t *const *states, const double *p, double *const *x,
                    const int count) {
  if (law == GAUSSIAN) fill_normal4(states, p + 2, x, count);
  else if (law != CONSTANT) fill_uniform4(states, x, count);
  for (int j = 0; j < STREAMS; j++) finish(law, p, x[j], count);
}

/* A part of the stream into the rows: `samples` vectors if n ≤ DRAWN, else a part of one. */
PURE void place(const double *restrict x, const int first, const int samples,
                const int start, const int components, const int *restrict at,
                real *restrict out) {
  for (int i = 0; i < components; i++) {
    real *restrict row = AT(out, start + i);
    if (at) {
      for (int s = 0; s < samples; s++) row[at[first + s]] = (real)x[s * components + i];
    } else {
      for (int s = 0; s < samples; s++) row[first + s] = (real)x[s * components + i];
    }
  }
}

/* How a stream of count·n numbers is cut into parts; BODY has first, samples, start, part. */
#define FOR_PARTS(count, n, BODY)                                                   \
  do {                                                                              \
    const int together = (n) <= DRAWN ? DRAWN / (n) : 1;                            \
    for (int first = 0; first < (count); first += together) {                       \
      const int samples = (count) - first < together ? (count) - first : together;  \
      for (int start = 0; start < (n); start += DRAWN) {                            \
        const int part = (n) - start < DRAWN ? (n) - start : DRAWN;                 \
        BODY                                                                        \
      }                                                                             \
    }                                                                               \
  } while (0)

PURE void law_draw(const int law, const int lanes, const int n, uint64_t *state,
                   uint64_t *events, const double probability, const double *p,
                   real *restrict out) {
  int at[LANES], count = lanes;
  double x[DRAWN];
  const int always = probability < 0;
  if (!always) {
    count = acting(lanes, events, probability, at);
    for (int i = 0; i < n; i++) FOR_LANES(b) AT(out, i)[b] = 0;
  }
  if (n == 1 && always && sizeof(real) == sizeof(double)) {
    law_fill(law, state, p, (double *)out, lanes);
    return;
  }
  FOR_PARTS(count, n, {
    law_fill(law, state, p, x, samples * part);
    place(x, first, samples, start, part, always ? NULL : at, out);
  });
}

PURE void law_draw4(const int law, const int lanes, const int n, uint64_t *const *states,
                    uint64_t *const *events, const double probability, const double *p,
                    real *const *out) {
  double buffer[STREAMS][DRAWN];
  double *const x[STREAMS] = {buffer[0], buffer[1], buffer[2], buffer[3]};
  if (probability >= 0) {
    for (int j = 0; j < STREAMS; j++)
      law_draw(law, lanes, n, states[j], events[j], probability, p, out[j]);
  } else if (n == 1 && sizeof(real) == sizeof(double)) {
    double *const rows[STREAMS] = {(double *)out[0], (double *)out[1], (double *)out[2],
                                   (double *)out[3]};
    law_fill4(law, states, p, rows, lanes);
  } else {
    FOR_PARTS(lanes, n, {
      law_fill4(law, states, p, x, samples * part);
      for (int j = 0; j < STREAMS; j++)
        place(x[j], first, samples, start, part, NULL, out[j]);
    });
  }
}

#define DISTRIBUTION(NAME, LAW)                                                            \
  KERNEL NAME##_draw(const int lanes, const int n, uint64_t *state, uint64_t *events,      \
                     const double probability, const double *p, real *out) {               \
    law_draw(LAW, lanes, n, state, events, probability, p, out);                           \
  }                                                                                        \
  KERNEL NAME##_draw4(const int lanes, const int n, uint64_t *const *states,               \
                      uint64_t *const *events, const double probability, const double *p,  \
                      real *const *out) {                                                  \
    law_draw4(LAW, lanes, n, states, events, probability, p, out);                         \
  }

DISTRIBUTION(constant, CONSTANT)
DISTRIBUTION(gaussian, GAUSSIAN)
DISTRIBUTION(two_point, TWO_POINT)
DISTRIBUTION(uniform, UNIFORM)

#endif
