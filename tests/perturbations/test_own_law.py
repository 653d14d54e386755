"""A law that a user defines: any draw of NumPy's generator, each replica from its own stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.perturbations import DISTRIBUTIONS, ComponentMoments, Distribution, Sampler
from boundcalc.perturbations.base import Array, number
from boundcalc.spec.expressions import exact
from boundcalc.spec.fields import Size


class _Triangular(Distribution):
    """Density (1 - |x|/h)/h on [-h, h]."""

    lengths: ClassVar[tuple[str, ...]] = ("half_width",)
    half_width: Size

    def moments(self) -> ComponentMoments:
        h = self.half_width
        return ComponentMoments(mean=exact(0), second=h**2 / 6, fourth=h**4 / 15)

    def largest(self, values: Mapping[str, float]) -> float:
        return number(self.half_width, values)

    def symmetric(self, values: Mapping[str, float]) -> bool:
        return True


@final
class Own(_Triangular):
    """Drawn by a method that only a real generator has."""

    model: ClassVar[str] = "own"

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        h = number(self.half_width, values)

        def fill(rng: np.random.Generator, out: Array) -> None:
            out[...] = rng.uniform(0, h, out.shape) - rng.uniform(0, h, out.shape)

        return fill


def _by_inversion(h: float) -> Sampler:
    def fill(rng: np.random.Generator, out: Array) -> None:
        rng.random(out=out)
        np.copyto(out, np.where(out < 0.5, np.sqrt(2 * out) - 1, 1 - np.sqrt(2 * (1 - out))) * h)

    return fill


@final
class Rows(_Triangular):
    """By inversion, one generator after the other."""

    model: ClassVar[str] = "rows"

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        return _by_inversion(number(self.half_width, values))


@final
class Joint(_Triangular):
    """By inversion, all rows at once."""

    model: ClassVar[str] = "joint"
    joint: ClassVar[bool] = True

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        return _by_inversion(number(self.half_width, values))


_LAWS = {**DISTRIBUTIONS, **{law.model: law for law in (Own, Rows, Joint)}}


def _losses(model: str, replicas: int) -> Array:
    spec = f"""
version: 1
name: A law of my own
graph:
  operators:
    - {{id: layer, type: dense, units: 2}}
    - {{id: act, type: tanh}}
    - {{id: loss, type: cross_entropy}}
perturbations: [{{at: layer, pass: forward, model: {model}, half_width: 1/10}}]
training: {{step_size: 1/10, horizon: 12}}
simulation:
  data: {{generator: uniform, samples: 6, dimension: 2, seed: 1, classes: 2}}
  replicas: {replicas}
  check: {{samples: 4, draws: 512}}
"""
    found: Array = bc.simulate(bc.build(bc.loads(spec), distributions=_LAWS)).trajectory.loss
    return found


@pytest.mark.parametrize("replicas", [2, 3])
def test_any_draw_of_the_generator_can_be_used(replicas: int) -> None:
    losses = _losses("own", replicas)
    assert np.isfinite(losses).all()
    assert (losses != _losses("rows", replicas)).any()


def test_rows_drawn_together_and_one_by_one_are_the_same() -> None:
    together = _losses("joint", 3)
    assert (together == _losses("rows", 3)).all()
    assert len({column.tobytes() for column in together.T}) == 3
