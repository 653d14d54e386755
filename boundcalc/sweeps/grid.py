"""The grid of a sweep: axes of settings, and seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.spec.places import dotted
from boundcalc.sweeps.paths import read_path
from boundcalc.sweeps.values import MAX_POINTS, listed, read_value

SEED = "simulation.seed"


@dataclass(frozen=True)
class Axis:
    """Paths whose values change together.

    Attributes
    ----------
    paths
        One, or several that are zipped.
    values
        By position: the text of each path's value.
    """

    paths: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Grid:
    """The product of axes and seeds; a point's number counts the seeds fastest, axis 0 slowest.

    Attributes
    ----------
    axes
        In the order in which they were given.
    seeds
        Of the simulation; empty where an axis sweeps the seed itself.
    """

    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has, and how many seeds there are."""
        return (*map(len, self.axes), max(1, len(self.seeds)))

    @property
    def size(self) -> int:
        """How many points there are."""
        return math.prod(self.shape)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is swept, besides the seed that each point has."""
        return tuple(path for axis in self.axes for path in axis.paths)

    def positions(self, index: int) -> tuple[int, ...]:
        """A point's position on each axis and among the seeds.

        >>> Grid((Axis(("a",), (("1",), ("2",))),), (0, 1, 2)).positions(4)
        (1, 1)
        """
        found = []
        for length in reversed(self.shape):
            index, position = divmod(index, length)
            found.append(position)
        return tuple(reversed(found))

    def settings(self, index: int) -> dict[str, str]:
        """A point's settings as text, by path."""
        return {
            path: text
            for axis, position in zip(self.axes, self.positions(index)[:-1], strict=True)
            for path, text in zip(axis.paths, axis.values[position], strict=True)
        }

    def seed(self, index: int) -> int:
        """A point's seed."""
        if self.seeds:
            return self.seeds[self.positions(index)[-1]]
        return int(read_value(self.settings(index)[SEED]))

    def values_at(self, index: int) -> dict[str, Any]:
        """Everything that a point changes in the spec, its seed too."""
        return {**self.settings(index), SEED: self.seed(index)}

    def name(self, index: int) -> str:
        """What messages call a point."""
        settings = ", ".join(f"{path}={text}" for path, text in self.settings(index).items())
        return f"point {index} ({settings + ', ' if settings else ''}seed {self.seed(index)})"


def make_grid(
    over: Mapping[str, Sequence[Any] | str],
    zipped: Sequence[Mapping[str, Sequence[Any] | str]],
    first_seed: int,
    seeds: int | None,
) -> Grid:
    """The grid that is asked for.

    Parameters
    ----------
    over
        Path → values: an axis each.
    zipped
        Several paths → values of the same number: an axis each.
    first_seed
        The seed of the spec.
    seeds
        How many seeds from there on; None for that one alone.

    Raises
    ------
    SpecError
        For a path or a value that stands twice, zipped lists of different lengths, or too many
        points.
    """
    axes = [_axis({path: values}) for path, values in over.items()]
    axes += [_axis(group) for group in zipped]
    trails = [read_path(path) for axis in axes for path in axis.paths]
    for one, other in combinations(trails, 2):
        shorter = min(len(one), len(other))
        if one[:shorter] == other[:shorter]:
            raise SpecError(
                f"`{dotted(one)}` is swept twice"
                if one == other
                else f"`{dotted(one)}` and `{dotted(other)}` lie in each other",
                where="sweep",
                fix="leave one of them out",
            )
    swept = tuple(SEED.split(".")) in trails
    if seeds is not None and (swept or not 1 <= seeds <= MAX_POINTS):
        raise SpecError(
            f"`{SEED}` is swept, so that a number of seeds has no meaning"
            if swept
            else "the number of seeds is out of range",
            where="seeds",
            value=seeds,
            expected=None if swept else f"1 to {MAX_POINTS}",
            fix="leave one of them out" if swept else None,
        )
    grid = Grid(tuple(axes), () if swept else tuple(range(first_seed, first_seed + (seeds or 1))))
    if grid.size > MAX_POINTS:
        raise SpecError(
            f"the sweep has {grid.size} points",
            where="sweep",
            value=" × ".join(map(str, grid.shape)),
            expected=f"at most {MAX_POINTS}",
            fix="list fewer values, or zip axes that need not be crossed",
        )
    return grid


def _axis(group: Mapping[str, Sequence[Any] | str]) -> Axis:
    columns = {dotted(read_path(path)): listed(values) for path, values in group.items()}
    lengths = {path: len(texts) for path, texts in columns.items()}
    if len(set(lengths.values())) != 1 or len(lengths) < len(group):
        raise SpecError(
            "zipped paths need the same number of values, each path once",
            where="sweep",
            value=", ".join(f"{path}: {length}" for path, length in lengths.items()),
            fix="list as many values for each path",
        )
    if max(lengths.values()) > MAX_POINTS:
        raise SpecError(
            f"an axis has {max(lengths.values())} values",
            where="sweep",
            expected=f"at most {MAX_POINTS}",
        )
    values = tuple(zip(*columns.values(), strict=True))
    seen: dict[tuple[Any, ...], tuple[str, ...]] = {}
    for texts in values:
        known = seen.setdefault(tuple(_same(text) for text in texts), texts)
        if known is not texts:
            raise SpecError(
                f"the sweep has the value {', '.join(texts)} twice",
                where="sweep",
                value=f"{', '.join(known)} and {', '.join(texts)}, for {', '.join(columns)}",
                expected="values that differ",
                fix="leave one of them out",
            )
    return Axis(tuple(columns), values)


def _same(text: str) -> Any:
    """What two texts of one value have in common: the number, where it is one."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return text
