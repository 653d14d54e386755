/* Rounding of every component to a number format, with one scale or one for each group of
   `group` components (0: the fixed scale), to nearest or stochastically. */

#ifndef BOUNDCALC_NUMBER_FORMAT_H
#define BOUNDCALC_NUMBER_FORMAT_H
#include "rounding.h"

/* NaN if one of them is. */
PURE double larger_size(const double a, const double value) {
  const double size = fabs(value);
  return (size > a) | (size != size) ? size : a;
}

/* The scale of a group: at least largest/top; perturbations/formats/scales.py. */
PURE double scale_for(const int real_scale, const double largest, const double top) {
  const double usual = (largest >= TINY) & (largest < INFINITY) ? largest : 1.0;
  const double quotient = usual / top;
  uint64_t bits;
  double found;
  memcpy(&bits, &quotient, sizeof bits);
  if (real_scale) bits = (bits + ((1ULL << 29) - 1)) >> 29 << 29;
  else bits = ((bits >> 52) + 1) << 52; /* the power of two above the quotient */
  memcpy(&found, &bits, sizeof found);
  return !real_scale && found / 2 * top >= usual ? found / 2 : found;
}

/* The scales of all groups, and what they follow. */
PURE void find_scales(const int count, const int n, const int group, const int real_scale,
                      const double *g, const double *restrict given, double *restrict largest,
                      double *restrict scale) {
  const int sub = SUB(n), length = group ? group : n;
  for (int i = 0; i < n; i++) {
    double *most = largest + i / length * sub;
    if (i % length == 0) FOR_COUNT(b) most[b] = 0;
    FOR_COUNT(b) most[b] = larger_size(most[b], given[i * sub + b]);
  }
  for (int k = 0; k < (n + length - 1) / length; k++)
    FOR_COUNT(b)
      scale[k * sub + b] = group ? scale_for(real_scale, largest[k * sub + b], g[TOP]) : g[SCALE];
}

/* Groups that are too small are left as they are, and those that are not finite are lost. */
PURE void keep_groups(const int count, const int n, const int group,
                      const double *restrict largest, const double *restrict given,
                      double *restrict sent) {
  const int sub = SUB(n);
  for (int i = 0; i < n; i++) {
    const double *most = largest + i / group * sub, *value = given + i * sub;
    double *out = sent + i * sub;
    FOR_COUNT(b) {
      const double kept = most[b] < TINY ? value[b] : out[b];
      out[b] = most[b] < INFINITY ? kept : NAN;
    }
  }
}

PURE void number_format_core(const int count, const int n, const int floating,
                             const int stochastic, const int group, const int real_scale,
                             const double *p, uint64_t *state, double *misfit,
                             const double *restrict given, double *restrict sent) {
  const int sub = SUB(n), length = group ? group : n, groups = (n + length - 1) / length;
  double g[GRID], largest[groups * SUB(n)], scale[groups * SUB(n)];
  memcpy(g, p, sizeof g);
  if (!group && g[STRICT] != 0)
    for (int i = 0; i < n; i++) find_misfit(count, g, given + i * sub, misfit);
  find_scales(count, n, group, real_scale, g, given, largest, scale);
  if (stochastic) {
    double drawn[n * SUB(n)];
    const Stream before = stream_of(state);
    int doubt = 0;
    fill_uniform(state, drawn, count * n);
    for (int i = 0; i < n; i++)
      doubt |= round_row_at_random(count, floating, g, scale + i / length * sub, given + i * sub,
                                   drawn + i, n, sent + i * sub);
    if (doubt) { /* one by one, as what is drawn further shifts what comes after it */
      Stream s = before;
      for (int b = 0; b < count; b++)
        for (int i = 0; i < n; i++)
          sent[i * sub + b] =
              round_one(floating, g, scale[i / length * sub + b], given[i * sub + b], &s);
      keep_stream(s, state);
    }
  } else {
    for (int i = 0; i < n; i++)
      round_row(count, floating, g, scale + i / length * sub, given + i * sub, sent + i * sub);
  }
  if (group) keep_groups(count, n, group, largest, given, sent);
}

KERNEL number_format_apply(const int lanes, const int n, const int remembers, const int floating,
                           const int stochastic, const int group, const int real_scale,
                           APPLY_ARGUMENTS) {
  TRANSFORMED(number_format_core(count, n, floating, stochastic, group, real_scale, p, state,
                                 misfit, given, sent));
}

#endif
