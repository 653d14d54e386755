"""Concatenation of values along an axis."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

import numpy as np
from pydantic import Field

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
    spread,
    symbols,
)
from boundcalc.operators.joining import part_domains, pieces
from boundcalc.operators.regions import smaller
from boundcalc.spec.expressions import Expression, root


@final
class Concat(Operator):
    """f = the inputs joined along one axis; a permutation of y.

    Each y_u goes to places of its own, an isometry: a_u = ℓ_u = 1, and constant: all
    others 0.  Tight.  The output lies in the ball of radius √(Σ R_u²), as ‖f‖² = Σ ‖y_u‖².

    Attributes
    ----------
    axis
        The axis, of the shape of one sample; negative counts from the last.

    Examples
    --------
    >>> rows = Concat(axis=1).shaped(((2, 1), (2, 2)))
    >>> y = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]])
    >>> rows.forward(y, np.zeros((1, 0)), np.zeros((1, 1))).reshape(rows.output_shape)
    array([[1., 3., 4.],
           [2., 5., 6.]])
    """

    type: ClassVar[str] = "concat"
    affine: ClassVar[bool] = True
    joins: ClassVar[bool] = True

    axis: Annotated[int, Field(strict=True, ge=-8, le=7)] = 0

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Shapes have the axis, and differ on it alone."""
        first = shapes[0]
        if not -len(first) <= self.axis < len(first):
            raise SpecError(
                "a `concat` operator joins along an axis that its inputs have",
                value=f"axis {self.axis} of the shape {first}",
                expected=f"an axis from 0 to {len(first) - 1}",
                fix="change `axis`; it does not count the samples",
            )
        for number, shape in enumerate(shapes[1:], start=2):
            if len(shape) != len(first) or self._rest(shape) != self._rest(first):
                raise SpecError(
                    "the inputs of a `concat` operator differ on its axis alone",
                    value=f"input 1 has the shape {first}, input {number} {shape}",
                    expected=f"equal sizes on every axis but axis {self.axis}",
                    fix="change `axis`, or one of the operators that it reads",
                )

    def output_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    @property
    def output_shape(self) -> Shape:
        """The common shape, its sizes added along the axis."""
        shape = list(self.shapes[0])
        shape[self.axis] = sum(other[self.axis] for other in self.shapes)
        return tuple(shape)

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The inputs, joined."""
        y = spread(y, replicas(y, w))
        lead = y.shape[:-1]
        blocks = [
            part.reshape(*lead, *shape)
            for part, shape in zip(pieces(y, self.shapes), self.shapes, strict=True)
        ]
        return np.concatenate(blocks, axis=self._position()).reshape(*lead, -1)

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The parts of v that belong to each input, one after the other."""
        v = spread(v, replicas(y, w, v))
        lead = v.shape[:-1]
        cuts = np.cumsum([shape[self.axis] for shape in self.shapes])[:-1]
        blocks = np.split(v.reshape(*lead, *self.output_shape), cuts, axis=self._position())
        back = np.concatenate([block.reshape(*lead, -1) for block in blocks], axis=-1)
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The inputs, joined: the symbols at the places that :meth:`forward` takes them from."""
        y, w, label = symbols(inputs, 0)
        places = self.forward(
            np.arange(float(inputs))[None, None], np.zeros((1, 0)), np.zeros((1, 1))
        )
        return SymbolicForm(y, w, label, tuple(y[int(i)] for i in places[0, 0]))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a_u = ℓ_u = 1, the others 0."""
        return joined((Slot(jac_input=ONE, lip_input=ONE),) * len(self.shapes))

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The ball of radius √(Σ R_u²), and the box that holds every box."""
        parts = part_domains(region, self.shapes)
        radius = region.input
        known = [part.radius for part in parts if part.radius is not None]
        if len(known) == len(parts):
            own = known[0]
            if len(known) > 1:
                own = root(sum((r**2 for r in known[1:]), start=known[0] ** 2))
            radius = own if radius is None else smaller(radius, own)
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        return Domain(radius, low, high)

    def _rest(self, shape: Shape) -> Shape:
        """The shape without the axis."""
        axis = self.axis % len(shape)
        return shape[:axis] + shape[axis + 1 :]

    def _position(self) -> int:
        """The axis, counted behind the axes of replicas and samples."""
        return 2 + self.axis % len(self.shapes[0])
