/* f(y, w) = s(y) + w·m(y), one number and one weight: s″ and m′ are linear between knots and 0
   outside.

   With k knots there are k + 1 pieces, the first left of all knots.  A piece is five numbers:
   its start (of the first, that of the second), the second integral there, the first integral,
   the height, the slope.  p has the pieces of s″, then those of m′. */

#ifndef BOUNDCALC_SPLINE_H
#define BOUNDCALC_SPLINE_H
#include "base.h"

typedef struct {
  real once, twice, value;
} Piece;

/* The function and its integrals at t; without knots, constants and t times one. */
PURE Piece spline_piece(const int knots, const real *restrict p, const real t) {
  real start = p[0], area = p[1], sum = p[2], height = p[3], slope = p[4];
  for (int k = 1; k <= knots; k++) {
    const real *const next = p + 5 * k;
    const int past = t >= next[0];
    start = past ? next[0] : start;
    area = past ? next[1] : area;
    sum = past ? next[2] : sum;
    height = past ? next[3] : height;
    slope = past ? next[4] : slope;
  }
  const real d = t - start;
  if (!knots) return (Piece){sum, sum * t, 0};
  const int outside = t < p[5] || t >= p[5 * knots];
  return (Piece){sum + d * (height + d * ((real)0.5 * slope)),
                 area + d * (sum + d * ((real)0.5 * height + d * (slope / 6))),
                 outside ? 0 : height + d * slope};
}

KERNEL spline_forward(const int lanes, const int knots, const int weight_knots,
                      const real *restrict p, const real *restrict y, const real *restrict w,
                      const real *restrict label, real *restrict out, real *restrict saved) {
  (void)label, (void)saved;
  if (!out) return;
  const real weight = w[0], *restrict const turn = p + 5 * (knots + 1);
  FOR_LANES(b) {
    out[b] = spline_piece(knots, p, y[b]).twice +
             weight * spline_piece(weight_knots, turn, y[b]).once;
  }
}

/* ∂₁f = s′ + w·m′ and ∂₂f = m. */
KERNEL spline_backward(const int lanes, const int knots, const int weight_knots,
                       const real *restrict p, const real *restrict y, const real *restrict w,
                       const real *restrict label, const real *restrict saved,
                       const real *restrict v, real *restrict back, real *restrict grad) {
  (void)label, (void)saved;
  const real weight = w[0], *restrict const turn = p + 5 * (knots + 1);
  if (back) {
    FOR_LANES(b) {
      const real slope = spline_piece(knots, p, y[b]).once;
      back[b] = (slope + weight * spline_piece(weight_knots, turn, y[b]).value) * v[b];
    }
  }
  if (grad) {
    real m[LANES];
    FOR_LANES(b) m[b] = spline_piece(weight_knots, turn, y[b]).once;
    grad[0] += lane_dot(lanes, m, v);
  }
}

#endif
