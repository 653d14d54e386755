"""Chains so long that float64 over- or underflows: the numbers stay finite, nonzero and right."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from strategies import constant_chain, forward_levels
from theories import literal

from boundcalc import build, coefficients, loads
from boundcalc.arithmetic import RATIONALS, WIDE, Number, Status
from boundcalc.arithmetic.best import converted
from boundcalc.arithmetic.number import as_decimal
from boundcalc.graph import UniformConstants
from boundcalc.theories.perturbed import families, sharp, sums
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction

SPEC = """
version: 1
name: a long chain
graph:
  uniform: {{jac: {c}, lip: {c}, hess: {c}, hess_op: {c}, third: {c}}}
  operators: [{{id: f, repeat: {size}}}]
perturbations:
  - {{at: f.1, pass: forward, rms: 1, mean: 1/2, fourth: 2}}
  - {{at: f.{size}, pass: backward, rms: 1, mean: 1/2}}
"""


def compiled(size: int, family: str, c: str = "1") -> Any:
    return coefficients(build(loads(SPEC.format(size=size, c=c))), family)


def relative(found: Any, expected: F) -> F:
    """|found/expected − 1| in exact numbers."""
    sign, mantissa, exponent, _ = found._mpf_
    return abs((-1) ** sign * int(mantissa) * F(2) ** int(exponent) / expected - 1)


def exact_error(size: int) -> int:
    """C^e_{δ_1} of (21) with all constants 1: 4 Σ_{j=1}^{N−1} S_j 2^{j−1}, in integers."""
    total, S = 0, 1
    for j in range(1, size):
        S += 3**j
        total += S * 2 ** (j - 1)
    return 4 * total


def exact_fourth(size: int) -> int:
    """C̃^b_{δ_1} of (33b) with all constants 1, in integers; the inner sum from its end."""
    S = [sum(3**k for k in range(j + 1)) for j in range(size)]
    total = 0
    inner = 0  # Σ_{j≥i+1} S_j 4^{j−i−1}
    for i in range(size - 1, 0, -1):
        total += (8 * inner + 2 * S[i]) * 8 ** (i - 1)
        inner = S[i] + 4 * inner
    return 8 * total


@pytest.mark.parametrize("size", [300, 1000])
@pytest.mark.parametrize("family", ["published", "corrected"])
def test_large_values_are_exact_to_the_last_printed_digit(size: int, family: str) -> None:
    found = compiled(size, family).columns
    for name, expected in (
        ("error_forward", exact_error(size)),
        ("bias_forward_fourth", exact_fourth(size)),
    ):
        entry = found[name][0]
        published_bias = family == "published" and name.startswith("bias")
        assert entry.status is (Status.COMPUTED if published_bias else Status.PROVED)
        assert entry.value.contains(expected)
        assert entry.value.relative_width < 1e-28
        text = str(entry)
        mantissa, _, exponent = text.partition("e+")
        assert 1 <= float(mantissa) < 10
        assert int(exponent) == len(str(expected)) - 1
        assert 0 <= Decimal(text) / Decimal(expected) - 1 <= Decimal("1e-5")
        written = entry.json()
        if int(exponent) > 308:
            assert isinstance(written, str)
            assert json.loads(json.dumps(written)) == written
            assert abs(Decimal(written) / Decimal(expected) - 1) < Decimal("1e-16")
        else:
            assert written == pytest.approx(float(expected), rel=1e-15)


def test_exponents_of_the_longest_chains() -> None:
    # Σ_j 3^j 8^j ~ 24^N: beyond float64 already at N = 300, C^e_{δ_1} ~ 6^N at N = 1000.
    fourth = compiled(300, "published").columns["bias_forward_fourth"][0]
    assert isinstance(fourth.json(), str)
    error = compiled(1000, "published").columns["error_forward"][0]
    assert "e+7" in str(error)
    assert isinstance(error.json(), str)


@pytest.mark.parametrize("size", range(283, 291))
def test_wide_numbers_where_floats_end(size: int) -> None:
    ones = UniformConstants(size, *[F(1)] * 5)
    exact = sums.coefficients(ones, RATIONALS, corrected=True)
    wide = sums.coefficients(literal.converted(ones, WIDE.number), WIDE, corrected=True)
    assert exact.error_forward[1] == exact_error(size)
    assert exact.bias_forward_fourth[1] == exact_fourth(size)
    for name in ("error_forward", "bias_forward_mean", "bias_forward_fourth"):
        for i in (1, size // 2, size - 1):
            assert relative(getattr(wide, name)[i], getattr(exact, name)[i]) < F(1, 10**30)
    for name in ("error_backward", "bias_backward_mean"):
        for i in (2, size // 2, size):
            assert relative(getattr(wide, name)[i], getattr(exact, name)[i]) < F(1, 10**30)


def test_small_constants_do_not_vanish() -> None:
    # Every constant 1/1000, N = 300: products of 300 of them are far below float64.
    size = 300
    c, x = constant_chain(size, F(1, 1000)), forward_levels(1, *[0] * (size - 1))
    exact = sharp.general(c, x, RATIONALS)
    wide = sharp.general(literal.converted(c, WIDE.number), literal.converted(x, WIDE.number), WIDE)
    assert exact.V[1] == F(1, 1000) ** (size - 1)
    assert 0 < relative(wide.V[1], exact.V[1]) < F(1, 10**28)
    assert wide.total() > 0
    assert relative(wide.total(), exact.total()) < F(1, 10**28)
    number = Number(wide.total(), Status.COMPUTED)
    assert float(number) == 0.0
    written = number.json()
    assert isinstance(written, str)
    assert "e-" in written
    assert abs(Decimal(written) / as_decimal(exact.total(), 40) - 1) < Decimal("1e-16")


def test_bounds_of_a_spec_with_small_constants() -> None:
    graph = build(loads(SPEC.format(size=300, c="1/1000").split("  - {at: f.300")[0]))
    bounds = FAMILIES["sharp"].bounds(graph)
    assert bounds.error is not None
    assert bounds.bias is not None
    assert bounds.error.value > 0
    assert bounds.bias.value > 0
    assert isinstance(bounds.error.json(), str)


def test_short_chains_stay_exact_and_long_ones_are_enclosed() -> None:
    for size in (64, 65):
        entry = compiled(size, "sharp").columns["error_forward"][0]
        assert entry.status is Status.PROVED
        assert (entry.exact is not None) == (size == 64)


@pytest.mark.parametrize("mean", ["0", "1/2000"])
def test_large_graphs_agree_with_the_wide_recurrences(
    monkeypatch: pytest.MonkeyPatch, mean: str
) -> None:
    constants = (
        "constants: {jac_input: 101/100, jac_weight: 1, hess_input: 1/9, hess_mixed: 1/7, "
        "third_input: 1, third_mixed: 1}"
    )
    text = f"""
