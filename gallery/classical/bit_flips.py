"""Bits that flip: what a rate of errors does to a number."""

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Bit flips: where in the number the error is",
    topic="classical",
    statement=r"""
A value is held in int8 (two's complement, numbers to $\pm127$), and each listed bit flips with
probability $p$ at every use, independently. A flip of the bit of weight $2^k$ changes the number
by $\pm2^k$, and the sign's by $\pm128$. For a number of the format and one listed bit the
perturbation is a two-point law,

$$\mathbb{E}\delta^2 = p\thinspace4^k , \qquad (\mathbb{E}\delta)^2 = p^2\thinspace4^k ,$$

so that it is not centred, and nine tenths of what all bits do is done by the two highest ones.
The bound over a range is that with rounding before the flips.
""",
    theorem="docs/budgets.md, number formats",
    link="budgets.md#number-formats",
    kind="upper",
    reference="Elementary.",
)

RATE = Fraction(1, 1000)


def second(bits: object, top: int = 127) -> Fraction:
    """The bound on E δ² of one number in [−top, top]."""
    model = TRANSFORMS["bit_flip"](format="int8", rate=str(RATE), bits=bits)
    return model.moments(Reach((1,), None, Fraction(-top), Fraction(top))).second.evaluate(
        RATIONALS
    )


def by_hand(listed: list[int]) -> Fraction:
    """The largest E δ² of all 255 numbers, over every set of flips of the listed bits."""
    worst = Fraction(0)
    for number in range(-127, 128):
        total = Fraction(0)
        for mask in range(1 << len(listed)):
            bits = [place for j, place in enumerate(listed) if mask >> j & 1]
            code = (number & 255) ^ sum(1 << place for place in bits)
            changed = code - 256 if code > 127 else code
            chance = RATE ** len(bits) * (1 - RATE) ** (len(listed) - len(bits))
            total += chance * (changed - number) ** 2
        worst = max(worst, total)
    return worst


def checks() -> Iterator[Check]:
    """Above every number of the format, and no more than rounding above."""
    for listed in ([0], [6], [7], [3, 6], [0, 1, 2, 3, 4, 5, 6, 7]):
        exact, found = by_hand(listed), second(listed)
        yield Check(f"bits {listed}: above all numbers, flip by flip", found, exact, "at least")
        rounded = (sqrt(exact) + 1 / 2) ** 2
        yield Check(
            f"bits {listed}: at most what rounding by a half adds", found, rounded, "at most"
        )
    yield Check("one bit, by hand: $p\\thinspace4^6$", by_hand([6]), RATE * 4**6)
    yield Check(
        "the two highest bits make nine tenths", second([6, 7]) / second("all"), 0.9, "at least"
    )


def figure() -> "Figure":
    """The second moment by the bit that may flip."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        panel.bar(range(8), [float(second([k])) for k in range(8)], color=LOOKS["sharp"].colour)
        panel.set_yscale("log")
        panel.set_xlabel("bit (0 the last digit, 7 the sign)")
        panel.set_ylabel(r"bound on $\mathbb{E}\delta^2$")
    return found
