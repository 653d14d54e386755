"""E2: Assumption 3 bounds one second derivative and the proof uses two."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E2: the curvature that Assumption 3 leaves out",
    topic="errata",
    statement=r"""
Assumption 3 bounds $\nabla^2_{21} f_i$ by $C_{\nabla^2 f}$; (28) uses the same constant for
$\nabla^2_{11} f_i$. Let $f_1 = w_1 x$, $f_2 = \tfrac12 y^2 + w_2$ at $x = 1$. Then
$\nabla^2_{21} f_2 = 0$, all bias coefficients vanish, with E1 repaired or not, and yet

$$\tilde u_1 - u_1 = \delta_1 .$$
""",
    theorem="[KZY] Assumption 3, erratum E2",
    link="errata.md#e2-the-curvature-that-assumption-3-leaves-out",
    kind="counterexample",
    spec="separable-erratum",
    command="verify",
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The evidence, and the two passes by hand."""
    w, shift = Fraction(1, 2), Fraction(1, 4)
    moved = (w + shift) - w  # ũ_1 − u_1 = f_2'(ỹ_1) − f_2'(y_1), times x = 1
    yield from compared(
        "E2",
        {
            "squared bias at δ₁ = 1/4": moved**2,
            "right side of (23) as printed": Fraction(0),
            "right side of (23) with E1 alone": Fraction(0),
            "right side of (23) with E1 and E2": 32 * shift**2,
        },
    )
