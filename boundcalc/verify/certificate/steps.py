"""Steps of a certificate, made in any order and numbered when it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from boundcalc.verify.certificate.numbers import rounded_up, text_of


@dataclass(frozen=True, eq=False)
class Step:
    """A bound, the rule that gives it, and the bounds that the rule was applied to.

    Attributes
    ----------
    rule
        Its name, or "" for a number that needs no step.
    at
        The place: level, operator, slot, as the rule has it.
    operands
        Steps in the order in which the rule reads them.
    value
        The bound, rounded up.
    """

    rule: str
    at: tuple[int, ...]
    operands: tuple[Step, ...]
    value: Fraction


def step(rule: str, at: tuple[int, ...], operands: Iterable[Step], value: Fraction) -> Step:
    """A step; operands that need none themselves are left out."""
    return Step(rule, at, tuple(x for x in operands if x.rule), rounded_up(value))


def given(value: int) -> Step:
    """A number that needs no step."""
    return Step("", (), (), Fraction(value))


def smallest(*options: Step) -> Step:
    """The step with the smallest value, the first of equals."""
    return min(options, key=lambda option: option.value)


def numbered(ends: Iterable[Step]) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """Every step that these need, each after its operands, and numbers by ``id``."""
    order: list[Step] = []
    numbers: dict[int, int] = {}
    stack: list[tuple[Step, bool]] = [(end, False) for end in reversed(list(ends))]
    while stack:
        current, ready = stack.pop()
        if id(current) in numbers:
            continue
        if ready:
            numbers[id(current)] = len(order)
            order.append(current)
            continue
        stack.append((current, True))
        stack += [(x, False) for x in reversed(current.operands) if id(x) not in numbers]
    found = [
        {
            "rule": x.rule,
            "at": list(x.at),
            "operands": [numbers[id(operand)] for operand in x.operands],
            "result": text_of(x.value),
        }
        for x in order
    ]
    return found, numbers
