"""Half the squared norm."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from boundcalc.operators.base import (
    ONE,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.regions import reach
from boundcalc.spec.expressions import Expression


@final
class Quadratic(Operator):
    """f = ‖y‖²/2 + w, one output and one weight: the operator of erratum E2.

    On ‖y‖ ≤ R_y:

    - ∇₁f = yᵀ: a = ℓ = R_y, and it is 1-Lipschitz: A = 1;
    - ∇₁₁²f = I is constant: A′ = 0;
    - ∇₂f = 1: b = 1, and constant: B = B′ = 0.

    All tight.  w ≤ f ≤ R_y²/2 + w.

    Examples
    --------
    >>> Quadratic().forward(np.array([[[3.0, 4.0]]]), np.array([[0.5]]), np.zeros((1, 1)))
    array([[[13.]]])
    """

    type: ClassVar[str] = "quadratic"

    def output_size(self, inputs: int) -> int:
        """1 for any n."""
        return 1

    def weight_size(self, inputs: int) -> int:
        """1 for any n."""
        return 1

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """‖y‖²/2 + w."""
        half = 0.5 * np.square(y).sum(axis=-1, keepdims=True)
        return np.asarray(half + w[:, None, :])

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The product v·y, and v itself."""
        count = replicas(y, w, v)
        return spread(v * y, count), np.array(spread(v, count))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """‖y‖²/2 + w."""
        y, w, label = symbols(inputs, 1)
        return SymbolicForm(y, w, label, (sum(yi**2 for yi in y) / 2 + w[0],))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = R_y, A = 1, the others 0."""
        radius = self._radius(region, "input", "jac_input")
        return InputConstants(jac_input=radius, lip_input=radius, hess_input=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = 1."""
        return ONE

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """From the least weight to half the squared radius above the largest."""
        low, high = region.weight_interval()
        if region.input is None:
            return Domain(low=low)
        half = region.input**2 / 2
        shift = region.weight_radius()
        radius = None if shift is None else half + shift
        most = float(np.nextafter(reach(half) + high, np.inf))
        return Domain(radius, low, most).within(1)
