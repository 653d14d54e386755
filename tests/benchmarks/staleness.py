"""How fast pipelines run, and the figures of docs/staleness.md.

``python tests/benchmarks/staleness.py`` prints block updates per second (one block of one replica
in one step) for small chains with 64 replicas, the best of several rounds in processor time, how
time and memory grow with the steps and with the queues, and the straggler table of
DSP(1,1,0;4,2,0); with ``--figures`` it also writes docs/images/staleness-*.png.  About a minute.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

import boundcalc as bc
from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.report.numbers import text_of
from boundcalc.theories.base import Options
from boundcalc.theories.registry import build_for
from boundcalc.theories.staleness.pipeline import PipelineEngine
from boundcalc.theories.staleness.pipeline_records import Recorder
from boundcalc.theories.staleness.pipeline_setup import make_setup
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.stragglers import lengths_of, straggler_table
from boundcalc.theories.staleness.theory import THEORY

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"
REPLICAS, ROUNDS = 64, 5

TEXT = """
version: 1
name: small pipeline
theory: staleness
staleness: {{queues: {{p: {p}, m: {m}}}}}
graph:
  input: {{radius: 2}}
  operators: [{operators}]
loss: {{smoothness: 8, initial_gap: 3/2, gradient_noise: 1/2, batch: 1}}
training: {{step_size: {step}, horizon: {steps}}}
simulation:
  data: {{points: [[{point}]]}}
  replicas: {replicas}
  initial_weights: 1/2
  noise: {noise}
  record: {{every: {every}}}
"""

CHAINS = {
    "sine, sine and square of one number": (
        "{id: f1, type: sine, bias: true}, {id: f2, type: sine, bias: true}, "
        "{id: f3, type: square, region: {weight: 2}, bias: true}",
        "1/2",
    ),
    "tanh, sigmoid and tanh of one number": (
        "{id: f1, type: tanh, bias: true}, {id: f2, type: sigmoid, bias: true}, "
        "{id: f3, type: tanh, bias: true}",
        "1/2",
    ),
    "dense, tanh, dense with 3, 4 and 1 numbers": (
        "{id: f1, type: dense, units: 4}, {id: f2, type: tanh, bias: true}, "
        "{id: f3, type: dense, units: 1}",
        "1/2, 1, -1",
    ),
}


def spec(
    chain: str,
    *,
    steps: int,
    p: tuple[int, ...] = (1, 1, 0),
    m: tuple[int, ...] = (4, 2, 0),
    every: int = 100,
    step: str = "1/50",
    noise: str = "{kind: none}",
) -> OperatorGraph:
    """A pipeline of three blocks."""
    operators, point = CHAINS[chain]
    text = TEXT.format(
        p=list(p),
        m=list(m),
        operators=operators,
        steps=steps,
        point=point,
        replicas=REPLICAS,
        every=every,
        step=step,
        noise=noise,
    )
    return build_for(bc.loads(text))


def run(graph: OperatorGraph) -> None:
    """All ticks, with what is recorded."""
    setup = make_setup(graph, THEORY.own(graph.spec))
    recorder = Recorder(setup.problem, setup.stages)
    engine = PipelineEngine(
        setup.problem, setup.stages, setup.pipeline.queues, setup.draws, recorder
    )
    for _ in range(engine.ticks):
        engine.tick()


def seconds(work: Callable[[], None], rounds: int = ROUNDS) -> float:
    """Processor time of the fastest round: other work on the machine counts little."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def peak(work: Callable[[], None]) -> int:
    """Bytes held at most."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def speeds() -> None:
    """Block updates per second, by chain."""
    for chain in CHAINS:
        steps = 3000
        graph = spec(chain, steps=steps)
        taken = seconds(lambda graph=graph: run(graph))
        print(f"{chain}: {3 * REPLICAS * steps / taken / 1e6:.2f} million block updates a second")


def growth() -> None:
    """Time against steps; memory against steps and queues."""
    chain = next(iter(CHAINS))
    for steps in (1000, 2000, 4000):
        graph = spec(chain, steps=steps, every=steps)
        taken = seconds(lambda graph=graph: run(graph), 3)
        print(f"{steps} steps: {taken:.3f} s, at most {peak(lambda g=graph: run(g)) / 1e3:.0f} kB")
    for factor in (1, 10, 100):
        p, m = (factor, factor, 0), (4 * factor, 2 * factor, 0)
        graph = spec(chain, steps=1000, p=p, m=m, every=1000)
        most = peak(lambda graph=graph: run(graph)) / 1e3
        print(f"{Queues(p, m)}: at most {most:.0f} kB")


def stragglers() -> None:
    """The straggler table, and how long it takes."""
    lengths = lengths_of(Queues((1, 1, 0), (4, 2, 0)), 3)
    began = time.process_time()
    found = straggler_table(lengths, 3, 1 / 3, (0.2, 0.5, 1.0, 1.5), 0, 0.99)
    print(f"straggler table in {time.process_time() - began:.2f} s, per cent longer:")
    print("  waits for the slowest:", ", ".join(text_of(x, 4) for x in found.waiting))
    for name, row in found.rows.items():
        print(f"  {name}:", ", ".join(text_of(metric.mean, 4) for metric in row))
    print("  never waits:", ", ".join(text_of(x, 4) for x in found.free))


def figures() -> None:
    """docs/images/staleness-*.png."""
    chain = list(CHAINS)[1]
    noise = "{kind: gaussian, std: 1/4}"
    graph = spec(chain, steps=5000, every=1, step="1/300", noise=noise)
    answers = {"rate": THEORY.rate(graph), "simulate": THEORY.simulate(graph, Options())}
    with tempfile.TemporaryDirectory() as folder, plots.style():
        for drawn in THEORY.figures(graph, answers, Path(folder)):
            shutil.copy(Path(folder) / f"{drawn.stem}.png", IMAGES / f"{drawn.stem}.png")
            print(f"wrote docs/images/{drawn.stem}.png")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", action="store_true", help="write docs/images/staleness-*.png")
    options = parser.parse_args()
    with np.errstate(over="ignore", invalid="ignore"):
        speeds()
        growth()
        stragglers()
    if options.figures:
        figures()


if __name__ == "__main__":
    main()
