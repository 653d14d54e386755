/* φ = max(0, t), never −0; φ′ = 0 at the kink. */

#ifndef BOUNDCALC_RELU_H
#define BOUNDCALC_RELU_H
#include "elementwise.h"

PURE Jet relu_jet(const real t, const real *p) {
  (void)p;
  return (Jet){t <= 0 ? 0 : t, t > 0 ? 1 : 0};
}

ELEMENTWISE_CHEAP(relu)

#endif
