"""Every row's evidence: its numbers, and that it fails where nothing is wrong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import pytest

from boundcalc.errata import ERRATA, orders, run, staleness, superposed, top_one, unrolling
from boundcalc.errata import bias_coefficients as bias
from boundcalc.errata import conditional_means as means
from boundcalc.errata import geometric_sum as geometric
from boundcalc.errata import lost_factor as lost
from boundcalc.errata.evidence import FALSE, GAP, LOOSE, MISPRINT, OPEN, Check, Erratum, Found
from boundcalc.errata.momentum_ray import growth_on_a_ray

F = Fraction


def number(found: Found, name: str) -> F:
    (value,) = [f.number.value for f in found.findings if f.name.startswith(name)]
    return F(value)


def failed(found: Found) -> list[str]:
    return [check.statement for check in found.checks if not check.holds]


def test_thirteen_rows_in_order_each_with_one_of_five_statuses() -> None:
    assert list(ERRATA) == [f"E{k}" for k in range(1, 14)]
    assert {e.status for e in ERRATA.values()} == {FALSE, GAP, OPEN, LOOSE, MISPRINT}
    assert all(key == erratum.id for key, erratum in ERRATA.items())


@pytest.mark.parametrize("identifier", [k for k in ERRATA if k != "E3"])
def test_evidence_is_reproduced(identifier: str) -> None:
    evidence = run(ERRATA[identifier])
    assert evidence.holds, evidence.failed
    assert evidence.findings
    assert all(f.number.status == "proved" for f in evidence.findings)


#: What makes each piece of evidence fail, and how many of its checks.
MUTANTS = {
    "E1, corrected coefficient": (lambda: bias.leading_coefficient(corrected=True), 1),
    "E2, C bounds the input curvature": (
        lambda: bias.curvature_constant(bounds_input_curvature=True),
        1,
    ),
    "E3, a quarter of the coefficient": (
        lambda: lost.lost_factor(share=F(1, 4), lengths=(3,), covered=(2,)),
        1,
    ),
    "E3, more than is true": (
        lambda: lost.lost_factor(lengths=(3,), covered=(5,), limit=F(8, 10)),
        1,
    ),
    "E4, means given the past": (lambda: means.conditional_means(given=0), 1),
    "E5, exponent of the unrolled sum": (lambda: unrolling.exponent(lag=1), 1),
    "E6, order of the sum": (lambda: geometric.order_of_the_sum(power=-1), 1),
    "E7, sentence as printed": (lambda: orders.reversed_sentence(swapped=True), 3),
    "E8, a rate of order 1": (lambda: orders.corollary(wanted=0), 1),
    "E9, the constant that is meant": (lambda: bias.jacobian_difference(derivative="hess"), 1),
    "E10, stable step": (
        lambda: top_one.top_one(plain=replace(top_one.PLAIN, step=F(1, 500))),
        4,
    ),
    "E10, no momentum": (
        lambda: top_one.top_one(momentum=replace(top_one.MOMENTUM, momentum=F(0))),
        4,
    ),
    "E11, right sign": (lambda: staleness.wrong_sign(sign=1), 1),
    "E12, no lost factor": (lambda: staleness.dropped_factor(factor=1), 1),
    "E13, constant steps": (lambda: staleness.moved_steps(growth=F(1)), 1),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_evidence_fails_where_nothing_is_wrong(name: str) -> None:
    mutant, count = MUTANTS[name]
    assert len(failed(mutant())) == count


def test_a_row_holds_only_if_there_are_checks_and_all_of_them_hold() -> None:
    def row(*checks: bool) -> bool:
        found = Found("line", (), tuple(Check(str(c), c) for c in checks))
        return run(Erratum("E0", "here", "this", FALSE, "so", lambda: found)).holds

    assert row(True, True)
    assert not row(True, False)
    assert not row()


def test_first_and_second_erratum_by_hand() -> None:
    # ũ_2 − u_2 = δ_1 on the bilinear chain, ũ_1 − u_1 = δ_1 on the separable one
    first, second = bias.leading_coefficient(), bias.curvature_constant()
    assert number(first, "squared bias") == number(second, "squared bias") == F(1, 16)
    assert number(first, "right side of (23) as printed") == 0
    assert number(first, "right side of (23) with C") == 32 * F(1, 16)
    assert number(first, "corrected coefficient") == 32
    assert number(second, "right side of (23) with E1 alone") == 0
    assert number(second, "right side of (23) with E1 and E2") == 2


def test_fourth_erratum_by_hand() -> None:
    found = means.conditional_means()
    # y_1 = 1/2, δ = ±d: E[ỹ_1(ỹ_2 − y_2)] = 3y_1d²/2 and E ỹ_1 · E[ỹ_2 − y_2] = y_1d²/2
    assert number(found, "mean of the product, independent") == F(3, 2) * F(1, 2) * F(1, 100)
    assert number(found, "product of the means, independent") == F(1, 2) * F(1, 2) * F(1, 100)
    # aligned: E δ_1 δ_2 = d²
    assert number(found, "mean of the product, aligned") == F(1, 100)
    # u_1 = y_1y_2: E ũ_1 = E δ_1δ_2 = 1/200; corrected sum (192 + 640)·10⁻⁸
    assert number(found, "squared bias") == F(1, 40000)
    assert number(found, "corrected bound there with uncond") == F(832, 10**8)


def test_a_bound_that_is_met_is_not_violated() -> None:
    assert not bias._violated([F(1), F(2)], [F(0), F(2)]).holds
    assert bias._violated([F(1), F(2)], [F(0), F(1)]).holds
    assert bias._holding([F(1), F(2)], [F(1), F(2)], "").holds
    assert not bias._holding([F(1), F(2)], [F(1), F(1)], "").holds


@pytest.mark.parametrize("N", [2, 3, 4, 6])
def test_superposition_in_one_pass(N: int) -> None:
    # The recurrences for the means with t_i = ℓ²t_{i−1} + e_i² in place of s_i², and with
    # ℓΛ_{i+1}t_i in place of s_iR_{i+1}.
    C, lip, hess, third = F(3, 2), F(2, 3), F(5, 7), F(1, 4)
    e2, m = [F(k, 3) for k in range(N)], [F(1, k + 1) for k in range(N)]
    V = [C ** (N - i) for i in range(N + 1)]
    slope = [F(0)] * (N + 1)
    for k in range(N - 1, 0, -1):
        slope[k] = hess * V[k + 1] + C * lip * slope[k + 1]
    t, mu, beta = [F(0)] * N, [F(0)] * N, [F(0)] * (N + 1)
    for i in range(1, N):
        t[i] = lip**2 * t[i - 1] + e2[i]
        mu[i] = lip * mu[i - 1] + hess * t[i - 1] / 2 + m[i]
    for i in range(N - 1, 0, -1):
        beta[i] = C * beta[i + 1] + hess * lip * slope[i + 1] * t[i]
        beta[i] += V[i + 1] * (hess * mu[i] + third * t[i] / 2)
    first, second = superposed.responses(N, C, lip, hess, third)
    for i in range(1, N + 1):
        expected = C * beta[i] + hess * lip * slope[i] * t[i - 1]
        expected += V[i] * (hess * mu[i - 1] + third * t[i - 1] / 2)
        found = sum(
            first[i - 1][k - 1] * m[k] + second[i - 1][k - 1] * e2[k] / 2 for k in range(1, N)
        )
        assert found == expected


def test_superposition_values() -> None:
    one = F(1)
    for N, expected in ((2, F(1, 2)), (3, F(81, 4)), (5, F(4873, 4))):
        _, kappa = superposed.responses(N, one, one, one, one)
        assert sum((sum(row) / 2) ** 2 for row in kappa) == expected
    fourth, mean = superposed.quotients()
    assert F(19, 1000) < fourth < F(1, 14)
    assert F(12, 100) < mean < F(1, 6)


def test_fifth_erratum_sums_against_a_loop() -> None:
    q, added = F(2, 3), [F(1), F(5), F(7)]
    assert unrolling.summed(q, F(4), added, 1) == q**3 * 4 + q**2 * 1 + q * 5 + 7
    assert unrolling.summed(q, F(4), added, 0) == q**3 * 4 + q**3 * 1 + q**2 * 5 + q * 7
    assert unrolling.unrolled(q, F(4), added) == unrolling.summed(q, F(4), added, 1)


def test_exact_loss_of_a_quadratic_by_enumeration() -> None:
    step, curvature, b, spread = F(1, 5), F(1, 2), F(1, 3), F(4, 9)
    total = F(0)
    for signs in product((-1, 1), repeat=3):
        w = F(1)
        for s in signs:  # ξ = ±2/3 has variance 4/9
            w -= step * (curvature * w + b + s * F(2, 3))
        total += curvature * w**2 / 2 / 8
    assert unrolling.quadratic_loss(step, curvature, F(1), b, spread, 3) == total


def test_sixth_erratum_encloses_the_sum() -> None:
    import math

    for T in (10, 100, 1000):
        q = 1 - math.log(T) / T
        direct = sum(q**n for n in range(T))
        assert float(geometric.closed_sum(T)) == pytest.approx(direct, rel=1e-12)
        assert float(geometric.closed_sum(T, 1)) == pytest.approx(q * direct, rel=1e-12)
    found = geometric.order_of_the_sum()
    scaled = [f.number.value for f in found.findings if f.name.startswith("sum over")]
    assert all(a < b for a, b in pairwise(scaled))


def test_seventh_erratum_orders_are_those_of_corollary_one() -> None:
    # docs/theory.md, Corollary 7.1
    expected = {
        ("forward", True): (F(1, 8), F(1, 4)),
        ("backward", True): (F(0), F(0)),
        ("forward", False): (F(1, 4), F(1, 2)),
        ("backward", False): (F(1, 4), F(1, 2)),
    }
    for (direction, centred), (nonconvex, pl) in expected.items():
        assert orders.tolerated(direction, centred=centred) == nonconvex
        assert orders.tolerated(direction, centred=centred, nonconvex=False) == pl
    assert orders.power("forward", centred=True, bias=False) == 2
    assert orders.power("backward", centred=True, bias=False) == 2


def test_tenth_erratum_against_numpy() -> None:
    import numpy as np

    for method in (top_one.PLAIN, top_one.MOMENTUM):
        A = np.array(method.A)
        assert np.array_equal(np.array(method.hessian, dtype=float), A.T @ A)
    values = np.linalg.eigvalsh(np.array(top_one.MOMENTUM.hessian, dtype=float))
    assert values == pytest.approx([24.037, 50.963], abs=1e-3)
    assert top_one.MOMENTUM.stable()
    assert not top_one.PLAIN.stable()
    assert top_one.SLOW.stable()
    # heavy ball is stable below 2(1 + β)/50.963 = 0.07456
    assert replace(top_one.MOMENTUM, step=F(74, 1000)).stable()
    assert not replace(top_one.MOMENTUM, step=F(75, 1000)).stable()


def test_the_ray_is_an_orbit_of_top_one() -> None:
    import numpy as np

    method = top_one.MOMENTUM
    growth = growth_on_a_ray(method.hessian, method.step, method.momentum)
    assert growth is not None
    H = np.array(method.hessian, dtype=float)
    # The same orbit in floats: six steps multiply the state.
    w, m = ray_start(H)
    start = np.concatenate([w, m])
    for _ in range(6):
        g = H @ w
        g[np.abs(g).argmin()] = 0
        m = 0.9 * m + g
        w = w - 0.05 * m
    assert np.concatenate([w, m]) == pytest.approx(float(growth) * start, rel=1e-9)


def ray_start(H):
    import numpy as np

    P = np.eye(4)
    for kept in (0, 0, 1, 1, 1, 1):
        keep = np.zeros((2, 2))
        keep[kept, kept] = 1
        P = (
            np.block(
                [[np.eye(2) - 0.05 * keep @ H, -0.045 * np.eye(2)], [keep @ H, 0.9 * np.eye(2)]]
            )
            @ P
        )
    values, vectors = np.linalg.eig(P)
    x = vectors[:, np.abs(values - 1.6497).argmin()].real
    return x[:2], x[2:]


def test_without_a_period_there_is_no_ray() -> None:
    hessian = top_one.MOMENTUM.hessian
    assert growth_on_a_ray(hessian, F(1, 20), F(0)) is None  # no eigenvalue in (1, 3)
    assert growth_on_a_ray(hessian, F(1, 1000), F(9, 10)) is None
    # An eigenvalue of the six steps in (1, 3), whose orbit does not make these choices.
    assert growth_on_a_ray(((F(60), F(5)), (F(5), F(25))), F(1, 20), F(9, 10)) is None


def test_window_sums_by_hand() -> None:
    steps, seen = (F(1), F(2), F(3)), (F(5), F(7), F(11))
    left, right = staleness.window_sums(steps, seen, 2)
    assert left == 4 * 5 + 9 * (5 + 7)
    assert right == 2 * (5 + 4 * 7 + 9 * 11)


def test_variances_of_blocks_add_up() -> None:
    each, total = staleness.block_variances([[F(0), F(4)], [F(2), F(0)]])
    assert (each, total) == ([1, 4], 5)
