"""One instance of an operator to be tested, and where."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from boundcalc.operators.base import Data, Operator


@dataclass(frozen=True, eq=False)
class Case:
    """An operator, made for its input shapes where it has shapes.

    Attributes
    ----------
    operator
        For an operator with several inputs, or one that cares for shapes: after
        ``operator.shaped(shapes)``.
    inputs
        The size n of its input, all inputs together.
    labels
        What its labels are drawn from.
    input_radius, weight_radius
        The largest balls that its inputs and weights are drawn from, where the symbolic
        form would overflow or lose all digits further out; None lets the tests choose.
    tokens
        Its inputs are whole numbers from 0 below this; 0 if they are any numbers.
    """

    operator: Operator
    inputs: int
    labels: tuple[float, ...] = (1.0, -1.0)
    input_radius: float | None = None
    weight_radius: float | None = None
    tokens: int = 0

    @property
    def weights(self) -> int:
        return self.operator.weight_size(self.inputs)

    @property
    def outputs(self) -> int:
        return self.operator.output_size(self.inputs)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The size of each input."""
        return tuple(prod(shape) for shape in self.operator.shapes) or (self.inputs,)

    @property
    def data(self) -> Data:
        """Data that has all labels, for constants that need them."""
        return Data(np.zeros((len(self.labels), self.inputs)), np.array(self.labels))

    def __str__(self) -> str:
        given = self.operator.model_dump(exclude_defaults=True)
        parameters = ",".join(f"{name}={getattr(self.operator, name)}" for name in given)
        shapes = ",".join("x".join(map(str, shape)) for shape in self.operator.shapes)
        return f"{self.operator.type}({parameters:.60}) n={shapes or self.inputs}"
