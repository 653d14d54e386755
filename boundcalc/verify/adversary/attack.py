"""What a search for a bad case found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from boundcalc.showing import Shown, Tabular

Objective: TypeAlias = Literal["error", "bias", "floor"]

#: What can be made large, in the order of the tables.
OBJECTIVES: tuple[Objective, ...] = ("error", "bias", "floor")


@dataclass(frozen=True)
class Attack(Shown, Tabular):
    """The worst instance that a search found, held against every family's bound.

    Attributes
    ----------
    objective
        What was made large: ``error`` is E‖ũ − u‖², ``bias`` is ‖E[ũ − u]‖², ``floor`` is
        E[ℓ(w^T) − ℓ*] after the spec's horizon.
    attained
        Its value on the instance.
    uncertainty
        0 where the expectation is a finite sum over all outcomes; else the half-width of a
        99.9 % confidence interval, and ``attained`` is sampled.
    bounds
        Family → its bound for the spec; families that make no such claim are missing.
    fractions
        Family → √(attained/bound), infinite where the bound is 0 and attained is not.
    violated
        Families whose bound the instance beats by more than rounding and uncertainty.
    instance
        A spec, as YAML text, that ``boundcalc verify`` and ``simulate`` run.
    seed, starts, evaluations
        How the search was started, and how many candidates it looked at.
    history
        The best √attained/√sharp bound after each start.
    notes
        How the spec was read.
    """

    objective: Objective
    attained: float
    uncertainty: float
    bounds: Mapping[str, float]
    fractions: Mapping[str, float]
    violated: tuple[str, ...]
    instance: str
    seed: int
    starts: int
    evaluations: int
    history: tuple[float, ...] = ()
    notes: tuple[str, ...] = field(default=())
