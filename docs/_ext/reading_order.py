"""Long pages spread among short ones: Sphinx gives its processes neighbouring pages."""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_LONG = ("reference/code/", "notebooks/")


def spread(long: list[str], short: list[str]) -> list[str]:
    """All pages, the long ones at equal distances.

    >>> spread(["A", "B"], ["a", "b", "c", "d"])
    ['A', 'a', 'b', 'B', 'c', 'd']
    """
    total = len(long) + len(short)
    places = {number * total // len(long) for number in range(len(long))} if long else set()
    rest, first = iter(short), iter(long)
    return [next(first if place in places else rest) for place in range(total)]


def reorder(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Change the order in which pages are read."""
    del app, env
    long = [name for name in docnames if name.startswith(_LONG)]
    docnames[:] = spread(long, [name for name in docnames if not name.startswith(_LONG)])


def setup(app: Sphinx) -> dict[str, bool]:
    """Change the order before pages are read."""
    app.connect("env-before-read-docs", reorder)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
