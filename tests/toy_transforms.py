"""Transforms that are simple enough to know everything about, and networks to put them in."""

from fractions import Fraction
from math import inf, sqrt
from typing import ClassVar, final

import numpy as np

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.graph import build
from boundcalc.perturbations import TRANSFORMS, Largest, Transform, VectorMoments
from boundcalc.spec.expressions import exact
from boundcalc.spec.fields import Size


def moments_of(mean_squared, second, fourth):
    return VectorMoments(exact(mean_squared), exact(second), exact(fourth))


def squared(reach):
    if reach.squared is None:
        raise SpecError("the model needs to know where the value lies", expected="a ball or a box")
    return reach.squared


@final
class Rounding(Transform):
    """To the nearest multiple of a step h: |δ_j| ≤ h/2."""

    model: ClassVar[str] = "rounding"
    step: Size = exact(1)

    def _half(self):
        return Fraction(self.step.evaluate(RATIONALS)) / 2

    def moments(self, reach):
        most = reach.size * self._half() ** 2
        return moments_of(most, most, most**2)

    def largest(self, reach):
        return Largest(float(self._half()) * (1 + 1e-15), inf)

    def apply(self):
        h = float(2 * self._half())
        return lambda rng, y: h * np.rint(y / h)


@final
class Halving(Transform):
    """Q(y) = y/2: everything is known, and everything needs the reach."""

    model: ClassVar[str] = "halving"

    def moments(self, reach):
        most = squared(reach) / 4
        return moments_of(most, most, most**2)

    def largest(self, reach):
        return Largest(float(reach.magnitude / 2), sqrt(squared(reach)) / 2 * (1 + 1e-15))

    def apply(self):
        return lambda rng, y: y / 2

    def contraction(self, size):
        return Fraction(1, 4)


@final
class Dropping(Transform):
    """Q(y)_j = y_j b_j/p with P(b_j = 1) = p: without bias, E‖δ‖² = (1/p − 1)‖y‖²."""

    model: ClassVar[str] = "dropping"
    keep: Size

    def _keep(self):
        return Fraction(self.keep.evaluate(RATIONALS))

    def _most(self):
        return max(Fraction(1), 1 / self._keep() - 1)

    def moments(self, reach):
        size = squared(reach)
        return moments_of(Fraction(0), (1 / self._keep() - 1) * size, self._most() ** 4 * size**2)

    def largest(self, reach):
        factor = float(self._most()) * (1 + 1e-15)
        return Largest(float(reach.magnitude) * factor, sqrt(squared(reach)) * factor)

    def apply(self):
        p = float(self._keep())
        return lambda rng, y: np.where(rng.random(y.shape) < p, y / p, 0.0)


@final
class Unchanged(Transform):
    """Q(y) = y."""

    model: ClassVar[str] = "unchanged"

    def moments(self, reach):
        return moments_of(0, 0, 0)

    def largest(self, reach):
        return Largest(0.0, 0.0)

    def apply(self):
        return lambda rng, y: y.copy()


TOYS = {**TRANSFORMS, **{toy.model: toy for toy in (Rounding, Halving, Dropping, Unchanged)}}

#: Networks whose values are bounded everywhere, so that every site has a reach.
NETWORKS = {
    "chain": """
    - {id: f1, type: dense, units: 3, region: {weight: 2}}
    - {id: f2, type: tanh, bias: true, region: {weight: 2}}
    - {id: f3, type: dense, units: 1, region: {weight: 2}}
    - {id: loss, type: softplus}""",
    "skip": """
    - {id: f1, type: dense, units: 2, region: {weight: 2}}
    - {id: f2, type: tanh, inputs: [f1]}
    - {id: f3, type: add, inputs: [f1, f2, f1]}
    - {id: out, type: dense, units: 1, region: {weight: 2}}
    - {id: loss, type: softplus}""",
    "shared": """
    - {id: x1, type: select, stop: 1, inputs: []}
    - {id: x2, type: select, start: 1, inputs: []}
    - {id: a1, type: dense, units: 3, inputs: [x1], weights: tower, region: {weight: 2}}
    - {id: b1, type: dense, units: 3, inputs: [x2], weights: tower, region: {weight: 2}}
    - {id: a2, type: tanh, inputs: [a1]}
    - {id: b2, type: sine, inputs: [b1]}
    - {id: both, type: multiply, inputs: [a2, b2]}
    - {id: out, type: dense, units: 1, region: {weight: 2}}
    - {id: loss, type: softplus}""",
}

SETTINGS = """
version: 1
name: transforms
training: {step_size: 1/20, horizon: 12}
simulation:
  data: {generator: gaussian, samples: 6, dimension: 2, seed: 1}
  replicas: 3
  seed: 4
  initial_weights: 3/10
  check: {iterates: [0, 1], samples: 3, draws: DRAWS}
  noise: NOISE
"""


def network_text(name, *perturbations, noise="{kind: none}", draws=256, rest=""):
    """A spec of one of the networks; perturbations as YAML mappings without braces."""
    listed = "".join(f"  - {{{line}}}\n" for line in perturbations)
    head = SETTINGS.replace("NOISE", noise).replace("DRAWS", str(draws))
    return f"{head}graph:\n  operators:{NETWORKS[name]}\nperturbations:\n{listed}{rest}"


def network(name, *perturbations, **options):
    """The graph of :func:`network_text`."""
    text = network_text(name, *perturbations, **options)
    if not perturbations:
        text = text.replace("perturbations:\n", "")
    return build(bc.loads(text, name="my.yaml"), transforms=TOYS)


def inside(met, reach, slack=1e-9):
    if met.norm == -np.inf:  # never asked for
        return True
    ends = (
        reach.radius is None or met.norm <= float(reach.radius) * (1 + slack),
        reach.low is None or met.low >= float(reach.low) - slack,
        reach.high is None or met.high <= float(reach.high) + slack,
    )
    return all(ends)


EVERYWHERE = (
    "at: '*', pass: forward, model: uniform, half_width: 1/10",
    "at: '*', pass: forward, model: dropping, keep: 3/4",
    "at: '*', pass: forward, model: rounding, step: 1/8, probability: 1/2",
    "at: '*', pass: backward, model: rounding, step: 1/64",
    "at: '*', pass: backward, model: gaussian, std: 1/20",
    "at: '*', pass: backward, model: halving, probability: 1/4, reach: {radius: 50}",
)

#: f = w₂·(w₁·x): the value at f1 is w₁x, and w₂ goes back along the edge to it.
PAIR = """
version: 1
name: pair
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: bilinear, region: {input: 99, weight: 9}}
perturbations: [PERTURBATIONS]
training: {step_size: 1/10, horizon: 2}
simulation: {replicas: 2, data: {points: [[2]]}, initial_weights: [1/2, 3/4]}
"""


def pair(*lines):
    listed = ", ".join("{" + line + "}" for line in lines)
    return build(bc.loads(PAIR.replace("PERTURBATIONS", listed)), transforms=TOYS)
