"""What an operator must offer: its maps, and its constants on a region.

Shapes, used by every operator: R replicas, M samples, n inputs, m outputs, k
weights.  ``y`` is ``(R, M, n)``, ``w`` is ``(R, k)``, ``labels`` is ``(R, M)``, ``v``
is ``(R, M, m)``.  An axis R of length 1 broadcasts; every result has the broadcast R
of the arguments (of ``labels`` only where the operator uses them) and is a fresh
array, so that a caller may write into it.

An operator with several inputs reads them concatenated, in order, as one y; its shapes
say where each ends.  Values of any shape travel flat, in C order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, ClassVar, Self, final

import numpy as np
from pydantic import PrivateAttr

from boundcalc.errors import DataError, SpecError
from boundcalc.operators.constants import ONE, ZERO, Constants, InputConstants, Slot, joined
from boundcalc.operators.regions import ANYWHERE, Array, Domain, Region, Shape
from boundcalc.operators.rounding import longest
from boundcalc.spec.expressions import Expression, bounded, exact
from boundcalc.spec.fields import Frozen

__all__ = [
    "ANYWHERE",
    "ONE",
    "ZERO",
    "Array",
    "Constants",
    "Data",
    "Domain",
    "InputConstants",
    "Operator",
    "Region",
    "Shape",
    "Slot",
    "SymbolicForm",
    "joined",
    "replicas",
    "rows_radius",
    "scalar_only",
    "signs_only",
    "spread",
    "symbols",
]


@dataclass(frozen=True)
class Data:
    """The samples that an operator chain is run on.

    Attributes
    ----------
    features
        ``(M, d)``, the chain's input y₀.
    labels
        ``(M,)``; zeros where the data has none.
    """

    features: Array
    labels: Array


@dataclass(frozen=True)
class SymbolicForm:
    """An operator written with SymPy symbols, for one sample.

    Attributes
    ----------
    inputs, weights
        Symbols of y and w.
    label
        The symbol of the label.
    outputs
        One expression per output.
    """

    inputs: tuple[Any, ...]
    weights: tuple[Any, ...]
    label: Any
    outputs: tuple[Any, ...]


class Operator(Frozen, ABC):
    """One operator f(y, w) of a chain.  Its fields are its parameters in the spec.

    Concrete operators are final; each states in its docstring the formula and a
    proof or reference for each constant.
    """

    type: ClassVar[str]  #: the name in the spec
    reads_data: ClassVar[bool] = False  #: must be the first operator of its path
    uses_label: ClassVar[bool] = False
    smooth: ClassVar[bool] = True  #: False: a kink, so that only error bounds of first order exist
    affine: ClassVar[bool] = False  #: affine in its input, whatever the weights
    joins: ClassVar[bool] = False  #: reads one input or more; else exactly one

    _shapes: tuple[Shape, ...] = PrivateAttr(default=())

    def shaped(self, shapes: tuple[Shape, ...]) -> Self:
        """The operator made for inputs of these shapes.

        Operators that care for shapes override :meth:`check_shapes`, not this.

        Raises
        ------
        SpecError
            If the number of inputs or a shape does not fit.
        """
        if len(shapes) != 1 and not (self.joins and shapes):
            raise SpecError(
                f"a `{self.type}` operator reads one input",
                value=f"{len(shapes)} inputs",
                expected="one input",
                fix="join them first with `add` or `concat`",
            )
        self.check_shapes(shapes)
        made = self.model_copy()
        made._shapes = shapes
        return made

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Raise SpecError if inputs of these shapes do not fit."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes it was made for; empty before :meth:`shaped`."""
        return self._shapes

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, for the shapes it was made for."""
        return (self.output_size(sum(prod(shape) for shape in self._shapes)),)

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """A set that holds f(y, w) for every y and w of the region; unbounded if unknown."""
        return ANYWHERE

    @abstractmethod
    def output_size(self, inputs: int) -> int:
        """The size m for n inputs; raises SpecError if n does not fit."""

    @abstractmethod
    def weight_size(self, inputs: int) -> int:
        """The size k for n inputs."""

    @abstractmethod
    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """f(y, w), shape (R, M, m)."""

    @abstractmethod
    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """(∇₁fᵀv, ∇₂fᵀv) for every sample, shapes (R, M, n) and (R, M, k)."""

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the weight part averaged over samples: (R, M, n) and (R, k).

        Operators override it where the average is cheaper than the samples.
        """
        input_part, weight_part = self.vjp(y, w, labels, v)
        return input_part, weight_part.mean(axis=1)

    @property
    def keeps_output(self) -> bool:
        """Whether :meth:`mean_vjp_at` is faster than :meth:`mean_vjp`, which computes f again."""
        return False

    def mean_vjp_at(
        self, output: Array, y: Array, w: Array, labels: Array, v: Array
    ) -> tuple[Array, Array]:
        """As :meth:`mean_vjp`, where f(y, w) is known."""
        del output
        return self.mean_vjp(y, w, labels, v)

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The weight part of :meth:`mean_vjp` alone, (R, k).

        For the first operator of a chain: nothing is passed back to the data, and the
        (R, M, n) array of the input part would be the largest of a training step.
        """
        return self.mean_vjp(y, w, labels, v)[1]

    @abstractmethod
    def symbolic(self, inputs: int) -> SymbolicForm:
        """The operator in SymPy symbols for n inputs."""

    @abstractmethod
    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a, ℓ, A, B, A′, B′ on a region, for an input that is perturbed."""

    @abstractmethod
    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b; the inputs are the rows of ``features`` where these are given."""

    @final
    def constants(self, region: Region, data: Data | None, reads: bool) -> Constants:
        """The constants on a region.

        The input of an operator that reads the data never moves, so its input
        constants are exactly 0 and b is a maximum over the samples.

        Parameters
        ----------
        region
            Radii of the input and weight balls.
        data
            The spec's samples, if it has any.
        reads
            Whether the operator stands first in its chain and so reads the features.

        Raises
        ------
        SpecError
            If a constant needs a radius, or labels, that the spec does not give.
        """
        if reads or self.reads_data:
            inputs = InputConstants()
            weight = self.weight_constant(region, None if data is None else data.features)
        else:
            inputs = self.input_constants(region, data)
            weight = self.weight_constant(region, None)
        return Constants(jac_weight=weight, **vars(inputs))

    def check_labels(self, labels: Array) -> None:
        """Raise DataError if the labels are not of the kind that the operator is made for."""

    def _radius(self, region: Region, of: str, constant: str) -> Expression:
        """The radius of the ``input`` or ``weight`` ball, which ``constant`` needs."""
        radius = region.input if of == "input" else region.weight_radius()
        if radius is None:
            noun = {"input": "input", "weight": "weights"}[of]
            raise SpecError(
                f"the constant {constant} of a `{self.type}` operator needs a bound on its {noun}",
                expected=f"region: {{{of}: R}}",
                fix=f"add `region: {{{of}: R}}` to the operator, R the radius of a ball "
                f"that holds the {noun}"
                + ("; with `initial` weights `weight_change` will do" if of == "weight" else ""),
            )
        return radius


def rows_radius(features: Array) -> Expression:
    """The largest Euclidean norm of a row of the data; exact for rows of one number.

    >>> rows_radius(np.array([[0.5], [-2.0]])).source
    '2'
    """
    if features.shape[-1] == 1:
        return exact(Fraction(float(np.abs(features).max())))
    return bounded(longest(features.reshape(-1, features.shape[-1])))


def signs_only(labels: Array, operator: str) -> None:
    """Raise DataError unless every label is 1 or −1."""
    wrong = labels[np.abs(labels) != 1.0]
    if wrong.size:
        raise DataError(
            f"the labels of a `{operator}` operator are signs",
            value=float(wrong.flat[0]),
            expected="1 or -1",
            fix="give the data labels, two classes coded as 1 and -1",
        )


def scalar_only(inputs: int, operator: str) -> None:
    """Raise SpecError unless there is one input."""
    if inputs != 1:
        raise SpecError(
            f"a `{operator}` operator takes one number",
            value=inputs,
            expected="an input of size 1",
            fix="let the operator before it have one output, such as `dense` with `units: 1`",
        )


def replicas(*arrays: Array) -> int:
    """The R that arrays with first axis R or 1 broadcast to.

    >>> replicas(np.zeros((1, 3)), np.zeros((5, 2, 2)))
    5
    """
    lengths = {len(array) for array in arrays} - {1}
    if len(lengths) > 1:
        raise ValueError(f"the numbers of replicas {sorted(lengths)} do not fit together")
    return lengths.pop() if lengths else 1


def spread(array: Array, count: int) -> Array:
    """The array with its first axis of length 1 repeated to ``count``; a fresh array if so."""
    return array if len(array) == count else np.repeat(array, count, axis=0)


def symbols(inputs: int, weights: int) -> tuple[tuple[Any, ...], tuple[Any, ...], Any]:
    """Real SymPy symbols y1…yn, w1…wk and the label."""
    import sympy

    def named(letter: str, count: int) -> tuple[Any, ...]:
        return tuple(sympy.Symbol(f"{letter}{i}", real=True) for i in range(1, count + 1))

    return named("y", inputs), named("w", weights), sympy.Symbol("label", real=True)
