"""What an experiment of [KZY] is: sweeps, a picture, and findings in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from boundcalc.experiments.findings import Finding
from boundcalc.experiments.settings import Setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Spec name → its settings in the order of the sweep.
Results = Mapping[str, Sequence[Setting]]


@dataclass(frozen=True)
class Sweep:
    """One shipped sweep spec, and what of it ``--quick`` runs.

    Attributes
    ----------
    spec
        Its name in specs/section7, without a suffix.
    over, zipped
        What replaces axes of the spec in a quick run: path → values, and the axes on which
        several paths change together.
    shortened
        Whether a quick run has a smaller horizon and fewer replicas.
    """

    spec: str
    over: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    zipped: tuple[Mapping[str, Sequence[Any]], ...] | None = None
    shortened: bool = True


#: Horizon and replicas of a quick run; every run of a figure of [KZY] has T = 200 000 and 8.
QUICK_HORIZON, QUICK_REPLICAS = 5_000, 4


class Experiment(ABC):
    """A figure or an appendix of [KZY], section 7; concrete experiments are final.

    Attributes
    ----------
    name
        ``figure-3``, ``appendix-a1``, ….
    title
        A heading.
    paper
        What the paper says of it.
    sweeps
        What is simulated.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    sweeps: ClassVar[tuple[Sweep, ...]] = ()

    @abstractmethod
    def draw(self, results: Results) -> Figure:
        """The picture; called within :func:`boundcalc.report.plots.style`."""

    @abstractmethod
    def findings(self, results: Results) -> list[Finding]:
        """What it shows."""
