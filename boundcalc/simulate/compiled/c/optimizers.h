/* How a gradient becomes a step: the twin of boundcalc/simulate/optimizers.

   One replica: weights w and gradient of k numbers, and the method's states, state s at
   states + s * stride.  Scalars are computed in double, weights and states are of the number
   type of the run. */

#ifndef BOUNDCALC_OPTIMIZERS_H
#define BOUNDCALC_OPTIMIZERS_H
#include "base.h"

enum {
  OPTIMIZER_SGD,
  OPTIMIZER_MOMENTUM,
  OPTIMIZER_HEAVY_BALL,
  OPTIMIZER_NESTEROV,
  OPTIMIZER_ADAM,
  OPTIMIZER_UNIFIED_MOMENTUM,
};

/* g <- g min(1, limit / |g|); what is not finite has no direction and is left as it is. */
PURE void clip_gradient(const double limit, const int k, real *restrict gradient) {
  real largest = 0;
  for (int i = 0; i < k; i++) {
    const real size = gradient[i] < 0 ? -gradient[i] : gradient[i];
    largest = size > largest ? size : largest;
  }
  if (largest == 0) return;
  double total = 0; /* of squares, each at most 1; NaN as soon as a number is not finite */
  for (int i = 0; i < k; i++) {
    const double unit = (double)(gradient[i] / largest);
    total += unit * unit;
  }
  const double norm = sqrt(total);
  if (!(norm > limit / (double)largest)) return;
  const real scale = (real)(limit / norm);
  for (int i = 0; i < k; i++) gradient[i] = gradient[i] / largest * scale;
}

/* 1 - beta^n without cancellation. */
PURE double gathered_weight(const double beta, const int64_t n) {
  return -expm1((double)n * log(beta));
}

/* m <- beta m + (1 - beta) g,  w <- w - step m */
PURE void momentum_step(const double beta, const double step, const int k, real *restrict w,
                        const real *restrict gradient, real *restrict mean) {
  const real stay = (real)beta, enter = (real)(1.0 - beta), length = (real)step;
  for (int i = 0; i < k; i++) {
    mean[i] = stay * mean[i] + enter * gradient[i];
    w[i] -= length * mean[i];
  }
}

/* v <- beta v - step g,  w <- w + v */
PURE void heavy_ball_step(const double beta, const double step, const int k, real *restrict w,
                          const real *restrict gradient, real *restrict velocity) {
  const real stay = (real)beta, length = (real)step;
  for (int i = 0; i < k; i++) {
    velocity[i] = stay * velocity[i] - length * gradient[i];
    w[i] += velocity[i];
  }
}

/* v <- beta v - step g,  w <- w - step g + beta v */
PURE void nesterov_step(const double beta, const double step, const int k, real *restrict w,
                        const real *restrict gradient, real *restrict velocity) {
  const real stay = (real)beta, length = (real)step;
  for (int i = 0; i < k; i++) {
    const real move = length * gradient[i];
    velocity[i] = stay * velocity[i] - move;
    w[i] += stay * velocity[i] - move;
  }
}

/* e = d - s step g,  w <- w + beta e - step g,  d <- beta e - step g + s step g */
PURE void unified_momentum_step(const double *parameters, const double step, const int k,
                                real *restrict w, const real *restrict gradient,
                                real *restrict lag) {
  const real stay = (real)parameters[0], share = (real)parameters[1], length = (real)step;
  for (int i = 0; i < k; i++) {
    const real part = length * gradient[i], ahead = share * part;
    const real move = stay * (lag[i] - ahead) - part;
    w[i] += move;
    lag[i] = move + ahead;
  }
}

/* Kingma and Ba, Algorithm 1; a second moment that overflows makes its weight NaN. */
PURE void adam_step(const double *parameters, const double step, const int64_t t, const int k,
                    real *restrict w, const real *restrict gradient, real *restrict first,
                    real *restrict second) {
  const double beta1 = parameters[0], beta2 = parameters[1];
  const real stay1 = (real)beta1, enter1 = (real)(1.0 - beta1);
  const real stay2 = (real)beta2, enter2 = (real)(1.0 - beta2);
  const real length = (real)(step / gathered_weight(beta1, t + 1));
  const real known = (real)gathered_weight(beta2, t + 1), epsilon = (real)parameters[2];
  for (int i = 0; i < k; i++) {
    const real g = gradient[i];
    first[i] = stay1 * first[i] + enter1 * g;
    second[i] = stay2 * second[i] + enter2 * (g * g);
    const real root = (real)sqrt((double)(second[i] / known));
    w[i] -= length * first[i] / (root + epsilon) + 0 * second[i];
  }
}

/* One step of the method with this code, after clipping where clip > 0; t steps were done
   before.  The gradient may be overwritten. */
PURE void optimizer_step(const int code, const double *parameters, const double step_size,
                         const double clip, const int64_t t, const int k, real *w, real *gradient,
                         real *states, const size_t stride) {
  if (clip > 0) clip_gradient(clip, k, gradient);
  switch (code) {
  case OPTIMIZER_MOMENTUM:
    momentum_step(parameters[0], step_size, k, w, gradient, states);
    break;
  case OPTIMIZER_HEAVY_BALL:
    heavy_ball_step(parameters[0], step_size, k, w, gradient, states);
    break;
  case OPTIMIZER_NESTEROV:
    nesterov_step(parameters[0], step_size, k, w, gradient, states);
    break;
  case OPTIMIZER_ADAM:
    adam_step(parameters, step_size, t, k, w, gradient, states, states + stride);
    break;
  case OPTIMIZER_UNIFIED_MOMENTUM:
    unified_momentum_step(parameters, step_size, k, w, gradient, states);
    break;
  default: {
    const real length = (real)step_size;
    for (int i = 0; i < k; i++) w[i] -= length * gradient[i];
  }
  }
}

#endif
