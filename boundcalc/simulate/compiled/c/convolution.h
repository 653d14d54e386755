/* f(y, w) = K * y + c on an input (channels, rows, columns): conv1d and conv2d.

   The weights are K (outputs, channels/groups, taps) in C order, then c if there is a bias.
   Group by group and position by position, f is a matrix times the patch that a window sees:
   entry k of a patch is tap k mod taps of the group's channel k div taps. */

#ifndef BOUNDCALC_CONVOLUTION_H
#define BOUNDCALC_CONVOLUTION_H
#include "dots.h"
#include "windows.h"

typedef struct {
  int channels, outputs, groups, bias;
  axis rows, columns;
} convolution;

PURE int conv_taps(const convolution c) { return c.rows.taps * c.columns.taps; }
PURE int conv_patch(const convolution c) { return c.channels / c.groups * conv_taps(c); }
PURE int conv_positions(const convolution c) { return axis_count(c.rows) * axis_count(c.columns); }

/* Row of y that entry k of a group's patch at a position is; −1 for a zero of the padding. */
PURE int conv_row(const convolution c, const int group, const int position, const int k) {
  const int entry = met(c.rows, c.columns, position, k % conv_taps(c));
  const int channel = group * (c.channels / c.groups) + k / conv_taps(c);
  return entry < 0 ? -1 : channel * c.rows.size * c.columns.size + entry;
}

PURE void conv_position(const convolution c, const int group, const int position, const int b,
                        const real *restrict y, const real *restrict w, real *restrict out) {
  const int patch = conv_patch(c), share = c.outputs / c.groups;
  const size_t pitch = (size_t)conv_positions(c) * LANES;
  const matrix K = {w + (size_t)group * share * patch, patch, 1};
  const real *start = c.bias ? w + (size_t)c.outputs * patch + group * share : NULL;
  real panel[PANEL * WIDTH] __attribute__((aligned(64)));
#pragma GCC unroll 1
  for (int k = 0; k < patch; k += PANEL) {
    const int part = patch - k < PANEL ? patch - k : PANEL;
#pragma GCC unroll 1
    for (int i = 0; i < part; i++) {
      const int row = conv_row(c, group, position, k + i);
      vec *to = (vec *)(panel + (size_t)i * WIDTH);
      if (row < 0) *to = (vec){0};
      else *to = *(const vec *)(AT(y, row) + b);
    }
    panel_product(share, part, panel, matrix_from(K, 0, k), k == 0, start,
                  out + group * share * pitch + (size_t)position * LANES + b, pitch);
  }
}

/* The adjoint: a patch is Kᵀv, and is added where it was read. */
PURE void conv_pull(const convolution c, const int group, const int position, const int b,
                    const real *restrict v, const real *restrict w, real *restrict back) {
  const int patch = conv_patch(c), share = c.outputs / c.groups;
  const size_t pitch = (size_t)conv_positions(c) * LANES;
  const matrix K = {w + (size_t)group * share * patch, 1, patch};
  const real *own = v + group * share * pitch + (size_t)position * LANES + b;
  real panel[PANEL * WIDTH] __attribute__((aligned(64)));
  real pulled[PANEL * WIDTH] __attribute__((aligned(64)));
#pragma GCC unroll 1
  for (int k = 0; k < patch; k += PANEL) {
    const int part = patch - k < PANEL ? patch - k : PANEL;
#pragma GCC unroll 1
    for (int o = 0; o < share; o += PANEL) {
      const int depth = share - o < PANEL ? share - o : PANEL;
      fill_panel(depth, own + o * pitch, pitch, panel);
      panel_product(part, depth, panel, matrix_from(K, k, o), o == 0, NULL, pulled, WIDTH);
    }
#pragma GCC unroll 1
    for (int i = 0; i < part; i++) {
      const int row = conv_row(c, group, position, k + i);
      if (row < 0) continue;
      vec *to = (vec *)(AT(back, row) + b);
      *to += *(const vec *)(pulled + (size_t)i * WIDTH);
    }
  }
}

