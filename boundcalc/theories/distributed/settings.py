"""From a spec to a plan of its run."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import FLOATS, WIDE
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.sections import needed_sections
from boundcalc.theories.distributed.algorithms import Algorithm, Compressor, KeepOrDrop, RandK
from boundcalc.theories.distributed.conditions import sign_curvature
from boundcalc.theories.distributed.measures import measures_of, sign_weights
from boundcalc.theories.distributed.noise_model import Setting, setting_in
from boundcalc.theories.distributed.noise_sampling import Noise
from boundcalc.theories.distributed.paths import Plan
from boundcalc.theories.distributed.schedules import Steps
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.sign_functions import sign_drift

MAX_STEPS = 10_000_000  # of a simulated run
MAX_RECORD = 60_000_000  # numbers that a run may record


def plan_of(graph: OperatorGraph, section: DistributedSection) -> Plan:
    """The run that a spec describes.

    Raises
    ------
    SpecError
        If `simulation` or `training` is missing, the run or its record is too long, or the
        normalised step has no A because the noise has no variance.
    """
    simulation, training = needed_sections(graph)
    _check_length(training.horizon, simulation.replicas, simulation.record.every)
    setting = setting_in(graph, section, WIDE)
    noise, steps = noise_of(section, setting), steps_of(graph, section, setting)
    return Plan(
        algorithm=algorithm_of(graph, section, setting),
        noise=noise,
        steps=steps,
        horizon=training.horizon,
        replicas=simulation.replicas,
        seed=simulation.seed,
        escape=float(section.escape.evaluate(FLOATS, graph.values(FLOATS))),
        every=simulation.record.every,
        measures=measures_of(
            section.algorithm,
            noise,
            steps,
            training.horizon,
            sign=sign_probabilities(section, setting, steps, training.horizon),
            L0=float(setting.L0),
            L1=float(setting.L1),
            stop=math.inf if setting.gradient_bound is None else float(setting.gradient_bound),
        ),
        L1=float(setting.L1),
    )


def _check_length(horizon: int, replicas: int, every: int) -> None:
    if horizon > MAX_STEPS:
        raise SpecError(
            "the run is too long to simulate",
            where="training.horizon",
            value=horizon,
            expected=f"at most {MAX_STEPS} steps",
            fix="lower it for the simulation; the statements have no such limit",
        )
    if 3 * replicas * (horizon // every + 2) > MAX_RECORD:
        raise SpecError(
            "the record of the run is too large",
            where="simulation.record.every",
            value=every,
            expected=f"at most {MAX_RECORD} numbers: three for each replica and recorded step",
            fix=f"record every {-(-6 * replicas * horizon // MAX_RECORD)} steps",
        )


def noise_of(section: DistributedSection, setting: Setting) -> Noise:
    """The agents' noise."""
    return Noise(
        kind=section.noise_kind,
        sigma0=_by_agent(setting.sigma0, section.agents),
        sigma1=_by_agent(setting.sigma1, section.agents),
        nu=None if setting.nu is None else float(setting.nu),
        truncation=None if setting.truncation is None else float(setting.truncation),
    )


def algorithm_of(graph: OperatorGraph, section: DistributedSection, setting: Setting) -> Algorithm:
    """What the agents send; a compressor only where it does something."""
    clip = section.clip
    compressor: Compressor | None = None
    if section.compressor is not None and section.compressor.k < section.dimension:
        compressor = RandK(section.compressor.k)
    elif section.compressor is None and any(omega > 0 for omega in setting.omega):
        compressor = KeepOrDrop(_by_agent(setting.omega, section.agents))
    return Algorithm(
        name=section.algorithm,
        compressor=compressor,
        agent_clip=None if clip is None else float(clip.evaluate(FLOATS, graph.values(FLOATS))),
    )


def steps_of(graph: OperatorGraph, section: DistributedSection, setting: Setting) -> Steps:
    """γ_k."""
    training, schedule = graph.spec.training, section.steps
    assert training is not None  # noqa: S101 - the caller has looked
    values = graph.values(FLOATS)
    offset = schedule.offset
    numerator = 1.0
    if schedule.type == "normalised":
        if setting.A is None:
            raise SpecError(
                "the normalised step needs noise of finite variance",
                where="distributed.schedule",
                value="normalised",
                expected="ν > 2, Gaussian noise, or `truncation`",
                fix="choose another schedule, or add `truncation`",
            )
        numerator = float(2 * setting.epsilon / (1 + setting.A))
    return Steps(
        kind=schedule.type,
        size=float(training.step_size.evaluate(FLOATS, values)),
        offset=1.0 if offset is None else float(offset.evaluate(FLOATS, values)),
        numerator=numerator,
        L0=float(setting.L0),
        L1=float(setting.L1),
        decay=schedule.decay == "inverse_sqrt",
    )


def sign_probabilities(
    section: DistributedSection, setting: Setting, steps: Steps, horizon: int
) -> Array | None:
    """P(k̂ = k) of the sign statement at these steps; None where it makes none."""
    known = steps.known(horizon)
    if section.algorithm != "dsignsgd" or known is None:
        return None
    psi = float(sign_curvature(setting, setting.kind.number(Fraction(float(known.max())))))
    c = float(sign_drift(setting.nu, setting.kind))
    return sign_weights(known, c, psi, section.dimension, float(setting.L1))


def _by_agent(values: tuple[float, ...], agents: int) -> Array:
    found = np.array([float(value) for value in values])
    return np.repeat(found, agents) if len(found) == 1 else found
