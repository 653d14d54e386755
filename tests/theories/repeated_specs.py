"""Specs with a symbolic count, and ζ² of what they stand for, two ways."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.repeated import RepeatedForms, repeated_forms

F = Fraction
NAMES = ("jac_input", "jac_weight", "lip_input", "hess_input", "hess_mixed")
THIRD = "third_input: 0, third_mixed: 0"
#: Blocks as (member, its inputs); the first reads what the block reads.
BLOCKS: dict[str, list[tuple[str, str]]] = {
    "one": [("g", "")],
    "two": [("g", ""), ("f", "")],
    "residual": [("g", ""), ("s", "[input, g]")],
    "diamond": [("g", "[input]"), ("f", "[input]"), ("s", "[g, f]")],
    "double edge": [("g", ""), ("s", "[g, input, g]")],
}


def rational(value: F) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


def operator(name: str, row: tuple[Any, ...], inputs: str = "") -> str:
    constants = ", ".join(f"{key}: {value}" for key, value in zip(NAMES, row, strict=True))
    wired = f"inputs: {inputs}, " if inputs else ""
    return f"{{id: {name}, {wired}constants: {{{constants}, {THIRD}}}}}"


def spec(
    n: int,
    block: str,
    numbers: tuple[Any, ...],
    before: int = 1,
    after: int = 1,
    symbols: str = "",
) -> str:
    """A spec with ``before`` and ``after`` operators around n repeats; five numbers for each."""
    given = iter(numbers)

    def row(count: int) -> tuple[Any, ...]:
        return tuple(next(given) for _ in range(count))

    first = [operator(f"p{k}", row(5)) for k in range(before)]
    last = [operator(f"q{k}", row(5)) for k in range(after)]
    members = [operator(name, row(5), inputs) for name, inputs in BLOCKS[block]]
    repeated = f"{{id: r, repeat: n, block: [{', '.join(members)}]}}"
    levels = row(6)
    return f"""
version: 1
name: repeated
symbols: {{n: {n}{symbols}}}
graph: {{merge: none, operators: [{", ".join([*first, repeated, *last])}]}}
perturbations:
  - {{at: 'r.*', pass: forward, rms: {levels[0]}}}
  - {{at: 'r.*.g', pass: forward, rms: {levels[1]}}}
  - {{at: 'r.*', pass: backward, rms: {levels[2]}}}
""" + "".join(
        f"  - {{at: {name}{k}, pass: {direction}, rms: {level}}}\n"
        for name, count, (ahead, back) in (("p", before, levels[2:4]), ("q", after, levels[4:]))
        for k in range(count)
        for direction, level in (("forward", ahead), ("backward", back))
    )


def plain(text: str) -> F:
    """ζ² of Theorem 4.7 on the graph written out."""
    graph = bc.build(bc.loads(text))
    found = sharp.general(graph.graph_constants(RATIONALS), graph.levels(RATIONALS), RATIONALS)
    return F(found.total())


def forms_of(text: str) -> RepeatedForms:
    found = repeated_forms(bc.build(bc.loads(text)))
    assert isinstance(found, RepeatedForms), found
    return found


def by_formula(forms: RepeatedForms, n: int, values: dict[str, F] | None = None) -> sympy.Rational:
    """ζ² from the definitions, one after the other."""
    own = {sympy.Symbol(name, positive=True): rational(x) for name, x in (values or {}).items()}
    known = own | {forms.count: sympy.Integer(n)}
    for name, formula in forms.formulas.definitions.items():
        known[name] = formula.xreplace(known).doit()
    return forms.formulas.total.xreplace(known).doit()


ONES = "constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, " + THIRD + "}"


def small(operators: str, perturbations: str = "[]", n: str = "3") -> str:
    return (
        f"{{version: 1, name: t, symbols: {{n: {n}, m: 2}}, graph: {{operators: [{operators}]}}, "
        f"perturbations: {perturbations}}}"
    ).replace("ONES", ONES)


BEFORE, AFTER = "{id: x, ONES}, ", ", {id: loss, ONES}"
BLOCK = "{id: f, repeat: n, ONES}"
