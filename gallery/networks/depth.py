"""Depth does no harm to a chain of contractions, and the printed bound does not see it."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: A chain of contractions
graph:
  operators: [{id: f, repeat: 10, type: bilinear, region: {input: 2, weight: 1/2}}]
perturbations:
  - {at: "f.*", pass: forward, model: constant, value: 1}
"""

ENTRY = Entry(
    title="A chain of contractions: depth does no harm",
    topic="networks",
    statement=r"""
$f_i = w_iy_{i-1}$, $|w_i| \le a < 1$, $|y_i| \le \frac1{1-a}$ on perturbed passes, and forward
perturbations of size 1 after each but the last of $N$ operators. Theorem 4.1 gives
$s_i = \frac{1-a^i}{1-a}$, $V_i = a^{N-i}$ and $R_i = 0$, so that

$$\zeta^2 = \sum_{i=1}^N a^{2(N-i)}\left(\frac{1-a^{i-1}}{1-a}\right)^2
< \frac1{(1-a)^2(1-a^2)} ,$$

at every depth: $\frac{16}3$ for $a = \frac12$. It is attained by $\delta_i = 1$ on $y_0 = 0$ with
all weights $a$. At $a = 1$ the sum is $\frac{(N-1)N(2N-1)}6$, and for $a > 1$ it grows
exponentially. The printed bound (21) has one constant $C$ for $\lVert\nabla_yf\rVert \le \frac12$
and $\lVert\nabla_wf\rVert \le 2$ together, and grows like $(12 \cdot 4)^N$ even where every
operator is a contraction: 832 at $N = 2$ against 1, 63616 at 3 against $\frac52$.
""",
    theorem="docs/theory.md, Theorem 4.1; [KZY], (21)",
    link="theory.md#42-second-moments",
    kind="tight",
    reference="[KZY] B. Kong, H. Zhang, K. Yuan, On the convergence of stochastic gradient descent "
    "with perturbed forward-backward passes, arXiv:2602.20646.",
    spec=SPEC,
)


def bound(n: int, a: Fraction, *, radius: int = 2, family: str = "sharp") -> Fraction:
    """A family's bound on the squared error."""
    text = SPEC.replace("repeat: 10", f"repeat: {n}").replace("1/2", str(a))
    graph = bc.build(bc.loads(text.replace("input: 2", f"input: {radius}")))
    return Fraction(bc.coefficients(graph, family).error_bound().value)


def displayed(n: int, a: Fraction) -> Fraction:
    """The display, for a ≠ 1."""
    return sum(
        (a ** (2 * (n - i)) * ((1 - a ** (i - 1)) / (1 - a)) ** 2 for i in range(1, n + 1)),
        Fraction(0),
    )


def instance(n: int, a: Fraction) -> Fraction:
    """‖ũ − u‖² with all weights a on the input 0 and every δ = 1, by its two passes."""
    y, gradients = Fraction(0), []
    for i in range(1, n + 1):
        gradients.append(y * a ** (n - i))  # the plain pass has y = 0 and no gradient
        y = a * y + 1
    return sum((u**2 for u in gradients), Fraction(0))


def printed(n: int) -> Fraction:
    """(21) with C = 2, L_f = ½ and L_∇f = 1, as a double sum."""
    S = [Fraction(12 ** (j + 1) - 1, 11) for j in range(n)]
    terms = (S[k] / 2 ** (k - j) for j in range(1, n) for k in range(j, n))
    return 4 * 4**n * sum(terms, Fraction(0))


def checks() -> Iterator[Check]:
    """The display and the instance for contractions, what others give, and the printed bound."""
    half = Fraction(1, 2)
    for n, literal in ((2, Fraction(1)), (3, Fraction(5, 2))):
        yield Check(f"$N = {n}$, $a = 1/2$", bound(n, half), literal)
        yield Check(f"$N = {n}$: printed, by (21)", bound(n, half, family="published"), printed(n))
    for n, literal in ((2, 832), (3, 63616)):
        stated = Fraction(literal)
        yield Check(f"$N = {n}$: printed", bound(n, half, family="published"), stated)
    for n in (2, 3, 10, 50):
        found = bound(n, half)
        yield Check(f"$N = {n}$: the sum, $a = 1/2$", found, displayed(n, half))
        yield Check(f"$N = {n}$: attained", found, instance(n, half))
        yield Check(f"$N = {n}$: below $16/3$", found, Fraction(16, 3), "at most")
    limit, near = Fraction(16, 3), "from below, nearly: the limit of large $N$"
    yield Check("$N = 50$: near $16/3$", bound(50, half), limit, rel=1e-13, why=near)
    growth = float(printed(51) / printed(50))
    yield Check("printed, $N = 51$ over $N = 50$", growth, 48.0, rel=1e-12)
    one, two = Fraction(1), Fraction(2)
    yield Check("$N = 10$, $a = 1$", bound(10, one, radius=9), Fraction(9 * 10 * 19, 6))
    yield Check("$N = 10$, $a = 2$", bound(10, two, radius=511), displayed(10, two))


def figure() -> "Figure":
    """The error bound against depth for three sizes of the weights."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        depths = [2, 3, 5, 8, 12, 16, 20]
        for a, radius, colour, line in (
            (Fraction(1, 2), 2, LOOKS["sharp"].colour, "o-"),
            (Fraction(1), 19, OBSERVED, "^:"),
            (Fraction(2), 2**19, LOOKS["published"].colour, "s--"),
        ):
            sizes = [float(bound(n, a, radius=radius)) for n in depths]
            panel.semilogy(depths, sizes, line, color=colour, label=f"$a = {float(a):g}$")
        panel.set_xlabel("operators $N$")
        panel.set_ylabel(r"bound on $\mathbb{E}\|\tilde u-u\|^2$")
        panel.legend()
    return found
