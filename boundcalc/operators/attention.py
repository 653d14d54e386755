"""Scaled dot-product attention."""

from __future__ import annotations

import math
from fractions import Fraction
from math import prod
from typing import Annotated, Any, ClassVar, final

import numpy as np
from pydantic import Field, StrictBool

from boundcalc.errors import SpecError
from boundcalc.operators.attention_constants import Bounds, Values, attention_slots
from boundcalc.operators.base import (
    ZERO,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    Shape,
    Slot,
    SymbolicForm,
    joined,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.cumulants import peak
from boundcalc.operators.joining import part_domains, part_radius, pieces, product_of_intervals
from boundcalc.operators.regions import reach, smaller
from boundcalc.operators.rounding import above, rounded_up
from boundcalc.operators.softmax import softmax, softmax_pulled
from boundcalc.spec.expressions import Expression, bounded, exact, root


@final
class Attention(Operator):
    """f = softmax(QKᵀ/√d)V, for inputs q, k, v of shapes (T, hd), (S, hd), (S, he).

    With h heads, each of them has d columns of Q and K and e columns of V and of the
    output (Vaswani et al., arXiv 1706.03762).  On ‖Q‖ ≤ R_q, ‖K‖ ≤ R_k, ‖V‖ ≤ R_v
    (Frobenius norms), with d = 1 for short:

    - a_q = R_kR_v/2, a_k = R_qR_v/2, a_v = √T;
    - A_qq = √6/9·R_vR_k², A_qk = √6/9·R_qR_kR_v + R_v/2, A_qv = R_k/2, A_kk = √6/9·R_q²R_v,
      A_kv = R_q/2, A_vv = 0, and A′ likewise.

    Less where inputs lie in boxes, or where no weight of a long row can be near 1:
    :mod:`~boundcalc.operators.attention_constants` has all formulas and the proof.
    On balls a_q, a_k, A_qq, A_qv, A_kk and A_kv are attained, and a_v as scores grow; A_qk
    and A′ are upper bounds, attained to about a third.

    The output's rows are averages of rows of V: they lie in its box, and ‖f‖ ≤ a_v R_v.

    Attributes
    ----------
    heads
        The number h of heads, side by side in the last axis of every input.
    causal
        Whether row t reads keys 1 to t only; S = T then.

    Examples
    --------
    >>> layer = Attention().shaped(((1, 1), (2, 1), (2, 1)))
    >>> y = np.array([[[0.0, 1.0, -1.0, 3.0, 5.0]]])  # q = 0 reads both values alike
    >>> layer.forward(y, np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[4.]]])
    """

    type: ClassVar[str] = "attention"
    joins: ClassVar[bool] = True

    heads: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1
    causal: StrictBool = False

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Three matrices that fit, of widths that the heads divide."""
        if len(shapes) != 3 or any(len(shape) != 2 for shape in shapes):
            raise self._misfit(shapes, "three inputs q, k, v of shapes (T, d), (S, d), (S, e)")
        q, k, v = shapes
        if q[1] != k[1] or k[0] != v[0]:
            raise self._misfit(shapes, "q and k with one width, k and v with one number of rows")
        if q[1] % self.heads or v[1] % self.heads:
            raise self._misfit(shapes, f"widths that {self.heads} heads divide")
        if self.causal and q[0] != k[0]:
            raise self._misfit(shapes, "q and k with one number of rows, as it is causal")

    def _misfit(self, shapes: tuple[Shape, ...], expected: str) -> SpecError:
        return SpecError(
            "the inputs of an `attention` operator do not fit",
            value=", ".join(str(shape) for shape in shapes),
            expected=expected,
            fix="change its `inputs`, or one of the operators that it reads",
        )

    def output_size(self, inputs: int) -> int:
        """T·h·e."""
        return prod(self.output_shape)

    @property
    def output_shape(self) -> Shape:
        """The rows of q, the width of v."""
        return self.shapes[0][0], self.shapes[2][1]

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The product softmax(QKᵀ/√d)V."""
        q, k, v = self._heads(y)
        return spread(_flat(self._weights(q, k) @ v), replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """ZK/√d, ZᵀQ/√d and PᵀG for G = v, Z the softmax's product with GVᵀ."""
        q, k, values = self._heads(y)
        p = self._weights(q, k)
        back = _by_head(v.reshape(*v.shape[:2], *self.output_shape), self.heads)
        scores = softmax_pulled(p, back @ values.swapaxes(-1, -2)) / math.sqrt(q.shape[-1])
        parts = [scores @ k, scores.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ back]
        joint = np.concatenate([_flat(part) for part in parts], axis=-1)
        joint = spread(joint, replicas(y, w, v))
        return joint, joint[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The product softmax(QKᵀ/√d)V."""
        import sympy

        y, w, label = symbols(inputs, 0)
        ends = np.cumsum([prod(shape) for shape in self.shapes])
        q, k, v = (
            np.array(part, dtype=object).reshape(shape)
            for part, shape in zip(
                (y[: ends[0]], y[ends[0] : ends[1]], y[ends[1] :]), self.shapes, strict=True
            )
        )
        d, e = self._width(), v.shape[1] // self.heads
        outputs: list[Any] = []
        for t in range(len(q)):
            seen = t + 1 if self.causal else len(k)
            for head in range(self.heads):
                own, read = slice(head * d, (head + 1) * d), slice(head * e, (head + 1) * e)
                scores = (k[:seen, own] * q[t, own]).sum(axis=1) / sympy.sqrt(d)
                powers = [sympy.exp(score) for score in scores]
                outputs += list((powers @ v[:seen, read]) / sum(powers))
        return SymbolicForm(y, w, label, tuple(outputs))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants of each input, for its ball and box."""
        parts = part_domains(region, self.shapes)
        radii = [
            part_radius(part, "jac_input", self.type, name)
            for part, name in zip(parts, ("1 (q)", "2 (k)", "3 (v)"), strict=True)
        ]
        if self.shapes[1][0] == 1:  # one key: the output is v in every row
            mass = root(exact(self.shapes[0][0]))
            return joined((Slot(), Slot(), Slot(mass, mass)))
        return joined(attention_slots(self.bounds(parts, radii)))

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The box of v, and the ball of radius a_v R_v."""
        parts = part_domains(region, self.shapes)
        values = parts[2]
        if values.radius is None:
            return Domain(None, values.low, values.high)
        mass = root(self._mass(parts))
        return Domain(mass * values.radius, values.low, values.high)

    def bounds(self, parts: tuple[Domain, ...], radii: list[Expression]) -> Bounds:
        """What the constants are made of, for the domains and radii of q, k and v."""
        return Bounds(
            queries=radii[0],
            row=self._row(parts[0], radii[0]),
            keys=Values.of(radii[1], _half_range(parts[1], self._width())),
            values=Values.of(radii[2], _half_range(parts[2], self.shapes[2][1] // self.heads)),
            width=self._width(),
            # The second row of a causal layer reads two keys, and may read one alone.
            peak=1.0 if self.causal else self._peak(parts, self.shapes[1][0]),
            mass=self._mass(parts),
        )

    def _row(self, queries: Domain, radius: Expression) -> Expression:
        """ρ, a bound of a head's part of one row of Q."""
        box = queries.largest
        if math.isinf(box):
            return radius
        return smaller(radius, root(exact(self._width())) * bounded(box))

    def _peak(self, parts: tuple[Domain, ...], keys: int) -> float:
        """The largest weight of a row that reads this many keys: z = Kq/√d is bounded."""
        q, k, _ = parts
        if q.radius is None or k.radius is None:
            return 1.0
        row = reach(self._row(q, q.radius) / root(exact(self._width())))
        half = _half_range(k, self._width())
        span = math.inf if half is None else reach(half * 2)
        sizes = (reach(k.radius), span)
        ball, width = (product_of_intervals((0.0, row), (0.0, size))[1] for size in sizes)
        return peak(keys, ball, width)

    def _mass(self, parts: tuple[Domain, ...]) -> Expression:
        """Σ_t max_j p_tj; a row reads all keys, or as many as its number."""
        rows, keys = self.shapes[0][0], self.shapes[1][0]
        if not self.causal:
            return bounded(self._peak(parts, keys)) * rows
        total = math.fsum(self._peak(parts, count) for count in range(1, rows + 1))
        return bounded(total if total == rows else rounded_up(total))

    def _width(self) -> int:
        """d, the size of a head's query."""
        return self.shapes[0][1] // self.heads

    def _heads(self, y: Array) -> list[Array]:
        """Q, K and V as (R, M, h, rows, columns of a head)."""
        return [
            _by_head(part.reshape(*part.shape[:2], *shape), self.heads)
            for part, shape in zip(pieces(y, self.shapes), self.shapes, strict=True)
        ]

    def _weights(self, q: Array, k: Array) -> Array:
        """P as (R, M, h, T, S)."""
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
        if self.causal:
            later = np.triu(np.ones(scores.shape[-2:], dtype=bool), k=1)
            scores = np.where(later, -np.inf, scores)
        return softmax(scores)


def _half_range(part: Domain, width: int) -> Expression | None:
    """Half the largest distance of two rows in a box; None without a box."""
    if not math.isfinite(part.high - part.low):
        return None
    span = above(Fraction(part.high) - Fraction(part.low))
    return root(exact(width)) * bounded(span) / 2


def _by_head(rows: Array, heads: int) -> Array:
    """From (R, M, rows, columns) to (R, M, h, rows, columns of a head)."""
    return rows.reshape(*rows.shape[:3], heads, -1).swapaxes(2, 3)


def _flat(rows: Array) -> Array:
    """From (R, M, h, rows, columns of a head) to (R, M, all)."""
    return rows.swapaxes(2, 3).reshape(*rows.shape[:2], -1)
