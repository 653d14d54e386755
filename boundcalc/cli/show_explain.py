"""An explanation on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from boundcalc.arithmetic import Number
from boundcalc.cli.plain_maths import plain_maths
from boundcalc.cli.tables import new_console, print_line
from boundcalc.explain import Explanation
from boundcalc.explain.explaining import MEANINGS, NO_SPEC, Given

_MEMBERS = 40  # of a group that are listed


def show_explanation(found: Explanation) -> None:
    """What it is, its value, the formula with its letters, the theorem, what the status means."""
    console = new_console()
    entry = found.entry
    print_line(console, found.path, style="bold")
    print_line(console, f"  {entry.says}")
    if found.known and not found.members:
        status = f" ({found.status})" if found.status in ("proved", "computed", "sampled") else ""
        where = f", {found.name}" if found.name else ""
        print_line(console, f"  value: {value_text(found.value)}{status}{where}")
    if entry.formula:
        print_line(console, f"  formula: {formula_text(found)}")
    if entry.source:
        print_line(console, f"  source: {source_text(found)}")
    for condition in entry.conditions:
        print_line(console, f"  supposes: {_plain(condition)}")
    if found.inputs:
        _inputs(console, found)
    if found.without_inputs:
        print_line(console, f"  {NO_SPEC}")
    for path in found.members[:_MEMBERS]:
        print_line(console, f"    {path}")
    if len(found.members) > _MEMBERS:
        print_line(console, f"    … and {len(found.members) - _MEMBERS} more")
    _statuses(console, found)


def formula_text(found: Explanation) -> str:
    """The formula as text, with what it bounds.

    >>> from boundcalc.explain import explain
    >>> formula_text(explain("rate.nonconvex.sharp.step_size_limit"))
    'γ ≤ 1/L'
    """
    entry = found.entry
    if not entry.quantity:
        return plain_maths(entry.formula)
    return plain_maths(f"{entry.quantity} {entry.relation} {entry.formula}")


def source_text(found: Explanation) -> str:
    """The source, with the place in docs/ that has it.

    >>> from boundcalc.explain import explain
    >>> source_text(explain("rate.nonconvex.sharp.step_size_limit"))
    'Theorem 6.1 (docs/theory.md#theorem-6-1)'
    """
    source, doc = found.entry.source, found.doc
    if doc is None or doc == source:
        return source
    page = doc.partition("#")[0]
    return f"{source.removeprefix(f'{page}, ')} ({doc})"


def value_text(value: Any) -> str:
    """A value as text: numbers as JSON has them, null in words.

    >>> value_text(None), value_text(True), value_text(1e-7), value_text("1.3e+1088")
    ('null', 'true', '1e-07', '1.3e+1088')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _plain(text: str) -> str:
    """A sentence whose mathematics stands between dollars."""
    parts = text.split("$")
    return "".join(plain_maths(p) if k % 2 else p for k, p in enumerate(parts))


def _inputs(console: Console, found: Explanation) -> None:
    """Letter, value and meaning in one line; below it, where it stands."""
    print_line(console, "  with")
    for given in found.inputs:
        value = f" = {_value(given)}" if given.value is not None else ""
        letter = plain_maths(given.input.symbol)
        print_line(console, f"    {letter}{value}: {given.input.meaning}")
        place = _place(given)
        if place:
            print_line(console, f"        {place}")


def _value(given: Given) -> str:
    text = str(given.value) if isinstance(given.value, Number) else value_text(given.value)
    letter = {"computed": " c", "sampled": " s"}.get(given.status or "", "")
    return text + letter


def _place(given: Given) -> str:
    if given.input.path:
        return given.input.path
    if given.where:
        return given.where
    return given.input.spec


def _statuses(console: Console, found: Explanation) -> None:
    """What every status that was printed means."""
    used = {found.status, *(given.status for given in found.inputs)} - {None}
    if not found.known or not used:
        return
    console.print()
    for status, words in MEANINGS.items():
        if status in used:
            print_line(console, f"  {status}: {words}")
