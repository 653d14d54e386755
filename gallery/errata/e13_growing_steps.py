"""E13: a step of the proof that needs steps which do not grow."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import XHH

ENTRY = Entry(
    title="E13: steps that must not grow",
    topic="errata",
    statement=r"""
Theorem 1 and Corollary 2 of [XHH] allow any step sequence; the proof uses

$$\sum_n \alpha_n^2 \sum_{j=n-\Delta t}^{n-1} a_j \le \Delta t \sum_j \alpha_j^2 a_j ,$$

which holds if $\alpha_n$ does not increase. With $\Delta t = 1$,
$\alpha = (\tfrac{1}{100}, \tfrac{1}{50})$ and $a = (1, 0)$ the left side is $\tfrac{1}{2500}$, the
right $\tfrac{1}{10000}$. Whether the theorem itself holds for growing steps is open.
""",
    theorem="[XHH] Theorem 1, erratum E13",
    link="errata.md#e13-steps-that-must-not-grow",
    kind="counterexample",
    reference=XHH,
)


def checks() -> Iterator[Check]:
    """The evidence, and both sides by hand."""
    alpha, a = (Fraction(1, 100), Fraction(1, 50)), (Fraction(1), Fraction(0))
    moved = alpha[1] ** 2 * a[0]  # n = 1 looks back at j = 0
    meant = sum((x * x * y for x, y in zip(alpha, a, strict=True)), Fraction(0))
    yield from compared(
        "E13",
        {
            "Σ_n α_n² Σ_j a_j over the windows, increasing steps": moved,
            "Δt Σ_j α_j² a_j": meant,
            "the former for constant steps": alpha[0] ** 2,
        },
    )
    yield Check("the left side, by hand", moved, Fraction(1, 2500))
