"""Steps of the simulator and of other tools: pytest tests/benchmarks --benchmark-only.

Nothing here asserts a time.  simulation.py beside this file measures the same and more, in turns,
and writes docs/benchmarks.md.  What is tested without timing is that the comparison is fair: the
tools take the same step, and the check that says so would notice if they did not.
"""

from dataclasses import replace

import numpy as np
import pytest
from peers import reference
from simbench.agreement import SIGMAS, SPREAD, STEPS, TOLERANCE, moment_errors
from simbench.cases import NOISY, QUIET, logistic, network
from simbench.pool import Worker
from simbench.tools import TOOLS

CASES = {"logistic": (logistic(), 20), "network": (network(), 2)}
TIMED = [(kind, name) for kind in CASES for name, tool in TOOLS.items() if kind in tool.kinds]
DRAWS = 4000
NUMPY = ["boundcalc-numpy", "numpy-plain", "numpy-tuned"]


@pytest.mark.benchmark(group="steps with two threads: ")
@pytest.mark.parametrize(("kind", "name"), TIMED)
def test_steps(benchmark, tmp_path, kind, name):
    """In a process of its own, whose libraries use two threads."""
    if not TOOLS[name].installed:
        pytest.skip(f"needs {', '.join(TOOLS[name].needs)}")
    case, steps = CASES[kind]
    benchmark.group += f"{steps} of {case.name}"
    problem = str(case.saved(tmp_path))
    with Worker(name, 2) as worker:
        worker.ask("prepare", problem=problem)
        answer = benchmark.pedantic(
            worker.ask,
            ("run",),
            {"problem": problem, "steps": steps, "seed": 1},
            rounds=5,
            warmup_rounds=1,
        )
    assert answer["finite"]


@pytest.mark.parametrize("case", QUIET, ids=lambda case: case.kind)
@pytest.mark.parametrize("name", NUMPY)
def test_the_same_step_without_noise(case, name):
    problem = case.problem()
    final = TOOLS[name].prepare(problem, 2)(STEPS, 7)
    assert np.abs(final - reference.run(problem, STEPS)).max() <= TOLERANCE
    assert np.abs(final - problem.start).max() > 1e-3


@pytest.fixture(scope="module", params=NOISY, ids=lambda case: case.kind)
def noisy(request):
    """A case, with fewer replicas if it is slow, and the moments of its gradient."""
    case = replace(request.param, replicas=3000 if request.param.kind == "logistic" else 1000)
    return case, case.problem(), reference.drift(case.problem(), DRAWS, 1)


def errors(noisy, final):
    case, problem, moments = noisy
    return moment_errors(case, problem.start, final, moments, DRAWS)


@pytest.mark.parametrize("name", NUMPY)
def test_the_same_noise(noisy, name):
    found = errors(noisy, TOOLS[name].prepare(noisy[1], 2)(STEPS, 7))
    assert found["mean"] <= SIGMAS
    assert found["variance"] <= 2 * SPREAD  # a quarter of the replicas


def averages(noisy):
    """Independent noisy gradients at the start, averaged over the steps, one a replica."""
    _, problem, _ = noisy
    draw = reference.noisy_logistic if problem.logistic else reference.noisy_network
    rng = np.random.default_rng(3)
    return lambda count: np.array(
        [
            np.mean([draw(problem, problem.start[0], rng) for _ in range(count)], axis=0)
            for _ in range(len(problem.start))
        ]
    )


@pytest.mark.parametrize("fault", ["none", "no noise", "one draw for all steps", "smaller noise"])
def test_the_check_notices_other_noise(noisy, fault):
    case, problem, _ = noisy
    count = 1 if fault == "one draw for all steps" else STEPS
    gradients = averages(noisy)(count)
    if fault == "no noise":
        quiet = replace(problem, numbers=replace(problem.numbers, forward=0.0, backward=0.0))
        draw = reference.noisy_logistic if problem.logistic else reference.noisy_network
        gradients[:] = draw(quiet, problem.start[0], np.random.default_rng(0))
    if fault == "smaller noise":
        mean = gradients.mean(axis=0)
        gradients = mean + 0.8 * (gradients - mean)
    found = errors(noisy, problem.start - case.step_size * STEPS * gradients)
    right = found["mean"] <= SIGMAS and found["variance"] <= 2 * SPREAD
    assert right == (fault == "none")
