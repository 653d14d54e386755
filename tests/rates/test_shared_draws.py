"""Draws that a batch shares: exact enumeration, a simulation, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_rates import close, high

from boundcalc import build, loads
from boundcalc.arithmetic import FLOATS, INTERVALS, WIDE, Number, Status
from boundcalc.budgets.orders import orders
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import batch_level, rates
from boundcalc.rates import steps as search
from boundcalc.rates.bound import statement
from boundcalc.rates.inputs import problem
from boundcalc.rates.shared import SharedDraws, shared_draws
from boundcalc.rates.timeline import Timeline
from boundcalc.simulate.run import simulate
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction
SHARP = FAMILIES["sharp"]


@pytest.fixture(scope="module", autouse=True)
def _short_search() -> Iterator[None]:
    # What the search for the best step finds is tested elsewhere; here it would only take time.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_GRID", 3, raising=False)
        patch.setattr(search, "_ROUNDS", 1, raising=False)
        yield


#: f = log(1 + exp(sin(−label · hᵀw))): curved everywhere, so that nothing is exact by accident.
CURVED = """
version: 1
name: margin, sine, softplus
graph: {operators: [{id: f1, type: margin}, {id: f2, type: sine}, {id: f3, type: softplus}]}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, pl: 1/10, batch: BATCH}
training: {step_size: 1/4, horizon: 10}
simulation: {data: {points: [[1, 0], [1, 0], [1, 0]], labels: [1, 1, 1]}, noise: {kind: minibatch}}
perturbations:
"""

#: Site → pass; the order in which values are drawn.
SITES = (("f1", "forward"), ("f2", "forward"), ("f3", "backward"), ("f2", "backward"))


def section(site: tuple[str, str], low: Any, top: Any, share: Any, draw: str) -> str:
    at, way = site
    return (
        f"  - {{at: {at}, pass: {way}, model: two_point, low: {low}, high: {top}, "
        f"p_high: {share}, draw: {draw}}}\n"
    )


def curved(laws: list[tuple[F, F, F]], shared: tuple[bool, ...], batch: int) -> OperatorGraph:
    text = CURVED.replace("BATCH", str(batch))
    for site, law, together in zip(SITES, laws, shared, strict=True):
        text += section(site, *law, "per_batch" if together else "per_sample")
    return build(loads(text))


def errors_of(y: float, delta: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """d = ũ − u in units of −label·h, for draws ``(…, 4)`` in the order of SITES."""

    def slope(t: Any) -> Any:
        return 1 / (1 + np.exp(-t))

    first, second, loss, middle = np.moveaxis(delta, -1, 0)
    back = slope(np.sin(y + first) + second) + loss
    return np.asarray(np.cos(y + first) * back + middle - np.cos(y) * slope(np.sin(y)))


def exact_moments(
    y: float, laws: list[tuple[F, F, F]], shared: tuple[bool, ...]
) -> tuple[float, float, float]:
    """(E‖d‖², E‖E[d | shared]‖², E‖d̄‖² for two samples), all by enumeration."""
    outcomes = [((float(a), 1 - float(p)), (float(b), float(p))) for a, b, p in laws]
    nothing, single, conditional, pair = ((0.0, 1.0),), 0.0, 0.0, 0.0
    sides = list(zip(outcomes, shared, strict=True))
    for common in itertools.product(*(law if together else nothing for law, together in sides)):
        weight = np.prod([p for _, p in common])
        own = list(itertools.product(*(nothing if together else law for law, together in sides)))
        draws = [[x + z for (x, _), (z, _) in zip(common, one, strict=True)] for one in own]
        p = np.array([np.prod([share for _, share in one]) for one in own])
        d = errors_of(y, np.array(draws))
        single += weight * (p @ d**2)
        conditional += weight * (p @ d) ** 2
        pair += weight * (p @ ((d[:, None] + d) / 2) ** 2 @ p)
    return single, conditional, pair


FAIR = [(F(-1, 2), F(1, 2), F(1, 2))] * 4
MIXED = [
    (F(-1, 4), F(3, 4), F(1, 4)),  # mean zero
    (F(-1, 8), F(1, 2), F(1, 2)),
    (F(-1, 2), F(1), F(1, 3)),  # mean zero
    (F(0), F(1, 2), F(1, 4)),
]
WAYS = list(itertools.product([False, True], repeat=4))


@pytest.mark.parametrize("shared", WAYS, ids=lambda s: "".join("so"[not x] for x in s))
@pytest.mark.parametrize("laws", [FAIR, MIXED], ids=["fair", "mixed"])
def test_enumerated_errors_stay_below_the_bounds(
    laws: list[tuple[F, F, F]], shared: tuple[bool, ...]
) -> None:
    graph = curved(laws, shared, 2)
    bounds = SHARP.best_bounds(graph)
    draws = shared_draws(graph, SHARP, range(4))
    assert (draws is None) == (not any(shared))
    assert bounds.error is not None
    level = batch_level(bounds, 2, WIDE, draws)
    for y in (-2.5, -1.0, -0.2, 0.0, 0.4, 1.3, 3.0):
        single, conditional, pair = exact_moments(y, laws, shared)
        # Two samples: E‖d̄‖² = (E‖E[d|s]‖² + E‖d‖²)/2, from which the lemma starts.
        assert pair == pytest.approx((conditional + single) / 2, rel=1e-12)
        assert pair <= float(level.error) * (1 + 1e-12)
        assert single <= float(bounds.error.value) * (1 + 1e-12)
        if draws is not None and draws.split is not None:
            assert conditional <= float(draws.split.square(WIDE)) * (1 + 1e-12)


def test_dividing_by_the_batch_is_violated_where_the_draw_is_shared() -> None:
    """A small bias and a shared zero-mean draw: nearly nothing averages out."""
    still = (F(0), F(1, 10**6), F(1, 2))
    laws, shared = [still, still, still, FAIR[0]], (False, False, False, True)
    apart, together = curved(laws, (False,) * 4, 2), curved(laws, shared, 2)
    divided = batch_level(SHARP.best_bounds(apart), 2)
    draws = shared_draws(together, SHARP, range(4))
    whole = batch_level(SHARP.best_bounds(together), 2, WIDE, draws)
    single, _, pair = exact_moments(0.4, laws, shared)
    assert pair > 1.9 * float(divided.error)
    assert pair <= float(whole.error)
    assert float(whole.error) == pytest.approx(single, rel=1e-4)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_the_split_holds_for_random_laws(data: st.DataObject) -> None:
    eighths = st.integers(-8, 8).map(lambda k: F(k, 8))
    laws = [
        (
            low := data.draw(eighths),
            low + data.draw(st.sampled_from([F(1, 8), F(1, 2), F(2)])),
            data.draw(st.sampled_from([F(1, 8), F(1, 2), F(3, 4)])),
        )
        for _ in SITES
    ]
    shared = data.draw(st.sampled_from(WAYS))
    graph = curved(laws, shared, 2)
    draws = shared_draws(graph, SHARP, range(4))
    _, conditional, pair = exact_moments(data.draw(st.floats(-3, 3)), laws, shared)
    level = batch_level(SHARP.best_bounds(graph), 2, WIDE, draws)
    assert pair <= float(level.error) * (1 + 1e-12)
    if draws is not None and draws.split is not None:
        assert conditional <= float(draws.split.square(WIDE)) * (1 + 1e-12)


# -- where the lemma is attained -------------------------------------------------------------------

#: v = y for the loss y²/2, so that d = −label·h (Σ δ + Σ ε) exactly; all constants 1.
LINEAR = """
version: 1
name: linear in everything that is perturbed
graph:
  operators:
    - {id: f1, constants: {jac_input: 1, jac_weight: 1, hess_input: 0, REST}}
    - {id: f2, constants: {jac_input: 1, jac_weight: 0, hess_input: 0, REST}}
    - {id: f3, constants: {jac_input: 1, jac_weight: 0, hess_input: 1, REST}}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, batch: 4}
