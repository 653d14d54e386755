/* Steps of a run, for all replicas of a block.  The source before this file defines `pass`:
   one forward and backward pass over a block of samples of one replica, and the sizes in
   capital letters. */

#ifndef BOUNDCALC_LOOP_H
#define BOUNDCALC_LOOP_H
#include "optimizers.h"
#include "random.h"
#include "run.h"

#define EXPORT __attribute__((visibility("default")))
#define SQUARED 1
#define NONCONVEX 2

static real *weights_of(const Run *run, int64_t r) { return run->w + r * WEIGHTS; }
static real *gradient_of(const Run *run, int64_t r) { return run->gradient + r * WEIGHTS; }

/* One block of samples of one replica; `sum` takes in the loss. */
static void one_block(Run *run, const int perturbed, const uint8_t *active, int64_t block,
                      int64_t r, const real *drawn, double *sum) {
  const real *x = run->features + (size_t)block * FEATURES * LANES;
  const real *label = run->labels + (size_t)block * LANES;
  const int64_t left = run->samples - block * LANES;
  if (left >= LANES) {
    if (perturbed) pass(LANES, 1, run, active, x, label, r, block * LANES, drawn, sum);
    else pass(LANES, 0, run, active, x, label, r, block * LANES, drawn, sum);
  } else {
    pass((int)left, perturbed, run, active, x, label, r, block * LANES, drawn, sum);
  }
}

/* One block of samples of the replicas r .. r + count − 1, whose draws come first. */
static void several(Run *run, const int perturbed, const uint8_t *active, int64_t block, int64_t r,
                    int64_t count, double *sums, int64_t stride) {
  const int64_t left = run->samples - block * LANES;
  const int lanes = left < LANES ? (int)left : LANES;
  if (perturbed && count == STREAMS) draw_group(run, active, r, lanes);
  for (int64_t j = 0; j < count; j++) {
    const int slot = count == STREAMS ? j : 0;
    if (perturbed && count != STREAMS) draw_one(run, active, r + j, lanes);
    one_block(run, perturbed, active, block, r + j,
              run->drawn + (size_t)slot * DRAWN_ROWS * LANES, sums + (r + j) * stride);
  }
}

/* Sums of gradients over the whole data set, in `gradient`; of the loss in `sums` if not NULL. */
static void whole(Run *run, const int perturbed, const uint8_t *active, double *sums) {
  const int64_t blocks = (run->samples + LANES - 1) / LANES, replicas = run->replicas;
  double ignored = 0, *to = sums ? sums : &ignored;
  const int64_t stride = sums != NULL;
  memset(run->gradient, 0, sizeof(real) * (size_t)(replicas * WEIGHTS));
#if SAMPLES_FIRST /* the data are larger than the weights: use a block for all replicas */
  for (int64_t block = 0; block < blocks; block++)
    for (int64_t r = 0; r < replicas; r += STREAMS) {
      const int64_t left = replicas - r;
      several(run, perturbed, active, block, r, left < STREAMS ? left : STREAMS, to, stride);
    }
#else
  for (int64_t r = 0; r < replicas; r++)
    for (int64_t block = 0; block < blocks; block++)
      several(run, perturbed, active, block, r, 1, to, stride);
#endif
}

/* The same over the minibatch of every replica; its rows come together first. */
static void minibatch(Run *run, const uint8_t *active, const int64_t *rows) {
  real *x = run->work + (size_t)WORK_ROWS * LANES, *label = x + FEATURES * LANES;
  double ignored = 0;
  memset(run->gradient, 0, sizeof(real) * (size_t)(run->replicas * WEIGHTS));
  for (int64_t r = 0; r < run->replicas; r++)
    for (int64_t first = 0; first < run->batch; first += LANES) {
      const int64_t left = run->batch - first;
      const int lanes = left < LANES ? (int)left : LANES;
      for (int b = 0; b < lanes; b++) {
        const int64_t row = rows[r * run->batch + first + b];
        label[b] = run->row_labels[row];
        for (int i = 0; i < FEATURES; i++) AT(x, i)[b] = run->row_features[row * FEATURES + i];
      }
      draw_one(run, active, r, lanes);
      pass(lanes, 1, run, active, x, label, r, first, run->drawn, &ignored);
    }
}

/* From sums over `count` samples to ∇ of the average and of ρ𝓡: 2ρw, or 2ρw/(1 + w²)². */
static void averaged(const Run *run, int64_t r, int64_t count) {
  real *restrict g = gradient_of(run, r);
  const real *restrict w = weights_of(run, r);
  const real each = (real)1 / (real)count, twice = (real)(2 * run->strength);
  for (int j = 0; j < WEIGHTS; j++) g[j] *= each;
  if (run->penalty == SQUARED) {
    for (int j = 0; j < WEIGHTS; j++) g[j] += twice * w[j];
  } else if (run->penalty == NONCONVEX) {
    for (int j = 0; j < WEIGHTS; j++) {
      const real q = 1 + w[j] * w[j];
      g[j] += twice * w[j] / (q * q);
    }
  }
}

