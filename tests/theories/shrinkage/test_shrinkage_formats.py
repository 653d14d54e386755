"""q and noise from formats: twins by sampling and by quadrature, and what is proved."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import laplace, norm, t, uniform
from theories.shrinkage.shrinkage_cases import case
from theories.shrinkage.shrinkage_specs import quadratic, run, two_curvatures, verified

from boundcalc.arithmetic import Status
from boundcalc.errors import SpecError
from boundcalc.perturbations.formats.rounding import Grid, rounded
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.theories.shrinkage.formats.laws import between, drawn, tails
from boundcalc.theories.shrinkage.formats.pieces import numbers, pieces
from boundcalc.theories.shrinkage.formats.projection import projected
from boundcalc.theories.shrinkage.formats.sector import sectors
from boundcalc.theories.shrinkage.rate import shrinkage_rate
from boundcalc.theories.shrinkage.words import cautions

LAWS = [("gaussian", None), ("laplace", None), ("uniform", None), ("student", 5.0)]


def density(law, scale, degrees):
    if law == "gaussian":
        return norm(scale=scale).pdf
    if law == "laplace":
        return laplace(scale=scale / np.sqrt(2)).pdf
    if law == "uniform":
        return uniform(-scale * np.sqrt(3), 2 * scale * np.sqrt(3)).pdf
    return t(degrees, scale=scale * np.sqrt((degrees - 2) / degrees)).pdf


@pytest.mark.parametrize(("law", "degrees"), LAWS)
def test_moments_of_laws_by_quadrature(law, degrees):
    p = density(law, 1.3, degrees)
    edges = np.array([0.0, 0.2, 0.9, 1.7, 6.0])
    found = between(tails(law, 1.3, degrees), edges, np.append(edges[1:], np.inf))
    for i in range(3):
        for k, (a, b) in enumerate(zip(edges, np.append(edges[1:], np.inf), strict=True)):
            top = min(b, 1.3 * np.sqrt(3)) if law == "uniform" else b
            exact = quad(lambda x, i=i: x**i * p(x), a, top, epsabs=1e-13)[0] if top > a else 0.0
            assert found[i][k] == pytest.approx(exact, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic", "toward_zero"])
@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize(("law", "degrees"), LAWS)
@pytest.mark.parametrize("scale", [0.7, 5.0])
def test_projection_equals_a_sampled_one(rounding, flush, law, degrees, scale):
    form, rng = FORMATS["fp4_e2m1"], np.random.default_rng(5)
    made = pieces(form, rounding, flush)
    found = projected(made, tails(law, scale, degrees), scale)
    g = drawn(law, scale, degrees, rng, 400_000)
    if rounding == "toward_zero":
        Q = made.applied(g)
    else:
        source = rng if rounding == "stochastic" else None
        Q = rounded(g, Grid.of(form, flush), np.asarray(1.0), source)
    noise = np.sqrt(np.mean((Q - float(found.q) * g) ** 2))
    # Normalised by the sampled second moment, the estimate of q varies little.
    assert np.mean(g * Q) / np.mean(g**2) == pytest.approx(float(found.q), abs=0.015)
    assert noise == pytest.approx(found.noise, rel=0.03)
    assert np.mean(Q == 0) == pytest.approx(found.vanishing, abs=0.005)


def test_noise_grows_with_the_dimension():
    made, law = pieces(FORMATS["fp8_e4m3"], "nearest"), tails("gaussian", 0.01)
    one, nine = projected(made, law, 0.01), projected(made, law, 0.01, 9)
    assert nine.noise == pytest.approx(3 * one.noise)
    assert nine.q == one.q


def test_numbers_are_those_of_the_codes():
    from boundcalc.perturbations.formats.codes import decoded

    for name in ("fp8_e4m3", "fp8_e5m2", "fp6_e2m3", "int8"):
        form = FORMATS[name]
        codes = decoded(np.arange(2 ** (form.bits - 1)), form)
        known = np.unique(codes[np.isfinite(codes) & (codes >= 0)])
        assert np.array_equal(numbers(form), known)


def test_toward_zero_by_search():
    form, x = FORMATS["fp8_e5m2"], np.random.default_rng(0).normal(0, 1, 2000) * 2.0**-12
    held = numbers(form)
    expected = [np.sign(v) * held[held <= abs(v)].max() for v in x]
    assert np.array_equal(pieces(form, "toward_zero").applied(x), expected)


def test_stochastic_rounding_of_a_bounded_law_has_factor_one():
    found = projected(
        pieces(FORMATS["fp4_e2m1"], "stochastic"), tails("uniform", 1.0), 1.0, unbiased=True
    )
    assert found.q == Fraction(1)
    assert found.saturated == 0


def test_rounding_to_nearest_can_lengthen():
    """A law just above the middle between 0 and the smallest number."""
    made = pieces(FORMATS["fp4_e2m1"], "nearest")
    assert projected(made, tails("uniform", 0.25), 0.25).q > 1


@pytest.mark.parametrize("rounding", ["nearest", "toward_zero"])
@pytest.mark.parametrize("scale", [0.2, 0.5, 2.0])
def test_the_fit_of_gaussian_noise_is_the_slope_of_the_mean_at_zero(rounding, scale):
    """Theorem 11.8: d/dx E Q(x + ξ) at 0 is E[ξQ(ξ)]/s², by quadrature on both sides of 0."""
    made = pieces(FORMATS["fp4_e2m1"], rounding)
    q = projected(made, tails("gaussian", scale), scale).q

    def mean(x):
        """E Q(x + ξ) = Σ_v v (P(x + ξ in its piece) − P(x + ξ in minus that piece))."""
        low, high = made.start, made.stop
        above = norm.cdf((high - x) / scale) - norm.cdf((low - x) / scale)
        below = norm.cdf((-low - x) / scale) - norm.cdf((-high - x) / scale)
        return float(made.low @ (above - below))

    h = 1e-4 * scale
    assert (mean(h) - mean(-h)) / (2 * h) == pytest.approx(q, rel=1e-6)
    for x in (0.1 * scale, scale, 5 * scale):
        assert mean(x) >= 0  # the direction is never wrong
        assert mean(-x) == pytest.approx(-mean(x))


@pytest.mark.parametrize("name", ["fp4_e2m1", "fp8_e4m3", "int8"])
@pytest.mark.parametrize("rounding", ["nearest", "toward_zero"])
@pytest.mark.parametrize("flush", [False, True])
def test_sectors_hold_at_every_point(name, rounding, flush):
    made, reach = pieces(FORMATS[name], rounding, flush), 7.0
    found = sectors(made, Fraction(reach))
    edges = made.start[made.start <= reach]
    x = np.unique(
        np.concatenate([np.linspace(0, reach, 4001), edges, np.nextafter(edges[1:], 0.0)])
    )
    Q = made.applied(x)
    for sector in found:
        low, high, dead = (float(v) for v in (sector.low, sector.high, sector.dead))
        assert (x * Q >= low * (x**2 - dead**2) - 1e-12).all()
        assert (high * x * Q + 1e-12 >= Q**2).all()
    outside = x >= float(found[0].dead)
    assert (Q[outside] / x[outside]).min() == pytest.approx(float(found[0].low), rel=1e-6)
    assert np.divide(Q, x, where=x > 0, out=np.zeros_like(x)).max() == pytest.approx(
        float(found[0].high), rel=1e-6
    )
    lows = [sector.low for sector in found]
    assert lows == sorted(set(lows))


ROUNDED = {
    "format": {
        "name": "fp8_e4m3",
        "rounding": "toward_zero",
        "gradient": {"scale": "1/100"},
    }
}


def test_an_exact_gradient_has_no_fit_but_a_dead_zone():
    graph = quadratic(ROUNDED, loss_changes={"gradient_noise": 0}, simulation={"replicas": 2})
    verdicts = verified(graph)
    assert verdicts.ok
    assert {v.family for v in verdicts.verdicts} == {
        "Rounded exact gradient",
        "Rounded exact gradient, PL",
    }
    assert all(v.bound.status is Status.PROVED for v in verdicts.verdicts)
    found = run(graph)
    # It stops where the gradient underflows, above the floor that a fit would promise.
    final = found.more.run.trajectory.final
    assert (np.abs(final) < 2.0**-9).all()
    assert (np.abs(final) > 2.0**-10).all()


@pytest.mark.parametrize("rounding", ["nearest", "toward_zero"])
def test_rounded_descent_obeys_theorem_11_9(rounding):
    own = {"format": {**ROUNDED["format"], "rounding": rounding}}
    found = shrinkage_rate(
        case(own, L=1, m="1/4", gap="5/8", sigma=0, step="1/2", horizon=40)
    ).statements
    made = pieces(FORMATS["fp8_e4m3"], rounding)
    w, squares = np.array([1.0]), []
    for _ in range(40):
        squares.append(float(w @ w))
        w = w - 0.5 * made.applied(w)
    assert np.mean(squares) <= float(found["rounding"].bound)
    assert w @ w / 2 <= float(found["rounding_pl"].bound)
    high = 2 if rounding == "nearest" else 1
    assert float(found["rounding"].step_size_limit) == pytest.approx(1 / high)


def test_fitted_statements_are_computed_and_say_so():
    c = case(ROUNDED, sigma="1/100")
    for statement in shrinkage_rate(c).statements.values():
        assert statement.bound.status is Status.COMPUTED
        assert any("fitted, not proved" in str(x) for x in statement.conditions)
        assert statement.title.endswith(", fitted")
    said = " ".join(cautions(c))
    assert "no uniform q_min > 0 exists" in said
    assert "can exceed 1" in said


def test_everything_below_the_smallest_number_is_refused():
    own = {"format": {"name": "fp8_e4m3", "gradient": {"scale": "1e-9"}}}
    with pytest.raises(SpecError, match="becomes 0"):
        case(own)


def test_student_without_variance_is_refused():
    law = {"scale": 1, "distribution": "student", "degrees": 2}
    with pytest.raises(SpecError, match="variance"):
        case({"format": {"name": "fp8_e4m3", "gradient": law}})


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_rounded_stochastic_gradients_keep_the_fitted_bounds(rounding):
    law = {"scale": 2, "dimension": 2}
    own = {"format": {"name": "int8", "rounding": rounding, "gradient": law}}
    graph = two_curvatures(
        own,
        loss_changes={"gradient_noise": "2*sqrt(2)"},
        training={"step_size": "1/20", "horizon": 500},
    )
    found = verified(graph)
    assert found.ok
    assert len(found.verdicts) == 4


def test_another_scale_than_the_law_of_the_spec_leaves_it_undetermined():
    own = {"format": {"name": "int8", "gradient": {"scale": 5}}}
    graph = quadratic(own, loss_changes={"gradient_noise": 2}, training={"step_size": "1/20"})
    found = verified(graph)
    assert found.exit_code == 3
    assert "scale of a component" in found.verdicts[0].detail


def test_another_dimension_is_refused():
    own = {"format": {"name": "int8", "gradient": {"scale": 5, "dimension": 3}}}
    with pytest.raises(SpecError, match="dimension"):
        run(quadratic(own))
