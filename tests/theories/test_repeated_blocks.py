"""Formulas in a symbolic count against the recurrences on the graph written out."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from repeated_specs import (
    BEFORE,
    BLOCK,
    BLOCKS,
    by_formula,
    forms_of,
    plain,
    rational,
    small,
    spec,
)
from strategies import rows

import boundcalc as bc
from boundcalc.arithmetic import FLOATS, RATIONALS, WIDE
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.geometric import h
from boundcalc.theories.perturbed.pieces import Piece
from boundcalc.theories.perturbed.repeated import CONVENTION

F = Fraction


@pytest.mark.parametrize("block", BLOCKS)
@settings(deadline=None, max_examples=3)
@given(rows(41), st.integers(0, 2), st.integers(0, 2))
def test_closed_form_in_numbers(
    block: str, numbers: tuple[F, ...], before: int, after: int
) -> None:
    forms = forms_of(spec(3, block, numbers, before, after))
    for n in range(1, 8):
        expected = plain(spec(n, block, numbers, before, after))
        assert forms.evaluate(RATIONALS, n) == expected
        assert by_formula(forms, n) == rational(expected)
    formula = forms.expression()
    assert formula.free_symbols <= {forms.count}
    assert formula.subs(forms.count, 7).doit() == rational(expected)


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("value", [0, 1, 2])
@pytest.mark.parametrize("block", BLOCKS)
def test_coinciding_bases(block: str, value: int, before: int) -> None:
    forms = forms_of(spec(3, block, (value,) * 41, before))
    for n in (1, 2, 5):
        expected = plain(spec(n, block, (value,) * 41, before))
        assert forms.evaluate(RATIONALS, n) == expected
        assert by_formula(forms, n) == rational(expected)


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
        row = tuple(values[name] for name in numbers)
        for n in (1, 2, 4):
            assert by_formula(forms, n, values) == rational(plain(spec(n, block, row)))


def test_in_elementary_functions() -> None:
    # the quotients in powers of n that h stands for, where no bases coincide
    numbers = (F(3, 2), 1, F(5, 3), 2, 1) * 3 + (1, 0, 2, 1, 0, 1)
    forms = forms_of(spec(3, "one", numbers))
    written = forms.expression().doit()
    assert not written.has(h)
    for n in (1, 4):
        assert written.subs(forms.count, n) == rational(plain(spec(n, "one", numbers)))


@pytest.mark.parametrize("before", [0, 1])
def test_states_after_each_repeat(before: int) -> None:
    numbers = (2, 1, 3, 2, 1) * (3 + before) + (1, 0, 2, 1, 0, 1)
    text = spec(4, "residual", numbers, before)
    graph = bc.build(bc.loads(text))
    g, levels = graph.graph_constants(RATIONALS), graph.levels(RATIONALS)
    found = sharp.general(g, levels, RATIONALS)
    after = [F(0)] * (g.size + 1)  # h of (4g)
    for u in range(g.size - 1, 0, -1):
        after[u] = sum((g.a[v][k] * after[v] for v, k in g.consumers[u]), F(0))
        after[u] += sum(levels.eps[edge] for edge in g.outgoing[u])
    forms = forms_of(text)
    assert forms.first == 1 - before
    for repeat in range(forms.first, 5):
        v = graph.ids.index(f"r.{repeat}.s") + 1 if repeat else 1
        known = {forms.count: sympy.Integer(4)}
        known[sympy.Symbol("k", integer=True, nonnegative=True)] = sympy.Integer(repeat)
        for name, formula in {**forms.formulas.definitions, **forms.formulas.boundary}.items():
            known[name] = formula.xreplace(known).doit()
        states = [known[name] for name in forms.formulas.boundary]
        assert states == [found.s[v], found.V[v], found.R[v] + after[v]]


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
    assert forms.latex() == [
        r"q_{\tau \tau} &= L^{2}",
        r"S_{\tau \tau} &= 2 C h_{n}\!\left(1, 1, C, C^{2}\right) "
        r"+ h_{n}\!\left(1, 1, C^{2}\right)",
        r"s_{k} &= 0",
        r"V_{k} &= C^{n - k}",
        r"\tau_{k} &= h_{n - k}\!\left(C, 1\right)",
        r"\zeta^{2} &= S_{\tau \tau} q_{\tau \tau}",
    ]
    assert forms.json() == {
        "symbol": "n",
        "where": CONVENTION,
        "definitions": dict(line.split(" &= ") for line in forms.latex()[:2]),
        "after_repeat": dict(line.split(" &= ") for line in forms.latex()[2:5]),
        "error_bound_plain": r"S_{\tau \tau} q_{\tau \tau}",
    }


def test_a_count_may_be_called_k() -> None:
    numbers = (2, 1, 3, 2, 1) * 3 + (1, 0, 2, 1, 0, 1)
    text = spec(3, "one", numbers).replace("n: 3", "k: 3, i: 2").replace("repeat: n", "repeat: k")
    forms = forms_of(text)
    assert list(forms.json()["after_repeat"]) == ["s_{j}", "V_{j}", r"\tau_{j}"]
    assert by_formula(forms, 3) == rational(plain(spec(3, "one", numbers)))


# -- other blocks ----------------------------------------------------------------------------------

DERIVED = """
version: 1
name: derived
symbols: {{n: {n}}}
graph:
  input: {{low: -1, high: 1}}
  operators:
    - {{id: x, type: dense, units: 2, region: {{weight: 1}}}}
    - id: r
      repeat: n
      block:
        - {{id: act, type: {activation}, bias: true}}
        - {{id: inner, repeat: 2, block: [{{id: g, type: tanh, bias: true}}]}}
        - {{id: h, type: dense, units: 2, region: {{input: 9, weight: 2}}}}
        - {{id: s, type: add, inputs: [input, h]}}
    - {{id: out, type: dense, units: 1, region: {{input: 9, weight: 2}}}}
    - {{id: loss, type: {loss}}}
