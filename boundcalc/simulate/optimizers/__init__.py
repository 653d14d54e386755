"""How a gradient becomes a step."""

from __future__ import annotations

from boundcalc.simulate.optimizers.base import Optimizer, Sgd

__all__ = ["OPTIMIZERS", "Optimizer", "Sgd"]

#: Name in the spec → optimizer.
OPTIMIZERS: dict[str, type[Optimizer]] = {Sgd.name: Sgd}
