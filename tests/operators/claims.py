"""What points of a region show of each constant: claims, and the sizes found."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from derivatives import derivatives
from visits import number

LEAST_GAP = 1e-6  # pairs nearer than this, relative to their size, show rounding


class Claim(NamedTuple):
    """A constant, the bound that it states, and what P points or pairs show of it."""

    name: str
    bound: float
    found: np.ndarray


def op_norm(matrices):
    if 0 in matrices.shape:
        return np.zeros(len(matrices))
    return np.linalg.norm(matrices, ord=2, axis=(1, 2))


def claims(case, constants, points, rng):
    """The claims of an operator's constants; for several inputs, those of each input too."""
    seen = Seen(case, points, rng)
    yield Claim("jac_weight", number(constants.jac_weight), op_norm(seen.at("d2", points.y)))
    yield from shared_claims(seen, constants)
    for u, slot in enumerate(constants.slots):
        yield from slot_claims(seen, slot, u)


def shared_claims(seen, constants):
    """Claims about the inputs as one; with several, those that are about all together."""
    moved = seen.points.other
    if constants.slots:
        yield Claim("third_mixed", number(constants.third_mixed), seen.bent("d2", moved))
        return
    yield Claim("jac_input", number(constants.jac_input), op_norm(seen.at("d1", seen.points.y)))
    yield Claim("lip_input", number(constants.lip_input), seen.change("f", moved))
    for which, order, change in (("d1", "hess_input", "jac_change"), *_MIXED):
        if (bound := getattr(constants, order)) is not None:
            yield Claim(order, number(bound), seen.change(which, moved))
        elif (bound := getattr(constants, change)) is not None:
            yield Claim(change, number(bound), seen.change(which, moved, per_gap=False))
        else:
            raise AssertionError(f"neither {order} nor {change}")
    for which, order in (("d1", "third_input"), ("d2", "third_mixed")):
        if (bound := getattr(constants, order)) is not None:
            yield Claim(order, number(bound), seen.bent(which, moved))


_MIXED = (("d2", "hess_mixed", "mixed_change"),)


def slot_claims(seen, slot, u):
    """Claims about one of several inputs."""
    alone, everything = seen.moving(u), seen.points.other
    block = seen.at("d1", seen.points.y)[..., seen.blocks[u]]
    yield Claim(f"{u}.jac_input", number(slot.jac_input), op_norm(block))
    yield Claim(f"{u}.lip_input", number(slot.lip_input), seen.change("f", alone))
    yield Claim(f"{u}.hess_mixed", number(slot.hess_mixed), seen.change("d2", alone))
    yield Claim(f"{u}.third_input", number(slot.third_input), seen.bent("d1", everything, u))
    for other in range(len(seen.blocks)):
        bound = number(slot.hess_input[other]) if slot.hess_input else 0.0
        found = seen.change("d1", seen.moving(other), u)
        yield Claim(f"{u}.hess_input[{other}]", bound, found)


class Seen:
    """Derivatives at points, and how they change between the two of a pair."""

    def __init__(self, case, points, rng):
        self.derivatives, self.points, self.rng = derivatives(case), points, rng
        ends = np.cumsum((0, *case.sizes))
        self.blocks = [slice(a, b) for a, b in pairwise(ends)]

    def at(self, which, y):
        return self.derivatives.at(which, y, self.points.w, self.points.labels)

    def moving(self, u):
        """The other points of pairs that differ in input u alone."""
        other = self.points.y.copy()
        other[:, self.blocks[u]] = self.points.other[:, self.blocks[u]]
        return other

    def gap(self, other):
        """Distances of pairs, those too near to tell from rounding enlarged."""
        least = LEAST_GAP * (1 + np.linalg.norm(self.points.y, axis=1))
        return np.maximum(np.linalg.norm(self.points.y - other, axis=1), least)

    def change(self, which, other, u=None, per_gap=True):
        """The change of f or of a Jacobian (of its block u), over the distance."""
        change = self.at(which, self.points.y) - self.at(which, other)
        if u is not None:
            change = change[..., self.blocks[u]]
        size = np.linalg.norm(change, axis=1) if which == "f" else op_norm(change)
        return size / self.gap(other) if per_gap else size

    def bent(self, which, other, u=None):
        """A lower bound of the change of a Jacobian's derivative in y, over the distance.

        The norm of the bilinear map is at least that along some directions.
        """
        best = np.zeros(len(self.points))
        gap = self.gap(other)
        for h in self.directions(other):
            at_y, at_other = (
                self.derivatives.along(which, y, self.points.w, self.points.labels, h)
                for y in (self.points.y, other)
            )
            change = at_y - at_other
            best = np.maximum(best, op_norm(change if u is None else change[..., self.blocks[u]]))
        return best / gap

    def directions(self, other):
        """The direction of each pair, two at random, and an axis at random."""
        shape = self.points.y.shape
        axis = np.zeros(shape)
        axis[np.arange(shape[0]), self.rng.integers(shape[1], size=shape[0])] = 1.0
        for h in (self.points.y - other, *self.rng.standard_normal((2, *shape)), axis):
            yield h / np.maximum(np.linalg.norm(h, axis=1, keepdims=True), 1e-300)


def leaves(domain, values):
    """Whether values (P, m) leave a domain by more than rounding."""
    slack = 1e-9 * (1.0 + np.abs(values).max(initial=0.0))
    if domain.radius is not None:
        size = np.linalg.norm(values, axis=1)
        if np.any(size > number(domain.radius) + slack):
            return True
    return bool(np.any(values < domain.low - slack) or np.any(values > domain.high + slack))