training: {step_size: 1/4, horizon: 10}
perturbations:
""".replace("REST", "hess_mixed: 0, third_input: 0, third_mixed: 0")


def linear(*lines: str) -> OperatorGraph:
    return build(loads(LINEAR + "".join(f"  - {{{line}}}\n" for line in lines)))


def test_the_split_is_attained_where_everything_is_linear() -> None:
    """A shared shift c, own draws of mean n, shared ε of mean k and square z:

    E(E[d|s])² = E(c + n + ε)² = (c + n)² + 2(c + n)k + z, term by term the lemma.
    """
    graph = linear(
        "at: f1, pass: forward, model: constant, value: 1/2, draw: per_batch",
        "at: f2, pass: forward, model: two_point, low: -1/2, high: 1, p_high: 1/2",
        "at: f3, pass: backward, model: two_point, low: -1, high: 2, p_high: 1/2, draw: per_batch",
        "at: f2, pass: backward, model: two_point, low: 0, high: 1, p_high: 1/4",
    )
    draws = shared_draws(graph, SHARP, range(4))
    assert draws is not None
    assert draws.split is not None
    c, n, k, z = F(1, 2), F(1, 4) + F(1, 4), F(1, 2), F(5, 2)
    assert close(draws.split.square(INTERVALS), (c + n) ** 2 + 2 * (c + n) * k + z, 1e-30)


def test_only_one_pass_shared_is_exact_too() -> None:
    own = "at: f2, pass: forward, model: two_point, low: -1/2, high: 1, p_high: 1/2"
    shift = "at: f1, pass: forward, model: constant, value: 3/4, draw: per_batch"
    noise = "at: f3, pass: backward, model: two_point, magnitude: 2, draw: per_batch"
    for line, expected in ((shift, F(1)), (noise, F(1, 16) + 4)):
        draws = shared_draws(linear(line, own), SHARP, range(2))
        assert draws is not None
        assert draws.split is not None
        assert close(draws.split.square(INTERVALS), expected, 1e-30)


def test_rounding_that_follows_a_shared_draw_needs_the_larger_bound() -> None:
    """ε = ±0.6 shared, then each sample rounds 1 + ε to whole numbers: d = ±1.

    Its conditional mean is 1, above ε² + β² = 0.36 + 0.25, as if both were unrelated.
    """
    text = """
