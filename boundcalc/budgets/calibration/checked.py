"""Predictions held against full simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from boundcalc.budgets.calibration.iterates import Iterates, generator
from boundcalc.budgets.calibration.point import chunks
from boundcalc.budgets.calibration.survey import MEMORY
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.perturbations.base import Sampler
from boundcalc.simulate.iterates import BATCHES, IterateCheck, check_iterate
from boundcalc.simulate.noise import NoiseSource
from boundcalc.simulate.transforms import Replacement
from boundcalc.spec.budget import CalibrationSection


@dataclass(frozen=True)
class Simulated:
    """Error and bias with every perturbation acting: by sample, with simultaneous intervals."""

    error: Array
    error_lo: Array
    error_hi: Array
    bias: Array
    bias_lo: Array
    bias_hi: Array

    @property
    def error_interval(self) -> tuple[float, float]:
        """Of the average over samples."""
        return float(self.error_lo.mean()), float(self.error_hi.mean())

    @property
    def bias_interval(self) -> tuple[float, float]:
        """The same of the bias."""
        return float(self.bias_lo.mean()), float(self.bias_hi.mean())


def simulated(
    graph: OperatorGraph,
    section: CalibrationSection,
    found: Iterates,
    step: int,
    factor: float = 1.0,
) -> Simulated | None:
    """Simulate the spec's perturbations times a factor at one iterate, as `simulate` does.

    None where they cannot be drawn.  With ``simulation.check.draws`` draws for each sample;
    the average over samples of intervals that hold together is an interval for the average.
    """
    settings = graph.spec.simulation
    assert settings is not None  # noqa: S101 - the run was made
    if found.noise is None:
        return None
    noise = found.noise if factor == 1.0 else enlarged(found.noise, factor)
    rng = generator(settings.seed, 2, step)
    checks = []
    for rows in chunks(found.rows, max(1, MEMORY // (BATCHES * found.program.weights))):
        share = len(rows) / len(found.rows)
        checks.append(
            check_iterate(
                found.program,
                noise,
                rng,
                step=step,
                w=found.weights[step],
                features=found.features,
                labels=found.labels,
                rows=rows,
                draws=settings.check.draws,
                confidence=1 - (1 - section.confidence) * share,
            )
        )
    names = ("error", "error_lo", "error_hi", "bias", "bias_lo", "bias_hi")
    return Simulated(**{name: _joined(checks, name) for name in names})


def _joined(checks: list[IterateCheck], name: str) -> Array:
    parts: list[Array] = [getattr(check, name) for check in checks]
    # An unbiased estimate of a square may be slightly negative.
    return np.maximum(np.concatenate(parts), 0.0)


def enlarged(noise: NoiseSource, factor: float) -> NoiseSource:
    """The same perturbations times a factor."""
    mirrors = {
        direction: None if centres is None else {k: factor * c for k, c in centres.items()}
        for direction, centres in noise.mirrors.items()
    }
    samplers = tuple(_times(sampler, factor) for sampler in noise.samplers)
    return replace(noise, samplers=samplers, mirrors=mirrors)


def _times(sampler: Sampler | Replacement, factor: float) -> Sampler | Replacement:
    if isinstance(sampler, Replacement):
        transform = sampler.apply

        def apply(rng: np.random.Generator, value: Array) -> Array:
            return value + factor * (transform(rng, value) - value)

        return replace(sampler, apply=apply)
    draw = sampler

    def fill(rng: np.random.Generator, out: Array) -> None:
        draw(rng, out)
        out *= factor

    return fill
