/* f(y, u) = [u; Ax + Bu], x the last `states` numbers of y and u the weights.

   Parameters: A (states × states), then B (states × controls), row by row. */

#ifndef BOUNDCALC_CONTROL_STEP_H
#define BOUNDCALC_CONTROL_STEP_H
#include "tiles.h"

KERNEL control_step_forward(const int lanes, const int n, const int states, const int controls,
                            const real *restrict p, const real *restrict y,
                            const real *restrict w, const real *restrict label,
                            real *restrict out, real *restrict saved) {
  (void)label, (void)saved;
  if (!out) return;
  const real *B = p + (size_t)states * states;
  for (int i = 0; i < controls; i++) FOR_LANES(b) AT(out, i)[b] = w[i];
  real *restrict state = AT(out, controls);
  block_product(lanes, states, states, AT(y, n - states), (matrix){p, states, 1}, NULL, state);
  for (int j = 0; j < states; j++) {
    real moved = 0;
    for (int i = 0; i < controls; i++) moved += B[(size_t)j * controls + i] * w[i];
    FOR_LANES(b) AT(state, j)[b] += moved;
  }
}

/* With v = [v_u; v_x]: [0; Aᵀv_x], and the sum of v_u + Bᵀv_x. */
KERNEL control_step_backward(const int lanes, const int n, const int states, const int controls,
                             const real *restrict p, const real *restrict y,
                             const real *restrict w, const real *restrict label,
                             const real *restrict saved, const real *restrict v,
                             real *restrict back, real *restrict grad) {
  (void)y, (void)w, (void)label, (void)saved;
  const real *B = p + (size_t)states * states;
  if (back) {
    for (int i = 0; i < n - states; i++) FOR_LANES(b) AT(back, i)[b] = 0;
    block_product(lanes, states, states, AT(v, controls), (matrix){p, 1, states}, NULL,
                  AT(back, n - states));
  }
  if (!grad) return;
  for (int i = 0; i < controls; i++) grad[i] += lane_sum(lanes, AT(v, i));
  for (int j = 0; j < states; j++) {
    const real sum = lane_sum(lanes, AT(v, controls + j));
    for (int i = 0; i < controls; i++) grad[i] += B[(size_t)j * controls + i] * sum;
  }
}

#endif
