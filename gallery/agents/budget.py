"""How few agents, how much compression: the bound inverted."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.agents.tight_on_a_quadratic import SPEC
from gallery.base import Check, Entry

ENTRY = Entry(
    title="How few agents, how much compression?",
    topic="agents",
    statement=r"""
The bound $\frac{S_0 + \frac12L_0B'\eta^2T}{(1 - \frac12\eta L_0(1+A))\eta T}$ of compressed SGD
grows with the compression $\omega$ that all agents share and with their noise. At a target
$\mathcal T$ the largest $\omega$ solves a linear equation, as $A$ and $B'$ are affine in it:

$$S_0 + \tfrac12L_0B'(\omega)\eta^2T = \mathcal T\eta T\bigl(1 - \tfrac12\eta
L_0(1+A(\omega))\bigr) .$$

The fewest agents are found by trying. What is printed is admissible, and one agent less is not.
""",
    theorem="docs/theory-distributed.md, Theorem 12.5 and Remark 12.9",
    link="distributed.md#budgets",
    kind="exact",
    reference="docs/theory-distributed.md, section 12.3.",
    spec=SPEC + "budget: {target: 1/2}\n",
    command="budget",
)


def bound(agents: int, omega: Fraction) -> Fraction:
    """The display with σ₀ = σ₁ = 1/2, η = 1/5, T = 50, S₀ = 2."""
    eta, T, quarter = Fraction(1, 5), 50, Fraction(1, 4)
    A = (omega + quarter * omega + quarter) / agents
    B = (quarter + quarter * omega) / agents
    return (2 + B * eta**2 * T / 2) / ((1 - eta * (1 + A) / 2) * eta * T)


def checks() -> Iterator[Check]:
    """The largest omega by its linear equation, and the fewest agents by trying."""
    levers = {row.key: row.value for row in bc.budget(bc.loads(ENTRY.spec)).levers}
    eta, T, target, quarter = Fraction(1, 5), 50, Fraction(1, 2), Fraction(1, 4)
    # 2 + ½B'η²T = 𝒯ηT(1 − ½η(1 + A)) with A = (5ω/4 + ¼)/4, B' = (1 + ω)/16
    left, right = 2 + eta**2 * T / 32, target * eta * T * (1 - eta * (1 + quarter / 4) / 2)
    slope = eta**2 * T / 32 + target * eta * T * eta / 2 * Fraction(5, 16)
    yield Check(
        r"largest $\omega$",
        float(levers["omega_max"]),
        (right - left) / slope,
        rel=1e-9,
        why="rounded down to a short fraction",
    )
    fewest = next(n for n in range(1, 100) if bound(n, Fraction(3)) <= target)
    yield Check("fewest agents", float(levers["agents_min"]), fewest)
    yield Check(
        "with one agent less the bound exceeds the target",
        bound(fewest - 1, Fraction(3)),
        target,
        "at least",
    )
