"""Every site probed at every iterate and sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from boundcalc.arithmetic import FLOATS
from boundcalc.budgets.calibration.estimates import Estimate, mean_of, squared_mean_of
from boundcalc.budgets.calibration.iterates import Iterates
from boundcalc.budgets.calibration.laws import Key, Laws
from boundcalc.budgets.calibration.point import Point, chunks, typical_sizes
from boundcalc.budgets.calibration.prediction import Predicted, Prediction
from boundcalc.budgets.calibration.probes import CHECKED, Probes, Response, respond
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph
from boundcalc.simulate.iterates import BATCHES
from boundcalc.spec.budget import CalibrationSection

#: Numbers that the batches of a point may take where it has several samples.
MEMORY = 20_000_000
#: Most numbers that those of one sample may take, and that all passes may compute together.
MAX_MEMORY = 400_000_000
MAX_WORK = 10**13


@dataclass
class SiteSurvey:
    """What was found at one site, by iterate and piece of the samples.

    Attributes
    ----------
    error, bias
        Coefficients; none of the bias for a backward site.
    worst, worst_exact
        The largest ‖Jz‖² over unit z so far, and whether it is over all of them.
    unsteady
        Whether probes of two sizes disagreed.
    """

    error: list[Estimate] = field(default_factory=list)
    bias: list[Estimate] = field(default_factory=list)
    worst: float = 0.0
    worst_exact: bool = True
    unsteady: bool = False

    def add(self, found: Response, confidence: float) -> None:
        """Take in one point, with intervals of this confidence for every sample."""
        self.error.append(mean_of(found.squares, found.square_slack, confidence))
        if found.bends is not None:
            self.bias.append(squared_mean_of(found.bends, found.bend_slack, confidence))
        self.worst = max(self.worst, float(found.worst.max()))
        self.worst_exact = self.worst_exact and found.worst_exact
        self.unsteady = self.unsteady or found.unsteady


@dataclass
class Survey:
    """What was found at all sites, and what is predicted for sets of perturbations.

    Attributes
    ----------
    predicted
        By set and step: one prediction for each piece of the samples.
    """

    sites: dict[Key, SiteSurvey]
    predicted: dict[tuple[int, ...], dict[int, list[Predicted]]]


def survey(
    graph: OperatorGraph,
    section: CalibrationSection,
    found: Iterates,
    laws: Laws | None,
    sets: list[tuple[int, ...]],
    progress: Callable[[int], None],
) -> Survey:
    """Probe all sites.

    Parameters
    ----------
    sets
        The sets of perturbations, by position, to predict for.
    progress
        Told how many (iterate, site, sample) triples are done.
    """
    probes = site_probes(graph, section)
    batches = batches_of(probes)
    size = float(section.size.evaluate(FLOATS, graph.values(FLOATS)))
    sizes = step_sizes(size, found, probes)
    each = 1 - (1 - section.confidence) / (len(found.rows) * len(found.weights))
    result = Survey(
        {key: SiteSurvey() for key in probes},
        {active: {step: [] for step in found.weights} for active in sets},
    )
    pieces = chunks(found.rows, rows_at_once(found, batches, len(sets)))
    done = 0
    for step, w in found.weights.items():
        for rows in pieces:
            point = Point(found.program, w, found.features[rows], found.labels[rows])
            known = laws.at(point) if laws and sets else {}
            gathered = {active: Prediction(point, known, active, batches) for active in sets}
            for key, probe in probes.items():
                response = respond(point, key, probe, sizes[key])
                result.sites[key].add(response, each)
                for prediction in gathered.values():
                    prediction.add(key, response)
                done += len(rows)
                progress(done)
            for active, prediction in gathered.items():
                result.predicted[active][step].append(prediction.result(sizes, each))
    return result


def site_probes(graph: OperatorGraph, section: CalibrationSection) -> dict[Key, Probes]:
    """By site: its probes, the same at sites of the same size."""
    assert graph.spec.simulation is not None  # noqa: S101 - callers have looked
    seed = graph.spec.simulation.seed
    found: dict[Key, Probes] = {}
    for site in graph.sites:
        operator = site.index if site.direction == "forward" else graph.ends[site.index][0]
        size = graph.nodes[operator - 1].outputs
        found[site.direction, site.index] = Probes(size, section.probes, seed)
    return found


def batches_of(probes: Mapping[Key, Probes]) -> int:
    """1 where every site is probed along all its coordinates, else the number of batches."""
    return max((probe.batches for probe in probes.values()), default=1)


def step_sizes(size: float, found: Iterates, probes: Mapping[Key, Probes]) -> dict[Key, float]:
    """By site: how far a probe moves a component, ``size`` times what is typical there."""
    typical = typical_sizes(found)
    # The gradient is affine in ε, so that any size does.
    return {
        (direction, index): size * typical[index] if direction == "forward" else 1.0
        for direction, index in probes
    }


def rows_at_once(found: Iterates, batches: int, sets: int) -> int:
    """How many samples a point may have, so that its batches fit into memory."""
    return max(1, MEMORY // (found.program.weights * batches * (sets + 1)))


def check_work(found: Iterates, probes: Mapping[Key, Probes]) -> None:
    """Refuse what would take hours.

    Raises
    ------
    SimulationError
        If all passes together compute more than :data:`MAX_WORK` numbers.
    """
    program = found.program
    # Each probe is made with both signs, and some at half the size too.
    passes = sum(2 * (probe.each * probe.batches + CHECKED) for probe in probes.values())
    work = passes * len(found.rows) * len(found.weights) * (program.weights + sum(program.widths))
    if work > MAX_WORK or program.weights * batches_of(probes) > MAX_MEMORY:
        raise SimulationError(
            "the calibration is too large",
            where="budget.calibration",
            value=f"{passes} passes × {len(found.rows)} samples × {len(found.weights)} iterates "
            f"of a graph with {program.weights} weights",
            expected=f"at most {MAX_WORK:.0e} numbers in all passes together, and "
            f"{MAX_MEMORY // BATCHES} weights",
            fix="lower `probes`, `samples` or `iterates`",
        )
