"""Each family's bounds held against a simulated run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import Rates, rates
from boundcalc.showing import Plotted, Shown, Tabular
from boundcalc.simulate import Run, simulate
from boundcalc.simulate.engines import EngineName
from boundcalc.simulate.run import Progress
from boundcalc.theories.perturbed.families import FAMILIES, Family
from boundcalc.verify.judging import BROKEN, Verdict, along_run, at_iterate, judge
from boundcalc.verify.premises import Premise, premises
from boundcalc.verify.simultaneous import each_confidence

__all__ = ["BROKEN", "Verdict", "Verdicts", "judge", "verify"]

#: An observation, and how a verdict is made from it once the number of observations is known.
_Claim = tuple[tuple[str, int], Callable[[int], Verdict]]


@dataclass(frozen=True)
class Verdicts(Shown, Tabular, Plotted):
    """All verdicts of a spec.

    Attributes
    ----------
    skipped
        Claims that a family does not make here: (claims, family, reason), one entry for
        each reason of a family.
    claims
        How many observations are held against bounds.
    """

    verdicts: tuple[Verdict, ...]
    premises: tuple[Premise, ...]
    skipped: tuple[tuple[str, str, str], ...]
    run: Run
    rates: Rates | None
    claims: int = 1

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

    @property
    def confidence(self) -> float:
        """With which all intervals of the verdicts cover at once: the spec's."""
        return self.run.confidence

    @property
    def each_confidence(self) -> float:
        """Of one claim's interval."""
        return each_confidence(self.run.confidence, self.claims)


class _Skipped:
    """Claims that are not made, collected by family and reason."""

    def __init__(self) -> None:
        self._claims: dict[tuple[str, str], list[str]] = {}

    def add(self, claim: str, family: str, reason: str) -> None:
        self._claims.setdefault((family, reason), []).append(claim)

    def listed(self) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (", ".join(dict.fromkeys(claims)), family, reason)
            for (family, reason), claims in self._claims.items()
        )


def verify(
    graph: OperatorGraph,
    *,
    run: Run | None = None,
    families: Mapping[str, Family] = FAMILIES,
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Hold every family's bounds against a simulation of the same graph.

    Parameters
    ----------
    graph
        A compiled spec with a simulation.
    run
        A run of it, if there is one already.
    engine, threads
        As for :func:`~boundcalc.simulate.run.simulate`.
    progress
        Told how many steps are done.

    Returns
    -------
    Verdicts
        Bounds are `proved` or `computed`, observations `sampled`.  NaN and infinity
        never pass.

    Notes
    -----
    The spec's confidence is that of all verdicts together (Bonferroni over the claims that
    are observed, :mod:`boundcalc.verify.simultaneous`).  A claim is `undetermined` where its
    interval straddles the bound, a premise fails, a replica diverged, a perturbation acts too
    rarely to be seen, or a run in single precision comes without its measured rounding error,
    which is otherwise a part of the interval.
    """
    run = run or simulate(graph, engine=engine, threads=threads, progress=progress)
    stated, skipped = premises(graph, run), _Skipped()
    claims = _at_iterates(graph, run, stated, families, skipped)
    found, more = _along_run(graph, run, stated, families, skipped)
    claims += more
    count = len({observation for observation, _ in claims})
    return Verdicts(
        verdicts=tuple(make(count) for _, make in claims),
        premises=tuple(stated),
        skipped=skipped.listed(),
        run=run,
        rates=found,
        claims=max(1, count),
    )


def _at_iterates(
    graph: OperatorGraph,
    run: Run,
    stated: list[Premise],
    families: Mapping[str, Family],
    skipped: _Skipped,
) -> list[_Claim]:
    """Claims about error and bias at fixed iterates."""
    claims: list[_Claim] = []
    for family in families.values():
        bounds = family.bounds(graph)
        for check in run.checks:
            if bounds.error is None:
                skipped.add("error", family.name, bounds.reason or "no bound")
            else:
                made = partial(at_iterate, "error", family.name, bounds.error, check, run, stated)
                claims.append((("error", check.step), made))
            if bounds.bias is None:
                skipped.add("bias", family.name, bounds.reason or "no bound")
            else:
                made = partial(at_iterate, "bias", family.name, bounds.bias, check, run, stated)
                claims.append((("bias", check.step), made))
    if run.unchecked:
        skipped.add("error", "all", run.unchecked)
        skipped.add("bias", "all", run.unchecked)
    return claims


def _along_run(
    graph: OperatorGraph,
    run: Run,
    stated: list[Premise],
    families: Mapping[str, Family],
    skipped: _Skipped,
) -> tuple[Rates | None, list[_Claim]]:
    """Claims about averages along the run, and its end."""
    try:
        found = rates(graph, families=families)
    except BoundcalcError as error:
        skipped.add("nonconvex", "all", str(error).splitlines()[0])
        return None, []
    claims: list[_Claim] = []
    unseen = {"nonconvex": _thinned(graph), "pl": ""}
    for regime, table, metric in (
        ("nonconvex", found.nonconvex, "mean_squared_gradient"),
        ("pl", found.pl, "final_gap"),
    ):
        for name, rate in table.items():
            if rate.bound is None:
                skipped.add(regime, name, rate.refused or "no bound")
            elif unseen[regime]:
                skipped.add(regime, "all", unseen[regime])
            else:
                claims.append(((regime, 0), partial(along_run, regime, rate, metric, run, stated)))
    return found, claims


def _thinned(graph: OperatorGraph) -> str:
    """Why an average over all steps was not measured; empty where it was."""
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - there is a run
    every = section.record.every
    if every == 1:
        return ""
    return (
        f"the average over all steps was not measured: one step in {every} was recorded; "
        "set `simulation.record: {every: 1}`"
    )
