"""E11: a bound with the wrong sign."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import XHH

ENTRY = Entry(
    title="E11: a negative bound on a square",
    topic="errata",
    statement=r"""
The last display of Appendix E in [XHH] has $f^* - f(x^0)$; the display before it is right. On
$f = x^2/2$ from $x^0 = 1$ with $\alpha = \tfrac14$, ten steps, no delay and no noise, the average
of $\lVert \nabla f \rVert^2$ is positive, and the bound as printed

$$\frac{2 (f^* - f(x^0))}{10 \, \alpha} = -\frac25 .$$
""",
    theorem="[XHH] Appendix E, erratum E11",
    link="errata.md#e11-a-sign",
    kind="counterexample",
    reference=XHH,
)


def checks() -> Iterator[Check]:
    """The evidence; x is multiplied by 3/4 in each step."""
    average = sum((Fraction(9, 16) ** n for n in range(10)), Fraction(0)) / 10
    yield from compared(
        "E11",
        {
            "average of ‖∇f‖²": average,
            "bound with f* − f(x⁰)": Fraction(-2, 5),
            "bound with f(x⁰) − f*": Fraction(2, 5),
        },
    )
