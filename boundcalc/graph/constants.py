"""One operator's constants: given, else uniform, else derived from its type."""

from __future__ import annotations

from typing import Any

from boundcalc.errors import SpecError
from boundcalc.graph.expand import Entry
from boundcalc.graph.parts import CONSTANT_NAMES
from boundcalc.operators.base import ZERO, Constants, Data, Operator, Region, Slot
from boundcalc.operators.regions import larger
from boundcalc.spec.expressions import Expression, root, smallest
from boundcalc.spec.sections import UniformSection

_WEIGHT = ("jac_weight", "hess_mixed", "third_mixed")
_INPUT = ("jac_input", "lip_input", "hess_input", "third_input")
#: What stands in for a Lipschitz constant that does not exist.
_CHANGES = {"hess_input": "jac_change", "hess_mixed": "mixed_change"}

#: A constant of every slot: one expression, or one for each, or for each pair.
Given = dict[str, Any]


def merged_constants(
    entry: Entry,
    operator: Operator | None,
    region: Region,
    uniform: UniformSection | None,
    data: Data | None,
    reads_data: bool,
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
    slots = max(1, len(entry.inputs))
    given = _given(entry)
    derived = None
    needed = [name for name in CONSTANT_NAMES if name not in given]
    if operator is not None:
        try:
            derived = operator.constants(region, data, reads_data)
        except SpecError as error:
            # A missing radius matters only where nothing else states the constant.
            if uniform is None and needed:
                raise error.located(entry.where) from None
    if derived is not None and not given and uniform is None:
        return _trained(derived, entry), derived, frozenset(CONSTANT_NAMES)
    sources: list[Given] = [given]
    if uniform is not None:
        sources.append(_from_uniform(uniform))
    if derived is not None:
        sources.append(_of_type(derived, slots))
    merged: Given = {}
    for name in CONSTANT_NAMES:
        source = next((source for source in sources if name in source), None)
        if source is not None:
            merged[name] = source[name]
            if source[name] is None and name in _CHANGES:
                merged[_CHANGES[name]] = source[_CHANGES[name]]
    stated = frozenset(given if uniform is not None else merged)
    _fill_gaps(merged, entry, operator, reads_data, notes)
    return _trained(_assembled(merged, slots), entry), derived, stated


def _trained(constants: Constants, entry: Entry) -> Constants:
    """Weights that keep their values have no gradient: b = B = B′ = 0."""
    if entry.section.trainable:
        return constants
    frozen = dict.fromkeys(_WEIGHT, ZERO)
    kept: dict[str, Any] = {**vars(constants), **frozen, "mixed_change": None}
    kept["slots"] = tuple(Slot(**{**vars(slot), "hess_mixed": ZERO}) for slot in constants.slots)
    return Constants(**kept)


def _given(entry: Entry) -> Given:
    given: Given = {}
    for name in CONSTANT_NAMES:
        value: Any = getattr(entry.section.constants, name)
        if value is not None:
            given[name] = _by_slot(entry, name, value) if isinstance(value, dict) else value
    if "jac_input" in given:
        # sup ‖∇₁f‖ is a Lipschitz constant of f on a convex region.
        given.setdefault("lip_input", given["jac_input"])
    return given


def _by_slot(entry: Entry, name: str, value: dict[str, Any]) -> tuple[Any, ...]:
    """A mapping from predecessors, or from pairs of them, as tuples in the order of the slots."""
    if set(value) != set(entry.inputs):
        raise SpecError(
            "constants by input name other operators than the inputs",
            where=f"{entry.where}.constants.{name}",
            value=", ".join(value),
            expected=f"one number, or a mapping from {' and '.join(dict.fromkeys(entry.inputs))}"
            if entry.inputs
            else "one number: the operator reads the data",
            fix="give a number for every input",
        )
    return tuple(
        _by_slot(entry, name, value[u]) if isinstance(value[u], dict) else value[u]
        for u in entry.inputs
    )


def _from_uniform(uniform: UniformSection) -> Given:
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


def _of_type(derived: Constants, slots: int) -> Given:
    """What a type proves, each input's own where there are several."""
    found: Given = {name: getattr(derived, name) for name in CONSTANT_NAMES}
    found.update(jac_change=derived.jac_change, mixed_change=derived.mixed_change)
    if derived.slots:
        for name in ("jac_input", "lip_input", "hess_mixed", "third_input"):
            found[name] = tuple(getattr(slot, name) for slot in derived.slots)
        none = (ZERO,) * slots
        found["hess_input"] = tuple(slot.hess_input or none for slot in derived.slots)
    return found


def _assembled(merged: Given, slots: int) -> Constants:
    """Constants from values that are the same for all slots or given for each."""
    third_mixed = merged["third_mixed"]
    if isinstance(third_mixed, tuple):
        # ‖∇_y∇_w f‖ in all inputs together, from the block of each
        squares = third_mixed[0] ** 2
        for value in third_mixed[1:]:
            squares = squares + value**2
        third_mixed = third_mixed[0] if len(third_mixed) == 1 else root(squares)
    changes: dict[str, Any] = {name: merged.get(name) for name in _CHANGES.values()}
    if slots == 1:
        single = {name: _only(merged[name]) for name in CONSTANT_NAMES}
        return Constants(**{**single, "third_mixed": third_mixed}, **changes)

    def slot(name: str, k: int) -> Any:
        value = merged[name]
        return value[k] if isinstance(value, tuple) else value

    def pairs(k: int) -> tuple[Expression, ...]:
        row = slot("hess_input", k)
        return row if isinstance(row, tuple) else (row,) * slots

    made = tuple(
        Slot(
            jac_input=slot("jac_input", k),
            lip_input=slot("lip_input", k),
            hess_input=pairs(k),
            hess_mixed=slot("hess_mixed", k),
            third_input=slot("third_input", k),
        )
        for k in range(slots)
    )
    return Constants(
        jac_input=larger(*(s.jac_input for s in made)),
        jac_weight=merged["jac_weight"],
        lip_input=larger(*(s.lip_input for s in made)),
        hess_input=larger(*(value for s in made for value in s.hess_input)),
        hess_mixed=larger(*(s.hess_mixed for s in made)),
        third_input=larger(*(s.third_input for s in made)),
        third_mixed=third_mixed,
        slots=made,
    )


def _only(value: Any) -> Any:
    while isinstance(value, tuple):
        value = value[0]
    return value


def _fill_gaps(
    merged: Given, entry: Entry, operator: Operator | None, reads_data: bool, notes: list[str]
) -> None:
    if reads_data:
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