version: 1
name: rounding after a shared draw
graph:
  operators:
    - {id: f1, type: margin}
    - {id: f2, type: identity}
    - {id: f3, type: identity}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, batch: 4}
training: {step_size: 1/4, horizon: 10}
simulation: {data: {points: [[1, 0]], labels: [1]}}
perturbations:
  - {at: f3, pass: backward, model: two_point, magnitude: 6/10, draw: per_batch}
  - {at: f2, pass: backward, model: number_format, format: uniform, bits: 3, low: -4, high: 3,
     reach: {low: -4, high: 3}}
"""
    graph = build(loads(text))
    draws = shared_draws(graph, SHARP, range(2))
    assert draws is not None
    assert draws.split is not None
    assert draws.split.correlated
    assert float(draws.split.square(FLOATS)) == pytest.approx((0.6 + 0.5) ** 2, rel=1e-12)
    unrelated = replace(draws.split, correlated=False)
    assert float(unrelated.square(FLOATS)) == pytest.approx(0.61, rel=1e-12)
    assert float(unrelated.square(FLOATS)) < 1.0 < float(draws.split.square(FLOATS))


# -- when there is no split ------------------------------------------------------------------------

SHIFT = "at: f1, pass: forward, model: constant, value: 1/2, draw: per_batch"
OWN = "at: f2, pass: forward, model: gaussian, std: 1/2"


@pytest.mark.parametrize(
    "lines",
    [
        (SHIFT,),
        (SHIFT, "at: f3, pass: backward, model: gaussian, std: 1, draw: per_batch"),
        (SHIFT, "at: f2, pass: forward, rms: 1/2, mean: 0"),
        ("at: f1, pass: forward, rms: 1/2, mean: 0, draw: per_batch", OWN),
    ],
    ids=["alone", "all shared", "own moments", "shared moments"],
)
def test_without_laws_on_both_sides_nothing_is_averaged(lines: tuple[str, ...]) -> None:
    graph = linear(*lines)
    assert shared_draws(graph, SHARP, range(len(lines))) == SharedDraws()
    bounds = SHARP.best_bounds(graph)
    assert bounds.error is not None
    level = batch_level(bounds, 100, WIDE, SharedDraws())
    assert close(level.error, bounds.error.value, 1e-30)


def test_a_measured_region_and_a_memory_have_no_split() -> None:
    graph = linear(SHIFT, OWN)
    draws = shared_draws(graph, SHARP, range(2))
    assert draws is not None
    assert draws.split is not None
    assert shared_draws(replace(graph, sampled=True), SHARP, range(2)) == SharedDraws()
    first, second = graph.perturbations
    for memory in ("feedback", "difference"):
        kept = replace(second, distribution=None, transform=object(), memory=memory)
        changed = replace(graph, perturbations=(first, kept))
        assert shared_draws(changed, SHARP, range(2)) == SharedDraws()


def test_only_perturbations_that_act_count() -> None:
    graph = linear(SHIFT + ", every: 2", OWN)
    assert shared_draws(graph, SHARP, [1]) is None
    assert shared_draws(graph, SHARP, [0]) == SharedDraws()


# -- rates and budgets -----------------------------------------------------------------------------


def by_hand(graph: OperatorGraph, family: str, batch: int) -> Any:
    """The batch's error from single bounds: the lemma, at 240 bits."""
    chosen, positions = FAMILIES[family], range(len(graph.perturbations))
    groups: dict[Any, list[int]] = {}
    for i in positions:
        p = graph.perturbations[i]
        groups.setdefault(p.direction if p.shared else None, []).append(i)

    def of(key: Any, which: str) -> Any:
        number = getattr(chosen.best_bounds(graph, groups.get(key, [])), which)
        return high(number.value)

    everything = chosen.best_bounds(graph)
    assert everything.error is not None
    zeta = high(everything.error.value)
    moved = (of("forward", "error") ** 0.5 + of(None, "bias") ** 0.5) ** 2
    theta, noise = of("backward", "bias"), of("backward", "error")
    common = moved + 2 * (moved * theta) ** 0.5 + noise
    return min(zeta, (1 - 1 / high(batch)) * common + zeta / batch)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shared", WAYS[1:-1], ids=lambda s: "".join("so"[not x] for x in s))
