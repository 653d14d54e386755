"""The sections of a spec without which nothing runs."""

from __future__ import annotations

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.model import SimulationSection, TrainingSection


def needed_sections(graph: OperatorGraph) -> tuple[SimulationSection, TrainingSection]:
    """``simulation`` and ``training``.

    Raises
    ------
    SpecError
        If one of them is missing.
    """
    section, training = graph.spec.simulation, graph.spec.training
    for name, found in (("simulation", section), ("training", training)):
        if found is None:
            raise SpecError(
                f"the spec has no `{name}` section",
                where=name,
                expected=f"a `{name}` section",
                fix="add one (docs/spec-reference.md); `boundcalc compile` needs none",
            )
    assert section is not None  # noqa: S101 - checked above
    assert training is not None  # noqa: S101 - checked above
    return section, training
