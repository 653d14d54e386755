"""Closed forms and printed formulas against the sums of section 2 and the sums of section 4."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import POSITIVE, positive_sizes, rows
from theories import literal

from boundcalc import build, coefficients, loads
from boundcalc.arithmetic import RATIONALS
from boundcalc.graph import ChainConstants, Levels, UniformConstants
from boundcalc.theories.perturbed import formulas
from boundcalc.theories.perturbed.families import COLUMNS, FAMILIES
from boundcalc.theories.perturbed.formulas import (
    C2,
    L2,
    A,
    B,
    C,
    Cv,
    Lf,
    Lg,
    N,
    a,
    b,
    closed_forms,
    h,
    i,
    l,
)

F = Fraction

closed = cache(closed_forms)


def rational(value: F) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


def shift(column: str) -> int:
    """A column's entry i is the coefficient of δ_i or ε_{i+1}."""
    return 1 if "backward" in column else 0


def printed_values(c: UniformConstants) -> dict[Any, Any]:
    values = {C: c.jac, Lf: c.lip, Lg: c.hess, C2: c.hess_op, L2: c.third}
    values[Cv] = max(F(1), c.jac**c.size)
    return {symbol: rational(value) for symbol, value in values.items()} | {N: c.size}


def sharp_values(size: int, row: tuple[F, ...]) -> dict[Any, Any]:
    return dict(zip((a, b, l, A, B), map(rational, row), strict=True)) | {N: size}


def sharp_expected(size: int, row: tuple[F, ...], column: str, site: int) -> F:
    """The coefficient of one site from section 4, with levels 1 at that site alone."""
    names = dict(zip(("a", "b", "l", "A", "B"), row, strict=True))
    parts = {k: (F(0), *[v] * size) for k, v in names.items()}
    none = (F(0),) * (size + 1)
    c = ChainConstants(**parts, A3=none, B3=none)
    unit = tuple(F(int(k == site + shift(column))) for k in range(size + 1))
    levels = {
        "error_forward": Levels(e=unit, m=none, q=none, eps=none, n=none),
        "error_backward": Levels(e=none, m=none, q=none, eps=unit, n=none),
        "bias_forward_mean": Levels(e=none, m=unit, q=none, eps=none, n=none),
        "bias_backward_mean": Levels(e=none, m=none, q=none, eps=none, n=unit),
    }
    found = literal.sharp(c, levels[column])
    return found.zeta2 if column.startswith("error") else found.beta2


@pytest.mark.parametrize("family", ["published", "corrected"])
@pytest.mark.parametrize("size", range(2, 9))
@settings(deadline=None, max_examples=2)
@given(rows(5, POSITIVE))
def test_closed_printed_sums(family: str, size: int, row: tuple[F, ...]) -> None:
    c = UniformConstants(size, *row)
    # no denominator vanishes: 3C² ≠ 1 holds for rationals; also 4C² ≠ 1, 12C⁴ ≠ 1, …
    assume(c.jac != F(1, 2))
    expected = literal.published_sums(c, corrected=family == "corrected")
    for column, expression in closed(family).items():
        at = expression.subs(printed_values(c))
        for site in range(1, size):
            value = at.subs(i, site).doit()
            assert value == rational(getattr(expected, column)[site + shift(column)])


@pytest.mark.parametrize("size", range(2, 9))
@settings(deadline=None, max_examples=3)
@given(rows(5, POSITIVE))
def test_closed_sharp_coefficients(size: int, row: tuple[F, ...]) -> None:
    # a = 1 is no exception: it is written with h; ℓ = 1 and, for the means, a = 1 are.
    assume(row[2] != 1 and row[0] != 1)
    for column, expression in closed("sharp").items():
        if expression is None:
            assert column == "bias_forward_fourth"
            continue
        at = expression.subs(sharp_values(size, row))
        for site in range(1, size):
            assert at.subs(i, site).doit() == rational(sharp_expected(size, row, column, site))


def test_every_column_has_a_closed_form_or_none() -> None:
    for family in FAMILIES:
        assert tuple(closed(family)) == COLUMNS


