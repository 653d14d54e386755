"""The sharp bounds against exact moments of random chains, by enumeration of all outcomes.

The operators are f_i(y, w) = c_i sin(y + w), for which every constant of Assumption 3 is c_i on
the whole line.  Perturbations are functions of a few fair coins, so that every expectation is a
finite sum.  Nothing of the package's own simulation is used.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import ChainConstants, Levels, UniformConstants
from boundcalc.theories.perturbed import sharp, sums

Array = npt.NDArray[np.float64]
ROUNDING = 1e-9


@dataclass(frozen=True)
class Outcome:
    """Perturbations over all outcomes, shape (N + 1, forward outcomes, backward outcomes)."""

    delta: Array  # does not depend on the last axis: the forward pass comes first
    eps: Array
    forward_centred: bool
    backward_centred: bool


def coins(count: int) -> Array:
    """All ±1 outcomes of ``count`` coins, shape (count, 2**count)."""
    index = np.arange(2**count)
    return np.array([1.0 - 2.0 * ((index >> k) & 1) for k in range(count)]).reshape(count, -1)


def sizes(rng: np.random.Generator, N: int) -> Array:
    """Sizes over five decades; now and then one is zero."""
    return 10.0 ** rng.uniform(-4, 0.7, N + 1) * (rng.random(N + 1) > 0.15)


def shaped(rng: np.random.Generator, past: Array) -> Array:
    """A nonnegative function of past coins: how large a perturbation is may depend on them."""
    if len(past) == 0 or rng.random() < 0.4:
        return np.ones(past.shape[1:])
    weights = rng.uniform(-1, 1, len(past))
    return np.abs(1 + np.tensordot(weights, past, axes=1))


def centred_pass(
    rng: np.random.Generator, order: list[int], known: Array, own: Array, N: int
) -> Array:
    """Each perturbation has its own coin, whose factor depends on everything before it."""
    size = sizes(rng, N)
    result = np.zeros((N + 1, *known.shape[1:]))
    past = known
    for k, i in enumerate(order):
        result[i] = size[i] * own[k] * shaped(rng, past)
        past = np.concatenate([past, own[k][None]])
    return result


def biased_pass(rng: np.random.Generator, order: list[int], every: Array, N: int) -> Array:
    """Arbitrary functions of all coins: shared coins, constants, or a value for each outcome."""
    size = sizes(rng, N)
    result = np.zeros((N + 1, *every.shape[1:]))
    style = rng.choice(["shared", "table", "constant", "mixed"])
    common = every[rng.integers(len(every))]
    for i in order:
        if style == "shared":
            result[i] = size[i] * common * rng.choice([-1, 1])
        elif style == "table":
            result[i] = size[i] * rng.uniform(-1, 1, every.shape[1:])
        elif style == "constant":
            result[i] = size[i] * rng.choice([-1, 1])
        else:
            result[i] = size[i] * (rng.uniform(-1, 1) + every[rng.integers(len(every))])
    return result


def draw(rng: np.random.Generator, N: int) -> Outcome:
    sites = N - 1
    first, second = coins(sites), coins(sites)
    forward = np.broadcast_to(first[:, :, None], (sites, 2**sites, 2**sites))
    backward = np.broadcast_to(second[:, None, :], (sites, 2**sites, 2**sites))
    up, down = list(range(1, N)), list(range(N, 1, -1))
    fc, bc = rng.random() < 0.5, rng.random() < 0.5
    none = np.zeros((0, 2**sites, 2**sites))
    if fc:
        delta = centred_pass(rng, up, none, forward, N)
    else:
        flat = biased_pass(rng, up, first, N)
        delta = np.repeat(flat[:, :, None], 2**sites, axis=2)
    if bc:
        eps = centred_pass(rng, down, forward, backward, N)
    else:
        eps = biased_pass(rng, down, np.concatenate([forward, backward]), N)
    if rng.random() < 0.3:
        eps = np.zeros_like(eps)
    elif rng.random() < 0.2:
        delta = np.zeros_like(delta)
    return Outcome(delta, eps, bool(fc), bool(bc))


def gradient_errors(c: Array, phase: Array, noise: Outcome) -> Array:
    """ũ_i − u_i over all outcomes; ``phase`` is y_{i−1} + w_i of the exact pass."""
    N = len(c) - 1
    shape = noise.delta.shape[1:]
    v = np.zeros(N + 1)
    v[N] = 1.0
    for i in range(N, 1, -1):
        v[i - 1] = c[i] * np.cos(phase[i]) * v[i]
    # Differences are taken by the identities for sine and cosine, so that nothing cancels.
    moved = np.zeros((N + 1, *shape))  # ỹ_i − y_i
    slope = np.zeros((N + 1, *shape))  # f_i′ along the perturbed pass
    tilt = np.zeros((N + 1, *shape))  # its difference from the exact pass
    for i in range(1, N + 1):
        half = moved[i - 1] / 2
        moved[i] = 2 * c[i] * np.cos(phase[i] + half) * np.sin(half) + noise.delta[i]
        slope[i] = c[i] * np.cos(phase[i] + 2 * half)
        tilt[i] = -2 * c[i] * np.sin(phase[i] + half) * np.sin(half)
    off = np.zeros(shape)  # ṽ_i − v_i
    errors = np.zeros((N + 1, *shape))
    for i in range(N, 0, -1):
        errors[i] = slope[i] * off + tilt[i] * v[i]
        off = errors[i] + noise.eps[i]
    return errors


def measured(noise: Outcome, N: int) -> Levels:
    """Exact levels.  Theorem 4.2 needs |E δ_i| and the rms of E[ε_i | forward pass] only."""

    def rms(values: Array) -> Any:
        return float(np.sqrt(np.mean(values**2)))

    centred_f = noise.forward_centred
    centred_b = noise.backward_centred
    return Levels(
        e=tuple(rms(noise.delta[i]) for i in range(N + 1)),
        m=tuple(0.0 if centred_f else float(abs(np.mean(noise.delta[i]))) for i in range(N + 1)),
        q=tuple(float(np.mean(noise.delta[i] ** 4)) for i in range(N + 1)),
        eps=tuple(rms(noise.eps[i]) for i in range(N + 1)),
        n=tuple(0.0 if centred_b else rms(noise.eps[i].mean(axis=1)) for i in range(N + 1)),
    )


def random_chain(rng: np.random.Generator) -> tuple[Array, Array]:
    N = int(rng.integers(2, 6))
    c = rng.choice([1.0, rng.uniform(0.2, 2.5)]) * np.where(
        rng.random(N + 1) < 0.5, 1.0, rng.uniform(0.3, 2, N + 1)
    )
    phase = np.where(
        rng.random(N + 1) < 0.6,
        rng.choice([0.0, np.pi / 2, np.pi / 4, -np.pi / 2, np.pi], N + 1),
        rng.uniform(-np.pi, np.pi, N + 1),
    )
    return c, phase


@dataclass
class Largest:
    """The largest ratios of an exact moment to its bound."""

    error: float = 0.0
    centred_error: float = 0.0
    bias: float = 0.0
    centred_bias: float = 0.0
    printed: float = 0.0


def ratio(found: float, bound: float) -> float:
    if bound == 0:
        assert found == 0
        return 0.0
    return found / bound


def try_chain(rng: np.random.Generator, largest: Largest) -> None:
    c, phase = random_chain(rng)
    N = len(c) - 1
    noise = draw(rng, N)
    errors = gradient_errors(c, phase, noise)[1:]
    second = np.mean(errors**2, axis=(1, 2))
    mean2 = np.mean(errors, axis=(1, 2)) ** 2
    row = (0.0, *map(float, c[1:]))
    constants, x = ChainConstants(*[row] * 7), measured(noise, N)

    general = sharp.general(constants, x, FLOATS)
    plain = sharp.means(constants, x, general, FLOATS, capped=False)
    capped = sharp.means(constants, x, general, FLOATS, capped=True)
    # Lemma 4.4 with the zero-mean forms, as far as they apply
    own = sharp.centred(
        constants, x, FLOATS, forward=noise.forward_centred, backward=noise.backward_centred
    )
    own_capped = sharp.means(constants, x, own, FLOATS, capped=True)

    floor = 1e-26 * second  # rounding of the means over outcomes that cancel
    for i in range(N):
        for bound in (general, own):
            assert second[i] <= bound.gradient[i + 1] * (1 + ROUNDING)
        for bound in (plain, capped, own_capped):
            assert mean2[i] <= bound.gradient[i + 1] * (1 + ROUNDING) + floor[i]
    is_centred = noise.forward_centred or noise.backward_centred
    error, bias = float(second.sum()), float(mean2.sum())
    largest.error = max(largest.error, ratio(error, float(general.total())))
    if bias > 1e3 * floor.sum():
        largest.bias = max(largest.bias, ratio(bias, float(capped.total())))
    if is_centred:
        largest.centred_error = max(largest.centred_error, ratio(error, float(own.total())))
        if bias > 1e3 * floor.sum():
            found = ratio(bias, float(own_capped.total()))
            largest.centred_bias = max(largest.centred_bias, found)
    top = max(row)
    coefficients = sums.coefficients(UniformConstants(N, *[top] * 5), FLOATS, corrected=False)
    printed = float(sums.error_bound(coefficients, x, FLOATS))
    largest.printed = max(largest.printed, ratio(error, printed))


def run(seeds: range) -> Largest:
    largest = Largest()
    for seed in seeds:
        try_chain(np.random.default_rng(seed), largest)
    values = (
        largest.error,
        largest.centred_error,
        largest.bias,
        largest.centred_bias,
        largest.printed,
    )
    assert all(value <= 1 + ROUNDING for value in values)
    return largest


def test_bounds_dominate() -> None:
    largest = run(range(300))
    # the bounds are not only valid: some chains come close to them
    assert largest.error > 0.8
    assert largest.centred_error > 0.8


@pytest.mark.long
def test_bounds_dominate_on_many_chains(record_property: Any) -> None:
    record_property("largest ratios", asdict(run(range(1_000, 7_000))))


def test_enumeration_by_hand() -> None:
    # N = 2, f₁ = sin(x + w₁) at phase 0, f₂ = sin(y + w₂) at phase 0, δ₁ = ±d, ε₂ = 0:
    # u = (1, 1), ũ₁ = cos d, ũ₂ = cos d.
    d = 0.3
    delta = np.zeros((3, 2, 1))
    delta[1, :, 0] = [d, -d]
    noise = Outcome(delta, np.zeros((3, 2, 1)), True, True)
    errors = gradient_errors(np.ones(3), np.zeros(3), noise)
    np.testing.assert_allclose(errors[1], np.cos(d) - 1, rtol=1e-14)
    np.testing.assert_allclose(errors[2], np.cos(d) - 1, rtol=1e-14)


def test_zero_means_must_be_conditional() -> None:
    # The remark after Theorem 4.3, with a curved last operator: δ₂ = δ₁ doubles the shift.
    d = 1e-3
    c, phase = np.ones(4), np.array([0.0, 0.0, 0.0, np.pi / 2])
    delta = np.zeros((4, 2, 1))
    delta[1, :, 0] = delta[2, :, 0] = [d, -d]
    noise = Outcome(delta, np.zeros((4, 2, 1)), True, True)
    error = float(np.mean(gradient_errors(c, phase, noise)[1:] ** 2, axis=(1, 2)).sum())
    row, x = (0.0, 1.0, 1.0, 1.0), measured(noise, 3)
    constants = ChainConstants(*[row] * 7)
    assert error <= float(sharp.general(constants, x, FLOATS).total())
    centred = sharp.centred(constants, x, FLOATS, forward=True, backward=True)
    assert error > float(centred.gradient[3])
