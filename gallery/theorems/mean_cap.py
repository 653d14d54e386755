"""Lemma 4.4: a mean never exceeds the root mean square, at every stage."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: Means that are capped
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 3}]
perturbations: [{at: "f.*", pass: forward, rms: 1, mean: 0}]
"""

ENTRY = Entry(
    title="A mean never exceeds the root mean square",
    topic="theorems",
    statement=r"""
By Jensen $\lVert \mathbb{E} X \rVert \le \mathrm{rms}(X)$, so in the recurrences of the means each
may be replaced by the smaller of itself and the bound on the root mean square of the same quantity:
$$\hat\mu_i = \min \lbrace a_i \hat\mu_{i-1} + \tfrac12 A_i s_{i-1}^2 + m_i , \; s_i \rbrace ,$$
and so on for $\hat\beta$, $\hat\nu$ and the gradients; $\hat\beta^2 \le \min(\beta^2, \zeta^2)$.
With all constants and $e_j$ 1, zero means and $N = 3$ it cuts $\beta^2 = 225/4$ to $22$.
""",
    theorem="Lemma 4.4",
    link="theory.md#45-a-mean-never-exceeds-the-root-mean-square",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def capped(N: int) -> Fraction:
    """The capped recurrences with all constants and levels 1, written out."""
    s = [Fraction(i) for i in range(N)]
    R, mu, beta = [Fraction(0)] * (N + 1), [Fraction(0)] * N, [Fraction(0)] * (N + 1)
    for i in range(1, N):
        mu[i] = min(mu[i - 1] + s[i - 1] ** 2 / 2, s[i])
    for i in range(N - 1, 0, -1):
        R[i] = R[i + 1] + s[i]
        beta[i] = min(beta[i + 1] + s[i] * R[i + 1] + mu[i] + s[i] ** 2 / 2, R[i])
    total = Fraction(0)
    for i in range(1, N + 1):
        found = beta[i] + s[i - 1] * R[i] + mu[i - 1] + s[i - 1] ** 2 / 2
        total += min(found, R[i] + s[i - 1]) ** 2
    return total


def checks() -> Iterator[Check]:
    """The stated values, and longer chains against the recurrences above."""
    for N, stated in ((2, Fraction(1, 2)), (3, Fraction(22)), (5, capped(5)), (8, capped(8))):
        graph = built(_SPEC.replace("repeat: 3", f"repeat: {N}"))
        yield Check(rf"$\hat\beta^2$, $N = {N}$", general(graph, "mean cap")[1], stated)
    graph = built(_SPEC)
    yield Check(r"$\beta^2$ without the cap, $N = 3$", general(graph)[1], Fraction(225, 4))
