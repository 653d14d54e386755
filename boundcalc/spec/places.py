"""Where the values of a spec stand in its file: paths, and their lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

#: Keys and indices that lead from the top of a spec to a value.
Trail: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Places:
    """Where the values of a spec stand in its file.

    Two of them always compare equal: a spec is the same wherever it was read from.

    Attributes
    ----------
    name
        The file's name.
    tree
        ``(line, {key or index: tree})`` for a section or list, else the line; None if
        the spec was not read from text.
    """

    name: str | None = field(default=None, compare=False)
    tree: Any = field(default=None, compare=False, repr=False)

    def where(self, path: Trail | str = ()) -> str | None:
        """``file:line: path``, as much of it as is known.

        >>> Places("my.yaml", (1, {"graph": (3, {})})).where("graph.operators[2].id")
        'my.yaml:3: graph.operators[2].id'
        """
        line = self.line(path)
        file = self.name if line is None else f"{self.name}:{line}"
        text = path if isinstance(path, str) else dotted(path)
        parts = [part for part in (file, text) if part]
        return ": ".join(parts) or None

    def line(self, path: Trail | str = ()) -> int | None:
        """The line of the innermost part of the path that stands in the file."""
        steps = iter(_trail(path) if isinstance(path, str) else path)
        line, below = None, self.tree
        while below is not None:
            line, inside = below if isinstance(below, tuple) else (below, {})
            below = inside.get(next(steps, None))
        return line


def dotted(path: Sequence[str | int]) -> str:
    """A path as text.

    >>> dotted(("graph", "operators", 2, "constants", "jac input"))
    "graph.operators[2].constants['jac input']"
    """
    text = ""
    for key in path:
        plain = isinstance(key, str) and re.fullmatch(r"[\w.]+", key)
        text += f".{key}" if plain else f"[{key!r}]"
    return text.removeprefix(".")


def _trail(text: str) -> Trail:
    """The path that text such as ``graph.operators[2].id`` names."""
    parts = re.findall(r"([^.\[\]]+)|\[(\d+)\]", text)
    return tuple(int(index) if index else key for key, index in parts)
