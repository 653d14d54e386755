"""From a spec to a pipeline that can run."""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph
from boundcalc.simulate.memory import check_size
from boundcalc.simulate.noise import NoiseSource, make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.run import run_settings
from boundcalc.simulate.sections import needed_sections
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.start import initial_weights
from boundcalc.theories.staleness.blocks import Pipeline, pipeline_of
from boundcalc.theories.staleness.pipeline_batches import Draws
from boundcalc.theories.staleness.pipeline_stages import Stage, make_stages
from boundcalc.theories.staleness.section import StalenessSection

#: Numbers that all queues together, or all that is recorded, may hold: 400 MB.
LARGEST = 50_000_000


@dataclass(frozen=True)
class Setup:
    """What a run needs.

    Attributes
    ----------
    problem
        What the ordinary simulator would be given.
    stages, pipeline
        The blocks that run, and as the statements know them.
    draws
        Of perturbed passes; None without perturbations.
    """

    problem: Problem
    stages: tuple[Stage, ...]
    pipeline: Pipeline
    draws: Draws | None


def make_setup(graph: OperatorGraph, section: StalenessSection) -> Setup:
    """The blocks of a spec, ready to run.

    Raises
    ------
    SpecError, SimulationError
        If the spec has no ``simulation`` or ``training``, something in it cannot be run as a
        pipeline, or the run would be too large.
    """
    _check_sections(graph)
    program, noise, data = make_program(graph), make_noise(graph), graph.data
    assert data is not None  # noqa: S101 - the build made it
    settings = run_settings(graph, program)
    problem = Problem(
        program,
        noise,
        data.features,
        data.labels,
        initial_weights(graph, program),
        settings,
        graph.values(FLOATS),
    )
    pipeline = pipeline_of(graph, section)
    places = _places(graph, pipeline, noise)
    check_size(noise.perturbations, settings.replicas, len(data.labels))
    _check_memory(graph, problem, pipeline)
    stages = make_stages(program, [block.operators for block in pipeline.blocks])
    draws = Draws(problem, places) if noise.perturbations else None
    return Setup(problem, stages, pipeline, draws)


def _check_sections(graph: OperatorGraph) -> None:
    section, training = needed_sections(graph)
    if section.precision != "float64":
        raise SimulationError(
            "pipelines run in double precision",
            where="simulation.precision",
            value=section.precision,
            expected="float64",
            fix="remove `precision`",
        )
    if training.clip is not None:
        raise SimulationError(
            "a pipeline cannot clip: no block knows the norm of the whole gradient",
            where="training.clip",
            value=str(training.clip),
            expected="no `clip`",
            fix="remove it",
        )


def _places(graph: OperatorGraph, pipeline: Pipeline, noise: NoiseSource) -> dict[int, int]:
    """By perturbation: the block that it acts in."""
    sites = (
        p.site if p.direction == "forward" else graph.ends[p.edge][1] for p in noise.perturbations
    )
    return {number: pipeline.block_of(operator) for number, operator in enumerate(sites)}


def _check_memory(graph: OperatorGraph, problem: Problem, pipeline: Pipeline) -> None:
    settings, queues = problem.settings, pipeline.queues
    samples = settings.batch or len(problem.labels)
    held = 0
    for k, block in enumerate(pipeline.blocks):
        sizes = [graph.nodes[v - 1].inputs for v in block.operators]
        before = queues.p[k - 1] if k else 0
        # Whoever reads the data stores nothing, unless minibatches copy it.
        stored = sum(sizes) if k or settings.batch else sum(sizes[1:])
        held += queues.m[k] * stored + (queues.q[k] + before) * sizes[0]
    held *= settings.replicas * samples
    held += settings.replicas * problem.program.weights * sum(queues.times[-1:])
    recorded = settings.records * settings.replicas * (2 + 3 * graph.size)
    for what, count, where, fix in (
        ("queues", held, "staleness.queues", "use shorter queues, fewer replicas or less data"),
        ("record", recorded, "simulation.record.every", "record fewer steps"),
    ):
        if count > LARGEST:
            raise SimulationError(
                f"the {what} of the pipeline would hold too much",
                where=where,
                value=f"{count} numbers",
                expected=f"at most {LARGEST}",
                fix=fix,
            )
