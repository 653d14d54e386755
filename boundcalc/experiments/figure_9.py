"""Figure 9 and appendix A.3: gradient descent through a Top-1 compressor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, final

from boundcalc.errata.top_one import (
    BESIDE,
    MOMENTUM,
    ON_EIGENVECTOR,
    PLAIN,
    SLOW,
    Method,
    Point,
    momentum_case,
    plain_descent,
)
from boundcalc.experiments import drawing
from boundcalc.experiments.base import Experiment, Results, Sweep
from boundcalc.experiments.findings import Finding, Status, inside
from boundcalc.experiments.settings import Setting, pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Spec → method in exact fractions, title.
_CASES = {
    "figure-9": (PLAIN, r"SGD, $\gamma=1/10$ (printed)"),
    "figure-9-slow": (SLOW, r"SGD, $\gamma=1/500$"),
    "figure-9-momentum": (MOMENTUM, r"heavy ball, $\gamma=1/20$, $\beta=0.9$"),
}
_STARTS = {
    1.0: (ON_EIGENVECTOR, "(1, 1)", "$(1, 1)$"),
    1.000000001: (BESIDE, "(1, 1 + 10⁻⁹)", "$(1, 1+10^{-9})$"),
}
_AGREES = 1e-5  # relative deviation of float64 from the fractions that is put down to rounding
_NOTHING = 1e-10  # of the gradient norm at the start: below it a run is at 0, up to rounding


@final
class Figure9(Experiment):
    """½‖Aw‖² on ℝ²: the gradient AᵀAw, with Top-1 or without.

    The paper compresses the gradient, not a pass.  A chain can say so: with y = w as first
    operator, what the objective passes back is the gradient, and a Top-1 transform of that
    edge is the compressor.  The run is deterministic, and is held against exact fractions.

    Erratum E10: at the printed step size 1/10 gradient descent is unstable, for AᵀA has the
    eigenvalue 490 > 2/γ; the start (s, s) is an eigenvector of the other eigenvalue, 10, and
    lands on 0 in one step.  What Top-1 spoils there is a coincidence.  With γ = 1/500 both
    converge.  The momentum case is sound.
    """

    name: ClassVar[str] = "figure-9"
    title: ClassVar[str] = "Top-1 compressor: SGD and momentum (appendix A.3)"
    paper: ClassVar[str] = (
        "Without compression SGD and momentum converge; with a Top-1 compressor both fail."
    )
    sweeps: ClassVar[tuple[Sweep, ...]] = tuple(Sweep(spec, shortened=False) for spec in _CASES)

    def draw(self, results: Results) -> Figure:
        """A panel for each method: gradient norm against the step."""
        figure, (panels,) = drawing.page(1, 3, 3.6)
        for panel, (spec, (_, title)) in zip(panels, _CASES.items(), strict=True):
            _curves(panel, results[spec])
            panel.set_title(title, fontsize=10)
            panel.set_xlabel("step")
        panels[0].set_ylabel(r"$\Vert\nabla\ell(w)\Vert$")
        drawing.plain_legend(figure, panels, columns=2)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """Agreement with exact fractions, what the paper claims, and E10."""
        found = [_agreement(results)]
        found += _claims(results)
        for check in (*plain_descent()[0], *momentum_case()[0]):
            status: Status = "holds" if check.holds else "does not hold"
            found.append(Finding(f"E10: {check.statement}", status, "in exact fractions"))
        return found


def _curves(panel: Axes, settings: Sequence[Setting]) -> None:
    for look, (start, k) in zip(
        drawing.LOOKS, ((s, k) for k in (2.0, 1.0) for s in _STARTS), strict=False
    ):
        label = f"{'Top-1' if k == 1.0 else 'no compression'}, from {_STARTS[start][2]}"
        for setting in _of(settings, start, k):
            positive = setting.ewma > 0
            steps, norms = setting.steps[positive], setting.ewma[positive]
            # The second start is drawn thin over the first: the curves often coincide.
            first = start == min(_STARTS)
            line: dict[str, Any] = {
                "color": look.colour,
                "linewidth": 2.4 if first else 1.0,
                "label": label,
            }
            mark: dict[str, Any] = {"marker": look.marker, "markersize": 6.0 if first else 3.0}
            panel.plot(steps, norms, markevery=max(1, len(steps) // 6), **line, **mark)
            if len(steps) == 1:
                panel.annotate("then 0", (steps[0], norms[0]), (7, 2),
                               textcoords="offset points", fontsize=8)  # fmt: skip
    panel.set_yscale("log")


def _of(settings: Sequence[Setting], start: float, k: float) -> list[Setting]:
    chosen = pick(settings, k=k)
    return [s for s in chosen if abs(_second(s) - start) < 1e-12]


def _second(setting: Setting) -> float:
    """The second weight of the start."""
    text = str(setting.values["initial_weights"])
    return float(Fraction(text.strip("[] ").split(",")[1].strip(" \"'")))


def exact_norms(method: Method, start: Point, steps: int, *, compressed: bool) -> list[float]:
    """‖∇ℓ(w_t)‖ for t = 0 .. steps − 1, from exact fractions.

    >>> exact_norms(PLAIN, ON_EIGENVECTOR, 2, compressed=False)
    [14.142135623730951, 0.0]
    """
    path = method.iterate(start, steps - 1, compressed=compressed)
    squares = [sum(g * g for g in method.gradient(w)) for w in path]
    # The root of the fraction's nearest float: 1 ulp off at most, and it does not overflow here.
    return [math.sqrt(float(square)) for square in squares]


def _agreement(results: Results) -> Finding:
    """The simulated gradient norms are those of the exact iterates."""
    worst, count = 0.0, 0
    for spec, (method, _) in _CASES.items():
        for start, (point, _, _) in _STARTS.items():
            for k in (1.0, 2.0):
                for setting in _of(results[spec], start, k):
                    worst = max(worst, _deviation(setting, method, point, compressed=k == 1.0))
                    count += 1
    status = inside(worst, worst, 0.0, _AGREES) if count else "undetermined"
    return Finding(
        "the simulated runs are those of exact fractions",
        status,
        f"{count} runs; the largest relative deviation of a gradient norm is {worst:.1e}",
        {"largest_deviation": worst},
    )


def _deviation(setting: Setting, method: Method, start: Point, *, compressed: bool) -> float:
    exact = exact_norms(method, start, int(setting.steps[-1]) + 1, compressed=compressed)
    pairs = ((exact[t], float(norm)) for t, norm in zip(setting.steps, setting.ewma, strict=True))
    return max((abs(a - b) / max(a, _NOTHING * exact[0]) for a, b in pairs), default=math.inf)


def _claims(results: Results) -> Iterator[Finding]:
    """Converged or not, by method, start and compressor."""
    for spec, (_, title) in _CASES.items():
        words = title.replace("$", "").replace(r"\gamma", "γ").replace(r"\beta", "β")
        for k, what in ((2.0, "without compression"), (1.0, "with Top-1")):
            for start, (_, text, _) in _STARTS.items():
                for setting in _of(results[spec], start, k):
                    first, last = float(setting.ewma[0]), float(setting.ewma[-1])
                    low, high = (1.0, math.inf) if k == 1.0 else (0.0, 1e-3)
                    status = inside(last / first, last / first, low, high)
                    verb = "fails" if k == 1.0 else "converges"
                    claim = f"{words}, {what}, from {text}: it {verb}"
                    yield Finding(claim, status, f"gradient norm {first:.3g} → {last:.3g}")
