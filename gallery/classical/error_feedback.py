"""Error feedback: what the memory holds is bounded, whatever the horizon."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.remembered import kept_error
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Error feedback keeps a bounded rest",
    topic="classical",
    statement=r"""
Let $\mathbb{E}\lVert Q(x) - x\rVert^2 \le \alpha^2\lVert x\rVert^2$ with $\alpha < 1$, send
$Q(y_t + e_t)$ and keep $e_{t+1} = y_t + e_t - Q(y_t + e_t)$, $e_0 = 0$. If
$\lVert y_t\rVert \le r$, then for all $t$

$$(\mathbb{E}\lVert e_t\rVert^2)^{1/2} \le \frac{\alpha(1-\alpha^t)}{1-\alpha}\thinspace r
\le \frac{\alpha r}{1-\alpha} ,$$

the fixed point of $e \mapsto \alpha(r + e)$, and what is sent differs in sum by no more than that
from what should have been sent. With $\delta = 1 - \alpha^2$ its square is at most
$4(1-\delta)r^2/\delta^2$, the published bound: $(1 + \alpha)^2 \le 4$.
""",
    theorem="docs/theory.md, Theorem 9.2; Karimireddy et al., Lemma 3",
    link="theory.md#93-feedback",
    kind="upper",
    reference="S. P. Karimireddy, Q. Rebjock, S. U. Stich, M. Jaggi, Error feedback fixes SignSGD "
    "and other gradient compression schemes, ICML 2019, arXiv:1901.09847; S. U. Stich, "
    "J.-B. Cordonnier, M. Jaggi, Sparsified SGD with memory, NeurIPS 2018, "
    "arXiv:1809.07599.",
)


def norms(steps: int) -> list[float]:
    """‖e_t‖ of top-1 of four components, α² = 3/4, fed with vectors of length 1."""
    send, rng = TRANSFORMS["top_k"](k=1).apply(), np.random.default_rng(0)
    kept, found = np.zeros((1, 4)), []
    for _ in range(steps):
        y = rng.normal(size=(1, 4))
        held = kept + np.abs(y) / np.linalg.norm(y)
        kept = held - send(rng, held)
        found.append(float(np.linalg.norm(kept)))
    return found


def checks() -> Iterator[Check]:
    """The fixed point, the published bound above it, and a run below it."""
    for alpha in (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)):
        e = kept_error(alpha, Fraction(3))
        yield Check(rf"$\alpha = {alpha}$: fixed point of $\alpha(r + e)$", e, alpha * (3 + e))
        delta = 1 - alpha**2
        published = 4 * (1 - delta) * 9 / delta**2
        yield Check(rf"$\alpha = {alpha}$: below the published bound", e**2, published, "at most")
    contraction = TRANSFORMS["top_k"](k=1).contraction(4)
    yield Check(r"$\alpha^2$ of top-1 of four", contraction, Fraction(3, 4))
    bound = float(kept_error(Fraction(866026, 1000000), Fraction(1)))
    yield Check("largest rest of 2000 steps of top-1", max(norms(2000)), bound, "at most")


def figure() -> "Figure":
    """The rest along a run, and its bound."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        root = 0.75**0.5
        bound = [root * (1 - root**t) / (1 - root) for t in range(1, 101)]
        panel.plot(range(1, 101), bound, color=LOOKS["sharp"].colour, label="bound")
        panel.plot(range(1, 101), norms(100), color=OBSERVED, linewidth=1, label="top-1 of four")
        panel.set_xlabel("step $t$")
        panel.set_ylabel(r"$\|e_t\|$")
        panel.legend()
    return found
