"""How a gradient becomes a step."""

from __future__ import annotations

from boundcalc.simulate.optimizers.base import Optimizer, Sgd
from boundcalc.simulate.optimizers.clipping import clip
from boundcalc.simulate.optimizers.make import OPTIMIZERS, make_clip, make_optimizer

__all__ = ["OPTIMIZERS", "Optimizer", "Sgd", "clip", "make_clip", "make_optimizer"]
