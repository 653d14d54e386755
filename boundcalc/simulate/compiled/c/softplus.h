/* φ = ln(1 + e^t) = max(t, 0) + ln(1 + e^−|t|), φ′ = σ(t). */

#ifndef BOUNDCALC_SOFTPLUS_H
#define BOUNDCALC_SOFTPLUS_H
#include "elementwise.h"

PURE Jet softplus_jet(const real t, const real *p) {
  (void)p;
  const real e = exp_of_negative(-size_of(t));
  return (Jet){(t > 0 ? t : 0) + log1p_of_share(e), (t >= 0 ? 1 : e) / (1 + e)};
}

ELEMENTWISE(softplus)

#endif
