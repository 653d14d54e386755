"""What a reader may move: a control has a place in the spec, a value and a range."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Group = Literal["symbols", "levels", "sites", "constants", "objective", "training", "depth"]
Scale = Literal["log", "linear", "integer", "choice"]


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes
    ----------
    key
        Its name in settings and links.
    group
        Where a page shows it.
    label
        Plain text, parts of it from the spec.
    latex
        The quantity in the notation of docs/theory.md; None for names of the spec.
    value, low, high
        At the start, and the ends of its range; factors start at 1.
    scale
        How it moves between them.
    symbol
        The symbol of the template that holds it, or the path of the number in the template;
        None of the depth, which has a template of its own for each value.
    note
        What else a reader needs to know.
    text
        What the spec says, where that is a rational number; comparisons use it.
    choices
        The values of a choice.
    """

    key: str
    group: Group
    label: str
    latex: str | None
    value: float
    low: float
    high: float
    scale: Scale
    symbol: str | tuple[str | int, ...] | None
    note: str = ""
    text: str | None = None
    choices: tuple[float, ...] = ()

    def within(self, other: Control) -> Control:
        """The same in a range that is also that of the same control at another depth.

        Step size and objective have their own range, wherever the depth is.
        """
        if self.group not in ("symbols", "levels", "sites"):
            return self
        return replace(self, low=max(self.low, other.low), high=min(self.high, other.high))

    def json(self) -> dict[str, Any]:
        """As a page reads it.

        >>> Control("forward", "levels", "forward", None, 1, 0.1, 10, "log", "forward").json()
        {'key': 'forward', 'group': 'levels', 'label': 'forward', 'latex': None, 'value': 1, \
'min': 0.1, 'max': 10, 'scale': 'log', 'note': '', 'text': None}
        """
        found = asdict(self)
        del found["symbol"], found["low"], found["high"], found["choices"]
        ends = {"min": self.low, "max": self.high}
        made = {key: found[key] for key in ("key", "group", "label", "latex", "value")}
        made |= ends | {key: found[key] for key in ("scale", "note", "text")}
        if self.choices:
            made["choices"] = list(self.choices)
        return made


@dataclass(frozen=True)
class Fixed:
    """A quantity of the spec that has no control, and why."""

    label: str
    value: str
    reason: str


class Names:
    """Symbols for quantities that the spec does not name: one for each key, none twice.

    >>> names = Names(["forward"])
    >>> names("forward"), names("forward"), names("site:0:f1"), names("site:1:f1")
    ('forward_', 'forward_', 'site', 'site_2')
    """

    def __init__(self, taken: list[str]) -> None:
        self._taken = set(taken)
        self._known: dict[str, str] = {}

    def __call__(self, key: str) -> str:
        """The symbol for a key."""
        if key not in self._known:
            name = base = key.partition(":")[0]
            number = 1
            while name in self._taken:
                number += 1
                name = f"{base}_" if ":" not in key and number == 2 else f"{base}_{number}"
            self._taken.add(name)
            self._known[key] = name
        return self._known[key]
