"""What the spec's perturbations are at each site of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.schedules import Always, Schedule


@dataclass(frozen=True)
class Held:
    """The perturbations of one site, taken together.

    Attributes
    ----------
    positions
        In ``graph.perturbations``; none where the spec perturbs nothing there.
    """

    direction: Literal["forward", "backward"]
    index: int
    positions: tuple[int, ...]
    perturbations: tuple[Perturbation, ...]
    _known: dict[tuple[str, bool], tuple[Scalar, Scalar, Scalar]] = field(
        default_factory=dict, compare=False
    )

    @property
    def schedule(self) -> Schedule:
        """Theirs if they share one, else every step."""
        schedules = {repr(p.schedule): p.schedule for p in self.perturbations}
        return next(iter(schedules.values())) if len(schedules) == 1 else Always()

    @property
    def dependence(self) -> Dependence:
        """The weakest of theirs."""
        return min((p.dependence for p in self.perturbations), default=Dependence.ANY)

    def acts(self, active: Sequence[tuple[int, ...]]) -> tuple[bool, ...]:
        """By group of steps, given which perturbations act in it."""
        if self.schedule.always:
            return (True,) * len(active)
        return tuple(bool(set(self.positions) & set(acting)) for acting in active)

    def current(self, graph: OperatorGraph) -> tuple[Number, Number] | None:
        """Rms and mean as the spec has them; None without a perturbation."""
        if not self.positions:
            return None
        (rms, mean), proved = in_best_kind(
            lambda kind: self.moments(graph, kind, fourth=False)[:2], 1
        )
        status = Status.PROVED if proved else Status.COMPUTED
        return Number(rms, status), Number(mean, status)

    def moments(
        self, graph: OperatorGraph, kind: Arithmetic, *, fourth: bool
    ) -> tuple[Scalar, Scalar, Scalar]:
        """√E‖·‖², mean and, if asked for, (E‖·‖⁴)^(1/4) of their sum (Minkowski)."""
        key = (kind.name, fourth)
        if key not in self._known:
            levels = graph.levels(kind, self.positions)
            forward = self.direction == "forward"
            e = (levels.e if forward else levels.eps)[self.index]
            m = (levels.m if forward else levels.n)[self.index]
            q = levels.q[self.index] if fourth and forward else None
            self._known[key] = (e, m, e if q is None else kind.sqrt(kind.sqrt(q)))
        return self._known[key]

    def notes(self) -> list[str]:
        """What is to be said of how they were read."""
        if not self.perturbations:
            return []
        found = []
        if len(self.perturbations) > 1:
            found.append(f"{len(self.perturbations)} perturbations here, taken together")
        if not self.schedule.always:
            found.append("at the steps of its schedule")
        elif any(not p.schedule.always for p in self.perturbations):
            found.append("their schedules differ, so at every step")
        return found


def held_by_site(graph: OperatorGraph) -> list[Held]:
    """In the order of ``graph.sites``."""
    by_site: dict[tuple[str, int], list[int]] = {}
    for position, perturbation in enumerate(graph.perturbations):
        forward = perturbation.direction == "forward"
        index = perturbation.site if forward else perturbation.edge
        by_site.setdefault((perturbation.direction, index), []).append(position)
    found = []
    for site in graph.sites:
        positions = tuple(by_site.get((site.direction, site.index), ()))
        own = tuple(graph.perturbations[k] for k in positions)
        found.append(Held(site.direction, site.index, positions, own))
    return found
