"""A part of a vector."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self, final

import numpy as np
from pydantic import Field, model_validator

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
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import custom_error

_MAX = 10**9


@final
class Select(Operator):
    """f = (y_i) for i = start, start + step, … below stop; counted from 0, in C order.

    A coordinate projection, of norm 1: a = ℓ = 1, and constant: all others 0.  Tight.
    Two of them cut a sample into the two inputs of a siamese network.

    Attributes
    ----------
    start, stop
        The first component, and the one after the last; all that follow if left out.
    step
        From one component to the next.

    Examples
    --------
    >>> half = Select(start=2, stop=4)
    >>> half.forward(np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[3., 4.]]])
    """

    type: ClassVar[str] = "select"
    affine: ClassVar[bool] = True

    start: Annotated[int, Field(strict=True, ge=0, le=_MAX)] = 0
    stop: Annotated[int, Field(strict=True, ge=1, le=_MAX)] | None = None
    step: Annotated[int, Field(strict=True, ge=1, le=_MAX)] = 1

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.stop is not None and self.stop <= self.start:
            raise custom_error("nothing lies between `start` and `stop`", "start < stop")
        return self

    def output_size(self, inputs: int) -> int:
        """The number of components between start and stop."""
        stop = inputs if self.stop is None else self.stop
        if stop > inputs or self.start >= inputs:
            raise SpecError(
                "a `select` operator takes components that its input has",
                value=f"components {self.start} to {stop - 1} of an input of size {inputs}",
                expected=f"components from 0 to {inputs - 1}",
                fix="change `start` or `stop`",
            )
        return len(range(self.start, stop, self.step))

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The components between start and stop."""
        return np.array(spread(y[..., self._slice()], replicas(y, w)))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The vector v at its places, 0 elsewhere."""
        back = np.zeros((replicas(y, w, v), *y.shape[1:]))
        back[..., self._slice()] = v
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The components between start and stop."""
        y, w, label = symbols(inputs, 0)
        return SymbolicForm(y, w, label, y[self._slice()])

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = 1, the others 0."""
        return InputConstants(jac_input=ONE, lip_input=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """That of the input."""
        return Domain(region.input, region.low, region.high)

    def _slice(self) -> slice:
        return slice(self.start, self.stop, self.step)
