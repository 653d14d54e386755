"""One node of an ONNX graph with its inputs as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from boundcalc.errors import DataError
from boundcalc.importers.base import decimal, unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.values import Constant, Value, View


@dataclass(frozen=True)
class Call:
    """A node.

    Attributes
    ----------
    builder
        Where layers go.
    kind
        The node's operator type.
    hint
        Its name.
    inputs
        What its inputs stand for; None where an optional one is left out.
    attributes
        Numbers, texts, lists and arrays.
    outputs
        How many outputs are used.
    opset
        The version of the operator set.
    batch
        The length of the batch axis that the model was exported with.
    """

    builder: Builder
    kind: str
    hint: str
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]
    outputs: int
    opset: int
    batch: int

    def value(self, position: int) -> Value:
        """An input that must be there."""
        found = self.optional(position)
        if found is None:
            raise DataError(f"input {position + 1} is missing", expected="see the ONNX operators")
        return found

    def optional(self, position: int) -> Value | None:
        """An input, or None."""
        return self.inputs[position] if position < len(self.inputs) else None

    def view(self, position: int) -> View:
        """An input as an activation."""
        return self.builder.view(self.value(position))

    def constant(self, position: int) -> Constant | None:
        """An optional input that must be constant if it is there."""
        found = self.optional(position)
        if found is not None and not isinstance(found, Constant):
            raise unsupported(f"input {position + 1} is not constant", "")
        return found

    def weights(self, position: int) -> Constant:
        """An input that must be constant."""
        found = self.constant(position)
        if found is None:
            raise DataError(f"input {position + 1} is missing", expected="constant weights")
        return found

    def numbers(self, name: str, position: int | None = None) -> list[int] | None:
        """Whole numbers, from an attribute or, in later operator sets, from an input."""
        if name in self.attributes:
            return [int(number) for number in np.atleast_1d(self.attributes[name])]
        found = None if position is None else self.constant(position)
        return None if found is None else [int(number) for number in found.array.ravel()]

    def number(self, name: str, default: float) -> float:
        """A numeric attribute; float32 is read as the shortest decimal that means it."""
        return decimal(float(self.attributes.get(name, default)))

    def flag(self, name: str, default: int = 0) -> bool:
        """An attribute that is 0 or 1."""
        return bool(self.attributes.get(name, default))

    def refuse(self, problem: str, value: object = None, fix: str = "") -> Exception:
        """The error for what this node does and no operator of the library does."""
        return unsupported(problem, "", value, fix)


#: From a node to its outputs.
Handler: TypeAlias = Callable[[Call], Value | tuple[Value, ...]]
