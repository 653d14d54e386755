"""Bits by measured sensitivities: what a run seems to bear, beside what is proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.allocation.candidates import Candidate
from boundcalc.budgets.allocation.choose import cheapest
from boundcalc.budgets.allocation.evaluator import Array, Moments
from boundcalc.budgets.allocation.quantisers import Quantiser, quantisers
from boundcalc.budgets.allocation.recording import coefficients
from boundcalc.budgets.calibration.results import Calibration, MeasuredBits
from boundcalc.budgets.calibration.sensitivities import measured_coefficients
from boundcalc.budgets.question import Question, lowest
from boundcalc.budgets.spread import quantiser_section
from boundcalc.errors import SpecError
from boundcalc.graph import build
from boundcalc.perturbations.transform import Reach
from boundcalc.rates.inputs import problem
from boundcalc.simulate.run import simulate


@dataclass(frozen=True)
class Measured:
    """The rate statement with the error and bias of a measured model.

    With noises of sizes z_j, independent, without preferred direction and with means m_j,
    ``E‖ũ−u‖² ≈ Σ c_j z_j²`` and ``‖E[ũ−u]‖ ≲ Σ √d_j z_j² + Σ √c_j m_j``.

    Attributes
    ----------
    error, bias
        c_j and d_j by site.
    constant, slope, drift
        The statement: constant + slope · (what the error adds to the variance) + drift · bias².
    sigma, batch
        Sampling noise, and samples that are averaged.
    """

    error: Array
    bias: Array
    constant: float
    slope: float
    drift: float
    sigma: float
    batch: int

    def weight(self, levels: Moments) -> int:
        """Operations of a bound."""
        del levels
        return 8 * len(self.error)

    def bound(self, levels: Moments) -> float:
        """Of one assignment."""
        return float(self.bounds(levels))

    def bounds(self, levels: Moments) -> Array:
        """Of several assignments ``(P, S)``."""
        squares = levels.rms**2
        error = squares @ self.error
        bias = (squares @ np.sqrt(self.bias) + levels.mean @ np.sqrt(self.error)) ** 2
        averaged = np.minimum(error, (bias * (self.batch - 1) + error) / self.batch)
        cross = np.where(bias > 0, 2 * self.sigma * np.sqrt(averaged), 0.0)
        found: Array = self.constant + self.slope * (averaged + cross) + self.drift * bias
        return found


def measured_bits(
    asked: Question, found: Calibration, reaches: Mapping[tuple[str, int], Reach]
) -> MeasuredBits:
    """The cheapest bits of uniform quantisers whose predicted bound meets the target.

    Ranges are those of the regions without rounding; in the simulation, a whole run of the spec,
    what rounding pushes beyond them is clipped.  Sensitivities are the upper ends of intervals.

    Raises
    ------
    SpecError
        With a step that is chosen anew for every level, for a family other than sharp, or if
        the most bits are not enough.

    Notes
    -----
    No bound: it speaks of the run, the iterates and the samples that were measured.
    """
    if asked.best or asked.family.name != "sharp":
        raise SpecError(
            "measured bits are for one step size and the sharp statement",
            where="budget",
            fix="give `step_size`, and family: sharp, or leave --calibrate out",
        )
    made, _ = quantisers(asked.graph, asked.section.allocation, reaches)
    made = [q for q in made if q.magnitude > 0]
    section = asked.section.allocation
    choices = range(section.least_bits, section.most_bits + 1)
    model = _model(asked, found, made)
    chosen = cheapest(
        [[_candidate(q, bits) for bits in choices] for q in made],
        model,
        float(lowest(asked.target.value)),
    )
    if chosen is None:
        raise SpecError(
            "even the most bits everywhere miss the target, by measured sensitivities",
            where="budget.allocation.most_bits",
            value=section.most_bits,
            fix="raise most_bits, or the tolerance",
        )
    bits = [choices[pick] for pick in chosen.picks]
    mean, interval = _simulated(asked, made, bits)
    return MeasuredBits(
        bits={(q.site.direction, q.site.label): b for q, b in zip(made, bits, strict=True)},
        cost=Number(chosen.cost, Status.SAMPLED),
        bound=Number(chosen.bound, Status.SAMPLED),
        simulated=Number(mean, Status.SAMPLED),
        interval=interval,
    )


def _model(asked: Question, found: Calibration, made: Sequence[Quantiser]) -> Measured:
    known = measured_coefficients(found)
    rows = [known[f"{q.site.direction}:{q.site.label}"] for q in made]
    constant, slope, drift = (float(c) for c in coefficients(asked)(None))
    return Measured(
        error=np.array([row.error for row in rows]),
        bias=np.array([row.bias for row in rows]),
        constant=constant,
        slope=slope,
        drift=drift,
        sigma=float(problem(asked.graph).sigma),
        batch=asked.graph.spec.loss.batch,
    )


def _candidate(quantiser: Quantiser, bits: int) -> Candidate:
    rms = float(quantiser.rms_squared(bits)) ** 0.5
    mean = 0.0 if quantiser.rounding == "stochastic" else rms
    return Candidate(str(bits), quantiser.weight * Fraction(bits), rms, mean, rms)


def _simulated(
    asked: Question, made: Sequence[Quantiser], bits: Sequence[int]
) -> tuple[float, tuple[float, float]]:
    """The bounded quantity in a run with the quantisers, with its interval."""
    sections = [quantiser_section(q, b) for q, b in zip(made, bits, strict=True)]
    spec = asked.graph.spec.model_copy(update={"perturbations": sections})
    metric = "mean_squared_gradient" if asked.regime == "nonconvex" else "final_gap"
    met = simulate(build(spec)).metrics[metric]
    return met.mean, (met.lo, met.hi)
