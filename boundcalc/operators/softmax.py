"""The softmax of each row."""

from __future__ import annotations

import math
from math import prod
from typing import Any, ClassVar, final

import numpy as np
from pydantic import Field

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
    Shape,
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.cumulants import cumulants, peak
from boundcalc.operators.regions import reach
from boundcalc.spec.expressions import Expression, bounded, root
from boundcalc.spec.fields import Positive


@final
class Softmax(Operator):
    """f_i = e^{y_i/τ}/Σ_j e^{y_j/τ} along the last axis, τ the temperature.

    It is the gradient of τ·ln Σ_i e^{y_i/τ}, a cumulant generating function: with p = f,
    the form Dᵏf[u, …, u] is the cumulant of order k + 1 of u_I, P(I = i) = p_i, over τᵏ.
    :mod:`~boundcalc.operators.cumulants` bounds cumulants for unit vectors u:

    - a = ℓ = 1/(2τ), A = √6/(9τ²), A′ = 1/(2τ³), for all y;
    - less where no p_i can exceed some m < 1/2, because the row is long and in a ball or box:
      a = m/τ, and so on.

    The first are tight: p = (p₁, 1 − p₁, 0, …) and u ∥ (1, −1, 0, …), with p₁ = 1/2, or
    1/2 − 1/(2√3) for A; attained for rows of two, and in the limit for longer ones.
    Rows do not mix, so that Jacobians are block-diagonal and one row gives the suprema.

    Components lie in [0, m], and ‖f‖² ≤ Σ max f_i ≤ m for each row.

    Attributes
    ----------
    temperature
        The number τ, > 0.

    Examples
    --------
    >>> y = np.array([[[1000.0, 1000.0]]])
    >>> Softmax().forward(y, np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[0.5, 0.5]]])
    >>> str(Softmax().shaped(((2,),)).constants(Region(), None, reads=False).hess_input)
    'sqrt(6)/9'
    """

    type: ClassVar[str] = "softmax"

    temperature: Positive = Field(default_factory=lambda: ONE, json_schema_extra={"default": 1})

    def output_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    @property
    def output_shape(self) -> Shape:
        """The input's shape."""
        return self.shapes[0]

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The softmax of each row."""
        return spread(softmax(self._rows(y)).reshape(y.shape), replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The product (diag(p) − ppᵀ)v/τ for each row."""
        p = softmax(self._rows(y))
        back = softmax_pulled(p, v.reshape(*v.shape[:2], *p.shape[2:]))
        back = spread(back.reshape(*back.shape[:2], -1) / self._tau(), replicas(y, w, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The softmax of each row."""
        import sympy

        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, 0)
        n, tau = self._width(inputs), self.temperature.evaluate(SYMBOLS)
        outputs: list[Any] = []
        for start in range(0, inputs, n):
            powers = [sympy.exp(yi / tau) for yi in y[start : start + n]]
            outputs += [power / sum(powers) for power in powers]
        return SymbolicForm(y, w, label, tuple(outputs))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ, A, A′ from the cumulants for the largest p_i of the region."""
        first, second, third = cumulants(self._peak(region))
        if self.temperature.node != ONE.node:
            tau = self.temperature
            first, second, third = first / tau, second / tau**2, third / tau**3
        return InputConstants(
            jac_input=first, lip_input=first, hess_input=second, third_input=third
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """Components in [0, m], and ‖f‖ ≤ √(m·rows)."""
        largest = self._peak(region)
        return Domain(root(bounded(largest) * prod(self.shapes[0][:-1])), 0.0, largest)

    def _peak(self, region: Region) -> float:
        """The number m, the largest that a p_i can be."""
        if self.temperature.symbols:
            return peak(self._width(), math.inf, math.inf)
        width = math.inf
        if math.isfinite(region.high - region.low):
            width = reach((bounded(region.high) - bounded(region.low)) / self.temperature)
        ball = None if region.input is None else region.input / self.temperature
        return peak(self._width(), reach(ball), width)

    def _rows(self, y: Array) -> Array:
        """y/τ as (R, M, rows, n)."""
        return y.reshape(*y.shape[:2], -1, self._width(y.shape[-1])) / self._tau()

    def _width(self, inputs: int = 0) -> int:
        """n, the length of a row: the last axis."""
        return self.shapes[0][-1] if self.shapes else inputs

    def _tau(self) -> float:
        return float(self.temperature.evaluate(FLOATS))


def softmax(y: Array) -> Array:
    """The softmax along the last axis, without overflow.

    >>> softmax(np.array([0.0, -np.inf]))
    array([1., 0.])
    """
    powers = np.exp(y - y.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def softmax_pulled(p: Array, v: Array) -> Array:
    """(diag(p) − ppᵀ)v along the last axis, accurate where one p_i is nearly 1.

    A constant in v does not matter; without its component at the largest p_i, the mean
    of v does not cancel there.
    """
    largest = np.argmax(p, axis=-1, keepdims=True)
    shape = np.broadcast_shapes(p.shape, v.shape)
    p, v = np.broadcast_to(p, shape), np.broadcast_to(v, shape)
    v = v - np.take_along_axis(v, np.broadcast_to(largest, (*shape[:-1], 1)), axis=-1)
    return np.asarray(p * (v - (p * v).sum(axis=-1, keepdims=True)))
