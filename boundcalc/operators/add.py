"""Sums of values, as in residual blocks."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

import numpy as np
from pydantic import Field

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError
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
    Slot,
    SymbolicForm,
    joined,
    replicas,
    symbols,
)
from boundcalc.operators.joining import (
    part_domains,
    pieces,
    product_of_intervals,
    sum_of_intervals,
)
from boundcalc.operators.rounding import lower, upper
from boundcalc.spec.expressions import Expression, largest
from boundcalc.spec.fields import Real


@final
class Add(Operator):
    """f = Σ_u c_u y_u, for inputs of equal shape: y + g(y) is a residual block.

    The Jacobian in y_u is c_u I: a_u = ℓ_u = |c_u|, and constant: all others 0.  Tight.
    The sum lies in the ball of radius Σ |c_u| R_u, attained where the inputs are parallel,
    and in the sum of their boxes.

    Attributes
    ----------
    factors
        The numbers c_u, in the order of the inputs; all 1 if left out.

    Examples
    --------
    >>> difference = Add(factors=(1, -2)).shaped(((2,), (2,)))
    >>> difference.forward(np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[-5., -6.]]])
    """

    type: ClassVar[str] = "add"
    affine: ClassVar[bool] = True
    joins: ClassVar[bool] = True

    factors: Annotated[tuple[Real, ...], Field(min_length=1, max_length=1000)] | None = None

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Inputs have one shape, and factors are as many as inputs."""
        for number, shape in enumerate(shapes[1:], start=2):
            if shape != shapes[0]:
                raise SpecError(
                    "an `add` operator adds inputs of equal shapes",
                    value=f"input 1 has the shape {shapes[0]}, input {number} {shape}",
                    expected="the same shape for every input",
                    fix="change one of the operators that it reads",
                )
        if self.factors is not None and len(self.factors) != len(shapes):
            raise SpecError(
                "an `add` operator needs one factor for each input",
                value=f"{len(self.factors)} factors, {len(shapes)} inputs",
                expected=f"{len(shapes)} factors",
                fix="change `factors`, or leave it out to add the inputs as they are",
            )

    def output_size(self, inputs: int) -> int:
        """The size of each input."""
        return inputs // len(self.shapes)

    @property
    def output_shape(self) -> Shape:
        """The common shape."""
        return self.shapes[0]

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """Σ_u c_u y_u."""
        parts = pieces(y, self.shapes)
        total = np.zeros((replicas(y, w), *parts[0].shape[1:]))
        for factor, part in zip(self._factors(), parts, strict=True):
            total += float(factor.evaluate(FLOATS)) * part
        return total

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The products c_u v, one after the other."""
        factors = [float(factor.evaluate(FLOATS)) for factor in self._factors()]
        back = np.zeros((replicas(y, w, v), *y.shape[1:]))
        for factor, part in zip(factors, pieces(back, self.shapes), strict=True):
            part += factor * v
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """Σ_u c_u y_u."""
        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, 0)
        size = self.output_size(inputs)
        factors = [factor.evaluate(SYMBOLS) for factor in self._factors()]
        outputs = (
            sum(factor * y[u * size + i] for u, factor in enumerate(factors)) for i in range(size)
        )
        return SymbolicForm(y, w, label, tuple(outputs))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a_u = ℓ_u = |c_u|, the others 0."""
        sizes = [_magnitude(factor) for factor in self._factors()]
        return joined(tuple(Slot(jac_input=size, lip_input=size) for size in sizes))

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The ball of radius Σ |c_u| R_u, and the sum of the boxes c_u [low_u, high_u]."""
        factors = self._factors()
        parts = part_domains(region, self.shapes)
        radii = [
            None if part.radius is None else _times(_magnitude(factor), part.radius)
            for factor, part in zip(factors, parts, strict=True)
        ]
        known = [r for r in radii if r is not None]
        radius = sum(known[1:], start=known[0]) if len(known) == len(radii) else None
        if any(factor.symbols for factor in factors):
            return Domain(radius)
        boxes = (
            product_of_intervals(_interval(factor), (part.low, part.high))
            for factor, part in zip(factors, parts, strict=True)
        )
        return Domain(radius, *sum_of_intervals(boxes))

    def _factors(self) -> tuple[Expression, ...]:
        return self.factors or (ONE,) * len(self.shapes)


def _magnitude(factor: Expression) -> Expression:
    """|c|, as an expression: max(c, −c) where c has symbols."""
    if factor.symbols:
        return largest(factor, ZERO - factor)
    return factor if factor.evaluate(FLOATS) >= 0 else ZERO - factor


def _times(factor: Expression, radius: Expression) -> Expression:
    return radius if factor.node == ONE.node else factor * radius


def _interval(factor: Expression) -> tuple[float, float]:
    """The floats around a factor."""
    return lower(factor), upper(factor)
