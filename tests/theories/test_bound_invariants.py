"""What must hold for every chain: order, scaling, splitting, and agreement of number kinds."""

from __future__ import annotations

from dataclasses import Field, replace
from dataclasses import fields as all_fields
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    CONSTANTS,
    SIZES,
    ZERO,
    chains,
    lengths,
    levels,
    perturbed_chains,
    positive_sizes,
    uniform_constants,
)
from theories import literal

from boundcalc.arithmetic import FLOATS, RATIONALS, SYMBOLS, WIDE, Arithmetic
from boundcalc.graph import ChainConstants, Levels, UniformConstants
from boundcalc.theories.perturbed import sharp, sites, sums

F = Fraction


def fields(item: Any) -> list[Field[Any]]:
    """All but what is no number."""
    return [f for f in all_fields(item) if f.name != "dependence"]


Case = tuple[ChainConstants, Levels]


def bounds(c: ChainConstants, x: Levels, kind: Arithmetic = RATIONALS) -> tuple[Any, Any, Any]:
    """ζ², β² and capped β² of the general form."""
    second = sharp.general(c, x, kind)
    plain = sharp.means(c, x, second, kind, capped=False)
    capped = sharp.means(c, x, second, kind, capped=True)
    return second.total(), plain.total(), capped.total()


def centred_bounds(c: ChainConstants, x: Levels) -> tuple[Any, Any]:
    c, x = literal.converted(c, WIDE.number), literal.converted(x, WIDE.number)
    second = sharp.centred(c, x, WIDE, forward=True, backward=True)
    return second.total(), sharp.means(c, x, second, WIDE, capped=True).total()


def raised(row: tuple[F, ...], position: int, by: F) -> tuple[F, ...]:
    return tuple(x + by if k == position else x for k, x in enumerate(row))


@settings(deadline=None, max_examples=120)
@given(perturbed_chains(), st.data(), positive_sizes())
def test_bounds_grow_with_every_constant_and_level(case: Case, data: Any, by: F) -> None:
    c, x = case
    k = data.draw(st.integers(1, c.size))
    name = data.draw(st.sampled_from([*CONSTANTS, "e", "m", "eps", "n"]))
    if name in CONSTANTS:
        after = replace(c, **{name: raised(getattr(c, name), k, by)}), x
    else:
        after = c, replace(x, **{name: raised(getattr(x, name), k, by)})
    for low, high in zip(bounds(c, x), bounds(*after), strict=True):
        assert low <= high
    if name not in ("m", "n"):
        slack = 1 + WIDE.number(F(1, 10**30))
        for low, high in zip(centred_bounds(c, x), centred_bounds(*after), strict=True):
            assert low <= high * slack


@settings(deadline=None, max_examples=60)
@given(st.data(), positive_sizes())
def test_printed_bounds_grow_with_every_constant(data: Any, by: F) -> None:
    size = data.draw(lengths())
    c, x = data.draw(uniform_constants(size)), data.draw(levels(size))
    name = data.draw(st.sampled_from(["jac", "lip", "hess", "hess_op", "third"]))
    after = replace(c, **{name: getattr(c, name) + by})
    for corrected in (False, True):
        low = sums.coefficients(c, RATIONALS, corrected=corrected)
        high = sums.coefficients(after, RATIONALS, corrected=corrected)
        assert sums.error_bound(low, x, RATIONALS) <= sums.error_bound(high, x, RATIONALS)
        assert sums.bias_bound(low, x, RATIONALS) <= sums.bias_bound(high, x, RATIONALS)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_perturbation_means_no_error(data: Any) -> None:
    size = data.draw(lengths())
    c, uniform = data.draw(chains(size)), data.draw(uniform_constants(size))
    none = (ZERO,) * (size + 1)
    x = Levels(e=none, m=none, q=none, eps=none, n=none)
    assert bounds(c, x) == (0, 0, 0)
    assert sharp.centred(c, x, RATIONALS, forward=True, backward=True).total() == 0
    for corrected in (False, True):
        found = sums.coefficients(uniform, RATIONALS, corrected=corrected)
        assert sums.error_bound(found, x, RATIONALS) == 0
        assert sums.bias_bound(found, x, RATIONALS) == 0


@settings(deadline=None, max_examples=60)
@given(perturbed_chains(), positive_sizes())
def test_scaling_the_levels(case: Case, t: F) -> None:
    c, x = case
    scaled = replace(x, e=tuple(t * v for v in x.e), eps=tuple(t * v for v in x.eps))
    before, after = bounds(c, x), bounds(c, scaled)
    assert after[0] == t**2 * before[0]
    # the bias is linear in the means and quadratic in e
    squared = replace(scaled, m=tuple(t**2 * v for v in x.m), n=tuple(t**2 * v for v in x.n))
    assert bounds(c, squared)[1] == t**4 * before[1]
    centred, rescaled = centred_bounds(c, x)[0], centred_bounds(c, scaled)[0]
    assert abs(rescaled - WIDE.number(t**2) * centred) <= WIDE.number(F(1, 10**30)) * rescaled


