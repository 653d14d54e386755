"""A multilayer perceptron: constants from its weights, and the bound against a run."""

from collections.abc import Iterator
from math import erf, exp, pi, sqrt

import numpy as np

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.resources import example
from gallery.base import Check, Entry
from gallery.tools import runs_below

ENTRY = Entry(
    title="A multilayer perceptron on MNIST-like data",
    topic="networks",
    statement=r"""
784 inputs in $[0, 1]$, layers of 32, 16 and 10 units with GELU between them, cross-entropy,
rounded activations and gradients. On weights within $\rho$ of their start $W_0$ a dense layer
with a bias has

$$a = \lVert W_0\rVert + \rho , \qquad b = \sqrt{R^2 + 1} ,$$

$R$ the radius of its inputs; the largest slope of GELU is
$\Phi(\sqrt2) + \sqrt2\thinspace\varphi(\sqrt2) = 1.1289$; cross-entropy has $a \le \sqrt2$ and
the curvature $\frac12$. The bound made of them holds for every sample of the region, so that what
a run shows lies below it.
""",
    theorem="docs/theory.md, Theorems 4.1 to 4.3; constants: docs/spec-reference.md, operators",
    link="spec-reference.md#operators",
    kind="upper",
    reference="Constants: proofs in the docstrings of boundcalc.operators. GELU: D. Hendrycks, "
    "K. Gimpel, Gaussian error linear units, 2016, arXiv:1606.08415.",
    spec="mlp-mnist-like",
    command="verify",
)


def checks() -> Iterator[Check]:
    """Norms against NumPy's singular values, the slope of GELU, and verdicts of a run."""
    spec = bc.load(example("mlp-mnist-like"))
    graph = bc.build(spec)
    nodes = {node.id: node for node in graph.nodes}
    for name in ("fc2", "fc3"):
        node = nodes[name]
        weights = node.values[: node.inputs * node.outputs].reshape(node.outputs, node.inputs)
        norm = float(np.linalg.svd(weights, compute_uv=False)[0]) + 1 / 20
        found = float(node.constants.jac_input.evaluate(FLOATS))
        yield Check(
            rf"{name}: $a = \lVert W_0\rVert + \rho$",
            found,
            norm,
            rel=1e-9,
            why="certified from above: a few rounding errors are added",
        )
    widest = sqrt(784)
    found = float(nodes["fc1"].constants.jac_weight.evaluate(FLOATS))
    yield Check(r"fc1: $b$, of inputs in $[0, 1]$", found, sqrt(widest**2 + 1), "at most")
    slope = (1 + erf(1)) / 2 + sqrt(2) * exp(-1) / sqrt(2 * pi)
    found = float(nodes["act2"].constants.jac_input.evaluate(FLOATS))
    yield Check(
        r"act2: $\Phi(\sqrt2) + \sqrt2\thinspace\varphi(\sqrt2)$",
        found,
        slope,
        rel=1e-9,
        why="a certified upper bound of an irrational maximum",
    )
    yield from runs_below(graph)
