/* What elementwise kernels share: f = scale·φ(y + w), whose derivatives are diagonal.

   An activation NAME gives φ and φ′ together, which share their exponentials:

       PURE Jet NAME_jet(const real t, const real *p);

   where p[0] is the scale and its own parameters follow.  What of the two nobody wants is
   dropped by the compiler.  ELEMENTWISE(NAME) then defines NAME_forward and NAME_backward for
   sizes n and bias (0 or 1): φ′ is kept, so that the backward pass multiplies only.
   ELEMENTWISE_CHEAP(NAME) keeps nothing and computes φ′ again. */

#ifndef BOUNDCALC_ELEMENTWISE_H
#define BOUNDCALC_ELEMENTWISE_H
#include "elementary.h"

typedef struct {
  real value, slope;
} Jet;

#define ELEMENTWISE(NAME) ELEMENTWISE_ROW(NAME) ELEMENTWISE_PASSES(NAME, 1)
#define ELEMENTWISE_CHEAP(NAME) ELEMENTWISE_ROW(NAME) ELEMENTWISE_PASSES(NAME, 0)

/* One component: scale·φ and scale·φ′ at y, moved by `shift` where there is a bias. */
#define ELEMENTWISE_ROW(NAME)                                                                    \
  KERNEL NAME##_row(const int lanes, const int bias, const real shift, const real *restrict p,   \
                    const real *restrict y, real *restrict value, real *restrict slope) {        \
    const real scale = p[0];                                                                     \
    if (value && slope) {                                                                        \
      FOR_LANES(b) {                                                                             \
        const Jet f = NAME##_jet(bias ? y[b] + shift : y[b], p);                                 \
        value[b] = scale * f.value;                                                              \
        slope[b] = scale * f.slope;                                                              \
      }                                                                                          \
    } else if (value) {                                                                          \
      FOR_LANES(b) value[b] = scale * NAME##_jet(bias ? y[b] + shift : y[b], p).value;           \
    } else if (slope) {                                                                          \
      FOR_LANES(b) slope[b] = scale * NAME##_jet(bias ? y[b] + shift : y[b], p).slope;           \
    }                                                                                            \
  }

#define ELEMENTWISE_PASSES(NAME, KEEPS)                                                          \
  KERNEL NAME##_forward(const int lanes, const int n, const int bias, const real *restrict p,    \
                        const real *restrict y, const real *restrict w,                          \
                        const real *restrict label, real *restrict out, real *restrict saved) {  \
    (void)label;                                                                                 \
    for (int i = 0; i < n; i++) {                                                                \
      NAME##_row(lanes, bias, bias ? w[i] : 0, p, AT(y, i), out ? AT(out, i) : NULL,             \
                 (KEEPS) && saved ? AT(saved, i) : NULL);                                        \
    }                                                                                            \
  }                                                                                              \
                                                                                                 \
  KERNEL NAME##_backward(const int lanes, const int n, const int bias, const real *restrict p,   \
                         const real *restrict y, const real *restrict w,                         \
                         const real *restrict label, const real *restrict saved,                 \
                         const real *restrict v, real *restrict back, real *restrict grad) {     \
    (void)label;                                                                                 \
    for (int i = 0; i < n; i++) {                                                                \
      real again[LANES];                                                                         \
      if (!(KEEPS)) NAME##_row(lanes, bias, bias ? w[i] : 0, p, AT(y, i), NULL, again);          \
      const real *const slope = (KEEPS) ? AT(saved, i) : again, *const vi = AT(v, i);            \
      if (back) {                                                                                \
        real *restrict const into = AT(back, i);                                                 \
        FOR_LANES(b) into[b] = slope[b] * vi[b];                                                 \
      }                                                                                          \
      if (bias && grad) grad[i] += lane_dot(lanes, slope, vi);                                   \
    }                                                                                            \
  }

#endif
