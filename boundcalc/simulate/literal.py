"""The slow, literal twin of the vectorised engine: one replica and one sample at a time."""

from __future__ import annotations

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.program import Program, Shifts


def literal_gradient(
    program: Program, w: Array, features: Array, labels: Array, delta: Shifts, epsilon: Shifts
) -> Array:
    """ũ of every replica and sample, ``(R, M, k)``, as docs/theory.md, section 1 writes it.

    Agrees with :meth:`Program.sample_gradients` to 1e-12 and takes R·M times as long.
    """
    result = np.zeros((len(w), features.shape[1], program.weights))
    for r, x in np.ndindex(result.shape[:2]):
        ys, label = [features[:1, x : x + 1]], labels[:1, x : x + 1]
        for i, (f, part) in enumerate(zip(program.operators, program.slices, strict=True), 1):
            y = f.forward(ys[-1], w[r : r + 1, part], label)
            ys.append(y + delta[i][r : r + 1, x : x + 1] if i in delta else y)
        v = np.ones((1, 1, 1))
        for i in range(len(program.operators), 0, -1):
            part = program.slices[i - 1]
            v, u = program.operators[i - 1].vjp(ys[i - 1], w[r : r + 1, part], label, v)
            result[r, x, part] = u[0, 0]
            v = v + epsilon[i][r : r + 1, x : x + 1] if i in epsilon else v
    return result
