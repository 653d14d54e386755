/* The logistic step by hand: all steps of a range of replicas, blocks of samples in the
   first-level cache.  Random numbers are xoshiro256+ in LANES lanes, 52 bits a number. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 8
#define BLOCK 256 /* a multiple of LANES */
#define MAGIC 6755399441055744.0 /* 1.5 * 2^52: adding it rounds to an integer */

typedef uint64_t words __attribute__((vector_size(32)));
typedef double reals __attribute__((vector_size(32), aligned(8)));

typedef struct {
  words s0[LANES / 4], s1[LANES / 4], s2[LANES / 4], s3[LANES / 4];
} generator;

static uint64_t splitmix(uint64_t *x) {
  uint64_t z = (*x += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static generator seeded(uint64_t seed) {
  generator g;
  words *state[4] = {g.s0, g.s1, g.s2, g.s3};
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < LANES; k++) state[i][k / 4][k % 4] = splitmix(&seed);
  return g;
}

/* U(-1/2, 1/2), count rounded up to a multiple of LANES. */
static void uniform(generator *restrict g, double *restrict out, const int count) {
  generator l = *g;
  for (int b = 0; b < count; b += LANES)
    for (int k = 0; k < LANES / 4; k++) {
      const words bits = ((l.s0[k] + l.s3[k]) >> 12) | 0x3FF0000000000000u;
      const words shifted = l.s1[k] << 17;
      *(reals *)(out + b + 4 * k) = (reals)bits - 1.5;
      l.s2[k] ^= l.s0[k];
      l.s3[k] ^= l.s1[k];
      l.s1[k] ^= l.s2[k];
      l.s0[k] ^= l.s3[k];
      l.s2[k] ^= shifted;
      l.s3[k] = (l.s3[k] << 45) | (l.s3[k] >> 19);
    }
  *g = l;
}

static void normals(generator *g, double *restrict out, const int count) {
  double u[2 * LANES];
  for (int at = 0; at < count; at += LANES) {
    uniform(g, u, 2 * LANES);
    for (int k = 0; k < LANES && at + k < count; k++)
      out[at + k] = sqrt(-2 * log(0.5 - u[2 * k])) * cos(2 * M_PI * u[2 * k + 1]);
  }
}

/* Cut off at +-700, in loops of their own: inside exponential() gcc makes branches of them. */
static inline void clamp(double *x, const int count) {
  for (int b = 0; b < count; b++) x[b] = x[b] < -700 ? -700 : x[b];
  for (int b = 0; b < count; b++) x[b] = x[b] > 700 ? 700 : x[b];
}

/* exp of |x| <= 700: 2^k times a polynomial on |r| <= ln(2)/2, Cody and Waite's reduction. */
static inline double exponential(double x) {
  const double rounded = x * 1.4426950408889634 + MAGIC, k = rounded - MAGIC;
  const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  /* Estrin's scheme: shorter chains than Horner's. */
  const double r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
  const double p01 = 1 + r, p23 = 1.0 / 2 + r * (1.0 / 6);
  const double p45 = 1.0 / 24 + r * (1.0 / 120), p67 = 1.0 / 720 + r * (1.0 / 5040);
  const double p89 = 1.0 / 40320 + r * (1.0 / 362880);
  const double pab = 1.0 / 3628800 + r * (1.0 / 39916800);
  const double p = (p01 + r2 * p23) + r4 * (p45 + r2 * p67) + r8 * (p89 + r2 * pab);
  uint64_t bits;
  memcpy(&bits, &rounded, 8);
  bits = (bits << 52) + 0x3FF0000000000000u;
  double power;
  memcpy(&power, &bits, 8);
  return p * power;
}

/* z = shift * delta - sum_j w_j rows_j over TILE samples, in registers. */
#define TILE 16
static inline void forward_tile(double *restrict z, const double *restrict delta,
                                const double shift, const double *restrict w,
                                const double *restrict rows, const int samples, const int d) {
  reals total[TILE / 4];
  for (int k = 0; k < TILE / 4; k++) total[k] = shift * *(const reals *)(delta + 4 * k);
  for (int j = 0; j < d; j++)
    for (int k = 0; k < TILE / 4; k++)
      total[k] -= w[j] * *(const reals *)(rows + (size_t)j * samples + 4 * k);
  for (int k = 0; k < TILE / 4; k++) *(reals *)(z + 4 * k) = total[k];
}

static inline double dot(const double *x, const double *y, const int count) {
  reals total[4] = {{0}, {0}, {0}, {0}};
  int b = 0;
  for (; b + 16 <= count; b += 16)
    for (int k = 0; k < 4; k++)
      total[k] += *(const reals *)(x + b + 4 * k) * *(const reals *)(y + b + 4 * k);
  const reals all = (total[0] + total[1]) + (total[2] + total[3]);
  double sum = (all[0] + all[1]) + (all[2] + all[3]);
  for (; b < count; b++) sum += x[b] * y[b];
  return sum;
}

/* margins: (d, M), -y h by component; w: (replicas, d), changed in place. */
void logistic_steps(const double *restrict margins, double *restrict w, const int samples,
                    const int d, const int first, const int last, const int steps,
                    const uint64_t seed, const double step_size, const double forward,
                    const double backward, const double noise_std, const double strength) {
  for (int r = first; r < last; r++) {
    generator rng = seeded(seed * 1000003 + r);
    double z[BLOCK], delta[BLOCK], epsilon[BLOCK], g[d], xi[d], *wr = w + (size_t)r * d;
    for (int t = 0; t < steps; t++) {
      for (int j = 0; j < d; j++) g[j] = 0;
      for (int at = 0; at < samples; at += BLOCK) {
        const int count = samples - at < BLOCK ? samples - at : BLOCK;
        const double *restrict rows = margins + at;
        uniform(&rng, delta, count);
        uniform(&rng, epsilon, count);
        int b = 0;
        for (; b + TILE <= count; b += TILE)
          forward_tile(z + b, delta + b, -2 * forward, wr, rows + b, samples, d);
        for (; b < count; b++) {
          z[b] = -2 * forward * delta[b];
          for (int j = 0; j < d; j++) z[b] -= wr[j] * rows[(size_t)j * samples + b];
        }
        clamp(z, count);
        for (b = 0; b < count; b++)
          z[b] = 1 / (1 + exponential(z[b])) + 2 * backward * epsilon[b];
        for (int j = 0; j < d; j++) g[j] += dot(z, rows + (size_t)j * samples, count);
      }
      normals(&rng, xi, d);
      for (int j = 0; j < d; j++) {
        const double square = 1 + wr[j] * wr[j];
        const double penalty = 2 * strength * wr[j] / (square * square);
        wr[j] -= step_size * (g[j] / samples + penalty + noise_std * xi[j]);
      }
    }
  }
}
