"""A theory's statements held against its run, as all verdicts of this package are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from boundcalc.arithmetic import Number, Status
from boundcalc.report.cells import Block, Bullets, Column, Content, Mark, Paragraph, Strong, Table
from boundcalc.report.json_numbers import sampled as json_sampled
from boundcalc.report.notation import joined, said
from boundcalc.report.numbers import DOWN, NONE, interval, sampled, text_of, value
from boundcalc.showing import Plotted, Shown, Tabular
from boundcalc.simulate.statistics import Metric
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.values import Answer
from boundcalc.verify.judging import Outcome, Verdict, judge
from boundcalc.verify.premise import Premise
from boundcalc.verify.simultaneous import each_confidence, metric_interval

_WIDEST = 0.25  # of an interval that may confirm an exact value, relative to that value


@dataclass(frozen=True)
class Claim:
    """One statement about one metric.

    Attributes
    ----------
    name, family
        What is claimed, and by which statement or family.
    bound
        The number that the metric's expectation is held against.
    metric
        What was observed, with an interval.
    relation
        ``at most``; or ``equals``, which holds where a narrow interval contains the number.
    where
        Where it was observed.
    broken
        Premises that the run refutes.
    why
        Why the interval says nothing; empty where it does.
    """

    name: str
    family: str
    bound: Number
    metric: Metric
    relation: Literal["at most", "equals"] = "at most"
    where: str = ""
    broken: tuple[Premise, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class TheoryVerdicts(Shown, Tabular, Plotted):
    """All verdicts; see :class:`boundcalc.verify.verdicts.Verdicts`, of which it is the like."""

    verdicts: tuple[Verdict, ...]
    run: TheoryRun
    confidence: float
    skipped: tuple[tuple[str, str, str], ...] = field(default=())

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


def judged(
    claims: Sequence[Claim], run: TheoryRun, skipped: Sequence[tuple[str, str, str]] = ()
) -> TheoryVerdicts:
    """Every claim with its verdict; the run's confidence is that of all of them together.

    Parameters
    ----------
    skipped
        (claim, family, reason) of statements that are not made here.

    Notes
    -----
    Bonferroni over the claims.  Intervals that are not Student's are used as they are, if their
    own confidence already is that of each claim; else make them with
    :func:`~boundcalc.verify.simultaneous.each_confidence`.
    """
    made = tuple(_verdict(claim, run, len(claims)) for claim in claims)
    return TheoryVerdicts(made, run, run.confidence, tuple(skipped))


def _verdict(claim: Claim, run: TheoryRun, claims: int) -> Verdict:
    metric = claim.metric
    lo, hi = metric.lo, metric.hi
    if metric.degrees is not None:
        lo, hi = metric_interval(metric, run.confidence, claims)
    if claim.relation == "equals":
        status, why = _equals(claim, lo, hi)
    else:
        status, why = judge(
            claim.bound, np.array([lo]), np.array([hi]), 0.0, claim.broken, claim.why
        )
    where = claim.where or f"{run.steps} steps, {run.replicas} replicas, seed {run.seed}"
    ratio = float(claim.bound) / metric.mean if metric.mean > 0 else math.nan
    return Verdict(
        claim=claim.name,
        family=claim.family,
        bound=claim.bound,
        observed=metric.mean,
        ci=(lo, hi),
        status=status,
        slack=ratio if math.isfinite(ratio) else None,
        detail=f"{where}; {why}" if why else where,
    )


def _equals(claim: Claim, lo: float, hi: float) -> tuple[Outcome, str]:
    """An exact value: inside the interval, which must be narrow enough to mean something."""
    top = Number(claim.bound.value, claim.bound.status)
    status, why = judge(top, np.array([lo]), np.array([hi]), 0.0, claim.broken, claim.why)
    if claim.broken or claim.why or not (math.isfinite(lo) and math.isfinite(hi)):
        return status, why
    exact = float(claim.bound)
    slack = 1e-9 * abs(exact)
    if not lo - slack <= exact <= hi + slack:
        return "violated", "the interval does not contain the exact value"
    if hi - lo > _WIDEST * abs(exact) + 2 * slack:
        return "undetermined", "the interval is too wide to confirm an exact value"
    return "holds", "equality: a narrow interval contains the value"


def verdict_answer(found: TheoryVerdicts) -> Answer:
    """The answer to ``verify``."""
    claims = len(found.verdicts)
    return Answer(
        value=found,
        data={
            "verdicts": [_data(verdict) for verdict in found.verdicts],
            "ok": found.ok,
            "confidence": {
                "all": found.confidence,
                "each": each_confidence(found.confidence, claims),
                "claims": claims,
            },
            "skipped": [
                {"claim": claim, "family": family, "reason": reason}
                for claim, family, reason in found.skipped
            ],
        },
        blocks=verdict_table(found),
        exit_code=found.exit_code,
    )


def _data(v: Verdict) -> dict[str, Any]:
    return {
        "claim": v.claim,
        "family": v.family,
        "bound": v.bound,
        "observed": json_sampled(v.observed),
        "ci": [json_sampled(end) for end in v.ci],
        "status": v.status,
        "slack": v.slack,
        "bound_status": v.bound.status,
        "observed_status": Status.SAMPLED,
        "detail": v.detail,
    }


def headline(found: TheoryVerdicts) -> str:
    """How many claims hold, in one sentence."""
    count = len(found.verdicts)
    if not count:
        return "No claim could be checked."
    noun = "claim" if count == 1 else "claims"
    counts: Counter[str] = Counter(v.status for v in found.verdicts)
    if counts["holds"] == count:
        return f"{count} {noun} checked: " + ("it holds." if count == 1 else "all hold.")
    words = {"holds": "hold", "violated": "violated", "undetermined": "undetermined"}
    parts = [f"{counts[key]} {word}" for key, word in words.items() if counts[key]]
    return f"{count} {noun} checked: {', '.join(parts)}."


def verdict_table(found: TheoryVerdicts) -> tuple[Block, ...]:
    """The table, remarks on what does not hold, and claims that were not made."""
    blocks: list[Block] = []
    if found.verdicts:
        blocks.append(
            Table(
                caption="Every statement against the simulation.",
                columns=(
                    Column("claim", 3.0),
                    Column("statement", 1.9),
                    Column("bound"),
                    Column("observed"),
                    Column(f"{text_of(100 * found.confidence)}% interval", 3.4),
                    Column("slack"),
                    Column("verdict", 2.15),
                ),
                rows=tuple(_row(v) for v in found.verdicts),
                remarks=(
                    "All intervals cover at once with that confidence. A claim holds if its "
                    "whole interval lies below the bound (of an equality: contains the value).",
                ),
            )
        )
    else:
        blocks.append(Paragraph("No claim could be checked."))
    open_ = [v for v in found.verdicts if v.status != "holds"]
    if open_:
        remarks = tuple(
            joined(Strong(f"{v.claim}, {v.family}"), ": ", said(v.detail), ".") for v in open_
        )
        blocks += [Paragraph("Claims that do not hold, and where:"), Bullets(remarks)]
    if found.skipped:
        skipped = tuple(
            joined(Strong(f"{claim}, {family}"), ": ", said(reason), ".")
            for claim, family, reason in found.skipped
        )
        blocks += [Paragraph("Claims that are not made here:"), Bullets(skipped)]
    return tuple(blocks)


def _row(v: Verdict) -> tuple[Content, ...]:
    slack = NONE if v.slack is None else sampled(v.slack, 3, rounding=DOWN)
    return (
        v.claim,
        v.family,
        replace(value(v.bound, 4), fraction=None),
        sampled(v.observed, 3),
        interval(*v.ci, digits=3),
        slack,
        Mark(v.status, v.status),
    )
