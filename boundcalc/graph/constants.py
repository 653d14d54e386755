"""One operator's constants: given, else uniform, else derived from its type."""

from __future__ import annotations

from typing import Any

from boundcalc.errors import SpecError, UnsupportedError
from boundcalc.graph.connect import Entry
from boundcalc.graph.model import CONSTANT_NAMES
from boundcalc.operators.base import ZERO, Constants, Data, Operator, Region
from boundcalc.spec.expressions import Expression, smallest
from boundcalc.spec.sections import UniformSection

_WEIGHT = ("jac_weight", "hess_mixed", "third_mixed")
_INPUT = ("jac_input", "lip_input", "hess_input", "third_input")


def merged_constants(
    entry: Entry,
    operator: Operator | None,
    region: Region,
    uniform: UniformSection | None,
    data: Data | None,
    first: bool,
    notes: list[str],
) -> tuple[Constants, Constants | None, frozenset[str]]:
    """The constants of one operator.

    Returns
    -------
    constants, derived, stated
        What the sharp family uses; what the type proves, or None; and which
        constants count for [KZY]'s uniform maxima.

    Raises
    ------
    SpecError
        If a constant is neither given nor derivable, by name.
    """
    given = _given(entry)
    derived = None
    needed = [name for name in CONSTANT_NAMES if name not in given]
    if operator is not None:
        try:
            derived = operator.constants(region, data, first)
        except SpecError as error:
            # A missing radius matters only where nothing else states the constant.
            if uniform is None and needed:
                raise error.located(entry.where) from None
    sources: list[dict[str, Expression]] = [given]
    if uniform is not None:
        sources.append(_from_uniform(uniform))
    if derived is not None:
        sources.append({name: getattr(derived, name) for name in CONSTANT_NAMES})
    merged: dict[str, Expression] = {}
    for name in CONSTANT_NAMES:
        found = next((source[name] for source in sources if name in source), None)
        if found is not None:
            merged[name] = found
    stated = frozenset(given if uniform is not None else merged)
    _fill_gaps(merged, entry, operator, first, notes)
    return Constants(**merged), derived, stated


def _given(entry: Entry) -> dict[str, Expression]:
    given: dict[str, Expression] = {}
    for name in CONSTANT_NAMES:
        value: Any = getattr(entry.section.constants, name)
        if isinstance(value, dict):
            if len(value) != 1 or tuple(value) != entry.inputs:
                raise _per_predecessor(entry, name, value)
            value = next(iter(value.values()))
            if isinstance(value, dict):
                if tuple(value) != entry.inputs:
                    raise _per_predecessor(entry, name, value)
                value = value[entry.inputs[0]]
        if value is not None:
            given[name] = value
    if "jac_input" in given:
        # sup ‖∇₁f‖ is a Lipschitz constant of f on a convex region.
        given.setdefault("lip_input", given["jac_input"])
    return given


def _per_predecessor(entry: Entry, name: str, value: dict[str, Any]) -> UnsupportedError:
    return UnsupportedError(
        "constants per predecessor are not supported yet on a chain's operator",
        where=f"{entry.where}.constants.{name}",
        value=", ".join(value),
        expected=f"one number, or a mapping from {' '.join(entry.inputs) or 'nothing'}",
        fix="give a single number",
    )


def _from_uniform(uniform: UniformSection) -> dict[str, Expression]:
    """a = b = jac, ℓ = lip, A = hess, B = min(hess, hess_op), A′ = B′ = third."""
    return {
        "jac_input": uniform.jac,
        "jac_weight": uniform.jac,
        "lip_input": uniform.lip,
        "hess_input": uniform.hess,
        "hess_mixed": smallest(uniform.hess, uniform.hess_op),
        "third_input": uniform.third,
        "third_mixed": uniform.third,
    }


def _fill_gaps(
    merged: dict[str, Expression],
    entry: Entry,
    operator: Operator | None,
    first: bool,
    notes: list[str],
) -> None:
    if first:
        # y_0 is data and is never perturbed: no recurrence reads these.
        for name in _INPUT:
            merged.setdefault(name, ZERO)
        for name in ("hess_mixed", "third_mixed"):
            if "jac_weight" in merged:
                merged.setdefault(name, ZERO)
    if not any(name in merged for name in _WEIGHT):
        merged.update(dict.fromkeys(_WEIGHT, ZERO))
        notes.append(f"operator {entry.id}: no weight constants given, read as having no weights")
    missing = [name for name in CONSTANT_NAMES if name not in merged]
    if missing:
        raise SpecError(
            f"operator {entry.id!r} lacks constants",
            where=f"{entry.where}.constants",
            value=", ".join(missing),
            expected="each of them as a number ≥ 0"
            + (", since the data they depend on is not there" if operator else ""),
            fix="give them, give `graph.uniform`, or name a `type` from which they follow",
        )
