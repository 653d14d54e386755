"""The C twins of perturbations: distributions that are drawn, transforms that replace values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from boundcalc.operators.base import Array


def _none() -> Array:
    return np.empty(0)


@dataclass(frozen=True)
class Draw:
    """One perturbation's C function."""

    name: str
    header: str
    sizes: tuple[int, ...]
    kind: Literal["distribution", "transform"]
    parameters: Array = field(default_factory=_none)
    probability: float = -1.0


def law_of(perturbation: Any, sampler: Any) -> Draw | str:
    """The C function of a perturbation, or why there is none."""
    del perturbation, sampler
    return "perturbations have no C functions"
