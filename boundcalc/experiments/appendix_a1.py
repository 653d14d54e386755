"""Appendix A.1: zero-mean forward noise biases the gradient of a sigmoid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from boundcalc.experiments import drawing
from boundcalc.experiments.base import Experiment, Results
from boundcalc.experiments.findings import Finding, all_of, at_most, inside
from boundcalc.experiments.running import spec_file
from boundcalc.graph import build
from boundcalc.simulate import simulate
from boundcalc.spec.loading import load
from boundcalc.theories.perturbed.families import FAMILIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTHS = ("1/4", "1/2", "1", "2", "4")
_ROUNDING = 1e-9  # relative, of ‖·‖² from float64 passes


def two_point(a: float) -> float:
    """E s′(0 + δ) for δ = ±a by a fair coin: s′(a) = 1/(2 + 2 cosh a).

    s(t) = 1/(1 + e^(−t)) has s′(t) = 1/((1 + e^(−t))(1 + e^t)) = 1/(2 + e^t + e^(−t)), which is
    even; so both values of δ give the same, and there is nothing to average.  cosh a > 1 for
    a ≠ 0, so that it is below s′(0) = 1/4: the bias is s′(a) − 1/4 = −¼ tanh²(a/2), for
    s′(a) = ¼ sech²(a/2).  Exact.

    >>> two_point(0.0), abs(two_point(1.0) - 0.25 + math.tanh(0.5) ** 2 / 4) < 1e-15
    (0.25, True)
    """
    return 1.0 / (2.0 + 2.0 * math.cosh(a))


def uniform(a: float) -> float:
    """E s′(0 + δ) for δ ~ U(−a, a): (s(a) − s(−a))/(2a) = tanh(a/2)/(2a).

    The mean of a derivative over an interval is a difference quotient, and s(−a) = 1 − s(a),
    2s(a) − 1 = tanh(a/2).  Exact.

    >>> round(uniform(1e-6), 12)
    0.25
    """
    return math.tanh(a / 2.0) / (2.0 * a)


_LAWS = {
    "two_point": ("δ = ±a", two_point),
    "uniform": ("δ ~ U(−a, a)", uniform),
}


@dataclass(frozen=True)
class Sample:
    """Squared bias at one a: simulated with its interval, in closed form, and bounded."""

    law: str
    a: float
    lo: float
    hi: float
    exact: float
    bound: float


@lru_cache(maxsize=1)
def samples() -> tuple[Sample, ...]:
    """All laws at all a; deterministic, so that it is run once."""
    return tuple(_sample(law, a) for law in _LAWS for a in _WIDTHS)


def _sample(law: str, a: str) -> Sample:
    from boundcalc.sweeps import override

    key = "magnitude" if law == "two_point" else "half_width"
    perturbation = {"at": "point", "pass": "forward", "model": law, key: a}
    graph = build(override(load(spec_file("appendix-a1")), {"perturbations[0]": perturbation}))
    check = simulate(graph, engine="numpy").checks[0]
    bias = FAMILIES["sharp"].best_bounds(graph).bias
    assert bias is not None  # noqa: S101 - sharp has one
    half = _ROUNDING * check.scale
    exact = (_LAWS[law][1](eval_fraction(a)) - 0.25) ** 2
    return Sample(
        law,
        eval_fraction(a),
        float(check.bias_lo[0]) - half,
        float(check.bias_hi[0]) + half,
        exact,
        float(bias),
    )


def eval_fraction(text: str) -> float:
    """A fraction's text as a float.

    >>> eval_fraction("1/4")
    0.25
    """
    return float(Fraction(text))


@final
class AppendixA1(Experiment):
    """f = s(w + δ) at w = 0: E ∇f = E s′(δ) < s′(0), although E δ = 0."""

    name: ClassVar[str] = "appendix-a1"
    title: ClassVar[str] = "Zero-mean forward noise is biased: the sigmoid"
    paper: ClassVar[str] = (
        "At y = 0 with ỹ = ±a the mean derivative of the sigmoid is f′(a), below f′(0) = 1/4."
    )

    def draw(self, results: Results) -> Figure:
        """Bias against a: closed forms, simulation, sharp bound."""
        del results
        figure, ((panel,),) = drawing.page(1, 1, 3.2)
        grid = np.geomspace(0.2, 5.0, 80)
        for look, (law, (label, closed)) in zip(drawing.LOOKS[1:], _LAWS.items(), strict=False):
            chosen = [s for s in samples() if s.law == law]
            x = [s.a for s in chosen]
            panel.plot(grid, [0.25 - closed(a) for a in grid], color=look.colour,
                       label=f"{label}, closed form")  # fmt: skip
            # Of a squared bias, whose interval is symmetric.
            middle = [math.sqrt(max(s.lo + s.hi, 0.0) / 2) for s in chosen]
            panel.plot(x, middle, look.marker, color=look.colour, label=f"{label}, simulated")
            bounds = [math.sqrt(s.bound) for s in chosen]
            panel.plot(x, bounds, color=look.colour, label=f"{label}, sharp bound", **drawing.FLOOR)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xticks([s.a for s in chosen], [f"{s.a:g}" for s in chosen])
        panel.set_xticks([], minor=True)
        panel.set_xlabel("a")
        panel.set_ylabel(r"$|\mathrm{E}\,f'(\tilde y)-f'(0)|$")
        drawing.plain_legend(figure, [panel], columns=3)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """The interval holds the closed form, which is below the sharp bound."""
        del results
        return [*judged(samples())]


def judged(found: Sequence[Sample]) -> list[Finding]:
    """By law: simulation against closed form, closed form against bound."""
    listed = []
    for law, (label, _) in _LAWS.items():
        chosen = [s for s in found if s.law == law]
        held = all_of(inside(s.exact, s.exact, s.lo, s.hi) for s in chosen)
        gaps = ", ".join(f"{math.sqrt(s.exact):.4f}" for s in chosen)
        listed.append(
            Finding(
                f"{label}: the interval of the simulated squared bias holds the closed form",
                held,
                f"bias {gaps} at a = {', '.join(f'{s.a:g}' for s in chosen)}",
            )
        )
        below = all_of(at_most(s.exact, s.exact, s.bound * (1 + 1e-12)) for s in chosen)
        ratios = [math.sqrt(s.bound / s.exact) for s in chosen if s.exact]
        evidence = f"the bound is {min(ratios):.2f} to {max(ratios):.2f} times the bias"
        listed.append(Finding(f"{label}: the bias is below the sharp bound", below, evidence))
    return listed
