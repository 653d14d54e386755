"""Appendix A.2: a constant forward perturbation moves the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from boundcalc.experiments import drawing
from boundcalc.experiments.base import Experiment, Results
from boundcalc.experiments.findings import Finding, all_of, inside
from boundcalc.experiments.floors import floor
from boundcalc.experiments.running import spec_file
from boundcalc.experiments.settings import CONFIDENCE
from boundcalc.graph import build
from boundcalc.operators.base import Array
from boundcalc.simulate import simulate
from boundcalc.simulate.statistics import mean_interval
from boundcalc.spec.loading import load

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = ("1/50", "1/10", "2/5", "3/5", "9/10")
_DELTA, _START, _HORIZON = Fraction(1, 4), Fraction(1), 200


def closed_form(step: Fraction, delta: Fraction, start: Fraction, t: int) -> Fraction:
    """E w_t = −δ + (1 − 2γ)^t (w_0 + δ).

    x² at x̃ = x + δ has the gradient 2(w + δ), so w ← w − 2γ(w + δ) − γξ, and w + δ is
    multiplied by 1 − 2γ in each step, up to noise of mean zero.  The limit is −δ if and only
    if |1 − 2γ| < 1, that is 0 < γ < 1; for γ < 1/2 without changing sides.  Exact.

    >>> closed_form(Fraction(1, 2), Fraction(1, 4), Fraction(1), 1)
    Fraction(-1, 4)
    """
    return -delta + (1 - 2 * step) ** t * (start + delta)


@dataclass(frozen=True)
class Path:
    """A run at one step size.

    Attributes
    ----------
    step
        γ.
    norms
        Mean over replicas of |∇f| = 2|w_t| for t = 0 .. T.
    lo, hi
        Interval for E w_T.
    exact
        E w_T.
    bias
        The sharp floor's part that does not shrink with γ; None where γ is above the limit.
    """

    step: float
    norms: Array
    lo: float
    hi: float
    exact: float
    bias: float | None


@lru_cache(maxsize=1)
def paths() -> tuple[Path, ...]:
    """The runs at all step sizes; deterministic, so that they are made once."""
    return tuple(_path(step) for step in _STEPS)


def _path(step: str) -> Path:
    from boundcalc.sweeps import override

    graph = build(override(load(spec_file("appendix-a2")), {"symbols.gamma": step}))
    run = simulate(graph, engine="numpy")
    found = mean_interval(run.trajectory.final[:, 0], CONFIDENCE)
    return Path(
        float(Fraction(step)),
        run.trajectory.gradient_norm.mean(axis=1),
        found.lo,
        found.hi,
        float(closed_form(Fraction(step), _DELTA, _START, _HORIZON)),
        floor(graph).bias,
    )


@final
class AppendixA2(Experiment):
    """f = x² with x̃ = x + δ, δ = 1/4: the limit is −δ, the gradient norm there 2δ.

    The sharp bias is b·A·m = 1·2·δ: it is attained.  [KZY] states the limit for
    γ < 1/2; it holds for every γ < 1.
    """

    name: ClassVar[str] = "appendix-a2"
    title: ClassVar[str] = "A constant forward perturbation moves the limit"
    paper: ClassVar[str] = "For f = x² and a constant δ the limit is −δ for every γ below 1/2."

    def draw(self, results: Results) -> Figure:
        """|∇f| against the step for every γ, the closed form dotted, and 2δ."""
        del results
        figure, ((panel,),) = drawing.page(1, 1, 3.2)
        for look, path in zip(drawing.LOOKS, paths(), strict=False):
            steps = np.arange(len(path.norms)) + 1
            panel.plot(steps, path.norms, color=look.colour, marker=look.marker, markersize=3.5,
                       markevery=0.12, label=rf"$\gamma={path.step:g}$")  # fmt: skip
            mean = [
                float(closed_form(Fraction(path.step).limit_denominator(1000), _DELTA, _START, t))
                for t in range(_HORIZON + 1)
            ]
            panel.plot(steps, 2 * np.abs(mean), color=look.colour, **drawing.PREDICTED)
        panel.axhline(
            2 * float(_DELTA), color="#444444", label=r"sharp bias $2\delta$", **drawing.FLOOR
        )
        panel.set_xscale("log")
        panel.set_xlabel("step + 1")
        panel.set_ylabel(r"$|\nabla f|$, mean over replicas")
        drawing.plain_legend(figure, [panel], columns=6)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """The closed form is in the interval of the mean final weight; the bias is attained."""
        del results
        return judged(paths())


def judged(found: Sequence[Path]) -> list[Finding]:
    """Simulation against closed form, and the sharp bias against 2δ."""
    held = all_of(inside(p.exact, p.exact, p.lo, p.hi) for p in found)
    ends = "; ".join(f"γ = {p.step:g}: [{p.lo:.5f}, {p.hi:.5f}]" for p in found)
    bias = 2 * float(_DELTA)
    bounds = [p.bias for p in found if p.bias is not None]
    tight = all_of(inside(b / bias, b / bias, 1 - 1e-9, 1 + 1e-9) for b in bounds)
    return [
        Finding("the interval of the mean final weight holds the closed form", held, ends),
        Finding(
            "the sharp bias is attained: it is 2δ, where the step size is below its limit",
            tight,
            f"{len(bounds)} of {len(found)} step sizes are below 1/L = 1/2",
        ),
    ]
