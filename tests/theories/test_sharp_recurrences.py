"""Theorems 4.1 to 4.3 and Lemma 4.4 against sums over operators; the values of section 4.5."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import constant_chain, forward_levels, perturbed_chains
from theories import literal

from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.graph import ChainConstants, Levels, UniformConstants
from boundcalc.theories.perturbed import sharp, sums

F = Fraction

REFERENCE = mpmath.MPContext()
REFERENCE.prec = 240


def high(value: Any) -> Any:
    """A rational or wide number at 240 bits."""
    if isinstance(value, F | int):
        return REFERENCE.mpf(F(value).numerator) / F(value).denominator
    return REFERENCE.mpf(value)


def close(found: Any, expected: Any, tolerance: str = "1e-30") -> bool:
    found, expected = high(found), high(expected)
    return bool(abs(found - expected) <= REFERENCE.mpf(tolerance) * abs(expected))


def by_operator(row: tuple[Any, ...], low: int, high_: int) -> dict[int, Any]:
    return {i: row[i] for i in range(low, high_ + 1)}


@settings(deadline=None, max_examples=80)
@given(perturbed_chains())
def test_second_moments(case: tuple[ChainConstants, Levels]) -> None:
    c, x = case
    N = c.size
    found, expected = sharp.general(c, x, RATIONALS), literal.sharp(c, x)
    assert by_operator(found.V, 1, N) == expected.V
    assert by_operator(found.s, 0, N - 1) == expected.s
    assert by_operator(found.R, 1, N) == expected.R
    assert by_operator(found.gradient, 1, N) == expected.error
    assert found.total() == expected.zeta2


@pytest.mark.parametrize("capped", [False, True])
@settings(deadline=None, max_examples=80)
@given(perturbed_chains())
def test_means(capped: bool, case: tuple[ChainConstants, Levels]) -> None:
    c, x = case
    N = c.size
    second = sharp.general(c, x, RATIONALS)
    found = sharp.means(c, x, second, RATIONALS, capped=capped)
    expected = literal.sharp(c, x, capped=capped)
    assert by_operator(found.mu, 0, N - 1) == expected.mu
    assert by_operator(found.beta, 1, N) == expected.beta
    assert by_operator(found.gradient, 1, N) == expected.bias
    assert found.total() == expected.beta2


@settings(deadline=None, max_examples=60)
@given(perturbed_chains())
def test_backward_means_add_through_jacobians(case: tuple[ChainConstants, Levels]) -> None:
    # Without forward perturbations the bias of u_i is b_i ν_i, ν_i = Σ_k a_{i+1}⋯a_{k−1} n_k.
    c, x = case
    none = (F(0),) * (c.size + 1)
    x = replace(x, e=none, m=none)
    found = sharp.means(c, x, sharp.general(c, x, RATIONALS), RATIONALS, capped=False)
    for i in range(1, c.size + 1):
        total, factor = F(0), F(1)
        for k in range(i + 1, c.size + 1):
            total, factor = total + factor * x.n[k], factor * c.a[k]
        assert found.nu[i] == total
        assert found.gradient[i] == (c.b[i] * total) ** 2


@pytest.mark.parametrize(
    ("size", "error", "bias", "capped"),
    [(2, 2, F(1, 2), F(1, 2)), (3, 22, F(225, 4), 22)],
)
def test_values_of_the_text(size: int, error: int, bias: F, capped: F) -> None:
    c, x = constant_chain(size), forward_levels(*[1] * size)
    second = sharp.general(c, x, RATIONALS)
    assert second.total() == error
    assert sharp.means(c, x, second, RATIONALS, capped=False).total() == bias
    assert sharp.means(c, x, second, RATIONALS, capped=True).total() == capped


@pytest.mark.parametrize(
    ("size", "ratio", "digits"), [(2, "8", 1), (5, "24.7", 3), (10, "5.9e3", 2), (50, "2.4e31", 2)]
)
def test_ratio_of_published_to_sharp(size: int, ratio: str, digits: int) -> None:
    c, x = constant_chain(size), forward_levels(*[1] * size)
    printed = sums.coefficients(UniformConstants(size, *[F(1)] * 5), RATIONALS, corrected=False)
    quotient = sums.error_bound(printed, x, RATIONALS) / sharp.general(c, x, RATIONALS).total()
    assert mpmath.mpf(mpmath.nstr(high(quotient), digits)) == mpmath.mpf(ratio)


def test_five_operators() -> None:
    c, x = constant_chain(5), forward_levels(*[1] * 5)
    printed = sums.coefficients(UniformConstants(5, *[F(1)] * 5), RATIONALS, corrected=False)
    assert sharp.general(c, x, RATIONALS).total() == 346
    assert sums.error_bound(printed, x, RATIONALS) == 8552


def test_bias_may_exceed_the_corrected_one() -> None:
    # Section 4.7: N = 3, all constants 1 but A′ = B′ = 0, e = (1e-4, 0.1).
    c = replace(constant_chain(3), A3=(F(0),) * 4, B3=(F(0),) * 4)
    x = forward_levels(F(1, 10**4), F(1, 10), 0)
    bias = sharp.means(c, x, sharp.general(c, x, RATIONALS), RATIONALS, capped=False).total()
    uniform = UniformConstants(3, *[F(1)] * 4, F(0))
    corrected = sums.bias_bound(sums.coefficients(uniform, RATIONALS, corrected=True), x, RATIONALS)
    assert mpmath.nstr(high(bias), 2) == "2.0e-10"
    # 832·1e-16 is C̃^b_{δ_1} e_1⁴ = 832e-16 alone; C̃^b_{δ_2} = 0
    assert corrected == F(832, 10**16)
    assert mpmath.nstr(high(corrected), 2) == "8.3e-14"


centring = st.sampled_from([(True, True), (True, False), (False, True)])


@st.composite
def centred_cases(draw: Any) -> Any:
    forward, backward = draw(centring)
    c, x = draw(perturbed_chains(forward_centred=forward, backward_centred=backward))
    return forward, backward, c, x


@settings(deadline=None, max_examples=80)
@given(centred_cases())
def test_zero_mean_form(case: tuple[bool, bool, ChainConstants, Levels]) -> None:
    forward, backward, c, x = case
    wide_c, wide_x = literal.converted(c, WIDE.number), literal.converted(x, WIDE.number)
    second = sharp.centred(wide_c, wide_x, WIDE, forward=forward, backward=backward)
    expected = literal.sharp(
        literal.converted(c, high),
        literal.converted(x, high),
        forward=forward,
        backward=backward,
        root=REFERENCE.sqrt,
    )
    assert close(second.total(), expected.zeta2)
    for i in range(1, c.size + 1):
        assert close(second.gradient[i], expected.error[i])
        assert close(second.R[i], expected.R[i])
        assert close(second.s[i - 1], expected.s[i - 1])
    for capped in (False, True):
        expected = literal.sharp(
            literal.converted(c, high),
            literal.converted(x, high),
            forward=forward,
            backward=backward,
            capped=capped,
            root=REFERENCE.sqrt,
        )
        found = sharp.means(wide_c, wide_x, second, WIDE, capped=capped)
        assert close(found.total(), expected.beta2)


@settings(deadline=None, max_examples=50)
@given(perturbed_chains())
def test_uncentred_form_is_the_general_one(case: tuple[ChainConstants, Levels]) -> None:
    c, x = case
    found = sharp.centred(c, x, RATIONALS, forward=False, backward=False)
    general = sharp.general(c, x, RATIONALS)
    assert (found.V, found.R, found.gradient) == (general.V, general.R, general.gradient)
    assert found.s[: c.size] == general.s[: c.size]


@settings(deadline=None, max_examples=50)
@given(perturbed_chains())
def test_backward_centred_form_is_exact_and_below_the_general_one(
    case: tuple[ChainConstants, Levels],
) -> None:
    c, x = case
    found = sharp.centred(c, x, RATIONALS, forward=False, backward=True)
    assert by_operator(found.gradient, 1, c.size) == literal.sharp(c, x, backward=True).error
    for own, general in zip(found.gradient, sharp.general(c, x, RATIONALS).gradient, strict=True):
        assert own <= general


@settings(deadline=None, max_examples=50)
@given(centred_cases())
def test_zero_means_never_cost(case: tuple[bool, bool, ChainConstants, Levels]) -> None:
    forward, backward, c, x = case
    c, x = literal.converted(c, WIDE.number), literal.converted(x, WIDE.number)
    second = sharp.centred(c, x, WIDE, forward=forward, backward=backward)
    general = sharp.general(c, x, WIDE)
    slack = 1 + WIDE.number(F(1, 10**30))
    for own, other in zip(second.gradient, general.gradient, strict=True):
        assert own <= other * slack
    for capped in (False, True):
        own = sharp.means(c, x, second, WIDE, capped=capped).total()
        assert own <= sharp.means(c, x, general, WIDE, capped=capped).total() * slack


def test_zero_mean_form_in_exact_numbers() -> None:
    # e = (3, 4), ℓ = 1: s_2 = √(9 + 16) = 5, an exact root.
    c, x = constant_chain(3), forward_levels(3, 4, 0)
    second = sharp.centred(c, x, RATIONALS, forward=True, backward=True)
    assert second.s[:3] == (0, 3, 5)
    assert second.R[1:] == (8, 5, 0)
    assert second.gradient[1:] == (64, 64, 25)


def test_means_that_matter_are_those_that_reach_the_gradient() -> None:
    none, one = (F(0),) * 4, F(1)

    def at(i: int) -> tuple[F, ...]:
        return tuple(one if k == i else F(0) for k in range(4))

    centred = Levels(e=none, m=none, q=none, eps=none, n=none)
    assert centred.forward_centred
    assert centred.backward_centred
    assert [replace(centred, m=at(i)).forward_centred for i in (1, 2, 3)] == [False, False, True]
    assert [replace(centred, n=at(i)).backward_centred for i in (1, 2, 3)] == [True, False, False]
