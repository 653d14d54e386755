"""Pictures: floors against q, terms against q, and of a format q and noise against the scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.arithmetic import Scalar
from boundcalc.operators.base import Array
from boundcalc.perturbations.formats.table import FORMATS, FloatFormat, Format
from boundcalc.report import plots
from boundcalc.report.cells import Maths
from boundcalc.simulate.statistics import Metric
from boundcalc.theories.base import Options
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.shrinkage import descent, pl, quadratic_floor
from boundcalc.theories.shrinkage.formats.laws import tails
from boundcalc.theories.shrinkage.formats.pieces import Rounding, pieces
from boundcalc.theories.shrinkage.formats.projection import projected
from boundcalc.theories.shrinkage.measured import measured, settled
from boundcalc.theories.shrinkage.rate import exact_floor
from boundcalc.theories.shrinkage.setting import Case, Setting
from boundcalc.theories.shrinkage.statements import Shape, statement
from boundcalc.theories.values import Drawn

_BOUND, _EXACT, _OTHER = "#0072B2", "#009E73", "#D55E00"
_TERMS = ("#0072B2", "#CC79A7", "#E69F00", "#009E73")
_FACTORS = [Fraction(k, 40) for k in range(2, 41)]
_SCALES = 61
_SHORT = 600  # steps of a run for one point


def draw(case: Case, run: TheoryRun | None, folder: Path) -> tuple[Drawn, ...]:
    """Every figure that the case allows."""
    found: list[Drawn] = []
    if case.kind == "constant" and case.projection is None:
        found += [*_floors(case, run, folder), *_terms(case, folder)]
    if case.own.format is not None:
        found.append(_format(case, folder))
    if run is not None and run.series:
        found.append(_course(case, run, folder))
    return tuple(found)


def _values(case: Case, factors: list[Fraction], compute: Callable[[Any], Any]) -> Array:
    """A formula at several constant factors; NaN where the theorem does not cover the step."""
    found = []
    for q in factors:
        there = case.replaced(q=q)
        covered = there.holds(descent.step_too_large) is False
        number = there.number(compute) if covered else None
        found.append(np.nan if number is None else float(number))
    return np.array(found)


def _simulated(case: Case) -> list[tuple[float, Metric]]:
    """The floor by short runs at a few factors, where they forget their start."""
    training = case.graph.spec.training
    assert training is not None  # noqa: S101 - case_of() has looked
    shorter = training.model_copy(update={"horizon": min(training.horizon, _SHORT)})
    spec = case.graph.spec.model_copy(update={"training": shorter})
    found = []
    for q in (Fraction(1, 5), Fraction(2, 5), Fraction(3, 5), Fraction(4, 5), Fraction(1)):
        there = replace(case, graph=replace(case.graph, spec=spec)).replaced(q=q)
        if settled(there):
            found.append((float(q), measured(there, Options()).metrics["floor"]))
    return found


def _floors(case: Case, run: TheoryRun | None, folder: Path) -> list[Drawn]:
    """The floor of the PL bound, and the exact one, for several noises."""
    if case.graph.spec.loss.pl is None or case.own.steps.type != "constant":
        return []
    exact = exact_floor(case).floor is not None
    own = case.number(lambda s: s.kind.sqrt(s.noise))
    size = Fraction(float(own or 0)) or Fraction(1, 2)
    figure, (panel,) = plots.panels(1, 3.4)
    q = np.array([float(x) for x in _FACTORS])
    for noise, style, width in ((Fraction(0), ":", 1.2), (size, "-", 1.8), (2 * size, "--", 1.2)):
        there = case.replaced(noise=noise)
        name = f"$\\sigma_e={float(noise):.3g}$"
        panel.plot(
            q,
            _values(there, _FACTORS, pl.floor),
            style,
            color=_BOUND,
            lw=width,
            label=f"bound, {name}",
        )
        if exact:
            panel.plot(
                q,
                _values(there, _FACTORS, quadratic_floor.exact_floor),
                style,
                color=_EXACT,
                lw=width,
                label=f"exact, {name}",
            )
    if run is not None and exact:
        points = _simulated(case)
        means = np.array([metric.mean for _, metric in points])
        ends = np.array([[metric.lo, metric.hi] for _, metric in points]).reshape(-1, 2)
        panel.errorbar(
            [q for q, _ in points],
            means,
            yerr=np.abs(ends.T - means),
            fmt="o",
            capsize=3,
            color=plots.OBSERVED,
            label="simulation",
        )
    panel.set_yscale("log")
    panel.set_xlabel("factor $q$")
    panel.set_ylabel(r"floor of $\mathbb{E}[\ell-\ell^{\ast}]$")
    panel.set_xlim(0, 1.02)
    plots.add_legend(figure, [panel], columns=3)
    plots.save(figure, folder / "shrinkage-floor")
    return [
        Drawn(
            "shrinkage-floor",
            "Convergence",
            (
                "Floors against the factor ",
                Maths("q"),
                " at the step as it is, without and with "
                "quantisation noise. Without it shrinkage lowers the floor.",
            ),
            "Curves of the floor of the bound and of the exact floor against the factor q, for "
            "three sizes of quantisation noise.",
        )
    ]


def _terms(case: Case, folder: Path) -> list[Drawn]:
    """The terms of the nonconvex bound, at the step as it is and at the step over q."""
    figure, axes = plots.panels(2, 3.2)
    q = np.array([float(x) for x in _FACTORS])
    names = ["optimisation", "sampling", "quantization", *(["bias"] if case.levels.bounds else [])]
    shown: list[float] = []
    for panel, compensated in zip(axes, (False, True), strict=True):
        there = replace(case, compensated=compensated)
        total = np.zeros(len(q))
        for colour, name in zip(_TERMS, names, strict=False):
            values = _values(there, _FACTORS, _term(name))
            total = total + values
            if np.nanmax(values, initial=0.0) > 0:
                panel.semilogy(q, values, color=colour, label=name)
        panel.semilogy(q, total, color="black", lw=2.0, label="bound")
        panel.set_xlabel("factor $q$")
        panel.set_title(r"step $\mu/q$" if compensated else r"step $\mu$")
        panel.set_xlim(0, 1.02)
        shown += [float(x) for x in total if np.isfinite(x) and x > 0]
    if shown:
        for panel in axes:
            panel.set_ylim(min(shown) / 30, max(shown) * 2)
    axes[0].set_ylabel("nonconvex bound and its terms")
    plots.add_legend(figure, axes, columns=5)
    plots.save(figure, folder / "shrinkage-terms")
    return [
        Drawn(
            "shrinkage-terms",
            "Convergence",
            (
                "The terms of the nonconvex bound against ",
                Maths("q"),
                ": a shortened step descends more slowly; dividing the step by ",
                Maths("q"),
                " restores the rate and enlarges the noise.",
            ),
            "Two panels with the terms of the nonconvex bound against q, at the step as it is and "
            "at the step divided by q.",
        )
    ]


def _term(name: str) -> Callable[[Setting], Scalar]:
    return lambda s: descent.sums(s).terms(s)[name]


def _format(case: Case, folder: Path) -> Drawn:
    """q and the noise relative to the gradient against the scale of the gradient."""
    section, own = case.own.format, case.projection
    assert section is not None  # noqa: S101 - the caller has looked
    assert own is not None  # noqa: S101 - a format has a projection
    form, law = FORMATS[section.name], section.gradient
    nu = _degrees(case)
    scales = _scales(form)
    figure, axes = plots.panels(2, 3.2)
    marks: tuple[tuple[Rounding, str, str], ...] = (
        ("nearest", "-", _BOUND),
        ("toward_zero", "--", _OTHER),
        ("stochastic", ":", _EXACT),
    )
    for rounding, style, colour in marks:
        made = pieces(form, rounding, section.flush)
        found = [projected(made, tails(law.distribution, s, nu), s) for s in scales]
        label = rounding.replace("_", " ")
        axes[0].semilogx(scales, [float(p.q) for p in found], style, color=colour, label=label)
        noise = np.array([p.noise for p in found]) / scales
        axes[1].loglog(scales, np.where(noise > 0, noise, np.nan), style, color=colour, label=label)
    noise = own.noise / (own.scale * np.sqrt(own.dimension))
    axes[0].plot([own.scale], [float(own.q)], "o", color=plots.OBSERVED, label="the spec")
    axes[1].plot([own.scale], [noise], "o", color=plots.OBSERVED)
    for panel in axes:
        panel.set_xlabel("scale of a component of $g$")
    axes[0].set_ylabel("fitted factor $q$")
    axes[1].set_ylabel(r"$\sigma_e\,/\,(\mathbb{E}\Vert g\Vert^2)^{1/2}$")
    plots.add_legend(figure, axes, columns=4)
    plots.save(figure, folder / "shrinkage-format")
    return Drawn(
        "shrinkage-format",
        "Coefficients",
        "Factor and relative noise of rounding against the scale of the gradient: on the left "
        "underflow, on the right saturation. Fitted, not proved; of stochastic rounding the noise "
        "alone is.",
        "Two panels against the scale of a gradient component: the fitted factor q, which falls "
        "to zero at both ends, and the noise relative to the gradient.",
    )


def _course(case: Case, run: TheoryRun, folder: Path) -> Drawn:
    """The gap along the run with the bound's recurrence."""
    gap, at = run.series["gap"], run.at
    figure, (panel,) = plots.panels(1, 3.0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = gap.mean(axis=1)
        panel.fill_between(
            at,
            np.quantile(gap, 0.05, axis=1),
            np.quantile(gap, 0.95, axis=1),
            color="#BBBBBB",
            lw=0,
            label="90 % of replicas",
        )
    panel.semilogy(at, np.where(mean > 0, mean, np.nan), color=plots.OBSERVED, label="mean")
    if case.graph.spec.loss.pl is not None and case.own.steps.type == "constant":
        number = statement(case, Shape("pl", "pl", "plain")).constants.get("floor")
        if number is not None and float(number) > 0:
            panel.axhline(float(number), color=_BOUND, ls="--", label="floor of the PL bound")
    exact = exact_floor(case).floor
    if exact is not None and case.projection is None:
        panel.axhline(float(exact), color=_EXACT, label="exact floor")
    panel.set_xlabel("step $k$")
    panel.set_ylabel(r"gap $\ell(w_k)-\ell^{\ast}$")
    plots.add_legend(figure, [panel], columns=4)
    plots.save(figure, folder / "shrinkage-course")
    return Drawn(
        "shrinkage-course",
        "Simulation",
        "The gap along the run, and floors.",
        "The mean gap over the replicas against the step, with horizontal lines at the floors.",
    )


def _scales(form: Format) -> Array:
    """From where all of the law vanishes to where half of it saturates."""
    least = float(form.step) if isinstance(form, FloatFormat) else 1.0
    return np.logspace(np.log10(least / 8), np.log10(float(form.largest) * 2), _SCALES)


def _degrees(case: Case) -> float | None:
    from boundcalc.arithmetic import FLOATS

    section = case.own.format
    assert section is not None  # noqa: S101 - the caller has looked
    value = section.gradient.degrees
    return None if value is None else float(value.evaluate(FLOATS, case.graph.values(FLOATS)))
