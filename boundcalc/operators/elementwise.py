"""What elementwise activations share: f = scale·φ(y + w), and suprema of φ's derivatives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from pydantic import Field, StrictBool

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.base import (
    ONE,
    ZERO,
    Array,
    Data,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.regions import reach, rounded_up
from boundcalc.spec.expressions import Expression, measured
from boundcalc.spec.fields import Size

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Supremum:
    """How to find sup |g| over intervals, for one derivative g of an activation.

    Attributes
    ----------
    size
        |g|, on arrays.
    critical
        Every point where g′ = 0; the function is monotone in between.
    bound
        sup |g| over the real line, exactly.
    period
        The critical points repeat with this period.
    """

    size: Callable[[Array], Array]
    critical: tuple[float, ...]
    bound: Expression
    period: float | None = None

    def over(self, low: Array | float, high: Array | float) -> Expression:
        """An upper bound of sup |g| over the intervals [low, high].

        It is ``bound``, exactly, where an interval holds a critical point; else the
        largest value at an end, measured.  The first is the supremum itself where g has
        its maximum at that point, as in every interval [−r, r] for every g here.

        Examples
        --------
        >>> cosine = Supremum(np.abs, (), ONE)  # |t|, with nothing known inside
        >>> str(cosine.over(-0.5, 0.25))
        '0.5'
        """
        low, high = np.atleast_1d(low), np.atleast_1d(high)
        if self._holds_critical(low, high):
            return self.bound
        # A value that underflows to 0 is still positive.
        ends = max(float(self.size(low).max()), float(self.size(high).max()), _TINY)
        largest = rounded_up(ends)
        return measured(largest) if largest < self.bound.evaluate(FLOATS) else self.bound

    def _holds_critical(self, low: Array, high: Array) -> bool:
        low, high = low[..., None], high[..., None]
        first = np.array(self.critical)
        if self.period is not None:
            first = first + self.period * np.ceil((low - first) / self.period)
        return bool(np.any((low <= first) & (first <= high)))


#: The suprema of |φ′|, |φ″| and |φ‴|.
Suprema: TypeAlias = tuple[Supremum, Supremum, Supremum]


class Elementwise(Operator):
    """f = scale·φ(y + w) in every component; without a bias f = scale·φ(y).

    All derivatives are diagonal, so their norms are suprema over components:

    - a = ℓ = scale·sup |φ′|, A = scale·sup |φ″|, A′ = scale·sup |φ‴|, by the mean
      value theorem on a ball, which is convex;
    - with a bias, f depends on y + w alone: b = a, B = A, B′ = A′; else 0.

    On a region |y_i + w_i| ≤ R_y + R_w =: r, and the suprema are those over [−r, r]
    where r is a number; otherwise those over the real line.  Both are tight.

    Attributes
    ----------
    scale
        The factor, ≥ 0.
    bias
        Whether there are n trainable weights w.
    """

    suprema: ClassVar[Suprema]

    scale: Size = Field(default_factory=lambda: ONE, json_schema_extra={"default": 1})
    bias: StrictBool = False

    @staticmethod
    @abstractmethod
    def phi(t: Array) -> Array:
        """φ(t)."""

    @staticmethod
    @abstractmethod
    def slope(t: Array) -> Array:
        """φ′(t)."""

    @staticmethod
    @abstractmethod
    def phi_symbolic(t: Any) -> Any:
        """φ of a SymPy expression."""

    def output_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    def weight_size(self, inputs: int) -> int:
        """As many as inputs with a bias, else 0."""
        return inputs if self.bias else 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """scale·φ(y + w)."""
        return self._factor() * self.phi(self._argument(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """scale·φ′(y + w)·v for the input, and the same for the bias."""
        back = self._pulled(y, w, v)
        return back, back.copy() if self.bias else back[..., :0]

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, without a copy for the bias."""
        back = self._pulled(y, w, v)
        return back, back.mean(axis=1) if self.bias else np.zeros((len(back), 0))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """scale·φ(y_i + w_i)."""
        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, self.weight_size(inputs))
        factor = self.scale.evaluate(SYMBOLS)
        arguments = [yi + wi for yi, wi in zip(y, w, strict=True)] if self.bias else y
        return SymbolicForm(y, w, label, tuple(factor * self.phi_symbolic(t) for t in arguments))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants of :class:`Elementwise`; over the real line where r is no number."""
        r = reach(region.input, region.weight) if self.bias else reach(region.input)
        first, second, third = (self._scaled(sup.over(-r, r)) for sup in self.suprema)
        return InputConstants(
            jac_input=first,
            lip_input=first,
            hess_input=second,
            hess_mixed=second if self.bias else ZERO,
            third_input=third,
            third_mixed=third if self.bias else ZERO,
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = scale·sup |φ′(y + w)| with a bias, entry by entry on data; else 0."""
        if not self.bias:
            return ZERO
        if features is None:
            return self.input_constants(region, None).jac_input
        r = reach(region.weight)
        # Ends are moved outwards by one float: the sums below are rounded.
        low, high = np.nextafter(features - r, -np.inf), np.nextafter(features + r, np.inf)
        return self._scaled(self.suprema[0].over(low, high))

    def _scaled(self, supremum: Expression) -> Expression:
        # Formulas stay readable: no product with a scale of 1.
        return supremum if self.scale.node == ONE.node else self.scale * supremum

    def _factor(self) -> float:
        return float(self.scale.evaluate(FLOATS))

    def _argument(self, y: Array, w: Array) -> Array:
        return y + w[:, None, :] if self.bias else spread(y, replicas(y, w))

    def _pulled(self, y: Array, w: Array, v: Array) -> Array:
        return self._factor() * self.slope(self._argument(y, w)) * v


def expit(t: Array) -> Array:
    """1/(1 + e⁻ᵗ) without overflow, relatively accurate in both tails."""
    e = np.exp(-np.abs(t))
    return np.where(t >= 0, 1.0, e) / (1.0 + e)


def expit_slope(t: Array) -> Array:
    """e⁻ᵗ/(1 + e⁻ᵗ)², the derivative of :func:`expit`; even, so |t| keeps it from overflow."""
    e = np.exp(-np.abs(t))
    return np.asarray(e / (1.0 + e) ** 2)
