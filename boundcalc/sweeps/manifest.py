"""The file that says what a folder's sweep is: sweep.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boundcalc.errors import OutputError
from boundcalc.sweeps.grid import Axis, Grid
from boundcalc.sweeps.task import FORMAT
from boundcalc.sweeps.values import MAX_POINTS

NAME = "sweep.json"

_MAX_BYTES = 100_000_000
_KIND = "boundcalc sweep"


class Manifest(BaseModel):
    """What must be the same for a sweep to go on, and where its data lie.

    Attributes
    ----------
    spec
        The spec before any change, as one line of JSON.
    axes, seeds
        The grid; values as texts.
    engine
        What was asked for.
    versions
        Package → version.
    data
        SHA-256 of every file that the spec names, by name.
    folder
        Where these lie.  It may change: the digests say whether the files are the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    kind: str = _KIND
    spec: str
    axes: list[dict[str, list[str]]] = Field(max_length=1_000)
    seeds: list[int] = Field(max_length=MAX_POINTS)
    engine: str
    versions: dict[str, str]
    data: dict[str, str]
    folder: str

    @property
    def digest(self) -> str:
        """A short name for the sweep: the same whenever a start may go on with it."""
        text = json.dumps(self.model_dump(exclude={"folder"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def grid(self) -> Grid:
        """The axes and seeds."""
        axes = [Axis(tuple(axis), tuple(zip(*axis.values(), strict=True))) for axis in self.axes]
        return Grid(tuple(axes), tuple(self.seeds))

    def text(self) -> str:
        """As the file has it."""
        return json.dumps(self.model_dump(), indent=1, ensure_ascii=False) + "\n"


def axes_of(grid: Grid) -> list[dict[str, list[str]]]:
    """The axes as the manifest has them."""
    return [
        dict(zip(axis.paths, map(list, zip(*axis.values, strict=True)), strict=True))
        for axis in grid.axes
    ]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises
    ------
    OutputError
        If there is none, it is not whole, or another version of the format wrote it.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise OutputError(
            f"this is no folder of a sweep: {error.strerror}",
            where=str(path),
            expected="a folder that `boundcalc sweep` wrote",
        ) from None
    try:
        raw = json.loads(content) if len(content) <= _MAX_BYTES else None
        if isinstance(raw, dict) and raw.get("format") != FORMAT:
            raise _other_format(path, raw)
        manifest = Manifest.model_validate(raw)
        sizes = [{len(values) for values in axis.values()} for axis in manifest.axes]
        if manifest.kind != _KIND or any(len(size) != 1 for size in sizes):
            raise ValueError
        if manifest.grid.size > MAX_POINTS:
            raise ValueError
    except (ValueError, RecursionError, ValidationError):
        raise OutputError(
            "the file is not the description of a sweep",
            where=str(path),
            fix="choose another folder with -o",
        ) from None
    return manifest


def _other_format(path: Path, raw: dict[str, Any]) -> OutputError:
    wrote = raw.get("versions")
    wrote = wrote.get("boundcalc") if isinstance(wrote, dict) else None
    return OutputError(
        "these results are of another version of the format",
        where=str(path),
        value=f"format {raw.get('format')!r:.40}, written by boundcalc {wrote!s:.40}",
        expected=f"format {FORMAT}",
        fix="read them with the release that wrote them, or choose another folder with -o",
    )


def check_same(old: Manifest, new: Manifest, folder: Path) -> None:
    """Raise OutputError unless ``new`` goes on with what is in the folder."""
    if old.digest == new.digest:
        return
    what, before, now = _first_difference(old, new)
    versions = what.startswith("versions")
    raise OutputError(
        "the folder holds results of another version"
        if versions
        else f"the folder holds another sweep; the difference is in its {what}",
        where=str(folder),
        value=f"{what} {before}" if versions else before,
        expected=now,
        fix="choose another folder with -o"
        + (", or go on with the versions that began it" if versions else ""),
    )


def _first_difference(old: Manifest, new: Manifest) -> tuple[str, str, str]:
    """What differs first, and how: the versions, since they may explain all the rest."""
    for name in ("versions", "engine", "axes", "seeds", "data"):
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            return _inside(name, before, now)
    return _inside("spec", json.loads(old.spec), json.loads(new.spec))


def _inside(place: str, before: Any, now: Any) -> tuple[str, str, str]:
    """The first place inside two values at which they differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            if before.get(key) != now.get(key):
                return _inside(f"{place}.{key}", before.get(key), now.get(key))
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            if one != other:
                return _inside(f"{place}[{index}]", one, other)
    return place, _shown(before), _shown(now)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def check_unused(folder: Path, names: Iterable[str]) -> None:
    """Raise OutputError if a folder without a description has what a sweep would overwrite."""
    for name in names:
        if (folder / name).exists():
            raise OutputError(
                f"the folder has `{name}`, but no description of a sweep",
                where=str(folder),
                fix="choose another folder with -o",
            )
