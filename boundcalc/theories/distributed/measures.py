"""Left sides of the statements, as averages along a run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.theories.distributed.noise_sampling import Noise
from boundcalc.theories.distributed.paths import Measure
from boundcalc.theories.distributed.schedules import Steps

#: Keys of the metrics; ``left_side`` is what the statement about the algorithm bounds.
SQUARED, NORMALISED, LEFT = "mean_squared_gradient", "mean_normalised_gradient", "left_side"


def squared_gradient(gradient: Array) -> Array:
    """a² with a = ‖∇f‖, ``(R,)``."""
    return np.asarray(np.sum(gradient**2, axis=1))


def normalised_gradient(gradient: Array, L0: float, L1: float) -> Array:
    """a²/(L0 + L1·a), ``(R,)``: what a normalised step brings down.

    >>> normalised_gradient(np.array([[3.0, 4.0]]), 5.0, 1.0).tolist()
    [2.5]
    """
    square = squared_gradient(gradient)
    return np.asarray(square / (L0 + L1 * np.sqrt(square)))


def sign_gain(gradient: Array, noise: Noise) -> Array:
    r"""h = (1/N)Σ_i Σ_j |∂_jf|·min(|∂_jf|/σ_i, 1), ``(R,)``, σ_i the scale at this point.

    An agent without noise contributes Σ_j |∂_jf|.

    >>> quiet_and_loud = Noise("gaussian", np.array([0.0, 4.0]), np.zeros(2))
    >>> sign_gain(np.array([[2.0]]), quiet_and_loud).tolist()
    [1.5]
    """
    size = np.abs(gradient)[:, None, :]  # (R, 1, d)
    scale = noise.scale(np.linalg.norm(gradient, axis=1))[..., None]  # (R, N, 1)
    # min(|∂|, σ)/σ, which is 1 for σ = 0: its limit.
    part = np.ones(np.broadcast_shapes(size.shape, scale.shape))
    np.divide(np.minimum(size, scale), scale, out=part, where=scale > 0)
    return np.asarray((size * part).sum(axis=2).mean(axis=1))


def sign_weights(steps: Array, c: float, psi: float, dimension: int, L1: float) -> Array | None:
    """P(k̂ = k) ∝ c_νγ_k − ½ψdL1γ_k²; None where a step is too large for that.

    >>> sign_weights(np.array([1.0, 1.0]), 0.5, 1.0, 1, 0.0).tolist()
    [0.5, 0.5]
    >>> sign_weights(np.array([1.0]), 0.5, 1.0, 1, 1.0) is None
    True
    """
    weights = c * steps - 0.5 * psi * dimension * L1 * steps**2
    return weights / weights.sum() if bool((weights > 0).all()) else None


def step_weights(steps: Steps, horizon: int) -> Array:
    """p_k ∝ s_k for normalised steps and η_k for others; all alike where steps depend on ∇f."""
    found = np.array([steps.relative(k) for k in range(horizon)])
    return np.asarray(found / found.sum())


def weighted_gradient(gradient: Array, steps: Steps) -> Array:
    """q(a)a², ``(R,)``, with the weight q that the schedule gives the gradient.

    1/(L0 + L1·a) of ``normalised``, 1/(offset + a) of ``inverse_norm``, else 1.
    """
    if steps.kind == "normalised":
        return normalised_gradient(gradient, steps.L0, steps.L1)
    if steps.kind == "inverse_norm":
        return normalised_gradient(gradient, steps.offset, 1.0)
    return squared_gradient(gradient)


def measures_of(
    algorithm: str,
    noise: Noise,
    steps: Steps,
    horizon: int,
    *,
    sign: Array | None = None,
    L0: float = 1.0,
    L1: float = 0.0,
    stop: float = math.inf,
) -> Mapping[str, Measure]:
    """By key what is averaged along a run.

    Parameters
    ----------
    sign
        Probabilities of the sign statement; None where it says nothing at these steps, whose
        own weights are taken then.
    L0, L1
        Of the measure that all algorithms share.
    stop
        The statement's bound on ‖∇f‖, for steps that are fixed in advance.
    """
    plain = step_weights(steps, horizon)
    found = {
        SQUARED: Measure(plain, squared_gradient),
        NORMALISED: Measure(plain, lambda gradient: normalised_gradient(gradient, L0, L1)),
    }
    if algorithm == "dsignsgd":
        weights = plain if sign is None else sign
        found[LEFT] = Measure(weights, lambda gradient: sign_gain(gradient, noise))
    else:
        limit = stop if steps.known(1) is not None else math.inf
        found[LEFT] = Measure(plain, lambda gradient: weighted_gradient(gradient, steps), limit)
    return found
