/* φ = sin, φ′ = cos. */

#ifndef BOUNDCALC_SINE_H
#define BOUNDCALC_SINE_H
#include "circular.h"
#include "elementwise.h"

/* One component; numbers so large that the reduction would not do, and NaN, a second time. */
KERNEL sine_row(const int lanes, const int bias, const real shift, const real *restrict p,
                const real *restrict y, real *restrict value, real *restrict slope) {
  const real scale = p[0];
  pattern far = 0;
  FOR_LANES(b) {
    const real t = bias ? y[b] + shift : y[b];
    real cosine;
    const real sine = sine_and_cosine(t, &cosine);
    if (value) value[b] = scale * sine;
    if (slope) slope[b] = scale * cosine;
    far |= size_of(t) <= CIRCULAR_MOST ? 0 : 1;
  }
  if (!far) return;
  for (int b = 0; b < lanes; b++) {
    const real t = bias ? y[b] + shift : y[b];
    if (size_of(t) <= CIRCULAR_MOST) continue;
    if (value) value[b] = scale * (real)sin((double)t);
    if (slope) slope[b] = scale * (real)cos((double)t);
  }
}

ELEMENTWISE_PASSES(sine, 1)

#endif
