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
from boundcalc.theories.perturbed.repeated import (
    CONVENTION,
    Refused,
    RepeatedForms,
    repeated_forms,
)

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


def refusal(text: str) -> str:
    found = repeated_forms(bc.build(bc.loads(text)))
    assert isinstance(found, Refused)
    assert found.json() == {"reason": found.reason}
    return found.reason


# -- the formulas ----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", BLOCKS)
@settings(deadline=None, max_examples=5)
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
        r"S_{\tau \tau} &= 2 C h_{n}\!\left(1, 1, C, C^{2}\right) + h_{n}\!\left(1, 1, C^{2}\right)",
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
@pytest.mark.parametrize("at", ["x", "x, 'r.*.h'"])
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


# -- refusals --------------------------------------------------------------------------------------

ONES = "constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, %s}" % THIRD


def small(operators: str, perturbations: str = "[]", n: str = "3") -> str:
    return (
        f"{{version: 1, name: t, symbols: {{n: {n}, m: 2}}, graph: {{operators: [{operators}]}}, "
        f"perturbations: {perturbations}}}"
    ).replace("ONES", ONES)


BEFORE, AFTER = "{id: x, ONES}, ", ", {id: loss, ONES}"
BLOCK = "{id: f, repeat: n, ONES}"


def test_without_a_symbolic_count_there_is_nothing_to_say() -> None:
    assert repeated_forms(bc.build(bc.loads(small("{id: f, repeat: 3, ONES}")))) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (small(BEFORE + BLOCK + ", {id: g, repeat: m, ONES}"), "several sections are repeated"),
        (
            small(BEFORE + "{id: b, repeat: 2, block: [{id: f, repeat: n, ONES}]}"),
            "f, which is repeated by a symbol, stands in another block",
        ),
        (
            small(BEFORE + BLOCK, "[{at: x, pass: forward, rms: n}]"),
            "n occurs in constants, parameters or levels as well",
        ),
        (
            small(BEFORE + BLOCK + ", {id: g, type: sine, scale: n}"),
            "n occurs in constants, parameters or levels as well",
        ),
        (
            small(BEFORE + BLOCK, "[{at: f.3, pass: forward, rms: 1}]", "4"),
            "repeat 3 of f is perturbed in another way",
        ),
        (
            small(BEFORE + BLOCK + AFTER, "[{at: f.3, pass: backward, rms: 1}]"),
            "repeat 3 of f is perturbed in another way",
        ),
        (small(BEFORE + BLOCK, n="1"), "it takes two repeats of f that are alike"),
        (small(BLOCK, n="2"), "set n to 3 or more"),
        (
            small(BEFORE + BLOCK + ", {id: g, inputs: [x, f], ONES}"),
            "g reads x: a path around a repeat",
        ),
        (
            small(BEFORE + BLOCK + ", {id: g, inputs: [f.2, f], ONES}"),
            "a path around a repeat",
        ),
        (
            small(BEFORE + "{id: b, repeat: n, block: [{id: f, weights: w, ONES}]}"),
            "share weights",
        ),
        (
            small(
                BEFORE + "{id: b, repeat: n, block: [{id: f, inputs: [], ONES}, "
                "{id: g, inputs: [input, f], ONES}]}, {id: h, inputs: [b, b.2.f], ONES}"
            ),
            "a path around a repeat",
        ),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    assert reason in refusal(text)


def test_regions_that_grow_are_named() -> None:
    text = """
version: 1
name: t
symbols: {n: 4}
graph:
  input: {low: -1, high: 1}
  operators:
    - {id: x, type: dense, units: 1, region: {weight: 1}}
    - {id: r, repeat: n, block: [{id: g, type: dense, units: 1, region: {weight: 2}}]}
    - {id: loss, type: sigmoid}
perturbations: []
"""
    assert refusal(text) == (
        "repeat 3 of r has other constants than the others: those of r.3.g are derived on "
        "regions that grow; give `region` to them"
    )


def test_norms_across_repeats() -> None:
    text = """
version: 1
name: t
symbols: {n: 4}
graph:
  input: {low: -1, high: 1}
  operators:
    - {id: x, type: tanh}
    - {id: r, repeat: n, block: [{id: g, type: dense, units: 2, trainable: false,
       initial: {normal: 1}, region: {input: 9}}]}
    - {id: loss, type: dense, units: 1, trainable: false, initial: {normal: 1}}
perturbations: []
"""
    assert "have one norm together" in refusal(text)


