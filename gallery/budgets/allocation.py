"""Where the next bit goes: the cheapest assignment, against every assignment tried."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import log2, sqrt

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: A product of two weights
graph:
  operators:
    - {id: f1, type: bilinear, region: {input: 3, weight: 4}}
    - {id: f2, type: bilinear, region: {input: 13, weight: 2}}
loss: {smoothness: 2, initial_gap: 1, gradient_noise: 1/10}
training: {step_size: 1/10, horizon: 100}
budget:
  tolerance: 1/10
  allocation: {weights: {"forward:f1": 3}}
"""

ENTRY = Entry(
    title="Where the next bit goes: better than the same everywhere",
    topic="budgets",
    statement=r"""
Bits $b_j$ of stochastic uniform quantisers on $[-M_j, M_j]$ are to cost as little as possible,
$\sum_jw_jb_j$, while a bound stays below its target. In the logarithms of the levels that is a
convex programme, whose optimum over real $b_j$ costs at most as much as any choice of integers
and is bounded below by its dual. For $y_2 = w_2w_1x$ with $|x| \le 3$, $|w_1| \le 4$ and
$|w_2| \le 2$ the output of the first operator is rounded, $M_1 = 12$, and what the second one
passes back, $M_2 = 2$. With steps
$h_j = 2M_j/(2^{b_j} - 1)$ both gradients stay unbiased, and the nonconvex bound is

$$\frac{2\Delta_0}{\gamma T} + L\gamma\Bigl(\sigma^2 + \frac{h_1^2}4 + 3^2\frac{h_2^2}4\Bigr) .$$

A bit of the first costs 3, one of the second 1, and the bound may be a tenth larger than without
rounding. Trying every assignment of up to 24 bits finds the cheapest: 6 and 5 bits for 23. Real
bits would cost 21.713, and the same number everywhere, 6, costs 24.
""",
    theorem="docs/theory.md, Lemma 7.4",
    link="theory.md#71-inverting-a-bound",
    kind="exact",
    reference="Geometric programmes: S. Boyd, S.-J. Kim, L. Vandenberghe, A. Hassibi, A tutorial "
    "on geometric programming, Optimization and Engineering 8, 67-127, 2007.",
    spec=SPEC,
    command="budget --allocate",
)
PLAIN = Fraction(2, 10) + Fraction(2, 10) / 100
TARGET = PLAIN * Fraction(11, 10)


def bound(first: int, second: int) -> Fraction:
    """The display, with so many bits."""
    h1, h2 = Fraction(24, 2**first - 1), Fraction(4, 2**second - 1)
    return PLAIN + Fraction(2, 10) * (h1**2 / 4 + 9 * h2**2 / 4)


def compiled(first: int, second: int) -> Fraction:
    """The same by boundcalc, the quantisers built in."""
    sites = "perturbations:\n"
    for at, side, top, bits in (("f1", "forward", 12, first), ("f2", "backward", 2, second)):
        sites += (
            f"  - {{at: {at}, pass: {side}, model: number_format, format: uniform, bits: {bits}, "
            f"low: -{top}, high: {top}, rounding: stochastic}}\n"
        )
    return bc.rates(bc.loads(SPEC + sites)).nonconvex["sharp"].bound.value


def relaxed() -> float:
    """The least cost with real bits: the room is shared, in thousandths and then finer."""
    room = float(TARGET - PLAIN) * 10 / 2

    def cost(share: float) -> float:
        h1, h2 = 2 * sqrt(share * room), 2 * sqrt((1 - share) * room / 9)
        return 3 * log2(1 + 24 / h1) + log2(1 + 4 / h2)

    best = min((k / 1000 for k in range(1, 1000)), key=cost)
    return min(cost(best + k / 10**6) for k in range(-1000, 1001))


def checks() -> Iterator[Check]:
    """The assignment against all others, its bound built in, and the two lower bounds."""
    found = bc.budget(bc.loads(SPEC), allocate=True).allocation
    cost, pair = min(
        (3 * b1 + b2, (b1, b2))
        for b1, b2 in product(range(1, 25), repeat=2)
        if bound(b1, b2) <= TARGET
    )
    yield Check("least cost, of all assignments tried", found.cost.value, Fraction(cost))
    yield Check("least cost, as stated", found.cost.value, Fraction(23))
    for site, tried, stated in zip(found.sites, pair, (6, 5), strict=True):
        yield Check(f"bits at {site.label}, {site.direction}, tried", site.bits, tried)
        yield Check(f"bits at {site.label}, {site.direction}, stated", site.bits, stated)
    everywhere = min(b for b in range(1, 25) if bound(b, b) <= TARGET)
    yield Check("the same number everywhere", Fraction(found.uniform_bits), Fraction(everywhere))
    yield Check("its cost", found.uniform_cost.value, Fraction(24))
    least = relaxed()
    solved = "an optimum found by iteration, in floating point"
    yield Check("cost of real bits", float(found.relaxed_cost), least, rel=1e-6, why=solved)
    yield Check(
        "cost of real bits, as stated",
        float(found.relaxed_cost),
        21.713,
        rel=5e-5,
        why="stated with five digits",
    )
    for name, lower in (("relaxed", found.relaxed_cost), ("integer", found.lower_cost)):
        yield Check(f"{name} lower bound: not above the optimum", float(lower), cost, "at most")
    integer = float(found.lower_cost)
    yield Check("integer lower bound: not below real bits", integer, least, "at least")
    rounding = "levels that are no binary fractions are rounded up"
    for bits in (pair, (pair[0] - 1, pair[1]), (pair[0], pair[1] - 1)):
        built_in = compiled(*bits)
        yield Check(f"bound with {bits} bits", built_in, bound(*bits), rel=1e-12, why=rounding)
        relation = "at most" if bits == pair else "at least"
        yield Check(f"{bits} bits and the target", built_in, TARGET, relation)
    yield Check("bound of the choice", float(found.bound), float(bound(*pair)), rel=1e-12)
