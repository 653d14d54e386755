"""One bound against one observation with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from boundcalc.arithmetic import Number
from boundcalc.operators.base import Array
from boundcalc.rates import Rate
from boundcalc.showing import Shown, Tabular
from boundcalc.simulate import IterateCheck, Run
from boundcalc.verify.premise import Premise
from boundcalc.verify.rare import rare_along, rare_at
from boundcalc.verify.simultaneous import check_interval, metric_interval

Outcome = Literal["holds", "violated", "undetermined"]

#: How the detail of a verdict begins where a premise fails.
BROKEN = "the simulation is outside the assumptions"

_RELATIVE = 1e-9  # rounding of simulated sums against an attained bound
_SHOWN = 6  # numbers of a vector in a message
_ABSOLUTE = 1e-24  # the same for a bound of 0, relative to ‖u‖²


@dataclass(frozen=True)
class Verdict(Shown, Tabular):
    """One claim of one family against what was observed.

    Attributes
    ----------
    claim
        ``error at step t``, ``bias at step t``, ``nonconvex`` or ``pl``.
    bound
        The family's bound.
    observed, ci
        The sampled value and its confidence interval; for a fixed iterate those of the
        worst sample.  The intervals of all claims of a spec hold at once.
    status
        ``holds`` if the whole interval lies below the bound, ``violated`` if all of
        it lies above, ``undetermined`` otherwise or where a premise fails.
    slack
        bound / observed; None where that is not a positive finite number.
    detail
        Where it was observed: step, sample, seed, or the premise that fails.
    """

    claim: str
    family: str
    bound: Number
    observed: float
    ci: tuple[float, float]
    status: Outcome
    slack: float | None
    detail: str


def judge(
    bound: Number, lo: Array, hi: Array, zero: float, broken: Sequence[Premise], why: str = ""
) -> tuple[Outcome, str]:
    """Compare an interval (or simultaneous ones) with a bound.

    Parameters
    ----------
    zero
        Observations below this are rounding errors.
    broken
        Premises that failed.
    why
        Why the interval says nothing, whatever it is; empty where it does.

    >>> from boundcalc.arithmetic import Number, Status
    >>> one = Number(1, Status.COMPUTED)
    >>> judge(one, np.array([0.1]), np.array([0.9]), 0.0, [])[0]
    'holds'
    >>> judge(one, np.array([0.9]), np.array([np.inf]), 0.0, [])[0]
    'undetermined'
    """
    if broken:
        names = ", ".join(f"{p.claim} ({p.stated:.4g} stated, {p.met:.4g} met)" for p in broken)
        return "undetermined", f"{BROKEN}: {names}"
    if why:
        return "undetermined", why
    if not (np.isfinite(lo).all() and np.isfinite(hi).all()):
        return "undetermined", "the observation is not finite"
    limit = float(bound) * (1 + _RELATIVE) + zero
    if (lo > limit).any():
        return "violated", ""
    if (hi <= limit).all():
        return "holds", ""
    return "undetermined", "the bound lies inside the confidence interval"


def at_iterate(
    kind: Literal["error", "bias"],
    family: str,
    bound: Number,
    check: IterateCheck,
    run: Run,
    stated: Sequence[Premise],
    claims: int,
) -> Verdict:
    """The verdict on error or bias at a fixed iterate, one of so many claims.

    Measured in double precision, whatever the run's.
    """
    values, lo, hi = check_interval(check, kind, run.confidence, claims)
    broken = [p for p in stated if not p.consistent and not p.for_runs_only]
    zero = _ABSOLUTE * check.scale
    status, why = judge(bound, lo, hi, zero, broken, rare_at(run.graph, check))
    # Show the sample that is hardest for the bound.
    worst = int(np.argmax(lo)) if status == "violated" else int(np.argmax(hi))
    where = (
        f"step {check.step}, sample {check.samples[worst]}, seed {run.seed}, {check.draws} draws"
    )
    if status == "violated":
        where += "; " + _inputs(run, check, worst)
    return Verdict(
        claim=f"{kind} at step {check.step}",
        family=family,
        bound=bound,
        observed=float(values[worst]),
        ci=(float(lo[worst]), float(hi[worst])),
        status=status,
        slack=_slack(bound, float(values[worst]), zero),
        detail=f"{where}; {why}" if why else where,
    )


def along_run(
    regime: str,
    rate: Rate,
    metric: str,
    run: Run,
    stated: Sequence[Premise],
    claims: int,
) -> Verdict:
    """The verdict on a metric of the run, one of so many claims."""
    assert rate.bound is not None  # noqa: S101 - the caller has looked
    observed = run.metrics[metric]
    lo, hi = metric_interval(observed, run.confidence, claims)
    if regime == "pl" and run.optimum is not None:
        # ℓ* lies between the value found and that value less ‖∇ℓ‖²/(2μ).
        mu = next((p.stated for p in stated if p.assumption == "A4"), 0.0)
        if mu > 0:
            hi += run.optimum.value - run.optimum.lower_with_pl(mu)
    broken = [p for p in stated if not p.consistent]
    status, why = judge(rate.bound, np.array([lo]), np.array([hi]), 0.0, broken, _open(run, metric))
    where = f"{run.steps} steps, {run.replicas} replicas, seed {run.seed}"
    return Verdict(
        claim=regime,
        family=rate.family,
        bound=rate.bound,
        observed=observed.mean,
        ci=(lo, hi),
        status=status,
        slack=_slack(rate.bound, observed.mean, 0.0),
        detail=f"{where}; {why}" if why else where,
    )


def _open(run: Run, metric: str) -> str:
    """Why a metric's interval says nothing about its expectation; empty where it does."""
    diverged = run.trajectory.diverged >= 0
    if diverged.any():
        # Also where its later values are finite: they lay outside what floats can hold.
        count, first = int(diverged.sum()), int(run.trajectory.diverged[diverged].min())
        return f"{count} of {run.replicas} replicas diverged, the first one at step {first}"
    if run.precision != "float64" and run.metrics[metric].rounding is None:
        return f"the run is in {run.precision}, and its rounding error was not measured"
    return rare_along(run)


def _inputs(run: Run, check: IterateCheck, worst: int) -> str:
    """The sample and the weights of a violation, as far as they can be written in a line."""
    data = run.graph.data
    assert data is not None  # noqa: S101 - there is a run
    row, weights = data.features[check.samples[worst]], run.trajectory.snapshots[check.step]

    def written(values: Array) -> str:
        shown = ", ".join(f"{value:.17g}" for value in values[:_SHOWN])
        return f"[{shown}]" if len(values) <= _SHOWN else f"[{shown}, … {len(values)} numbers]"

    return f"x = {written(row)}, w = {written(weights)}"


def _slack(bound: Number, observed: float, zero: float) -> float | None:
    """The ratio bound/observed; None where the observation is no more than rounding."""
    if not np.isfinite(observed) or observed <= zero:
        return None
    ratio = float(bound) / observed
    return ratio if np.isfinite(ratio) else None
