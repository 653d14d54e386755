"""Separable bounds ‖𝒢 − ∇f‖² ≤ Σ κ_i d_i² on what stale weights do to the gradient.

For a matrix G ≥ 0 with ‖𝒢 − ∇f‖² ≤ dᵀGd every t > 0 gives κ_i = (G t)_i / t_i (Cauchy-Schwarz;
docs/theory.md, Theorem 4.5).  The largest κ_i w_i is least, namely the largest eigenvalue of
D G D with D² = diag(w), where t is D times its eigenvector (Perron and Frobenius).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.theories.staleness.chain import StaleChain

#: Weights t by part; 0 where the part never moves or changes nothing.
Weights = tuple[Fraction, ...]

_BITS = 24  # of a weight
_WORK = 100_000  # operators times rounds of the search for weights
_ROUNDS = 200
_STILL = 1e-9  # relative change of the eigenvalue at which the search ends


class Coupling(ABC):
    """A matrix G ≥ 0 over parts that have delays, with ‖𝒢 − ∇f‖² ≤ dᵀGd.

    Attributes
    ----------
    parts
        How many parts there are: operators or blocks.
    """

    @property
    @abstractmethod
    def parts(self) -> int:
        """The number of parts."""

    @abstractmethod
    def applied(self, d: Sequence[Scalar]) -> list[Scalar]:
        """G d."""

    def shares(self, t: Sequence[Scalar]) -> list[Scalar]:
        """κ_i = (G t)_i / t_i; 0 where t_i = 0, a part that never moves."""
        moved = self.applied(t)
        return [moved[i] / t[i] if t[i] != 0 else moved[i] * 0 for i in range(self.parts)]


@dataclass(frozen=True)
class ChainCoupling(Coupling):
    """G = NᵀN of the constants of a chain; parts are operators 1 … N, as entries 0 … N − 1."""

    chain: StaleChain

    @property
    def parts(self) -> int:
        """N."""
        return self.chain.size

    def applied(self, d: Sequence[Scalar]) -> list[Scalar]:
        """Nᵀ N d."""
        return self.chain.pulled(self.chain.errors([self.chain.zero, *d]))[1:]


@dataclass(frozen=True)
class SmoothCoupling(Coupling):
    """G = L²((1 + t) I + (1 + 1/t) M² TᵀT), T the K × K upper triangle of ones.

    By the triangle inequality through the gradient at the weights of the forward pass: ∇f is
    L-Lipschitz, and Lemma 1 of [XHH] is ‖∇_k f(u) − 𝒢_k‖ ≤ LM Σ_{i≥k} d_i.

    Attributes
    ----------
    L, M
        The constants of [XHH].
    blocks
        K.
    t
        The weight of the two parts.
    kind
        The number kind.
    """

    L: Scalar
    M: Scalar
    blocks: int
    t: Fraction
    kind: Arithmetic

    @property
    def parts(self) -> int:
        """K."""
        return self.blocks

    def applied(self, d: Sequence[Scalar]) -> list[Scalar]:
        """G d; O(K)."""
        zero = self.kind.number(0)
        tails: list[Scalar] = []
        for value in reversed(d):
            tails.append(value + (tails[-1] if tails else zero))
        tails.reverse()  # T d
        own = self.kind.number(1 + self.t)
        other = self.kind.number(1 + 1 / self.t) * self.M**2
        found, head = [], zero
        for value, tail in zip(d, tails, strict=True):
            head = head + tail
            found.append(self.L**2 * (own * value + other * head))
        return found


@dataclass(frozen=True)
class PaperCoupling(Coupling):
    """κ_k = ½L²c_0(k+1)/(K+1): Lemma 2 of [XHH], which is separable as it stands."""

    L: Scalar
    M: Scalar
    blocks: int
    kind: Arithmetic

    @property
    def parts(self) -> int:
        """K."""
        return self.blocks

    def applied(self, d: Sequence[Scalar]) -> list[Scalar]:
        """G d for the diagonal G."""
        factor = self.L**2 * self.M**2 * self.kind.number(Fraction(self.blocks, 2))
        return [factor * (self.blocks + 1) * (k + 1) * value for k, value in enumerate(d)]


def balanced(coupling: Coupling, weights: Sequence[Fraction]) -> Weights:
    """Weights t for which max_i w_i κ_i is nearly least.

    Parameters
    ----------
    coupling
        Over :data:`~boundcalc.arithmetic.WIDE` numbers, which cannot overflow.
    weights
        w_i ≥ 0 by part.

    Returns
    -------
    Weights
        t_i > 0 where w_i > 0, else 0.  Whatever they are, the bound that they give is sound.

    Notes
    -----
    The power method on D G D: O(parts) for each of at most 200 rounds, fewer on long chains.
    """
    roots = [WIDE.sqrt(WIDE.number(w)) for w in weights]
    moving = [i for i, w in enumerate(weights) if w > 0]
    x = [WIDE.number(1) if w > 0 else WIDE.number(0) for w in weights]
    best, chosen = None, x
    for _ in range(max(10, min(_ROUNDS, _WORK // max(1, coupling.parts)))):
        image = coupling.applied([r * y for r, y in zip(roots, x, strict=True)])
        image = [r * y for r, y in zip(roots, image, strict=True)]
        largest = max((image[i] / x[i] for i in moving), default=WIDE.number(0))
        still = best is not None and largest >= best * (1 - WIDE.measured(_STILL))
        if best is None or largest < best:
            best, chosen = largest, x
        if still or not moving:
            break
        x = _floored(image, moving)
    return tuple(short(r * y) for r, y in zip(roots, chosen, strict=True))


def _floored(image: list[Scalar], moving: list[int]) -> list[Scalar]:
    """The image with largest entry 1 and no entry of a moving part below 2⁻²⁴."""
    top = max(image[i] for i in moving)
    if top == 0:
        return [WIDE.number(1)] * len(image)
    least = WIDE.number(Fraction(1, 2**_BITS))
    found = [WIDE.number(0)] * len(image)
    for i in moving:
        found[i] = WIDE.maximum(image[i] / top, least)
    return found


def short(value: Scalar) -> Fraction:
    """A fraction of few bits next to a positive number."""
    if value == 0:
        return Fraction(0)
    _, mantissa, exponent, bits = value._mpf_
    shift = max(0, int(bits) - _BITS)
    top, power = (int(mantissa) >> shift), int(exponent) + shift
    return Fraction(top << power) if power >= 0 else Fraction(top, 1 << -power)
