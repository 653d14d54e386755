"""What is measured, section by section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from simbench.agreement import agreement
from simbench.cases import Case, logistic, network
from simbench.measure import Player, Team
from simbench.pool import ToolError, Worker, processors
from simbench.sweep_overhead import sweep_overhead
from simbench.tools import TOOLS

#: What was measured so far, or in one section.
Found: TypeAlias = dict[str, Any]

REFERENCE = {"logistic": logistic(), "network": network()}
STEPS = (1, 10, 100, 1000)
REPLICAS = (2, 8, 64, 256)
DEPTHS = (2, 6, 12)
WIDTHS = (16, 64, 128)


def players(threads: int, *, extra: bool = False) -> list[Player]:
    """All tools that are installed; the extra ones only if wanted."""
    return [
        (name, threads)
        for name, tool in TOOLS.items()
        if tool.installed and (extra or not tool.extra)
    ]


def most() -> int:
    """As many threads as the largest measurement uses: two, or one on one processor."""
    return min(2, len(processors()))


def check(team: Team, quick: bool, found: Found) -> Found:
    """Every tool against the literal step."""
    return agreement(team, players(most(), extra=True))


def reference(team: Team, quick: bool, found: Found) -> Found:
    """The two reference problems with one thread and with two, all in turns."""
    parts: Found = {}
    for kind, case in REFERENCE.items():
        both = [p for threads in (most(), 1) for p in players(threads, extra=threads == most())]
        measured = team.times(case, both, **effort(case, 5, quick))
        parts[kind] = {"elements": case.elements}
        for (name, threads), times in measured.items():
            parts[kind].setdefault(str(threads), {})[name] = times
    return parts


def effort(case: Case, rounds: int, quick: bool) -> dict[str, Any]:
    """Rounds, and how long each is: long enough that the start of a run does not count."""
    if quick:
        return {"rounds": 2, "seconds": 0.05}
    return {"rounds": rounds, "seconds": 0.2 if case.kind == "logistic" else 0.3}


def along(
    team: Team,
    quick: bool,
    found: Found,
    cases: dict[int, Case],
    steps: Callable[[int], int | None] = lambda _: None,
) -> Found:
    """Times by tool at every point of an axis; a reference problem is not measured again."""
    points: Found = {}
    for value, case in cases.items():
        if case == REFERENCE[case.kind]:
            part = found["reference"][case.kind]
            times = {
                name: entry for name, entry in part[str(most())].items() if not TOOLS[name].extra
            }
        else:
            fewer = effort(case, 3, quick)
            measured = team.times(case, players(most()), **fewer, steps=steps(value))
            times = {name: entry for (name, _), entry in measured.items()}
        points[str(value)] = {"elements": case.elements, "times": times}
    return points


def shorter(values: tuple[int, ...], quick: bool) -> tuple[int, ...]:
    return values[:-1] if quick else values


def steps(team: Team, quick: bool, found: Found) -> Found:
    """Time per step of logistic regression with 8 replicas, the start of a run included."""
    cases = {T: logistic(replicas=8) for T in shorter(STEPS, quick)}
    return along(team, quick, found, cases, lambda T: T)


def replicas(team: Team, quick: bool, found: Found) -> Found:
    """Logistic regression."""
    cases = {R: logistic(replicas=R) for R in shorter(REPLICAS, quick)}
    return along(team, quick, found, cases)


def depth(team: Team, quick: bool, found: Found) -> Found:
    """Hidden layers of the network."""
    return along(team, quick, found, {N: network(depth=N) for N in shorter(DEPTHS, quick)})


def width(team: Team, quick: bool, found: Found) -> Found:
    """Units of every hidden layer."""
    return along(team, quick, found, {n: network(width=n) for n in shorter(WIDTHS, quick)})


def memory(team: Team, quick: bool, found: Found) -> Found:
    """Largest resident memory of a process that does nothing but one reference problem."""
    parts: Found = {}
    for kind, case in REFERENCE.items():
        path = str(case.saved(team.folder))
        for name, threads in players(most()):
            if kind not in TOOLS[name].kinds or name in team.lost:
                continue
            try:
                with Worker(name, threads) as worker:
                    before = worker.ask("prepare", problem=path)["before"]
                    peak = worker.ask("run", problem=path, steps=5, seed=0)["peak"]
            except ToolError as error:
                team.drop((name, threads), error)
                continue
            parts.setdefault(kind, {})[name] = {"before": before, "peak": peak}
    return parts


def sweeps(team: Team, quick: bool, found: Found) -> Found:
    """What a point of a sweep costs beside its simulation."""
    team.close()  # idle, but in memory
    return sweep_overhead((8, 40) if quick else (10, 60), rounds=1 if quick else 2)


#: Name → measurement, in an order in which each finds what it needs of those before.
SECTIONS: dict[str, Callable[[Team, bool, Found], Found]] = {
    "check": check,
    "reference": reference,
    "steps": steps,
    "replicas": replicas,
    "depth": depth,
    "width": width,
    "memory": memory,
    "sweeps": sweeps,
}
