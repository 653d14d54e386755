"""One setting of a figure: what was simulated, and what theory says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from boundcalc.experiments.floors import Floor, floor
from boundcalc.experiments.laws import plateau
from boundcalc.experiments.stationary import Plateau
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import Metric

#: Of every interval here, and of those in the shipped sweep specs.
CONFIDENCE = 0.99

_DRIFT = 0.2  # by which halves of the stable half of a run may differ, relatively
_ROWS = 8  # of a trajectory, below which nothing can be said

Value = float | str


@dataclass(frozen=True)
class Setting:
    """One point of a sweep.

    Attributes
    ----------
    values
        Name of what was varied → value: ``sigma_f``, ``sigma_b``, ``gamma``, ``every``, ….
    steps, ewma
        The recorded steps and the mean over replicas of the smoothed gradient norm, ``(n,)``.
    norm, wait
        Stable gradient norm and stable iteration complexity with their intervals.
    stable, complexity
        The same by replica, ``(R,)``.
    diverged
        The number of replicas that left the finite numbers.
    make
        Builds the graph.
    """

    values: Mapping[str, Value]
    steps: npt.NDArray[np.int64]
    ewma: Array
    norm: Metric
    wait: Metric
    stable: Array
    complexity: Array
    diverged: int
    make: Callable[[], OperatorGraph]

    @cached_property
    def graph(self) -> OperatorGraph:
        """What was simulated."""
        return self.make()

    @cached_property
    def floor(self) -> Floor:
        """What is left of the sharp bound as the horizon grows."""
        return floor(self.graph)

    @cached_property
    def plateau(self) -> Plateau | None:
        """Where the stationary mean field says that the run settles."""
        return plateau(self.graph)

    @property
    def settled(self) -> bool:
        """Whether the third and the last quarter of the run have the same mean, within 20 %.

        Of a run that is still on its way the stable gradient norm says where it was, not where
        it will be.
        """
        if self.diverged or len(self.ewma) < _ROWS or not np.isfinite(self.ewma).all():
            return False
        quarter = len(self.ewma) // 4
        before = float(self.ewma[-2 * quarter : -quarter].mean())
        after = float(self.ewma[-quarter:].mean())
        return abs(after - before) <= _DRIFT * max(after, before)

    def number(self, name: str) -> float:
        """A value that was varied, as a number.

        Raises
        ------
        KeyError
            If it was not varied.
        """
        return float(self.values[name])


def parsed(text: str) -> Value:
    """A setting's text as a number where it is one.

    >>> parsed("1/4"), parsed("per_batch")
    (0.25, 'per_batch')
    """
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return text


def short_name(path: str) -> str:
    """The last part of a path: ``perturbations[0].every`` → ``every``.

    >>> short_name("symbols.sigma_f"), short_name("perturbations[1].steps")
    ('sigma_f', 'steps')
    """
    return path.rsplit(".", 1)[-1]


def pick(settings: Iterable[Setting], **wanted: Value) -> list[Setting]:
    """The settings with these values.

    A value that a sweep did not vary does not match, except 0, which is what is left out.
    """

    def matches(setting: Setting) -> bool:
        return all(_same(setting.values.get(name, 0.0), value) for name, value in wanted.items())

    return [setting for setting in settings if matches(setting)]


def _same(found: Value, wanted: Value) -> bool:
    if isinstance(found, str) or isinstance(wanted, str):
        return found == wanted
    return abs(found - wanted) <= 1e-9 * abs(wanted)


def by(settings: Iterable[Setting], name: str) -> list[Setting]:
    """The settings in increasing order of a value.

    >>> by([], "gamma")
    []
    """
    return sorted(settings, key=lambda setting: setting.number(name))
