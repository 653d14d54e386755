"""Everything that a spec's ``budget`` section asks for, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from boundcalc.budgets.calibration.results import Calibration
from boundcalc.budgets.question import Question, question
from boundcalc.budgets.results import Allocation, Budget, Formats
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph, build
from boundcalc.graph.reaches import SiteKey, site_reaches
from boundcalc.perturbations.transform import Reach
from boundcalc.simulate.run import Progress
from boundcalc.spec.budget import CalibrationSection

T = TypeVar("T")


def budget(
    graph: OperatorGraph,
    *,
    allocate: bool = False,
    formats: bool = False,
    calibrate: bool = False,
    lenient: bool = False,
    progress: Progress | None = None,
) -> Budget:
    """What perturbations a graph may have for the target in its ``budget`` section.

    Parameters
    ----------
    graph
        A compiled spec with ``loss``, ``training`` and ``budget`` sections.
    allocate
        Also spread the bits of uniform quantisers over the sites at least cost.
    formats
        Also choose the cheapest number format of every activation and gradient.
    calibrate
        Also measure sensitivities along a training run.
    lenient
        Turn what stands in the way of the last three into notes, instead of raising.

    Raises
    ------
    SpecError
        If the section is missing, or the target is not above the unperturbed bound.

    Notes
    -----
    Magnitudes take O(N · sites) operations, frequencies O(N) for each event, whatever the
    horizon.

    Examples
    --------
    >>> import boundcalc as bc
    >>> found = budget(bc.build(bc.loads('''
    ... version: 1
    ... name: ten percent
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... perturbations: [{at: f2, pass: backward, rms: 1, mean: 0}]
    ... loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    ... training: {step_size: 1/4, horizon: 100}
    ... budget: {tolerance: 1/10}
    ... ''')))
    >>> str(found.magnitudes.scale)
    '0.178885'
    """
    from boundcalc.budgets.bounded import bounded
    from boundcalc.budgets.frequency import frequencies
    from boundcalc.budgets.magnitude import magnitudes
    from boundcalc.budgets.orders import orders
    from boundcalc.budgets.orders.notes import horizon_note
    from boundcalc.budgets.rebuilt import rebuilt

    asked = question(graph)
    sizes, name = rebuilt(asked, bounded(asked, magnitudes(asked))), asked.family.name
    found_orders = orders(asked.graph, name)
    short = (horizon_note(asked.graph, name, regime) for regime in found_orders)
    notes = [*graph.notes, *_shared(asked), *(note for note in short if note is not None)]

    def attempted(wanted: bool, compute: Callable[[], T]) -> T | None:
        if not wanted:
            return None
        try:
            return compute()
        except BoundcalcError as error:
            if not lenient:
                raise
            notes.append(error.problem)
            return None

    def spread() -> Allocation:
        from boundcalc.budgets.spread import settled_allocation

        return settled_allocation(asked)

    def chosen() -> Formats:
        from boundcalc.budgets.formats import cheapest_formats

        return cheapest_formats(asked, bare_reaches(asked.graph))

    def measured() -> Calibration:
        from boundcalc.budgets.calibration import calibrate as measure
        from boundcalc.budgets.measured_bits import measured_bits

        section = asked.section.calibration or CalibrationSection()
        found = measure(asked, section, proved_scale=sizes.scale, progress=progress)
        if not allocate:
            return found
        try:
            bits = measured_bits(asked, found, bare_reaches(asked.graph))
        except BoundcalcError as error:
            return replace(found, notes=(*found.notes, error.problem))
        return replace(found, bits=bits)

    return Budget(
        question=asked,
        magnitudes=sizes,
        frequencies=frequencies(asked),
        orders=found_orders,
        allocation=attempted(allocate, spread),
        formats=attempted(formats, chosen),
        calibration=attempted(calibrate, measured),
        notes=tuple(dict.fromkeys(notes)),
    )


def _shared(asked: Question) -> list[str]:
    """That searches for sizes and frequencies do without the average over a batch."""
    places = dict.fromkeys(p.where for p in asked.graph.perturbations if p.shared)
    if not places or asked.graph.spec.loss.batch == 1:
        return []
    return [
        f"{', '.join(places)}: one draw for the whole batch; the largest sizes and frequencies are "
        "those without any average over the batch, and smaller than need be where other "
        "perturbations are drawn sample by sample"
    ]


def bare_reaches(graph: OperatorGraph) -> dict[SiteKey, Reach]:
    """Where the values of every site lie when nothing is perturbed."""
    return site_reaches(build(graph.spec.model_copy(update={"perturbations": []})))