# -- where a denominator vanishes the limit is meant -----------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "point", "squared"),
    [(C, F(1, 3), True), (C, F(1, 4), True), (Lf, F(1, 2), True), (Lf, F(1, 8), False)],
    ids=["3C²=1", "4C²=1", "2Lf²=1", "8Lf⁴=1"],
)
@pytest.mark.parametrize("family", ["published", "corrected"])
def test_limits_of_the_printed_closed_forms(
    family: str, symbol: Any, point: F, squared: bool
) -> None:
    size, row = 4, (F(2), F(3, 2), F(5, 3), F(7, 4), F(9, 5))
    base = UniformConstants(size, *row)
    values = printed_values(base)
    name = "jac" if symbol is C else "lip"
    # exact sums with the square (or fourth power) as a free rational: written with √ they cancel
    critical = sympy.sqrt(rational(point)) if squared else sympy.root(rational(point), 4)
    exact = UniformConstants(
        size, **{f: rational(getattr(base, f)) for f in ("jac", "lip", "hess", "hess_op", "third")}
        | {name: critical},
    )  # fmt: skip
    if symbol is C:
        values[Cv] = sympy.Integer(1)
    expected = literal.published_sums(exact, corrected=family == "corrected")
    del values[symbol]
    for column, expression in closed(family).items():
        for site in (1, size - 1):
            formula = expression.subs(values).subs(i, site).doit()
            nearby = [formula.subs(symbol, critical + rational(F(e, 10**15))) for e in (-1, 1)]
            low, high = (sympy.N(value, 60, maxn=400) for value in nearby)
            target = sympy.N(getattr(expected, column)[site + shift(column)], 60)
            assert abs((low + high) / 2 - target) <= abs(target) * sympy.Float("1e-25")


def test_exact_limits_by_sympy() -> None:
    size, site = 3, 1
    one = {N: size, i: site, Lf: 1, Lg: 1, C2: 1, L2: 1, Cv: 1}
    for family in ("published", "corrected"):
        for column, expression in closed(family).items():
            formula = expression.subs(one).doit()
            found = sympy.limit(sympy.together(formula), C, 1 / sympy.sqrt(3))
            c = UniformConstants(size, 1 / sympy.sqrt(3), *[sympy.Integer(1)] * 4)
            expected = literal.published_sums(c, corrected=family == "corrected")
            value = sympy.nsimplify(sympy.expand(getattr(expected, column)[site + shift(column)]))
            assert sympy.simplify(found - value) == 0


@pytest.mark.parametrize("size", [2, 3])
def test_limit_of_the_sharp_closed_forms(size: int) -> None:
    row = (F(1), F(3, 2), F(1), F(2, 3), F(5, 4))  # a = ℓ = 1
    values = sharp_values(size, row)
    for free in (a, l):
        del values[free]
    for column, expression in closed("sharp").items():
        if expression is None:
            continue
        for site in range(1, size):
            formula = sympy.together(expression.subs(values).subs(i, site).doit())
            found = sympy.limit(sympy.limit(formula, l, 1), a, 1)
            assert found == rational(sharp_expected(size, row, column, site))


def test_geometric_quotient() -> None:
    for M in range(6):
        for x, y in ((2, 3), (5, 1), (F(1, 2), F(3, 4)), (7, 7), (1, 1)):
            total = sum((F(x) ** k * F(y) ** (M - 1 - k) for k in range(M)), F(0))
            assert h(M, rational(F(x)), rational(F(y))).doit() == rational(total)
    x, y = sympy.symbols("x y")
    assert h(2, x, y).doit() == (x**2 - y**2) / (x - y)
    assert h(3, x, x).doit() == 3 * x**2
    # arguments are evaluated first
    assert h(2, h(2, 1, 1), 2).doit() == 4


# -- formulas operator by operator -----------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3, 4])
@settings(deadline=None, max_examples=3)
@given(st.data())
def test_generic_sharp_formulas(size: int, data: Any) -> None:
    row = data.draw(rows(7 * size, POSITIVE))
    letters = ("a", "b", r"\ell", "A", "B", "A'", "B'")
    fields = ("a", "b", "l", "A", "B", "A3", "B3")
    columns = {name: (F(0), *row[k::7]) for k, name in enumerate(fields)}
    c = ChainConstants(**columns)
    values = {
        f"{letter}_{k}": rational(columns[name][k])
        for letter, name in zip(letters, fields, strict=True)
        for k in range(1, size + 1)
    }
    found = formulas.generic(size, FAMILIES["sharp"])
    expected = FAMILIES["sharp"].coefficients(_Chain(c), RATIONALS)  # type: ignore[arg-type]
    for column in COLUMNS:
        for entry, number in zip(found[column], getattr(expected, column), strict=True):
            formula = sympy.sympify(entry)
            names = {letter: re.sub("[{}]", "", letter.name) for letter in formula.free_symbols}
            own = {letter: values[name] for letter, name in names.items()}
            assert formula.subs(own) == rational(number)


class _Chain:
    """Stands in for a graph with these constants."""

    def __init__(self, c: ChainConstants) -> None:
        self.c = c

    def chain_constants(self, kind: Any) -> ChainConstants:
        del kind
        return self.c


