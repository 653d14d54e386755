"""The logistic loss."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from boundcalc.operators.base import (
    ZERO,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    scalar_only,
    signs_only,
    spread,
    symbols,
)
from boundcalc.operators.elementwise import expit
from boundcalc.operators.softplus import SOFTPLUS_SUPREMA, Softplus
from boundcalc.operators.suprema import all_over
from boundcalc.spec.expressions import Expression


@final
class LogisticLoss(Operator):
    """f = ln(1 + e^{−label·y}), y a number, label = ±1: softplus at −label·y.

    |label| = 1, so the derivatives have the sizes of softplus's at t = −label·y, for
    y ∈ [l, h] and the labels of the data: a = ℓ = 1 (σ(R_y) on |y| ≤ R_y), A = 1/4,
    A′ = 1/(6√3) (less on a small interval), all tight; without weights b = B = B′ = 0.
    The loss lies in softplus's image.  See :class:`~boundcalc.operators.softplus.Softplus`.

    Examples
    --------
    >>> loss = LogisticLoss()
    >>> loss.forward(np.array([[[-1e3]]]), np.zeros((1, 0)), np.array([[1.0]]))
    array([[[1000.]]])
    >>> loss.check_labels(np.array([1.0, 0.0]))
    Traceback (most recent call last):
        ...
    boundcalc.errors.DataError: the labels of a `logistic` operator are signs
      found:    0.0
      expected: 1 or -1
      fix:      give the data labels, two classes coded as 1 and -1
    """

    type: ClassVar[str] = "logistic"
    uses_label: ClassVar[bool] = True

    def output_size(self, inputs: int) -> int:
        """1 for one input."""
        scalar_only(inputs, self.type)
        return 1

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def check_labels(self, labels: Array) -> None:
        """Labels are ±1, or the constants would not hold."""
        signs_only(labels, self.type)

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The loss ln(1 + e^{−label·y})."""
        loss = np.asarray(np.logaddexp(0.0, -labels[..., None] * y))
        return spread(loss, replicas(y, w, labels))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """−label·σ(−label·y)·v."""
        signs = labels[..., None]
        back = spread(-signs * expit(-signs * y) * v, replicas(y, w, labels, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The loss ln(1 + e^{−label·y})."""
        import sympy

        y, w, label = symbols(inputs, 0)
        return SymbolicForm(y, w, label, (sympy.log(1 + sympy.exp(-label * y[0])),))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The suprema of softplus's derivatives over −label·y."""
        first, second, third = all_over(SOFTPLUS_SUPREMA, *_intervals(region, data))
        return InputConstants(
            jac_input=first, lip_input=first, hess_input=second, third_input=third
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The image of −label·y under softplus."""
        low, high = Softplus().image(*_intervals(region, data))
        return Domain(low=low, high=high).within(1)


def _intervals(region: Region, data: Data | None) -> tuple[Array, Array]:
    """Where −label·y lies, for each label."""
    low, high = region.interval()
    signs = np.array([1.0, -1.0]) if data is None else np.unique(data.labels)
    return np.where(signs > 0, -high, low), np.where(signs > 0, -low, high)
