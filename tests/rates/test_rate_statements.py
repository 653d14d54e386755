"""Rates of a spec against loops over the steps."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_rates import Case, Site, close, high
from strategies import POSITIVE, rows

from boundcalc import build, loads
from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.errors import SpecError, SymbolError
from boundcalc.graph import UniformConstants
from boundcalc.rates import batch_level, rates, wide
from boundcalc.rates import steps as search
from boundcalc.rates.statements import Level, Problem, nonconvex_terms, variance
from boundcalc.theories.perturbed.families import FAMILIES, Bounds, Sharp
from boundcalc.theories.perturbed.refinements import MEAN_CAP

F = Fraction

ONES = UniformConstants(3, *[F(1)] * 5)

forward = Site(1, "forward", F(1, 10), F(0), F(1, 8))
biased = Site(2, "forward", F(1, 10), F(1, 20), F(1, 8))
backward = Site(3, "backward", F(1, 5), F(0), F(1, 4))
backward_biased = Site(2, "backward", F(1, 5), F(1, 7), F(1, 4))


@pytest.fixture(scope="module", autouse=True)
def _short_search() -> Iterator[None]:
    # What the search for the best step finds is tested elsewhere; here it would only take time.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_GRID", 3, raising=False)
        patch.setattr(search, "_ROUNDS", 1, raising=False)
        yield


#: The literal statements know no refinement but the cap of means.
CAPPED = {**FAMILIES, "sharp": Sharp([MEAN_CAP])}


def check(case: Case) -> None:
    found = rates(case.graph(), families=CAPPED)
    for regime, literally in (("nonconvex", case.nonconvex), ("pl", case.pl)):
        for family, own in getattr(found, regime).items():
            assert own.family == family
            assert own.refused is None
            assert own.bound is not None
            assert close(own.bound.value, literally(family)), (regime, family)
            # Of the published family only the error bound is proved (E1, E2).
            moved = own.terms["perturbation_error"].value != 0
            proved = FAMILIES[family].bias_provable or not moved
            assert own.bound.status is (Status.PROVED if proved else Status.COMPUTED)
            assert own.terms["optimisation"].status is Status.PROVED
            assert own.terms["perturbation_error"].status is (
                Status.PROVED if proved or case.batch == 1 else Status.COMPUTED
            )
            assert list(own.terms) == [
                "optimisation", "sampling", "perturbation_error", "perturbation_bias",
            ]  # fmt: skip
            assert close(sum(term.value for term in own.terms.values()), own.bound.value)
            parts = own.split()
            assert list(parts) == ["optimisation", "sampling", "perturbation"]
            assert close(sum(part.value for part in parts.values()), own.bound.value)
            limit = 1 / case.L if family == "sharp" else 1 / (3 * case.L)
            assert own.step_size_limit is not None
            assert close(own.step_size_limit.value, limit, 1e-30)
    assert found.horizon == case.horizon
    assert close(found.step_size.value, case.step, 1e-30)


SCHEDULES: list[tuple[str, Any]] = [
    ("always", None),
    ("every", 3),
    ("every", 1),
    ("first", 2),
    ("last", 3),
    ("last", 100),
    ("first", 0),
    ("steps", [0, 4, 6]),
    ("steps", [2, 50]),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: f"{s[0]}-{s[1]}")
def test_one_schedule(schedule: tuple[str, Any]) -> None:
    check(Case(ONES, (replace(biased, schedule=schedule),), sigma=F(1, 2)))


@pytest.mark.parametrize("first", [("every", 2), ("steps", [1, 2])], ids=str)
@pytest.mark.parametrize("second", [("last", 2), ("every", 2)], ids=str)
def test_schedules_that_overlap(first: tuple[str, Any], second: tuple[str, Any]) -> None:
    sites = (
        replace(forward, schedule=first),
        replace(biased, schedule=second),
        replace(backward, schedule=("first", 4)),
        backward_biased,
    )
    check(Case(ONES, sites, sigma=F(1, 3), horizon=6))


@pytest.mark.parametrize("batch", [1, 2, 16])
@pytest.mark.parametrize(
    "sites", [(), (forward,), (biased,), (backward,), (backward_biased,), (forward, backward)],
    ids=["none", "forward", "biased", "backward", "backward-biased", "both"],
)  # fmt: skip
def test_batches_and_biases(sites: tuple[Site, ...], batch: int) -> None:
    check(Case(ONES, sites, sigma=F(1, 2), batch=batch, horizon=3))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_random_cases(data: Any) -> None:
    size = data.draw(st.integers(2, 4))
    u = UniformConstants(size, *(x / 2 for x in data.draw(rows(5, POSITIVE))))
    numbers = data.draw(rows(4, POSITIVE))
    sites = []
    for operator, direction in itertools.product(range(1, size + 1), ("forward", "backward")):
        if data.draw(st.booleans()):
            rms, share = data.draw(rows(2, POSITIVE))
            mean = data.draw(st.sampled_from([F(0), rms / 2, rms]))
            schedule = data.draw(st.sampled_from(SCHEDULES))
            sites.append(
                Site(operator, direction, rms / 5, mean / 5, rms * (1 + share) / 5, schedule)
            )
    L, gap, sigma, share = numbers
    check(
        Case(
            u,
            tuple(sites),
            L=L,
            mu=L * data.draw(st.sampled_from([F(1), F(1, 2), F(1, 50)])),
            gap=gap,
            sigma=data.draw(st.sampled_from([F(0), sigma])),
            batch=data.draw(st.sampled_from([1, 3])),
            step=share / 3 / (3 * L),
            horizon=data.draw(st.integers(1, 9)),
        )
    )


def test_zero_bias_adds_variances() -> None:
    # Lemma 6.3 (b): backward-only, zero-mean; ζ² = b²(a²+1)ϵ², by hand with all constants 1.
    case = Case(ONES, (backward,), sigma=F(1, 2), mu=None)
    terms = rates(case.graph()).nonconvex["sharp"].terms
    assert close(terms["perturbation_error"].value, case.step * 2 * F(1, 25), 1e-30)
    assert close(terms["sampling"].value, case.step * F(1, 4), 1e-30)
    assert terms["perturbation_bias"].value == 0
    assert close(terms["optimisation"].value, 2 / (case.step * 7), 1e-30)


def test_bias_makes_standard_deviations_add() -> None:
    # (σ + ζ)² − σ² with ζ² = 2·(1/5)² from ε_3 alone, mean as large as the size.
    site = replace(backward, mean=F(1, 5))
    case = Case(ONES, (site,), sigma=F(1, 2), mu=None)
    terms = rates(case.graph()).nonconvex["sharp"].terms
    zeta = high(F(2, 25)) ** high(F(1, 2))
    assert close(terms["perturbation_error"].value, high(case.step) * (zeta**2 + zeta), 1e-30)
    assert close(terms["perturbation_bias"].value, F(2, 25), 1e-30)


# -- levels, variance and the order of the families ------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(rows(2), st.integers(1, 9))
def test_batch_level(row: tuple[F, ...], M: int) -> None:
    error, bias = row
    bounds = Bounds(
        error=Number(error, Status.PROVED), bias=Number(bias, Status.PROVED),
        form="", error_plain=None, bias_plain=None,
    )  # fmt: skip
    level = batch_level(bounds, M)
    assert close(level.error, min(error, (1 - F(1, M)) * bias + error / M), 1e-30)
    assert close(level.bias, bias, 1e-30)
    assert level.unbiased == (bias == 0)


def test_wide_takes_every_number() -> None:
    third = WIDE.number(1) / 3
    assert wide(F(1, 3)) == third
    assert wide(third) is third
    assert wide(0.5) == wide(F(1, 2))
    assert wide(3) == 3


@settings(deadline=None, max_examples=60)
@given(rows(2))
def test_variance(row: tuple[F, ...]) -> None:
    error, sigma = row
    e, s = WIDE.number(error), WIDE.number(sigma)
    free = variance(Level(e, WIDE.number(0), unbiased=True), s)
    general = variance(Level(e, WIDE.number(1), unbiased=False), s)
    assert close(free, error + sigma**2, 1e-30)
    assert close(general, (high(sigma) + high(error) ** high(F(1, 2))) ** 2, 1e-30)


@settings(deadline=None, max_examples=150)
@given(rows(5, POSITIVE), rows(3), st.booleans(), st.integers(1, 50))
def test_sharp_statement_is_below_the_published_one(
    row: tuple[F, ...], other: tuple[F, ...], zero: bool, T: int
) -> None:
    # The remark after Lemma 6.5, at the same levels and step.
    L, gap, share, e1, e2 = map(WIDE.number, row)
    sigma, b1, b2 = (WIDE.number(0 if zero and k else x) for k, x in enumerate(other))
    levels = [Level(e1, b1, bool(b1 == 0)), Level(e2, b2, bool(b2 == 0))]
    shares = [WIDE.number(F(1, 3)), WIDE.number(F(2, 3))]
    p = Problem(L=L, mu=None, gap=gap, sigma=sigma, step=share / 3 / (3 * L), horizon=T)
    own = nonconvex_terms(p, FAMILIES["sharp"].descent, levels, shares)
    for name in ("published", "corrected"):
        printed = nonconvex_terms(p, FAMILIES[name].descent, levels, shares)
        assert sum(own.values()) <= sum(printed.values()) * (1 + WIDE.number(F(1, 10**30)))


# -- refusals --------------------------------------------------------------------------------------


def rated(**changes: Any) -> Any:
    return rates(replace(Case(ONES), **changes).graph())


SMOOTHNESS = [F(1), F(3, 7), F(3, 2), F(7, 3), F(12345, 67)]


@pytest.mark.parametrize("L", SMOOTHNESS)
@pytest.mark.parametrize("family", ["published", "corrected"])
def test_limit_of_the_printed_statements(L: F, family: str) -> None:
    refuse_and_accept(L, 3, family, "1/(3L)")


@pytest.mark.parametrize("L", SMOOTHNESS)
def test_limit_of_the_sharp_statements(L: F) -> None:
    refuse_and_accept(L, 1, "sharp", "1/L")


def refuse_and_accept(L: F, k: int, family: str, name: str) -> None:
    limit = 1 / (k * L)
    mu = L / 2
    at = rated(L=L, mu=mu, step=limit)
    above = rated(L=L, mu=mu, step=limit + F(1, 10**40))
    for regime in ("nonconvex", "pl"):
        accepted = getattr(at, regime)[family]
        assert accepted.refused is None
        assert accepted.bound is not None
        refused = getattr(above, regime)[family]
        assert refused.bound is None
        assert refused.terms == {}
        assert refused.split() == {}
        assert refused.refused is not None
        assert f"limit {name} = " in refused.refused
        assert refused.step_size_limit is not None
        shown = re.search(r"= ([0-9.e+-]+) of the theorem", refused.refused)
        assert shown is not None
        # what the message says is the limit is itself within the limit, and close to it
        assert limit * (1 - F(1, 10**5)) <= F(shown[1]) <= limit
        # the best step is named all the same, and it is allowed
        assert refused.best_step is not None
        assert high(refused.best_step[0].value) <= high(limit) * (1 + high(F(1, 10**30)))


def test_sharp_statements_allow_three_times_the_step() -> None:
    found = rated(step=F(1, 2))
    assert found.nonconvex["published"].refused is not None
    assert found.nonconvex["corrected"].refused is not None
    assert found.nonconvex["sharp"].refused is None


def test_limit_with_an_irrational_step() -> None:
    text = Case(ONES).text().replace("step_size: 1/5", "step_size: sqrt(2)")
    refused = rates(build(loads(text))).nonconvex["sharp"].refused
    assert refused is not None
    assert "1.41421" in refused
    text = Case(ONES).text().replace("step_size: 1/5", "step_size: sqrt(2)/5")
    found = rates(build(loads(text))).nonconvex
    assert found["sharp"].refused is None
    assert found["published"].refused is None


@pytest.mark.parametrize("key", ["smoothness", "initial_gap", "gradient_noise"])
def test_missing_constants_are_named(key: str) -> None:
    text = re.sub(rf"{key}: [0-9/]+,? ?", "", Case(ONES).text())
    with pytest.raises(SpecError, match=rf"loss\.{key}"):
        rates(build(loads(text)))


def test_missing_training_is_named() -> None:
    text = "\n".join(line for line in Case(ONES).text().splitlines() if "training" not in line)
    with pytest.raises(SpecError, match="training"):
        rates(build(loads(text)))


def test_no_pl_constant_means_no_pl_bound() -> None:
    found = rated(mu=None)
    assert found.pl == {}
    assert any("loss.pl" in note for note in found.notes)
    assert not any("loss.pl" in note for note in rated().notes)


def test_pl_above_smoothness_is_refused() -> None:
    with pytest.raises(SpecError, match=r"loss\.pl"):
        rated(L=F(1, 2), mu=F(501, 1000))
    assert rated(L=F(1, 2), mu=F(1, 2), step=F(2)).pl["sharp"].bound is not None


@pytest.mark.parametrize(
    ("change", "where"),
    [({"step": F(0)}, r"training\.step_size"), ({"L": F(0)}, "smoothness"), ({"mu": F(0)}, "pl")],
)
def test_zero_where_a_positive_number_is_needed(change: dict[str, F], where: str) -> None:
    with pytest.raises(SpecError, match=where):
        rated(**change)


def test_symbols_without_a_value() -> None:
    text = Case(ONES).text().replace("smoothness: 1", "smoothness: L") + "symbols: {L: }\n"
    with pytest.raises(SymbolError, match="'L'"):
        rates(build(loads(text)))


def test_fourth_moments_are_asked_for() -> None:
    text = Case(ONES, (biased,)).text().replace(", fourth: 1/8", "")
    found = rates(build(loads(text)))
    for regime in (found.nonconvex, found.pl):
        for name in ("published", "corrected"):
            assert regime[name].bound is None
            assert regime[name].best_step is None
            refused = regime[name].refused
            assert refused is not None
            assert "fourth" in refused
        assert regime["sharp"].bound is not None


# -- extremes --------------------------------------------------------------------------------------


def test_a_billion_steps() -> None:
    case = Case(ONES, (biased, backward), sigma=F(1, 2), horizon=10**9, step=F(1, 10**4))
    start = time.process_time()
    found = rates(case.graph())
    assert time.process_time() - start < 10
    T, g, mu, L = 10**9, high(case.step), high(F(1, 10)), 1
    error, bias = case.error_and_bias("sharp", 0)
    Var = case.variance(0)
    assert close(found.nonconvex["sharp"].bound.value, 2 / (g * T) + L * g * Var + bias)
    q = 1 - mu * g
    floor = (1 - q**T) / (2 * mu) * (bias + L * g * Var)
    assert close(found.pl["sharp"].bound.value, q**T + floor)
    error, bias = case.error_and_bias("corrected", 0)
    q = 1 - mu * g / 3
    noise = 3 * g * high(F(1, 4)) / mu
    geometric = (1 - q**T) / (1 - q)
    expected = q**T + noise + geometric * (g**2 * error + g / 2 * bias)
    assert close(found.pl["corrected"].bound.value, expected)
    printed = case.error_and_bias("published", 0)
    expected = q**T + noise + q * geometric * (g**2 * printed[0] + g / 2 * printed[1])
    assert close(found.pl["published"].bound.value, expected)


@pytest.mark.parametrize("schedule", [("every", 3), ("first", 5), ("last", 5), ("steps", [0, 7])])
def test_a_schedule_over_a_billion_steps(schedule: tuple[str, Any]) -> None:
    T = 10**9
    case = Case(ONES, (replace(biased, schedule=schedule),), horizon=T, step=F(1, 10**6))
    start = time.process_time()
    found = rates(case.graph(), families={"sharp": FAMILIES["sharp"]})
    assert time.process_time() - start < 10
    key = schedule[0]
    steps = {
        "every": range(0, T, 3), "first": range(5), "last": range(T - 5, T), "steps": [0, 7],
    }[key]  # fmt: skip
    # q^{T−1−t} = exp((T−1−t) ln q), summed where there are few and as a quotient where many
    q, g = 1 - high(case.mu) * high(case.step), high(case.step)
    if key == "every":
        last = steps[-1]
        weight = q ** (T - 1 - last) * (1 - q ** (3 * len(steps))) / (1 - q**3)
    else:
        weight = sum(q ** (T - 1 - t) for t in steps)
    error, bias = case.error_and_bias("sharp", 0 if key != "last" else T - 1)
    bound = found.pl["sharp"].bound
    assert bound is not None
    assert close(bound.value, q**T + weight * (g / 2 * bias + g**2 / 2 * error), 1e-11)
    average = found.nonconvex["sharp"].bound
    assert average is not None
    assert close(average.value, 2 / (g * T) + high(F(len(steps), T)) * (bias + g * error))


def test_contraction_to_zero_in_one_step() -> None:
    # μ = L and γ = 1/L: 1 − μγ = 0 and only the last step's perturbation is left.
    case = Case(ONES, (replace(biased, schedule=("every", 3)),), mu=F(1), step=F(1), sigma=F(1, 2))
    found = rates(case.graph()).pl["sharp"]
    assert found.bound is not None
    assert close(found.bound.value, case.pl("sharp"))
    assert found.terms["optimisation"].value == 0
    steady = replace(case, sites=(biased,), own={})
    bound = rates(steady.graph()).pl["sharp"].bound
    assert bound is not None
    assert close(bound.value, steady.pl("sharp"))


@pytest.mark.parametrize("L", [F(3, 7), F(1, 3), F(1, 49)])
def test_contraction_to_zero_where_the_limit_has_no_finite_expansion(L: F) -> None:
    bound = rated(L=L, mu=L, step=1 / L, horizon=1).pl["sharp"].bound
    assert bound is not None
    assert abs(high(bound.value)) <= high(F(1, 10**30))
    assert bound.value >= 0


@pytest.mark.parametrize(
    ("mu", "step", "T"),
    [
        (F(1, 10**20), F(1, 10), 10**9),
        (F(1, 10**30), F(1, 10**10), 10),
        (F(1, 10**25), F(1, 3), 50),
    ],
    ids=["small-mu", "small-step", "small-product"],
)
def test_contraction_within_rounding_of_one(mu: F, step: F, T: int) -> None:
    # μγ may be far below one unit in the last place of 1: the sum is then T terms of size one.
    case = Case(ONES, (biased,), mu=mu, step=step, sigma=F(1, 2), horizon=T)
    found = rates(case.graph()).pl
    for family in FAMILIES:
        bound = found[family].bound
        assert bound is not None
        q = mu * step if family == "sharp" else mu * step / 3
        # Σ_{n<T} (1−q)ⁿ = T − T(T−1)q/2 + …
        geometric = high(T) - high(F(T * (T - 1), 2)) * high(q)
        g = high(step)
        if family == "sharp":
            _, bias = case.error_and_bias(family, 0)
            expected = 1 - T * high(q) + geometric * (g / 2 * bias + g**2 / 2 * case.variance(0))
        else:
            error, bias = case.error_and_bias(family, 0)
            noise = 3 * g * high(F(1, 4)) / high(mu)
            expected = 1 - T * high(q) + noise + geometric * (g**2 * error + g / 2 * bias)
        assert close(bound.value, expected, 1e-9)


def test_the_public_function_survives_its_module() -> None:
    import boundcalc
    import boundcalc.rates.rate

    spec = boundcalc.loads(Case(ONES, mu=None).text())
    assert boundcalc.rates(spec).nonconvex["sharp"].bound is not None
    assert boundcalc.rates(spec).nonconvex["sharp"].bound is not None
