"""Everything boundcalc raises on purpose.

::

    BoundcalcError                 exit 2 on the command line
    ├── SpecError                  the spec file: location, value, expectation, fix
    │   ├── ExpressionError        an expression inside the spec
    │   └── DataError              a data set that the spec names or generates
    ├── SymbolError                a number is wanted where a symbol has no value
    ├── InexactError               exact arithmetic met an irrational number
    ├── UnsupportedError           a sound request that this version cannot serve
    ├── SimulationError            a run that cannot be made, or diverged where it may not
    └── OutputError                a folder or file that cannot be written

Every message says where, what was found, what was expected, and what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_SHOWN = 80  # characters of an offending value that a message repeats


def shown(value: object) -> str:
    """Repeat ``value`` in a message, cut to a readable length.

    >>> shown("x" * 200).count("x")
    80
    """
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return repr(text) if isinstance(value, str) else text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None if none is close.

    >>> nearest("horizn", ["horizon", "step_size"])
    'horizon'
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


#: First part of a spec's path → the section of docs/ about it; a longer one goes before.
PAGES = {
    "version": "docs/spec-reference.md#top-level",
    "name": "docs/spec-reference.md#top-level",
    "theory": "docs/spec-reference.md#theories",
    "symbols": "docs/spec-reference.md#symbols",
    "graph": "docs/spec-reference.md#graph",
    "loss": "docs/spec-reference.md#loss",
    "perturbations": "docs/spec-reference.md#perturbations",
    "training": "docs/spec-reference.md#training",
    "training.optimizer": "docs/spec-reference.md#optimizers",
    "simulation": "docs/spec-reference.md#simulation",
    "simulation.data": "docs/spec-reference.md#data",
    "budget": "docs/spec-reference.md#budget",
    "sweep": "docs/spec-reference.md#sweep",
    "staleness": "docs/spec-reference.md#staleness",
    "shrinkage": "docs/spec-reference.md#shrinkage",
    "distributed": "docs/spec-reference.md#distributed",
    "--set": "docs/spec-reference.md#symbols",
    "PATH": "docs/command-line.md#where-a-number-comes-from",
}


def page_of(where: str | None) -> str | None:
    """The section of docs/ about a place in a spec, or about an option; None if there is none.

    >>> page_of("my.yaml:7: training.optimizer.beta")
    'docs/spec-reference.md#optimizers'
    >>> page_of("out/report.html") is None
    True
    """
    path = (where or "").split(": ")[-1]
    names = re.findall(r"[^.\[\]\s]+", path)[:2]
    for key in (".".join(names), *names[:1]):
        if key in PAGES:
            return PAGES[key]
    return None


class BoundcalcError(Exception):
    """Base of every error that boundcalc raises on purpose.

    Parameters
    ----------
    problem
        What is wrong, as one sentence without a full stop.
    where
        File and path inside it, for example ``spec.yaml: graph.operators[2].id``.
    value
        The offending value, repeated in the message.
    expected
        What would have been right.
    fix
        What the reader can do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str | None = None,
        value: object = None,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.problem = problem
        self.where = where
        self.value = value
        self.expected = expected
        self.fix = fix
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [self.problem if self.where is None else f"{self.where}: {self.problem}"]
        if self.value is not None:
            lines.append(f"  found:    {shown(self.value)}")
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        if self.fix is not None:
            lines.append(f"  fix:      {self.fix}")
        return "\n".join(lines)

    @property
    def doc(self) -> str | None:
        """The section of docs/ that helps, or None."""
        return page_of(self.where)

    def located(self, where: str) -> BoundcalcError:
        """The same error with ``where`` put in front of its location."""
        inner = where if self.where is None else f"{where}: {self.where}"
        return type(self)(
            self.problem, where=inner, value=self.value, expected=self.expected, fix=self.fix
        )


class SpecError(BoundcalcError):
    """The spec breaks the format or contradicts itself."""


class ExpressionError(SpecError):
    """An expression in the spec is not one that the small parser allows."""

    @property
    def doc(self) -> str | None:
        """The grammar."""
        return "docs/spec-reference.md#numbers-and-expressions"


class DataError(SpecError):
    """A data set cannot be read or does not fit the operators."""


class SymbolError(BoundcalcError):
    """A number was asked for, but a symbol has no value."""

    @property
    def doc(self) -> str | None:
        """How symbols get values."""
        return PAGES["symbols"]


class InexactError(BoundcalcError):
    """Exact arithmetic was asked for something irrational or measured."""


class UnsupportedError(BoundcalcError):
    """A sound request that this version cannot serve."""


class SimulationError(BoundcalcError):
    """A simulation cannot be set up, or left the numbers that floats can hold."""


class OutputError(BoundcalcError):
    """A result cannot be written where it was asked for."""
