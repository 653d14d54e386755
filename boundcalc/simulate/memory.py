"""What transforms with memory keep between steps: one vector by site, replica and sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.errors import SimulationError
from boundcalc.graph import Perturbation
from boundcalc.operators.base import Array

MAX_STATE = 40_000_000  # numbers that all memories together may hold

#: Row numbers of the data: those of a batch, ``(R, M)``, or None for all rows in order.
Rows: TypeAlias = npt.NDArray[np.int64] | None

#: On which samples a transform acts, ``(R, M)``; None is all of them.
Acts: TypeAlias = npt.NDArray[np.bool_] | None


class Memory:
    """The state of all transforms with memory along one run; it starts from zero.

    ``feedback`` keeps e, what was left out so far: sent = Q(y + e), e ← y + e − sent.
    ``difference`` keeps m, what was received last: m ← m + Q(y − m), which is the new value.
    A step in which the transform does not act leaves the state alone.

    Where a batch holds a row twice, both are sent from the state before the step, and the
    later one is kept.

    Parameters
    ----------
    perturbations
        Those that are simulated; those without memory keep nothing.
    replicas
        R.
    samples
        The number of rows of the data.
    """

    def __init__(self, perturbations: Sequence[Perturbation], replicas: int, samples: int) -> None:
        self._states = {
            position: np.zeros((replicas, samples, p.size))
            for position, p in enumerate(perturbations)
            if p.memory is not None
        }

    def slot(self, position: int, rows: Rows) -> Slot | None:
        """The state of one perturbation for these rows; None for one without memory."""
        state = self._states.get(position)
        return None if state is None else Slot(state, rows)


def check_size(perturbations: Sequence[Perturbation], replicas: int, samples: int) -> None:
    """Raise SimulationError if the memories of a run would be too large."""
    kept = [p for p in perturbations if p.memory is not None]
    count = replicas * samples * sum(p.size for p in kept)
    if count > MAX_STATE:
        raise SimulationError(
            "the memories of the transforms are too large",
            where=kept[0].where,
            value=f"{replicas} replicas × {samples} samples × "
            f"{sum(p.size for p in kept)} components",
            expected=f"at most {MAX_STATE} numbers",
            fix="lower `simulation.replicas`, use less data, or remove `memory`",
        )


@dataclass(frozen=True)
class Slot:
    """One transform's states ``(R, rows, n)``, and the rows that a pass is about."""

    state: Array
    rows: Rows

    def of(self, replicas: slice) -> Slot:
        """The same for some of the replicas; what is written there is written here."""
        return Slot(self.state[replicas], None if self.rows is None else self.rows[replicas])

    def read(self, acts: Acts) -> Array:
        """The states of the pass ``(R, M, n)``, or of the samples on which it acts ``(·, n)``."""
        found = self.state if self.rows is None else self.state[self._replica, self.rows]
        return found if acts is None else found[acts]

    def write(self, new: Array, acts: Acts) -> None:
        """Replace what :meth:`read` gives."""
        if self.rows is None:
            self.state[... if acts is None else acts] = new
        elif acts is None:
            self.state[self._replica, self.rows] = new
        else:
            replica = np.broadcast_to(self._replica, self.rows.shape)
            self.state[replica[acts], self.rows[acts]] = new

    @property
    def _replica(self) -> npt.NDArray[np.int64]:
        return np.arange(len(self.state))[:, None]
