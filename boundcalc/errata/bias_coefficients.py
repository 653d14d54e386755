"""E1 and E2: chains of two operators whose printed bias bound is 0 and whose bias is not.

Two is the smallest possible length: a single operator has no perturbation that reaches the
gradient.  The constants come from the shipped specs, so from the operators themselves; the
bias is enumerated exactly.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from boundcalc.arithmetic import RATIONALS
from boundcalc.errata.enumeration import (
    PRODUCT,
    SHIFTED_SQUARE,
    Outcome,
    ScalarOperator,
    squared_bias,
)
from boundcalc.errata.evidence import Check, Found, exact, shown
from boundcalc.graph import UniformConstants, build
from boundcalc.graph.numbers import Levels
from boundcalc.resources import example
from boundcalc.spec.loading import load
from boundcalc.theories.perturbed import sums

#: Sizes d of the constant perturbation; the first one is that of the shipped specs.
SHIFTS = (Fraction(1, 4), Fraction(1, 100), Fraction(1, 2**40))
_HALF = Fraction(1, 2)
_UNPERTURBED = (Fraction(1), Fraction(0))


class Case(NamedTuple):
    """A chain in two forms: exact operators, and the shipped spec with their constants."""

    operators: tuple[ScalarOperator, ScalarOperator]
    spec: str


BILINEAR = Case((PRODUCT, PRODUCT), "bilinear-erratum")
SEPARABLE = Case((PRODUCT, SHIFTED_SQUARE), "separable-erratum")


def bias(case: Case, shift: Fraction) -> Fraction:
    """‖E[ũ − u]‖² at x = 1, w = (1/2, 1/2) with the constant δ_1 = ``shift``."""
    certain = [Outcome(Fraction(1), (shift, Fraction(0)))]
    return squared_bias(case.operators, Fraction(1), (_HALF, _HALF), certain)


def bound(constants: UniformConstants, shift: Fraction, *, corrected: bool) -> Fraction:
    """The right side of (23) for δ_1 = ``shift``, with (33a) as printed or with E1 applied."""
    columns = sums.coefficients(constants, RATIONALS, corrected=corrected)
    zero = (Fraction(0),) * 3
    at_first = (Fraction(0), shift, Fraction(0))
    levels = Levels(
        e=at_first, m=at_first, q=(Fraction(0), shift**4, Fraction(0)), eps=zero, n=zero
    )
    return Fraction(sums.bias_bound(columns, levels, RATIONALS) or 0)


def constants(case: Case, *, corrected: bool) -> UniformConstants:
    """The uniform constants of the spec, with C_∇²f as printed or as E2 needs it."""
    return build(load(example(case.spec))).uniform_constants(RATIONALS, corrected=corrected)


def leading_coefficient(*, corrected: bool = False) -> Found:
    """E1: f_2(y, w) = wy has L_∇²f = 0, so (33a) is 0, yet a shift of y_1 by d moves u_2 by d.

    Parameters
    ----------
    corrected
        Whether (33a) is evaluated with C_∇²f, which (32) gives; the evidence then fails.
    """
    printed = constants(BILINEAR, corrected=False)
    found = [bias(BILINEAR, d) for d in SHIFTS]
    as_printed = [bound(printed, d, corrected=corrected) for d in SHIFTS]
    repaired = [bound(printed, d, corrected=True) for d in SHIFTS]
    factor = repaired[0] / SHIFTS[0] ** 2
    line = (
        f"N = 2, f₂ = wy, δ₁ = {SHIFTS[0]}: squared bias {shown(found[0])}, "
        f"printed bound {shown(as_printed[0])}, with C_∇²f {shown(repaired[0])}"
    )
    return Found(
        line,
        (
            exact("L_∇²f of the chain", printed.third),
            exact("C_∇²f of the chain", printed.hess_op),
            exact("squared bias at δ₁ = 1/4", found[0]),
            exact("right side of (23) as printed", as_printed[0]),
            exact("right side of (23) with C_∇²f in (33a)", repaired[0]),
            exact("corrected coefficient of δ₁", factor),
        ),
        (
            Check("the squared bias is δ₁² at every δ₁ tried", found == [d**2 for d in SHIFTS]),
            _violated(found, as_printed),
            _holding(found, repaired, "with C_∇²f in (33a)"),
            Check("the corrected coefficient is 32", factor == 32),
        ),
    )


def curvature_constant(*, bounds_input_curvature: bool = False) -> Found:
    """E2: f_2(y, w) = y²/2 + w has ∇²₂₁f = 0; a shift of y_1 by d moves u_1 by d.

    Parameters
    ----------
    bounds_input_curvature
        Whether C_∇²f bounds ∇²₁₁f as well, which (28) needs; the evidence then fails.
    """
    printed = constants(SEPARABLE, corrected=bounds_input_curvature)
    full = constants(SEPARABLE, corrected=True)
    found = [bias(SEPARABLE, d) for d in SHIFTS]
    as_printed = [bound(printed, d, corrected=False) for d in SHIFTS]
    one_repair = [bound(printed, d, corrected=True) for d in SHIFTS]
    other_repair = [bound(full, d, corrected=False) for d in SHIFTS]
    repaired = [bound(full, d, corrected=True) for d in SHIFTS]
    line = (
        f"N = 2, f₂ = y²/2 + w, δ₁ = {SHIFTS[0]}: squared bias {shown(found[0])}, printed bound "
        f"{shown(as_printed[0])}, with E1 alone {shown(one_repair[0])}, with both "
        f"{shown(repaired[0])}"
    )
    return Found(
        line,
        (
            exact("C_∇²f as Assumption 3 is printed", printed.hess_op),
            exact("bound on ∇²₁₁ and ∇²₂₁", full.hess_op),
            exact("squared bias at δ₁ = 1/4", found[0]),
            exact("right side of (23) as printed", as_printed[0]),
            exact("right side of (23) with E1 alone", one_repair[0]),
            exact("right side of (23) with E1 and E2", repaired[0]),
        ),
        (
            Check("the squared bias is δ₁² at every δ₁ tried", found == [d**2 for d in SHIFTS]),
            _violated(found, as_printed),
            _violated(found, one_repair, "with E1 alone"),
            _violated(found, other_repair, "with E2 alone"),
            _holding(found, repaired, "with E1 and E2"),
        ),
    )


def jacobian_difference(*, derivative: str = "third") -> Found:
    """E9: the last step of (14) bounds a difference of Jacobians, whose constant is L_∇f.

    On the chain of E1 the error is d², while L_∇²f = 0 would make its coefficient 0; (21),
    which follows from (14), carries L_∇f².

    Parameters
    ----------
    derivative
        The constant that is put in the place of L_∇f: ``third`` as (14) prints it;
        with ``hess`` the evidence fails.
    """
    c = constants(BILINEAR, corrected=False)
    misread = replace(c, hess=getattr(c, derivative))
    error = bias(BILINEAR, SHIFTS[0])  # the perturbation is constant: error and bias agree
    meant, printed = (
        sums.coefficients(k, RATIONALS, corrected=False).error_forward[1] for k in (c, misread)
    )
    doubled = sums.coefficients(replace(c, hess=2 * c.hess), RATIONALS, corrected=False)
    bent = sums.coefficients(replace(c, third=c.third + 7), RATIONALS, corrected=False)
    level = SHIFTS[0] ** 2
    line = (
        f"N = 2, f₂ = wy, δ₁ = {SHIFTS[0]}: squared error {shown(error)}; bound with L_∇f "
        f"{shown(meant * level)}, with L_∇²f {shown(printed * level)}"
    )
    return Found(
        line,
        (
            exact("squared error", error),
            exact("bound (13) with L_∇f in (14)", meant * level),
            exact("bound (13) with L_∇²f in (14)", printed * level),
        ),
        (
            Check("with L_∇f the bound holds", error <= meant * level),
            Check("with L_∇²f it is violated", error > printed * level),
            Check("(21) grows as L_∇f²", doubled.error_forward[1] == 4 * meant),
            Check("(21) does not contain L_∇²f", bent.error_forward[1] == meant),
        ),
    )


def _violated(found: list[Fraction], bounds: list[Fraction], variant: str = "as printed") -> Check:
    holds = all(x > y for x, y in zip(found, bounds, strict=True))
    return Check(f"(23) {variant} is violated at every δ₁ tried", holds)


def _holding(found: list[Fraction], bounds: list[Fraction], variant: str) -> Check:
    holds = all(x <= y for x, y in zip(found, bounds, strict=True))
    return Check(f"(23) {variant} holds there", holds)
