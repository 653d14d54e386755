"""A search for the largest derivatives of an operator on balls and boxes.

Derivatives of second and third order are central differences of the vjp.
"""

from __future__ import annotations

import numpy as np
from visits import into_domain, number

#: Relative errors of central differences, for first, second and third derivatives.
ROUNDING = (1e-9, 1e-6, 1e-4)


def jacobians(operator, y):
    """∇₁f at P points, (P, m, n), of an operator without weights."""
    outputs = operator.output_size(y.shape[1])
    w, labels = np.zeros((1, 0)), np.zeros((1, len(y)))
    rows = (np.broadcast_to(e, (1, len(y), outputs)) for e in np.eye(outputs))
    return np.stack([operator.vjp(y[None], w, labels, v)[0][0] for v in rows], axis=1)


def hessians(operator, y, step=1e-4):
    """∇²₁₁f, (P, m, n, n): the axis of the direction before that of the Jacobian."""
    return differences(lambda x: jacobians(operator, x), y, step)


def thirds(operator, y, step=1e-3):
    """∇³₁₁₁f, (P, m, n, n, n)."""
    return differences(lambda x: hessians(operator, x), y, step)


def differences(function, y, step):
    slopes = [
        (function(y + step * e) - function(y - step * e)) / (2 * step) for e in np.eye(y.shape[1])
    ]
    return np.stack(slopes, axis=2)


def form_norm(rng, forms, starts=3, rounds=12):
    """A lower bound of the norms of P multilinear forms (P, n₁, …, n_k), by alternating ascent."""
    if forms.ndim == 3:
        return np.linalg.norm(forms, ord=2, axis=(1, 2))
    best = np.zeros(len(forms))
    for _ in range(starts):
        vectors = [unit(rng.standard_normal((len(forms), n))) for n in forms.shape[1:]]
        for _ in range(rounds):
            for axis in range(len(vectors)):
                ascent = contracted(forms, vectors, axis)
                vectors[axis] = unit(ascent)
        best = np.maximum(best, np.linalg.norm(ascent, axis=1))
    return best


def contracted(forms, vectors, free):
    """The forms with a vector in every argument but one."""
    moved = np.moveaxis(forms, 1 + free, 1)
    for vector in reversed([v for axis, v in enumerate(vectors) if axis != free]):
        moved = (moved * vector.reshape(len(moved), *[1] * (moved.ndim - 2), -1)).sum(axis=-1)
    return moved


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)


def largest(rng, size, domains, sizes, points=100, rounds=18):
    """The largest value of ``size`` at points that the search finds.

    ``size`` takes (P, n) points; every part of them is in its domain.
    """
    cuts = np.cumsum(sizes)[:-1]
    spans = [min(number(d.radius), d.high) for d in domains]
    scale = np.repeat(np.array(spans), sizes)

    def inside(x):
        parts = zip(np.split(x, cuts, axis=1), domains, strict=True)
        return np.concatenate([into_domain(part, domain) for part, domain in parts], axis=1)

    pool = inside(scale * rng.standard_normal((points, sum(sizes))))
    values = size(pool)
    for step in 0.8 ** np.arange(rounds):
        order = np.argsort(-values)[:10]
        pool, values = pool[order], values[order]
        near = np.repeat(pool, 8, axis=0)
        near = inside(near + step * scale * rng.standard_normal(near.shape))
        pool, values = np.concatenate([pool, near]), np.concatenate([values, size(near)])
    return float(values.max())
