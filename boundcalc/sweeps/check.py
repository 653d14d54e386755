"""Look at a sweep before anything runs: every path, every value, and the first point in full."""

from __future__ import annotations

from collections.abc import Iterator

from boundcalc.errors import BoundcalcError, SpecError, nearest
from boundcalc.graph import build
from boundcalc.operators import OPERATORS
from boundcalc.perturbations import DISTRIBUTIONS, TRANSFORMS
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import PerturbationSection, Spec
from boundcalc.spec.only import only_passes
from boundcalc.spec.places import Trail, dotted
from boundcalc.spec.sections import OpenSection, OperatorSection
from boundcalc.sweeps.grid import Grid
from boundcalc.sweeps.overrides import override
from boundcalc.sweeps.paths import read_path

_CHECKED = 500  # values of an axis; a later one that does not fit fails when its point runs


def check_points(spec: Spec, grid: Grid) -> None:
    """Raise SpecError for a path that is not in the spec or a value that does not fit there.

    Every value of an axis is looked at with all other axes at their first value, and the
    first point is built as it will run.  What only goes wrong in another combination is
    recorded at its point.
    """
    only_passes(spec, "sweeps are")
    for name in ("simulation", "training"):
        if getattr(spec, name) is None:
            raise SpecError(
                f"the spec has no `{name}` section",
                where=name,
                expected=f"a `{name}` section: every point of a sweep is a simulation",
                fix="add one (docs/spec-reference.md)",
            )
    first = grid.settings(0)
    for axis in grid.axes:
        for texts in axis.values[:_CHECKED]:
            chosen = dict(zip(axis.paths, texts, strict=True))
            try:
                changed = override(spec, {**first, **chosen})
                for path in axis.paths:
                    _check_library(changed, read_path(path))
            except BoundcalcError as error:
                raise error.located(_shown(chosen)) from None
    try:
        build(override(spec, grid.values_at(0)), folder=spec.folder)
    except BoundcalcError as error:
        raise error.located(grid.name(0)) from None


def _shown(settings: dict[str, str]) -> str:
    return ", ".join(f"{path}={text}" for path, text in settings.items())


def _check_library(spec: Spec, path: Trail) -> None:
    """Check the parameters of the operator or perturbation that a path leads into."""
    for place, section in _open_sections(spec, path):
        key, name, known = _library_of(section)
        if name is None:
            continue
        if name not in known:
            close = nearest(name, known)
            raise SpecError(
                f"unknown {key} {name!r}",
                where=dotted(place),
                expected="one of " + ", ".join(sorted(known)),
                fix=f"did you mean {close!r}?" if close else None,
            )
        library_object(known[name], section.parameters, dotted(place), spec.symbols)


def _open_sections(spec: Spec, path: Trail) -> Iterator[tuple[Trail, OpenSection]]:
    sections: list[PerturbationSection] | list[OperatorSection] | None = None
    section: OpenSection | None = None
    for at, step in enumerate(path):
        if path[:at] == ("perturbations",):
            sections = spec.perturbations
        elif path[:at] == ("graph", "operators"):
            sections = spec.graph.operators
        elif at and path[at - 1] == "block" and isinstance(step, int):
            sections = section.block if isinstance(section, OperatorSection) else None
        if sections is not None and isinstance(step, int) and step < len(sections):
            section = sections[step]
            yield path[: at + 1], section
            sections = None


def _library_of(section: OpenSection) -> tuple[str, str | None, dict[str, type]]:
    if isinstance(section, OperatorSection):
        return "type", section.type, dict(OPERATORS)
    assert isinstance(section, PerturbationSection)  # noqa: S101 - there are only two kinds
    return "model", section.model, {**DISTRIBUTIONS, **TRANSFORMS}
