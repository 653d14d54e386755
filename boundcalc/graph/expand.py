"""Operators one by one: repeats and blocks written out, names resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import BoundcalcError, SpecError, SymbolError, nearest
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import MAX_OPERATORS, OperatorSection

#: What a member of a block calls the input of the block.
INPUT = "input"

_ONLY_OPERATORS = ("type", "constants", "region", "dim", "weights", "initial")


@dataclass(frozen=True)
class Entry:
    """One operator after ``repeat`` and ``block`` are written out.

    Attributes
    ----------
    id
        ``block.3`` for the third repeat of ``block``, ``block.3.conv`` for its member.
    inputs
        Ids of its predecessors; none for an operator that reads the data.
    section
        The section of the spec it comes from.
    where
        That section's place.
    """

    id: str
    inputs: tuple[str, ...]
    section: OperatorSection
    where: str


@dataclass
class _Expansion:
    """What has been written out so far."""

    count: Callable[[OperatorSection, str], int]
    entries: list[Entry] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)  # a block's id → that of its last operator


def expand(spec: Spec) -> list[Entry]:
    """One entry per operator, ``repeat`` and ``block`` written out, default inputs filled in.

    O(N) in the number of operators.

    Raises
    ------
    SpecError
        For a duplicate id, a count without a value, or more operators than can be handled.
    """

    def count(section: OperatorSection, where: str) -> int:
        return _count(section, where, spec)

    total = sum(
        _total(section, f"graph.operators[{index}]", count)
        for index, section in enumerate(spec.graph.operators)
    )
    if total > MAX_OPERATORS:
        raise SpecError(
            "too many operators",
            where="graph.operators",
            value=total,
            expected=f"at most {MAX_OPERATORS}",
        )
    state = _Expansion(count)
    before: tuple[str, ...] = ()
    for index, section in enumerate(spec.graph.operators):
        inputs = before if section.inputs is None else tuple(section.inputs)
        before = (_write(section, inputs, "", f"graph.operators[{index}]", state),)
    return [_resolved(entry, state) for entry in state.entries]


def _total(
    section: OperatorSection, where: str, count: Callable[[OperatorSection, str], int]
) -> int:
    inside = 1
    if section.block is not None:
        inside = sum(
            _total(member, f"{where}.block[{k}]", count) for k, member in enumerate(section.block)
        )
    return count(section, where) * inside


def _count(section: OperatorSection, where: str, spec: Spec) -> int:
    """The number of repeats; that of a symbol must be whole."""
    if section.repeat is None:
        return 1
    if isinstance(section.repeat, int):
        return section.repeat
    name = section.repeat
    place = f"{where}.repeat"
    if name not in spec.symbols:
        close = nearest(name, spec.symbols)
        raise SpecError(
            f"unknown symbol {name!r}",
            where=place,
            expected="a whole number, or a symbol declared under `symbols`",
            fix=f"did you mean {close!r}?" if close else f"declare it: symbols: {{{name}: 8}}",
        )
    try:
        value = spec.symbol_values[name].evaluate(RATIONALS) if name in spec.symbol_values else None
    except BoundcalcError as error:
        raise SpecError(
            "a count is no whole number",
            where=place,
            value=error.problem,
            expected="a whole number",
        ) from None
    if value is None:
        raise SymbolError(
            f"symbol {name!r} has no value, and the number of operators depends on it",
            where=place,
            fix=f"give it one under `symbols:` in the spec, or with --set {name}=8",
        )
    if value.denominator != 1 or not 1 <= value <= MAX_OPERATORS:
        raise SpecError(
            "a count is no whole number",
            where=place,
            value=f"{name} = {value}",
            expected=f"a whole number from 1 to {MAX_OPERATORS}",
        )
    return int(value)


def _write(
    section: OperatorSection, inputs: tuple[str, ...], prefix: str, where: str, state: _Expansion
) -> str:
    """Append the entries of one section; the id of the operator whose output is its output."""
    last = ""
    for k in range(state.count(section, where)):
        name = f"{prefix}{section.id}" + ("" if section.repeat is None else f".{k + 1}")
        if name in state.places or name in state.ends:
            raise SpecError(
                "two operators have the same id",
                where=f"{where}.id",
                value=name,
                expected=f"an id that {state.places.get(name, 'a block')} does not use",
                fix="rename one of them",
            )
        state.places[name] = where
        if section.block is None:
            state.entries.append(Entry(name, inputs, section, where))
            last = name
        else:
            last = _members(section, inputs, name, where, state)
            state.ends[name] = last
        inputs = (last,)
    if section.repeat is not None:
        state.ends.setdefault(f"{prefix}{section.id}", last)
    return last


def _members(
    section: OperatorSection, inputs: tuple[str, ...], name: str, where: str, state: _Expansion
) -> str:
    assert section.block is not None  # noqa: S101 - the caller has looked
    for key in _ONLY_OPERATORS:
        if key in section.model_fields_set:
            raise SpecError(
                f"a block has no `{key}` of its own",
                where=f"{where}.{key}",
                expected="`id`, `repeat`, `inputs` and `block`",
                fix=f"give `{key}` to the operators inside",
            )
    local = {member.id for member in section.block}
    before = inputs
    for k, member in enumerate(section.block):
        place = f"{where}.block[{k}]"
        reads = before
        if member.inputs is not None:
            if not inputs and _typed(member):
                _check_data(member.inputs, local, place)
            reads = _local(member.inputs, inputs, local, name, place)
        before = (_write(member, reads, f"{name}.", place, state),)
    return before[0]


def _typed(section: OperatorSection) -> bool:
    """Whether it is, or holds, an operator of the library."""
    return section.type is not None or any(map(_typed, section.block or ()))


def _check_data(names: list[str], local: set[str], where: str) -> None:
    """Refuse the data next to other inputs, in a block that begins at the data.

    An operator of the library would be another function without it.  Of constants alone it may
    be left out, for the data does not move.
    """
    if INPUT in names and INPUT not in local and len(names) > 1:
        raise SpecError(
            "an operator of a block reads the data next to other inputs, but the block itself "
            "begins at the data",
            where=f"{where}.inputs",
            value=f"[{', '.join(names)}]",
            expected=f"either {INPUT} alone, which is the data here, or operators only",
            fix=f"put `{{id: start, type: identity}}` before the block: {INPUT} is its output then",
        )


def _local(
    names: list[str], inputs: tuple[str, ...], local: set[str], block: str, where: str
) -> tuple[str, ...]:
    """Inputs of a member: other members by their own ids, and what the block reads."""
    found: list[str] = []
    for name in names:
        if name == INPUT and INPUT not in local:
            found.extend(inputs)
        elif name in local or name.split(".")[0] in local:
            found.append(f"{block}.{name}")
        else:
            close = nearest(name, [*local, INPUT])
            raise SpecError(
                "an input that is no operator of the block",
                where=f"{where}.inputs",
                value=name,
                expected=f"one of {', '.join(sorted(local))}, or {INPUT} for the block's input",
                fix=f"did you mean {close!r}?" if close else None,
            )
    return tuple(found)


def _resolved(entry: Entry, state: _Expansion) -> Entry:
    """The same entry, reading operators where it named blocks or repeats."""
    ends: Mapping[str, str] = state.ends
    if not any(name in ends for name in entry.inputs):
        return entry
    inputs = tuple(_end(name, ends) for name in entry.inputs)
    return Entry(entry.id, inputs, entry.section, entry.where)


def _end(name: str, ends: Mapping[str, str]) -> str:
    while name in ends:
        name = ends[name]
    return name
