"""Error and bias that sensitivities predict for perturbations that act together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.budgets.calibration.estimates import Estimate, mean_of, squared_mean_of
from boundcalc.budgets.calibration.laws import Key, Law, means, spreads
from boundcalc.budgets.calibration.point import Point
from boundcalc.budgets.calibration.probes import Response, truncation
from boundcalc.operators.base import Array


@dataclass(frozen=True)
class Predicted:
    """What is predicted at one point for one set of perturbations, all by sample.

    With d = Jm the first-order effect of the means, C the covariance and
    q = ½ E H[δ, δ] the second-order one:

    Attributes
    ----------
    error
        E‖ũ−u‖² ≈ ‖Jm‖² + tr(J C Jᵀ).
    bias
        ‖E[ũ−u]‖² ≈ ‖Jm + q‖².
    first, second
        ‖Jm‖² and ‖q‖², apart, since they grow with the second and the fourth power of a
        common factor.
    """

    error: Estimate
    bias: Estimate
    first: Estimate
    second: Estimate


class Prediction:
    """Gathers the responses of sites at one point into the prediction for one set.

    Parameters
    ----------
    known
        Laws by position.
    active
        The positions that act.
    batches
        1 if the responses of all sites are exact, else the number of batches.
    """

    def __init__(
        self, point: Point, known: Mapping[int, Law], active: tuple[int, ...], batches: int
    ) -> None:
        self._point = point
        self._spreads, self._means = spreads(known, active), means(known, active)
        self._thinned = [known[i] for i in active if known[i].extra and known[i].mean.any()]
        self._squares = np.zeros((batches, point.samples))
        self._bends = np.zeros((batches, point.samples, point.weights))
        self._square_slack, self._bend_slack = np.zeros(point.samples), np.zeros(point.samples)

    def add(self, key: Key, found: Response) -> None:
        """Take in one site: independent parts of perturbations add in both moments."""
        spread = self._spreads.get(key)
        if spread is None:
            return
        self._squares += spread * found.squares
        self._square_slack += spread * found.square_slack
        if found.bends is not None:
            self._bends += np.asarray(spread)[..., None] * found.bends
            self._bend_slack += spread * found.bend_slack

    def result(self, sizes: Mapping[Key, float], confidence: float) -> Predicted:
        """The prediction, with intervals of this confidence by sample.

        Parameters
        ----------
        sizes
            By site: how far a component may be moved to take a derivative.
        """
        move = np.zeros((1, self._point.samples, self._point.weights))
        slack = np.zeros(self._point.samples)
        if self._means:
            (move, bend), (off, bend_off) = self._along(self._means, sizes)
            self._bends += bend
            self._bend_slack += bend_off
            slack = off
        for law in self._thinned:
            # The covariance of a perturbation that acts at times has a part along its mean.
            (odd, bend), (off, bend_off) = self._along({law.key: law.mean}, sizes)
            length = np.sqrt(np.sum(odd[0] ** 2, axis=-1))
            self._squares += law.extra * length**2
            self._square_slack += law.extra * (2 * length + off) * off
            self._bends += law.extra * bend
            self._bend_slack += law.extra * bend_off
        first = squared_mean_of(move, slack, confidence)
        total = self._squares + np.sum(move[0] ** 2, axis=-1)
        length = np.sqrt(np.sum(move[0] ** 2, axis=-1))
        return Predicted(
            error=mean_of(total, self._square_slack + (2 * length + slack) * slack, confidence),
            bias=squared_mean_of(self._bends + move, self._bend_slack + slack, confidence),
            first=first,
            second=squared_mean_of(self._bends, self._bend_slack, confidence),
        )

    def _along(
        self, directions: Mapping[Key, Array], sizes: Mapping[Key, float]
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Jm and ½H[m, m] for shifts m of several sites at once, and how far each may be off."""
        h = min(sizes[key] / float(np.abs(m).max()) for key, m in directions.items())
        (odd, even), (half_odd, half_even) = (
            self._derivatives(directions, h),
            self._derivatives(directions, h / 2),
        )
        rounding = self._point.rounding / h
        odd_off, even_off = truncation(odd, half_odd)[0], truncation(even, half_even)[0]
        return (odd, even), (odd_off + rounding, even_off + rounding / h)

    def _derivatives(self, directions: Mapping[Key, Array], h: float) -> tuple[Array, Array]:
        shifts: dict[str, dict[int, Array]] = {"forward": {}, "backward": {}}
        for (direction, number), mean in directions.items():
            shape = (1, self._point.samples, mean.shape[-1])
            shifts[direction][number] = np.broadcast_to(h * mean, shape)
        odd, even = self._point.pair(shifts["forward"], shifts["backward"])
        return odd / h, even / h**2
