"""Which perturbations act at which steps, gathered into patterns.

A horizon may have 10⁹ steps, but few distinct sets of perturbations act in it.
Bounds are computed once for each such pattern and weighted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.errors import InexactError
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates.discounts import PowerTable, geometric, sum_of_floats

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Pattern:
    """A set of perturbations that act together.

    Attributes
    ----------
    active
        Positions in ``graph.perturbations``.
    count
        The number of steps at which exactly these act.
    """

    active: tuple[int, ...]
    count: int


class Timeline:
    """The steps t = 0..T−1 of a run, by the set of perturbations that act.

    Parameters
    ----------
    graph
        Whose perturbations' schedules to follow.
    horizon
        T.

    Notes
    -----
    O(1) if all schedules that are not "always" are the same one; otherwise O(T) time in
    blocks and memory that does not depend on T.

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: every third step
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... perturbations: [{at: f1, pass: forward, rms: 1, mean: 0, every: 3}]
    ... '''))
    >>> [(p.active, p.count) for p in Timeline(graph, 10).patterns]
    [((), 6), ((0,), 4)]
    """

    def __init__(self, graph: OperatorGraph, horizon: int) -> None:
        self.horizon = horizon
        schedules = [p.schedule for p in graph.perturbations]
        self._always = tuple(i for i, s in enumerate(schedules) if s.always)
        self._distinct = list({repr(s): s for s in schedules if not s.always}.values())
        keys = [repr(s) for s in self._distinct]
        self._members = [
            tuple(i for i, s in enumerate(schedules) if not s.always and repr(s) == key)
            for key in keys
        ]
        self._rows, counts = self._tabulate()
        self.patterns = tuple(
            Pattern(self._active(row), int(count))
            for row, count in zip(self._rows, counts, strict=True)
        )

    @property
    def constant(self) -> bool:
        """Whether the same perturbations act at every step."""
        return not self._distinct

    def discounted(self, drop: Scalar, lag: int, kind: Arithmetic = WIDE) -> list[Scalar]:
        """Σ_t q^{T−lag−t} over the steps t of each pattern, in their order; q = 1 − drop.

        Parameters
        ----------
        drop
            1 − q in (0, 1], given as such because q is often within rounding of 1.
        lag
            1 for the unrolled recursion, 0 for the published exponent.

        Raises
        ------
        InexactError
            In exact arithmetic, where the sums are too long to write out or have no closed form.
        """
        if self.constant:
            return [geometric(drop, Progression(0, 1, self.horizon), self.horizon - lag, kind)]
        if self.closed:
            return self._discounted_by_one(drop, lag, kind)
        if kind.exact:
            raise InexactError("sums over several schedules have no closed form")
        table = PowerTable(drop, self.horizon, kind)
        sums = np.zeros(len(self.patterns))
        for start, codes in self._codes():
            steps = np.arange(start, start + len(codes), dtype=np.int64)
            weights = table(self.horizon - lag - steps)
            with np.errstate(under="ignore"):
                sums += np.bincount(codes, weights=weights, minlength=len(sums))
        return [
            sum_of_floats(float(total), pattern.count, kind)
            for total, pattern in zip(sums, self.patterns, strict=True)
        ]

    @property
    def closed(self) -> bool:
        """Whether discounted sums have closed forms, in time that does not depend on T."""
        return len(self._distinct) <= 1

    def _discounted_by_one(self, drop: Scalar, lag: int, kind: Arithmetic) -> list[Scalar]:
        """Two patterns at most: the one schedule's steps, and the others."""
        top = self.horizon - lag
        everything = geometric(drop, Progression(0, 1, self.horizon), top, kind)
        acting = kind.number(0)
        for progression in self._distinct[0].progressions(self.horizon):
            acting = acting + geometric(drop, progression, top, kind)
        sums = {True: acting, False: kind.maximum(kind.number(0), everything - acting)}
        return [sums[bool(row[0])] for row in self._rows]

    def _active(self, row: npt.NDArray[np.bool_]) -> tuple[int, ...]:
        chosen = [i for on, members in zip(row, self._members, strict=True) if on for i in members]
        return tuple(sorted((*self._always, *chosen)))

    def _blocks(self) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
        for start in range(0, self.horizon, _CHUNK):
            stop = min(start + _CHUNK, self.horizon)
            masks = [s.active(start, stop, self.horizon) for s in self._distinct]
            yield start, np.stack(masks, axis=1)

    def _tabulate(self) -> tuple[npt.NDArray[np.bool_], list[int]]:
        if not self._distinct:
            return np.zeros((1, 0), dtype=np.bool_), [self.horizon]
        if self.closed:
            acting = self._distinct[0].count(self.horizon)
            shares = {False: self.horizon - acting, True: acting}
            present = [on for on, count in shares.items() if count]
            return np.array([[on] for on in present]), [shares[on] for on in present]
        found: dict[bytes, int] = {}
        for _, block in self._blocks():
            rows, counts = np.unique(block, axis=0, return_counts=True)
            for row, count in zip(rows, counts, strict=True):
                key = row.tobytes()
                found[key] = found.get(key, 0) + int(count)
        keys = sorted(found)
        rows = np.array([np.frombuffer(key, dtype=np.bool_) for key in keys])
        return rows, [found[key] for key in keys]

    def _codes(self) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
        index = {row.tobytes(): i for i, row in enumerate(self._rows)}
        for start, block in self._blocks():
            rows, inverse = np.unique(block, axis=0, return_inverse=True)
            table = np.array([index[row.tobytes()] for row in rows])
            yield start, table[inverse.reshape(-1)]
