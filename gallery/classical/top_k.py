"""Top-k contracts by 1 - k/d, and signs by 1 - 1/d."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Top-k contracts by 1 − k/d, signs by 1 − 1/d",
    topic="classical",
    statement=r"""
Top-$k$ keeps the $k$ largest components. For every $x \in \mathbb{R}^d$

$$\lVert Q(x) - x\rVert^2 \le \Bigl(1 - \frac kd\Bigr)\lVert x\rVert^2 ,$$

with equality where all components have the same size. Signs times the mean size,
$Q(x) = (\lVert x\rVert_1/d)\thinspace\mathrm{sign}(x)$, have
$\lVert Q(x) - x\rVert^2 = \lVert x\rVert^2 - \lVert x\rVert_1^2/d \le (1 - 1/d)\lVert x\rVert^2$,
with equality for a multiple of a unit vector. Neither is unbiased.
""",
    theorem="docs/theory.md, Lemmas 8.2 and 8.3",
    link="theory.md#82-compressors",
    kind="tight",
    reference="Top-k: S. U. Stich, J.-B. Cordonnier, M. Jaggi, Sparsified SGD with memory, NeurIPS "
    "2018, arXiv:1809.07599. Signs: S. P. Karimireddy, Q. Rebjock, S. U. Stich, M. Jaggi, "
    "Error feedback fixes SignSGD, ICML 2019, arXiv:1901.09847.",
)


def error(model: str, x: list[float], **parameters: int) -> float:
    """‖Q(x) − x‖² of what the sampler makes of x."""
    sent = TRANSFORMS[model](**parameters).apply()(np.random.default_rng(0), np.array([x]))[0]
    return float(sum((s - v) ** 2 for s, v in zip(sent, x, strict=True)))


def checks() -> Iterator[Check]:
    """The bound on the unit ball, where it is attained, and one vector by hand."""
    d, ball = 8, Reach((8,), Fraction(1), None, None)
    for k in (1, 3, 8):
        bound = TRANSFORMS["top_k"](k=k).moments(ball).second.evaluate(RATIONALS)
        yield Check(f"top-{k} of eight on the unit ball", bound, 1 - Fraction(k, d))
        yield Check(
            f"top-{k} of eight equal components, share of the norm",
            error("top_k", [0.5] * d, k=k) / 2,
            1 - Fraction(k, d),
        )
    bound = TRANSFORMS["sign"]().moments(ball).second.evaluate(RATIONALS)
    yield Check("signs of eight on the unit ball", bound, 1 - Fraction(1, d))
    yield Check("signs of a unit vector of eight", error("sign", [1.0] + [0.0] * 7), Fraction(7, 8))
    x = [3.0, -1.0, 2.0, 0.0]
    yield Check("signs of $(3, -1, 2, 0)$: $14 - 6^2/4$", error("sign", x), 14 - 9)
    yield Check("top-2 of $(3, -1, 2, 0)$ drops $1$", error("top_k", x, k=2), 1)
