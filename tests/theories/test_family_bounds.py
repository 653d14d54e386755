"""What each family computes for a spec, which statement it names, and what it may claim."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from strategies import ZERO
from theories import literal

from boundcalc import build, coefficients, loads
from boundcalc.arithmetic import RATIONALS, WIDE, Number, Status
from boundcalc.arithmetic.balls import Ball
from boundcalc.arithmetic.best import EXACT_OPERATORS, in_best_kind
from boundcalc.errors import InexactError
from boundcalc.graph import ChainConstants, Levels
from boundcalc.theories.perturbed.families import (
    COLUMNS,
    FAMILIES,
    Sharp,
)
from boundcalc.theories.perturbed.refinements import REFINEMENTS, SUPERPOSITION

F = Fraction
REFERENCE = mpmath.MPContext()
REFERENCE.prec = 240

SPEC = """
version: 1
name: three operators
{symbols}graph:
  operators:
    - {{id: f1, constants: {{jac_weight: 2, hess_mixed: 1, third_mixed: 1}}}}
    - id: f2
      constants: {{jac_input: 1/2, jac_weight: 3, lip_input: 1/3, hess_input: {A}, hess_mixed: 2,
                  third_input: 1, third_mixed: 1/4}}
    - id: f3
      constants: {{jac_input: 3/2, jac_weight: 1, lip_input: 1, hess_input: 1, hess_mixed: 1/2,
                  third_input: 2, third_mixed: 1}}
