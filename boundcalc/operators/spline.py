"""A function of one number with prescribed bounds on its derivatives, piecewise cubic."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Annotated, ClassVar, Self, TypeAlias, final

import numpy as np
from pydantic import Field, model_validator

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import BoundcalcError
from boundcalc.operators.base import (
    ZERO,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    scalar_only,
    symbols,
)
from boundcalc.operators.pieces import Pieces
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.fields import Real, custom_error

_Numbers: TypeAlias = Annotated[list[Real], Field(max_length=200)]


@final
class Spline(Operator):
    """f = s(y) + w·m(y) of one number and one weight: s and m have any wanted derivatives.

    s″ is linear between ``knots``, where it takes the values ``second``, and 0 outside;
    s(0) = 0 and s′ = ``slope`` to the left of all knots.  m′ is linear between
    ``weight_knots``, where it takes the values ``weight_first``, and 0 outside;
    m = ``weight_value`` to the left of them.  So s is C² and piecewise cubic, m is C¹ and
    piecewise quadratic.

    On |w| ≤ ρ, for every y, with exact suprema of piecewise polynomials:

    - ∂₁f = s′ + w m′: a = ℓ = sup |s′| + ρ sup |m′|;
    - ∂₁₁f = s″ + w m″: A = sup |s″| + ρ sup |m″|, and A′ = sup |s‴|, the steepest slope of
      s″, where ρ = 0; where ρ > 0 and m is not constant, m″ jumps and there is no A′;
    - ∂₂f = m: b = sup |m|, B = sup |m′|, B′ = sup |m″|.

    Tight for ρ = 0.  There f(·, 0) = s and ∂₂f(·, 0) = m are chosen independently, which no
    function of y + w alone allows.

    Examples
    --------
    s′ = 1 − t²/2 near 0, which turns as sharply as |s‴| ≤ 1 allows:

    >>> from boundcalc.operators import Region
    >>> peak = Spline(knots=[-2, -1, 1, 2], second=[0, 1, -1, 0], weight_value=1)
    >>> peak.vjp(np.array([[[0.0], [1.0]]]), np.zeros((1, 1)), np.zeros((1, 2)), np.ones((1, 2, 1)))
    (array([[[1. ],
            [0.5]]]), array([[[1.],
            [1.]]]))
    >>> c = peak.constants(Region(weight=exact(0)), None, reads=False)
    >>> str(c.jac_input), str(c.hess_input), str(c.third_input), str(c.jac_weight)
    ('1', '1', '1', '1')
    """

    type: ClassVar[str] = "spline"

    slope: Real = Field(default_factory=lambda: ZERO, json_schema_extra={"default": 0})
    knots: _Numbers = Field(default_factory=list)
    second: _Numbers = Field(default_factory=list)
    weight_value: Real = Field(default_factory=lambda: ZERO, json_schema_extra={"default": 0})
    weight_knots: _Numbers = Field(default_factory=list)
    weight_first: _Numbers = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check("knots", self.knots, "second", self.second)
        _check("weight_knots", self.weight_knots, "weight_first", self.weight_first)
        _rational("slope", [self.slope])
        _rational("weight_value", [self.weight_value])
        return self

    @cached_property
    def _bend(self) -> Pieces:
        """s″ and, as its integrals, s′ and s."""
        return _pieces(self.knots, self.second, self.slope)

    @cached_property
    def _turn(self) -> Pieces:
        """m′ and, as its integral, m."""
        return _pieces(self.weight_knots, self.weight_first, self.weight_value)

    def output_size(self, inputs: int) -> int:
        """1; only one input is allowed."""
        scalar_only(inputs, self.type)
        return 1

    def weight_size(self, inputs: int) -> int:
        """1."""
        return 1

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """s(y) + w·m(y)."""
        return self._bend.twice(y) + w[:, None, :] * self._turn.once(y)

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """(s′ + w m′)v for the input, m·v for the weight."""
        back = (self._bend.once(y) + w[:, None, :] * self._turn.value(y)) * v
        return back, np.array(np.broadcast_to(self._turn.once(y) * v, back.shape))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """Sums of truncated powers."""
        (y,), (w,), label = symbols(1, 1)
        form = self._bend.symbolic(y, 2) + w * self._turn.symbolic(y, 1)
        return SymbolicForm((y,), (w,), label, (form,))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants of the class; all of them exact for exact parameters."""
        bend, turn = self._bend, self._turn
        # A constant m adds nothing to s, whatever the weight.
        rho = self._radius(region, "weight", "jac_input") if turn.height else ZERO
        still = rho.node == ZERO.node

        def with_weight(own: Fraction, of_m: Fraction) -> Expression:
            return exact(own) if still else exact(own) + rho * exact(of_m)

        a = with_weight(bend.reach, turn.height)
        return InputConstants(
            jac_input=a,
            lip_input=a,
            hess_input=with_weight(bend.height, turn.steepest),
            hess_mixed=exact(turn.height),
            third_input=exact(bend.steepest) if still else None,
            third_mixed=exact(turn.steepest),
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = sup |m|; on data the largest |m| of a sample."""
        return exact(self._turn.reach)

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """|f| ≤ sup |s′|·|y| + ρ sup |m|, as s(0) = 0."""
        rho = region.weight_radius()
        if region.input is None or rho is None:
            return Domain()
        size = exact(self._bend.reach) * region.input + rho * exact(self._turn.reach)
        return Domain(size).within(1)


def _rational(name: str, column: list[Expression]) -> list[Fraction]:
    """The numbers of a parameter, which have to be rational."""
    try:
        return [Fraction(x.evaluate(RATIONALS)) for x in column]
    except BoundcalcError:
        raise custom_error(
            f"`{name}` is not made of rational numbers",
            "numbers, fractions, and sums and products of them, without symbols",
        ) from None


def _check(
    of_knots: str, knots: list[Expression], of_heights: str, heights: list[Expression]
) -> None:
    """Refuse knots that do not increase, and heights that do not begin and end at 0."""
    at, values = _rational(of_knots, knots), _rational(of_heights, heights)
    if len(at) != len(values):
        raise custom_error(
            f"`{of_knots}` has {len(at)} numbers, `{of_heights}` has {len(values)}",
            "one number for each knot",
        )
    if any(s >= t for s, t in pairwise(at)):
        raise custom_error(f"`{of_knots}` do not increase", "numbers in increasing order")
    if values and (values[0] or values[-1]):
        raise custom_error(
            f"`{of_heights}` does not begin and end with 0",
            "0 at the first and at the last knot, so that it is continuous",
        )


def _pieces(knots: list[Expression], heights: list[Expression], left: Expression) -> Pieces:
    return Pieces(
        tuple(_rational("knots", knots)),
        tuple(_rational("heights", heights)),
        _rational("left", [left])[0],
    )
