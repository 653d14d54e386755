/* Rounding to the numbers of a format, to nearest or stochastically: the kernels of
   perturbations/formats/rounding.py, number by number the same.

   A grid is given by its offset, the fixed scale, 1.5 * 2^(53 - precision), the smallest normal
   number, 2^(1 - precision), whether subnormals are flushed, whether a value that does not fit
   is a misfit, the number of levels, and the lattice's largest and least number. */

#ifndef BOUNDCALC_ROUNDING_H
#define BOUNDCALC_ROUNDING_H
#include "settling.h"
#include "transforms.h"

enum { OFFSET, SCALE, SHIFT, NORMAL, GRID_UNIT, FLUSH, STRICT, LEVELS, TOP, LEAST, GRID };

#define BAND 0x1p-50     /* in spacings, beyond the errors of what is compared */
#define TINY 0x1p-600    /* groups whose largest value is below this are left alone */

typedef struct {
  double x, near, spacing, scaled; /* clipped; a nearest number; in units of the scale */
} Near;

/* NaN goes through. */
PURE double clipped(const double x, const double low, const double high) {
  const double above = x <= low ? low : x;
  return above >= high ? high : above;
}

PURE Near nearest(const int floating, const double *p, const double scale, const double given) {
  const double offset = p[OFFSET];
  const double low = p[LEAST] * scale + offset, high = p[TOP] * scale + offset;
  Near r;
  r.x = clipped(given, low, high);
  double t = (r.x - offset) / scale;
  if (floating) {
    uint64_t bits;
    double h;
    memcpy(&bits, &t, sizeof t);
    bits &= 0x7ff0000000000000ULL;
    memcpy(&h, &bits, sizeof h);
    h = h <= p[NORMAL] ? p[NORMAL] : h;
    /* t + c has the format's spacing: the sum's own rounding is the format's. */
    const double c = h * p[SHIFT];
    t += c;
    t -= c;
    r.spacing = h * p[GRID_UNIT] * scale;
  } else {
    t = rint(t);
    r.spacing = scale;
  }
  r.scaled = t;
  r.near = t * scale; /* exact */
  if (offset != 0) r.near += offset;
  return r;
}

/* Subnormal results to zero where they are flushed; zeros get the sign of the value. */
PURE double finished(const int floating, const double *p, const double scale, const Near r,
                     const double out) {
  if (!floating) return out;
  const double kept = fabs(out) < p[FLUSH] * p[NORMAL] * scale ? 0.0 : out;
  return copysign(kept, r.x);
}

/* To the other neighbour where a rounded difference led to the wrong side of a tie. */
PURE double corrected(const double *p, const double scale, const Near r) {
  const double e = r.x - r.near, half = scale / 2;
  if (p[OFFSET] == 0 || !(fabs(fabs(e) - half) <= scale * (BAND * p[LEVELS]))) return r.near;
  const double even = r.scaled / 2;
  return beyond_half(r.x, r.near, scale, even == rint(even)) ? r.near + copysign(scale, e)
                                                             : r.near;
}

/* One value, stochastically: by 53 bits, or more where these do not decide. */
static double round_one(const int floating, const double *p, const double scale,
                        const double given, Stream *s) {
  const Near r = nearest(floating, p, scale, given);
  const double e = r.x - r.near, u = next_uniform(s);
  const double gap = fabs(e) - u * r.spacing;
  int away = gap > 0;
  if (fabs(gap) <= r.spacing * BAND) away = goes_away(r.x, r.near, r.spacing, u, s);
  return finished(floating, p, scale, r, r.near + copysign(r.spacing, e) * away);
}

/* A row of samples, with a scale for each. */
PURE void round_row(const int count, const int floating, const double *p,
                    const double *restrict scale, const double *restrict given,
                    double *restrict sent) {
  FOR_COUNT(b) {
    const Near r = nearest(floating, p, scale[b], given[b]);
    sent[b] = finished(floating, p, scale[b], r, r.near);
  }
  if (p[OFFSET] != 0)
    for (int b = 0; b < count; b++)
      sent[b] = corrected(p, scale[b], nearest(floating, p, scale[b], given[b]));
}

/* The same stochastically; tells whether 53 bits may not be enough for all of them. */
PURE int round_row_at_random(const int count, const int floating, const double *p,
                             const double *restrict scale, const double *restrict given,
                             const double *restrict drawn, const int stride,
                             double *restrict sent) {
  double doubt = 0;
  FOR_COUNT(b) {
    const Near r = nearest(floating, p, scale[b], given[b]);
    const double e = r.x - r.near;
    const double gap = fabs(e) - drawn[b * stride] * r.spacing;
    doubt += fabs(gap) <= r.spacing * BAND ? 1.0 : 0.0;
    const double step = copysign(r.spacing, e) * (gap > 0 ? 1.0 : 0.0);
    sent[b] = finished(floating, p, scale[b], r, r.near + step);
  }
  return doubt > 0;
}

/* The value farthest beyond what the fixed scale holds. */
PURE void find_misfit(const int count, const double *p, const double *restrict given,
                      double *misfit) {
  const double low = p[LEAST] * p[SCALE] + p[OFFSET], high = p[TOP] * p[SCALE] + p[OFFSET];
  double beyond = 0;
  FOR_COUNT(b) beyond += (given[b] < low) | (given[b] > high) ? 1.0 : 0.0;
  if (beyond == 0) return;
  for (int b = 0; b < count; b++)
    if ((given[b] < low || given[b] > high) && !(fabs(given[b]) <= fabs(*misfit)))
      *misfit = given[b];
}

#endif
