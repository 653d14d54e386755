"""Random small graphs as specs, and noise whose every outcome is enumerated."""

from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import WIDE
from boundcalc.graph.numbers import Levels
from boundcalc.simulate.noise import make_noise, shift_key
from boundcalc.simulate.program import make_program

SMOOTH = ("sine", "tanh", "sigmoid", "softplus", "silu", "gelu")
KINKED = ("relu", "leaky_relu")
SAMPLES = 4


class RandomGraph:
    """Writes the operators of a random graph, one line each.

    All values have the same width but those that ``concat`` makes; whatever nothing reads
    is joined before the loss.
    """

    def __init__(self, rng, *, size, kinks):
        self.rng, self.kinks = rng, kinks
        self.width = int(rng.integers(1, 3))
        self.lines, self.open, self.known = [], [], []
        self.shared = {}
        while len(self.known) < size:
            self.grow()
        self.close()

    def line(self, kind, inputs, extra=""):
        name = f"f{len(self.known) + 1}"
        reads = ", ".join(inputs)
        self.lines.append(f"    - {{id: {name}, type: {kind}, inputs: [{reads}]{extra}}}")
        self.open = [o for o in self.open if o not in inputs] + [name]
        self.known.append(name)
        return name

    def pick(self, count):
        """Operators to read: mostly such as nothing reads yet, sometimes one twice."""
        pool = self.open if self.rng.random() < 0.5 else self.known
        return [str(self.rng.choice(pool)) for _ in range(count)]

    def grow(self):
        rng = self.rng
        if not self.known or rng.random() < 0.08:
            if rng.random() < 0.2:
                self.line("select", [], f", start: {2 - self.width}")
            else:
                self.dense([])
            return
        kind = rng.choice(["unary", "unary", "unary", "add", "multiply", "concat", "dense"])
        if kind == "unary":
            self.unary(self.pick(1))
        elif kind == "add":
            inputs = self.pick(int(rng.integers(2, 4)))
            factors = ", ".join(f"{k}/2" for k in rng.integers(-3, 4, len(inputs)))
            self.line("add", inputs, f", factors: [{factors}]")
        elif kind == "multiply":
            self.line("multiply", self.pick(2))
        elif kind == "concat":
            self.dense([self.line("concat", self.pick(int(rng.integers(2, 4))))])
        else:
            self.dense(self.pick(1))

    def unary(self, inputs):
        rng = self.rng
        kind = rng.choice(KINKED if self.kinks and rng.random() < 0.5 else SMOOTH)
        extra = f", scale: {rng.integers(1, 9)}/4"
        if rng.random() < 0.6:
            extra += ", bias: true" + self.weights(kind, f"{rng.integers(1, 5)}/2")
        self.line(kind, inputs, extra)

    def dense(self, inputs):
        bias = "true" if self.rng.random() < 0.5 else "false"
        # Only those on operators of this graph have inputs of one size.
        size = self.width if inputs and not self.lines[-1].count("concat") else 0
        radius = f"{self.rng.integers(1, 7)}/4"
        extra = f", units: {self.width}, bias: {bias}"
        region = self.weights(f"dense {bias}", radius) if size else f", region: {{weight: {radius}}}"
        self.line("dense", inputs, extra + region)

    def weights(self, kind, radius):
        """A ball for the weights; now and then those of an operator before."""
        if kind in self.shared and self.rng.random() < 0.5:
            return self.shared[kind]
        name = f", weights: {kind} {len(self.known)}, region: {{weight: {radius}}}"
        self.shared[kind] = name
        return name

    def close(self):
        """Everything that nothing reads goes into the loss."""
        ends = list(self.open)
        last = ends[0]
        if len(ends) > 1:
            last = self.line(str(self.rng.choice(["add", "concat"])), ends)
        self.line("bilinear", [last], f", region: {{weight: {self.rng.integers(1, 5)}/2}}")
        if self.rng.random() < 0.5:
            self.unary([self.known[-1]])