@pytest.mark.parametrize("family", ["published", "corrected"])
@pytest.mark.parametrize("size", [2, 3, 4])
@settings(deadline=None, max_examples=3)
@given(rows(5, POSITIVE))
def test_generic_printed_formulas(family: str, size: int, row: tuple[F, ...]) -> None:
    c = UniformConstants(size, *row)
    values = printed_values(c)
    found = formulas.generic(size, FAMILIES[family])
    expected = literal.published_sums(c, corrected=family == "corrected")
    for column in COLUMNS:
        for k, entry in enumerate(found[column]):
            number = getattr(expected, column).get(k, F(0))
            assert sympy.sympify(entry).subs(values) == rational(number)


SPEC = """
version: 1
name: symbols
symbols: {{C: , L: , T: }}
graph:
  uniform: {{jac: C, lip: 1/2, hess: L, hess_op: 2*L, third: T}}
  operators: [{{id: f, repeat: {size}}}]
"""


@settings(deadline=None, max_examples=5)
@given(positive_sizes(), positive_sizes(), positive_sizes())
def test_formulas_in_the_symbols_of_the_spec(C: F, L: F, T: F) -> None:
    size = 3
    graph = build(loads(SPEC.format(size=size)))
    letters = {
        sympy.Symbol(n, positive=True): rational(v) for n, v in zip("CLT", (C, L, T), strict=True)
    }
    uniform = UniformConstants(size, C, F(1, 2), L, 2 * L, T)
    for family in ("published", "corrected"):
        found = formulas.expanded(graph, FAMILIES[family])
        expected = literal.published_sums(uniform, corrected=family == "corrected")
        for column in COLUMNS:
            for k, number in getattr(expected, column).items():
                assert sympy.sympify(found[column][k]).subs(letters) == rational(number)
    found = formulas.expanded(graph, FAMILIES["sharp"])
    row = (C, C, F(1, 2), L, L)
    for column in ("error_forward", "error_backward", "bias_forward_mean", "bias_backward_mean"):
        for site in range(1, size):
            number = sharp_expected(size, row, column, site)
            entry = found[column][site + shift(column)]
            assert sympy.sympify(entry).subs(letters) == rational(number)


def balanced(text: str) -> bool:
    depth = 0
    for k, mark in enumerate(text):
        if mark in "{}" and (k == 0 or text[k - 1] != "\\"):
            depth += 1 if mark == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and text.count(r"\left") == text.count(r"\right")


@pytest.mark.parametrize("family", list(FAMILIES))
def test_latex_is_complete(family: str) -> None:
    printed = formulas.closed_latex(family)
    assert set(printed) == {k for k, v in closed(family).items() if v is not None}
    texts = [*printed.values(), *formulas.RECURRENCES[family], formulas.CONVENTIONS[family]]
    texts += [text % "i" for text, _ in formulas.SYMBOL_OF.values()]
    graph = build(loads(SPEC.format(size=4)))
    found = formulas.coefficient_latex(graph, FAMILIES[family])
    assert found is not None
    assert set(found) == set(COLUMNS)
    for column, entries in found.items():
        own = graph.ids[1:] if "backward" in column else graph.ids[:-1]
        assert tuple(entries) == own
        texts += entries.values()
    for text in texts:
        assert text.strip()
        assert balanced(text), text
        assert "None" not in text
        assert "**" not in text
    compiled = coefficients(graph, family)
    assert compiled.formulas() == found
    assert balanced(compiled._repr_latex_())


def test_symbol_of_each_column_counts_from_its_site() -> None:
    assert set(formulas.SYMBOL_OF) == set(COLUMNS)
    for column, (_, offset) in formulas.SYMBOL_OF.items():
        assert offset == shift(column)


def test_quotient_in_latex() -> None:
    assert sympy.latex(h(N, C, 1)) == r"h_{N}\!\left(C_{\nabla f},\, 1\right)"
    assert sympy.latex(h(N, C, 1) ** 2) == r"h_{N}^{2}\!\left(C_{\nabla f},\, 1\right)"


def test_long_chains_are_not_written_out() -> None:
    for size, written in ((8, True), (9, False)):
        graph = build(loads(SPEC.format(size=size)))
        assert (formulas.coefficient_latex(graph, FAMILIES["sharp"]) is not None) == written


def test_all_ones_by_hand() -> None:
    # N = 3 and all constants 1: the diagonal of G, from the columns of M.
    for column, entries in {"error_forward": (9, 3), "error_backward": (1, 2)}.items():
        for site in (1, 2):
            assert sharp_expected(3, (F(1),) * 5, column, site) == entries[site - 1]
