"""E7: the sentence on which pass is the sensitive one is reversed."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E7: forward noise is the sensitive one",
    topic="errata",
    statement=r"""
Section 5.3 of [KZY] finds "much weaker constraints on $\delta$ than on $\varepsilon$". By its own
Corollary 1 it is the other way round: with mean zero

$$\lVert \delta \rVert \lesssim T^{-1/8} , \qquad \lVert \varepsilon \rVert \lesssim 1 ,$$

since $\delta$ enters the bias with the power 4, through curvature, and $\varepsilon$ not at all.
With $N = 3$ and all constants 1 a $\delta_2$ of size 1 leaves the floor
$3 \cdot 8 \cdot 2 S_2 = 624$ in (34), an $\varepsilon$ leaves none.
""",
    theorem="[KZY] Section 5.3, erratum E7",
    link="errata.md#e7-which-pass-is-the-sensitive-one",
    kind="counterexample",
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The evidence; C̃^b_δ2 = 8 C²_y2 = 8 · 2 S_2 with S_2 = 1 + 3 + 9."""
    yield from compared(
        "E7",
        {
            "power of δ in the bias, mean zero": Fraction(4),
            "power of ε in the bias, mean zero (0: absent)": Fraction(0),
            "δ must fall as T to the power minus": Fraction(1, 8),
            "ε must fall as T to the power minus": Fraction(0),
            "floor of (34) with δ of size 1, mean zero": Fraction(3 * 8 * 2 * (1 + 3 + 9)),
            "floor of (34) with ε of size 1, mean zero": Fraction(0),
        },
    )
