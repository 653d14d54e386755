"""Where a number comes from: its rule, and at a spec its value, status and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.number import worst
from boundcalc.errors import BoundcalcError
from boundcalc.explain.entry import Captures, Entry, Input
from boundcalc.explain.links import link
from boundcalc.explain.paths import leaves, locate, spelled
from boundcalc.explain.registry import REGISTRY, elsewhere, find, unknown
from boundcalc.explain.results import Results, results_of
from boundcalc.showing import Shown
from boundcalc.spec.places import dotted

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph
    from boundcalc.spec.model import Spec

#: What each status means, and what a number without one is.
MEANINGS = {
    "proved": "exact or enclosed between rounded ends, from the stated assumptions",
    "computed": "the same formula in floating point, or a statement that is not proved",
    "sampled": "from a simulation, with a confidence interval; never a proof",
    "undetermined": "neither confirmed nor refuted",
    "stated": "the spec states it, or leaves it at its default",
    "count": "it counts something",
}
#: What is said of inputs without values.
NO_SPEC = "a results file has no values of these inputs: give the spec in its place"
_ABSENT = Entry("nothing: the spec does not ask for it, or lacks what it needs", kind="text")
_GROUP = Entry("a group of numbers", kind="text")


@dataclass(frozen=True)
class Given:
    """An input of a formula with its value.

    Attributes
    ----------
    input
        Which one.
    value, status
        None where no spec was given, or it has no value.
    where
        File, line and key of the spec where it stands, or is missing.
    """

    input: Input
    value: Number | float | str | None = None
    status: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class Explanation(Shown):
    """What a number is and where it comes from.

    Attributes
    ----------
    path
        As it was asked for.
    entry
        What holds at any spec.
    inputs
        The letters of the formula, with values where a spec was given.
    known
        Whether there is a value: a spec was given, and it has this number.
    value, status
        As ``--json`` prints it, and how far it can be trusted.
    name
        The spec's name.
    members
        Of a group of numbers: the paths in it.
    read
        Whether it is from a results file, which has values and statuses but no spec: inputs
        that stand in the spec, or are made from it, have no value then.
    """

    path: str
    entry: Entry
    inputs: tuple[Given, ...] = ()
    known: bool = False
    value: Any = None
    status: str | None = None
    name: str | None = None
    members: tuple[str, ...] = ()
    read: bool = False

    @property
    def without_inputs(self) -> bool:
        """Whether values of inputs are missing because there is no spec."""
        return self.read and any(x.value is None and not x.input.in_words for x in self.inputs)

    @property
    def doc(self) -> str | None:
        """The page of docs/ that has the source, with its anchor."""
        return link(self.entry.source)


def explain(
    path: str, source: Results | Spec | OperatorGraph | Path | str | None = None
) -> Explanation:
    r"""What the number at a path of a result is, and where it comes from.

    Parameters
    ----------
    path
        Of a number in a JSON result, after the name of the command that prints it, such as
        ``rate.nonconvex.sharp.terms.sampling`` or ``verify.verdicts[3].slack``.
    source
        A spec, a graph, or a file with a spec or with the results.json of a report, which gives
        value and status but no values of inputs.  Without one the answer holds for any spec.

    Raises
    ------
    SpecError
        If no number has such a path, with the nearest that has one.

    Notes
    -----
    With a spec the command is run that makes the number: of paths below ``simulate`` and
    ``verify`` that is the simulation.

    Examples
    --------
    >>> from boundcalc.resources import example
    >>> found = explain("rate.nonconvex.sharp.terms.sampling", example("logistic-nonconvex"))
    >>> found.value, found.status, found.doc
    (1.5e-06, 'proved', 'docs/theory.md#theorem-6-1')
    >>> for given in found.inputs:
    ...     print(given.input.symbol, given.input.spec, given.value)
    L loss.smoothness 0.3
    \gamma training.step_size 0.5
    \sigma loss.gradient_noise 0.00316228
    """
    results = results_of(source)
    if results is None:
        return _anywhere(path)
    data = results.data(path)
    placed = locate(data, path) if path else None
    if placed is None:
        known = [dotted(at) for at, _ in leaves(data)]
        beside = path.rpartition(".")[0] + "."
        if find(path) is not None and not any(other.startswith(beside) for other in known):
            raise elsewhere(path, results.name)
        raise unknown(path, known)
    value = placed[1]
    if isinstance(value, dict | list):
        return _group(path, value, results)
    found = find(path, results.graph)
    if found is None and value is None:
        return Explanation(path, _ABSENT, known=True, name=results.name)
    if found is None:
        raise unknown(path, _patterns())
    entry, captures = found
    inputs = tuple(given(x, captures, results) for x in entry.inputs)
    status = status_of(entry, captures, results, path, value)
    return Explanation(
        path, entry, inputs, True, value, status, results.name, read=results.graph is None
    )


def _anywhere(path: str) -> Explanation:
    """What holds at any spec."""
    found = find(path)
    if found is not None:
        entry, _ = found
        return Explanation(path, entry, tuple(Given(x) for x in entry.inputs))
    members = tuple(p for p in _patterns() if p.startswith((f"{path}.", f"{path}#")))
    if not members:
        raise unknown(path, _patterns())
    return Explanation(path, _GROUP, members=members)


def _patterns() -> list[str]:
    return list(spelled(pattern for pattern in REGISTRY if not pattern.startswith("{")))


def _group(path: str, value: Any, results: Results) -> Explanation:
    """A part of a result that is no number: what is in it."""
    found = find(path, results.graph)
    if not value:
        entry = Entry("nothing is in it", kind="text") if found is None else found[0]
        return Explanation(path, entry, known=True, value=value, name=results.name)
    members = tuple(f"{path}.{dotted(at)}".replace(".[", "[") for at, _ in leaves(value))
    entry = _GROUP if found is None else found[0]
    return Explanation(path, entry, name=results.name, members=members)


def given(asked: Input, captures: Captures, results: Results | None) -> Given:
    """An input with its value at a spec."""
    if results is None:
        return Given(asked)
    graph = results.graph
    where = results.where(asked.spec) if asked.spec else None
    if asked.path:
        placed = locate(results.data(asked.path), asked.path)
        if placed is None:
            return Given(asked, where=where)
        found = find(asked.path, graph)
        status = None
        if found is not None:
            status = status_of(*found, results, asked.path, placed[1])
        return Given(asked, placed[1], status, where)
    number: Number | float | str | None = None
    if asked.compute is not None and graph is not None:
        try:
            number = asked.compute(graph, captures)
        except BoundcalcError:
            number = None
    elif asked.spec:
        number = results.written(asked.spec, asked.default)
    status = str(number.status) if isinstance(number, Number) else None
    if asked.spec and asked.compute is None:
        status = None if number is None else "stated"
    return Given(asked, number, status, where)


def status_of(
    entry: Entry, captures: Captures, results: Results, path: str, value: Any
) -> str | None:
    """How far the value can be trusted; None for what is no number."""
    if entry.kind == "text" or value is None:
        return None
    if entry.kind == "setting":
        return "stated"
    if entry.kind == "count":
        return "count"
    if entry.status in MEANINGS:
        return entry.status
    if entry.number is not None and results.graph is not None:
        number = entry.number(results, captures)
        if number is not None:
            return str(number.status)
    raw = results.raw(path)
    if isinstance(raw, Number):
        return str(raw.status)
    if entry.status:
        same = results.raw(entry.status)
        if isinstance(same, Number):
            return str(same.status)
        placed = locate(results.data(entry.status), entry.status)
        if placed is not None and placed[1] in MEANINGS:
            return str(placed[1])
    return _beside(results.data(path), path)


def _beside(data: Any, path: str) -> str | None:
    """A status that stands beside the number, or beside a group that it is in."""
    placed = locate(data, path)
    if placed is None:
        return None
    trail = placed[0]
    for depth in range(len(trail) - 1, -1, -1):
        group = data
        for key in trail[:depth]:
            group = group[key]
        found = _status_in(group, [str(key) for key in trail[depth:]])
        if found is not None:
            return found
    return None


def _status_in(group: Any, rest: list[str]) -> str | None:
    if not isinstance(group, dict):
        return None
    if rest[0] == "terms" and len(rest) > 1:
        found = group.get("term_status", {}).get(rest[1])
        if found in MEANINGS:
            return str(found)
    if rest[0] == "split" and len(rest) > 1:  # sums of terms
        parts = group.get("term_status", {}).items()
        held = [s for term, s in parts if term.startswith(rest[1]) and s in set(Status)]
        if held:
            return str(worst(*map(Status, held)))
    own = group.get(f"{rest[0]}_status")
    if own in MEANINGS:
        return str(own)
    status = group.get("status")
    if isinstance(status, dict):
        status = status.get(rest[0])
    return str(status) if isinstance(status, str) and status in set(Status) else None
