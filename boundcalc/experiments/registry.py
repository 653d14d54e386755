"""The experiments by name, in the paper's order."""

from __future__ import annotations

from collections.abc import Sequence

from boundcalc.errors import UnsupportedError, nearest
from boundcalc.experiments.appendix_a1 import AppendixA1
from boundcalc.experiments.appendix_a2 import AppendixA2
from boundcalc.experiments.base import Experiment
from boundcalc.experiments.figure_2 import Figure2
from boundcalc.experiments.figure_3 import Figure3
from boundcalc.experiments.figure_4 import Figure4
from boundcalc.experiments.figure_5 import Figure5
from boundcalc.experiments.figure_6 import Figure6
from boundcalc.experiments.figure_7 import Figure7
from boundcalc.experiments.figure_8 import Figure8
from boundcalc.experiments.figure_9 import Figure9

#: Name → experiment.
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Figure2(),
        Figure3(),
        Figure4(),
        Figure5(),
        Figure6(),
        Figure7(),
        Figure8(),
        Figure9(),
        AppendixA1(),
        AppendixA2(),
    )
}

#: Other names of an experiment.
ALIASES = {"appendix-a3": "figure-9"}


def chosen(names: Sequence[str]) -> list[Experiment]:
    """The experiments of these names, each once, in the paper's order; of none or ``all``, all.

    Raises
    ------
    UnsupportedError
        For an unknown name.

    Examples
    --------
    >>> [experiment.name for experiment in chosen(["figure-3", "appendix-a3"])]
    ['figure-3', 'figure-9']
    """
    wanted = set()
    for name in names:
        known = ALIASES.get(name, name)
        if known != "all" and known not in EXPERIMENTS:
            close = nearest(name, [*EXPERIMENTS, *ALIASES, "all"])
            raise UnsupportedError(
                "no such experiment",
                value=name,
                expected="all, or some of " + ", ".join([*EXPERIMENTS, *ALIASES]),
                fix=f"did you mean {close!r}?" if close else None,
            )
        wanted.add(known)
    everything = not wanted or "all" in wanted
    return [e for name, e in EXPERIMENTS.items() if everything or name in wanted]