/* The gradient of some output channels (from o of a group on) and entries of K (from k on). */
PURE void conv_tile(const int lanes, const convolution c, const int group, const int o,
                    const int rows, const int k, const int columns, const real *y,
                    const real *v, real *grad) {
  const int patch = conv_patch(c), positions = conv_positions(c);
  const int channel = group * (c.outputs / c.groups) + o;
  real zeros[LANES];
  memset(zeros, 0, sizeof zeros);
  dot_sums sums = {{{{0}}}};
#pragma GCC unroll 1
  for (int position = 0; position < positions; position++) {
    const real *left[DOT_ROWS], *right[DOT_COLUMNS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) left[r] = AT(v, (channel + r) * positions + position);
#pragma GCC unroll 4
    for (int i = 0; i < columns; i++) {
      const int row = conv_row(c, group, position, k + i);
      right[i] = row < 0 ? zeros : AT(y, row);
    }
    dot_rows(lanes, rows, columns, left, right, &sums);
  }
  add_dots(rows, columns, &sums, patch, grad + (size_t)channel * patch + k);
}

PURE void conv_columns(const int lanes, const convolution c, const int group, const int k,
                       const int columns, const real *y, const real *v, real *grad) {
  const int share = c.outputs / c.groups;
  int o = 0;
#pragma GCC unroll 1
  for (; o + DOT_ROWS <= share; o += DOT_ROWS) {
    conv_tile(lanes, c, group, o, DOT_ROWS, k, columns, y, v, grad);
  }
  if (share % DOT_ROWS) {
    conv_tile(lanes, c, group, o, share % DOT_ROWS, k, columns, y, v, grad);
  }
}

PURE void conv_gradient(const int lanes, const convolution c, const real *y, const real *v,
                        real *grad) {
  const int patch = conv_patch(c), positions = conv_positions(c);
#pragma GCC unroll 1
  for (int group = 0; group < c.groups; group++) {
    int k = 0;
#pragma GCC unroll 1
    for (; k + DOT_COLUMNS <= patch; k += DOT_COLUMNS) {
      conv_columns(lanes, c, group, k, DOT_COLUMNS, y, v, grad);
    }
    if (patch % DOT_COLUMNS) {
      conv_columns(lanes, c, group, k, patch % DOT_COLUMNS, y, v, grad);
    }
  }
  if (!c.bias) return;
  for (int o = 0; o < c.outputs; o++) {
    real *sum = grad + (size_t)c.outputs * patch + o;
    for (int i = 0; i < positions; i++) *sum += lane_sum(lanes, AT(v, o * positions + i));
  }
}

KERNEL convolution_forward(const int lanes, const int channels, const int outputs,
                           const int groups, const int bias, const int height,
                           const int row_taps, const int row_stride, const int row_padding,
                           const int row_dilation, const int width, const int column_taps,
                           const int column_stride, const int column_padding,
                           const int column_dilation, const real *restrict p,
                           const real *restrict y, const real *restrict w,
                           const real *restrict label, real *restrict out,
                           real *restrict saved) {
  (void)p, (void)label, (void)saved;
  if (!out) return;
  const convolution c = {channels, outputs, groups, bias,
                         {height, row_taps, row_stride, row_padding, row_dilation},
                         {width, column_taps, column_stride, column_padding, column_dilation}};
#pragma GCC unroll 1
  for (int b = 0; b < lanes; b += WIDTH) {
#pragma GCC unroll 1
    for (int group = 0; group < groups; group++) {
#pragma GCC unroll 1
      for (int i = 0; i < conv_positions(c); i++) conv_position(c, group, i, b, y, w, out);
    }
  }
}

KERNEL convolution_backward(const int lanes, const int channels, const int outputs,
                            const int groups, const int bias, const int height,
                            const int row_taps, const int row_stride, const int row_padding,
                            const int row_dilation, const int width, const int column_taps,
                            const int column_stride, const int column_padding,
                            const int column_dilation, const real *restrict p,
                            const real *restrict y, const real *restrict w,
                            const real *restrict label, const real *restrict saved,
                            const real *restrict v, real *restrict back,
                            real *restrict grad) {
  (void)p, (void)label, (void)saved;
  const convolution c = {channels, outputs, groups, bias,
                         {height, row_taps, row_stride, row_padding, row_dilation},
                         {width, column_taps, column_stride, column_padding, column_dilation}};
  if (back) {
    memset(back, 0, sizeof(real) * LANES * channels * height * width);
#pragma GCC unroll 1
    for (int b = 0; b < lanes; b += WIDTH) {
#pragma GCC unroll 1
      for (int group = 0; group < groups; group++) {
#pragma GCC unroll 1
        for (int i = 0; i < conv_positions(c); i++) conv_pull(c, group, i, b, v, w, back);
      }
    }
  }
  if (grad) conv_gradient(lanes, c, y, v, grad);
}

#endif
