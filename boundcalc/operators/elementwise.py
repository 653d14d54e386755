"""What elementwise activations share: f = scale·φ(y + w), its constants and its range."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from math import prod
from typing import Any, ClassVar, TypeAlias

import numpy as np
from pydantic import Field, StrictBool

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.balls import (
    Ball,
    around,
    at_least,
    at_most,
    ball,
    size_at_most,
    working,
)
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
from boundcalc.operators.joining import product_of_intervals
from boundcalc.operators.regions import reach, smaller
from boundcalc.operators.rounding import lower, upper
from boundcalc.operators.suprema import Suprema, Supremum, critical, outer_ends
from boundcalc.spec.expressions import Expression, bounded, exact, root
from boundcalc.spec.fields import Size

__all__ = ["Elementwise", "Suprema", "Supremum", "expit", "expit_slope"]

#: Bounds of |φ′|, |φ″|, |φ‴| over an interval; None from a derivative on that has a jump.
Bounds: TypeAlias = tuple[Expression, Expression | None, Expression | None]


class Elementwise(Operator):
    """f = scale·φ(y + w) in every component; without a bias f = scale·φ(y).

    All derivatives are diagonal, so their norms are suprema over components:

    - a = ℓ = scale·sup |φ′|, A = scale·sup |φ″|, A′ = scale·sup |φ‴|, by the mean
      value theorem on a ball or box, which is convex;
    - with a bias, f depends on y + w alone: b = a, B = A, B′ = A′; else 0.

    With y_i ∈ [l, h] and w_i ∈ [l_i, h_i] the suprema are those over [l + l_i, h + h_i],
    of all i; without numbers, those over the real line.  Both are tight.

    The output lies in the image of that interval, and in a ball:
    ‖f‖ ≤ scale·(√n·|φ(0)| + s·‖y + w‖), s = sup |φ(t) − φ(0)|/|t| ≤ sup |φ′|.

    Attributes
    ----------
    scale
        The factor, ≥ 0.
    bias
        Whether there are n trainable weights w.
    """

    #: φ(−∞) and φ(∞).
    limits: ClassVar[tuple[float, float]]

    scale: Size = Field(default_factory=lambda: ONE, json_schema_extra={"default": 1})
    bias: StrictBool = False

    @abstractmethod
    def phi(self, t: Array) -> Array:
        """φ(t)."""

    @abstractmethod
    def derivative(self, t: Array) -> Array:
        """φ′(t)."""

    @abstractmethod
    def enclosed(self, t: Ball) -> Ball:
        """φ of a ball that holds one float, or floats next to a turning point."""

    @abstractmethod
    def phi_symbolic(self, t: Any) -> Any:
        """φ of a SymPy expression."""

    @abstractmethod
    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of |φ′|, |φ″|, |φ‴| over the intervals [low, high].

        Intervals are infinite where the region has no numbers; ``radius`` then still
        bounds ‖y + w‖ by an expression, or not at all.
        """

    def turning_points(self) -> tuple[float, ...]:
        """The points where φ′ = 0 changes its sign."""
        return ()

    def output_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    @property
    def output_shape(self) -> Shape:
        """The input's shape."""
        return self.shapes[0]

    def weight_size(self, inputs: int) -> int:
        """As many as inputs with a bias, else 0."""
        return inputs if self.bias else 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """scale·φ(y + w)."""
        factor, value = self.factor, self.phi(self._argument(y, w))
        return value if factor == 1.0 else factor * value

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """scale·φ′(y + w)·v for the input, and the same for the bias."""
        back = self._pulled(y, w, v)
        return back, back.copy() if self.bias else back[..., :0]

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, without a copy for the bias."""
        return self._with_bias(self._pulled(y, w, v))

    #: Whether φ′ follows from φ by a few products.
    slope_from_value: ClassVar[bool] = False

    def derivative_at(self, value: Array) -> Array:
        """φ′(t) as a fresh array, from φ(t); asked only where ``slope_from_value``."""
        raise NotImplementedError

    @property
    def keeps_output(self) -> bool:
        """Where φ′ follows from φ, and the output is φ."""
        return self.slope_from_value and self.factor == 1.0

    def mean_vjp_at(
        self, output: Array, y: Array, w: Array, labels: Array, v: Array
    ) -> tuple[Array, Array]:
        """As :meth:`mean_vjp`, with φ′ from the output."""
        return self._with_bias(_times(self.derivative_at(output), v))

    def _with_bias(self, back: Array) -> tuple[Array, Array]:
        return back, back.mean(axis=1) if self.bias else np.zeros((len(back), 0))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """scale·φ(y_i + w_i)."""
        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, self.weight_size(inputs))
        factor = self.scale.evaluate(SYMBOLS)
        arguments = [yi + wi for yi, wi in zip(y, w, strict=True)] if self.bias else y
        return SymbolicForm(y, w, label, tuple(factor * self.phi_symbolic(t) for t in arguments))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants of :class:`Elementwise`."""
        low, high = self._interval(region, *region.interval())
        bounds = self.derivative_bounds(low, high, self._argument_radius(region))
        first, second, third = (self._scaled(supremum) for supremum in bounds)
        assert first is not None  # noqa: S101 - |φ′| is bounded, or there is no constant at all
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
        low, high = self._interval(region, features, features)
        first = self._scaled(self.derivative_bounds(low, high, None)[0])
        assert first is not None  # noqa: S101 - as above
        return first

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The image of the interval of y + w, and the ball of :class:`Elementwise`."""
        low, high = self._interval(region, *region.interval())
        image = self.image(low, high)
        size = sum(prod(shape) for shape in self.shapes) or None
        ball = self._ball(region, low, high, size)
        if self.scale.symbols:
            # No number bounds a component, but √n·max |φ| times the symbol bounds the norm.
            corner = max(map(abs, image))
            if size is not None and np.isfinite(corner):
                edge = root(exact(size)) * bounded(corner)
                ball = edge if ball is None else smaller(ball, edge)
            return Domain(self._scaled(ball))
        if self.factor == 0:
            return Domain(ZERO, 0.0, 0.0)
        if self.scale.node != ONE.node:
            image = product_of_intervals((lower(self.scale), upper(self.scale)), image)
        domain = Domain(self._scaled(ball), *image)
        return domain if size is None else domain.within(size)

    def image(self, low: Array | float, high: Array | float) -> tuple[float, float]:
        """An interval that holds φ of the intervals [low, high], enclosed and rounded outwards.

        φ is monotone between turning points: of all ends there the outer two are looked at.
        """
        low, high = np.atleast_1d(low), np.atleast_1d(high)
        turns = self.turning_points()
        points = list(outer_ends(low, high, turns))
        with working(max(map(abs, points), default=1.0)):
            values = [self.enclosed(ball(t)) for t in points]
            values += [self.enclosed(t) for t in critical(low, high, turns)]
            known = [self.enclosed(around(t)) for t in turns]
            least, most = ([f(x) for x in values] for f in (at_least, at_most))
            floor = min([*self.limits, *map(at_least, known)])
            top = max([*self.limits, *map(at_most, known)])
        reached = [self.limits[0]] * bool(np.isneginf(low).any())
        reached += [self.limits[1]] * bool(np.isposinf(high).any())
        # Rounding outwards shall not leave the range of φ.
        return max(min(least + reached), floor), min(max(most + reached), top)

    def secant(self, low: float, high: float) -> Expression:
        """A bound of |φ(t) − φ(0)|/|t| for t in [low, high], by the mean value theorem."""
        return self.derivative_bounds(min(low, 0.0), max(high, 0.0), None)[0]

    def _ball(
        self, region: Region, low: Array | float, high: Array | float, size: int | None
    ) -> Expression | None:
        """A bound of ‖φ(y + w)‖ from one of ‖y + w‖."""
        radius = self._argument_radius(region)
        with working():
            at_zero = size_at_most(self.enclosed(ball(0.0)))
        if radius is None or (at_zero and size is None):
            return None
        secant = self.secant(float(np.min(low)), float(np.max(high)))
        found = radius if secant.node == ONE.node else secant * radius
        if at_zero:
            found = found + root(exact(size or 0)) * bounded(at_zero)
        return found

    def _argument_radius(self, region: Region) -> Expression | None:
        """A bound of ‖y + w‖."""
        if not self.bias or region.input is None:
            return region.input
        shift = region.weight_radius()
        return None if shift is None else region.input + shift

    def _interval(
        self, region: Region, low: Array | float, high: Array | float
    ) -> tuple[Array | float, Array | float]:
        """Intervals that hold the components of y + w, for y in [low, high]."""
        if not self.bias:
            return low, high
        least: Array | float
        most: Array | float
        least, most = region.weight_interval()
        if region.center is not None and region.change is not None:
            moved = reach(region.change)
            least = np.maximum(least, np.nextafter(region.center - moved, -np.inf))
            most = np.minimum(most, np.nextafter(region.center + moved, np.inf))
        # Ends are moved outwards by one float: the sums are rounded.
        return np.nextafter(low + least, -np.inf), np.nextafter(high + most, np.inf)

    def _scaled(self, supremum: Expression | None) -> Expression | None:
        # Formulas stay readable: no product with 1, and 0 stays 0.
        if supremum is None or ONE.node == self.scale.node or ZERO.node == supremum.node:
            return supremum
        return self.scale if ONE.node == supremum.node else self.scale * supremum

    @cached_property
    def factor(self) -> float:
        """``scale`` as a float; every pass needs it."""
        return float(self.scale.evaluate(FLOATS))

    def _argument(self, y: Array, w: Array) -> Array:
        return y + w[:, None, :] if self.bias else spread(y, replicas(y, w))

    def _pulled(self, y: Array, w: Array, v: Array) -> Array:
        slope = self.derivative(self._argument(y, w))
        factor = self.factor
        if factor != 1.0:
            slope = factor * slope
        return _times(slope, v)


def _times(slope: Array, v: Array) -> Array:
    """slope·v, in place where that is possible: a pass is as fast as its memory."""
    if slope.shape != np.broadcast_shapes(slope.shape, v.shape):
        return slope * v
    slope *= v
    return slope


def expit(t: Array) -> Array:
    """1/(1 + e⁻ᵗ), relatively accurate in both tails: where e⁻ᵗ overflows it is 0.

    >>> expit(np.array([-800.0, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    e = np.asarray(np.negative(t))
    with np.errstate(over="ignore"):
        np.exp(e, out=e)
    e += 1.0
    return np.asarray(np.reciprocal(e, out=e))


def expit_slope(t: Array) -> Array:
    """e⁻ᵗ/(1 + e⁻ᵗ)², the derivative of :func:`expit`; even, so |t| keeps it from overflow."""
    e = np.exp(-np.abs(t))
    return np.asarray(e / (1.0 + e) ** 2)
