"""What root-mean-square and layer normalisation share."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any, ClassVar

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
from boundcalc.operators.radial import RadialBounds
from boundcalc.operators.regions import norm_of, reach, smaller
from boundcalc.operators.rounding import rounded_up
from boundcalc.spec.expressions import Expression, bounded, exact, measured, root
from boundcalc.spec.fields import Positive


class Normalization(Operator):
    """f = g ⊙ x̂ + c for each token, x̂ = y/√(‖y‖²/n + eps) of y or of the centred y.

    A token is a vector along the last axis, of size n; see :mod:`~boundcalc.operators.radial`.
    Tokens do not mix: Jacobians are block-diagonal, so that one token gives the suprema.
    With weights, y ↦ ∇_w f has a column (x̂_ti)_t for each g_i, and these columns, the
    outputs of component i alone, are orthogonal for different i.
    """

    centered: ClassVar[bool]  #: subtracts the mean first, and has a shift c

    eps: Positive = Field(
        default_factory=lambda: exact(Fraction(1, 100_000)),
        json_schema_extra={"default": "1/100000"},
    )

    @property
    @abstractmethod
    def weighted(self) -> bool:
        """Whether there are trainable weights."""

    def output_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    @property
    def output_shape(self) -> Shape:
        """The input's shape."""
        return self.shapes[0]

    def weight_size(self, inputs: int) -> int:
        """One g, and one c where there is a shift, for each component of a token."""
        return self._width(inputs) * (1 + self.centered) if self.weighted else 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The output g ⊙ x̂ + c."""
        output, _ = self._normalized(y)
        if self.weighted:
            gain, shift = self._split(w, y.shape[-1])
            output = output * gain + shift if self.centered else output * gain
        return spread(output.reshape(*output.shape[:2], -1), replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """J(g ⊙ v), J = (I − x̂x̂ᵀ/n)/√(‖y‖²/n + eps), centred; then Σ_t x̂_t ⊙ v_t and Σ_t v_t."""
        unit, size = self._normalized(y)
        v = v.reshape(*v.shape[:2], *unit.shape[2:])
        pulled = v * self._split(w, y.shape[-1])[0] if self.weighted else v
        back = (pulled - unit * (unit * pulled).mean(axis=-1, keepdims=True)) / size
        if self.centered:
            back -= back.mean(axis=-1, keepdims=True)
        count = replicas(y, w, v)
        back = spread(back.reshape(*back.shape[:2], -1), count)
        if not self.weighted:
            return back, back[..., :0]
        weight_part = (unit * v).sum(axis=2)
        if self.centered:
            shift_part = np.broadcast_to(v.sum(axis=2), weight_part.shape)
            weight_part = np.concatenate([weight_part, shift_part], axis=-1)
        return back, spread(weight_part, count)

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The output g ⊙ x̂ + c."""
        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, self.weight_size(inputs))
        n, eps = self._width(inputs), self.eps.evaluate(SYMBOLS)
        outputs: list[Any] = []
        for start in range(0, inputs, n):
            outputs += _symbolic_unit(y[start : start + n], eps, self.centered)
        if self.weighted:
            outputs = [x * w[i % n] for i, x in enumerate(outputs)]
        if self.weighted and self.centered:
            outputs = [x + w[n + i % n] for i, x in enumerate(outputs)]
        return SymbolicForm(y, w, label, tuple(outputs))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants in the docstring of each layer."""
        bounds, gain = self._bounds(region), self._gain(region)
        first, second, third = bounds.suprema()
        share = bounds.share() if self.weighted else ZERO
        return InputConstants(
            jac_input=_times(gain, first),
            lip_input=_times(gain, first),
            hess_input=_times(gain, second),
            hess_mixed=_times(share, first),
            third_input=_times(gain, third),
            third_mixed=_times(share, second),
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b, over the samples where they are given; 0 without weights."""
        if not self.weighted:
            return ZERO
        if features is None:
            return self._bounds(region).weights()
        unit, _ = self._normalized(features[None])
        squares, tokens = np.square(unit).sum(axis=2), unit.shape[2]
        if self.centered:
            # The largest eigenvalue of [[Σx̂², Σx̂], [Σx̂, T]].
            apart = np.hypot(squares - tokens, 2 * unit.sum(axis=2))
            squares = (squares + tokens + apart) / 2
        # Measured: y − mean cancels, by how much only the samples themselves could say.
        return measured(rounded_up(float(np.sqrt(squares.max()))))

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The output at weights w₀ + h, ‖h‖ ≤ ρ: |f_ti| ≤ |g₀ᵢ|q + |c₀ᵢ| + ρ√(q² + 1).

        The ball is ‖f‖ ≤ max |g₀ᵢ|·‖x̂‖ + √T·‖c₀‖ + bρ, as f is linear in the weights.
        Without a shift, read √(q² + 1) as q.  Weights in a ball around 0 are w₀ = 0.
        """
        if not self.weighted:
            bounds = self._bounds(region)
            most = reach(bounds.component(together=False))
            norm = root(exact(bounds.tokens)) * bounds.norm(together=True)
            return Domain(norm, -most, most)
        found = []
        if region.weight is not None:
            origin = np.zeros(self.weight_size(self._inputs()))
            found.append(self._around(region, origin, region.weight))
        if region.center is not None and region.change is not None:
            found.append(self._around(region, region.center, region.change))
        if not found:
            return Domain()
        radii = [domain.radius for domain in found if domain.radius is not None]
        radius = smaller(*radii) if len(radii) == 2 else radii[0]
        return Domain(radius, max(d.low for d in found), min(d.high for d in found))

    def _around(self, region: Region, center: Array, change: Expression) -> Domain:
        """Where the output lies for weights in a ball around ``center``."""
        bounds = self._bounds(region)
        radius, tokens = bounds.weights() * change, root(exact(bounds.tokens))
        gain, shift = (part[0] for part in self._split(center[None], self._inputs()))
        if largest := float(np.abs(gain).max()):
            radius = radius + tokens * bounds.norm(together=True) * bounded(largest)
        if np.any(shift):
            radius = radius + tokens * norm_of(shift)
        q = reach(bounds.component(together=False))
        own, moved = np.abs(gain) * q, reach(change) * math.sqrt(q * q + self.centered)
        shift = shift if self.centered else np.zeros(1)
        low, high = float((shift - own).min()), float((shift + own).max())
        slack = 1e-12 * max(abs(low), abs(high), moved)  # for the rounding of these sums
        return Domain(radius, low - moved - slack, high + moved + slack)

    def _gain(self, region: Region) -> Expression:
        """G = sup ‖diag(g)‖, on centred vectors where there is a mean; 1 without weights.

        ‖diag(h)u‖² ≤ ‖h‖² max u_i², and u_i² ≤ 1 − 1/n for a centred unit vector u.
        """
        if not self.weighted:
            return ONE
        share = self._bounds(region).share()
        found = None if region.weight is None else _times(share, region.weight)
        if region.center is not None and region.change is not None:
            gain, _ = self._split(region.center[None], self._inputs())
            around = bounded(float(np.abs(gain).max()))
            if region.change.node != ZERO.node:
                around = around + _times(share, region.change)
            found = around if found is None else smaller(found, around)
        return self._radius(region, "weight", "jac_input") if found is None else found

    def _bounds(self, region: Region) -> RadialBounds:
        """Bounds of x̂ on a region."""
        (*lead, width) = self.shapes[0]
        return RadialBounds(width, prod(lead), self.eps, self.centered, region)

    def _normalized(self, y: Array) -> tuple[Array, Array]:
        """x̂ as (R, M, T, n), and √(‖y‖²/n + eps) as (R, M, T, 1), of y or the centred y."""
        y = y.reshape(*y.shape[:2], -1, self._width(y.shape[-1]))
        if self.centered:
            y = y - y.mean(axis=-1, keepdims=True)
        eps = float(self.eps.evaluate(FLOATS))
        size = np.sqrt(np.square(y).mean(axis=-1, keepdims=True) + eps)
        return y / size, size

    def _split(self, w: Array, inputs: int) -> tuple[Array, Array]:
        """g and c as (R, 1, 1, n); without a shift c has size 0."""
        n = self._width(inputs)
        return w[:, None, None, :n], w[:, None, None, n:]

    def _width(self, inputs: int = 0) -> int:
        """n, the size of a token: the last axis."""
        return self.shapes[0][-1] if self.shapes else inputs

    def _inputs(self) -> int:
        return prod(self.shapes[0])


def _symbolic_unit(y: Sequence[Any], eps: Any, centered: bool) -> list[Any]:
    """x̂ of one token, in SymPy."""
    import sympy

    mean = sum(y) / sympy.Integer(len(y)) if centered else 0
    moved = [yi - mean for yi in y]
    return [yi / sympy.sqrt(sum(z**2 for z in moved) / len(y) + eps) for yi in moved]


def _times(factor: Expression, value: Expression) -> Expression:
    # Formulas stay readable: no product with 0 or 1.
    if factor.node == ONE.node or value.node == ZERO.node:
        return value
    return ZERO if factor.node == ZERO.node else factor * value
