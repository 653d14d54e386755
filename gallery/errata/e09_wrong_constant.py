"""E9: the last step of (14) needs the Lipschitz constant of the first derivative."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E9: a constant in (14)",
    topic="errata",
    statement=r"""
The last step of (14) bounds a difference of Jacobians by $L_{\nabla^2 f}$; the constant of
$$\lVert \nabla f(\tilde y) - \nabla f(y) \rVert \le L_{\nabla f} \lVert \tilde y - y \rVert$$

is meant. On the chain of E1 with $\delta_1 = \tfrac14$ the squared error is $\tfrac{1}{16}$; (13)
with $L_{\nabla f} = 1$ is $16 \cdot \tfrac{1}{16} = 1$, with $L_{\nabla^2 f} = 0$ in its place 0.
""",
    theorem="[KZY] (14), erratum E9",
    link="errata.md#e9-a-constant-in-14",
    kind="counterexample",
    spec="bilinear-erratum",
    command="compile --family published",
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The evidence; C^e_δ1 = 4 S_1 = 16."""
    yield from compared(
        "E9",
        {
            "squared error": Fraction(1, 4) ** 2,
            "bound (13) with L_∇f in (14)": Fraction(4 * (1 + 3), 16),
            "bound (13) with L_∇²f in (14)": Fraction(0),
        },
    )
