/* Windows that slide over an image; a signal is an image of one row.  Along one axis, position
   o and tap t meet entry o·stride + t·dilation − padding; outside the input there are zeros. */

#ifndef BOUNDCALC_WINDOWS_H
#define BOUNDCALC_WINDOWS_H
#include "base.h"

typedef struct {
  int size, taps, stride, padding, dilation;
} axis;

/* The number of positions. */
PURE int axis_count(const axis a) {
  return (a.size + 2 * a.padding - a.dilation * (a.taps - 1) - 1) / a.stride + 1;
}

/* The entry of an image that a tap of a window meets; −1 outside.  Positions and taps are
   numbered row by row. */
PURE int met(const axis rows, const axis columns, const int position, const int tap) {
  const int width = axis_count(columns);
  const int row = position / width * rows.stride + tap / columns.taps * rows.dilation -
                  rows.padding;
  const int column = position % width * columns.stride +
                     tap % columns.taps * columns.dilation - columns.padding;
  const int inside = row >= 0 && row < rows.size && column >= 0 && column < columns.size;
  return inside ? row * columns.size + column : -1;
}

#endif
