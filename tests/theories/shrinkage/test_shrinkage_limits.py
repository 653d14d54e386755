"""Where statements end: what is not claimed, what is refused, and what a run must meet."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import yaml
from theories.shrinkage.shrinkage_cases import case
from theories.shrinkage.shrinkage_specs import quadratic, verified

import boundcalc as bc
from boundcalc.arithmetic import Status
from boundcalc.errors import SpecError
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.theories.base import Options
from boundcalc.theories.registry import build_for
from boundcalc.theories.shrinkage.answers import budget_answer, rate_answer
from boundcalc.theories.shrinkage.assumed import assumptions
from boundcalc.theories.shrinkage.budget import shrinkage_budget
from boundcalc.theories.shrinkage.formats.laws import tails
from boundcalc.theories.shrinkage.formats.pieces import pieces
from boundcalc.theories.shrinkage.formats.sector import sectors
from boundcalc.theories.shrinkage.rate import shrinkage_rate
from boundcalc.theories.shrinkage.setting import case_of
from boundcalc.theories.shrinkage.theory import THEORY
from boundcalc.theories.shrinkage.words import cautions


def rounded(rounding="toward_zero", **gradient):
    return {
        "format": {
            "name": "fp8_e4m3",
            "rounding": rounding,
            "gradient": {"scale": "1/100"} | gradient,
        }
    }


# Factors that depend on the past, with compensation.


def test_the_weighted_form_is_not_made_with_compensation():
    past = {"q": {"depends_on_past": True}, "q_min": "1/10", "quantization_noise": 1}
    assert set(shrinkage_rate(case(past)).statements) == {"nonconvex", "nonconvex_weighted", "pl"}
    other = case({**past, "compensation": True})
    assert set(shrinkage_rate(other).statements) == {"nonconvex", "pl"}
    assert not any("no statement of the form" in said for said in cautions(other))


# The batch of perturbed passes.


@pytest.mark.parametrize(("batch", "fits"), [(1000, False), (2, True)])
def test_a_batch_that_no_step_averages_leaves_it_undetermined(batch, fits):
    raw = {
        "version": 1,
        "name": "one sample, said to be many",
        "theory": "shrinkage",
        "shrinkage": {"q": 1},
        "graph": {"operators": [{"id": i, "type": "sine", "bias": True} for i in "af"]},
        "perturbations": [{"at": "f", "pass": "backward", "model": "gaussian", "std": 2}],
        "loss": {"smoothness": 3, "initial_gap": 2, "gradient_noise": 0, "batch": batch},
        "training": {"step_size": "1/3", "horizon": 300},
        "simulation": {
            "data": {"points": [[0], [0]]},
            "replicas": 16,
            "initial_weights": [0.1, 0.1],
        },
    }
    found = THEORY.verify(build_for(bc.loads(yaml.safe_dump(raw))), Options()).value
    why = "samples averaged per step (1000 stated, 2 met)"
    assert all((why in v.detail) is not fits for v in found.verdicts)
    assert ({v.status for v in found.verdicts} == {"undetermined"}) is not fits


# Stochastic rounding.


def test_bounds_of_stochastic_rounding_are_fitted():
    own = {"format": {"name": "int8", "rounding": "stochastic", "gradient": {"scale": 2}}}
    c = case(own)
    for statement in shrinkage_rate(c).statements.values():
        assert not statement.proved
        assert statement.bound.status is Status.COMPUTED
        assert statement.title.endswith(", fitted")
        assert any("that of other gradients can be larger" in str(x) for x in statement.conditions)
    assert any("noise is fitted" in said for said in cautions(c))
    (third,) = (a for a in assumptions(c.graph, c) if a.key == "S3")
    assert "of which the last is fitted" in str(third.says)


def test_noise_of_stochastic_rounding_grows_with_the_gradient():
    """The law of the spec is that of no iterate: its noise moves the iterate out of it."""
    own = {
        "format": {"name": "fp4_e2m1", "rounding": "stochastic", "gradient": {"scale": "1/1000"}}
    }
    graph = quadratic(
        own,
        loss_changes={"gradient_noise": "1/1000", "initial_gap": "1/2000000"},
        simulation={"initial_weights": ["1/1000"]},
    )
    found = verified(graph)
    assert found.exit_code == 3
    assert {v.status for v in found.verdicts} == {"undetermined"}
    assert all("scale of a component of the gradient" in v.detail for v in found.verdicts)


def test_half_the_widest_gap_covers_all_noise_within_the_range():
    made = pieces(FORMATS["fp4_e2m1"], "stochastic")
    x = np.linspace(0, 6, 4001)[:-1]
    i = np.searchsorted(made.start, x, side="right") - 1
    variance = (made.high[i] - x) * (x - made.low[i])
    assert variance.max() == pytest.approx(1.0)  # (2/2)², of the gap from 4 to 6


# Sharp claims on a quadratic.


def test_sharp_claims_are_made_where_the_exact_floor_is_not():
    own = {"format": {"name": "int8", "rounding": "stochastic", "gradient": {"scale": 5}}}
    graph = quadratic(own, loss_changes={"gradient_noise": 5}, training={"step_size": "1/20"})
    found = verified(graph)
    sharp = [v.claim for v in found.verdicts if "sharp" in v.family]
    assert sharp == ["average gradient", "final gap"]
    assert not any("held against the run instead" in reason for *_, reason in found.skipped)
    assert shrinkage_rate(case_of(graph, THEORY.own(graph.spec))).exact.floor is None


def test_sharp_claims_make_way_for_the_exact_floor_alone():
    found = verified(quadratic({"q": "1/2"}))
    assert any(v.claim == "floor" for v in found.verdicts)
    assert sum("held against the run instead" in reason for *_, reason in found.skipped) == 2


def test_a_sharp_statement_is_made_below_its_limit_only():
    at = shrinkage_rate(case({"q": "1/2"}, step=4)).statements["nonconvex_sharp"]
    assert at.refused == "the step is not below the limit 4 of the theorem"
    below = shrinkage_rate(case({"q": "1/2"}, step="4 - 1e-9")).statements["nonconvex_sharp"]
    assert below.bound is not None
    assert any("below the limit, and not equal to it" in str(x) for x in below.conditions)


# An exact gradient that is rounded.


def test_nothing_fitted_is_printed_of_an_exact_gradient():
    found = shrinkage_rate(case(rounded(), m=1, sigma=0, step="1/5"))
    assert found.tuned is None
    assert "no law" in found.untuned
    assert found.exact.floor is None
    assert found.raises_floor is None
    data = rate_answer(found).data["shrinkage"]
    assert (data["tuned"], data["exact"]["floor"]) == (None, None)
    assert "no law" in data["tuned_refused"]
    assert "no law" in data["exact"]["refused"]


def asked(target, **numbers):
    own = numbers.pop("own", rounded())
    more = f"budget: {{target: {target}}}"
    return case(own, sigma=0, **{"step": "1/5", "more": more, **numbers})


@pytest.mark.parametrize("m", [None, "1/2"])
def test_a_budget_of_an_exact_gradient_uses_theorem_11_9(m):
    c = asked("1/50", m=m, horizon=2000)
    found = shrinkage_budget(c)
    key = "rounding" if m is None else "rounding_pl"
    assert found.bound == shrinkage_rate(c).statements[key].bound
    assert found.bound.status is Status.PROVED
    assert (found.q, found.noise, found.q_compensated, found.noise_compensated) == (None,) * 4
    assert found.step.value == 1  # 1/(L q_hi)
    there = shrinkage_rate(c.replaced(step=found.step.value)).statements[key]
    assert there.bound.value <= found.target.value
    assert "no law" in str(budget_answer(c, found).blocks[0])


def test_a_budget_below_the_dead_zone_has_no_step():
    c = asked("1e-9", m=None)
    found = shrinkage_budget(c)
    assert found.step is None
    assert found.stepless == ""
    assert found.bound.value > found.target.value
    assert "none meets the target" in str(budget_answer(c, found).blocks[0]).lower()


def test_where_everything_underflows_there_is_no_bound_and_no_step():
    c = asked("1", m=1, gap="1/600**2/2")
    found = shrinkage_budget(c)
    assert (found.bound, found.step) == (None, None)
    assert "every step is 0" in found.stepless
    assert "every step is 0" in shrinkage_rate(c).statements["rounding"].refused


def test_a_gradient_bound_at_the_edge_of_a_piece_reaches_it():
    """|x| ≤ G includes G, which becomes the smallest number."""
    (found,) = sectors(pieces(FORMATS["fp8_e4m3"], "toward_zero"), Fraction(1, 512))
    assert (found.low, found.high, found.dead) == (1, 1, Fraction(1, 512))
    nearest = sectors(pieces(FORMATS["fp8_e4m3"], "nearest"), Fraction(1, 1024))
    assert nearest[0].high == 2
    assert sectors(pieces(FORMATS["fp8_e4m3"], "toward_zero"), Fraction(1, 513)) == []


# Laws at the ends of their range.


@pytest.mark.parametrize("scale", ["1e-170", "1e-200", "1e-300", "1e160", "1e300", "1e-61", "1e9"])
@pytest.mark.parametrize("law", ["gaussian", "laplace", "uniform"])
def test_scales_beyond_the_range_are_refused(scale, law):
    with pytest.raises(SpecError, match="beyond the range") as caught:
        case(rounded(scale=scale, distribution=law))
    assert caught.value.where == "shrinkage.format.gradient.scale"
    assert "between 1e-60 and 4.48e+08" in caught.value.expected


@pytest.mark.parametrize("law", ["gaussian", "laplace", "uniform", "student"])
@pytest.mark.parametrize("name", ["bf16", "fp4_e2m1"])
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_scales_at_the_ends_are_taken(law, name, rounding):
    gradient = {"distribution": law, **({"degrees": 3} if law == "student" else {})}
    top = 10**6 * Fraction(FORMATS[name].largest)

    def at(scale):
        own = {"name": name, "rounding": rounding, "gradient": {"scale": scale, **gradient}}
        return float(case({"format": own}).projection.q)

    # Everything saturates: q = max E|g|/s².
    mean = {"gaussian": (2 / np.pi) ** 0.5, "laplace": 0.5**0.5, "uniform": 0.75**0.5}
    assert at(str(top)) == pytest.approx(1e-6 * mean.get(law, 2 / np.pi), rel=1e-5)
    if rounding == "nearest" and law != "student":
        with pytest.raises(SpecError, match="becomes 0"):
            at("1e-60")
    else:
        assert 0 < at("1e-60") <= 1


@pytest.mark.parametrize("degrees", ["2", "2 + 1e-15", "1e61", "1e150"])
def test_degrees_beyond_the_range_are_refused(degrees):
    with pytest.raises(SpecError, match="variance"):
        case(rounded(distribution="student", degrees=degrees))


@pytest.mark.parametrize("nu", [2.001, 5.5, 99, 100, 1e4, 1e9, 1e20, 1e60])
@pytest.mark.parametrize("x", [0.0, 0.7, 6.0])
def test_student_tails_at_all_degrees(nu, x):
    """Against quadrature of the density in 90 digits."""
    with mp.workdps(90):
        n, s = mp.mpf(nu), mp.mpf(1.3)
        tau = s * mp.sqrt((n - 2) / n)
        z = mp.mpf(x) / tau
        top = mp.exp(mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2)) / mp.sqrt(n * mp.pi)

        def density(t):
            return top * mp.exp(-(n + 1) / 2 * mp.log1p(t * t / n))

        ends = [z, z + 1, z + 2, z + 4, z + 8, z + 16, z + 40]
        if nu < 100:
            exact = [mp.betainc(n / 2, 0.5, 0, n / (n + z * z), regularized=True) / 2]
            exact.append(tau * (n + z * z) / (n - 1) * density(z))
            wide = mp.betainc((n - 2) / 2, 0.5, 0, n / (n + z * z), regularized=True) / 2
            exact.append(tau**2 * n * ((n - 1) / (n - 2) * wide - exact[0]))
        else:
            exact = [mp.quad(lambda t, i=i: (tau * t) ** i * density(t), ends) for i in range(3)]
    found = tails("student", 1.3, nu)(np.array([x]))
    for got, known in zip(found, exact, strict=True):
        assert float(got[0]) == pytest.approx(float(known), rel=2e-12)


# Factors that no enclosure decides.


def test_an_undecided_factor_is_called_so():
    with pytest.raises(SpecError, match="undecided"):
        case({"q": "sqrt(2)*sqrt(2)/2"})
    with pytest.raises(SpecError, match="not a shrinkage factor"):
        case({"q": "sqrt(2)"})
    with pytest.raises(SpecError, match="undecided"):
        case({"q": "1/2", "q_min": "sqrt(2)*sqrt(2)/4"})