"""

ROWS = {
    "a": (0, 0, F(1, 2), F(3, 2)),
    "b": (0, 2, 3, 1),
    "l": (0, 0, F(1, 3), 1),
    "A": (0, 0, F(4, 5), 1),
    "B": (0, 1, 2, F(1, 2)),
    "A3": (0, 0, 1, 2),
    "B3": (0, 1, F(1, 4), 1),
}
CHAIN = ChainConstants(**{name: tuple(map(F, row)) for name, row in ROWS.items()})

SITES = {
    "forward": ("f1", "forward", F(1, 2), F(0)),
    "forward-2": ("f2", "forward", F(1, 3), F(0)),
    "forward-biased": ("f2", "forward", F(1, 3), F(1, 4)),
    "backward": ("f3", "backward", F(1, 5), F(0)),
    "backward-biased": ("f2", "backward", F(1, 7), F(1, 9)),
    "idle": ("f3", "forward", F(5), F(5)),
}


def spec(*names: str, A: str = "4/5", symbols: str = "", fourth: bool = True) -> str:
    lines = [SPEC.format(A=A, symbols=symbols)]
    if names:
        lines.append("perturbations:\n")
    for name in names:
        at, direction, rms, mean = SITES[name]
        more = f", fourth: {rms * 2}" if fourth else ""
        lines.append(f"  - {{at: {at}, pass: {direction}, rms: {rms}, mean: {mean}{more}}}\n")
    return "".join(lines)


def levels(*names: str) -> Levels:
    rows = {key: [ZERO] * 4 for key in ("e", "m", "q", "eps", "n")}
    for name in names:
        at, direction, rms, mean = SITES[name]
        k = int(at[1])
        rows["e" if direction == "forward" else "eps"][k] += rms
        rows["m" if direction == "forward" else "n"][k] += mean
    return Levels(**{key: tuple(row) for key, row in rows.items()})


def high(value: Any) -> Any:
    if isinstance(value, F):
        return REFERENCE.mpf(value.numerator) / value.denominator
    if isinstance(value, Ball):
        mantissa, exponent = value.middle
        return REFERENCE.ldexp(REFERENCE.mpf(mantissa), exponent)
    return REFERENCE.mpf(value)


def value(number: Number | None) -> Any:
    assert number is not None
    return number.value


CASES = [
    ((), True, True, "conditionally zero-mean (Theorem 4.3)"),
    (("forward", "backward"), True, True, "conditionally zero-mean (Theorem 4.3)"),
    (("forward", "forward-2"), True, True, "conditionally zero-mean (Theorem 4.3)"),
    (("forward", "idle"), True, True, "conditionally zero-mean (Theorem 4.3)"),
    (("forward-biased", "backward"), False, True, "zero-mean backward pass only (Theorem 4.3)"),
    (("forward", "backward-biased"), True, False, "zero-mean forward pass only (Theorem 4.3)"),
    (("forward-biased", "backward-biased"), False, False, "general (Theorem 4.1)"),
]


@pytest.mark.parametrize(("names", "forward", "backward", "form"), CASES, ids=str)
def test_sharp_bounds(names: tuple[str, ...], forward: bool, backward: bool, form: str) -> None:
    graph = build(loads(spec(*names)))
    found = Sharp([name for name in REFINEMENTS if name != SUPERPOSITION]).bounds(graph)
    x = levels(*names)
    plain = literal.sharp(CHAIN, x)
    best = literal.sharp(
        literal.converted(CHAIN, high),
        literal.converted(x, high),
        forward=forward,
        backward=backward,
        capped=True,
        saturated=True,
        root=REFERENCE.sqrt,
    )
    assert found.form == form
    assert value(found.error_plain) == plain.zeta2
    assert value(found.bias_plain) == plain.beta2
    assert found.error_plain is not None
    assert found.error_plain.status is Status.PROVED
    for own, expected in ((found.error, best.zeta2), (found.bias, best.beta2)):
        assert abs(high(value(own)) - expected) <= abs(expected) * 1e-30
    assert len(found.contributions) == 3
    for own, expected in zip(found.contributions, best.error.values(), strict=True):
        assert abs(high(own.value) - expected) <= abs(expected) * 1e-30
    # an irrational s_2 = √(ℓ²e_1² + e_2²) ends exactness, not the proof
    exact = not {"forward", "forward-2"} <= set(names)
    assert found.error is not None
    assert found.bias is not None
    assert found.error.status is found.bias.status is Status.PROVED
    assert isinstance(found.error.value, Fraction) == exact
    assert found.reason is None


@pytest.mark.parametrize("family", list(FAMILIES))
def test_only_active_perturbations_count(family: str) -> None:
    graph = build(loads(spec("forward", "forward-biased", "backward-biased")))
    for active, names in (
        ([], ()),
        ([0], ("forward",)),
        ([1, 2], ("forward-biased", "backward-biased")),
    ):
        found = FAMILIES[family].bounds(graph, iter(active))
        alone = FAMILIES[family].bounds(build(loads(spec(*names))))
        assert value(found.error) == value(alone.error)
        assert value(found.bias) == value(alone.bias)
        assert value(found.error_plain) == value(alone.error_plain)


def test_several_perturbations_at_one_site_add() -> None:
    # Minkowski in every norm: sizes, means and fourth roots of fourth moments.
    graph = build(loads(spec("forward-2", "forward-biased", "backward", "backward")))
    x = graph.levels(RATIONALS)
    assert x.e[2] == F(2, 3)
    assert x.m[2] == F(1, 4)
    assert x.q[2] == F(4, 3) ** 4
    assert x.eps[3] == F(2, 5)
    assert x.n[3] == 0


@pytest.mark.parametrize("family", ["published", "corrected"])
def test_printed_bounds_claim_only_what_is_proved(family: str) -> None:
    found = FAMILIES[family].bounds(build(loads(spec("forward-biased", "backward"))))
    assert found.error is not None
    assert found.error.status is Status.PROVED
    assert found.bias is not None
    assert found.bias.status is (Status.COMPUTED if family == "published" else Status.PROVED)
    assert isinstance(found.bias.value, Fraction)
    assert found.error_plain == found.error
    assert found.bias_plain == found.bias
    assert found.contributions == ()
    unknown = FAMILIES[family].bounds(
        build(loads(spec("forward-biased", "backward", fourth=False)))
    )
    assert unknown.bias is None
    assert unknown.reason is not None
    assert "fourth" in unknown.reason
    assert value(unknown.error) == value(found.error)


def test_errors_without_fourth_moments_elsewhere() -> None:
    # ε has no fourth moment in any bound
    graph = build(loads(spec("backward", fourth=False)))
    assert FAMILIES["corrected"].bounds(graph).bias is not None


def test_best_kind() -> None:
    def one(kind: Any) -> Any:
        return kind.number(1)

    def root(kind: Any) -> Any:
        return kind.sqrt(kind.number(2))

    assert in_best_kind(one, 2) == (1, True)
    assert isinstance(in_best_kind(one, EXACT_OPERATORS)[0], Fraction)
    enclosed, proved = in_best_kind(one, EXACT_OPERATORS + 1)
    assert proved
    assert enclosed == 1
    enclosed, proved = in_best_kind(root, 2)
    assert proved
    assert enclosed**2 != 2  # perhaps not equal
    assert (enclosed**2).contains(2)
    assert in_best_kind(lambda kind: kind.measured(0.5), 2) == (WIDE.number(F(1, 2)), False)
    with pytest.raises(InexactError):
        RATIONALS.sqrt(F(2))


@pytest.mark.parametrize("family", list(FAMILIES))
def test_compiled_coefficients(family: str) -> None:
    graph = build(loads(spec("forward", "backward-biased")))
    found = coefficients(graph, family)
    assert found.missing is None
    assert tuple(found.columns) == COLUMNS
    bounds = FAMILIES[family].bounds(graph)
    assert found.error_bound() == bounds.error
    assert found.bias_bound() == bounds.bias
    bias = Status.COMPUTED if family == "published" else Status.PROVED
    for column, entries in found.columns.items():
        status = Status.PROVED if column.startswith("error") else bias
        assert {entry.status for entry in entries} == {status}
        labels = tuple(site.label for site in found.sites(column))
        assert labels == (("f2", "f3") if "backward" in column else ("f1", "f2"))
        assert found.by_id(column) == dict(zip(labels, entries, strict=True))
    assert coefficients(graph, FAMILIES[family]).columns == found.columns


def test_without_perturbations_there_is_nothing_to_bound() -> None:
    found = coefficients(build(loads(spec())), "sharp")
    assert found.bounds is None
    assert found.error_bound() is None
    assert found.bias_bound() is None
    assert found.separable() is None


@pytest.mark.parametrize("family", list(FAMILIES))
def test_symbols_without_a_value_leave_formulas_only(family: str) -> None:
    found = coefficients(build(loads(spec("forward", A="C", symbols="symbols: {C: }\n"))), family)
    assert found.columns == {}
    assert found.missing is not None
    assert "'C'" in found.missing
    assert found.error_bound() is None
    assert found.gram() is None
    formulas = found.formulas()
    assert formulas is not None
    assert "C" in formulas["error_forward"]["f1"]


def test_a_symbol_in_a_level_leaves_the_coefficients() -> None:
    text = spec("forward", symbols="symbols: {r: }\n").replace("rms: 1/2", "rms: r")
    found = coefficients(build(loads(text.replace(", fourth: 1", ""))), "sharp")
    assert found.columns
    assert found.bounds is None
    assert found.error_bound() is None


def test_statements_of_the_families() -> None:
    published, corrected, sharp = (FAMILIES[name].descent for name in FAMILIES)
    # E5 is all that separates the printed statements
    assert replace(published, lag=1, pl_source="") == replace(corrected, pl_source="")
    assert (published.limit, published.lag, sharp.limit, sharp.lag) == (3, 0, 1, 1)
    assert (sharp.splits_variance, published.splits_variance) == (True, False)
