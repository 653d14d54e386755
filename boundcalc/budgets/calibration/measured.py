"""Calibration: sensitivities measured along a training run, beside the proved ones."""

from __future__ import annotations

import numpy as np

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.calibration.budgeting import measured_scale, sets_of
from boundcalc.budgets.calibration.checked import simulated
from boundcalc.budgets.calibration.iterates import Iterates, trained_iterates
from boundcalc.budgets.calibration.laws import laws_of
from boundcalc.budgets.calibration.results import Calibration, SiteSensitivity
from boundcalc.budgets.calibration.sensitivities import (
    prediction_notes,
    sensitivities,
    site_notes,
)
from boundcalc.budgets.calibration.survey import check_work, site_probes, survey
from boundcalc.budgets.question import Question
from boundcalc.operators.base import Array
from boundcalc.simulate.run import Progress
from boundcalc.spec.budget import CalibrationSection


@np.errstate(over="ignore", invalid="ignore")
def calibrate(
    asked: Question,
    section: CalibrationSection,
    *,
    proved_scale: Number | None,
    progress: Progress | None = None,
) -> Calibration:
    """Measure what a perturbation at each site does to the gradient, and predict from it.

    At iterates w^(t) of one training run and at some samples, with J and H the first and
    second derivatives of ũ in the value at a site of n components, a zero-mean perturbation
    without preferred direction has

        E‖ũ−u‖² = c E‖δ‖² + O(E‖δ‖⁴),   c = ‖J‖²_F / n,
        ‖E[ũ−u]‖² = d (E‖δ‖²)² + …,      d = ‖Σ_i ∂²ũ/∂y_i²‖² / (4n²).

    Parameters
    ----------
    asked
        The budget's question; its graph has ``simulation`` and ``training`` sections.
    section
        Iterates, samples, probes, their size and the confidence of the intervals.
    proved_scale
        The proved common factor, to stand beside the measured one.
    progress
        Told how much is done.

    Returns
    -------
    Calibration
        Measured numbers are `sampled`: they hold for these iterates and samples.

    Raises
    ------
    SpecError
        Without a ``simulation`` section.
    SimulationError
        If something cannot be simulated, the run diverged at once, or it is all too much.

    Notes
    -----
    Derivatives are central differences, checked at half the step.  Sites of at most ``probes``
    components are probed along every coordinate; J and H are then exact but for the
    differences.  Elsewhere signs at random estimate ‖J‖²_F and the trace of H (M. F. Hutchinson,
    Commun. Stat. Simul. Comput. 19, 1990), with jackknife-t intervals over 32 batches,
    Bonferroni over samples and iterates.  Probes are the same at every iterate and sample.
    O(sites × probes × samples × iterates) passes, bounded memory; the same seed gives the
    same numbers.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.budgets.question import question
    >>> asked = question(bc.build(bc.loads('''
    ... version: 1
    ... name: product of two weights and the data
    ... graph:
    ...   operators:
    ...     - {id: f1, type: bilinear, region: {weight: 1}}
    ...     - {id: f2, type: bilinear, region: {input: 2, weight: 1}}
    ... loss: {smoothness: 10, initial_gap: 1, gradient_noise: 0}
    ... perturbations: [{at: f1, pass: forward, model: gaussian, std: 1/10}]
    ... training: {step_size: 1/100, horizon: 10}
    ... simulation: {data: {points: [[2]]}, initial_weights: [1/2, 1/4]}
    ... budget: {tolerance: 1/10}
    ... ''')))
    >>> found = calibrate(asked, CalibrationSection(), proved_scale=None)
    >>> [(site.label, str(site.proved), f"{float(site.measured):.6g}") for site in found.sites]
    [('f1', '1', '1'), ('f2', '4', '4')]
    """
    graph = asked.graph
    training = graph.spec.training
    assert training is not None  # noqa: S101 - a question has one
    steps, report = training.horizon, progress or (lambda done, total: None)
    found = trained_iterates(graph, section, lambda done: report(done, 2 * steps))
    probes = site_probes(graph, section)
    check_work(found, probes)
    work = max(1, len(probes) * len(found.rows) * len(found.weights))
    laws, refused = laws_of(graph)
    sets = sets_of(graph, laws.positions) if laws else None
    seen = survey(
        graph,
        section,
        found,
        laws,
        sets.all if sets else [],
        lambda done: report(steps + steps * done // work, 2 * steps),
    )
    sites = sensitivities(graph, seen)
    notes = [*found.notes, *site_notes(graph, sites, seen)]
    if laws is None or sets is None:
        return _without_prediction(sites, section, found, proved_scale, [*notes, refused])
    last = max(found.weights)
    together = seen.predicted[sets.together][last]
    checked = simulated(graph, section, found, last)
    scale, remark = measured_scale(asked, section, found, seen, sets)
    notes += prediction_notes(laws.assumed, together, checked)
    return Calibration(
        sites=sites,
        confidence=section.confidence,
        iterates=tuple(found.weights),
        predicted_error=_average([piece.error.value for piece in together]),
        simulated_error=None if checked is None else _average([checked.error]),
        error_interval=None if checked is None else checked.error_interval,
        predicted_bias=_average([piece.bias.value for piece in together]),
        simulated_bias=None if checked is None else _average([checked.bias]),
        bias_interval=None if checked is None else checked.bias_interval,
        scale=scale,
        proved_scale=proved_scale,
        notes=(*notes, *([remark] if remark else [])),
    )


def _average(by_sample: list[Array]) -> Number:
    return Number(float(np.concatenate(by_sample).mean()), Status.SAMPLED)


def _without_prediction(
    sites: tuple[SiteSensitivity, ...],
    section: CalibrationSection,
    found: Iterates,
    proved_scale: Number | None,
    notes: list[str],
) -> Calibration:
    return Calibration(
        sites=sites,
        confidence=section.confidence,
        iterates=tuple(found.weights),
        predicted_error=None,
        simulated_error=None,
        error_interval=None,
        predicted_bias=None,
        simulated_bias=None,
        bias_interval=None,
        scale=None,
        proved_scale=proved_scale,
        notes=tuple(notes),
    )
