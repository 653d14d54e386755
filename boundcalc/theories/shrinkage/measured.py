"""What a run says about the quantities that the statements bound."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from boundcalc.arithmetic import Number
from boundcalc.operators.base import Array
from boundcalc.report.cells import Content, Maths
from boundcalc.simulate.batch_means import stationary_interval
from boundcalc.simulate.statistics import Metric, mean_interval, t_quantile
from boundcalc.theories.base import Options
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.shrinkage import descent
from boundcalc.theories.shrinkage.run import ShrunkRun, shrunk_run
from boundcalc.theories.shrinkage.setting import Case

MEANINGS: dict[str, Content] = {
    "gradient_average": ("average of ", Maths(r"\lVert\nabla\ell\rVert^2"), " over the steps"),
    "gradient_weighted": (
        "average of ",
        Maths(r"\lVert\nabla\ell\rVert^2"),
        " with the weights of the statement",
    ),
    "gradient_q_weighted": (
        "average of ",
        Maths(r"\lVert\nabla\ell\rVert^2"),
        " with the weights ",
        Maths("q_k"),
    ),
    "gradient_sharp": (
        "average of ",
        Maths(r"\lVert\nabla\ell\rVert^2"),
        " with the weights ",
        Maths("a_k(2-La_k)"),
    ),
    "final_gap": ("gap ", Maths(r"\ell(w_K)-\ell^{\ast}")),
    "floor": "average gap over the second half of the run",
}


@dataclass(frozen=True)
class More:
    """What verdicts and figures need besides the metrics.

    Attributes
    ----------
    run
        The trajectory and what was done to gradients.
    lowest
        What was taken for ℓ*.
    settled
        Whether the start is forgotten in the second half, so that it shows the floor.
    """

    run: ShrunkRun
    lowest: float
    settled: bool


def measured(case: Case, options: Options) -> TheoryRun:
    """Run a case and measure."""
    began = time.perf_counter()
    section = case.graph.spec.simulation
    run = shrunk_run(case, options)
    assert section is not None  # noqa: S101 - the run has looked
    confidence = section.confidence
    lowest = _lowest(case, run)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = run.trajectory.gradient_norm[:-1] ** 2
        gap = run.trajectory.loss - lowest
        metrics = averages(case, run, squares, confidence)
        metrics["final_gap"] = mean_interval(gap[-1], confidence)
        metrics["floor"] = stationary_interval(gap[len(gap) // 2 :], confidence)
    every = section.record.every
    at = np.arange(0, case.horizon + 1, every)
    if at[-1] != case.horizon:
        at = np.append(at, case.horizon)
    return TheoryRun(
        metrics=metrics,
        seed=section.seed,
        replicas=section.replicas,
        steps=case.horizon,
        seconds=time.perf_counter() - began,
        confidence=confidence,
        meanings={key: MEANINGS[key] for key in metrics},
        at=at.astype(np.float64),
        series={"gap": gap[at], "gradient_norm": run.trajectory.gradient_norm[at]},
        more=More(run, lowest, settled(case)),
    )


def averages(case: Case, run: ShrunkRun, squares: Array, confidence: float) -> dict[str, Metric]:
    """Averages of ‖∇ℓ‖² over the steps with the weights of the statements."""
    how = run.shrinking
    found = {"gradient_average": mean_interval(squares.mean(axis=0), confidence)}
    if case.own.steps.type != "constant":
        found["gradient_weighted"] = _weighted(squares, how.steps, confidence)
    elif case.kind == "past":
        found["gradient_q_weighted"] = _ratio(squares, how.met, confidence)
    elif case.kind != "constant" and how.factors is not None:
        a = how.steps if how.compensated else how.steps * how.factors
        sharp = a * (2 - float(_smoothness(case)) * a)
        found["gradient_weighted"] = _weighted(squares, a, confidence)
        found["gradient_q_weighted"] = _weighted(squares, how.factors, confidence)
        if (sharp > 0).all():
            found["gradient_sharp"] = _weighted(squares, sharp, confidence)
    return found


def _weighted(squares: Array, weights: Array, confidence: float) -> Metric:
    return mean_interval(weights @ squares / weights.sum(), confidence)


def _ratio(squares: Array, weights: Array, confidence: float) -> Metric:
    """E Σ q‖∇ℓ‖² / E Σ q with random weights: the linearised ratio (delta method)."""
    top, bottom = (weights * squares).mean(axis=0), weights.mean(axis=0)
    value = float(top.mean() / bottom.mean())
    if not np.isfinite(value):
        return Metric(value, -np.inf, np.inf, degrees=len(top) - 1)
    spread = np.std((top - value * bottom) / bottom.mean(), ddof=1)
    half = t_quantile(len(top) - 1, confidence) * float(spread / np.sqrt(len(top)))
    return Metric(value, value - half, value + half, degrees=len(top) - 1)


def _lowest(case: Case, run: ShrunkRun) -> float:
    """ℓ*: a lower bound if the PL inequality holds, else the lowest value that was found."""
    constant = case.number(lambda s: s.m)
    if constant is None:
        return run.optimum.value
    return run.optimum.lower_with_pl(float(constant))


def _smoothness(case: Case) -> Number:
    number = case.number(lambda s: s.L)
    assert number is not None  # noqa: S101 - case_of() has looked
    return number


def settled(case: Case) -> bool:
    """Whether (1 − d)^{K/2} Δ₀ is below a millionth of the exact floor."""
    from boundcalc.theories.shrinkage.rate import exact_floor

    floor = exact_floor(case).floor
    if floor is None or not float(floor) > 0:
        return False

    def left(s: Any) -> Any:
        a = s.step if s.compensated else s.step * s.q[0]
        return (1 - s.m * descent.gain(a, s, "sharp")) ** (case.horizon // 2) * s.gap

    try:
        rest = case.number(left)
    except OverflowError:
        return False
    return rest is not None and float(rest) < 1e-6 * float(floor)
