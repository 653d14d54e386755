"""What every importer makes: a network as layers, one for each operator of a spec.

The layers of a model file or module are read in one direction::

    onnx_model, torch_model, weight_lists        read: names become values (values, formulas)
        └──▶ builder                             values become layers
                └──▶ passes                      layers are folded and put in order
                        └──▶ write               layers become spec.yaml and spec.npz
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.data.weights_file import MAX_NUMBERS, check_finite
from boundcalc.errors import DataError, UnsupportedError
from boundcalc.operators.regions import Shape

#: An array of weights or constants, in the number type of the model.
Numbers: TypeAlias = npt.NDArray[Any]

#: The number of the layer that stands for the network's input.
INPUT = 0

#: Layers of one model, and numbers in one sample's value.
MAX_LAYERS = 100_000
MAX_VALUES = 10**7


@dataclass(frozen=True)
class Layer:
    """One operator, before it has a name.

    Attributes
    ----------
    type
        Its name in the spec; ``input`` for the network's input, ``affine`` for
        scale·y + shift with constants, which :mod:`boundcalc.importers.passes` removes.
    inputs
        Numbers of the layers it reads.
    shape
        The shape of its output for one sample.
    parameters
        Its parameters in the spec.
    arrays
        Its weights, in the order in which the operator lists them.
    origins
        What the model calls these arrays; equal names are the same parameter.
    trainable
        Whether training moves its weights.
    hint
        What the model calls the layer.
    """

    type: str
    inputs: tuple[int, ...]
    shape: Shape
    parameters: Mapping[str, Any] = field(default_factory=dict)
    arrays: tuple[Numbers, ...] = ()
    origins: tuple[str, ...] = ()
    trainable: bool = True
    hint: str = ""

    @property
    def size(self) -> int:
        """The number of components of its output."""
        return prod(self.shape)

    @property
    def weights(self) -> int:
        """The number of its weights."""
        return sum(array.size for array in self.arrays)

    def changed(self, **fields: Any) -> Layer:
        """The same layer with other fields."""
        return replace(self, **fields)


@dataclass(frozen=True)
class Network:
    """A model as layers in an order in which it can be computed.

    Attributes
    ----------
    name
        What to call it.
    layers
        The first is the input; every layer comes after those it reads.
    output
        The number of the layer whose output is the model's.
    vocabulary
        How many tokens there are, if the input is made of tokens.
    notes
        What was folded, replaced or left out.
    source
        The file it is from, which is never written to.
    """

    name: str
    layers: tuple[Layer, ...]
    output: int
    vocabulary: int | None = None
    notes: tuple[str, ...] = ()
    source: Path | None = None

    @property
    def input_shape(self) -> Shape:
        """The shape of one sample."""
        return self.layers[INPUT].shape

    @property
    def output_size(self) -> int:
        """The number of outputs."""
        return self.layers[self.output].size

    @property
    def weights(self) -> int:
        """The number of weights that training moves; shared ones are counted once each use."""
        return sum(layer.weights for layer in self.layers if layer.trainable)


def check_shape(shape: Shape, where: str) -> Shape:
    """The shape of one sample's value, if it has a size and fits in memory.

    Raises
    ------
    DataError
        If a dimension is 0 or less, or there are too many numbers.
    """
    if any(size < 1 for size in shape):
        raise DataError(
            "a value without components",
            where=where,
            value=f"shape {list(shape)}",
            expected="sizes of 1 and more",
        )
    if prod(shape) > MAX_VALUES:
        raise DataError(
            "a value of one sample is too large",
            where=where,
            value=f"shape {list(shape)}: {prod(shape)} numbers",
            expected=f"at most {MAX_VALUES}",
        )
    return shape


def weight(array: Numbers, where: str, axes: tuple[int, ...]) -> Numbers:
    """An array that may be weights: of the right number of axes, not empty, finite.

    Raises
    ------
    DataError
        If it is not; the message names it.
    """
    if array.ndim not in axes:
        raise DataError(
            "weights with the wrong number of axes",
            where=where,
            value=f"shape {list(array.shape)}",
            expected=" or ".join(str(number) for number in axes) + " axes",
        )
    if array.dtype.kind not in "fiu":
        raise DataError("weights that are not real numbers", where=where, value=array.dtype.name)
    if array.size == 0:
        raise DataError("weights without entries", where=where, value=f"shape {list(array.shape)}")
    check_finite(array, where)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_total(weights: int, where: str) -> None:
    """Raise DataError if a model has more weights than can be handled."""
    if weights > MAX_NUMBERS:
        raise DataError(
            "the model is too large",
            where=where,
            value=f"{weights} weights",
            expected=f"at most {MAX_NUMBERS}",
        )


def unsupported(problem: str, where: str, value: object = None, fix: str = "") -> UnsupportedError:
    """The error for a part of a model that no operator of the library computes."""
    return UnsupportedError(problem, where=where or None, value=value, fix=fix or None)


def decimal(number: float) -> float:
    """The shortest decimal that a float32 stands for.

    >>> decimal(9.999999747378752e-06), decimal(0.3)
    (1e-05, 0.3)
    """
    single = np.float32(number)
    return float(str(single)) if float(single) == number else number
