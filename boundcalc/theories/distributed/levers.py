"""What a budget moves, and searches for how far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from boundcalc.arithmetic import Scalar
from boundcalc.theories.distributed.noise_model import Setting
from boundcalc.theories.distributed.section import DistributedSection

_LARGEST = Fraction(2) ** 200  # beyond it a lever has no limit
_SMALLEST = Fraction(1, 2**200)
_MOST_AGENTS = 2**40
_BITS = 40


@dataclass(frozen=True)
class Lever:
    """One number of a setting that a target limits.

    Attributes
    ----------
    key, symbol, meaning
        In JSON, in LaTeX, in words.
    moved
        The setting with another value of it, a number of the setting's kind.
    falls
        Whether the bound falls as it grows, so that the smallest number is sought.
    """

    key: str
    symbol: str
    meaning: str
    moved: Callable[[Setting, Scalar], Setting]
    falls: bool = False


def levers(section: DistributedSection) -> tuple[Lever, ...]:
    """Compression, noise and agents of D(C)SGD; the noise of DSignSGD, which sees no agents."""
    if section.algorithm == "dsignsgd":
        meaning = "largest bound on the scale of every agent's noise"
        return (Lever("sigma_max_max", r"\sigma_{\max}", meaning, _with_sigma_max),)
    return (
        Lever("omega_max", r"\omega", "largest compression of every agent", _with_omega),
        Lever("sigma0_max", r"\sigma_0", "largest noise of every agent at rest", _with_sigma0),
        Lever("agents_min", "N", "fewest agents like these", _with_agents, falls=True),
    )


def _with_omega(s: Setting, value: Scalar) -> Setting:
    return replace(s, omega=(value,))


def _with_sigma0(s: Setting, value: Scalar) -> Setting:
    return replace(s, sigma0=(value,))


def _with_sigma_max(s: Setting, value: Scalar) -> Setting:
    return replace(s, sigma_max=(value,))


def _with_agents(s: Setting, value: Scalar) -> Setting:
    return replace(s, agents=value)


def largest(admissible: Callable[[Fraction], bool]) -> tuple[Fraction | None, str]:
    """The largest number ≥ 0 that is admissible, to 40 bits from below, and a remark.

    >>> found, _ = largest(lambda x: x * x <= 2)
    >>> found**2 <= 2 < (found * (1 + Fraction(1, 2**40)))**2
    True
    >>> largest(lambda x: True)
    (None, 'no limit: the bound stays below the target')
    >>> largest(lambda x: x < 0)[0] is None
    True
    """
    if not admissible(Fraction(0)):
        return None, "the target is missed even at 0"
    if admissible(_LARGEST):
        return None, "no limit: the bound stays below the target"
    if not admissible(_SMALLEST):
        return Fraction(0), ""
    low, high = -200, 200  # 2^low is admissible, 2^high is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if admissible(Fraction(2) ** middle) else (low, middle)
    base, share = Fraction(2) ** low, 1
    for _ in range(_BITS):
        base, share = base / 2, 2 * share
        share += admissible(base * (share + 1))
    return base * share, ""


def smallest(admissible: Callable[[Fraction], bool]) -> tuple[Fraction | None, str]:
    """A whole number ≥ 1 that is admissible while one less is not, and a remark.

    >>> smallest(lambda n: n >= 1000)[0]
    Fraction(1000, 1)
    """
    high = 1
    while not admissible(Fraction(high)):
        high *= 2
        if high > _MOST_AGENTS:
            return None, "no number of agents is enough"
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if admissible(Fraction(middle)) else (middle, high)
    return Fraction(high), ""
