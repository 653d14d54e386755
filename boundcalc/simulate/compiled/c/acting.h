/* On which samples of a block a perturbation acts. */

#ifndef BOUNDCALC_ACTING_H
#define BOUNDCALC_ACTING_H
#include "random.h"

/* One uniform number for each sample; the acting ones are listed in `at`, and counted. */
PURE int acting(const int lanes, uint64_t *events, const double probability, int *restrict at) {
  double drawn[LANES];
  int count = 0;
  fill_uniform(events, drawn, lanes);
  for (int b = 0; b < lanes; b++) {
    at[count] = b;
    count += drawn[b] < probability;
  }
  return count;
}

#endif
