"""E5: the printed exponent is one too large for its proof, and right for another."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E5: an exponent that the proof does not give",
    topic="errata",
    statement=r"""
(38) and (41) have $(1 - \mu\gamma/3)^{T-t}$. Unrolling (40), $x_{t+1} \le q x_t + c_t$, gives

$$x_T \le q^T x_0 + \sum_{t=0}^{T-1} q^{T-1-t} c_t .$$

For $T = 1$, $x_0 = c_0 = 1$ and $\mu\gamma = \tfrac13$ (40) allows $x_1 = \tfrac{17}{9}$, the
printed sum is $\tfrac{16}{9}$. (38) is true all the same, by the slack of Young's inequality
(Lemma 6.5).
""",
    theorem="[KZY] (38), (41), erratum E5",
    link="errata.md#e5-an-exponent",
    kind="counterexample",
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The evidence, and one step by hand."""
    q = 1 - Fraction(1, 3) / 3
    yield from compared(
        "E5",
        {
            "x₁ that (40) allows at x₀ = c₀ = 1, μγ = 1/3": q + 1,
            "x₁ by the printed sum": q + q,
            "Lemma 6.5 over (38) as printed, largest quotient": 0.974,
            "exact loss of quadratics over (38), largest quotient": 0.999,
        },
    )
