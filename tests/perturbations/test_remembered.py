"""Memory: levels against trees of all draws, against adversaries, and where they are attained."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np
import pytest
from compressors import Vector, ball, outcomes, rationals, squared
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.errors import SpecError
from boundcalc.perturbations import Natural, RandK, Reach, Sign, Sparsify, TopK, Transform
from boundcalc.perturbations.compression import by_all_draws, root_above
from boundcalc.perturbations.relative import relative, root_up
from boundcalc.perturbations.remembered import (
    averaged,
    drift_of_training,
    kept_error,
    remembered,
    self_consistent,
)
from boundcalc.perturbations.transform import Apply, Largest
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact

Memory = Literal["feedback", "difference"]
MEMORIES: tuple[Memory, Memory] = ("feedback", "difference")


class Overshoot(Transform):
    """Q(x) = (1 + α)x, which turns what is left out around: the worst contraction."""

    model: ClassVar[str] = "overshoot"
    alpha: Fraction

    def moments(self, reach: Reach) -> VectorMoments:
        assert reach.squared is not None
        return by_all_draws(self.alpha**2 * reach.squared)

    def largest(self, reach: Reach) -> Largest:
        assert reach.squared is not None
        return Largest(math.inf, root_above(self.alpha**2 * reach.squared))

    def contraction(self, size: int) -> Fraction:
        return self.alpha**2

    def apply(self) -> Apply:
        return lambda rng, values: values * float(1 + self.alpha)


class Lucky(Overshoot):
    """As above without bias, so that α² = 1/4 in mean square and the fourth mean is known."""

    model: ClassVar[str] = "lucky"

    def moments(self, reach: Reach) -> VectorMoments:
        assert reach.squared is not None
        square = self.alpha**2 * reach.squared
        return VectorMoments(exact(0), exact(square), exact(square**2))


# --- every draw of some steps, against an adversary that sees them ------------------------------


def candidates(n: int) -> list[Vector]:
    """Vectors of norm 1 or 0 with rational entries, in many directions."""
    base = {1: [(1,)], 2: [(Fraction(3, 5), Fraction(4, 5)), (1, 0)]}.get(
        n, [(Fraction(2, 3), Fraction(2, 3), Fraction(1, 3)), (1, 0, 0)]
    )
    found = {(Fraction(0),) * n}
    for entries in base:
        for order in itertools.permutations(entries):
            for signs in itertools.product((1, -1), repeat=n):
                found.add(tuple(Fraction(s * v) for s, v in zip(signs, order, strict=True)))
    return sorted(found)


def dot(x: Vector, y: Vector) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def less(x: Vector, y: Vector) -> Vector:
    return tuple(a - b for a, b in zip(x, y, strict=True))


def plus(x: Vector, y: Vector) -> Vector:
    return tuple(a + b for a, b in zip(x, y, strict=True))


def tree(
    transform: Transform,
    memory: Memory,
    n: int,
    choose: Callable[[int, Vector], Vector],
    steps: int,
) -> list[tuple[Fraction, Fraction, Fraction]]:
    """(E‖E_t δ_t‖², E (E_t‖δ_t‖²)², E‖δ_t‖⁴) at the steps, by every draw that there is."""
    nodes: dict[Vector, Fraction] = {(Fraction(0),) * n: Fraction(1)}
    found = []
    for t in range(steps):
        mean = second = fourth = Fraction(0)
        after: dict[Vector, Fraction] = {}
        for state, weight in nodes.items():
            y = choose(t, state)
            drift: Vector = (Fraction(0),) * n
            size = Fraction(0)
            wanted = plus(y, state) if memory == "feedback" else less(y, state)
            for chance, sent in outcomes(transform, wanted):
                if memory == "feedback":
                    delta, new = less(sent, y), less(wanted, sent)
                else:
                    new = plus(state, sent)
                    delta = less(new, y)
                drift = plus(drift, tuple(chance * v for v in delta))
                size += chance * squared(delta)
                fourth += weight * chance * squared(delta) ** 2
                after[new] = after.get(new, Fraction(0)) + weight * chance
            mean += weight * squared(drift)
            second += weight * size**2
        found.append((mean, second, fourth))
        nodes = after
    return found


CASES: list[tuple[Transform, int, int]] = [
    (RandK(k=1, scaled=False), 2, 6),
    (RandK(k=1, scaled=False), 3, 4),
    (RandK(k=2), 3, 4),
    (Sparsify(keep="2/3"), 2, 4),
    (Sparsify(keep="1/3", scaled=False), 2, 4),
    (TopK(k=1), 2, 8),
    (TopK(k=1), 3, 8),
    (Sign(), 2, 6),
    (Sign(), 3, 6),
    (Natural(), 1, 5),
    (Natural(), 2, 3),
]


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize(("transform", "n", "steps"), CASES, ids=lambda v: str(v)[:24])
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_no_adversary_gets_above_the_levels(
    transform: Transform, n: int, steps: int, memory: Memory, data: st.DataObject
) -> None:
    pool = candidates(n)
    modes = data.draw(st.lists(st.sampled_from("++-0"), min_size=steps, max_size=steps))
    last = data.draw(st.sampled_from(pool))

    def choose(t: int, state: Vector) -> Vector:
        if t == steps - 1 or modes[t] == "0":
            return last
        sign = 1 if modes[t] == "+" else -1
        return max(pool, key=lambda y: (sign * dot(y, state), y))

    moments, largest = remembered(transform, ball(n, 1), memory)
    mean, second, fourth = rationals(moments)
    assert mean <= second
    assert second**2 <= fourth * (1 + Fraction(1, 10**30))  # roots are rounded up
    for found in tree(transform, memory, n, choose, steps):
        assert found[0] <= mean
        assert found[1] <= second**2
        assert found[2] <= fourth
        if math.isfinite(largest.norm):
            assert found[2] <= Fraction(largest.norm) ** 4


# --- where the levels are attained --------------------------------------------------------------


@pytest.mark.parametrize("alpha", [Fraction(1, 4), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("memory", MEMORIES)
def test_the_worst_contraction_attains_the_levels(alpha: Fraction, memory: Memory) -> None:
    moments, largest = remembered(Overshoot(alpha=alpha), ball(1, 3), memory)
    bound = 2 * alpha * 3 / (1 - alpha)
    assert rationals(moments) == (bound**2, bound**2, bound**4)
    state = delta = Fraction(0)
    for t in range(400):
        y = Fraction((-1) ** t * 3)
        wanted = y + state if memory == "feedback" else y - state
        sent = wanted * (1 + alpha)
        sent = sent.limit_denominator(10**30)
        delta = sent - y if memory == "feedback" else state + sent - y
        state = wanted - sent if memory == "feedback" else state + sent
        assert abs(delta) <= bound + Fraction(1, 10**20)
    assert abs(delta) >= bound * (1 - Fraction(1, 10**12))
    assert largest.norm == pytest.approx(float(bound), rel=1e-9)
    assert largest.norm >= bound


def test_a_drift_that_is_always_outward_attains_the_level_of_differences() -> None:
    alpha, step = Fraction(1, 2), Fraction(1, 100)
    moments, largest = remembered(Overshoot(alpha=alpha), ball(1, 1), "difference", step)
    level = max(alpha * 1, alpha * step / (1 - alpha))
    assert rationals(moments)[1] == level**2
    # With r so small that the drift decides: y alternates by D within the ball.
    moments, _ = remembered(
        Overshoot(alpha=alpha), ball(1, Fraction(1, 2)), "difference", Fraction(1)
    )
    assert rationals(moments)[1] == 1
    # What the drift was may be known on average only: then not what is always so.
    assert largest.norm >= 2 * alpha / (1 - alpha)


def test_values_by_hand() -> None:
    # Top-k, α = 1/2, r = 1: e ≤ 1, so 2·e² = e² + c(2r − c) with c = 1, below 4e².
    moments, largest = remembered(TopK(k=3), ball(4, 1), "feedback")
    assert rationals(moments) == (2, 2, 4)
    assert largest.norm == pytest.approx(math.sqrt(2))
    # k = 8 of 9: α = 1/3, e = 1/2 = c: 4e² = 1 = e² + c(2 − c).
    assert rationals(remembered(TopK(k=8), ball(9, 1), "feedback")[0])[1] == 1
    # k = 15 of 16: α = 1/4, e = 1/3: 4e² = 4/9 < 2er = 2/3.
    assert rationals(remembered(TopK(k=15), ball(16, 1), "feedback")[0])[1] == Fraction(4, 9)
    # k = 21 of 25: α = 2/5, e = 2/3 = c, between r/2 and r: 2er = 4/3.
    assert rationals(remembered(TopK(k=21), ball(25, 1), "feedback")[0])[1] == Fraction(4, 3)
    # The same e₄, but random: e₄² + r² = 13/9 is left.
    moments, _ = remembered(RandK(k=609, scaled=False), ball(625, 1), "feedback")
    assert rationals(moments)[2] == Fraction(13, 9) ** 2
    # Unscaled rand-k, 1 of 16 dropped: α₄ = 1/2, e₄ = 1, λ = 15/16, α = 1/4, e = 1/3.
    moments, largest = remembered(RandK(k=15, scaled=False), ball(16, 1), "feedback")
    assert rationals(moments) == (Fraction(3, 8) ** 2, 1, 4)
    assert math.isinf(largest.norm)
    moments, _ = remembered(RandK(k=15, scaled=False), ball(16, 1), "difference")
    # x₂ = 2/(1 − 1/4), x₄ = 2/(1 − 1/2) = 4: mean x₂/16, second (x₄/4)², fourth (x₄/2)⁴
    assert rationals(moments) == (Fraction(1, 36), 1, 16)


@pytest.mark.parametrize("low", [-1, 0])
def test_masks_keep_the_memory_in_the_box(low: int) -> None:
    # Every component of m_t is an earlier one of y, or 0.  All ones for long, then all lowest.
    width = 1 - low
    reach = Reach((4,), None, Fraction(low), Fraction(1))
    for transform in (TopK(k=1), RandK(k=1, scaled=False), Sparsify(keep="1/4", scaled=False)):
        moments, largest = remembered(transform, reach, "difference")
        assert 0 <= rationals(moments)[1] / (3 * width**2) - 1 < Fraction(1, 10**30)
        apply, rng = transform.apply(), np.random.default_rng(5)
        m = np.zeros((300, 4))
        for _ in range(200):
            m += apply(rng, np.ones(4) - m)
        delta = m + apply(rng, low - m) - low if low < 0 else apply(rng, np.ones((300, 4))) - 1
        size = (delta**2).sum(axis=-1)
        assert size.mean() == pytest.approx(3 * width**2, rel=0.05)
        assert np.sqrt(size.max()) <= largest.norm
        assert np.abs(delta).max() <= largest.component <= width * (1 + 1e-12)
    # Four components of at most 2, against 2/(1 − √(3/4)) = 14.9 without this.
    assert largest.norm == pytest.approx(2 * width)


def test_a_box_without_zero_is_reached_from_zero() -> None:
    # m_0 = 0: the first difference is y itself, of components up to 3/2.
    reach = Reach((4,), None, Fraction(1), Fraction(3, 2))
    moments, largest = remembered(TopK(k=1), reach, "difference")
    assert rationals(moments)[1] == pytest.approx(float(Fraction(3, 4) * 9))
    assert largest.component == pytest.approx(1.5)


def test_a_mask_forgets_what_a_scale_would_pile_up() -> None:
    scaled = remembered(RandK(k=3), ball(4, 1), "difference")[1]
    masked = remembered(RandK(k=3, scaled=False), ball(4, 1), "difference")[1]
    assert math.isinf(scaled.norm)
    assert masked.component == pytest.approx(2)
    assert masked.norm == pytest.approx(4)


def test_an_unbiased_transform_has_mean_zero_with_differences() -> None:
    for transform in (RandK(k=3), Sparsify(keep="3/4"), Natural()):
        moments, largest = remembered(transform, ball(4, 1), "difference")
        assert rationals(moments)[0] == 0
        assert math.isinf(largest.norm)
    # A transform that is not of this package: its moments over the unit ball say so.
    moments, _ = remembered(Lucky(alpha=Fraction(1, 2)), ball(4, 1), "difference")
    assert rationals(moments) == (0, 4, 16)
    # x is at most 2r/(1 − α), and with feedback the mean is e, the size √(α²(r + e)² + e²)
    moments, _ = remembered(Lucky(alpha=Fraction(1, 2)), ball(4, 1), "feedback")
    assert rationals(moments) == (1, 2, 16)


# --- samplers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize(
    "transform",
    [RandK(k=7), RandK(k=2, scaled=False), TopK(k=2), Sign(), Natural(), Sparsify(keep="4/5")],
    ids=repr,
)
def test_runs_stay_below_the_levels(transform: Transform, memory: Memory) -> None:
    n, runs, steps = 9, 400, 60
    rng = np.random.default_rng(7)
    apply = transform.apply()
    moments, largest = remembered(transform, ball(n, 1), memory)
    mean, second, fourth = (float(m) for m in rationals(moments))
    state = np.zeros((runs, n))
    for t in range(steps):
        # Values that see the memory: along it, against it, or anywhere.
        y = state + 0.1 * rng.standard_normal((runs, n))
        y = (-y if (t // 7) % 2 else y) if t % 11 else rng.standard_normal((runs, n))
        y /= np.linalg.norm(y, axis=-1, keepdims=True) * (1 + 1e-12)
        wanted = y + state if memory == "feedback" else y - state
        sent = apply(rng, wanted)
        delta = sent - y if memory == "feedback" else state + sent - y
        state = wanted - sent if memory == "feedback" else state + sent
        size = (delta**2).sum(axis=-1)
        assert size.mean() <= second
        assert (size**2).mean() <= fourth
        assert np.linalg.norm(delta, axis=-1).max() <= largest.norm
        assert mean <= second


def test_steps_without_the_transform_leave_the_bounds_alone() -> None:
    # The state waits, so the steps at which it acts are a sequence like any other.
    transform, pool = TopK(k=1), candidates(2)
    acting = [pool[i] for i in (1, 5, 2, 9)]
    once = tree(transform, "feedback", 2, lambda t, _: acting[t], 4)
    moments, _ = remembered(transform, ball(2, 1), "feedback")
    assert max(value[2] for value in once) <= rationals(moments)[2]


# --- drift --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=10),
    st.fractions(0, 1, max_denominator=20),
    st.integers(1, 60),
)
def test_the_average_over_a_run(alpha: Fraction, step: Fraction, horizon: int) -> None:
    level, total = alpha, Fraction(0)
    for _ in range(horizon):
        total += level**2
        level = alpha * (step + level)
        level = level.limit_denominator(10**12)
    bound = averaged(alpha, Fraction(1), step, horizon)
    assert total / horizon <= bound + Fraction(1, 10**9)
    assert bound <= max(alpha, alpha * step / (1 - alpha)) ** 2 + Fraction(1, 10**30)


def test_the_average_forgets_the_start() -> None:
    half = Fraction(1, 2)
    late = averaged(half, Fraction(100), Fraction(1, 10), 10**12)
    assert Fraction(1, 100) <= late < Fraction(1, 100) * (1 + Fraction(1, 10**2))


def test_a_drift_larger_than_the_ball_is_that_of_the_ball() -> None:
    for drift in (Fraction(2), Fraction(7)):
        assert remembered(TopK(k=3), ball(4, 1), "difference", drift) == remembered(
            TopK(k=3), ball(4, 1), "difference"
        )
    assert remembered(TopK(k=3), ball(4, 1), "feedback", Fraction(0)) == remembered(
        TopK(k=3), ball(4, 1), "feedback"
    )


def test_drift_of_a_linear_chain() -> None:
    # y = w₂w₁x at x = 1: G² = (|w₂|)² + (|w₁|)² at most, moved along its steepest direction.
    rng = np.random.default_rng(3)
    for _ in range(200):
        w = rng.uniform(-1, 1, 2)
        move = rng.standard_normal(2)
        move *= 0.01 * 0.5 / np.linalg.norm(move)
        ends = np.clip(w + move, -1, 1)
        bound = drift_of_training(root_up(Fraction(2)), Fraction(1, 100), Fraction(1, 2))
        assert abs(ends.prod() - w.prod()) <= float(bound)
    assert drift_of_training(Fraction(3), Fraction(1, 10), Fraction(2), Fraction(1, 5)) == 1


@given(
    st.fractions(0, Fraction(9, 10), max_denominator=10),
    st.fractions(0, 2, max_denominator=9),
    st.fractions(0, 2, max_denominator=9),
)
def test_self_consistent_drift(alpha: Fraction, still: Fraction, gain: Fraction) -> None:
    found = self_consistent(alpha, still, gain)
    if found is None:
        assert gain * alpha >= 1 - alpha
        return
    # The fixed point of D = still + gain·αD/(1 − α)
    assert found == still + gain * alpha * found / (1 - alpha)
    assert found >= still


# --- how an error is relative -------------------------------------------------------------------


@given(st.fractions(0, 10**9, max_denominator=10**6), st.integers(-300, 300))
def test_roots_are_rounded_up_by_little(x: Fraction, power: int) -> None:
    square = x * Fraction(2) ** power
    found = root_up(square)
    assert found**2 >= square
    assert found**2 <= square * (1 + Fraction(1, 2**126))


def test_relative_errors_of_compressors() -> None:
    found = relative(RandK(k=3), (4,))
    assert found.second**2 == pytest.approx(float(Fraction(1, 3)))
    assert found.fourth**4 == pytest.approx(float(Fraction(1, 4) + Fraction(3, 4) / 81))
    assert (found.always, found.factor) == (None, 1)
    assert not found.orthogonal
    assert not found.masks
    found = relative(TopK(k=3), (2, 2))
    assert (found.second, found.fourth, found.always) == (Fraction(1, 2),) * 3
    assert found.factor is None
    assert found.orthogonal
    assert found.masks
    assert relative(Sign(), (4,)).orthogonal
    assert not relative(Sign(), (4,)).masks
    assert relative(Overshoot(alpha=Fraction(1, 2)), (4,)).factor is None
    assert kept_error(Fraction(1, 2), Fraction(3)) == 3


@settings(deadline=None, max_examples=25)
@given(st.integers(3, 40), st.data(), st.sampled_from(MEMORIES))
def test_levels_fall_with_what_is_kept_and_scale_with_the_ball(
    n: int, data: st.DataObject, memory: Memory
) -> None:
    k = data.draw(st.integers(n // 2 + 1, n - 1))
    r = data.draw(st.fractions(Fraction(1, 3), 3, max_denominator=5))
    pairs = [
        (RandK(k=k), RandK(k=k + 1)),
        (TopK(k=k), TopK(k=k + 1)),
        (RandK(k=k, scaled=False), RandK(k=k + 1, scaled=False)),
    ]
    for less_kept, more_kept in pairs:
        worse = rationals(remembered(less_kept, ball(n, r), memory)[0])
        better = rationals(remembered(more_kept, ball(n, r), memory)[0])
        assert all(b <= w for b, w in zip(better, worse, strict=True))
        unit = rationals(remembered(less_kept, ball(n, 1), memory)[0])
        assert worse == (unit[0] * r**2, unit[1] * r**2, unit[2] * r**4)


def test_keeping_everything_leaves_nothing_to_remember() -> None:
    for transform, memory in itertools.product((RandK(k=3), TopK(k=3), Sparsify(keep=1)), MEMORIES):
        moments, largest = remembered(transform, ball(3, 5), memory)
        assert rationals(moments) == (0, 0, 0)
        assert largest.norm < 1e-12


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", MEMORIES)
def test_what_does_not_contract_is_refused(memory: Memory) -> None:
    with pytest.raises(SpecError, match="scaled: false"):
        remembered(RandK(k=1), ball(4, 1), memory)
    with pytest.raises(SpecError, match="may pile up"):
        remembered(Sparsify(keep="1/2"), ball(4, 1), memory)
    with pytest.raises(SpecError, match="overshoot"):
        remembered(Overshoot(alpha=Fraction(1)), ball(4, 1), memory)


def test_an_error_that_is_not_relative_is_refused() -> None:
    class Absolute(Overshoot):
        model: ClassVar[str] = "absolute"

        def contraction(self, size: int) -> None:  # type: ignore[override]
            return None

    with pytest.raises(SpecError, match="not bounded relative"):
        remembered(Absolute(alpha=Fraction(0)), ball(4, 1), "feedback")


def test_a_fourth_moment_that_does_not_contract_is_refused() -> None:
    class Heavy(Overshoot):
        model: ClassVar[str] = "heavy"

        def moments(self, reach: Reach) -> VectorMoments:
            return VectorMoments(exact(0), exact(Fraction(1, 4)), exact(1))

    with pytest.raises(SpecError, match="may pile up"):
        remembered(Heavy(alpha=Fraction(1, 2)), ball(4, 1), "feedback")


def test_an_unknown_range_is_refused_with_the_fix() -> None:
    with pytest.raises(SpecError, match=r"reach: \{radius: NUMBER\}"):
        remembered(TopK(k=1), Reach((2,), None, None, None), "feedback")


def test_too_many_components() -> None:
    with pytest.raises(SpecError, match="k = 5, of 4"):
        remembered(TopK(k=5), ball(4, 1), "feedback")
