"""Each family's bounds held against a simulated run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from boundcalc.arithmetic import Number
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.rates import Rate, Rates, rates
from boundcalc.simulate import IterateCheck, Run, simulate
from boundcalc.simulate.run import Progress
from boundcalc.theories.perturbed.families import FAMILIES, Family
from boundcalc.verify.premises import Premise, premises

Outcome = Literal["holds", "violated", "undetermined"]

#: How the detail of a verdict begins where a premise fails.
BROKEN = "the simulation is outside the assumptions"

_RELATIVE = 1e-9  # rounding of simulated sums against an attained bound
_SHOWN = 6  # numbers of a vector in a message
_ABSOLUTE = 1e-24  # the same for a bound of 0, relative to ‖u‖²


@dataclass(frozen=True)
class Verdict:
    """One claim of one family against what was observed.

    Attributes
    ----------
    claim
        ``error at step t``, ``bias at step t``, ``nonconvex`` or ``pl``.
    bound
        The family's bound.
    observed, ci
        The sampled value and its confidence interval; for a fixed iterate those of the
        worst sample.
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


@dataclass(frozen=True)
class Verdicts:
    """All verdicts of a spec.

    Attributes
    ----------
    skipped
        Claims that a family does not make here: (claims, family, reason), one entry for
        each reason of a family.
    """

    verdicts: tuple[Verdict, ...]
    premises: tuple[Premise, ...]
    skipped: tuple[tuple[str, str, str], ...]
    run: Run
    rates: Rates | None

    @property
    def ok(self) -> bool:
        """Whether there is a verdict and every one holds."""
        return bool(self.verdicts) and all(v.status == "holds" for v in self.verdicts)

    @property
    def exit_code(self) -> int:
        """0 all hold, 1 one is violated, 3 otherwise."""
        if any(v.status == "violated" for v in self.verdicts):
            return 1
        return 0 if self.ok else 3


def verify(
    graph: OperatorGraph,
    *,
    run: Run | None = None,
    families: Mapping[str, Family] = FAMILIES,
    progress: Progress | None = None,
) -> Verdicts:
    """Hold every family's bounds against a simulation of the same graph.

    Parameters
    ----------
    graph
        A compiled spec with a simulation.
    run
        A run of it, if there is one already.
    progress
        Told how many steps are done.

    Returns
    -------
    Verdicts
        Bounds are `proved` or `computed`, observations `sampled`.  NaN and infinity
        never pass.
    """
    run = run or simulate(graph, progress=progress)
    stated = premises(graph, run)
    made: list[Verdict] = []
    skipped: dict[tuple[str, str], list[str]] = {}

    def skip(claim: str, family: str, reason: str) -> None:
        skipped.setdefault((family, reason), []).append(claim)

    for family in families.values():
        bounds = family.bounds(graph)
        for check in run.checks:
            for claim, bound in (("error", bounds.error), ("bias", bounds.bias)):
                if bound is None:
                    skip(claim, family.name, bounds.reason or "no bound")
                else:
                    title = f"{claim} at step {check.step}"
                    made.append(_at_iterate(title, family.name, bound, check, run, stated))
    if run.unchecked:
        skip("error", "all", run.unchecked)
        skip("bias", "all", run.unchecked)
    found, reason = _rates(graph, families)
    if found is None:
        skip("nonconvex", "all", reason)
    for regime, table, metric in (
        ("nonconvex", found.nonconvex if found else {}, "mean_squared_gradient"),
        ("pl", found.pl if found else {}, "final_gap"),
    ):
        for name, rate in table.items():
            if rate.bound is None:
                skip(regime, name, rate.refused or "no bound")
            else:
                made.append(_along_run(regime, rate, metric, run, stated))
    listed = tuple(
        (", ".join(dict.fromkeys(claims)), family, reason)
        for (family, reason), claims in skipped.items()
    )
    return Verdicts(tuple(made), tuple(stated), listed, run, found)


def _rates(graph: OperatorGraph, families: Mapping[str, Family]) -> tuple[Rates | None, str]:
    try:
        return rates(graph, families=families), ""
    except BoundcalcError as error:
        return None, str(error).splitlines()[0]


def judge(
    bound: Number, lo: Array, hi: Array, zero: float, broken: list[Premise]
) -> tuple[Outcome, str]:
    """Compare an interval (or simultaneous ones) with a bound.

    Parameters
    ----------
    zero
        Observations below this are rounding errors.
    broken
        Premises that failed.

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
    if not (np.isfinite(lo).all() and np.isfinite(hi).all()):
        return "undetermined", "the observation is not finite"
    limit = float(bound) * (1 + _RELATIVE) + zero
    if (lo > limit).any():
        return "violated", ""
    if (hi <= limit).all():
        return "holds", ""
    return "undetermined", "the bound lies inside the confidence interval"


def _at_iterate(
    claim: str, family: str, bound: Number, check: IterateCheck, run: Run, stated: list[Premise]
) -> Verdict:
    error = claim.startswith("error")
    values = check.error if error else check.bias
    lo = check.error_lo if error else check.bias_lo
    hi = check.error_hi if error else check.bias_hi
    broken = [p for p in stated if not p.consistent and not p.for_runs_only]
    status, why = judge(bound, lo, hi, _ABSOLUTE * check.scale, broken)
    # Show the sample that is hardest for the bound.
    worst = int(np.argmax(lo)) if status == "violated" else int(np.argmax(hi))
    where = (
        f"step {check.step}, sample {check.samples[worst]}, seed {run.seed}, {check.draws} draws"
    )
    if status == "violated":
        where += "; " + _inputs(run, check, worst)
    return Verdict(
        claim=claim,
        family=family,
        bound=bound,
        observed=float(values[worst]),
        ci=(float(lo[worst]), float(hi[worst])),
        status=status,
        slack=_slack(bound, float(values[worst]), _ABSOLUTE * check.scale),
        detail=f"{where}; {why}" if why else where,
    )


def _along_run(regime: str, rate: Rate, metric: str, run: Run, stated: list[Premise]) -> Verdict:
    assert rate.bound is not None  # noqa: S101 - the caller has looked
    observed = run.metrics[metric]
    lo, hi = observed.lo, observed.hi
    if regime == "pl" and run.optimum is not None:
        # ℓ* lies between the value found and that value less ‖∇ℓ‖²/(2μ).
        mu = next((p.stated for p in stated if p.assumption == "A4"), 0.0)
        if mu > 0:
            hi += run.optimum.value - run.optimum.lower_with_pl(mu)
    broken = [p for p in stated if not p.consistent]
    status, why = judge(rate.bound, np.array([lo]), np.array([hi]), 0.0, broken)
    where = f"{run.steps} steps, {run.replicas} replicas, seed {run.seed}"
    if run.trajectory.diverged_at is not None:
        why = f"a replica diverged at step {run.trajectory.diverged_at}"
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
