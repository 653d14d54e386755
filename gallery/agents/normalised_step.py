"""The normalised step: algorithm and modified equation."""

from collections.abc import Iterator
from fractions import Fraction
from math import exp

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Normalised compressed SGD: in discrete time and as an equation",
    topic="agents",
    statement=r"""
With the step $2\epsilon s_k/((L_0+L_1a)(1+A))$ the modified equation satisfies

$$\mathbb{E}\frac{a^2}{L_0+L_1a} \le \frac1{\Phi^1}\Bigl(\frac{\eta(1+A)S_0}{2\epsilon(1-\epsilon)}
{}+ \frac{\epsilon B'\Phi^2}{(1-\epsilon)L_0(1+A)}\Bigr) , \qquad \Phi^i = \eta\sum_ks_k^i .$$

In discrete time $\epsilon\psi$ takes the place of $\epsilon$ in $1-\epsilon$ and in the second
numerator, with $\psi = \varphi(cR) = 2(e^{cR}-1-cR)/(cR)^2$, the price of the longest single
step; for this the noise has to be cut. Here $f = \sum_j x_j^4/4$, eight agents, rand-1 of four,
and the run's left side lies below.
""",
    theorem="docs/theory-distributed.md, Theorems 12.5 and 12.6",
    link="theory-distributed.md#123-dcsgd",
    kind="upper",
    reference="After [COM] E. Monzio Compagnoni et al., arXiv:2506.00181; proofs are those of "
    "docs/theory-distributed.md.",
    spec="quartic-dcsgd",
    command="rate",
)


def checks() -> Iterator[Check]:
    """Both bounds written out, and the run."""
    spec = bc.load(example("quartic-dcsgd"))
    rates = bc.rates(spec)
    discrete, equation = rates.statements[0], rates.statements[1]
    T, eps, gap, L0 = 1000, 1 / 20, 16, 4
    omega, s0, s1, d, N = 3, 1, Fraction(1, 16), 4, 8
    A = float((omega + d * (s1 * omega + s1)) / N)
    B = d * (s0 + s0 * omega) / N
    one = sum(1 / (k + 1) ** 0.5 for k in range(T))
    two = sum(1 / (k + 1) for k in range(T))
    first = (1 + A) * gap / (2 * eps * (1 - eps) * one)
    second = eps * B * two / ((1 - eps) * L0 * (1 + A) * one)
    yield Check(
        "modified equation",
        float(equation.bound),
        first + second,
        rel=1e-9,
        why="the sums over the schedule are enclosed from above",
    )
    # Noise is cut at three scales: R = (1 + ω) max(1 + 3·√d·σ₁, L₁·3·√d·σ₀/L₀), √d = 2.
    R = (1 + omega) * max(1 + 3 * 2 / 4, 3 * 2 / L0)
    u = 2 * eps / (1 + A) * R
    psi = 2 * (exp(u) - 1 - u) / u**2
    first = (1 + A) * gap / (2 * eps * (1 - eps * psi) * one)
    second = eps * psi * B * two / ((1 - eps * psi) * L0 * (1 + A) * one)
    yield Check(r"$\psi$", float(discrete.constants["psi"]), psi, rel=1e-12)
    yield Check("discrete time", float(discrete.bound), first + second, rel=1e-9, why="as above")
    left = bc.simulate(spec).metrics["left_side"]
    yield Check(
        "left side of the run",
        left.hi,
        first + second,
        "at most",
        sampled="upper end of a 99.9 per cent interval, 400 runs, seed 7",
    )
