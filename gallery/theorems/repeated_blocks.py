"""Lemma 5.4: n repeats of a block in closed form, for any n."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: Many repeats
graph:
  operators:
    - {id: first, constants: {jac_weight: 1}}
    - {id: f, repeat: 1000, constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1,
                                        third_input: 0, third_mixed: 0}}
    - {id: loss, constants: {jac_input: 1, hess_input: 1, third_input: 0}}
perturbations: [{at: first, pass: forward, rms: 1}]
"""

ENTRY = Entry(
    title="A thousand repeats",
    topic="theorems",
    statement=r"""
A part of a graph that is entered and left at one node acts on $(s, V, \tau)$ by a few numbers, two
parts after each other are such a part, and $n$ repeats cost $O(\log n)$ operations; sums over the
repeats are complete homogeneous symmetric polynomials of the growth factors. With all constants 1
and $\delta_1$ alone, operators $1, \dots, N$ with $N = n + 2$ and the loss without weights,
$$\zeta^2 = (N-1)^2 + \sum_{i=2}^{N-1} (N - i + 1)^2 .$$
""",
    theorem="Lemma 5.4",
    link="theory.md#5-evaluation-in-linear-time",
    kind="exact",
    spec=_SPEC,
    reference=OWN,
)


def stated(n: int) -> int:
    """The sum of the statement: s = 1 everywhere, R_i = N − i."""
    N = n + 2
    return (N - 1) ** 2 + sum((N - i + 1) ** 2 for i in range(2, N))


def checks() -> Iterator[Check]:
    """Short chains exactly, a long one in floating point."""
    for n in (1, 10, 50):
        graph = built(_SPEC.replace("repeat: 1000", f"repeat: {n}"))
        bounds = bc.coefficients(graph, "sharp").bounds
        yield Check(
            rf"$\zeta^2$, $n = {n}$", value(bounds and bounds.error_plain), Fraction(stated(n))
        )
    bounds = bc.coefficients(built(_SPEC), "sharp").bounds
    yield Check(
        r"$\zeta^2$, $n = 1000$",
        value(bounds and bounds.error_plain),
        stated(1000),
        rel=1e-12,
        why="floating point beyond 64 operators",
    )
