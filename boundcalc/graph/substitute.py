"""Parameters of library objects with their symbols' values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen

_Model = TypeVar("_Model", bound=Frozen)


def with_symbols(model: _Model, values: Mapping[str, Expression]) -> _Model:
    """The object with symbols in its parameters replaced by their values.

    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.operators import OPERATORS
    >>> from boundcalc.spec.expressions import exact
    >>> sine = OPERATORS["sine"].model_validate({"scale": "2*C"})
    >>> str(with_symbols(sine, {"C": exact(3)}).scale.evaluate(RATIONALS))
    '6'
    """
    if not values:
        return model
    valued = {name: _substituted(value, values) for name, value in model}
    changed = {name: value for name, value in valued.items() if value is not getattr(model, name)}
    return model.model_copy(update=changed) if changed else model


def _substituted(value: Any, values: Mapping[str, Expression]) -> Any:
    """A parameter with the values of its symbols, inside lists too."""
    if isinstance(value, tuple):
        entries = tuple(_substituted(entry, values) for entry in value)
        same = all(new is old for new, old in zip(entries, value, strict=True))
        return value if same else entries
    return value.substitute(values) if isinstance(value, Expression) and value.symbols else value