static double penalty_of(const Run *run, const real *w) {
  double total = 0;
  for (int j = 0; j < WEIGHTS; j++) {
    const double square = (double)w[j] * w[j];
    if (run->penalty == SQUARED) total += square;
    if (run->penalty == NONCONVEX) total += square / (1 + square);
  }
  return run->strength * total;
}

static double norm_of(const real *g) {
  double total = 0;
  for (int j = 0; j < WEIGHTS; j++) total += (double)g[j] * g[j];
  return sqrt(total);
}

/* ‖Δg‖/‖Δw‖ since the last record, where Δg is more than rounding. */
static void see_secant(Run *run, int64_t r) {
  const size_t size = sizeof(real) * WEIGHTS;
  const real *w = weights_of(run, r), *g = gradient_of(run, r);
  real *w0 = run->before_w + r * WEIGHTS, *g0 = run->before_gradient + r * WEIGHTS;
  if (run->seen) {
    double moved = 0, changed = 0;
    for (int j = 0; j < WEIGHTS; j++) {
      moved += (double)(w[j] - w0[j]) * (w[j] - w0[j]);
      changed += (double)(g[j] - g0[j]) * (g[j] - g0[j]);
    }
    const double ratio = sqrt(changed) / sqrt(moved);
    const double least = 7 * (sizeof(real) == 4 ? 0x1p-11 * 1.4142135623730951 : 0x1p-26);
    if (sqrt(moved) > least * (1 + norm_of(w)) && isfinite(changed) && ratio > run->secant)
      run->secant = ratio;
  }
  memcpy(w0, w, size);
  memcpy(g0, g, size);
}

/* Loss and exact gradient at the weights that are there; the gradients stay in `gradient`. */
EXPORT void record(Run *run, int64_t index) {
  double *loss = run->loss + index * run->stride, *norm = run->norm + index * run->stride;
  for (int64_t r = 0; r < run->replicas; r++) loss[r] = 0;
  whole(run, 0, NULL, loss);
  for (int64_t r = 0; r < run->replicas; r++) {
    averaged(run, r, run->samples);
    loss[r] = loss[r] / (double)run->samples + penalty_of(run, weights_of(run, r));
    norm[r] = norm_of(gradient_of(run, r));
    see_secant(run, r);
  }
  run->seen = 1;
}

/* The larger of two numbers, and NaN if one of them is. */
static double larger(double a, double b) { return a != a || a >= b ? a : b; }

/* The largest ‖w‖² and ‖w − w⁰‖² of the operators whose weights have a stated region. */
EXPORT void see_weights(Run *run) {
  for (int64_t part = 0; part < PARTS; part++) {
    const int64_t first = run->parts[3 * part], last = run->parts[3 * part + 1];
    const double *center = run->centers + part * WEIGHTS;
    double *reach = run->weight_reach + 2 * part;
    for (int64_t r = 0; r < run->replicas; r++) {
      const real *w = weights_of(run, r);
      double norm = 0, change = 0;
      for (int64_t j = first; j < last; j++) {
        norm += (double)w[j] * w[j];
        change += (w[j] - center[j]) * (w[j] - center[j]);
      }
      reach[0] = larger(reach[0], norm);
      reach[1] = larger(reach[1], change);
    }
  }
}

static void move(Run *run, int64_t r, int64_t t, const double *noise) {
  real *g = gradient_of(run, r);
  if (noise)
    for (int j = 0; j < WEIGHTS; j++) g[j] += (real)(run->noise_std * noise[j]);
  optimizer_step((int)run->optimizer, run->optimizer_parameters, run->step_size, run->clip, t,
                 WEIGHTS, weights_of(run, r), g, run->states + r * WEIGHTS,
                 (size_t)(run->replicas * WEIGHTS));
}

/* Steps start .. stop − 1; `active`, `noise` and `rows` begin with step `start`. */
EXPORT void advance(Run *run, int64_t start, int64_t stop) {
  for (int64_t t = start; t < stop; t++) {
    const uint8_t *active = run->active + (t - start) * PERTURBATIONS;
    const int64_t recorded = t % run->every == 0;
    int acts = 0;
    if (recorded) record(run, t / run->every);
    see_weights(run);
    for (int p = 0; p < PERTURBATIONS; p++) acts |= active[p];
    for (int64_t r = 0; acts && r < run->replicas; r++) draw_shared(run, active, r);
    if (run->rows) {
      minibatch(run, active, run->rows + (t - start) * run->replicas * run->batch);
    } else if (acts || !recorded) {
      whole(run, 1, active, NULL);
    }
    for (int64_t r = 0; r < run->replicas; r++) {
      if (run->rows) averaged(run, r, run->batch);
      else if (acts || !recorded) averaged(run, r, run->samples);
      move(run, r, t,
           run->noise ? run->noise + ((t - start) * run->replicas + r) * WEIGHTS : NULL);
    }
  }
}

#endif
