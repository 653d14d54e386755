/* φ = t for t > 0, else αt; α = p[1] is the slope at the kink. */

#ifndef BOUNDCALC_LEAKY_RELU_H
#define BOUNDCALC_LEAKY_RELU_H
#include "elementwise.h"

PURE Jet leaky_relu_jet(const real t, const real *p) {
  const real slope = t > 0 ? 1 : p[1];
  return (Jet){t * slope, slope};
}

ELEMENTWISE_CHEAP(leaky_relu)

#endif
