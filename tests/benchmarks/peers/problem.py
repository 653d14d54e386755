"""The training step that every tool takes, as arrays and numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray
#: (steps, seed) → weights of all replicas.
Run: TypeAlias = Callable[[int, int], Array]


@dataclass(frozen=True)
class Numbers:
    """What does not come as an array.

    Attributes
    ----------
    sizes
        Inputs and units of the dense layers of a network; empty for logistic regression.
    forward, backward
        Half-widths of δ ~ U(±forward) and ε ~ U(±backward), fresh for every sample and step.
        Logistic regression has δ after the margin and ε on the way from the loss to the margin;
        a network has δ after every hidden layer.
    noise_std
        Of ξ ~ N(0, noise_std² I), added to the gradient.
    strength
        ρ of the regulariser ρ Σ w²/(1+w²) of logistic regression.
    """

    step_size: float
    forward: float
    backward: float
    noise_std: float
    strength: float
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """w ← w − γ(mean over samples of ũ + ρ∇𝓡(w) + ξ) for R replicas.

    Logistic regression, labels ±1: ℓ = mean ln(1 + exp(−y⟨h, w⟩)).  A network: hidden layers
    y ← tanh(W y + c) + δ, then one linear unit, then (y − label)²/2; weights layer after
    layer, W row by row and then c.
    """

    features: Array  # (M, d)
    labels: Array  # (M,)
    start: Array  # (R, k)
    numbers: Numbers
    spec: str = ""  # the same as a text for boundcalc

    @property
    def logistic(self) -> bool:
        return not self.numbers.sizes

    def layers(self) -> list[tuple[slice, tuple[int, int], slice]]:
        """By dense layer: where W lies, its shape (units, inputs), and where c lies."""
        found, at = [], 0
        for inputs, units in zip(self.numbers.sizes, self.numbers.sizes[1:], strict=False):
            middle = at + units * inputs
            found.append((slice(at, middle), (units, inputs), slice(middle, middle + units)))
            at = middle + units
        return found

    def margins(self) -> Array:
        """−y h, ``(M, d)``: the margin is linear in w with this matrix, and so is its gradient."""
        return np.ascontiguousarray(-self.labels[:, None] * self.features)

    def save(self, path: Path) -> None:
        np.savez(
            path,
            features=self.features,
            labels=self.labels,
            start=self.start,
            numbers=np.array(json.dumps(asdict(self.numbers))),
            spec=np.array(self.spec),
        )


def load(path: Path) -> Problem:
    """What :meth:`Problem.save` wrote."""
    with np.load(path, allow_pickle=False) as found:
        numbers = json.loads(str(found["numbers"]))
        numbers["sizes"] = tuple(numbers["sizes"])
        arrays = (found["features"], found["labels"], found["start"])
        return Problem(*arrays, Numbers(**numbers), str(found["spec"]))
