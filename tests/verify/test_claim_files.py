"""Claim files that are refused, and what they say where."""

from fractions import Fraction

import pytest
from claim_texts import claim_text

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.verify.claims import load_claim, loads_claim, refute


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (claim_text("K*L"), "my.yaml:7: coefficients.forward", "unknown symbol 'K'"),
        (claim_text(uniform="{jac: D, hess: L}"), "uniform.jac", "unknown symbol 'D'"),
        (claim_text(constants="{C: [2, 1], L: 1}"), "constants.C", "the interval is empty"),
        (claim_text(constants="{C: [1, 2, 3], L: 1}"), "constants.C", "too long"),
        (claim_text(constants="{C: [-1, 2], L: 1}"), "constants.C", "negative"),
        (claim_text(constants="{C: ['sqrt(2)', 2], L: 1}"), "constants.C", "not a rational number"),
        (claim_text(constants="{C: [0, 1e9], L: 1}"), "constants.C", "not a rational number"),
        (claim_text(constants="{C: L, L: 1}"), "constants.C", "not a rational number"),
        (claim_text(constants="{C: 1, L: 1, N: 2}"), "constants.N", "N cannot be a symbol"),
        (claim_text(constants="{C: 1, L: 1, sum: 2}"), "constants.sum", "cannot be a symbol"),
        (claim_text(constants="{C: .nan, L: 1}"), "my.yaml", "not a finite number"),
        (claim_text(operators=13), "operators", "out of range"),
        (claim_text(operators=1), "operators", "out of range"),
        (claim_text(operators="[]"), "operators", "too short"),
        (claim_text(operators="2.5"), "operators", "whole number"),
        (claim_text("C**99"), "coefficients.forward", "too large"),
        (claim_text("[C, C]"), "coefficients.forward", "number of coefficients"),
        (claim_text("{3: C}"), "coefficients.forward", "no coefficients for 2 operators"),
        (claim_text("true"), "coefficients.forward", "not a number"),
        (claim_text("sum(C, 1, 2, L)"), "coefficients.forward", "not a new name"),
        (claim_text(extra="assumption: {}\n"), "assumption", "unknown key 'assumption'"),
        (claim_text(extra="assumptions: {zero_mea: true}\n"), "zero_mea", "unknown key"),
        (claim_text(extra="assumptions: {zero_mean: 1}\n"), "zero_mean", "neither true nor false"),
        (claim_text(extra="chain: []\n"), "chain", "too short"),
        (claim_text().replace("forward:", "forward_mean:", 1), "forward_mean", "no coefficient"),
        (claim_text().replace("error", "bias"), "my.yaml", "needs `third`"),
        (claim_text().replace("version: 1", "version: 2"), "version", "not one of the known"),
        ("[]", "my.yaml", "not a claim file"),
        ("", "my.yaml", "empty"),
    ],
)
def test_bad_files_are_refused_at_their_place(text: str, where: str, problem: str) -> None:
    with pytest.raises(SpecError) as error:
        loads_claim(text, name="my.yaml")
    assert where in str(error.value)
    assert problem in str(error.value)
    assert "fix:" in str(error.value) or "expected:" in str(error.value)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (claim_text("1/(C - 1/2)"), "coefficients.forward", "a divisor may be zero"),
        (claim_text("1/L"), "coefficients.forward", "a divisor may be zero"),
        (claim_text("sqrt(C - 1/2)"), "coefficients.forward", "square root"),
        (claim_text("log(C)"), "coefficients.forward", "logarithm"),
        (claim_text("C - 1/2"), "coefficients.forward", "a negative number"),
        (claim_text("exp(exp(9*L))"), "coefficients.forward", "too large"),
        (claim_text("(((9*L+9)**64)**64)**64"), "coefficients.forward", "too large"),
        (claim_text(uniform="{jac: C - 1/2, hess: L}"), "uniform", "a negative number"),
        (claim_text(uniform="{jac: 1/C, hess: L}"), "uniform", "a divisor may be zero"),
    ],
)
def test_what_is_undefined_on_the_box_is_refused(text: str, where: str, problem: str) -> None:
    claim = loads_claim(text, name="my.yaml")
    with pytest.raises(SpecError) as error:
        refute(claim)
    assert where in str(error.value)
    assert problem in str(error.value)


def test_a_key_that_is_misspelt_is_suggested(tmp_path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(claim_text().replace("coefficients", "coeficients"))
    with pytest.raises(SpecError, match="did you mean 'coefficients'"):
        load_claim(path)


def test_coefficients_by_length_and_by_site_are_those_of_a_formula() -> None:
    one = loads_claim(claim_text("'i*C'", "'N*C'", operators="[2, 3]"))
    other = loads_claim(
        claim_text("{2: C, 3: [C, 2*C]}", "{2: '2*C', 3: ['3*C', '3*C']}", operators="[2, 3]")
    )
    values = {"C": Fraction(7, 3)}
    for size in (2, 3):
        for key in ("forward", "backward"):
            rows = [claim.chains[size].coefficients[key] for claim in (one, other)]
            first, second = ([x.evaluate(RATIONALS, values) for x in row] for row in rows)
            assert first == second
