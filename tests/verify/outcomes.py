"""Noise whose every outcome is enumerated: expectations are finite sums."""

from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import WIDE
from boundcalc.graph.numbers import Levels
from boundcalc.simulate.noise import make_noise, shift_key


@dataclass
class Law:
    """A joint law of all perturbations: outcomes with their probabilities.

    Attributes
    ----------
    probability
        ``(outcomes,)``.
    delta, epsilon
        By operator and by edge number: ``(outcomes, n)``.
    forward_bits
        The first index of an outcome runs over 2^forward_bits outcomes of the forward pass.
    """

    probability: np.ndarray
    delta: dict
    epsilon: dict
    forward_bits: int

    def levels(self, graph):
        """The exact sizes and means of the perturbations, as docs/theory.md, 1.3 has them."""
        p = self.probability
        e, m = np.zeros(graph.size + 1), np.zeros(graph.size + 1)
        for v, x in self.delta.items():
            e[v] = np.sqrt(p @ np.sum(x**2, axis=1))
            m[v] = np.linalg.norm(p @ x)
        eps, n = np.zeros(len(graph.ends)), np.zeros(len(graph.ends))
        forward = p.reshape(2**self.forward_bits, -1)
        for edge, x in self.epsilon.items():
            eps[edge] = np.sqrt(p @ np.sum(x**2, axis=1))
            given = (p[:, None] * x).reshape(*forward.shape, -1).sum(axis=1)
            weight = forward.sum(axis=1)
            n[edge] = np.sqrt(np.sum(np.sum(given**2, axis=1)[weight > 0] / weight[weight > 0]))
        wide = [tuple(WIDE.number(float(x)) for x in column) for column in (e, m, eps, n)]
        return Levels(e=wide[0], m=wide[1], q=wide[0], eps=wide[2], n=wide[3])


class Outcomes:
    """Grows a joint law component by component: every outcome so far splits in two."""

    def __init__(self):
        self.probability, self.columns = np.ones(1), []

    def split(self, key, component, high, low, share):
        """A component that is ``high`` with probability ``share``, given all before it."""
        count = len(self.probability)
        high, low, share = (np.broadcast_to(x, count) for x in (high, low, share))
        self.probability = np.stack([share, 1 - share], axis=1) * self.probability[:, None]
        self.probability = self.probability.ravel()
        self.columns = [(k, c, np.repeat(x, 2)) for k, c, x in self.columns]
        self.columns.append((key, component, np.stack([high, low], axis=1).ravel()))

    def law(self, forward_bits):
        sides = {"forward": {}, "backward": {}}
        for (direction, number), component, column in self.columns:
            found = sides[direction].setdefault(number, {})
            found[component] = found.get(component, 0.0) + column
        stacked = (
            {number: np.stack(list(found.values()), axis=1) for number, found in side.items()}
            for side in sides.values()
        )
        return Law(self.probability, *stacked, forward_bits)


def in_order(graph, rng):
    """The perturbations that reach the gradient: forward in order, then backward in any."""
    kept = make_noise(graph).perturbations
    forward = sorted((p for p in kept if p.direction == "forward"), key=lambda p: p.site)
    backward = [p for p in kept if p.direction == "backward"]
    rng.shuffle(backward)
    return [*forward, *backward], sum(p.size for p in forward)


def dependent_law(graph, rng, *, forward, backward):
    """Every component takes one of two values, which depend on all components drawn before.

    Parameters
    ----------
    forward, backward
        Whether the perturbations of that pass have mean zero given what came before.
    """
    made = Outcomes()
    perturbations, bits = in_order(graph, rng)
    for perturbation in perturbations:
        key = (perturbation.direction, shift_key(perturbation))
        largest = float(perturbation.distribution.magnitude.evaluate(WIDE))
        for component in range(perturbation.size):
            count = len(made.probability)
            high, low, share = largest * rng.random((3, count)) * [[1], [-1], [1 / largest]]
            if forward if perturbation.direction == "forward" else backward:
                share = -low / (high - low)
            elif rng.random() < 0.5:
                low = -low
            made.split(key, component, high, low, share)
    return made.law(bits)


def independent_law(graph, rng):
    """The two-point laws of the spec, all components independent."""
    made = Outcomes()
    perturbations, bits = in_order(graph, rng)
    for perturbation in perturbations:
        key, law = (perturbation.direction, shift_key(perturbation)), perturbation.distribution
        if law.model == "constant":
            law = float(law.value.evaluate(WIDE))
            high, low, share = law, law, 1.0
        elif law.magnitude is not None:
            size = float(law.magnitude.evaluate(WIDE))
            high, low, share = size, -size, 0.5
        else:
            high, low, share = (float(x.evaluate(WIDE)) for x in (law.high, law.low, law.p_high))
        for component in range(perturbation.size):
            made.split(key, component, high, low, share)
    return made.law(bits)


def exact_moments(graph, program, w, law):
    """E‖ũ−u‖² and ‖E[ũ−u]‖² by sample, over all outcomes; and the size of u."""
    x, y = graph.data.features[None], graph.data.labels[None]
    count = len(law.probability)
    delta = {v: np.repeat(drawn[:, None], x.shape[1], axis=1) for v, drawn in law.delta.items()}
    epsilon = {e: np.repeat(drawn[:, None], x.shape[1], axis=1) for e, drawn in law.epsilon.items()}
    clean = program.sample_gradients(w, program.outputs(w, x, y, {}), y, {})
    path = program.outputs(w, x, y, delta)
    d = program.sample_gradients(w, path, y, epsilon) - clean
    d = np.broadcast_to(d, (count, *d.shape[1:]))
    error = law.probability @ np.sum(d**2, axis=-1)
    bias = np.sum(np.tensordot(law.probability, d, axes=1) ** 2, axis=-1)
    return error, bias, float(np.sqrt(np.max(np.sum(clean**2, axis=-1))))