def random_spec(rng, *, size, kinks, sites, laws):
    """A spec with noise at up to ``sites`` places, from ``laws(rng)``."""
    graph = RandomGraph(rng, size=size, kinks=kinks)
    edges = [("forward", name) for name in graph.known[:-1]]
    for line, name in zip(graph.lines, graph.known, strict=True):
        reads = line.split("inputs: [")[1].split("]")[0]
        for source in dict.fromkeys(reads.split(", ") if reads else []):
            edges.append(("backward", f"{source}->{name}"))
    chosen = rng.permutation(len(edges))[:sites]
    points = ", ".join(str((4 * rng.standard_normal(2)).round(3).tolist()) for _ in range(SAMPLES))
    noise = [
        f"  - {{at: {edges[k][1]}, pass: {edges[k][0]}, model: two_point, {law}}}"
        for k in chosen
        for law in laws(rng)
    ]
    return "\n".join(
        [
            "version: 1",
            "name: random graph",
            "graph:",
            "  operators:",
            *graph.lines,
            "perturbations:",
            *noise,
            "training: {step_size: 1, horizon: 1}",
            f"simulation: {{data: {{points: [{points}]}}}}",
        ]
    )


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


def dependent_law(graph, rng, *, forward, backward):
    """Every component takes one of two values, which depend on all components drawn before.

    Parameters
    ----------
    forward, backward
        Whether the perturbations of that pass have mean zero given what came before.
    """
    made = {"forward": {}, "backward": {}}
    probability = np.ones(1)
    columns = []
    kept = make_noise(graph).perturbations
    first = [p for p in kept if p.direction == "forward"]
    after = [p for p in kept if p.direction == "backward"]
    rng.shuffle(after)
    for perturbation in [*sorted(first, key=lambda p: p.site), *after]:
        centred = forward if perturbation.direction == "forward" else backward
        largest = float(perturbation.distribution.magnitude.evaluate(WIDE))
        for _ in range(perturbation.size):
            count = len(probability)
            high, low = largest * rng.random(count), -largest * rng.random(count)
            share = rng.random(count)
            if centred:
                share = -low / (high - low)
            else:
                low = np.where(rng.random(count) < 0.5, low, largest * rng.random(count))
            probability = np.stack([probability * share, probability * (1 - share)], 1).ravel()
            columns = [(key, np.repeat(x, 2)) for key, x in columns]
            columns.append(((perturbation.direction, shift_key(perturbation)), np.stack([high, low], 1).ravel()))
    for (direction, key), column in columns:
        made[direction].setdefault(key, []).append(column)
    stacked = {
        side: {key: np.stack(x, axis=1) for key, x in found.items()} for side, found in made.items()
    }
    bits = sum(p.size for p in first)
    return Law(probability, stacked["forward"], stacked["backward"], bits)


def independent_law(graph):
    """The two-point laws of the spec, all components independent."""
    probability, columns = np.ones(1), []
    kept = make_noise(graph).perturbations
    ordered = [p for p in kept if p.direction == "forward"]
    bits = sum(p.size for p in ordered)
    for perturbation in [*ordered, *(p for p in kept if p.direction == "backward")]:
        law = perturbation.distribution
        if law.magnitude is not None:
            size = float(law.magnitude.evaluate(WIDE))
            low, high, share = -size, size, 0.5
        else:
            low, high, share = (float(x.evaluate(WIDE)) for x in (law.low, law.high, law.p_high))
        key = (perturbation.direction, shift_key(perturbation))
        for component in range(perturbation.size):
            count = len(probability)
            probability = np.outer(probability, [share, 1 - share]).ravel()
            columns = [(k, c, np.repeat(x, 2)) for k, c, x in columns]
            columns.append((key, component, np.tile([high, low], count)))
    made = {"forward": {}, "backward": {}}
    for (direction, key), component, column in columns:
        known = made[direction].setdefault(key, {})
        known[component] = known.get(component, 0.0) + column
    stacked = {
        side: {key: np.stack([x[c] for c in sorted(x)], axis=1) for key, x in found.items()}
        for side, found in made.items()
    }
    return Law(probability, stacked["forward"], stacked["backward"], bits)


def random_weights(graph, program, rng):
    """Weights in their balls, at the edge more often than not."""
    w = np.empty((1, program.weights))
    for number, part in program.slices.items():
        direction = rng.standard_normal(part.stop - part.start)
        radius = float(graph.nodes[number - 1].region.weight.evaluate(WIDE))
        inside = 1.0 if rng.random() < 0.6 else rng.random()
        w[0, part] = radius * inside * direction / np.linalg.norm(direction)
    return w


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
