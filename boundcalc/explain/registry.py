"""Every path of a number in a result, and what is known of it: one dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boundcalc.errors import SpecError, nearest
from boundcalc.explain.budgeted import BUDGETED
from boundcalc.explain.compiled import COMPILED
from boundcalc.explain.distributed import DISTRIBUTED
from boundcalc.explain.entry import Entry, Rule, entry_of
from boundcalc.explain.graphs import GRAPHS
from boundcalc.explain.paths import captures_of, literal
from boundcalc.explain.rated import RATED
from boundcalc.explain.shrunk import SHRUNK
from boundcalc.explain.simulated import SIMULATED
from boundcalc.explain.stale import STALE

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

#: What stands in every result beside its numbers; any longer pattern goes before.
GENERAL: dict[str, Rule] = {
    "{somewhere}.exact.{name}": Entry(
        "a number as an exact fraction p/q; null where it is not rational", kind="text"
    ),
    "{somewhere}.exact": Entry("the numbers that are rational, as p/q", kind="text"),
    "{somewhere}.status": Entry("how far a number can be trusted", kind="text"),
    "{somewhere}.status.{name}": Entry("how far a number can be trusted", kind="text"),
    "{somewhere}.source": Entry("the theorem and where it stands", kind="text"),
    "{somewhere}.caution": Entry("what a reader must know first", kind="text"),
    "{somewhere}.refused": Entry("why there is no number; null where there is one", kind="text"),
    "{somewhere}.conditions#": Entry("a condition of the statement", kind="text"),
    "{somewhere}.notes#": Entry("how the spec was read, or what is left out", kind="text"),
    "{somewhere}.note": Entry("what else there is to say", kind="text"),
    "{somewhere}.name": Entry("the spec's name", kind="text"),
    "{somewhere}.operators#": Entry("an operator's id", kind="text"),
    "name": Entry("the spec's name", kind="text"),
    "theory": Entry("the theory of the spec", kind="text"),
    "operators#": Entry("an operator's id", kind="text"),
    "figures#": Entry("a figure of the report", kind="text"),
    "versions.{package}": Entry("the version that made the numbers", kind="text"),
    "assumptions#.{key}": Entry("a line of the ledger of assumptions", kind="text"),
}

REGISTRY: Mapping[str, Rule] = {
    **GENERAL,
    **COMPILED,
    **GRAPHS,
    **RATED,
    **SIMULATED,
    **BUDGETED,
    **STALE,
    **SHRUNK,
    **DISTRIBUTED,
}

_ORDER = sorted(REGISTRY, key=literal, reverse=True)


def find(
    path: str, graph: OperatorGraph | None = None, registry: Mapping[str, Rule] = REGISTRY
) -> tuple[Entry, dict[str, str]] | None:
    """The entry of a path, and what its placeholders stand for; None if there is none.

    >>> find("rate.pl.sharp.terms.sampling")[1]
    {'regime': 'pl', 'family': 'sharp', 'term': 'sampling'}
    """
    order = _ORDER if registry is REGISTRY else sorted(registry, key=literal, reverse=True)
    for pattern in order:
        captures = captures_of(pattern, path)
        if captures is None:
            continue
        try:
            return entry_of(registry[pattern], captures, graph), captures
        except KeyError:  # a word that the rule does not know: another pattern may
            continue
    return None


def elsewhere(path: str, name: str) -> SpecError:
    """The error for a path of other results than this one."""
    return SpecError(
        f"{name} has no such number, though others do",
        where="PATH",
        value=path,
        expected="a number of this spec: some ask for what it leaves out, such as `loss.pl` or a "
        "perturbation, and in results.json the family is always named",
        fix=f"list its numbers with boundcalc explain {path.split('.')[0]} and the spec",
    )


def unknown(path: str, known: list[str]) -> SpecError:
    """The error for a path that names nothing."""
    known = [p.replace("#", "[0]") for p in known if "{" not in p]
    close = nearest(path, known)
    head = path.split(".")[0].split("[")[0]
    near = [p for p in known if p.startswith(f"{head}.")][:3]
    near = near or ["rate.nonconvex.sharp.bound", "verify.verdicts[0].slack"]
    return SpecError(
        "no number has this path",
        where="PATH",
        value=path,
        expected="a path in a JSON result, such as " + ", ".join(near),
        fix=f"did you mean {close!r}?"
        if close
        else "list them with boundcalc explain rate, or compile, budget, simulate, verify",
    )
