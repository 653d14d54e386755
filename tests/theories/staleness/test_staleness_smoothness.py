"""The Lipschitz constant of ∇f from the constants of a chain."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.arithmetic import FLOATS, RATIONALS
from boundcalc.errors import SpecError
from boundcalc.resources import example
from boundcalc.theories.objective import objective_of
from boundcalc.theories.staleness.section import StalenessSection
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.staleness.smoothness import MovedChain, moved_chain, smoothness

NUMBERS = st.fractions(min_value=0, max_value=3, max_denominator=4)

#: y ↦ scale·sin(y + w) repeated, then a square on a region; one sample or several.
SPEC = """
version: 1
name: smooth chain
theory: staleness
staleness: {{queues: {{p: [1, 0], m: [2, 0]}}, blocks: [first, second]}}
graph:
  operators:
    - {{id: first, type: {first}, bias: true}}
    - {{id: second, type: {second}, bias: true}}
    - {{id: loss, type: square, scale: 1/2}}
loss: {{initial_gap: 1, gradient_noise: 0}}
training: {{step_size: 1/100, horizon: 10}}
simulation:
  data: {{points: {points}}}
  replicas: 2
  initial_weights: 1/4
  regulariser: {regulariser}
"""


def problem(text: str) -> Problem:
    graph = bc.build(bc.loads(text))
    section = StalenessSection.model_validate(graph.spec.own)
    return Problem(graph, section)


def literal(chain: MovedChain, d: list[Fraction]) -> list[Fraction]:
    """H d, every entry of H written out as a sum over paths."""
    N = chain.size

    def through(values: tuple[Fraction, ...], first: int, last: int) -> Fraction:
        return math.prod(values[first : last + 1], start=Fraction(1))

    def s(j: int) -> Fraction:
        return sum(
            (through(chain.l, i + 1, j) * chain.b[i] * d[i] for i in range(1, j + 1)), Fraction(0)
        )

    found = [Fraction(0)]
    for j in range(1, N + 1):
        total = chain.V[j] * (chain.B[j] * s(j - 1) + chain.E[j] * d[j])
        for i in range(j + 1, N + 1):
            jump = chain.V[i] * (chain.A[i] * s(i - 1) + chain.B[i] * d[i])
            total += chain.b[j] * through(chain.a, j + 1, i - 1) * jump
        found.append(total)
    return found


@st.composite
def chains(draw: st.DrawFn) -> MovedChain:
    size = draw(st.integers(1, 4))
    columns = {
        name: (Fraction(0), *(draw(NUMBERS) for _ in range(size)))
        for name in ["a", "b", "l", "A", "B", "V", "E"]
    }
    return MovedChain(**columns, zero=Fraction(0))


@given(chains(), st.lists(NUMBERS, min_size=4, max_size=4))
def test_it_is_the_sum_over_paths(chain: MovedChain, numbers: list[Fraction]) -> None:
    d = [Fraction(0), *numbers[: chain.size]]
    assert chain.errors(d)[1:] == literal(chain, d)[1:]


@given(chains(), st.lists(NUMBERS, min_size=8, max_size=8))
def test_the_adjoint_is_the_adjoint(chain: MovedChain, numbers: list[Fraction]) -> None:
    d = [Fraction(0), *numbers[: chain.size]]
    y = [Fraction(0), *numbers[4 : 4 + chain.size]]
    image, pulled = chain.errors(d), chain.pulled(y)
    assert sum(a * b for a, b in zip(image[1:], y[1:], strict=True)) == sum(
        a * b for a, b in zip(pulled[1:], d[1:], strict=True)
    )


@given(
    chains(), st.lists(st.fractions(min_value=Fraction(1, 8), max_value=4), min_size=4, max_size=4)
)
def test_any_weights_bound_the_norm(chain: MovedChain, weights: list[Fraction]) -> None:
    found = smoothness(chain, tuple(weights[: chain.size]), Fraction(0), FLOATS)
    units = np.eye(chain.size)
    matrix = np.array(
        [[float(x) for x in chain.errors([Fraction(0), *map(Fraction, row)])[1:]] for row in units]
    )
    assert np.linalg.norm(matrix, 2) <= found * (1 + 1e-12) + 1e-12


def test_three_sines_attain_the_norm_of_their_matrix() -> None:
    """H_jl = 4 − max(j, l), whose largest eigenvalue is 1/(4 sin²(π/14))."""
    graph = bc.build(bc.load(example("dsp-k3")))
    chosen = Problem(graph, StalenessSection.model_validate(graph.spec.own))
    exact = 1 / (4 * math.sin(math.pi / 14) ** 2)
    assert exact <= float(chosen.number(lambda s: s.smooth)) <= exact * (1 + 1e-6)


@pytest.mark.parametrize("first", ["sine", "tanh", "sigmoid"])
@pytest.mark.parametrize("second", ["sine", "softplus"])
@pytest.mark.parametrize(
    "regulariser",
    ["{kind: none}", "{kind: squared, strength: 1/2}", "{kind: nonconvex, strength: 1/2}"],
)
def test_no_two_points_show_a_larger_one(first: str, second: str, regulariser: str) -> None:
    points = "[[1/2], [-1], [2]]"
    text = SPEC.format(first=first, second=second, points=points, regulariser=regulariser)
    if second == "softplus":  # its output is not bounded: the loss needs a region
        text = text.replace(
            "type: square, scale: 1/2}", "type: square, scale: 1/2, region: {input: 7}}"
        )
        text = text.replace(
            "{id: second, type: softplus, bias: true}",
            "{id: second, type: softplus, bias: true, region: {weight: 10}}",
        )
    chosen = problem(text)
    bound = float(chosen.number(lambda s: s.smooth))
    objective = objective_of(chosen.graph)
    rng = np.random.default_rng(1)
    w = rng.uniform(-4, 4, (4000, objective.weights))
    moved = w + rng.normal(size=w.shape) * rng.choice([1e-3, 0.3], (len(w), 1))
    change = np.linalg.norm(objective.gradient(moved) - objective.gradient(w), axis=1)
    ratios = change / np.linalg.norm(moved - w, axis=1)
    assert ratios.max() <= bound
    assert ratios.max() >= 0.1 * bound, "a bound that nothing comes near to would prove little"


def test_a_regulariser_adds_twice_its_strength() -> None:
    texts = [
        SPEC.format(first="sine", second="sine", points="[[1]]", regulariser=regulariser)
        for regulariser in ("{kind: none}", "{kind: squared, strength: 3/2}")
    ]
    plain, more = (float(problem(text).number(lambda s: s.smooth)) for text in texts)
    assert more == pytest.approx(plain + 3, rel=1e-12)


def test_what_is_stated_is_used() -> None:
    text = SPEC.format(first="sine", second="sine", points="[[1]]", regulariser="{kind: none}")
    text = text.replace("loss: {initial_gap", "loss: {smoothness: 7/3, initial_gap")
    assert problem(text).setting(RATIONALS).smooth == Fraction(7, 3)


def test_an_unknown_second_derivative_is_asked_for() -> None:
    text = """
version: 1
name: constants only
theory: staleness
staleness: {queues: {p: [1, 0], m: [2, 0]}}
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f}, {id: g}]
loss: {initial_gap: 1, gradient_noise: 0}
training: {step_size: 1/100, horizon: 10}
"""
    with pytest.raises(SpecError, match="second derivative of operator 'f'") as error:
        bc.rates(bc.loads(text))
    assert error.value.where is not None
    assert "loss" in error.value.where
    with pytest.raises(SpecError):
        moved_chain(bc.build(bc.loads(text)), RATIONALS)
