"""Rand-k: unbiased, with omega = d/k - 1 exactly."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import comb

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Rand-k has ω = d/k − 1 exactly",
    topic="classical",
    statement=r"""
Rand-$k$ keeps $k$ of the $d$ components, every set of $k$ with the same probability, and
multiplies them by $d/k$. It is unbiased, and for every $x \in \mathbb{R}^d$

$$\mathbb{E}\lVert Q(x) - x\rVert^2 = \Bigl(\frac dk - 1\Bigr)\lVert x\rVert^2 .$$

Without the factor $d/k$ it is $(1 - k/d)\lVert x\rVert^2$, and the mean is shortened by $k/d$.
The stated numbers are averages over all sets, one by one.
""",
    theorem="docs/theory.md, Lemma 8.1",
    link="theory.md#82-compressors",
    kind="exact",
    reference="S. U. Stich, J.-B. Cordonnier, M. Jaggi, Sparsified SGD with memory, NeurIPS 2018, "
    "arXiv:1809.07599.",
)

X = [Fraction(v) for v in (3, -1, 2, 0, -2, 1)]


def by_hand(k: int, scale: Fraction) -> tuple[Fraction, Fraction]:
    """E‖δ‖² and the squared norm of E δ over all sets of k components of X."""
    d, sets = len(X), list(combinations(range(len(X)), k))
    second, mean = Fraction(0), [Fraction(0)] * d
    for kept in sets:
        error = [(scale - 1) * x if j in kept else -x for j, x in enumerate(X)]
        second += sum(e * e for e in error) / len(sets)
        mean = [m + e / comb(d, k) for m, e in zip(mean, error, strict=True)]
    return second, sum(m * m for m in mean)


def checks() -> Iterator[Check]:
    """Second moment and mean of both forms, for every k."""
    d, squared = len(X), sum(x * x for x in X)
    ball = Reach((d,), None, Fraction(-3), Fraction(3))
    for k in (1, 2, 5):
        for scaled in (True, False):
            found = TRANSFORMS["rand_k"](k=k, scaled=scaled).moments(ball)
            most = ball.squared  # the bound is over the box: all components of size 3
            second, mean = by_hand(k, Fraction(d, k) if scaled else Fraction(1))
            name = f"$k = {k}$, {'scaled' if scaled else 'unscaled'}"
            ratio = found.second.evaluate(RATIONALS) / most
            yield Check(f"{name}: relative second moment", ratio, second / squared)
            ratio = found.mean_squared.evaluate(RATIONALS) / most
            yield Check(f"{name}: relative squared mean", ratio, mean / squared)
    found = TRANSFORMS["rand_k"](k=2).moments(ball).second.evaluate(RATIONALS) / ball.squared
    yield Check(r"$\omega$ of rand-2 of six", found, Fraction(6, 2) - 1)
