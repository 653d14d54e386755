"""Every statement about the algorithm held against a run of it."""

from __future__ import annotations

import math

from boundcalc.graph import OperatorGraph
from boundcalc.theories.base import Options, Theory
from boundcalc.theories.distributed.cautions import empty_range
from boundcalc.theories.distributed.measures import LEFT
from boundcalc.theories.distributed.premises import premises
from boundcalc.theories.distributed.rate import DistributedRate
from boundcalc.theories.distributed.run import Descent, simulate
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.tails import too_heavy
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.values import Answer
from boundcalc.theories.verdicts import Claim, judged, verdict_answer

#: Statements about the modified equation, of which no run of the algorithm is a sample.
_OF_EQUATIONS = ("normalised_sde",)


def verify(
    theory: Theory, graph: OperatorGraph, options: Options, run: Answer | None = None
) -> Answer:
    """The statements of ``rate`` against the left side that a run measures.

    A statement about an expectation is undetermined where a run escaped while it counted, since
    the expectation may then be infinite, and where one run makes up the spread of the sample,
    since Student's interval then says nothing.  Sign steps have a bounded length: there the left
    side is a bounded random variable whatever the noise, and Student's interval is justified.

    Raises
    ------
    SpecError
        As for ``rate`` and ``simulate``.
    """
    answer = simulate(theory, graph, options) if run is None else run
    measured: TheoryRun = answer.value
    rate: DistributedRate = theory.rate(graph).value
    section: DistributedSection = theory.own(graph.spec)
    broken = tuple(p for p in premises(graph, section, measured.more) if not p.consistent)
    claims, skipped = [], []
    for statement in rate.statements:
        if statement.bound is None:
            skipped.append((statement.title, statement.key, statement.refused))
        elif statement.key in _OF_EQUATIONS:
            why = "it is about the modified equation, of which a run of the algorithm is no sample"
            skipped.append((statement.title, statement.key, why))
        else:
            claims.append(
                Claim(
                    name=statement.title,
                    family=statement.key,
                    bound=statement.bound,
                    metric=measured.metrics[LEFT],
                    where=_where(measured),
                    broken=broken,
                    why=_vacuous(section, measured.more) or _silent(measured.more),
                )
            )
    return verdict_answer(judged(claims, measured, skipped))


def _where(run: TheoryRun) -> str:
    met: Descent = run.more
    return (
        f"{run.steps} steps, {run.replicas} replicas, seed {run.seed}, escape radius "
        f"{met.plan.escape:.3g}, {int(met.walk.bounded.sum())} of them bounded"
    )


def _vacuous(section: DistributedSection, met: Descent) -> str:
    """Why the left side is 0 whatever the bound; empty where steps are counted."""
    stop = met.plan.measures[LEFT].stop
    if not math.isfinite(stop):
        return ""
    return empty_range(section, stop, float(met.walk.gradient_norm[0].max())).removesuffix(".")


def _silent(met: Descent) -> str:
    """Why the sample says nothing about the expectation; empty where it does."""
    values = met.walk.measured[LEFT]
    lost = values == float("inf")
    if lost.any():
        first = int(met.walk.escaped[met.walk.escaped >= 0].min())
        return (
            f"{int(lost.sum())} of {len(values)} runs escaped while the statement counted them, "
            f"the first one at step {first}: the expectation may be infinite"
        )
    share = too_heavy(values)
    if share is not None:
        return (
            f"one of {len(values)} runs makes up {100 * share:.3g} % of the spread: the tail is "
            "too heavy for an interval"
        )
    return ""