def test_rates_take_the_split(family: str, shared: tuple[bool, ...]) -> None:
    graph = curved(MIXED, shared, 50)
    found = rates(graph, families={family: FAMILIES[family]}).nonconvex[family]
    factor = FAMILIES[family].descent.error * F(1, 4)
    error = found.terms["perturbation_error"]
    assert close(error.value, high(factor) * by_hand(graph, family, 50), 1e-20)
    assert error.status is (Status.COMPUTED if family == "published" else Status.PROVED)


def test_a_split_is_no_more_certain_than_its_parts() -> None:
    graph = curved(MIXED, (True, False, True, False), 50)
    draws = shared_draws(graph, SHARP, range(4))
    assert draws is not None
    assert draws.split is not None
    assert draws.split.backward is not None
    loose = replace(draws.split.backward, error=Number(F(1), Status.SAMPLED))
    changed = SharedDraws(replace(draws.split, backward=loose))
    p = problem(graph)
    timeline, bounds = Timeline(graph, p.horizon), [SHARP.best_bounds(graph)]
    for shared, expected in ((draws, Status.PROVED), (changed, Status.SAMPLED)):
        terms = statement(graph, p, timeline, SHARP, bounds, "nonconvex", [shared]).numbers()
        assert terms["perturbation_error"].status is expected
        assert terms["perturbation_bias"].status is Status.PROVED


def test_sharing_only_makes_bounds_larger_and_one_sample_shares_with_nobody() -> None:
    sharp = {"sharp": SHARP}

    def error(shared: tuple[bool, ...], batch: int) -> float:
        found = rates(curved(MIXED, shared, batch), families=sharp).nonconvex["sharp"]
        return float(found.terms["perturbation_error"])

    found = {shared: error(shared, 50) for shared in WAYS}
    for some, more in itertools.product(WAYS, repeat=2):
        if all(b or not a for a, b in zip(some, more, strict=True)):
            assert found[some] <= found[more] * (1 + 1e-12)
    assert found[WAYS[0]] < 0.5 * found[WAYS[-1]]
    assert len({error(shared, 1) for shared in WAYS}) == 1


