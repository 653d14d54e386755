"""What a calibration answers with, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Number
from boundcalc.budgets.results import Direction


@dataclass(frozen=True)
class SiteSensitivity:
    """What a perturbation at one site does, proved and measured.

    Attributes
    ----------
    proved, measured
        Coefficients of E‖ũ−u‖² in E‖δ‖² (or E‖ε‖²): the bound's, which holds for every
        direction of δ, and the largest measured over iterates and samples, for a δ with no
        preferred direction, with its confidence interval ``interval``.  ``proved`` is None
        where the site has no coefficient: it reaches a kink.
    ratio
        proved / measured; None where one of them is missing or zero.
    proved_bias, measured_bias, bias_interval, bias_ratio
        The same for ‖E[ũ−u]‖² in (E‖δ‖²)², zero-mean; of backward sites None.
    measured_worst
        The largest over the directions that were probed: the coefficient of the worst one
        where ``worst_exact``, else a lower bound on it.
    """

    direction: Direction
    label: str
    proved: Number | None
    measured: Number
    interval: tuple[float, float]
    ratio: Number | None
    proved_bias: Number | None = None
    measured_bias: Number | None = None
    bias_interval: tuple[float, float] | None = None
    bias_ratio: Number | None = None
    measured_worst: Number | None = None
    worst_exact: bool = False


@dataclass(frozen=True)
class MeasuredBits:
    """Bits of uniform quantisers by measured sensitivities, to stand beside the proved ones.

    Attributes
    ----------
    bits
        (direction, label) of a site → its bits.
    cost
        Σ weight · bits.
    bound
        The rate statement with the error and bias that the sensitivities predict.
    simulated, interval
        The same quantity in a simulated run with these quantisers in the passes.
    """

    bits: Mapping[tuple[str, str], int]
    cost: Number
    bound: Number
    simulated: Number
    interval: tuple[float, float]


@dataclass(frozen=True)
class Calibration:
    """Measured sensitivities, their predictions, and how these fare in a full simulation.

    Attributes
    ----------
    iterates
        The steps of the run at which was measured.
    predicted_error, simulated_error, predicted_bias, simulated_bias
        Of all the spec's perturbations together at the last iterate, averaged over samples;
        simulated ones with intervals.  None where ``notes`` say why.
    scale
        The measured budget: the largest common factor of the spec's perturbations, sampled.
    proved_scale
        The proved one beside it.
    bits
        Where an allocation was asked for: the one that the sensitivities give.
    """

    sites: tuple[SiteSensitivity, ...]
    confidence: float
    iterates: tuple[int, ...]
    predicted_error: Number | None
    simulated_error: Number | None
    error_interval: tuple[float, float] | None
    predicted_bias: Number | None
    simulated_bias: Number | None
    bias_interval: tuple[float, float] | None
    scale: Number | None
    proved_scale: Number | None
    notes: tuple[str, ...] = ()
    bits: MeasuredBits | None = None