version: 1
name: large
graph:
  operators:
    - {{id: x, constants: {{jac_weight: 1}}}}
    - id: res
      repeat: 700
      block:
        - {{id: f, {constants}}}
        - {{id: g, inputs: [input], constants: {{jac_input: 1/900, hess_input: 0, third_input: 0}}}}
        - {{id: s, inputs: [f, g], constants: {{jac_input: 1, hess_input: 0, third_input: 0}}}}
perturbations:
  - {{at: [x, res.3.f, res.500.s], pass: forward, rms: 1/1000, mean: {mean}}}
  - {{at: "res.4*.f", pass: backward, rms: 1/1000, mean: {mean}}}
"""
    graph = build(loads(text))
    fast = FAMILIES["sharp"].bounds(graph)
    monkeypatch.setattr(families, "FAST_OPERATORS", 10**9)
    slow = FAMILIES["sharp"].bounds(graph)
    assert fast.form == slow.form
    for name in ("error", "bias", "error_plain", "bias_plain"):
        found, expected = getattr(fast, name), getattr(slow, name)
        assert abs(found.value / converted(expected.value, WIDE) - 1) < 1e-11
        assert (found.status, expected.status) == (Status.COMPUTED, Status.PROVED)
    assert len(fast.contributions) == len(slow.contributions)
    for k in (0, 1, 1500, -1):
        expected = converted(slow.contributions[k].value, WIDE)
        assert abs(fast.contributions[k].value - expected) <= (1e-11 * expected)
