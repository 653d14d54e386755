"""Ξ_ν, φ and the step conditions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theories.distributed import distributed_specs as specs

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.intervals import Intervals
from boundcalc.errors import InexactError
from boundcalc.theories.distributed import sign_functions
from boundcalc.theories.distributed.conditions import (
    descends_compressed,
    descends_sign,
    largest_compressed,
    largest_sign,
)
from boundcalc.theories.distributed.noise_model import setting_in
from boundcalc.theories.distributed.sign_functions import density_peak, phi, secant, sign_drift, xi
from boundcalc.theories.distributed.step_limits import constants, step_limits
from boundcalc.theories.distributed.theory import THEORY

MP = specs.MP

NUS = [
    None,
    Fraction(1, 10**6),
    Fraction(1, 10),
    Fraction(1, 2),
    Fraction(1),
    Fraction(3, 2),
    Fraction(2),
    Fraction(3),
    Fraction(5),
    Fraction(40),
    Fraction(10**4),
    Fraction(10**9),
]


def enclosed(nu):
    return None if nu is None else INTERVALS.number(nu)


@pytest.mark.parametrize("nu", NUS)
@pytest.mark.parametrize(
    "x", [Fraction(1, 1000), Fraction(1, 3), Fraction(1), Fraction(2), Fraction(50)]
)
def test_xi_is_a_distribution_function(nu, x):
    from scipy import stats

    law = stats.norm if nu is None else stats.t(float(nu))
    found = xi(enclosed(nu), INTERVALS.number(x), INTERVALS)
    assert float(found) == pytest.approx(law.cdf(float(x)) - 0.5, rel=1e-9, abs=1e-13)
    assert found.relative_width < 1e-20
    wide = xi(None if nu is None else WIDE.number(nu), WIDE.number(x), WIDE)
    assert specs.close(wide, found, 1e-20)


@pytest.mark.parametrize("x", [Fraction(1, 7), Fraction(1), Fraction(30)])
def test_xi_where_it_is_elementary(x):
    cauchy = specs.MP.atan(specs.high(x)) / specs.MP.pi
    assert specs.close(xi(INTERVALS.number(1), INTERVALS.number(x), INTERVALS), cauchy)
    two = specs.high(x) / (2 * specs.MP.sqrt(2 + specs.high(x) ** 2))
    assert specs.close(xi(INTERVALS.number(2), INTERVALS.number(x), INTERVALS), two)
    # The general formula at ν = 2, by a ball that is not exactly 2.
    near = xi(INTERVALS.sqrt(INTERVALS.number(2)) ** 2, INTERVALS.number(x), INTERVALS)
    assert specs.close(near, two)


@pytest.mark.parametrize("nu", NUS)
def test_peak_is_the_slope_at_zero(nu):
    x = Fraction(1, 10**20)
    slope = xi(enclosed(nu), INTERVALS.number(x), INTERVALS) / x
    assert specs.close(density_peak(enclosed(nu), INTERVALS), slope, 1e-16)


@given(st.sampled_from(NUS), st.fractions(0, 10), st.fractions(Fraction(1, 10), 10))
@settings(deadline=None, max_examples=60)
def test_lemma_for_the_mean_sign(nu, x, reach):
    """2Ξ(x) ≥ c_ν min(x, 1) on x ≥ 0, and ≥ ℓ_νx up to s."""
    mean = 2 * xi(enclosed(nu), INTERVALS.number(x), INTERVALS)
    margin = Fraction(1, 10**20)
    assert mean + margin >= min(x, Fraction(1)) * sign_drift(enclosed(nu), INTERVALS)
    if x <= reach:
        line = secant(enclosed(nu), INTERVALS.number(reach), INTERVALS)
        assert mean + margin >= x * line


def test_exact_constants():
    assert sign_drift(Fraction(1), RATIONALS) == Fraction(1, 2)
    assert xi(Fraction(3), Fraction(0), RATIONALS) == 0
    with pytest.raises(InexactError):
        sign_drift(Fraction(3), RATIONALS)
    with pytest.raises(InexactError):
        sign_drift(None, RATIONALS)
    assert specs.close(sign_drift(INTERVALS.number(2), INTERVALS), 1 / specs.MP.sqrt(3))


@pytest.mark.parametrize(
    "u",
    [
        Fraction(1, 10**40),
        Fraction(1, 3),
        Fraction(99, 100),
        Fraction(1),
        Fraction(101, 100),
        Fraction(7),
        Fraction(300),
    ],
)
@pytest.mark.parametrize("kind", [INTERVALS, WIDE])
def test_phi_is_its_series(u, kind):
    at = specs.high(u)
    series = sum(2 * at**n / specs.MP.factorial(n + 2) for n in range(1500 if u > 10 else 200))
    assert specs.close(phi(kind.number(u), kind), series, 1e-28)


def test_phi_at_its_ends():
    assert phi(Fraction(0), RATIONALS) == 1
    with pytest.raises(InexactError):
        phi(Fraction(1), RATIONALS)


@pytest.mark.parametrize("L1", [0.5, 1.0, 4.0])
def test_descent_lemma(L1):
    """f(y) ≤ f(x) + f'(x)(y−x) + ½(L0+L1|f'(x)|)φ(L1|y−x|)(y−x)², tight for eˣ − 1 − x."""
    L0 = 4 / L1**2

    def right(x, y, f, slope, L0):
        r = abs(y - x)
        growth = 2 * (math.expm1(L1 * r) - L1 * r) / (L1 * r) ** 2
        return f(x) + slope(x) * (y - x) + (L0 + L1 * abs(slope(x))) * growth * r * r / 2

    def quartic(x):
        return x**4 / 4

    def extremal(x):
        return (math.expm1(L1 * abs(x)) - L1 * abs(x)) / L1**2

    def extremal_slope(x):
        return math.copysign(math.expm1(L1 * abs(x)) / L1, x)

    for i in range(-8, 9):
        for j in range(-8, 9):
            x, y = i / 4, j / 4 + 0.01
            assert quartic(y) <= right(x, y, quartic, lambda x: x**3, L0) + 1e-12
            assert extremal(y) <= right(x, y, extremal, extremal_slope, 1.0) + 1e-9
            if 0 <= x <= y:
                assert extremal(y) == pytest.approx(right(x, y, extremal, extremal_slope, 1.0))


def test_quartic_is_smooth_for_every_L1():
    for L1 in (Fraction(1, 10), Fraction(1), Fraction(5)):
        worst = max(3 * x**2 - L1 * x**3 for x in (Fraction(i, 100) for i in range(4000)))
        assert Fraction(99, 100) * 4 / L1**2 <= worst <= 4 / L1**2


def limits(**keys):
    graph = specs.graph(keys)
    return step_limits(graph, THEORY.own(graph.spec))


def test_compressed_condition_by_hand():
    found = limits(
        algorithm="dcsgd", agents=2, L0=3, L1=2, dimension=5, omega=[1, 3], sigma0=[1, 2],
        sigma1=[0, "1/2"], epsilon="1/4", gradient_bound=7,
    )  # fmt: skip
    G, A, B = (
        3 + 2 * 7,
        (2 + 5 * (Fraction(1, 2) * (3 * Fraction(1, 4)) + Fraction(1, 2) * Fraction(1, 4))) / 2,
        None,
    )
    B = 5 * (Fraction(1 + 4, 2) + Fraction(1 + 12, 2)) / 2
    assert found.corrected.value == Fraction(1, 2) / (G * (1 + A) + 2 * B)
    assert found.classic.value == Fraction(1, 2) / (G * A + 2 * B)
    assert found.gradient.value == 7


def test_classic_equation_sees_no_curvature_without_noise():
    found = limits(algorithm="dsgd", agents=8, L0=4, L1=0, dimension=1)
    assert (found.corrected.value, found.classic) == (Fraction(1, 4), None)
    assert "no step is too large" in found.note


def test_sign_condition_by_hand():
    keys = {**specs.SIGN, "dimension": 4, "sigma_max": [1, 3, 1, 3, 1, 3, 1, 3], "snr": 1}
    found = limits(**keys)
    harmonic, ell, peak = Fraction(3, 2), Fraction(1, 2), 1 / specs.MP.pi
    classic = 1 * 4 * harmonic / 16
    assert found.classic.value == ell / classic
    assert specs.close(
        found.corrected.value, specs.high(ell) / (specs.high(classic) + 2 * 5 * peak)
    )
    named = {q.key: q.value for q in _constants(keys)}
    assert specs.close(named["K"].value, specs.high(classic) + 10 * peak)
    assert (named["sigma_H"].value, named["K_classic"].value) == (harmonic, classic)


def _constants(keys):
    graph = specs.graph(keys)
    return constants(graph, THEORY.own(graph.spec))


def test_sign_condition_needs_a_range():
    found = limits(**specs.SIGN)
    assert found.corrected is None
    assert "snr" in found.note


def test_gradient_at_the_start_is_computed_not_proved():
    section = {**specs.COMPRESSED, "sigma0": 1}
    graph = specs.graph(section, simulation=True)
    found = step_limits(graph, THEORY.own(graph.spec))
    assert float(found.gradient) == 27.0
    assert (found.corrected.status, found.gradient.status) == ("computed", "computed")
    assert float(found.corrected) == pytest.approx(1 / (31 * 1.375 + 0.5), rel=1e-14)
    blind = limits(**section)
    assert blind.corrected is None
    assert "gradient_bound" in blind.note


def enclosed_setting(**keys):
    graph = specs.graph(keys)
    return setting_in(graph, THEORY.own(graph.spec), INTERVALS)


@pytest.mark.parametrize("L1", ["1/1000", 1, 1000])
def test_largest_steps_are_limits(L1):
    made = enclosed_setting(**{**specs.COMPRESSED, "L1": L1, "sigma0": 1, "truncation": 3})
    c = largest_compressed(made)
    assert descends_compressed(made, c)
    assert not descends_compressed(made, c * (1 + Fraction(1, 10**15)))
    sign = enclosed_setting(**{**specs.SIGN, "L1": L1, "dimension": 9})
    step = largest_sign(sign)
    assert descends_sign(sign, step)
    assert not descends_sign(sign, step * (1 + Fraction(1, 10**15)))


@pytest.mark.parametrize("L1", [Fraction(1, 10), 7])
def test_largest_steps_solve_their_equations(L1):
    """½φ(cR)c(1 + A) = 1 and ½φ(L1γ√d)dL1γ = c_ν, as ∑ of 2 uⁿ/(n+2)! and by bisection."""

    def root(holds):
        low, high = specs.MP.mpf(0), specs.MP.mpf(100)
        for _ in range(120):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low

    def growth(u):
        return 2 * (specs.MP.exp(u) - 1 - u) / u**2

    keys = {"agents": 4, "L0": 3, "L1": L1, "dimension": 9, "sigma0": 2, "truncation": 2}
    made = enclosed_setting(**{**specs.COMPRESSED, **keys})
    A, R = specs.MP.mpf(3) / 4, 4 * max(1, specs.high(L1 * Fraction(2 * 3 * 2, 3)))
    found = root(lambda c: growth(c * R) * c * (1 + A) < 2)
    assert specs.close(largest_compressed(made), found, 1e-15)
    sign = enclosed_setting(**{**specs.SIGN, "L1": L1, "dimension": 9})
    slope = specs.high(Fraction(L1))
    found = root(lambda step: growth(3 * slope * step) * 9 * slope * step < 1)
    assert specs.close(largest_sign(sign), found, 1e-15)


def test_a_step_at_the_limit_does_not_descend():
    graph = specs.graph({**specs.COMPRESSED, "L1": 0})
    made = setting_in(graph, THEORY.own(graph.spec), RATIONALS)
    limit = 2 / (1 + Fraction(3, 8))
    assert largest_compressed(made) == limit
    assert not descends_compressed(made, limit)
    assert descends_compressed(made, limit * (1 - Fraction(1, 10**30)))
    assert largest_sign(made) is None


@pytest.mark.parametrize("c", [1.0, 1.25, 1.256, 1.257, 1.3])
def test_normalised_gradient_descent_descends_below_its_constant(c):
    """(e^c − 1 − c)/c < 1 iff e^c < 1 + 2c: N = 1 without noise."""
    quiet = {"algorithm": "dsgd", "agents": 1, "L0": 1, "L1": 1, "dimension": 1}
    made = enclosed_setting(**quiet)
    assert descends_compressed(made, INTERVALS.number(Fraction(str(c)))) == (
        math.exp(c) < 1 + 2 * c
    )
    assert float(largest_compressed(made)) == pytest.approx(1.2564312086261697, rel=1e-12)


HUGE = [10**17, 10**18, 10**20, 10**25, 10**30, 10**100, 10**1000]


@pytest.mark.parametrize("nu", HUGE, ids=lambda nu: f"1e{len(str(nu)) - 1}")
def test_constants_are_tight_for_every_nu(nu):
    """Enclosed, and between what the Gaussian law and ν = 10⁹ give."""

    def tight(compute):
        found, proved = in_best_kind(lambda kind: compute(kind.number(nu), kind), 2)
        assert proved
        assert found.relative_width < 2e-16
        least, most = (compute(n, INTERVALS) for n in (INTERVALS.number(10**9), None))
        slack = MP.mpf(10) ** -17
        assert specs.high(least) * (1 - slack) <= specs.high(found)
        assert specs.high(found) <= specs.high(most) * (1 + slack)
        wide = compute(WIDE.number(nu), WIDE)
        assert specs.close(wide, found, 1e-16)

    tight(sign_drift)
    tight(density_peak)
    for reach in (Fraction(1, 1000), Fraction(50)):
        tight(lambda n, kind, reach=reach: secant(n, kind.number(reach), kind))


@pytest.mark.parametrize("nu", ["11/10", 2, 3, 10, 1000, 10**6])
@pytest.mark.parametrize("x", ["1/100", 1, 3, 40])
def test_comparison_with_the_gaussian(nu, x):
    """√((ν−1)/(ν+1)) ≤ Ξ_ν/Ξ_∞ ≤ 1 and √((ν−1)/ν) ≤ M_ν/M_∞ ≤ 1, by quadrature."""
    n, at = specs.high(Fraction(nu)), specs.high(Fraction(x))
    peak = MP.gamma((n + 1) / 2) / MP.sqrt(MP.pi * n) / MP.gamma(n / 2)
    mass = MP.quad(lambda u: peak * (1 + u * u / n) ** (-(n + 1) / 2), [0, at / 2, at])
    assert MP.sqrt((n - 1) / (n + 1)) <= mass / (MP.erf(at / MP.sqrt(2)) / 2) <= 1
    assert MP.sqrt((n - 1) / n) <= peak * MP.sqrt(2 * MP.pi) <= 1


def test_lower_constants_are_rounded_down_in_rate_and_compile():
    graph = specs.graph({**specs.SIGN, "nu": 2})
    (statement,) = THEORY.rate(graph).value.statements
    printed = {q.key: q.value for q in constants(graph, THEORY.own(graph.spec))}["c_nu"]
    for shown in (statement.constants["c_nu"], printed):
        assert shown.limit
        assert Fraction(str(shown)) ** 2 * 3 < 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sigma0": 1, "sigma1": "1/4"}, "sigma1"),
        ({"truncation": 1}, "snr"),
        ({"truncation": "1/2"}, "snr"),
        ({"sigma0": [0, 1, 1, 1, 1, 1, 1, 1]}, "no noise"),
        ({"sigma_max": 0}, "no noise"),
        ({"clip": 1}, "biased"),
    ],
)
def test_sign_condition_is_refused_outside_its_hypotheses(changes, words):
    section = {**specs.SIGN, "snr": 1, **changes}
    found = limits(**section)
    assert (found.corrected, found.classic) == (None, None)
    assert words in found.note
    assert "K" not in {q.key for q in _constants(section)}


def test_noise_cut_beyond_the_range_changes_no_condition():
    cut, uncut = ({**specs.SIGN, "snr": 1, **more} for more in ({"truncation": 2}, {}))
    assert limits(**cut).classic == limits(**uncut).classic is not None


def test_the_condition_of_compression_is_not_that_of_clipped_gradients():
    found = limits(**{**specs.COMPRESSED, "gradient_bound": 1, "clip": 2})
    assert found.corrected is None
    assert "biased" in found.note


@pytest.mark.parametrize("x", [Fraction(1, 1000), Fraction(1), Fraction(4)])
def test_comparison_encloses_what_the_beta_function_gives(x, monkeypatch):
    fine = Intervals(512)
    nu, at = fine.number(10**18), fine.number(x)
    compared = xi(nu, at, fine), density_peak(nu, fine)
    monkeypatch.setattr(sign_functions, "_HUGE", 10**30)
    for found, direct in zip(compared, (xi(nu, at, fine), density_peak(nu, fine)), strict=True):
        mantissa, exponent = direct.middle
        assert direct.relative_width < found.relative_width / 2 < 1e-18
        assert found.contains(Fraction(mantissa) * Fraction(2) ** exponent)
