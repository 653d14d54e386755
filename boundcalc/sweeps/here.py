"""Points one after the other in this process."""

from __future__ import annotations

from collections.abc import Iterable

from boundcalc.sweeps.task import Results, Task, run_point


def run_here(tasks: Iterable[Task]) -> Results:
    """The number of every point and the text of its file."""
    for task in tasks:
        yield task.index, run_point(task)
