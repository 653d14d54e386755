"""The printed error coefficients (21), by the sums as printed."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, value

_SPEC = """
version: 1
name: Printed error coefficients
graph:
  uniform: {jac: 3/2, lip: 1/2, hess: 2, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 3}]
"""

ENTRY = Entry(
    title="The printed error coefficients",
    topic="theorems",
    statement=r"""
For $i = 1, \dots, N-1$, with $S_j = \sum_{k=0}^{j} (3 C_{\nabla f}^2)^k$ and
$C_v = \max \lbrace 1, C_{\nabla f}^N \rbrace$,

$$C^e_{\delta_i} = 4 C_v^2 L_{\nabla f}^2 \sum_{j=i}^{N-1} S_j (2 L_f^2)^{j-i}$$

and $C^e_{\varepsilon_{i+1}} = \sum_{j=1}^{i} (3 C_{\nabla f}^2)^j$; then
$\mathbb{E} \lVert \tilde u - u \rVert^2 \le \sum_i C^e_{\delta_i} \mathbb{E} \lVert \delta_i
\rVert^2 + \sum_i C^e_{\varepsilon_{i+1}} \mathbb{E} \lVert \varepsilon_{i+1} \rVert^2$. boundcalc
evaluates the double sums by recurrences in $O(N)$ (Lemma 5.1); here they are added term by term.
""",
    theorem="[KZY] Theorem 1, (21)",
    link="theory.md#2-the-published-statements",
    kind="upper",
    spec=_SPEC,
    command="compile --family published",
    reference=KZY,
)


def printed(
    N: int, C: Fraction, lip: Fraction, hess: Fraction
) -> tuple[list[Fraction], list[Fraction]]:
    """(21) as it is printed: the coefficients of δ_1.. and of ε_2.."""
    S = [sum((3 * C**2) ** k for k in range(j + 1)) for j in range(N)]
    Cv = max(Fraction(1), C**N)
    forward = [
        4 * Cv**2 * hess**2 * sum(S[j] * (2 * lip**2) ** (j - i) for j in range(i, N))
        for i in range(1, N)
    ]
    backward = [sum((3 * C**2) ** j for j in range(1, i + 1)) for i in range(1, N)]
    return forward, backward


def checks() -> Iterator[Check]:
    """All constants 1 with the values written down, and the spec by the sums."""
    ones = _SPEC.replace("jac: 3/2, lip: 1/2, hess: 2", "jac: 1, lip: 1, hess: 1")
    for N, stated in ((2, [16, 3]), (3, [120, 52, 3, 12])):
        found = bc.coefficients(built(ones.replace("repeat: 3", f"repeat: {N}")), "published")
        numbers = found.columns["error_forward"] + found.columns["error_backward"]
        for site, (number, number_stated) in enumerate(zip(numbers, stated, strict=True)):
            name = rf"\delta_{site + 1}" if site < N - 1 else rf"\varepsilon_{site - N + 3}"
            says = rf"$C^e_{{{name}}}$, $N = {N}$, all constants 1"
            yield Check(says, value(number), Fraction(number_stated))
    found = bc.coefficients(built(_SPEC), "published")
    forward, backward = printed(3, Fraction(3, 2), Fraction(1, 2), Fraction(2))
    for i in (0, 1):
        number = found.columns["error_forward"][i]
        yield Check(rf"$C^e_{{\delta_{i + 1}}}$ of the spec", value(number), forward[i])
        number = found.columns["error_backward"][i]
        yield Check(rf"$C^e_{{\varepsilon_{i + 2}}}$ of the spec", value(number), backward[i])
