"""E1: the leading bias coefficient as printed is false."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E1: a bias bound of zero, and a bias that is not",
    topic="errata",
    statement=r"""
(33a) prints $C^b_{\delta_i} = 8 L_{\nabla^2 f}^2 C_v^2 \sum_j S_j (4 C_{\nabla f}^2)^{j-i}$; its
derivation (32) has $C_{\nabla^2 f}$. Let $f_1 = w_1 x$, $f_2 = w_2 y$ at $x = 1$,
$w = (\tfrac12, \tfrac12)$. Third derivatives vanish, so the printed bound (23) is 0, and yet

$$\tilde u_2 - u_2 = \delta_1 .$$

With $C_{\nabla^2 f} = 1$ the coefficient is $8 \cdot 4 = 32$, and the bound $32 \delta_1^2$.
""",
    theorem="[KZY] (33a), erratum E1",
    link="errata.md#e1-the-leading-bias-coefficient",
    kind="counterexample",
    spec="bilinear-erratum",
    command="verify",
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The evidence, and the two passes by hand."""
    w, shift = Fraction(1, 2), Fraction(1, 4)
    moved = (w + shift) - w  # ũ_2 − u_2 = ỹ_1 − y_1
    yield from compared(
        "E1",
        {
            "squared bias at δ₁ = 1/4": moved**2,
            "right side of (23) as printed": Fraction(0),
            "corrected coefficient of δ₁": Fraction(8 * (1 + 3)),
            "right side of (23) with C_∇²f in (33a)": 32 * shift**2,
        },
    )
