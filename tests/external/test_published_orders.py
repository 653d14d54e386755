"""Orders in T that other people published.

B. Kong, H. Zhang, K. Yuan, On the Convergence of Stochastic Gradient Descent with Perturbed
Forward-Backward Passes, arXiv 2602.20646: Corollaries 1 to 4 and Table 1.  The exponents here come
from there and are never edited to fit.  The PL part of Corollary 1 holds at γ = c ln T/T with c
large enough (E6), Corollary 3 by (38) (E8).
"""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from boundcalc.budgets.orders import paper_orders

T = sympy.Symbol("T", positive=True)
ln = sympy.log(T)
R = sympy.Rational

#: The two displays of Corollary 1: γ, rate, ‖δ‖, mean of δ, ‖ε‖, mean of ε.
COROLLARY_1 = {
    "nonconvex": (
        T ** R(-1, 2),
        T ** R(-1, 2),
        T ** R(-1, 8),
        T ** R(-1, 4),
        sympy.Integer(1),
        T ** R(-1, 4),
    ),
    "pl": (
        ln / T,
        ln / T,
        T ** R(-1, 4) * ln ** R(1, 4),
        T ** R(-1, 2) * ln ** R(1, 2),
        sympy.Integer(1),
        T ** R(-1, 2) * ln ** R(1, 2),
    ),
}

#: Table 1: (Q_δ, Q_ε), mean zero and in general, wherever in time.
TABLE_1 = {
    "nonconvex": ((T ** R(1, 2), T), (T ** R(1, 2), T ** R(1, 2))),
    "pl": ((sympy.Integer(1), T), (sympy.Integer(1), sympy.Integer(1))),
}

FAMILIES = ["published", "corrected", "sharp"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("regime", ["nonconvex", "pl"])
def test_corollary_1(family: str, regime: str) -> None:
    found = paper_orders(family)[regime]
    x = found.frequent
    orders: tuple[Any, ...] = (
        found.step,
        found.rate,
        x.forward_rms,
        x.forward_mean,
        x.backward_rms,
        x.backward_mean,
    )
    assert tuple(order.symbol() for order in orders) == COROLLARY_1[regime]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("regime", ["nonconvex", "pl"])
def test_table_1_and_corollaries_2_to_4(family: str, regime: str) -> None:
    found = paper_orders(family)[regime]
    zero_mean, general = TABLE_1[regime]
    assert (found.zero_mean.forward.symbol(), found.zero_mean.backward.symbol()) == zero_mean
    assert (found.general.forward.symbol(), found.general.backward.symbol()) == general


@pytest.mark.parametrize(("family", "least"), [("published", 3), ("corrected", 3), ("sharp", 1)])
def test_constant_in_front_of_the_step(family: str, least: int) -> None:
    """(1 − μγ/3)^T ≤ 1/T asks for c ≥ 3/μ, (1 − μγ)^T for 1/μ: docs/theory.md, E6."""
    found = paper_orders(family)["pl"]
    assert found.conditions == (f"γ = c T^(-1) ln T with c ≥ {least}/μ",)
