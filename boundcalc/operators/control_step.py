"""One step of a linear system, its control trained."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Self, final

import numpy as np
from pydantic import model_validator

from boundcalc.errors import SpecError
from boundcalc.operators.base import (
    ONE,
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
    Matrix,
    SquareMatrix,
    float_rows,
    folded,
    operator_norm,
    square,
    summed,
    times,
)
from boundcalc.spec.expressions import Expression, root
from boundcalc.spec.fields import custom_error


@final
class ControlStep(Operator):
    """f = [u; Ax + Bu]: the control u and the next state, of [KZY] section 1.1.

    The weights are u, p numbers.  The input is [u′; x], the output of the step before,
    of which only the state x counts; an input of n numbers is a state, x₀.

    - ∇₁f = [0, 0; 0, A]: a = ℓ = ‖A‖;
    - ∇₂f = [I; B], and ‖[I; B]u‖² = ‖u‖² + ‖Bu‖²: b = √(1 + ‖B‖²);
    - affine in (x, u), so all second derivatives are 0, and with them the other constants.

    All tight, and no region is needed.  Norms of matrices that are diagonal, or have
    one row or column, are exact, others certified from above.

    Attributes
    ----------
    state_matrix
        A, n × n, row by row.
    control_matrix
        B, n × p, row by row.

    Examples
    --------
    >>> step = ControlStep(state_matrix=[[1, "1/10"], [0, 1]], control_matrix=[[0], [1]])
    >>> x, u = np.array([[[1.0, 2.0]]]), np.array([[5.0]])
    >>> step.forward(x, u, np.zeros((1, 1)))
    array([[[5. , 1.2, 7. ]]])
    >>> found = step.constants(Region(), None, reads=False)
    >>> str(found.jac_weight)  # ‖B‖ = 1
    'sqrt(2)'
    """

    type: ClassVar[str] = "control_step"
    affine: ClassVar[bool] = True

    state_matrix: SquareMatrix
    control_matrix: Matrix

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.state_matrix) != len(self.control_matrix):
            raise custom_error(
                f"`state_matrix` has {len(self.state_matrix)} rows, "
                f"`control_matrix` has {len(self.control_matrix)}",
                "as many rows as the state has components",
            )
        return self

    @property
    def _states(self) -> int:
        return len(self.state_matrix)

    @property
    def _controls(self) -> int:
        return len(self.control_matrix[0])

    @cached_property
    def _a(self) -> Array:
        return float_rows(self.state_matrix)

    @cached_property
    def _b(self) -> Array:
        return float_rows(self.control_matrix)

    def output_size(self, inputs: int) -> int:
        """The controls and the states, p + n."""
        both = self._controls + self._states
        if inputs not in (self._states, both):
            raise SpecError(
                f"a `{self.type}` operator reads a state of {self._states} numbers, or "
                f"{self._controls} controls and a state",
                value=inputs,
                expected=f"an input of size {self._states} or {both}",
            )
        return both

    def weight_size(self, inputs: int) -> int:
        """The controls, p."""
        return self._controls

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """[u; Ax + Bu]."""
        state = y[..., -self._states :] @ self._a.T + (w @ self._b.T)[:, None, :]
        u = np.broadcast_to(w[:, None, :], (len(w), y.shape[1], self._controls))
        return np.concatenate([spread(u, len(state)), state], axis=-1)

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """With v = [v_u; v_x]: [0; Aᵀv_x] and v_u + Bᵀv_x."""
        v_u, v_x = v[..., : self._controls], v[..., self._controls :]
        back = np.zeros((*v.shape[:2], y.shape[-1]))
        back[..., -self._states :] = v_x @ self._a
        count = replicas(y, w, v)
        return spread(back, count), spread(v_u + v_x @ self._b, count)

    def symbolic(self, inputs: int) -> SymbolicForm:
        """[u; Ax + Bu]."""
        from boundcalc.arithmetic import SYMBOLS

        y, w, label = symbols(inputs, self._controls)
        x = y[-self._states :]

        def product(row: tuple[Expression, ...], vector: tuple[Any, ...]) -> Any:
            return sum(m.evaluate(SYMBOLS) * z for m, z in zip(row, vector, strict=True))

        rows = zip(self.state_matrix, self.control_matrix, strict=True)
        state = (product(a, x) + product(b, w) for a, b in rows)
        return SymbolicForm(y, w, label, (*w, *state))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = ‖A‖, the others 0."""
        norm = operator_norm(self.state_matrix)
        return InputConstants(jac_input=norm, lip_input=norm)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = √(1 + ‖B‖²)."""
        return folded(root(summed(square(operator_norm(self.control_matrix)), ONE)))

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """‖f‖² = ‖u‖² + ‖Ax + Bu‖² ≤ R_u² + (‖A‖R + ‖B‖R_u)²; tight if ±AR and BR_u align."""
        controls = region.weight_radius()
        if controls is None or region.input is None:
            return Domain()
        state = summed(
            times(operator_norm(self.state_matrix), region.input),
            times(operator_norm(self.control_matrix), controls),
        )
        return Domain(radius=folded(root(summed(square(controls), square(state)))))
