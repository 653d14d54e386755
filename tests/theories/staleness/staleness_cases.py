"""Small pipelines, and a literal twin: weights by version, indexed as the theorem does."""

import numpy as np

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.graph import build
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.optimizers import make_optimizer
from boundcalc.simulate.program import make_program
from boundcalc.simulate.run import run_settings
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.start import initial_weights
from boundcalc.simulate.streams import stream
from boundcalc.theories.staleness.blocks import pipeline_of
from boundcalc.theories.staleness.pipeline import PipelineEngine
from boundcalc.theories.staleness.pipeline_records import Recorder
from boundcalc.theories.staleness.pipeline_stages import make_stages
from boundcalc.theories.staleness.section import StalenessSection

NETWORK = """
  operators:
    - {id: f1, type: dense, units: 4}
    - {id: f2, type: tanh, bias: true}
    - {id: f3, type: dense, units: 1}
    - {id: loss, type: logistic}
"""

TEXT = """
version: 1
name: small pipeline
theory: staleness
staleness: {queues: {p: P, m: M}}
graph:GRAPH
loss: {batch: 2}
training: {step_size: STEP, horizon: STEPS, optimizer: METHOD}
simulation:
  data: {generator: logistic, samples: 5, dimension: 3, seed: 4}
  replicas: 3
  seed: 7
  initial_weights: 1/2
"""


def spec_text(p, m, *, graph=NETWORK, step="1/5", steps=40, method="sgd", more=""):
    """A spec of DSP(p; m) on a chain."""
    text = TEXT.replace("P,", f"{list(p)},", 1).replace("M}", f"{list(m)}}}", 1)
    text = text.replace("GRAPH", graph.rstrip()).replace("STEPS", str(steps))
    return text.replace("STEP", str(step)).replace("METHOD", method) + more


def graph_of(text):
    return build(bc.loads(text), lenient=True)


def section_of(graph):
    return StalenessSection.model_validate(graph.spec.own)


def parts_of(graph):
    """The problem, the stages and the queues of a graph."""
    program, data = make_program(graph), graph.data
    problem = Problem(
        program,
        make_noise(graph),
        data.features,
        data.labels,
        initial_weights(graph, program),
        run_settings(graph, program),
        graph.values(FLOATS),
    )
    cut = pipeline_of(graph, section_of(graph))
    stages = make_stages(program, [block.operators for block in cut.blocks])
    return problem, stages, cut.queues


def piped(graph, **more):
    """The engine after its run, and its recorder."""
    problem, stages, queues = parts_of(graph)
    recorder = Recorder(problem, stages)
    engine = PipelineEngine(problem, stages, queues, observer=recorder, **more)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(engine.ticks):
            engine.tick()
    return engine, recorder


def literal(graph):
    """x⁰ … x^T by the definition, one whole pass a batch: ``(T + 1, R, k)``, and all 𝒢.

    Batch n goes forward through block i at x_i^{max(0, n − m_i)}; each operator's derivatives
    are taken at what its block received then and at x_i^n.
    """
    problem, _, queues = parts_of(graph)
    cut = pipeline_of(graph, section_of(graph))
    program, settings = problem.program, problem.settings
    versions, gradients = [problem.start.copy()], []
    sampling = [stream(settings.seed, "sampling", r) for r in range(settings.replicas)]
    optimizer = make_optimizer(graph)
    states = np.zeros((optimizer.states, *problem.start.shape))
    for n in range(settings.horizon):
        x, y = problem.features[None], problem.labels[None]
        if settings.batch:
            rows = np.stack([g.integers(x.shape[1], size=settings.batch) for g in sampling])
            x, y = problem.features[rows], problem.labels[rows]
        received, now = [], versions[n]
        blocks = [(block, delay) for block, delay in zip(cut.blocks, queues.m, strict=True)]
        for block, delay in blocks:
            old = versions[max(0, n - delay)]
            for number in block.operators:
                step = program.steps[number - 1]
                received.append(x)
                x = step.operator.forward(x, step.weights(old), y)
        v, found = np.ones_like(x), np.zeros_like(now)
        for number in range(len(program.steps), 0, -1):
            step, value = program.steps[number - 1], received[number - 1]
            weights = step.weights(now)
            known = step.operator.keeps_output and number < len(program.steps)
            if number == 1:
                part = step.operator.mean_weight_vjp(value, weights, y, v)
            elif known:
                output = step.operator.forward(value, weights, y)
                v, part = step.operator.mean_vjp_at(output, value, weights, y, v)
            else:
                v, part = step.operator.mean_vjp(value, weights, y, v)
            if step.group is not None:
                found[:, step.part] = part
        gradients.append(found.copy())
        found += program.penalty_gradient(now)
        if settings.noise_std:
            count = now.shape[1]
            found += np.stack([settings.noise_std * g.standard_normal(count) for g in sampling])
        following = now.copy()
        optimizer.update(following, found, states, n, settings.step_size)
        versions.append(following)
    return np.array(versions), np.array(gradients)
