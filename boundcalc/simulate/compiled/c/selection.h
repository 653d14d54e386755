/* The number at a place of the sorted order. */

#ifndef BOUNDCALC_SELECTION_H
#define BOUNDCALC_SELECTION_H
#include "base.h"

/* Of n numbers that are not negative, the one with `place` smaller or equal ones before it; NaN
   is the largest.  Their bits, as integers, are in the same order.  Hoare's selection on a copy,
   with the middle of three as the pivot: O(n) in nearly all cases. */
PURE double nth_smallest(const double *x, const int n, const int place) {
  uint64_t a[n];
  double found;
  int low = 0, high = n - 1;
  memcpy(a, x, sizeof a);
  while (low < high) {
    const uint64_t first = a[low], middle = a[(low + high) / 2], last = a[high];
    const uint64_t less = first < middle ? first : middle, more = first < middle ? middle : first;
    const uint64_t pivot = last < less ? less : last > more ? more : last;
    int i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) {
        const uint64_t kept = a[i];
        a[i++] = a[j], a[j--] = kept;
      }
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  memcpy(&found, a + place, sizeof found);
  return found;
}

#endif
