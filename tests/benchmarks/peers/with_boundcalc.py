"""boundcalc's engines, timed without what a simulation measures besides.

Loss and gradient norm are recorded at the first and the last step only, as the peers record
nothing.
"""

from __future__ import annotations

from dataclasses import replace

import boundcalc as bc
from boundcalc.simulate.engines import choose
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.run import run_settings
from boundcalc.simulate.settings import Problem as Asked
from boundcalc.simulate.train import train
from peers.problem import Array, Problem, Run


def prepare_numpy(problem: Problem, threads: int) -> Run:
    return _prepared(problem, threads, "numpy")


def prepare_compiled(problem: Problem, threads: int) -> Run:
    return _prepared(problem, threads, "compiled")


def prepare_recording(problem: Problem, threads: int) -> Run:
    """Compiled, with exact loss and gradient norm at every step."""
    return _prepared(problem, threads, "compiled", every=1)


def _prepared(problem: Problem, threads: int, engine: str, every: int | None = None) -> Run:
    graph = bc.build(bc.loads(problem.spec))
    program = make_program(graph)
    settings = run_settings(graph, program)

    def run(steps: int, seed: int) -> Array:
        chosen = replace(settings, horizon=steps, seed=seed, record_every=every or steps)
        chosen = replace(chosen, snapshot_steps=frozenset(), track_inputs=False)
        asked = Asked(
            program, make_noise(graph), problem.features, problem.labels, problem.start, chosen
        )
        choice = choose(asked, engine, threads)
        return train(
            asked,
            choice.make,
            blocks=choice.blocks,
            threads=choice.threads,
            progress=lambda done: None,
        ).final

    return run
