"""E4: means that are conditioned on too much, and what they must be conditioned on."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E4: the mean of a product is no product of means",
    topic="errata",
    statement=r"""
The printed proof of Theorem 2 conditions $\delta_i$ on the states that contain it, so that its
"mean" is $\delta_i$ itself, and factors
$$\mathbb{E}[\nabla_1 f(\tilde y_i)^{\top} (\tilde v_{i+1} - v_{i+1})] .$$

Two squares $f = \tfrac12 y^2$ from $y_1 = \tfrac12$ with independent
$\delta_1, \delta_2 = \pm \tfrac{1}{10}$: that mean is $\tfrac{3}{400}$, the product of the means
$\tfrac{1}{400}$. With means given the past only the statement is true (Theorem 4.20); with
unconditional ones it is false.
""",
    theorem="[KZY] (22), (28), (29), erratum E4",
    link="errata.md#e4-means-that-are-conditioned-on-too-much",
    kind="counterexample",
    reference=KZY,
)


def means() -> tuple[Fraction, Fraction]:
    """E[ỹ_1 (ỹ_2 − y_2)] and E ỹ_1 · E(ỹ_2 − y_2), over four outcomes."""
    start, size = Fraction(1, 2), Fraction(1, 10)
    both = first = second = Fraction(0)
    for a, b in product((-size, size), repeat=2):
        moved = (start + a) ** 2 / 2 + b - start**2 / 2
        both, first, second = both + (start + a) * moved, first + start + a, second + moved
    return both / 4, first / 4 * second / 4


def checks() -> Iterator[Check]:
    """The evidence, and both means by hand."""
    together, apart = means()
    yield Check("the mean of the product, by hand", together, Fraction(3, 400))
    yield from compared(
        "E4",
        {
            "mean of the product, independent noise, y₁ = 1/2": together,
            "product of the means, independent noise": apart,
            "mean square of E[δ₁|𝒢₁], as printed": Fraction(1, 100),
            "mean square of E[δ₁|𝒢₀], which is meant": Fraction(0),
            "squared bias, N = 3, δ₁ = ±1/100, δ₂ = ±1/2 with its sign": Fraction(1, 100) ** 2 / 4,
            "corrected bound there with unconditional means": Fraction(13, 1562500),
        },
    )