def with_identity(c: ChainConstants, x: Levels, position: int) -> Case:
    """The chain with y ↦ y put in before operator ``position`` (N + 1: after the last)."""
    one = F(1)

    def put(row: tuple[Any, ...], value: F) -> tuple[Any, ...]:
        return (*row[:position], value, *row[position:])

    values = {"a": one, "l": one}
    chain = {name: put(getattr(c, name), values.get(name, ZERO)) for name in CONSTANTS}
    size = {f.name: put(getattr(x, f.name), ZERO) for f in fields(x)}
    return ChainConstants(**chain), Levels(**size)


@settings(deadline=None, max_examples=100)
@given(perturbed_chains(), st.data())
def test_an_identity_operator_changes_nothing(case: Case, data: Any) -> None:
    c, x = case
    position = data.draw(st.integers(1, c.size + 1))
    longer = with_identity(c, x, position)
    # The perturbation of the loss's output and the one that goes to the data stay idle.
    assert bounds(*longer) == bounds(c, x)
    for before, after in zip(centred_bounds(c, x), centred_bounds(*longer), strict=True):
        assert abs(before - after) <= WIDE.number(F(1, 10**30)) * before
    assert sites.gram_matrix(c, RATIONALS) == _without(
        sites.gram_matrix(longer[0], RATIONALS), c, position
    )


def _without(G: list[list[F]], c: ChainConstants, position: int) -> list[list[F]]:
    """The Gram matrix without the rows and columns of the identity's own sites."""
    N = c.size
    # Sites of the longer chain: δ_1..δ_N, ε_2..ε_{N+1}.  Left out are δ of the identity and ε
    # into it; at the ends, those that only the longer chain can feel.
    dropped_forward = min(position, N)
    dropped_backward = max(position, 2)
    drop = {dropped_forward - 1, N + dropped_backward - 2}
    kept = [k for k in range(2 * N) if k not in drop]
    return [[G[j][k] for k in kept] for j in kept]


@settings(deadline=None, max_examples=100)
@given(perturbed_chains())
def test_the_families_are_ordered(case: Case) -> None:
    c, x = case
    jac, hess = max(*c.a[1:], *c.b[1:]), max(*c.A[1:], *c.B[1:])
    uniform = UniformConstants(
        c.size, jac=jac, lip=max(c.l[1:]), hess=hess, hess_op=hess, third=max(*c.A3, *c.B3)
    )
    printed = sums.coefficients(uniform, RATIONALS, corrected=False)
    corrected = sums.coefficients(uniform, RATIONALS, corrected=True)
    error, _, capped = bounds(c, x)
    assert error <= sums.error_bound(printed, x, RATIONALS)
    assert sums.error_bound(printed, x, RATIONALS) <= sums.error_bound(corrected, x, RATIONALS)
    # a mean never exceeds the root mean square
    assert capped <= error
    second = sharp.general(c, x, RATIONALS)
    mean = sharp.means(c, x, second, RATIONALS, capped=True)
    for own, size in zip(mean.gradient, second.gradient, strict=True):
        assert own <= size
    assert all(u <= s for u, s in zip(mean.mu[1:-1], second.s[1:-1], strict=True))
    assert all(beta <= R for beta, R in zip(mean.beta, second.R, strict=True))


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_printed_error_bound_follows_from_the_sharp_one(data: Any) -> None:
    # Proposition 4.6 where it is tightest: uniform constants.
    size = data.draw(lengths(2, 9))
    u, x = data.draw(uniform_constants(size)), data.draw(levels(size))
    row = {
        name: (ZERO, *[value] * size)
        for name, value in zip(
            CONSTANTS, (u.jac, u.jac, u.lip, u.hess, u.hess, ZERO, ZERO), strict=True
        )
    }
    printed = sums.coefficients(u, RATIONALS, corrected=False)
    error = sharp.general(ChainConstants(**row), x, RATIONALS).total()
    assert error <= sums.error_bound(printed, x, RATIONALS)


# -- number kinds ----------------------------------------------------------------------------------


def near(found: Any, expected: F) -> bool:
    return abs(float(found) - float(expected)) <= 1e-12 * abs(float(expected))


@pytest.mark.parametrize("kind", [WIDE, FLOATS], ids=["wide", "floats"])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_number_kinds_agree(kind: Arithmetic, data: Any) -> None:
    c, x = data.draw(perturbed_chains())
    u = data.draw(uniform_constants(c.size))
    other_c, other_x = literal.converted(c, kind.number), literal.converted(x, kind.number)
    for found, expected in zip(bounds(other_c, other_x, kind), bounds(c, x), strict=True):
        assert near(found, expected)
    for corrected in (False, True):
        found = sums.coefficients(literal.converted(u, kind.number), kind, corrected=corrected)
        expected = sums.coefficients(u, RATIONALS, corrected=corrected)
        for f in fields(found):
            for a, b in zip(getattr(found, f.name), getattr(expected, f.name), strict=True):
                assert near(a, b)
    found_sites, expected_sites = (
        sites.site_coefficients(other_c, kind),
        sites.site_coefficients(c, RATIONALS),
    )
    for f in fields(found_sites):
        for a, b in zip(getattr(found_sites, f.name), getattr(expected_sites, f.name), strict=True):
            assert near(a, b)


