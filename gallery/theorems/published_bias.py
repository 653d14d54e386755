"""The printed bias coefficients (33a), (33b), by the sums as printed."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, value

_SPEC = """
version: 1
name: Printed bias coefficients
graph:
  uniform: {jac: 3/2, lip: 1/2, hess: 2, hess_op: 5, third: 3}
  operators: [{id: f, repeat: 4}]
"""

ENTRY = Entry(
    title="The printed bias coefficients",
    topic="theorems",
    statement=r"""
With $S_j$, $C_v$ as in (21),
$C^b_{\delta_i} = 8 L_{\nabla^2 f}^2 C_v^2 \sum_{j=i}^{N-1} S_j (4 C_{\nabla f}^2)^{j-i}$,
$C^b_{\varepsilon_{i+1}} = 2 \sum_{j=1}^{i} (3 C_{\nabla f}^2)^j$ and

$$\tilde C^b_{\delta_i} = 8 \sum_{j=i}^{N-1} C^2_{y_j} (8 L_f^4)^{j-i}$$

multiply $\lVert \mathbb{E} \delta \rVert^2$, $\lVert \mathbb{E} \varepsilon \rVert^2$ and
$\mathbb{E} \lVert \delta \rVert^4$ in the printed bound on
$\lVert \mathbb{E}_t[\tilde u - u] \rVert^2$, where
$C^2_{y_i} = 8 C_{\nabla^2 f}^2 L_{\nabla f}^2 C_v^2 \sum_{j=i+1}^{N-1} S_j
(4 C_{\nabla f}^2)^{j-i-1} + 2 L_{\nabla^2 f}^2 C_v^2 S_i$. The statement is false as printed
(errata E1, E2); the family `corrected` has $C_{\nabla^2 f}$ in place of $L_{\nabla^2 f}$ in
$C^b_\delta$ and is proved (Theorem 4.20).
""",
    theorem="[KZY] Theorem 2, (33a), (33b)",
    link="theory.md#2-the-published-statements",
    kind="upper",
    spec=_SPEC,
    command="compile --family published",
    reference=KZY,
)


def printed(
    N: int, C: Fraction, lip: Fraction, hess: Fraction, op: Fraction, third: Fraction
) -> list[list[Fraction]]:
    """(33a) with L_∇²f and with C_∇²f, and both lines of (33b), term by term."""
    S = [sum((3 * C**2) ** k for k in range(j + 1)) for j in range(N)]
    Cv2, ops = max(Fraction(1), C**N) ** 2, range(1, N)
    tails = {i: sum(S[j] * (4 * C**2) ** (j - i) for j in range(i, N)) for i in range(1, N + 1)}
    Cy2 = {i: 8 * (op * hess) ** 2 * Cv2 * tails[i + 1] + 2 * third**2 * Cv2 * S[i] for i in ops}
    return [
        [8 * third**2 * Cv2 * tails[i] for i in ops],
        [8 * op**2 * Cv2 * tails[i] for i in ops],
        [8 * sum(Cy2[j] * (8 * lip**4) ** (j - i) for j in range(i, N)) for i in ops],
        [2 * sum((3 * C**2) ** j for j in range(1, i + 1)) for i in ops],
    ]


def checks() -> Iterator[Check]:
    """All constants 1 with N = 2, then the spec, for both families."""
    ones = _SPEC.replace(
        "{jac: 3/2, lip: 1/2, hess: 2, hess_op: 5, third: 3}",
        "{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}",
    )
    found = bc.coefficients(built(ones.replace("repeat: 4", "repeat: 2")), "corrected").columns
    for column, name, stated in (
        ("bias_forward_mean", r"C^b_{\delta_1}", 32),
        ("bias_forward_fourth", r"\tilde C^b_{\delta_1}", 64),
        ("bias_backward_mean", r"C^b_{\varepsilon_2}", 6),
    ):
        yield Check(
            f"${name}$, $N = 2$, all constants 1", value(found[column][0]), Fraction(stated)
        )
    sums = printed(4, Fraction(3, 2), Fraction(1, 2), Fraction(2), Fraction(5), Fraction(3))
    for family, rows in (("published", (0, 2, 3)), ("corrected", (1, 2, 3))):
        found = bc.coefficients(built(_SPEC), family).columns
        columns = ("bias_forward_mean", "bias_forward_fourth", "bias_backward_mean")
        names = (r"C^b_{\delta", r"\tilde C^b_{\delta", r"C^b_{\varepsilon")
        for column, name, row in zip(columns, names, rows, strict=True):
            for i in range(3):
                at = i + 2 if "backward" in column else i + 1
                says = f"${name}_{at}}}$, {family}, of the spec"
                yield Check(says, value(found[column][i]), sums[row][i])
