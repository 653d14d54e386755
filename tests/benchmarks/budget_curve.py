"""Budgets held against simulations: the figure and the table of docs/budgets.md.

``python tests/benchmarks/budget_curve.py`` takes three shipped specs, computes the largest
common factor of their perturbations for a tolerance of ten percent, and simulates each at a
range of factors, that one included: a few minutes on one core.  Every replica of every seed has
to stay under the target at the budget.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import boundcalc as bc
from boundcalc.budgets.magnitude import magnitudes
from boundcalc.budgets.question import Question, question
from boundcalc.budgets.rebuilt import rebuilt
from boundcalc.resources import example
from boundcalc.spec.budget import BudgetSection
from boundcalc.spec.loading import with_values

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/budgets.md"
PICTURE = ROOT / "docs/images/budget-curve.png"
BEGIN, END = "<!-- budget curve: begin -->", "<!-- budget curve: end -->"

#: Spec → the symbols that scale all its perturbations, regime, and metric.
CASES = {
    "logistic-nonconvex": (("sigma_f", "sigma_b"), "nonconvex", "mean_squared_gradient"),
    "logistic-strongly-convex": (("sigma_f", "sigma_b"), "pl", "final_gap"),
    "lqc": (("noise",), "pl", "final_gap"),
}
SEEDS = (0, 1, 2)
FACTORS = (0.25, 1, 4, 16, 64, 256)


@dataclass(frozen=True)
class Point:
    """A factor of the budget: the bound there, and the metric of every seed's replicas."""

    factor: float
    bound: float
    means: tuple[float, ...]
    highest: float


def scaled(asked: Question, symbols: tuple[str, ...], factor: Fraction) -> bc.Spec:
    """The spec with its perturbations times a factor."""
    spec = asked.graph.spec
    return with_values(spec, {name: f"({spec.symbols[name]})*{factor}" for name in symbols})


def run(name: str, tolerance: str = "1/10") -> tuple[Question, Fraction, list[Point]]:
    """Budget and simulations of one spec."""
    symbols, regime, metric = CASES[name]
    spec = bc.load(example(name))
    section = BudgetSection(tolerance=tolerance, regime=regime)
    asked = question(bc.build(spec.model_copy(update={"budget": section})))
    scale = rebuilt(asked, magnitudes(asked)).scale
    assert scale is not None
    points = []
    for factor in FACTORS:
        chosen = scaled(asked, symbols, Fraction(scale.value) * Fraction(factor))
        bound = float(asked.bound(bc.build(chosen)))
        runs = [simulated(chosen, seed, metric) for seed in SEEDS]
        points.append(
            Point(
                factor,
                bound,
                tuple(float(x.mean()) for x in runs),
                max(float(x.max()) for x in runs),
            )
        )
    return asked, Fraction(scale.value), points


def simulated(spec: bc.Spec, seed: int, metric: str) -> np.ndarray:
    """The metric of every replica."""
    assert spec.simulation is not None
    section = spec.simulation.model_copy(update={"seed": seed})
    found = bc.simulate(spec.model_copy(update={"simulation": section}))
    if metric == "final_gap":
        assert found.optimum is not None
        return found.trajectory.loss[-1] - found.optimum.value
    return np.mean(found.trajectory.gradient_norm[:-1] ** 2, axis=0)


def draw(found: dict[str, tuple[Question, Fraction, list[Point]]]) -> None:
    """Metric and bound against the factor."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, (asked, _, points)) in zip(
        figure.subplots(1, len(found)), found.items(), strict=True
    ):
        x = [point.factor for point in points]
        axes.plot(x, [point.bound for point in points], "-", color="#0072B2", label="sharp bound")
        for k in range(len(SEEDS)):
            label = "simulated, one line a seed" if k == 0 else None
            axes.plot(x, [p.means[k] for p in points], "o-", ms=3, color="black", lw=1, label=label)
        axes.axhline(float(asked.target), color="#D55E00", ls="--", lw=1, label="target")
        axes.axvline(1, color="0.6", lw=0.8)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("size of the perturbations / budget")
        metric = "E[ℓ(w^T) − ℓ*]" if asked.regime == "pl" else "average E‖∇ℓ‖²"
        axes.set_ylabel(metric)
        axes.set_title(name, loc="left", fontsize=10)
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(PICTURE, dpi=150)


def table(found: dict[str, tuple[Question, Fraction, list[Point]]]) -> str:
    """Markdown."""
    lines = [
        "| spec | unperturbed bound | target | budget: factor | bound there | "
        "highest of all replicas there | highest at 256 times the budget |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (asked, scale, points) in found.items():
        at = next(point for point in points if point.factor == 1)
        lines.append(
            f"| `{name}` | {asked.baseline} | {asked.target} | {float(scale):.6g} | "
            f"{at.bound:.6g} | {at.highest:.4g} | {points[-1].highest:.4g} |"
        )
    today = datetime.datetime.now(tz=datetime.UTC).date()
    lines += ["", f"Seeds {', '.join(map(str, SEEDS))}, measured on {today}."]
    return "\n".join(lines)


def main() -> None:
    """Run, check, draw, write."""
    found = {name: run(name) for name in CASES}
    for name, (asked, _, points) in found.items():
        for point in points:
            print(name, point)
        at = next(point for point in points if point.factor == 1)
        assert at.highest <= float(asked.target), name
        assert points[-1].highest > at.highest, name
    draw(found)
    text = PAGE.read_text(encoding="utf-8")
    block = f"{BEGIN}\n{table(found)}\n{END}"
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    PAGE.write_text(re.sub(pattern, lambda _: block, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
