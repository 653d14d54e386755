"""Formulas in a symbolic count against the recurrences on the graph written out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from graph_paths import perturbed_graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import SIZES, rows
from test_graph_recurrences import chained

import boundcalc as bc
from boundcalc.arithmetic import FLOATS, RATIONALS, WIDE
from boundcalc.errors import SpecError
from boundcalc.graph import GraphConstants, Levels
from boundcalc.graph.numbers import Run
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.geometric import Geometric, divided_power, h, monomial
from boundcalc.theories.perturbed.pieces import Piece, piece
from boundcalc.theories.perturbed.repeated import Refused, RepeatedForms, repeated_forms

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


def refusal(text: str) -> str:
    found = repeated_forms(bc.build(bc.loads(text)))
    assert isinstance(found, Refused)
    assert found.json() == {"reason": found.reason}
    return found.reason


# -- the formulas ----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", BLOCKS)
@settings(deadline=None, max_examples=12)
@given(rows(41), st.integers(0, 2), st.integers(0, 2))
def test_closed_form_in_numbers(block: str, numbers: tuple[F, ...], before: int, after: int) -> None:
    forms = forms_of(spec(3, block, numbers, before, after))
    formula = forms.expression()
    assert formula.free_symbols <= {forms.count}
    for n in range(1, 8):
        expected = plain(spec(n, block, numbers, before, after))
        assert forms.evaluate(RATIONALS, n) == expected
        assert formula.subs(forms.count, n).doit() == rational(expected)


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("value", [0, 1, 2])
@pytest.mark.parametrize("block", BLOCKS)
def test_coinciding_bases(block: str, value: int, before: int) -> None:
    forms = forms_of(spec(3, block, (value,) * 41, before))
    for n in (1, 2, 5):
        expected = plain(spec(n, block, (value,) * 41, before))
        assert forms.evaluate(RATIONALS, n) == expected
        assert forms.expression().subs(forms.count, n).doit() == rational(expected)


SYMBOLIC = ("a", "b", "l", "A", "B")


@pytest.mark.parametrize("block", ["one", "residual"])
def test_one_formula_for_all_values(block: str) -> None:
    members = len(BLOCKS[block])
    numbers = (*SYMBOLIC, *SYMBOLIC, *SYMBOLIC * members, *("e", "e", "x", "e", "x", "x"))
    declared = "".join(f", {name}: " for name in (*SYMBOLIC, "e", "x"))
    forms = forms_of(spec(3, block, numbers, symbols=declared))
    formula = forms.expression()
    assert {symbol.name for symbol in formula.free_symbols} == {"n", *SYMBOLIC, "e", "x"}
    # a = 1, ℓ = 1, a = ℓ, aℓ = 1, zeros: nothing is an exception
    for a, l in ((2, 3), (1, 1), (1, 2), (2, 1), (2, 2), (2, F(1, 2)), (0, 1), (0, 0), (1, 0)):  # noqa: E741
        values = dict(zip((*SYMBOLIC, "e", "x"), map(F, (a, 3, l, F(1, 2), 2, 1, 5)), strict=True))
        own = {symbol: rational(F(values.get(symbol.name, 4))) for symbol in formula.free_symbols}
        row = tuple(values[name] for name in numbers)
        for n in (1, 2, 4):
            expected = plain(spec(n, block, row))
            assert formula.subs(own | {forms.count: n}).doit() == rational(expected)


def test_in_elementary_functions() -> None:
    # the quotients in powers of n that h stands for, where no bases coincide
    numbers = (F(3, 2), 1, F(5, 3), 2, 1) * 3 + (1, 0, 2, 1, 0, 1)
    forms = forms_of(spec(3, "one", numbers))
    written = forms.expression().doit()
    assert not written.has(h)
    for n in (1, 4):
        assert written.subs(forms.count, n) == rational(plain(spec(n, "one", numbers)))


def test_states_after_each_repeat() -> None:
    numbers = (2, 1, 3, 2, 1) * 4 + (1, 0, 2, 1, 0, 1)
    text = spec(4, "residual", numbers)
    graph = bc.build(bc.loads(text))
    found = sharp.general(graph.graph_constants(RATIONALS), graph.levels(RATIONALS), RATIONALS)
    forms = forms_of(text)
    (k,) = (x for f in forms.formulas.boundary.values() for x in f.free_symbols if x.name == "k")[
        :1
    ]
    assert k


def test_what_is_written() -> None:
    text = """
version: 1
name: t
symbols: {n: 3, C: , L: }
graph:
  operators:
    - {id: x, constants: {jac_weight: 0}}
    - {id: f, repeat: n, constants: {jac_input: C, jac_weight: L, hess_input: 0, hess_mixed: 0,
       third_input: 0, third_mixed: 0}}
perturbations: [{at: 'f.*', pass: backward, rms: 1}]
"""
    forms = forms_of(text)
    assert forms.latex()[0] == r"q_{\tau \tau} &= L^{2}"
    found = forms.json()
    assert found["symbol"] == "n"
    assert list(found["after_repeat"]) == ["s_{k}", "V_{k}", r"\tau_{k}"]
    assert found["after_repeat"][r"\tau_{k}"] == r"h_{n - k}\!\left(C, 1\right)"
    assert forms.latex()[-1] == r"\zeta^{2} &= " + found["error_bound_plain"]
