"""Integer bits: the cheapest assignment near the real-valued optimum, or of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.budgets.allocation.candidates import Candidate
from boundcalc.budgets.allocation.choose import MARGINS, cheapest
from boundcalc.budgets.allocation.evaluator import Array, Evaluator
from boundcalc.budgets.allocation.quantisers import Columns, Quantiser

#: Instructions times assignments that one step may take.
EFFORT = 40_000_000

#: Rounds of rounding down, where there are many sites.
_PASSES = 3

Bits: TypeAlias = npt.NDArray[np.int_]

#: Decides exactly whether a number of bits for every site is admissible.
Accept = Callable[[tuple[int, ...]], bool]


@dataclass(frozen=True)
class Assignment:
    """Integer bits.

    Attributes
    ----------
    bits
        By site.
    lower
        No admissible integer assignment costs less; None where only bits near the real-valued
        optimum were looked at.
    """

    bits: tuple[int, ...]
    lower: Fraction | None


def assigned(
    made: Sequence[Quantiser],
    columns: Columns,
    evaluators: tuple[Evaluator, Evaluator],
    target: float,
    continuous: Array,
    limits: tuple[int, int],
    accept: Accept,
) -> Assignment | None:
    """The cheapest admissible bits that are found, from the real-valued optimum.

    Parameters
    ----------
    evaluators
        With all minima, and without; the second one, a fraction of the work and never below
        the first, is for problems where only bits next to the optimum can be looked at.
    continuous
        Bits of the real-valued optimum.
    limits
        Least and most bits.
    accept
        Decides in the end.
    """
    least, most = limits
    full, plain = evaluators
    above = np.clip(np.ceil(continuous - 1e-9), least, most).astype(int)
    program = full.recording(columns.moments(columns.low)).program
    if len(made) * (most - least + 1) * len(program) > EFFORT:
        return _rounded(columns, plain, target, continuous, above, least, accept)
    start = tuple((above - least).tolist())

    def bits(picks: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(k + least for k in picks)

    table = _tabulated(made, columns, range(least, most + 1))
    found = cheapest(
        table, full, target, lambda picks: accept(bits(picks)), start=start, effort=EFFORT
    )
    return None if found is None else Assignment(bits(found.picks), found.lower)


def _rounded(
    columns: Columns,
    evaluator: Evaluator,
    target: float,
    continuous: Array,
    above: Bits,
    least: int,
    accept: Accept,
) -> Assignment | None:
    """Bits rounded up, then down again where that saves most for what it does to the bound.

    What one bit less does is taken from a bound quadratic in r; how many sites can have one
    less is found by halving, with the true bound.
    """
    for margin in MARGINS:
        limit = target - margin * abs(target)
        bits = above
        for _ in range(_PASSES):
            down = _order(columns, continuous, bits, least)
            count = _longest(columns, evaluator, limit, bits, down)
            if not count:
                break
            bits = _lowered(bits, down[:count])
        found = tuple(bits.tolist())
        if accept(found):
            return Assignment(found, None)
    return None


def _order(columns: Columns, continuous: Array, bits: Bits, least: int) -> Bits:
    """Sites that can have a bit less, most saving for the harm first.

    At the real-valued optimum b₀ a bit is worth w everywhere, so with r² ∝ (2^b − 1)^{−2} the
    harm of b − 1 in place of b is w (2^{b₀} − 1)² (1/(2^{b−1} − 1)² − 1/(2^b − 1)²), but for
    a factor that all sites share.  Sites at a limit come first: there a bit is worth less.
    """
    able = np.flatnonzero((bits > least) & (columns.weight > 0))
    b = bits[able].astype(float)
    scale = np.expm1(continuous[able] * np.log(2.0)) ** 2
    harm = scale * ((2.0 ** (b - 1) - 1) ** -2.0 - (2.0**b - 1) ** -2.0)
    found: Bits = able[np.argsort(harm, kind="stable")]
    return found


def _lowered(bits: Bits, sites: Bits) -> Bits:
    new = bits.copy()
    new[sites] -= 1
    return new


def _longest(columns: Columns, evaluator: Evaluator, limit: float, bits: Bits, down: Bits) -> int:
    """How many sites in this order can have a bit less."""
    low, high = 0, len(down) + 1
    while high - low > 1:
        middle = (low + high) // 2
        x = columns.logs(_lowered(bits, down[:middle]).astype(float))
        fits = evaluator.bound(columns.moments(x)) <= limit
        low, high = (middle, high) if fits else (low, middle)
    return low


def _tabulated(
    made: Sequence[Quantiser], columns: Columns, options: range
) -> list[list[Candidate]]:
    table = []
    for j, quantiser in enumerate(made):
        rows = []
        for b in options:
            r = float(columns.top[j]) / (2.0**b - 1)
            rows.append(
                Candidate(
                    f"{b} bits",
                    quantiser.weight * b,
                    r,
                    r * float(columns.mean[j]),
                    r * float(columns.fourth[j]),
                )
            )
        table.append(rows)
    return table


def least_equal(
    columns: Columns, evaluator: Evaluator, target: float, limits: tuple[int, int]
) -> int | None:
    """The least equal number of bits whose bound, in floating point, is at most the target."""
    low, high = limits[0] - 1, limits[1] + 1
    while high - low > 1:
        middle = (low + high) // 2
        levels = columns.moments(columns.logs(np.full(len(columns.top), float(middle))))
        low, high = (low, middle) if evaluator.bound(levels) <= target else (middle, high)
    return high if high <= limits[1] else None
