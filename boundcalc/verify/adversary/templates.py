"""Where a search for functions starts: shapes that make one stage of a bound tight."""

from __future__ import annotations

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.verify.adversary.chain import ScalarChain
from boundcalc.verify.adversary.laws import LAW_PARAMETERS
from boundcalc.verify.adversary.turns import PARAMETERS, Limits


def shapes(limits: Limits, length: float) -> Array:
    """Parameters of shapes for one function, ``(shapes, 5)``: start, levels, rest.

    - *linear*: constant H, so that nothing is lost on the way;
    - *flips*: from one bound to the other, begun at, around and before the unperturbed value;
    - *peaks*: up and at once down, H = a − A′t²/2, whose mean moves although t has mean zero;
    - *slopes*: half a flip, so that H is 0 or small where H′ is largest.
    """
    found: list[list[float]] = []
    if not limits.moves:
        return np.array([[0.0, sign, sign, sign, 0.0] for sign in (1.0, -1.0)])
    flip, ramp = limits.flip, limits.ramp
    flips = (0.0, -ramp, -flip / 2, (length - flip) / 2, -length, -flip, length - flip)
    half = flip / 2
    for sign in (1.0, -1.0):
        found.append([0.0, sign, sign, sign, 0.0])
        found += [[start, -sign, sign, sign, 0.0] for start in flips]
        for rest in (0.0, length):
            peaks = (-flip, -flip - rest, -flip - rest / 2, -flip / 2)
            found += [[start, -sign, sign, -sign, rest] for start in peaks]
        for start in (-ramp, -half / 2, 0.0, -half):
            found.append([start, 0.0, sign, sign, 0.0])
            found.append([start, -0.5 * sign, 0.5 * sign, 0.5 * sign, 0.0])
            found.append([start, sign, 0.0, 0.0, 0.0])
    return np.array(found)


def random_start(chain: ScalarChain, rng: np.random.Generator, count: int) -> Array:
    """Candidates whose functions are shapes drawn at random, some of them shaken."""
    low, high = chain.boxes()
    z = np.empty((count, chain.parameters))
    for k in range(chain.functions):
        found = function_shapes(chain, k)
        pick = rng.integers(len(found), size=count)
        pick[rng.random(count) < 0.4] = 0  # linear, or constant
        z[:, PARAMETERS * k : PARAMETERS * (k + 1)] = found[pick]
    laws = PARAMETERS * chain.functions
    z[:, laws:] = rng.choice([-1.0, 1.0], size=(count, chain.parameters - laws))
    # Half of the laws are fair coins; signs of means are aligned in most candidates.
    balance = laws + 1 + LAW_PARAMETERS * np.arange(len(chain.forward))
    z[:, balance] = np.where(
        rng.random((count, len(balance))) < 0.7, 0.0, rng.uniform(-1, 1, (count, len(balance)))
    )
    aligned = rng.random(count) < 0.6
    for column in range(laws, chain.parameters):
        if column not in balance:
            z[aligned, column] = 1.0
    shaken = rng.random((count, 1)) < 0.5
    z = z + shaken * rng.normal(scale=0.05, size=z.shape) * np.minimum(high - low, 4.0)
    return np.clip(z, low, high)


def function_shapes(chain: ScalarChain, k: int) -> Array:
    """The shapes of function k, moved into the box."""
    low, high = chain.boxes()
    part = slice(PARAMETERS * k, PARAMETERS * (k + 1))
    return np.clip(
        shapes(chain.limits(k), chain.lengths[k % len(chain.lengths)]), low[part], high[part]
    )