@pytest.mark.parametrize("n", [0, -1, True, 1.0])
def test_a_count_is_a_whole_number(n: Any) -> None:
    with pytest.raises(SpecError, match="a count is no whole number"):
        forms_of(small(BEFORE + BLOCK)).evaluate(RATIONALS, n)


# -- pieces ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150)
@given(perturbed_graphs(kinks=True))
def test_a_whole_graph_is_a_piece(case: tuple[GraphConstants, Levels]) -> None:
    g, x = case
    found = piece(g, x.e, x.eps, RATIONALS, moving=False)
    assert found.error(F(0), F(1), F(0)) == sharp.general(g, x, RATIONALS).total()


@settings(deadline=None, max_examples=60)
@given(rows(5), rows(5))
def test_a_run_in_a_piece(e: tuple[F, ...], eps: tuple[F, ...]) -> None:
    zero = (F(0),) * 6
    x = Levels((F(0), *e), zero, zero, (F(0), *eps), zero)
    for norm in (7, 12, 13):
        g = chained((0, 2, 3, 2, 5), (1, 1, 1, 1, 1), runs=(Run((2, 3, 4), F(norm), True),))
        found = piece(g, x.e, x.eps, RATIONALS, moving=False)
        assert found.error(F(0), F(1), F(0)) == sharp.general(g, x, RATIONALS).total()


def pieces() -> st.SearchStrategy[Piece]:
    def made(numbers: tuple[F, ...]) -> Piece:
        vectors = (numbers[6:10], numbers[10:14])
        Q = tuple(tuple(sum(v[i] * v[j] for v in vectors) for j in range(4)) for i in range(4))
        return Piece(*numbers[:6], Q)

    return rows(14).map(made)


@settings(deadline=None)
@given(pieces(), pieces(), pieces(), st.integers(0, 9))
def test_pieces_are_a_monoid(x: Piece, y: Piece, z: Piece, count: int) -> None:
    assert x.then(y).then(z) == x.then(y.then(z))
    nothing = Piece.nothing(RATIONALS)
    assert x.then(nothing) == x == nothing.then(x)
    expected = nothing
    for _ in range(count):
        expected = expected.then(x)
    assert x.repeated(count, RATIONALS) == expected


# -- sums of geometric sequences -------------------------------------------------------------------


def homogeneous(M: int, nodes: tuple[F, ...]) -> F:
    """h_M by its definition: all products of degree M − r + 1."""
    degree = M - len(nodes) + 1
    if not nodes[1:]:
        return nodes[0] ** M
    return sum((nodes[0] ** k * homogeneous(M - k - 1, nodes[1:]) for k in range(degree + 1)), F(0))


@settings(deadline=None)
@given(st.integers(0, 9), st.lists(st.sampled_from(SIZES), min_size=1, max_size=4))
def test_divided_power(M: int, nodes: list[F]) -> None:
    expected = homogeneous(M, tuple(nodes))
    assert divided_power(M, tuple(nodes)) == expected
    arguments = [rational(x) for x in nodes]
    assert h(M, *arguments).doit() == rational(expected)
    count = sympy.Symbol("M")
    if 0 not in nodes:
        assert h(count, *arguments).doit().subs(count, M) == rational(expected)


sequences = st.lists(
    st.tuples(
        st.sampled_from(["", "x", "y", "xy"]),
        st.lists(st.sampled_from(["", "x", "y", "xy", "xx"]), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=2,
).map(lambda terms: sum((Geometric.of([monomial(*n) for n in nodes], *f) for f, nodes in terms),
                        Geometric({})))  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(sequences, sequences, *[st.sampled_from([F(0), F(1), F(2), F(1, 2)])] * 2)
def test_sequences_are_closed(p: Geometric, q: Geometric, x: F, y: F) -> None:
    letters = {"x": rational(x), "y": rational(y)}

    def entry(sequence: Geometric, M: int) -> Any:
        return sequence.expression(M, letters).doit()

    for M in range(5):
        assert entry(p + q, M) == entry(p, M) + entry(q, M)
        assert entry(p * q, M) == entry(p, M) * entry(q, M)
        sums = sum(entry(p, k) * entry(q, M - 1 - k) for k in range(M))
        assert entry(p.convolved(q), M) == sums
