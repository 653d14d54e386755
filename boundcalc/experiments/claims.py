"""Statements that several figures make about their settings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from boundcalc.experiments.exponents import Fit, fit_exponent
from boundcalc.experiments.findings import (
    ORDER_TOLERANCE,
    Finding,
    Status,
    all_of,
    at_most,
    finite,
    inside,
)
from boundcalc.experiments.settings import CONFIDENCE, Setting
from boundcalc.simulate.statistics import mean_interval

#: How far a plateau may lie from its prediction, relatively.
PREDICTION_TOLERANCE = 0.05

#: How far above the noise floor a plateau must stand to count in a fit of its order.
DOMINANCE = 3.0

_TOO_FEW = "fewer than two settings to compare"


def settled(settings: Sequence[Setting]) -> Finding:
    """All runs have settled, so that their stable gradient norms are those of plateaus."""
    moving = [s for s in settings if not s.settled]
    status: Status = "undetermined" if moving or not settings else "holds"
    evidence = f"{len(settings) - len(moving)} of {len(settings)} runs have"
    if moving:
        evidence += "; not settled: " + "; ".join(named(s) for s in moving)
    return Finding("every run has settled in its second half", status, evidence)


def below_floor(settings: Sequence[Setting]) -> Finding:
    """No stable gradient norm is above the sharp floor; open where a setting has no bound."""
    shown = [(s, s.floor.value) for s in settings]
    known = [(s, value) for s, value in shown if value is not None]
    status = all_of(at_most(s.norm.lo, s.norm.hi, value) for s, value in known)
    ratios = [value / s.norm.mean for s, value in known if s.norm.mean > 0]
    if len(known) < len(shown) and status == "holds":
        status = "undetermined"
    evidence = f"{len(known)} settings"
    if ratios:
        evidence += f"; the floor is {min(ratios):.1f} to {max(ratios):.0f} times the measured norm"
    refused = sorted({s.floor.refused for s, value in shown if value is None})
    if refused:
        evidence += f"; {len(shown) - len(known)} more have no bound: " + "; ".join(refused)
    numbers = {"smallest_ratio": finite(min(ratios, default=np.nan))}
    return Finding("no stable gradient norm is above the sharp floor", status, evidence, numbers)


def at_prediction(settings: Sequence[Setting]) -> Finding:
    """Every plateau that the stationary mean field predicts is there; it says of how many."""
    found = [(s, s.plateau) for s in settings if s.settled]
    known = [(s, p.norm) for s, p in found if p is not None and p.norm > 0]
    low, high = 1 - PREDICTION_TOLERANCE, 1 + PREDICTION_TOLERANCE
    status = all_of(inside(s.norm.lo / n, s.norm.hi / n, low, high) for s, n in known)
    off = [s.norm.mean / n - 1 for s, n in known]
    worst = max(off, key=abs, default=np.nan)
    evidence = f"{len(known)} of {len(settings)} settings have settled and have a prediction"
    if off:
        evidence += f"; the largest deviation is {100 * worst:+.1f} %"
    return Finding(
        "each plateau that the stationary mean field predicts is there, within 5 %",
        status,
        evidence,
        {"largest_deviation": finite(worst)},
    )


def order(
    claim: str,
    settings: Sequence[Setting],
    name: str,
    expected: float,
    *,
    at_most_order: bool = False,
) -> tuple[Finding, Fit]:
    """The stable gradient norm goes like a power of what was varied.

    Parameters
    ----------
    expected
        The order that the sharp theory predicts.
    at_most_order
        Whether the prediction is an upper bound on the exponent, not the exponent.
    """
    fit = fit_exponent(
        [s.number(name) for s in settings],
        np.array([s.stable for s in settings]) if settings else np.zeros((0, 1)),
        confidence=CONFIDENCE,
    )
    low = -np.inf if at_most_order else expected - ORDER_TOLERANCE
    status = inside(fit.lo, fit.hi, low, expected + ORDER_TOLERANCE)
    if not fit.known or not all(s.settled for s in settings):
        status = "undetermined"
    over = ", ".join(f"{s.number(name):g}" for s in settings)
    relation = "at most " if at_most_order else ""
    evidence = f"measured {fit} over {over}; predicted {relation}{expected:.3g}"
    if len(settings) < 2:
        evidence = _TOO_FEW
    numbers = {"exponent": fit.exponent, "lo": fit.lo, "hi": fit.hi, "predicted": expected}
    return Finding(claim, status, evidence, {k: finite(v) for k, v in numbers.items()}), fit


def floor_order(settings: Sequence[Setting], name: str, *, bias: bool = False) -> float:
    """The exponent of the sharp floor, or of its bias part, over the same settings.

    NaN where a floor is missing or zero.
    """
    values = [(s.floor.bias if bias else s.floor.value) or np.nan for s in settings]
    x = np.log([s.number(name) for s in settings])
    if len(settings) < 2 or not np.isfinite(values).all():
        return float("nan")
    return float(np.polyfit(x, np.log(values), 1)[0])


def monotone(claim: str, settings: Sequence[Setting], *, rising: bool) -> Finding:
    """The stable gradient norm rises, or falls, from each setting to the next.

    Replicas of neighbouring settings are compared one by one: they share random numbers.
    """
    statuses: list[Status] = []
    for a, b in pairwise(settings):
        if a.stable.shape != b.stable.shape:
            statuses.append("undetermined")
            continue
        change = mean_interval(b.stable - a.stable, CONFIDENCE)
        lo, hi = (change.lo, change.hi) if rising else (-change.hi, -change.lo)
        statuses.append(inside(lo, hi, np.nextafter(0.0, 1.0), np.inf))
    means = " → ".join(f"{s.norm.mean:.3g}" for s in settings)
    evidence = f"stable gradient norms {means}" if len(settings) > 1 else _TOO_FEW
    return Finding(claim, all_of(statuses), evidence)


def stays(claim: str, settings: Sequence[Setting]) -> Finding:
    """The stable norm is at no step size below ‖∇ℓ‖ at the root of the mean field.

    By Jensen's inequality noise around the root adds to it; only sampling may take from it.
    """
    known = [(s, s.plateau.limit) for s in settings if s.plateau and s.plateau.limit > 0]
    low = 1 - PREDICTION_TOLERANCE
    status = all_of(inside(s.norm.lo / n, s.norm.hi / n, low, np.inf) for s, n in known)
    times = " → ".join(f"{s.norm.mean / n:.2f}" for s, n in known)
    evidence = f"from the largest γ to the smallest it is {times} times ‖∇ℓ‖ at that root"
    return Finding(claim, status if len(known) == len(settings) else "undetermined", evidence)


def ratio(claim: str, a: Setting, b: Setting, low: float, high: float) -> Finding:
    """Stable norm of ``a`` over that of ``b``, replica by replica, lies in an interval."""
    if a.stable.shape != b.stable.shape or not (np.isfinite(b.stable) & (b.stable > 0)).all():
        return Finding(claim, "undetermined", "the two settings cannot be compared")
    found = mean_interval(a.stable / b.stable, CONFIDENCE)
    evidence = f"ratio {found.mean:.3f} [{found.lo:.3f}, {found.hi:.3f}]"
    numbers = {"ratio": finite(found.mean), "lo": finite(found.lo), "hi": finite(found.hi)}
    return Finding(claim, inside(found.lo, found.hi, low, high), evidence, numbers)


def dominated(settings: Sequence[Setting], noise: Setting | None) -> list[Setting]:
    """Those whose stable norm stands well above that of the unperturbed run."""
    if noise is None:
        return list(settings)
    return [s for s in settings if s.norm.mean >= DOMINANCE * noise.norm.mean]


def named(setting: Setting) -> str:
    """What was varied, in words."""
    return ", ".join(
        f"{name} = {value if isinstance(value, str) else format(value, 'g')}"
        for name, value in setting.values.items()
    )
