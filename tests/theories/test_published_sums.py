"""(21), (33a), (33b) and Theorems 1 and 2 of [KZY] against nested loops in exact fractions."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import levels, rows, uniform_constants
from theories import literal

from boundcalc import build, loads
from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.graph import Levels, UniformConstants
from boundcalc.theories.perturbed import sums
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction

FORWARD = ("error_forward", "bias_forward_mean", "bias_forward_fourth")
BACKWARD = ("error_backward", "bias_backward_mean")


def ones(size: int) -> UniformConstants:
    return UniformConstants(size, *[F(1)] * 5)


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("size", range(2, 13))
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_coefficients_are_the_printed_sums(size: int, corrected: bool, data: Any) -> None:
    c = data.draw(uniform_constants(size))
    found = sums.coefficients(c, RATIONALS, corrected=corrected)
    expected = literal.published_sums(c, corrected=corrected)
    for name in FORWARD:
        column, sites = getattr(found, name), getattr(expected, name)
        assert len(column) == size + 1
        assert {i: column[i] for i in range(1, size)} == sites
    for name in BACKWARD:
        column, sites = getattr(found, name), getattr(expected, name)
        assert len(column) == size + 1
        assert {i: column[i] for i in range(2, size + 1)} == sites


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_bounds_are_sums_of_coefficient_times_moment(data: Any) -> None:
    size = data.draw(st.integers(2, 6))
    c, x = data.draw(uniform_constants(size)), data.draw(levels(size))
    for corrected in (False, True):
        found = sums.coefficients(c, RATIONALS, corrected=corrected)
        expected = literal.published_sums(c, corrected=corrected)
        assert sums.error_bound(found, x, RATIONALS) == literal.published_error(expected, x)
        assert sums.bias_bound(found, x, RATIONALS) == literal.published_bias(expected, x)


def test_sites_that_never_reach_the_gradient_have_no_coefficient() -> None:
    # δ_N comes after the loss, ε_1 would go to the data.
    for corrected in (False, True):
        found = sums.coefficients(ones(5), RATIONALS, corrected=corrected)
        assert {getattr(found, name)[5] for name in FORWARD} == {0}
        assert {getattr(found, name)[1] for name in BACKWARD} == {0}


def test_moments_of_idle_sites_are_not_asked_for() -> None:
    found = sums.coefficients(ones(2), RATIONALS, corrected=False)
    zero = (F(0),) * 3
    idle = Levels(
        e=(F(0), F(0), F(9)), m=(F(0), F(0), F(9)), q=(None, F(0), None),
        eps=(F(0), F(9), F(0)), n=(F(0), F(9), F(0)),
    )  # fmt: skip
    assert sums.error_bound(found, idle, RATIONALS) == 0
    assert sums.bias_bound(found, idle, RATIONALS) == 0
    unknown = Levels(e=(F(0), F(1), F(0)), m=zero, q=(F(0), None, F(0)), eps=zero, n=zero)
    assert sums.bias_bound(found, unknown, RATIONALS) is None


def test_first_erratum() -> None:
    # Section 3, E1: f_2 = w·y has L_∇²f = 0; corrected C^b_{δ_1} = 32, printed 0.
    c = replace(ones(2), third=F(0))
    assert sums.coefficients(c, RATIONALS, corrected=False).bias_forward_mean[1] == 0
    corrected = sums.coefficients(c, RATIONALS, corrected=True)
    assert corrected.bias_forward_mean[1] == 32
    assert corrected.bias_forward_fourth[1] == 0  # the first sum of C²_y is empty for N = 2


def test_third_erratum() -> None:
    # The factor 2 of (19) is on the error of ε and nowhere else.
    printed = sums.coefficients(ones(4), RATIONALS, corrected=False)
    corrected = sums.coefficients(ones(4), RATIONALS, corrected=True)
    assert corrected.error_backward == tuple(2 * x for x in printed.error_backward)
    assert corrected.error_forward == printed.error_forward
    assert corrected.bias_backward_mean == printed.bias_backward_mean
    assert printed.error_backward[2:] == (3, 12, 39)


def test_small_values_by_hand() -> None:
    # N = 2, S_1 = 1 + 3·4 = 13 with C_∇f = 2, C_v² = 16.
    c = UniformConstants(2, jac=F(2), lip=F(3), hess=F(5), hess_op=F(7), third=F(11))
    found = sums.coefficients(c, RATIONALS, corrected=False)
    assert found.error_forward[1] == 4 * 16 * 25 * 13
    assert found.error_backward[2] == 12
    assert found.bias_forward_mean[1] == 8 * 121 * 16 * 13
    assert found.bias_forward_fourth[1] == 8 * 2 * 121 * 16 * 13
    assert found.bias_backward_mean[2] == 24
    assert sums.coefficients(c, RATIONALS, corrected=True).bias_forward_mean[1] == 8 * 49 * 16 * 13


def test_adjoint_factor_never_falls_below_one() -> None:
    # (12): C_v = max{1, C_∇f^N}; for C_∇f = 1/2 it is 1.
    c = replace(ones(3), jac=F(1, 2))
    S = [F(1), 1 + F(3, 4), 1 + F(3, 4) + F(9, 16)]
    found = sums.coefficients(c, RATIONALS, corrected=False)
    assert found.error_forward[2] == 4 * S[2]
    assert found.error_forward[1] == 4 * (S[1] + 2 * S[2])


# -- from per-operator constants to uniform ones ---------------------------------------------------

SPEC = """
version: 1
name: mapping
graph:
{uniform}  operators:
{operators}
perturbations:
  - {{at: f1, pass: forward, rms: 1/2, mean: 1/4, fourth: 1}}
  - {{at: f2, pass: backward, rms: 1/3, mean: 1/5}}