perturbations:
  - {{at: [{at}], pass: forward, rms: 1/3}}
  - {{at: ['r.*', out], pass: backward, rms: 1/5}}
"""


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("loss", ["sigmoid", "relu"])
@pytest.mark.parametrize("at", ["x", "x, 'r.*.h'", "loss"])
def test_derived_constants_kinks_and_repeats_inside(activation: str, loss: str, at: str) -> None:
    def text(n: int) -> str:
        return DERIVED.format(n=n, activation=activation, loss=loss, at=at)

    forms = forms_of(text(4))
    for n in (1, 2, 5):
        graph = bc.build(bc.loads(text(n)))
        found = sharp.general(graph.graph_constants(WIDE), graph.levels(WIDE), WIDE)
        assert abs(forms.evaluate(WIDE, n) / found.total() - 1) < WIDE.number(F(1, 10**30))


def test_a_kink_that_the_first_repeat_alone_does_not_feel() -> None:
    # nothing is perturbed before r.1: its ReLU does not move, those of r.2 and r.3 do
    def text(n: int) -> str:
        return DERIVED.format(n=n, activation="relu", loss="relu", at="'r.*.h'")

    forms = forms_of(text(4))
    assert forms.first == 1
    for n in (1, 2, 5):
        graph = bc.build(bc.loads(text(n)))
        found = sharp.general(graph.graph_constants(WIDE), graph.levels(WIDE), WIDE)
        assert abs(forms.evaluate(WIDE, n) / found.total() - 1) < WIDE.number(F(1, 10**30))


def test_a_block_that_ends_in_the_loss() -> None:
    # whether the loss is perturbed is all the same: what is added to it reaches no gradient
    text = small(BEFORE + BLOCK, "[{at: [f.1, f.2], pass: forward, rms: 2}]")
    everywhere = small(BEFORE + BLOCK, "[{at: 'f.*', pass: forward, rms: 2}]", "6")
    forms = forms_of(text)
    assert forms.evaluate(RATIONALS, 3) == plain(text)
    assert forms.evaluate(RATIONALS, 6) == plain(everywhere)


def test_a_million_repeats() -> None:
    text = spec(3, "one", (1,) * 15 + (0,) * 6).replace("{at: p0, pass: forward, rms: 0}", "LEVEL")
    text = text.replace("LEVEL", "{at: p0, pass: forward, rms: 1}")
    n = 10**6
    forms = forms_of(text)
    # a chain of n + 2 with all constants 1: R + s = n + 1 at the first, then n + 1, n, …, 1
    exact = (n + 1) ** 2 + (n + 1) * (n + 2) * (2 * n + 3) // 6
    assert forms.evaluate(RATIONALS, n) == exact
    assert abs(forms.evaluate(WIDE, n) / WIDE.number(exact) - 1) < WIDE.number(F(1, 10**30))
    assert float(forms.evaluate(FLOATS, n)) == pytest.approx(exact, rel=1e-12)
    assert forms.expression().subs(forms.count, n).doit() == exact
    # far beyond the range of floats
    growing = forms_of(spec(3, "one", (3, 1, 2, 1, 1) * 3 + (1,) * 6))
    assert growing.evaluate(WIDE, n) > WIDE.number(10) ** 400_000


def test_cost_grows_with_the_logarithm(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = forms_of(spec(3, "one", (1,) * 21))
    made = []
    whole = Piece.then
    monkeypatch.setattr(Piece, "then", lambda x, y: (made.append(1), whole(x, y))[1])
    forms.evaluate(WIDE, 2**40)
    assert len(made) <= 45
