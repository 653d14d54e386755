"""An operator of three inputs that all bend each other, to test the recurrences with."""

from typing import ClassVar, final

import numpy as np

from boundcalc.operators import OPERATORS
from boundcalc.operators.base import (
    ONE,
    ZERO,
    Domain,
    InputConstants,
    Operator,
    Slot,
    SymbolicForm,
    joined,
    spread,
    symbols,
)
from boundcalc.operators.joining import largest_component, part_domains
from boundcalc.operators.regions import larger


@final
class Triple(Operator):
    """f = w·y₁y₂y₃ for three numbers: every pair has A, every input B, and A′, B′ are not 0.

    With |y_u| ≤ c_u and |w| ≤ W: a₁ = W c₂c₃, A₁₂ = W c₃, B₁ = c₂c₃; ∇_y∇₁f = w(0, y₃, y₂), so
    A′ = W; ∇_y∇_w f = (y₂y₃, y₁y₃, y₁y₂), whose Jacobian has zeros on the diagonal and the
    y_u elsewhere, so that B′ is at most the largest sum of two c_u.
    """

    type: ClassVar[str] = "triple"
    joins: ClassVar[bool] = True

    def output_size(self, inputs):
        return 1

    def weight_size(self, inputs):
        return 1

    def forward(self, y, w, labels):
        return w[:, None, :] * np.prod(y, axis=-1, keepdims=True)

    def vjp(self, y, w, labels, v):
        others = np.stack([y[..., 1] * y[..., 2], y[..., 0] * y[..., 2], y[..., 0] * y[..., 1]], -1)
        back = w[:, None, :] * others * v
        return back, spread(np.prod(y, axis=-1, keepdims=True) * v, len(back))

    def symbolic(self, inputs):
        y, w, label = symbols(3, 1)
        return SymbolicForm(y, w, label, (w[0] * y[0] * y[1] * y[2],))

    def input_constants(self, region, data) -> InputConstants:
        c, W = self._sizes(region), region.weight_radius()
        slots = []
        for u in range(3):
            v, x = (k for k in range(3) if k != u)
            row = [ZERO] * 3
            row[v], row[x] = W * c[x], W * c[v]
            slots.append(
                Slot(
                    jac_input=W * c[v] * c[x],
                    lip_input=W * c[v] * c[x],
                    hess_input=tuple(row),
                    hess_mixed=c[v] * c[x],
                    third_input=W,
                )
            )
        sums = (c[0] + c[1], c[0] + c[2], c[1] + c[2])
        return joined(tuple(slots), third_mixed=larger(*sums))

    def weight_constant(self, region, features):
        c = self._sizes(region)
        return c[0] * c[1] * c[2]

    def output_domain(self, region, data):
        c = self._sizes(region)
        return Domain(region.weight_radius() * c[0] * c[1] * c[2]).within(1)

    def _sizes(self, region):
        parts = part_domains(region, self.shapes)
        return [largest_component(part) or ONE for part in parts]


#: The library with the operator of this file.
WITH_TRIPLE = {**OPERATORS, "triple": Triple}