"""

NAMES = (
    "jac_input",
    "jac_weight",
    "lip_input",
    "hess_input",
    "hess_mixed",
    "third_input",
    "third_mixed",
)


def spec(rows: list[tuple[F, ...]], uniform: tuple[F, ...] | None = None) -> str:
    lines = []
    for k, row in enumerate(rows, start=1):
        constants = ", ".join(f"{n}: {v}" for n, v in zip(NAMES, row, strict=True))
        lines.append(f"    - {{id: f{k}, constants: {{{constants}}}}}")
    header = ""
    if uniform is not None:
        keys = ("jac", "lip", "hess", "hess_op", "third")
        body = ", ".join(f"{k}: {v}" for k, v in zip(keys, uniform, strict=True))
        header = f"  uniform: {{{body}}}\n"
    return SPEC.format(uniform=header, operators="\n".join(lines))


@settings(deadline=None, max_examples=25)
@given(st.lists(rows(7), min_size=2, max_size=4))
def test_uniform_constants_are_maxima(rows: list[tuple[F, ...]]) -> None:
    graph = build(loads(spec(rows)))
    a, b, lip, A, B, A3, B3 = (max(column) for column in zip(*rows, strict=True))
    for corrected, hess_op in ((False, B), (True, max(A, B))):
        assert graph.uniform_constants(RATIONALS, corrected=corrected) == UniformConstants(
            len(rows), jac=max(a, b), lip=lip, hess=max(A, B), hess_op=hess_op, third=max(A3, B3)
        )


@settings(deadline=None, max_examples=20)
@given(st.lists(rows(7), min_size=2, max_size=4))
def test_family_bounds_use_their_own_mapping(rows: list[tuple[F, ...]]) -> None:
    graph = build(loads(spec(rows)))
    a, b, lip, A, B, A3, B3 = (max(column) for column in zip(*rows, strict=True))
    N = len(rows)

    def row(k: int, value: F) -> tuple[F, ...]:
        return tuple(value if i == k else F(0) for i in range(N + 1))

    x = Levels(
        e=row(1, F(1, 2)), m=row(1, F(1, 4)), q=row(1, F(1)), eps=row(2, F(1, 3)), n=row(2, F(1, 5))
    )
    for name, hess_op in (("published", B), ("corrected", max(A, B))):
        c = UniformConstants(
            N, jac=max(a, b), lip=lip, hess=max(A, B), hess_op=hess_op, third=max(A3, B3)
        )
        expected = literal.published_sums(c, corrected=name == "corrected")
        bounds = FAMILIES[name].bounds(graph)
        assert bounds.error is not None
        assert bounds.bias is not None
        assert bounds.error.value == literal.published_error(expected, x)
        assert bounds.bias.value == literal.published_bias(expected, x)


@settings(deadline=None, max_examples=20)
@given(rows(5))
def test_uniform_section_is_taken_as_given(uniform: tuple[F, ...]) -> None:
    jac, lip, hess, hess_op, third = uniform
    text = spec([(F(0),) * 7] * 3, uniform)
    plain = "\n".join(
        line.split(", constants:")[0] + "}" if ", constants:" in line else line
        for line in text.splitlines()
    )
    graph = build(loads(plain))
    for corrected in (False, True):
        assert graph.uniform_constants(RATIONALS, corrected=corrected) == UniformConstants(
            3, jac=jac, lip=lip, hess=hess, hess_op=hess_op, third=third
        )
    sharp = graph.chain_constants(RATIONALS)
    assert set(sharp.a[2:]) == set(sharp.b[1:]) == {jac}
    assert set(sharp.l[2:]) == {lip}
    assert set(sharp.A[2:]) == {hess}
    assert set(sharp.B[2:]) == {min(hess, hess_op)}
    assert set(sharp.A3[2:]) == set(sharp.B3[2:]) == {third}


def test_lipschitz_constant_defaults_to_the_jacobian_bound() -> None:
    rows = [(F(2), F(1), F(9), F(1), F(1), F(1), F(1))] * 2
    graph = build(loads(spec(rows).replace("lip_input: 9, ", "")))
    assert graph.chain_constants(RATIONALS).l[2] == 2
    assert graph.uniform_constants(RATIONALS, corrected=False).lip == 2


def test_number_kinds_are_kept() -> None:
    c = literal.converted(ones(3), WIDE.number)
    found = sums.coefficients(c, WIDE, corrected=True)
    kinds = {type(entry) for f in fields(found) for entry in getattr(found, f.name)}
    assert kinds == {type(WIDE.number(1))}
