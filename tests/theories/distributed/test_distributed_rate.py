"""The answers: JSON, refusals, cautions, and how bounds move with their constants."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theories.distributed import distributed_specs as specs

from boundcalc.errors import SpecError
from boundcalc.theories.distributed.theory import THEORY
from boundcalc.theories.plain import jsonable

CUT = {"sigma0": 1, "truncation": 2, "epsilon": "1/20"}


def rate(section, **keys):
    return THEORY.rate(specs.graph(section, **keys))


def data(section, **keys):
    text = json.dumps(jsonable(rate(section, **keys).data), allow_nan=False)
    return json.loads(text)["distributed"]


def test_json_of_compressed():
    found = data({**specs.COMPRESSED, **CUT, "gradient_bound": 27})
    assert found["statement"] == "discrete"
    assert found["bound"] == pytest.approx(sum(found["terms"].values()), rel=1e-14)
    assert found["step_size_limit"] == pytest.approx(0.1 / (31 * 1.375 + 0.5))
    assert found["step_size_limit_classic"] == pytest.approx(0.1 / (31 * 0.375 + 0.5))
    assert found["status"] == "proved"
    assert set(found["statements"]) == {"discrete", "normalised_sde"}


def test_json_of_sign():
    found = data({**specs.SIGN, "snr": 3})
    assert found["statement"] == "sign"
    assert found["step_size_limit"] < found["step_size_limit_classic"]
    assert found["statements"]["sign"]["c_nu"] == pytest.approx(0.5)
    blind = data(specs.SIGN)
    assert blind["step_size_limit"] is None
    assert blind["bound"] == found["bound"]


def test_unbounded_noise_leaves_the_equation_only():
    answer = rate({**specs.COMPRESSED, "sigma0": 1})
    assert answer.value.chosen.key == "normalised_sde"
    assert "truncation" in answer.value.statements[0].refused
    assert any("may be infinite" in caution for caution in answer.cautions)
    # (1 + A)S_0/(2ϵ(1 − ϵ)T) + ϵB'/((1 − ϵ)L0(1 + A)) at ϵ = 1/2, T = 20
    A, B = Fraction(3, 8), Fraction(1, 2)
    expected = (1 + A) * Fraction(81, 4) * 2 / 20 + B / (4 * (1 + A))
    assert answer.value.chosen.bound.value == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nu": 2, "sigma0": 1}, "variance of the noise is infinite"),
        ({"schedule": "{type: constant}"}, "give `distributed.gradient_bound`"),
        ({"schedule": "{type: constant}", "gradient_bound": 100}, "not below its limit"),
        ({"epsilon": "9/10"}, "lower `distributed.epsilon`"),
        ({"schedule": "{type: inverse_norm, offset: 1/1000}"}, "not below its limit"),
        ({"clip": 1}, "biased"),
    ],
)
def test_refusals(changes, words):
    section = {**specs.COMPRESSED, **changes}
    found = rate(section).value.statements[0]
    assert found.bound is None
    assert words in found.refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schedule": "{type: inverse_norm}"}, "fixed in advance"),
        ({"sigma0": 1, "sigma1": 1}, "grows with the gradient"),
        ({"L1": 1000}, "not below its limit"),
    ],
)
def test_sign_refusals(changes, words):
    found = rate({**specs.SIGN, **changes}).value.statements[0]
    assert found.bound is None
    assert words in found.refused


@pytest.mark.parametrize("changes", [{"nu": 1}, {"nu": "1/2"}, {"nu": 5}])
def test_cautions_of_sign_and_heavy_tails(changes):
    assert any("ℓ_ν" in caution for caution in rate({**specs.SIGN, **changes}).cautions)
    heavy = rate({**specs.COMPRESSED, "sigma0": 1, **changes})
    infinite = changes["nu"] != 5
    assert any("infinite variance" in caution for caution in heavy.cautions) == infinite
    assert (heavy.value.chosen is None) == infinite


def test_nothing_is_cautioned_about_without_reason():
    section = {"algorithm": "dsgd", "agents": 8, "L0": 4, "L1": 0, "dimension": 1, "sigma0": 1}
    assert rate({**section, "schedule": "{type: constant}"}).cautions == ()


def test_discrete_limit_is_the_border():
    section = {**specs.COMPRESSED, **CUT, "schedule": "{type: constant}", "gradient_bound": 27}
    limit = rate(section).value.statements[0].step_size_limit
    below, above = (Fraction(str(limit)) * factor for factor in (1, Fraction(101, 100)))
    for step, made in ((below, True), (above, False)):
        found = rate(section, training=f"{{step_size: {step}, horizon: 20}}")
        assert (found.value.statements[0].bound is not None) == made


def bound(section, training="{step_size: 1/100, horizon: 50}", loss="{initial_gap: 3}"):
    found = rate(section, training=training, loss=loss).value.statements[0]
    return None if found.bound is None else found.bound.value


POSITIVE = st.fractions(Fraction(1, 10), 3, max_denominator=20)


@given(st.sampled_from(["omega", "sigma0", "sigma1", "L1", "truncation"]), POSITIVE, POSITIVE)
@settings(deadline=None, max_examples=12)
def test_worse_constants_give_worse_bounds(name, low, high):
    low, high = sorted((low, high))
    section = {
        **specs.COMPRESSED, "omega": 1, "sigma0": 1, "sigma1": "1/10", "truncation": 1,
        "schedule": "{type: constant}", "gradient_bound": 2,
    }  # fmt: skip
    better, worse = (bound({**section, name: value}) for value in (low, high))
    assert better is not None
    assert worse is not None
    assert low == high or better < worse


@given(st.sampled_from(["sigma_max", "L0", "L1", "dimension"]), POSITIVE, POSITIVE)
@settings(deadline=None, max_examples=12)
def test_worse_constants_give_worse_sign_bounds(name, low, high):
    low, high = sorted((low, high))
    if name == "dimension":
        low, high = 1 + int(10 * low), 1 + int(10 * high)
    better, worse = (bound({**specs.SIGN, name: value}) for value in (low, high))
    assert better is not None
    assert worse is not None
    assert low == high or better < worse


def test_no_noise_no_compression_is_gradient_descent():
    """(S_0/(γT))/(1 − γL/2): the classical statement, L1 = 0."""
    section = {"algorithm": "dsgd", "agents": 3, "L0": 2, "L1": 0, "dimension": 5}
    found = bound({**section, "schedule": "{type: constant}"})
    assert found == Fraction(3) / (Fraction(1, 100) * 50 * (1 - Fraction(1, 100)))


def test_agents_do_not_matter_to_signs():
    assert specs.close(bound(specs.SIGN), bound({**specs.SIGN, "agents": 1}), 1e-35)


def test_compile_shows_the_equations():
    found = json.loads(json.dumps(jsonable(THEORY.compile(specs.graph(specs.SIGN)).data)))
    equations = found["distributed"]["equations"]
    assert set(equations) == {"classic", "corrected"}
    assert r"\Xi_\nu" in equations["classic"]["drift_latex"]
    assert "hyper" in equations["classic"]["drift"]


def test_ledger_says_what_is_assumed():
    section = {**specs.COMPRESSED, "omega": [1, 2, 3, 4, 1, 2, 3, 4], "sigma0": 1, "truncation": 3}
    keys = [a.key for a in THEORY.assumptions(specs.graph(section))]
    assert keys == ["L0", "L1", "S0", "N1", "N2", "σ0", "σ1", "τ", "ω", "ϵ"]
    sign = THEORY.assumptions(specs.graph({**specs.SIGN, "snr": 2}))
    assert [a.key for a in sign] == ["L0", "L1", "S0", "N1", "N2", "N3", "ϵ", "s"]
    assert sign[4].value.value == 1


def test_a_bound_on_the_gradient_that_the_start_exceeds_is_cautioned_about():
    """x₀ = 3 has ‖∇f‖ = 27."""
    section = {**specs.COMPRESSED, **CUT, "schedule": "{type: constant}"}
    run = {"simulation": True, "training": "{step_size: 1/1000, horizon: 20}"}
    for bound, empty in ((0, True), (26, True), (27, False)):
        found = THEORY.rate(specs.graph({**section, "gradient_bound": bound}, **run))
        said = [c for c in found.cautions if "counts no step" in c]
        assert bool(said) == empty
    blind = rate({**section, "gradient_bound": 0})
    assert any("counts no step" in caution for caution in blind.cautions)
    normalised = THEORY.rate(specs.graph({**section, "schedule": "{type: normalised}",
                                          "gradient_bound": 1}, **run))  # fmt: skip
    assert any("condition speaks of no step" in caution for caution in normalised.cautions)


@pytest.mark.parametrize("schedule", ["normalised", "inverse_norm", "constant", "inverse_sqrt"])
def test_corrections_of_steps_that_depend_on_x_are_of_first_order_only(schedule):
    section = {**specs.COMPRESSED, "schedule": {"type": schedule}}
    answer = THEORY.compile(specs.graph(section))
    notes = answer.data["distributed"]["equation_notes"]
    assert any("first order only" in note for note in notes) == (
        schedule in ("normalised", "inverse_norm")
    )
    assert all(any(note in str(block) for block in answer.blocks) for note in notes)


def test_compile_says_whose_noise_the_mean_sign_is():
    found = THEORY.compile(specs.graph({**specs.SIGN, "truncation": 2})).data["distributed"]
    assert any("not cut" in note for note in found["equation_notes"])
    assert any("independent" in note for note in found["equation_notes"])
    affine = THEORY.compile(specs.graph({**specs.SIGN, "sigma0": 1, "sigma1": 1}))
    assert "sigma_1" in affine.data["distributed"]["equations"]["classic"]["drift"]


def test_ledger_says_what_the_proofs_use():
    ledger = {a.key: str(a.says) for a in THEORY.assumptions(specs.graph(specs.COMPRESSED))}
    assert r"\lVert C_i(x)\rVert\le(1+\omega_i)" in ledger["ω"].replace("\\\\", "\\")
    assert "independent of the noise" in ledger["ω"]
    assert "continuously" in ledger["L0"]
    flat = THEORY.assumptions(specs.graph({**specs.COMPRESSED, "L1": 0}))
    assert "surely" not in str({a.key: a for a in flat}["ω"].says)
    made = rate(specs.COMPRESSED).value.statements[0].conditions
    assert any("independent of each other" in str(condition) for condition in made)


@pytest.mark.parametrize("nu", ["1/10**10", "1/10**60"])
def test_too_few_degrees_of_freedom_are_refused(nu):
    with pytest.raises(SpecError, match="degrees of freedom"):
        THEORY.accepts(specs.graph({**specs.SIGN, "nu": nu}))


def test_steps_of_any_degrees_of_freedom_are_proved():
    for nu in ("10**20", "10**60"):
        found = rate({**specs.SIGN, "nu": nu}).value.statements[0]
        assert found.bound.status == "proved"
        gaussian = {k: v for k, v in specs.SIGN.items() if k != "nu"}
        assert specs.close(found.bound.value, bound(gaussian, *_RUN), 1e-15)


_RUN = ("{step_size: 1/10, horizon: 20}", "{initial_gap: 81/4}")
