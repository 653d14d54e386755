"""Moving the numbers of any value: reshaping, transposing, slicing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy.typing as npt

from boundcalc.errors import DataError
from boundcalc.importers.builder import Builder
from boundcalc.importers.formulas import subtrees
from boundcalc.importers.values import Constant, Formula, Value

AnyArray: TypeAlias = npt.NDArray[Any]

#: A function that moves entries of an array and computes nothing.
Move: TypeAlias = Callable[[AnyArray], AnyArray]


def moved_value(builder: Builder, value: Value, move: Move) -> Value:
    """A value whose numbers are moved; a constant keeps its name if it keeps its size."""
    try:
        if isinstance(value, Constant):
            array = move(value.array)
            return Constant(array, value.origin if array.size == value.array.size else "")
        if isinstance(value, Formula) and value.shape == value.base.shape and _pointwise(value):
            base = value.base.moved(move)
            return Formula(base, value.tree, base.shape)
        return builder.view(value).moved(move)
    except (ValueError, IndexError) as error:
        raise DataError(
            f"shapes that do not fit: {str(error)[:100]}", value=f"input {list(value.shape)}"
        ) from None


def _pointwise(value: Formula) -> bool:
    """Whether a formula acts in each component by itself."""
    return not any(part[:2] == ("f", "mean") for part in (value.tree, *subtrees(value.tree)))
