"""Regions drawn at random, and points of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.regions import Domain, Region
from boundcalc.operators.rounding import rounded_up
from boundcalc.spec.expressions import exact, measured
from boundcalc.spec.grammar import parse

RADII = ("0.01", "0.3", "1", "3", "20")


def number(expression):
    return float(expression.evaluate(FLOATS))


@dataclass(frozen=True)
class Points:
    """P points of a region: y and other (P, n), w (P, k), labels (P,)."""

    y: np.ndarray
    other: np.ndarray
    w: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def chosen(self, index):
        return Points(self.y[index], self.other[index], self.w[index], self.labels[index])


def any_radius(rng, limit):
    radius = str(rng.choice(RADII))
    return radius if limit is None or float(radius) <= limit else str(limit)


def any_domain(rng, size, limit):
    """A ball, a box anywhere, or a ball cut by a box around 0."""
    radius = any_radius(rng, limit)
    r, kind = float(radius) / np.sqrt(size), rng.choice(["ball", "box", "cut"])
    low, high = np.sort(r * rng.uniform(-1, 1, 2))
    if kind == "ball":
        domain = Domain(parse(radius))
    elif kind == "box":
        domain = Domain(low=low, high=high)
    else:
        domain = Domain(parse(radius), -abs(low), abs(high))
    return domain.within(size)


def any_region(rng, case):
    """A region for the operator, its weights in a ball around 0 or around values."""
    domains = tuple(any_domain(rng, size, case.input_radius) for size in case.sizes)
    whole = domains[0]
    if len(domains) > 1:
        total = np.sqrt(sum(number(domain.radius) ** 2 for domain in domains))
        whole = Domain(
            measured(rounded_up(float(total))),
            min(domain.low for domain in domains),
            max(domain.high for domain in domains),
        )
    parts = domains if case.operator.joins else ()
    inputs = {"input": whole.radius, "low": whole.low, "high": whole.high, "parts": parts}
    radius = any_radius(rng, case.weight_radius or 2.0)
    if rng.random() < 0.5:
        return Region(weight=parse(radius), **inputs)
    center = rng.standard_normal(case.weights)
    change = exact(0) if rng.random() < 0.2 else parse(radius) / 2
    limit = case.weight_radius or np.inf
    center *= min(1.0, limit / 2 / max(float(np.linalg.norm(center)), 1e-300))
    around = measured(rounded_up(float(np.linalg.norm(center)))) + change
    known = rng.choice([None, around])
    return Region(weight=known, center=center, change=change, **inputs)


def in_ball(rng, radius, dimension, count):
    """Points of a ball, one in three on its sphere and some on an axis."""
    x = rng.standard_normal((count, dimension))
    x[::4] *= np.eye(dimension)[rng.integers(dimension, size=len(x[::4]))] if dimension else 1.0
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    return radius * x * rng.choice([1.0, 0.5, rng.random()], (count, 1))


def in_domain(rng, domain, size, count):
    """Points of a ball and of a box, some in its corners."""
    x = in_ball(rng, number(domain.radius), size, count)
    if np.isfinite(domain.low):
        box = rng.uniform(domain.low, domain.high, (count, size))
        corners = rng.choice([domain.low, domain.high], (count, size))
        kind = rng.integers(3, size=(count, 1))
        x = np.where(kind == 0, x, np.where(kind == 1, box, corners))
    return into_domain(x, domain)


def into_domain(x, domain):
    """The points moved into the domain, whose box holds 0 where its ball cuts corners."""
    x = np.clip(x, domain.low, domain.high)
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return x * np.minimum(1.0, number(domain.radius) / np.maximum(norm, 1e-300))


def domains_of(region):
    return region.parts or (Domain(region.input, region.low, region.high),)


def into_region(case, region, points):
    """Points moved into the region."""
    cuts = np.cumsum(case.sizes)[:-1]

    def moved(x):
        parts = zip(np.split(x, cuts, axis=1), domains_of(region), strict=True)
        return np.concatenate([into_domain(part, domain) for part, domain in parts], axis=1)

    center, radius = weight_ball(case, region)
    shift = points.w - center
    norm = np.linalg.norm(shift, axis=1, keepdims=True)
    w = center + shift * np.minimum(1.0, radius / np.maximum(norm, 1e-300))
    return Points(moved(points.y), moved(points.other), w, points.labels)


def weight_ball(case, region):
    if region.center is None:
        return np.zeros(case.weights), number(region.weight)
    return region.center, number(region.change)


def any_points(rng, case, region, count, near=None):
    """Points of the region; pairs are ``near`` each other, 1 being the same."""

    def inputs():
        pairs = zip(domains_of(region), case.sizes, strict=True)
        return np.concatenate([in_domain(rng, d, n, count) for d, n in pairs], axis=1)

    y, far = inputs(), inputs()
    if near is None:
        near = rng.choice([0.0, 0.99, 0.9999], (count, 1))
    center, radius = weight_ball(case, region)
    w = center + in_ball(rng, radius, case.weights, count)
    return Points(y, near * y + (1 - near) * far, w, rng.choice(case.labels, count))
