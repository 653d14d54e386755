"""A quadratic function of the input."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import ClassVar, Self, final

from pydantic import model_validator

from boundcalc.errors import SpecError
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
    spread,
    symbols,
)
from boundcalc.operators.matrices import (
    SquareMatrix,
    Vector,
    bound,
    euclidean,
    square,
    summed,
    times,
)
from boundcalc.operators.objectives import QuadraticForm
from boundcalc.operators.regions import reach
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import custom_error


@final
class QuadraticCost(Operator):
    """f = ½yᵀMy + cᵀy, one output and no weights.

    The stage cost xᵀQx + uᵀRu of linear-quadratic control ([KZY], section 1.1) is the
    one with M = 2·blockdiag(R, Q) on y = [u; x].  On ‖y‖ ≤ R, with M symmetric:

    - ∇₁f = (My + c)ᵀ: a = ℓ = sup ‖My + c‖, at most ‖M‖R + ‖c‖; the supremum itself, see
      :meth:`~boundcalc.operators.objectives.quadratic.QuadraticForm.steepest`;
    - ∇₁f(y) − ∇₁f(y′) = (M(y − y′))ᵀ: A = ‖M‖;
    - M is constant: A′ = 0; without weights b = B = B′ = 0.

    All tight.

    Attributes
    ----------
    diagonal, matrix
        One of them: the diagonal of M, or its rows.  Rows that are not symmetric stand
        for (M + Mᵀ)/2, the same function.
    linear
        c, default 0.

    Examples
    --------
    >>> import numpy as np
    >>> from boundcalc.spec.grammar import parse
    >>> cost = QuadraticCost(diagonal=[2, 0, 1], linear=[1, 0, 0])
    >>> cost.forward(np.array([[[3.0, 7.0, 2.0]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[14.]]])
    >>> found = cost.constants(Region(input=parse("1/2")), None, reads=False)
    >>> str(found.jac_input), str(found.hess_input)
    ('2', '2')
    """

    type: ClassVar[str] = "quadratic_cost"

    diagonal: Vector | None = None
    matrix: SquareMatrix | None = None
    linear: Vector | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.diagonal is None) == (self.matrix is None):
            raise custom_error(
                "a quadratic cost has one matrix", "either `diagonal` or `matrix`, not both"
            )
        if self.linear is not None and len(self.linear) != self._size:
            raise custom_error(
                f"`linear` has {len(self.linear)} entries, the matrix {self._size} rows", "as many"
            )
        return self

    @property
    def _size(self) -> int:
        return len(self.diagonal or self.matrix or ())

    @cached_property
    def _g(self) -> QuadraticForm:
        return QuadraticForm(self.diagonal or self.matrix or (), self.linear or ())

    def output_size(self, inputs: int) -> int:
        """1, for as many inputs as the matrix has rows."""
        if inputs != self._size:
            raise SpecError(
                f"this `{self.type}` operator has a matrix of {self._size} rows",
                value=inputs,
                expected=f"an input of size {self._size}",
            )
        return 1

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """½yᵀMy + cᵀy."""
        return spread(self._g.value(y)[..., None], replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """(My + c)v."""
        back = spread(self._g.gradient(y) * v, replicas(y, w, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """½yᵀMy + cᵀy."""
        y, w, label = symbols(inputs, 0)
        return SymbolicForm(y, w, label, (self._g.symbolic(y),))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = sup ‖My + c‖, A = ‖M‖, the others 0."""
        slope = self._g.steepest(region.input)
        if slope is None:
            slope = self._radius(region, "input", "jac_input")
        return InputConstants(
            jac_input=slope, lip_input=slope, hess_input=self._g.curved(region.input)
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """½min(λ_min, 0)R² − ‖c‖R ≤ f ≤ ½max(λ_max, 0)R² + ‖c‖R; tight for c = 0."""
        if region.input is None:
            return Domain()
        smallest, largest, certain = self._g.spectrum()
        drift = times(euclidean(*self._g.start()), region.input)
        below, above = (
            summed(times(bound(max(size, Fraction(0)) / 2, certain), square(region.input)), drift)
            for size in (-smallest, largest)
        )
        return Domain(low=-reach(below), high=reach(above))
