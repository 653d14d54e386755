/* What every kernel builds on: the number type, the layout, vectors and reductions.

   A block is up to LANES samples of one replica.  A value of n components is stored
   component by component, samples innermost: component i of sample b is y[i * LANES + b].
   Inner loops run over the samples, which makes every kernel a vector kernel without care:
   all samples of a block share the weights. */

#ifndef BOUNDCALC_BASE_H
#define BOUNDCALC_BASE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef REAL
#define REAL double
#endif
#ifndef LANES
#define LANES 128 /* a multiple of 16 */
#endif

typedef REAL real;

#define KERNEL static inline __attribute__((always_inline)) void
#define PURE static inline __attribute__((always_inline))

/* Over the samples of a block; every iteration is independent. */
#define FOR_LANES(b) _Pragma("GCC ivdep") for (int b = 0; b < lanes; b++)

/* Component i of a value. */
#define AT(y, i) ((y) + (size_t)(i) * LANES)

#define VECTOR 64 /* bytes of a vector: 8 doubles or 16 floats, however wide the machine is */
#define WIDTH ((int)(VECTOR / sizeof(real)))
typedef real vec __attribute__((vector_size(VECTOR), aligned(sizeof(real)), may_alias));

/* Registers of the machine: wider vectors would be torn apart on the stack. */
#if defined(__AVX512F__)
#define NATIVE 64
#elif defined(__AVX__)
#define NATIVE 32
#else
#define NATIVE 16
#endif
#define SHARE ((int)(NATIVE / sizeof(real)))
typedef real native __attribute__((vector_size(NATIVE), aligned(sizeof(real)), may_alias));

PURE real native_sum(const native a, const native b, const native c, const native d) {
  const native total = (a + b) + (c + d);
  real sum = 0;
  for (int k = 0; k < SHARE; k++) sum += total[k];
  return sum;
}

/* Sum of a row over the samples of a block, in 4 · SHARE partial sums. */
PURE real lane_sum(const int lanes, const real *restrict y) {
  native total[4] = {{0}, {0}, {0}, {0}};
  int b = 0;
  for (; b + 4 * SHARE <= lanes; b += 4 * SHARE)
    for (int k = 0; k < 4; k++) total[k] += *(const native *)(y + b + k * SHARE);
  real sum = native_sum(total[0], total[1], total[2], total[3]);
  for (; b < lanes; b++) sum += y[b];
  return sum;
}

/* out = −label · Σ_i w[i] y_i for every sample, without the factor if label is NULL: sums stay
   in registers. */
PURE void lane_product(const int lanes, const int n, const real *restrict w,
                       const real *restrict y, const real *restrict label, real *restrict out) {
  int b = 0;
  for (; b + 4 * SHARE <= lanes; b += 4 * SHARE) {
    native total[4] = {{0}, {0}, {0}, {0}};
    for (int i = 0; i < n; i++)
      for (int k = 0; k < 4; k++) total[k] += w[i] * *(const native *)(AT(y, i) + b + k * SHARE);
    for (int k = 0; k < 4; k++) {
      const int at = b + k * SHARE;
      if (label) total[k] *= -*(const native *)(label + at);
      *(native *)(out + at) = total[k];
    }
  }
  for (; b < lanes; b++) {
    real total = 0;
    for (int i = 0; i < n; i++) total += w[i] * AT(y, i)[b];
    out[b] = label ? -label[b] * total : total;
  }
}

/* Sum of the products of two rows over the samples of a block. */
PURE real lane_dot(const int lanes, const real *restrict x, const real *restrict y) {
  native total[4] = {{0}, {0}, {0}, {0}};
  int b = 0;
  for (; b + 4 * SHARE <= lanes; b += 4 * SHARE)
    for (int k = 0; k < 4; k++)
      total[k] += *(const native *)(x + b + k * SHARE) * *(const native *)(y + b + k * SHARE);
  real sum = native_sum(total[0], total[1], total[2], total[3]);
  for (; b < lanes; b++) sum += x[b] * y[b];
  return sum;
}

/* sums[i] += Σ_b y_i[b] u[b] for n rows: four rows at a time share what is read of u. */
PURE void lane_dots(const int lanes, const int n, const real *restrict y, const real *restrict u,
                    real *restrict sums) {
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    native a[4] = {{0}, {0}, {0}, {0}}, c[4] = {{0}, {0}, {0}, {0}};
    int b = 0;
    for (; b + 2 * SHARE <= lanes; b += 2 * SHARE) {
      const native u0 = *(const native *)(u + b), u1 = *(const native *)(u + b + SHARE);
      for (int k = 0; k < 4; k++) {
        a[k] += *(const native *)(AT(y, i + k) + b) * u0;
        c[k] += *(const native *)(AT(y, i + k) + b + SHARE) * u1;
      }
    }
    for (int k = 0; k < 4; k++) {
      real sum = native_sum(a[k], c[k], (native){0}, (native){0});
      for (int rest = b; rest < lanes; rest++) sum += AT(y, i + k)[rest] * u[rest];
      sums[i + k] += sum;
    }
  }
  for (; i < n; i++) sums[i] += lane_dot(lanes, AT(y, i), u);
}

#endif
