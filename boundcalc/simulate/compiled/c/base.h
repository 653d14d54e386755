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

/* Sum of a row over the samples of a block, in WIDTH partial sums. */
PURE real lane_sum(const int lanes, const real *restrict y) {
  vec total = {0};
  int b = 0;
  for (; b + WIDTH <= lanes; b += WIDTH) total += *(const vec *)(y + b);
  real sum = 0;
  for (int k = 0; k < WIDTH; k++) sum += total[k];
  for (; b < lanes; b++) sum += y[b];
  return sum;
}

/* Sum of the products of two rows over the samples of a block. */
PURE real lane_dot(const int lanes, const real *restrict x, const real *restrict y) {
  vec total = {0};
  int b = 0;
  for (; b + WIDTH <= lanes; b += WIDTH) total += *(const vec *)(x + b) * *(const vec *)(y + b);
  real sum = 0;
  for (int k = 0; k < WIDTH; k++) sum += total[k];
  for (; b < lanes; b++) sum += x[b] * y[b];
  return sum;
}

#endif
