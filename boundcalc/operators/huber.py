"""The Huber loss."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, ClassVar, final

import numpy as np
from pydantic import Field, field_validator

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.base import (
    ONE,
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
    spread,
    symbols,
)
from boundcalc.operators.regions import smaller
from boundcalc.operators.rounding import lower, upper
from boundcalc.operators.squared import largest_residual
from boundcalc.spec.expressions import Expression, exact, rational
from boundcalc.spec.fields import Size, custom_error


@final
class HuberLoss(Operator):
    """f = h(y − label), y a number: h(z) = z²/2 for |z| ≤ δ, else δ(|z| − δ/2).

    With r a bound of |y − label| on the region and the data, infinite without one:

    - h′(z) = z cut off at ±δ: a = ℓ = min(r, δ), tight;
    - h′ is 1-Lipschitz, as a projection on [−δ, δ]: A = 1, tight;
    - h″ jumps from 1 to 0 at ±δ, so that A′ does not exist, unless r ≤ δ: then f is the
      squared loss of :class:`~boundcalc.operators.squared.SquaredLoss`, with A′ = 0; or
      no |y − label| is below δ: then f is linear for every label, with A = A′ = 0;
    - no weights: b = B = B′ = 0; and 0 ≤ f ≤ h(r).

    Attributes
    ----------
    delta
        Where the loss turns from quadratic to linear, > 0.

    References
    ----------
    Huber, *Robust estimation of a location parameter*, Annals of Mathematical Statistics
    35 (1964) 73-101, section 4.

    Examples
    --------
    >>> loss = HuberLoss(delta=2)
    >>> loss.forward(np.array([[[1.0], [5.0]]]), np.zeros((1, 0)), np.zeros((1, 2))).tolist()
    [[[0.5], [8.0]]]
    >>> constants = loss.constants(Region(), None, reads=False)
    >>> print(constants.jac_input, constants.hess_input, constants.third_input)
    2 1 None
    """

    type: ClassVar[str] = "huber"
    uses_label: ClassVar[bool] = True

    delta: Size = Field(default_factory=lambda: ONE, json_schema_extra={"default": 1})

    @field_validator("delta", mode="after")
    @classmethod
    def _positive(cls, value: Expression) -> Expression:
        if not value.symbols and value.evaluate(FLOATS) <= 0:
            raise custom_error("not a positive number", "a number > 0")
        return value

    def output_size(self, inputs: int) -> int:
        """1 for one input: a sample has one label."""
        scalar_only(inputs, self.type)
        return 1

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The loss h(y − label)."""
        residual = y - labels[..., None]
        # With p the projection of z on [−δ, δ], h(z) = p·(z − p/2).
        inside = np.clip(residual, -self._delta(), self._delta())
        return spread(inside * (residual - 0.5 * inside), replicas(y, w, labels))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The residual cut off at ±δ, times v."""
        inside = np.clip(y - labels[..., None], -self._delta(), self._delta())
        back = spread(inside * v, replicas(y, w, labels, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The loss h(y − label)."""
        import sympy

        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, 0)
        delta: Any = self.delta.evaluate(SYMBOLS)
        z = y[0] - label
        above, below = (z > delta, delta * (z - delta / 2)), (z < -delta, -delta * (z + delta / 2))
        pieces = (above[::-1], below[::-1], (z**2 / 2, True))
        return SymbolicForm(y, w, label, (sympy.Piecewise(*pieces),))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = min(r, δ), A = 1 or 0, and A′ = 0 or none."""
        residual = largest_residual(region, data)
        slope = self.delta if residual is None else smaller(residual, self.delta)
        quadratic = residual is not None and _at_most(residual, self.delta)
        linear = data is not None and _at_most(self.delta, _least_residual(region, data))
        return InputConstants(
            jac_input=slope,
            lip_input=slope,
            hess_input=ZERO if linear else ONE,
            third_input=ZERO if quadratic or linear else None,
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """From 0 to h at the largest residual."""
        residual = largest_residual(region, data)
        if residual is None:
            return Domain(low=0.0)
        inside = smaller(residual, self.delta)
        return Domain(inside * (residual - inside / 2), low=0.0).within(1)

    def _delta(self) -> float:
        return float(self.delta.evaluate(FLOATS))


def _least_residual(region: Region, data: Data) -> Expression:
    """A bound of |y − label| from below."""
    low, high = region.interval()
    gaps = np.maximum(low - data.labels, data.labels - high)
    # Each is rounded once.
    return exact(Fraction(max(0.0, math.nextafter(float(gaps.min()), -math.inf))))


def _at_most(x: Expression, y: Expression) -> bool:
    """Whether x ≤ y for certain."""
    if x.symbols or y.symbols:
        return False
    exact_x, exact_y = rational(x, {}), rational(y, {})
    if exact_x is None or exact_y is None:
        return upper(x) <= lower(y)
    return exact_x <= exact_y