def test_the_event_of_a_shared_draw_is_shared_too() -> None:
    graph = linear(SHIFT + ", probability: 1/4", OWN)
    assert graph.perturbations[0].shared
    assert not graph.perturbations[1].shared
    draws = shared_draws(graph, SHARP, range(2))
    assert draws is not None
    assert draws.split is not None
    # E(b/2)² = 1/16 with one b for all; the own draws have mean zero.
    assert close(draws.split.square(INTERVALS), F(1, 16), 1e-30)


@pytest.mark.parametrize(
    "model",
    [
        "number_format, format: int8, reach: {radius: 1}",
        "sign, reach: {radius: 1}, memory: feedback",
    ],
)
def test_a_transform_has_no_draw_for_a_batch(model: str) -> None:
    line = f"at: f1, pass: forward, model: {model}, draw: per_batch"
    linear(SHIFT, line.replace("per_batch", "per_sample"))
    with pytest.raises(SpecError) as caught:
        linear(SHIFT, line)
    for word in ("perturbations[1].draw", "per_sample", "remove `draw`"):
        assert word in str(caught.value)


# -- other methods than plain SGD ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "word"), [("optimizer: adam", "adam"), ("clip: 1", "training.clip")]
)
def test_other_methods_have_no_rate_but_the_same_coefficients(keys: str, word: str) -> None:
    text = LINEAR.replace("horizon: 10", f"horizon: 10, {keys}")
    graph = build(loads(text.replace("noise: 0,", "noise: 0, pl: 1/10,") + f"  - {{{OWN}}}\n"))
    found = rates(graph)
    for table in (found.nonconvex, found.pl):
        assert set(table) == set(FAMILIES)
        for rate in table.values():
            assert rate.bound is None
            assert rate.best_step is None
            assert rate.step_size_limit is None
            assert not rate.terms
            assert word in (rate.refused or "")
    plain = linear(OWN)
    for family in FAMILIES.values():
        assert family.bounds(graph).error == family.bounds(plain).error
    with pytest.raises(SpecError, match=word):
        orders(graph)


def test_sgd_by_name_is_plain() -> None:
    text = LINEAR.replace("horizon: 10", "horizon: 10, optimizer: sgd") + f"  - {{{OWN}}}\n"
    assert rates(build(loads(text))).nonconvex["sharp"].refused is None


# -- a run -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", ["per_sample", "per_batch"])
def test_a_run_with_shared_draws_breaks_the_divided_bound_and_keeps_this_one(draw: str) -> None:
    """f = y²/2, y = w, 16 equal samples: a gradient w + ε with ε of variance 1, or of 1/16.

    The exact floor is γ Var/(2(2 − γ)), and the bound γ Var/2 (Theorem 6.2 from the optimum).
    """
    text = f"""
version: 1
name: one-dimensional quadratic
graph:
  operators:
    - {{id: f1, type: bilinear, region: {{weight: 99}}}}
    - {{id: f2, type: squared, region: {{input: 99}}}}
loss: {{smoothness: 1, pl: 1, initial_gap: 0, gradient_noise: 0, batch: 16}}
perturbations: [{{at: f2, pass: backward, model: gaussian, std: 1, draw: {draw}}}]
training: {{step_size: 1/10, horizon: 100}}
simulation: {{replicas: 300, seed: 7, data: {{points: {[[1]] * 16}}}}}
"""
    found = rates(build(loads(text)), families={"sharp": SHARP}).pl["sharp"].bound
    gap = simulate(build(loads(text))).metrics["final_gap"]
    whole = 0.1 / 2 * (1 - 0.9**100)
    assert float(found) == pytest.approx(whole if draw == "per_batch" else whole / 16, rel=1e-12)
    assert gap.hi < float(found)
    assert gap.lo <= float(found) / 1.9 <= gap.hi
    if draw == "per_batch":
        assert gap.lo > whole / 16
