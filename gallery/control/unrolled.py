"""Gradient descent unrolled over a horizon: a chain whose weights are step sizes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.resources import example
from gallery.base import Check, Entry
from gallery.tools import runs_below

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Unrolled gradient descent with rounded states",
    topic="control",
    statement=r"""
$y_t = y_{t-1} - w_t\nabla g(y_{t-1})$, $t = 1, \dots, n$, for $g = \frac12y^{\top}Hy$, and the
loss $g(y_n)$: the step sizes $w_t$ are learned by passing back through all steps. Each operator
has $a = \sup\lVert I - w_tH\rVert$, $b = \sup\lVert Hy\rVert$, $B = \lVert H\rVert$, $A = 0$.
With eigenvalues 1, 3/4, 1/2 and $w_t \in [\frac12, 1]$, $a = \frac34$: states contract, and so
does what rounding a state does to later ones, $s_t = \frac34s_{t-1} + e$, so that the bound stays
bounded at every horizon.
""",
    theorem="docs/theory.md, Theorem 4.3; [KZY], section 1.1",
    link="theory.md#44-conditionally-zero-mean-perturbations",
    kind="upper",
    reference="[KZY] B. Kong, H. Zhang, K. Yuan, arXiv:2602.20646; learned step sizes: M. "
    "Andrychowicz et al., Learning to learn by gradient descent by gradient descent, "
    "NeurIPS 2016, arXiv:1606.04474.",
    spec="unrolled-gd",
    command="verify",
)


def checks() -> Iterator[Check]:
    """Constants by hand, a simulation of our own, and verdicts of a run."""
    text = example("unrolled-gd").read_text("utf-8")
    graph = bc.build(bc.loads(text.replace("draws: 8192", "draws: 1024")))
    eigenvalues, weights = (1, 0.75, 0.5), (0.5, 1.0)
    slope = max(abs(1 - w * lam) for w in weights for lam in eigenvalues)
    for name in ("step.2", "step.6"):
        node = next(node for node in graph.nodes if node.id == name)
        yield Check(
            f"{name}: $a$", float(node.constants.jac_input.evaluate(FLOATS)), slope, rel=1e-12
        )
        yield Check(f"{name}: $B$", float(node.constants.hess_mixed.evaluate(FLOATS)), 1, rel=1e-12)
    bound = float(bc.coefficients(graph).error_bound())
    yield Check(
        "mean squared error of the gradient, simulated here",
        error(),
        bound,
        "at most",
        sampled="mean of 20 000 draws with a fixed seed; the bound is far above its spread",
    )
    yield from runs_below(graph)


def passes(noise: float, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Gradients in w of draws perturbed passes from (2, 0, 0), w = 3/4."""
    h, y = np.array([1, 0.75, 0.5]), np.tile([2.0, 0, 0], (draws, 1))
    states = [y]
    for _ in range(6):
        y = y - 0.75 * h * y + noise / 100 * rng.uniform(-1, 1, (draws, 3))
        states.append(y)
    v, found = h * y + noise / 500 * rng.uniform(-1, 1, (draws, 3)), []
    for t in range(6, 0, -1):
        found.append(np.sum(-h * states[t - 1] * v, axis=1))
        v = v * (1 - 0.75 * h) + noise / 500 * rng.uniform(-1, 1, (draws, 3))
    return np.stack(found, axis=1)


def error() -> float:
    """E‖ũ − u‖² of the passes above."""
    rng = np.random.default_rng(0)
    exact = passes(0.0, rng, 1)
    return float(np.mean(np.sum((passes(1.0, rng, 20_000) - exact) ** 2, axis=1)))


def figure() -> "Figure":
    """The bound against the number of unrolled steps."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        text, horizons = (
            example("unrolled-gd").read_text("utf-8"),
            [1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
        )
        values = []
        for n in horizons:
            made = text.replace("repeat: 6", f"repeat: {n}")
            made = made.replace("[step.1, step.2, step.3, step.4, step.5, step.6]", '"step.*"')
            made = made.replace(
                "[step.2, step.3, step.4, step.5, step.6, loss]", '["step.*", loss]'
            )
            values.append(float(bc.coefficients(bc.build(bc.loads(made))).error_bound()))
        panel.plot(horizons, values, "o-", color=LOOKS["sharp"].colour)
        panel.set_ylim(0, None)
        panel.set_xlabel("unrolled steps")
        panel.set_ylabel("bound on the squared error")
    return found
