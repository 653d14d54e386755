/* One run of a block of replicas: what Python hands over, and where results go.

   The fields are those of `RunFields` in engine.py, in the same order; all have 8 bytes. */

#ifndef BOUNDCALC_RUN_H
#define BOUNDCALC_RUN_H
#include "base.h"

typedef struct {
  int64_t replicas, samples, batch, every, stride; /* batch 0: the whole data set */
  int64_t penalty, optimizer, seen;                /* seen: whether `before` is filled */
  double step_size, noise_std, strength, clip, optimizer_parameters[4], secant;
  const real *features, *labels;           /* (blocks, FEATURES, LANES) and (blocks, LANES) */
  const real *row_features, *row_labels;   /* (samples, FEATURES) and (samples): minibatches */
  const real *parameters, *kept;           /* of kernels; weights that are not trained */
  const double *laws;                      /* of perturbations */
  const double *noise;                     /* (steps, replicas, WEIGHTS), or NULL */
  const int64_t *rows;                     /* (steps, replicas, batch), or NULL */
  const uint8_t *active;                   /* (steps, PERTURBATIONS) */
  uint64_t *streams;                       /* (replicas, PERTURBATIONS, 2, 4) */
  real *w, *states, *gradient;             /* (replicas, WEIGHTS); states (S, replicas, WEIGHTS) */
  real *before_w, *before_gradient;        /* (replicas, WEIGHTS): at the last record */
  real *memory, *shared;                   /* of transforms; draws that a batch shares */
  real *drawn, *work;                      /* (STREAMS, DRAWN_ROWS, LANES); a pass's values */
  double *loss, *norm;                     /* (records, stride), at the block's first column */
  double *reach, *met;                     /* largest norm², least and largest component */
  double *misfit;                          /* by perturbation: a value that a transform refuses */
  const int64_t *parts;                    /* (PARTS, 3): first and last weight, has a centre */
  const double *centers;                   /* (PARTS, WEIGHTS) */
  double *weight_reach;                    /* (PARTS, 2): largest norm² and change² */
} Run;

/* Take the values of a block into a record of the largest norm² and the extreme components.
   NaN is kept: it must not get lost among numbers. */
PURE void see(const int lanes, const int n, const real *restrict y, double *restrict record) {
  real norm[LANES], low = INFINITY, high = -INFINITY;
  double largest = record[0];
  FOR_LANES(b) norm[b] = 0;
  for (int i = 0; i < n; i++) {
    FOR_LANES(b) {
      const real value = AT(y, i)[b];
      norm[b] += value * value;
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  }
  int lost = 0;
  for (int b = 0; b < lanes; b++) {
    lost |= norm[b] != norm[b];
    largest = norm[b] > largest ? norm[b] : largest;
  }
  if (lost || record[0] != record[0]) {
    record[0] = record[1] = record[2] = NAN;
    return;
  }
  record[0] = largest;
  record[1] = low < record[1] ? low : record[1];
  record[2] = high > record[2] ? high : record[2];
}

#endif