@settings(deadline=None, max_examples=20)
@given(lengths(2, 5), st.integers(2, 6), st.data())
def test_floats_take_many_parameter_sets_at_once(size: int, count: int, data: Any) -> None:
    cs = [data.draw(chains(size)) for _ in range(count)]
    xs = [data.draw(levels(size)) for _ in range(count)]
    us = [data.draw(uniform_constants(size)) for _ in range(count)]

    def stacked(items: list[Any]) -> Any:
        parts: dict[str, Any] = {}
        for f in fields(items[0]):
            values = [getattr(item, f.name) for item in items]
            if isinstance(values[0], tuple):
                parts[f.name] = tuple(
                    np.array(column, dtype=float) for column in zip(*values, strict=True)
                )
            else:
                parts[f.name] = values[0] if f.name == "size" else np.array(values, dtype=float)
        return type(items[0])(**parts)

    c, x, u = stacked(cs), stacked(xs), stacked(us)
    for found, expected in zip(
        bounds(c, x, FLOATS), zip(*map(bounds, cs, xs), strict=True), strict=True
    ):
        np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-12)
    second = sharp.centred(c, x, FLOATS, forward=True, backward=True)
    expected = [float(centred_bounds(*pair)[0]) for pair in zip(cs, xs, strict=True)]
    np.testing.assert_allclose(second.total(), expected, rtol=1e-12)
    G = sites.gram_matrix(c, FLOATS)
    for j, row in enumerate(G):
        for k, entry in enumerate(row):
            own = [float(sites.gram_matrix(one, RATIONALS)[j][k]) for one in cs]
            np.testing.assert_allclose(np.broadcast_to(entry, count), own, rtol=1e-12)
    for corrected in (False, True):
        found = sums.coefficients(u, FLOATS, corrected=corrected)
        total = sums.error_bound(found, x, FLOATS), sums.bias_bound(found, x, FLOATS)
        singles = [sums.coefficients(one, RATIONALS, corrected=corrected) for one in us]
        errors = [sums.error_bound(s, y, RATIONALS) for s, y in zip(singles, xs, strict=True)]
        biases = [sums.bias_bound(s, y, RATIONALS) for s, y in zip(singles, xs, strict=True)]
        np.testing.assert_allclose(total[0], np.array(errors, dtype=float), rtol=1e-12)
        np.testing.assert_allclose(total[1], np.array(biases, dtype=float), rtol=1e-12)


@settings(deadline=None, max_examples=6)
@given(perturbed_chains(2, 4, pool=SIZES[1:]))
def test_formulas_evaluate_to_the_exact_numbers(case: Case) -> None:
    c, x = case
    values: dict[sympy.Symbol, sympy.Rational] = {}

    def named(item: Any) -> Any:
        parts = {}
        for f in fields(item):
            row = getattr(item, f.name)
            letters = tuple(SYMBOLS.symbol(f"{f.name}_{k}") for k in range(1, len(row)))
            values.update(zip(letters, map(SYMBOLS.number, row[1:]), strict=True))
            parts[f.name] = (SYMBOLS.number(0), *letters)
        return type(item)(**parts)

    symbols, sizes = named(c), named(x)
    error, bias, _ = bounds(symbols, sizes, _Uncapped())
    expected = bounds(c, x)
    assert error.subs(values) == SYMBOLS.number(expected[0])
    assert bias.subs(values) == SYMBOLS.number(expected[1])
    centred = sharp.centred(symbols, sizes, SYMBOLS, forward=True, backward=True).total()
    found = centred.subs(values).evalf(40)
    other = centred_bounds(c, x)[0]
    assert abs(found - sympy.Float(str(other), 40)) <= abs(found) * sympy.Float("1e-30")


class _Uncapped:
    """SYMBOLS, with the caps of Lemma 4.4 left alone: Min of long expressions is slow."""

    def __getattr__(self, name: str) -> Any:
        return (lambda x, y: x) if name == "minimum" else getattr(SYMBOLS, name)


@settings(deadline=None, max_examples=10)
@given(lengths(2, 4).flatmap(uniform_constants))
def test_printed_formulas_evaluate_to_the_exact_numbers(u: UniformConstants) -> None:
    letters = {f.name: SYMBOLS.symbol(f.name) for f in fields(u) if f.name != "size"}
    values = {letter: SYMBOLS.number(getattr(u, name)) for name, letter in letters.items()}
    for corrected in (False, True):
        found = sums.coefficients(UniformConstants(u.size, **letters), SYMBOLS, corrected=corrected)
        expected = sums.coefficients(u, RATIONALS, corrected=corrected)
        for f in fields(found):
            for a, b in zip(getattr(found, f.name), getattr(expected, f.name), strict=True):
                assert a.subs(values) == SYMBOLS.number(b)
