"""Random small graphs as specs, and noise whose every outcome is enumerated."""

from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import WIDE
from boundcalc.graph.numbers import Levels
from boundcalc.simulate.noise import make_noise, shift_key

SMOOTH = ("sine", "tanh", "sigmoid", "softplus", "silu", "gelu")
KINKED = ("relu", "leaky_relu")
SAMPLES = 4


class RandomGraph:
    """Writes the operators of a random graph, one line each.

    All values have the same width but those that ``concat`` makes, which a ``dense`` operator
    or the loss reads at once.  What nothing reads is joined before the loss.

    Attributes
    ----------
    ids, lines, edges
        The operators, and the pairs (source, target) between them.
    """

    def __init__(self, rng, *, size, kinks):
        self.rng, self.kinks = rng, kinks
        self.width = 1 if rng.random() < 0.7 else 2
        # Few types, so that weights are often shared.
        self.smooth = rng.choice(SMOOTH, size=2, replace=False)
        self.ids, self.lines, self.edges = [], [], []
        self.pool, self.unread, self.shared = [], [], {}
        while len(self.ids) < size:
            self.grow()
        self.close()

    def line(self, kind, inputs, extra=""):
        name = f"f{len(self.ids) + 1}"
        self.ids.append(name)
        self.lines.append(
            f"    - {{id: {name}, type: {kind}, inputs: [{', '.join(inputs)}]{extra}}}"
        )
        self.edges += [(source, name) for source in dict.fromkeys(inputs)]
        self.unread = [source for source in self.unread if source not in inputs]
        return name

    def add(self, name):
        self.pool.append(name)
        self.unread.append(name)

    def pick(self, count):
        """Operators to read: often such as nothing reads yet, sometimes one twice."""
        pool = self.unread if self.rng.random() < 0.3 else self.pool
        return [str(self.rng.choice(pool)) for _ in range(count)]

    def grow(self):
        rng = self.rng
        if not self.pool or rng.random() < 0.05:
            cut = f", start: {2 - self.width}"
            source = self.line("select", [], cut) if rng.random() < 0.2 else self.dense([])
            self.add(source)
            return
        kind = rng.choice(["unary", "unary", "unary", "add", "multiply", "concat", "dense"])
        if kind == "unary":
            self.add(self.unary(self.pick(1)))
        elif kind == "add":
            inputs = self.pick(int(rng.integers(2, 4)))
            factors = ", ".join(f"{k}/2" for k in rng.integers(-3, 4, len(inputs)))
            self.add(self.line("add", inputs, f", factors: [{factors}]"))
        elif kind == "multiply":
            self.add(self.line("multiply", self.pick(2)))
        elif kind == "concat":
            count = int(rng.integers(2, 4))
            self.add(self.dense([self.line("concat", self.pick(count))], count))
        else:
            self.add(self.dense(self.pick(1), 1))

    def unary(self, inputs, width=None):
        rng = self.rng
        kind = str(rng.choice(KINKED if self.kinks and rng.random() < 0.5 else self.smooth))
        extra = f", scale: {rng.integers(1, 9)}/4"
        if rng.random() < 0.7:
            extra += ", bias: true" + self.weights((kind, width or self.width), rng.integers(1, 9))
        return self.line(kind, inputs, extra)

    def dense(self, inputs, parts=0):
        bias = "true" if self.rng.random() < 0.5 else "false"
        weights = self.weights(("dense", parts, bias), self.rng.integers(1, 7))
        return self.line("dense", inputs, f", units: {self.width}, bias: {bias}{weights}")

    def weights(self, key, quarters):
        """A ball for the weights; now and then those of an operator before."""
        if key not in self.shared or self.rng.random() < 0.5:
            name = f"w{len(self.ids)}"
            self.shared[key] = f", weights: {name}, region: {{weight: {quarters}/4}}"
        return self.shared[key]

    def close(self):
        """Everything that nothing reads goes into the loss."""
        rng, ends = self.rng, list(self.unread)
        last = ends[0] if len(ends) == 1 else self.line(str(rng.choice(["add", "concat"])), ends)
        radius = f", region: {{weight: {rng.integers(1, 9)}/4}}"
        loss = self.line("bilinear", [last], radius)
        if rng.random() < 0.5:
            self.unary([loss], width=1)


def random_spec(rng, *, size, kinks, sites, laws):
    """A spec with noise at up to ``sites`` places, from ``laws(rng)``."""
    graph = RandomGraph(rng, size=size, kinks=kinks)
    places = [("forward", name) for name in graph.ids[:-1]]
    places += [("backward", f"{source}->{target}") for source, target in graph.edges]
    chosen = rng.permutation(len(places))[:sites]
    points = ", ".join(str((4 * rng.standard_normal(2)).round(3).tolist()) for _ in range(SAMPLES))
    noise = [
        f"  - {{at: {places[k][1]}, pass: {places[k][0]}, model: two_point, {law}}}"
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
        if law.magnitude is not None:
            size = float(law.magnitude.evaluate(WIDE))
            high, low, share = size, -size, 0.5
        else:
            high, low, share = (float(x.evaluate(WIDE)) for x in (law.high, law.low, law.p_high))
        for component in range(perturbation.size):
            made.split(key, component, high, low, share)
    return made.law(bits)


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
