"""Random small graphs as specs: branches, joins, shared and kept weights, runs of matrices."""

import numpy as np

from boundcalc.arithmetic import WIDE

SMOOTH = ("sine", "tanh", "sigmoid", "softplus", "silu", "gelu")
KINKED = ("relu", "leaky_relu")
SAMPLES = 4


class RandomGraph:
    """Writes the operators of a random graph, one line each.

    All values that later operators may read have one width.  What nothing reads is joined
    before the loss.

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
        self.ids, self.lines, self.edges, self.widths = [], [], [], {}
        self.pool, self.unread, self.shared = [], [], {}
        while len(self.ids) < size:
            name = self.grow()
            self.pool.append(name)
            self.unread.append(name)
        self.close()

    def line(self, kind, inputs, extra="", width=None):
        name = f"f{len(self.ids) + 1}"
        reads = ", ".join(inputs)
        self.ids.append(name)
        self.widths[name] = width or self.width
        self.lines.append(f"    - {{id: {name}, type: {kind}, inputs: [{reads}]{extra}}}")
        self.edges += [(source, name) for source in dict.fromkeys(inputs)]
        self.unread = [source for source in self.unread if source not in inputs]
        return name

    def pick(self, count):
        """Operators to read: often such as nothing reads yet, sometimes one twice."""
        pool = self.unread if self.rng.random() < 0.3 else self.pool
        return [str(self.rng.choice(pool)) for _ in range(count)]

    def grow(self):
        rng = self.rng
        if not self.pool or rng.random() < 0.05:
            cut = f", start: {2 - self.width}"
            return self.line("select", [], cut) if rng.random() < 0.2 else self.dense([])
        kind = rng.choice(
            ["unary", "unary", "unary", "add", "multiply", "concat", "dense", "run", "run"]
        )
        if kind == "unary":
            return self.unary(self.pick(1))
        if kind == "add":
            inputs = self.pick(int(rng.integers(2, 4)))
            factors = ", ".join(f"{k}/2" for k in rng.integers(-3, 4, len(inputs)))
            return self.line("add", inputs, f", factors: [{factors}]")
        if kind == "multiply":
            if self.width == 1 and rng.random() < 0.5:
                return self.line("triple", self.pick(3), self.weights(("triple",)))
            return self.line("multiply", self.pick(2))
        if kind == "concat":
            return self.dense([self.concat(self.pick(int(rng.integers(2, 4))))])
        return self.dense(self.pick(1)) if kind == "dense" else self.run(self.pick(1))

    def concat(self, inputs):
        return self.line("concat", inputs, width=sum(self.widths[name] for name in inputs))

    def run(self, inputs):
        """Matrices one after the other, with an activation between them or not."""
        inside = self.dense(inputs, units=3, known=True)
        if self.rng.random() < 0.5:
            scale = f", scale: {self.rng.integers(1, 9)}/4"
            inside = self.line(str(self.rng.choice(self.smooth)), [inside], scale, width=3)
        return self.dense([inside], known=True)

    def unary(self, inputs):
        rng, width = self.rng, self.widths[inputs[0]]
        kind = str(rng.choice(KINKED if self.kinks and rng.random() < 0.5 else self.smooth))
        extra = f", scale: {rng.integers(1, 9)}/4"
        if rng.random() < 0.7:
            extra += ", bias: true" + self.weights((kind, width))
        return self.line(kind, inputs, extra, width=width)

    def dense(self, inputs, units=None, known=False):
        bias, m = "true" if self.rng.random() < 0.5 else "false", units or self.width
        n = self.widths[inputs[0]] if inputs else 2
        extra = f", units: {m}, bias: {bias}" + self.weights(("dense", n, m, bias, known))
        return self.line("dense", inputs, extra, width=m)

    def weights(self, key):
        """Weights in a ball around 0, near their start, or kept; now and then shared."""
        rng, known = self.rng, key[-1] is True
        if key not in self.shared or rng.random() < 0.5:
            radius, seed = f"{rng.integers(1, 7)}/4", len(self.ids)
            start = f"initial: {{uniform: {radius}, seed: {seed}}}"
            where = rng.choice(
                [
                    f"region: {{weight: {radius}}}",
                    f"region: {{weight_change: {rng.integers(0, 9)}/40}}, {start}",
                    f"trainable: false, {start}",
                ],
                p=[0, 0.7, 0.3] if known else [0.5, 0.3, 0.2],
            )
            self.shared[key] = f", weights: w{seed}, {where}"
        return self.shared[key]

    def close(self):
        """Everything that nothing reads goes into the loss."""
        rng, ends = self.rng, list(self.unread)
        last = ends[0]
        if len(ends) > 1:
            last = self.line("add", ends) if rng.random() < 0.5 else self.concat(ends)
        radius = f", region: {{weight: {rng.integers(1, 9)}/4}}"
        loss = self.line("bilinear", [last], radius, width=1)
        if rng.random() < 0.5:
            self.unary([loss])


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
            f"  merge: {rng.choice(['none', 'linear', 'rescaled', 'rescaled'])}",
            "  operators:",
            *graph.lines,
            "perturbations:",
            *noise,
            "training: {step_size: 1, horizon: 1}",
            f"simulation: {{data: {{points: [{points}]}}}}",
        ]
    )


def random_weights(graph, program, rng):
    """Weights in their balls, at the edge more often than not."""
    w = np.empty((1, program.weights))
    for number, part in program.slices.items():
        region = graph.nodes[number - 1].region
        direction = rng.standard_normal(part.stop - part.start)
        direction /= np.linalg.norm(direction)
        near = region.center is not None
        radius = float((region.change if near else region.weight).evaluate(WIDE))
        inside = 1.0 if rng.random() < 0.6 else rng.random()
        w[0, part] = (region.center if near else 0.0) + radius * inside * direction
    return w
