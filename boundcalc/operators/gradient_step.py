"""One step of gradient descent, its step size trained."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, final

import numpy as np
from pydantic import Field, StrictBool, model_validator

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
    rows_radius,
    spread,
    symbols,
)
from boundcalc.operators.matrices import DiagonalOrMatrix, Matrix, Vector, floats, summed, times
from boundcalc.operators.objectives import MeanLogistic, Objective, QuadraticForm, Steps
from boundcalc.operators.regions import smaller
from boundcalc.operators.rounding import gamma, rounded_up, upper
from boundcalc.spec.expressions import Expression, bounded, measured
from boundcalc.spec.fields import Size, custom_error

#: Objective → the parameters that it needs, and those that it may have.
_PARAMETERS = {
    "quadratic": (("hessian",), ("linear",)),
    "logistic": (("rows", "labels"), ("ridge",)),
}


@final
class GradientStep(Operator):
    """f = y − w∇g(y), n outputs; the weights are the step sizes ([KZY], section 1.1).

    g is ``quadratic``, ½yᵀHy + cᵀy, or ``logistic``, the mean of
    ln(1 + exp(−label_j·h_jᵀy)) over j, and ½ρ‖y‖².  There is one step size, or with
    ``per_coordinate`` one for each coordinate, f_i = y_i − w_i ∂_i g(y); W is wI or
    diag(w).  On ‖y‖ ≤ R and the weights of the region, ∇₁f = I − W∇²g(y) and
    ∇₂f = −∇g(y), or −diag(∇g(y)):

    - a = ℓ = sup ‖I − W∇²g‖.  For one step size in [w₋, w₊] and λ₋ ≤ ∇²g ≤ λ₊ it is at most
      the maximum of |1 − wλ| over the four corners, as this is convex in w and in λ;
      attained for the quadratic;
    - b = sup ‖∇g‖, or sup max_i |∂_i g|;
    - A = sup |w_i| · Lip(∇²g): ∇₁f(y) − ∇₁f(y′) = −W(∇²g(y) − ∇²g(y′)), ‖W‖ = max |w_i|;
    - B = Lip(∇g) = sup ‖∇²g‖, or that in the norm max |·|, since ‖diag(q)‖ = max |q_i|;
    - A′ = sup |w_i| · Lip(∇³g) and B′ = Lip(∇²g) likewise.

    Bounds of g's derivatives, with proofs, and how tight they are:
    :class:`~boundcalc.operators.objectives.quadratic.QuadraticForm` (A = A′ = B′ = 0, exact
    for a rational diagonal H) and
    :class:`~boundcalc.operators.objectives.logistic.MeanLogistic`.

    Attributes
    ----------
    objective
        Which g.
    hessian, linear
        The diagonal of H or its rows, and c (default 0).
    rows, labels, ridge
        The h_j, their labels 1 or −1, and ρ (default 0).
    per_coordinate
        Whether each coordinate has its own step size.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> step = GradientStep(objective="quadratic", hessian=["1", "1/4"])
    >>> step.forward(np.array([[[4.0, 4.0]]]), np.array([[0.5]]), np.zeros((1, 1)))
    array([[[2. , 3.5]]])
    >>> region = Region(center=np.array([1.0]), change=parse("1/2"), input=parse(3))
    >>> found = step.constants(region, None, reads=False)
    >>> str(found.jac_input), str(found.jac_weight), str(found.hess_mixed)
    ('7/8', '3', '1')
    """

    type: ClassVar[str] = "gradient_step"

    objective: Literal["quadratic", "logistic"]
    hessian: DiagonalOrMatrix | None = None
    linear: Vector | None = None
    rows: Matrix | None = None
    labels: Vector | None = None
    ridge: Size = Field(default_factory=lambda: ZERO, json_schema_extra={"default": 0})
    per_coordinate: StrictBool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed, optional = _PARAMETERS[self.objective]
        for name in needed:
            if getattr(self, name) is None:
                raise custom_error(
                    f"a {self.objective} objective needs `{name}`",
                    "parameters " + ", ".join(f"`{key}`" for key in (*needed, *optional)),
                )
        others = {"hessian", "linear", "rows", "labels", "ridge"} - {*needed, *optional}
        for name in sorted(others & self.model_fields_set):
            raise custom_error(
                f"a {self.objective} objective has no `{name}`",
                "parameters " + ", ".join(f"`{key}`" for key in (*needed, *optional)),
                "remove it",
            )
        self._check_lengths()
        return self

    def _check_lengths(self) -> None:
        for name, given, of, other in (
            ("linear", self.linear, "hessian", self.hessian),
            ("labels", self.labels, "rows", self.rows),
        ):
            if given is not None and other is not None and len(given) != len(other):
                raise custom_error(
                    f"`{name}` has {len(given)} entries, `{of}` has {len(other)}", "as many"
                )
        if self.labels is not None and np.any(np.abs(floats(self.labels)) != 1.0):
            raise custom_error("a label that is no sign", "1 or -1")

    @cached_property
    def _g(self) -> Objective:
        if self.rows is not None and self.labels is not None:
            return MeanLogistic(self.rows, self.labels, self.ridge)
        return QuadraticForm(self.hessian or (), self.linear or ())

    def output_size(self, inputs: int) -> int:
        """As many as inputs, which must be those of g."""
        size = len((self.hessian or ()) if self.rows is None else self.rows[0])
        if inputs != size:
            raise SpecError(
                f"the objective of this `{self.type}` operator is a function of {size} numbers",
                value=inputs,
                expected=f"an input of size {size}",
            )
        return inputs

    def weight_size(self, inputs: int) -> int:
        """1, or as many as inputs."""
        return inputs if self.per_coordinate else 1

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """y − w∇g(y)."""
        return np.asarray(y - w[:, None, :] * self._g.gradient(y))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """v − ∇²g(y)(w∘v); and −∇g(y)ᵀv, or −∇g(y)∘v."""
        count = replicas(y, w, v)
        back = spread(v - self._g.curvature(y, w[:, None, :] * v), count)
        products = -self._g.gradient(y) * v
        weight_part = products if self.per_coordinate else products.sum(axis=-1, keepdims=True)
        return back, spread(weight_part, count)

    def symbolic(self, inputs: int) -> SymbolicForm:
        """y_i − w_i ∂_i g(y)."""
        y, w, label = symbols(inputs, self.weight_size(inputs))
        g: Any = self._g.symbolic(y)
        steps = w if self.per_coordinate else w * inputs
        outputs = (yi - wi * g.diff(yi) for yi, wi in zip(y, steps, strict=True))
        return SymbolicForm(y, w, label, tuple(outputs))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants of the class."""
        steps = self._steps(region, self.weight_size(self._g.size))
        if steps is None:
            self._radius(region, "weight", "jac_input")
        assert steps is not None  # noqa: S101 - or the line above has raised
        g, radius = self._g, region.input
        first = g.contraction(steps, radius)
        third = g.third(radius)
        return InputConstants(
            jac_input=first,
            lip_input=first,
            hess_input=times(steps.largest, third),
            hess_mixed=g.mixed(steps, radius),
            third_input=times(steps.largest, g.fourth(radius)),
            third_mixed=third,
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b, on the ball or over the samples."""
        if features is not None:
            return self._on_data(features)
        found = self._steepest(region.input)
        return self._radius(region, "input", "jac_weight") if found is None else found

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """‖f(y)‖ ≤ ‖f(y) − f(0)‖ + ‖f(0)‖ ≤ aR + sup ‖W∇g(0)‖; tight for a g even in y."""
        steps = self._steps(region, self.weight_size(self._g.size))
        if steps is None or region.input is None:
            return Domain()
        moved = times(self._g.contraction(steps, region.input), region.input)
        return Domain(radius=summed(moved, steps.moves(*self._g.start())))

    def _steps(self, region: Region, count: int) -> Steps | None:
        return Steps.of(region, count, region.weight)

    def _steepest(self, radius: Expression | None) -> Expression | None:
        """sup ‖∇g‖, or sup max_i |∂_i g|, which is no larger; None if it needs the radius."""
        norm = self._g.steepest(radius)
        component = self._g.steepest_component(radius) if self.per_coordinate else None
        if norm is None or component is None:
            return norm
        return smaller(component, norm)

    def _on_data(self, features: Array) -> Expression:
        """The largest norm over the samples, and what rounding may have taken from it.

        Of Hy + c that is γ_{n+8}(‖H‖_F‖y‖ + ‖c‖), where sup ‖Hy + c‖ ≥ ‖H‖R and ‖c‖.  Of the
        logistic objective it depends on the platform's exp, so that its norms are measured.
        """
        gradients = self._g.gradient(features)
        norms = np.linalg.norm(gradients, ord=np.inf if self.per_coordinate else 2, axis=-1)
        everywhere = self._steepest(rows_radius(features))
        assert everywhere is not None  # noqa: S101 - a radius was given
        n = self._g.size
        slack = 4.0 * math.sqrt(n) * gamma(n + 8) * upper(everywhere)
        most = rounded_up(float(norms.max()) + slack, terms=n)
        if isinstance(self._g, QuadraticForm):
            return bounded(most)
        return measured(rounded_up(most))
