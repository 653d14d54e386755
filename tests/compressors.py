"""Compressors written out: every outcome with its probability, in rational arithmetic."""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import Natural, RandK, Reach, Sign, Sparsify, TopK, Transform
from boundcalc.perturbations.vector import VectorMoments

Vector = tuple[Fraction, ...]


def outcomes(transform: Transform, y: Vector) -> Iterator[tuple[Fraction, Vector]]:
    """(probability, Q(y)) for everything that can be drawn."""
    n = len(y)
    match transform:
        case RandK():
            chosen = list(itertools.combinations(range(n), transform.k))
            scale = Fraction(n, transform.k) if transform.scaled else Fraction(1)
            for kept in chosen:
                sent = tuple(scale * v if j in kept else Fraction(0) for j, v in enumerate(y))
                yield Fraction(1, len(chosen)), sent
        case Sparsify():
            p = transform.probability
            for mask in itertools.product((True, False), repeat=n):
                chance = math.prod((p if kept else 1 - p for kept in mask), start=Fraction(1))
                scale = 1 / p if transform.scaled else Fraction(1)
                yield chance, tuple(scale * v * kept for v, kept in zip(y, mask, strict=True))
        case TopK():
            order = sorted(range(n), key=lambda j: (-abs(y[j]), j))[: transform.k]
            yield Fraction(1), tuple(v if j in order else Fraction(0) for j, v in enumerate(y))
        case Sign():
            mean = sum((abs(v) for v in y), Fraction(0)) / n
            yield Fraction(1), tuple(-mean if v < 0 else mean for v in y)
        case Natural():
            for picks in itertools.product(*(list(_powers(v)) for v in y)):
                chance = math.prod((pick[0] for pick in picks), start=Fraction(1))
                yield chance, tuple(pick[1] for pick in picks)
        case _:
            raise AssertionError(transform)


def _powers(v: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    if not v:
        yield Fraction(1), v
        return
    low = Fraction(1)
    while low > abs(v):
        low /= 2
    while 2 * low <= abs(v):
        low *= 2
    up = (abs(v) - low) / low
    sign = 1 if v > 0 else -1
    yield 1 - up, sign * low
    yield up, sign * 2 * low


def squared(y: Vector) -> Fraction:
    return sum((v * v for v in y), Fraction(0))


def exact_moments(transform: Transform, y: Vector) -> tuple[Fraction, Fraction, Fraction]:
    """‖E δ‖², E‖δ‖², E‖δ‖⁴ at one y, δ = Q(y) − y."""
    mean = [Fraction(0)] * len(y)
    second = fourth = Fraction(0)
    for chance, sent in outcomes(transform, y):
        delta = tuple(s - v for s, v in zip(sent, y, strict=True))
        mean = [m + chance * d for m, d in zip(mean, delta, strict=True)]
        second += chance * squared(delta)
        fourth += chance * squared(delta) ** 2
    return squared(tuple(mean)), second, fourth


def rationals(moments: VectorMoments) -> tuple[Fraction, Fraction, Fraction]:
    found = [m.evaluate(RATIONALS) for m in (moments.mean_squared, moments.second, moments.fourth)]
    assert all(type(m) is Fraction for m in found)
    return found[0], found[1], found[2]


def ball(size: int, radius: int | Fraction, box: int | Fraction | None = None) -> Reach:
    """A ball, and if asked for a box."""
    high = None if box is None else Fraction(box)
    return Reach((size,), Fraction(radius), None if high is None else -high, high)
