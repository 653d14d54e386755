"""The results that a path leads into: of a spec, made when they are asked for, or of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from boundcalc.arithmetic import Number
from boundcalc.errors import SpecError
from boundcalc.explain.paths import locate
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import Spec

if TYPE_CHECKING:
    from boundcalc.theories.base import Verb
    from boundcalc.theories.perturbed.coefficients import Coefficients

T = TypeVar("T")

_VERBS = ("compile", "rate", "budget", "simulate", "verify")
_FAMILY = re.compile(r"compile\.(published|corrected|sharp)(?=$|[.\[])")
#: What of a budget is made only if it is asked for.
_ASKED = {"allocation": "allocate", "formats": "formats", "calibration": "calibrate"}
_MOST = 100_000_000  # bytes of a results.json


class Results:
    """What a spec's commands print, each made once.

    Parameters
    ----------
    graph
        The spec's graph; None for results that were read from a file.
    read
        The content of such a file.
    """

    def __init__(self, graph: OperatorGraph | None, read: Mapping[str, Any] | None = None) -> None:
        self.graph = graph
        self._read = read
        self._made: dict[str, Any] = {}
        self._raw: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The spec's name."""
        return str((self._read or {}).get("name", "")) if self.graph is None else self.graph.name

    def data(self, path: str) -> Any:
        """The object in which a path is to be looked up."""
        if self._read is not None:
            return self._read
        verb = re.split(r"[.\[]", path, maxsplit=1)[0]
        if verb not in _VERBS:
            return {verb: {} for verb in _VERBS}
        family = _FAMILY.match(path)
        if family:
            return {"compile": {family[1]: self._compiled(family[1])}}
        return {verb: self._answered(verb, path)}  # type: ignore[arg-type]  # looked up above

    def raw(self, path: str) -> Any:
        """What stands at a path before it became JSON: a Number, if the theory had one."""
        verb = path.split(".")[0]
        if self.graph is None or verb not in self._raw:
            return None
        placed = locate({verb: self._raw[verb]}, path)
        return None if placed is None else placed[1]

    def once(self, key: str, make: Callable[[OperatorGraph], T]) -> T:
        """What a function makes of the graph; it is called once for each key."""
        assert self.graph is not None  # noqa: S101 - results of a file are not asked
        if key not in self._made:
            self._made[key] = make(self.graph)
        found: T = self._made[key]
        return found

    def coefficients(self, family: str) -> Coefficients:
        """The coefficients of one family."""
        from boundcalc.theories.perturbed.coefficients import coefficients

        return self.once(f"coefficients of {family}", lambda graph: coefficients(graph, family))

    def _compiled(self, family: str) -> Any:
        from boundcalc.report.results import compile_results

        made = self.coefficients(family)
        return self.once(f"compile.{family}", lambda _: compile_results(made, graph=True))

    def _answered(self, verb: Verb, path: str) -> Any:
        from boundcalc.theories.ask import ask
        from boundcalc.theories.plain import jsonable

        more = {word for key, word in _ASKED.items() if path.startswith(f"budget.{key}")}
        key = verb + "".join(sorted(more))
        if key not in self._made:
            assert self.graph is not None  # noqa: S101 - there is no file
            if more and self.graph.spec.theory == "perturbed":
                self._made[key] = self._bits(more)
            else:
                answer = ask(verb, self.graph)
                self._raw[verb] = answer.data
                self._made[key] = jsonable(answer.data)
        return self._made[key]

    def _bits(self, more: set[str]) -> Any:
        from boundcalc.budgets.budget import budget
        from boundcalc.report.budget_results import budget_results

        assert self.graph is not None  # noqa: S101 - there is no file
        return budget_results(
            budget(
                self.graph,
                allocate="allocate" in more,
                formats="formats" in more,
                calibrate="calibrate" in more,
            )
        )

    def where(self, key: str) -> str | None:
        """File, line and key where something stands in the spec."""
        return None if self.graph is None else self.graph.spec.where(key)

    def written(self, key: str, default: int | None = None) -> Number | float | str | None:
        """The value of a key of the spec, if that is a number."""
        if self.graph is None:
            return None
        found: Any = self.graph.spec
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)
        if isinstance(found, Expression):
            return self._number(found)
        if found is None:
            return default
        return found if isinstance(found, int | float) and not isinstance(found, bool) else None

    def _number(self, expression: Expression) -> Number | str:
        from boundcalc.report.notation import number_of

        assert self.graph is not None  # noqa: S101 - the caller has looked
        found = number_of(self.graph, expression)
        return str(expression) if found is None else found


def results_of(source: Results | Spec | OperatorGraph | Path | str | None) -> Results | None:
    """The results of a spec, of a graph, or of a file; None for None.

    Raises
    ------
    SpecError
        If a file is neither a spec nor the results.json of a report.
    """
    if source is None or isinstance(source, Results):
        return source
    if isinstance(source, OperatorGraph):
        return Results(source)
    from boundcalc.theories.registry import THEORIES, build_for

    if isinstance(source, Spec):
        return Results(build_for(source))
    from boundcalc.spec.loading import load

    read = _report(Path(source))
    return (
        Results(None, read)
        if read is not None
        else Results(build_for(load(source, theories=THEORIES)))
    )


def is_report(path: Path) -> bool:
    """Whether a file has the results of a report, and not a spec."""
    return _report(path) is not None


def _report(path: Path) -> Mapping[str, Any] | None:
    """The content of a report's results.json; None if the file is something else."""
    if path.suffix != ".json":
        return None
    try:
        if path.stat().st_size > _MOST:
            raise SpecError("the file is too large", where=str(path), expected="less than 100 MB")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # whoever reads it as a spec says what is wrong
    if isinstance(found, dict) and "versions" in found and "version" not in found:
        return found
    return None
