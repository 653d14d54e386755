"""Do all tools take the same step?  Held against loops over everything, and against moments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from peers import reference
from peers.problem import load

from simbench.cases import NOISY, QUIET, Case
from simbench.measure import Player, Team
from simbench.pool import ToolError
from simbench.tools import TOOLS

STEPS = 4
DRAWS = 10_000
TOLERANCE = 1e-10  # without noise, absolute, of weights of order 1
SIGMAS = 5.5  # with noise: of means, over some twenty tools and a hundred components each
SPREAD = 0.15  # relative error of a variance: 4000 replicas have a standard error of 0.022


def agreement(team: Team, players: list[Player]) -> dict[str, dict[str, Any]]:
    """By tool and kind of problem: the largest differences; a tool that is wrong raises.

    Returns
    -------
    dict
        ``quiet``: largest difference of weights after four steps without noise.  ``mean``:
        largest deviation of the mean of four noisy gradients from that of 10 000 gradients of
        plain NumPy, in standard errors; ``variance``: largest relative deviation of the variance
        (it shows noise that is missing, shared by replicas, samples or steps, or of another
        size).
    """
    found: dict[str, dict[str, Any]] = {}
    for quiet, noisy in zip(QUIET, NOISY, strict=True):
        expected = reference.run(load(quiet.saved(team.folder)), STEPS)
        moments = reference.drift(load(noisy.saved(team.folder)), DRAWS, 1)
        for player in players:
            name = player[0]
            if quiet.kind not in TOOLS[name].kinds:
                continue
            try:
                final = weights(team, player, quiet)
                drawn = weights(team, player, noisy)
            except ToolError as error:
                team.drop(player, error)
                continue
            numbers = {
                "quiet": float(np.abs(final - expected).max()),
                **moment_errors(noisy, load(noisy.saved(team.folder)).start, drawn, moments, DRAWS),
            }
            assert numbers["quiet"] <= TOLERANCE, (name, quiet.kind, numbers)
            assert numbers["mean"] <= SIGMAS, (name, noisy.kind, numbers)
            assert numbers["variance"] <= SPREAD, (name, noisy.kind, numbers)
            found.setdefault(name, {})[quiet.kind] = numbers
    return found


def weights(team: Team, player: Player, case: Case) -> np.ndarray:
    """The weights after a few steps."""
    path = str(case.saved(team.folder))
    out = Path(path).with_suffix(f".{player[0]}.npy")
    worker = team.worker(player)
    worker.ask("prepare", problem=path)
    worker.ask("run", problem=path, steps=STEPS, seed=7, out=str(out))
    worker.ask("forget")
    return np.load(out)


def moment_errors(
    case: Case,
    start: np.ndarray,
    final: np.ndarray,
    moments: tuple[np.ndarray, np.ndarray],
    draws: int,
) -> dict[str, float]:
    """How far the average gradient of a few steps is from what it should be on average.

    ``moments`` are mean and variance of one gradient, from so many ``draws``.
    """
    mean, variance = moments
    average = (start - final) / case.step_size / STEPS  # the weights hardly move
    expected = variance / STEPS
    error = np.sqrt(expected / len(final) + variance / draws)
    ratio = average.var(axis=0, ddof=1) / expected
    return {
        "mean": float((np.abs(average.mean(axis=0) - mean) / error).max()),
        "variance": float(np.abs(ratio - 1.0).max()),
    }
