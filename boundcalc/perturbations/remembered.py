"""Levels of a transform with memory: error feedback and difference compression.

With y_t the value at step t, ‖y_t‖ ≤ r, and states that start from zero [docs/theory.md,
section 9]::

    feedback      sent_t = Q(y_t + e_t),  e_{t+1} = y_t + e_t − sent_t,  δ_t = sent_t − y_t
    difference    m_{t+1} = m_t + Q(y_t − m_t),                          δ_t = m_{t+1} − y_t

What is proved holds on average over the steps before, in the norms that the bounds need
(Proposition 9.1):
with E_t the expectation given everything before step t, its sample and the passes up to the
site, ``second`` is at least (E (E_t‖δ_t‖²)²)^{1/2}, ``mean_squared`` at least E‖E_t δ_t‖², and
``fourth`` at least E‖δ_t‖⁴.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

from boundcalc.errors import SpecError
from boundcalc.perturbations.compression import root_above
from boundcalc.perturbations.relative import Relative, relative, root_up
from boundcalc.perturbations.transform import Largest, Reach, Transform
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact


def remembered(
    transform: Transform,
    reach: Reach,
    memory: Literal["feedback", "difference"],
    drift: Fraction | None = None,
) -> tuple[VectorMoments, Largest]:
    """Bounds on the perturbation of a transform with memory, for all steps.

    Parameters
    ----------
    transform
        Q, with E‖Q(x) − x‖² ≤ α²‖x‖², α < 1.
    reach
        Where the values y_t lie; r² is its ``squared``.
    memory
        What is kept.
    drift
        D, at least ‖y_{t+1} − y_t‖ between steps at which the transform acts: always, or
        as (E‖·‖⁴)^{1/4}, which leaves ``largest`` unknown.  Only ``difference`` uses it, and
        2r if that is smaller or nothing is given.

    Raises
    ------
    SpecError
        If there is no such α, or nothing bounds y_t.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.perturbations.top_k import TopK
    >>> ball = Reach((4,), Fraction(1), None, None)
    >>> moments, largest = remembered(TopK(k=3), ball, "difference")  # α = 1/2: 2αr/(1 − α)
    >>> moments.second.evaluate(RATIONALS), round(largest.norm, 9)
    (Fraction(4, 1), 2.0)
    >>> moments, _ = remembered(TopK(k=3), ball, "difference", drift=Fraction(1, 10))
    >>> moments.second.evaluate(RATIONALS)
    Fraction(1, 4)
    """
    found = relative(transform, reach.shape)
    if reach.squared is None:
        raise SpecError(
            "memory holds what was left out of earlier values, and nothing bounds these",
            value="no ball and no box that holds the value",
            expected="a bound on the norm of what is transformed, or on its components",
            fix="add reach: {radius: NUMBER} to the perturbation, or reach: {low: …, high: …}",
        )
    r = root_up(reach.squared)
    if memory == "feedback":
        return feedback(found, r)
    width = _width(reach) if found.masks else None
    step = 2 * r if drift is None else min(drift, 2 * r)
    moments, _ = difference(found, r, step, width, reach.size)
    # A drift may hold in the fourth mean only: of draws it says nothing.
    return moments, difference(found, r, 2 * r, width, reach.size)[1]


def _width(reach: Reach) -> Fraction:
    """At least |y_j − y'_j| and |y_j| for all y, y' of the reach and every j."""
    assert reach.magnitude is not None  # noqa: S101 - callers have asked for a range
    low = -reach.magnitude if reach.low is None else max(-reach.magnitude, reach.low)
    high = reach.magnitude if reach.high is None else min(reach.magnitude, reach.high)
    return max(high, Fraction(0)) - min(low, Fraction(0))


def kept_error(alpha: Fraction, r: Fraction) -> Fraction:
    """αr/(1 − α) ≥ ‖e_t‖ in every norm in which Q contracts by α.

    ‖e_{t+1}‖ ≤ α(r + ‖e_t‖), and this is its fixed point.
    """
    return alpha * r / (1 - alpha)


def feedback(q: Relative, r: Fraction) -> tuple[VectorMoments, Largest]:
    """Levels with error feedback, as δ_t = e_t − e_{t+1} (docs/theory.md, Theorem 9.2).

    With e ≥ ‖e_t‖ in the norm in question (:func:`kept_error`)::

        ‖δ_t‖ ≤ 2e;       and if Q(x) ⊥ Q(x) − x: ‖δ_t‖² ≤ e² + c(2r − c), c = min(e, r)
        if E Q(x) = λx:   E_t δ_t = λ e_t − (1 − λ) y_t, and
                          E_t‖δ_t‖² ≤ α²(r + e)² + e² if λ = 1, λe² + (1 − λ) r² if orthogonal
    """
    e2, e4 = kept_error(q.second, r), kept_error(q.fourth, r)
    if q.always is not None:
        highest = kept_error(q.always, r)
        e2, e4 = min(e2, highest), min(e4, highest)
    whole = _apart(q, r, e4)
    second = whole
    if q.factor is not None and q.orthogonal:
        second = min(second, q.factor * e4**2 + (1 - q.factor) * r**2)
    elif q.factor == 1:
        second = min(second, (q.second * (r + e4)) ** 2 + e4**2)
    mean = second
    if q.factor is not None:
        mean = min(mean, (q.factor * e2 + (1 - q.factor) * r) ** 2)
    moments = VectorMoments(exact(mean), exact(second), exact(whole**2))
    if q.always is None:
        return moments, _UNBOUNDED
    highest = kept_error(q.always, r)
    return moments, _largest(_apart(q, r, highest), (r + highest) / (1 - q.always), q)


def _apart(q: Relative, r: Fraction, e: Fraction) -> Fraction:
    """At least ‖e_t − e_{t+1}‖², where both are at most e."""
    if not q.orthogonal:
        return 4 * e**2
    if q.always != q.second:
        return min(4 * e**2, e**2 + r**2)
    # Of numbers and not of means: ‖e_t‖² − c² + 2c·r with c = ‖e_{t+1}‖ ≤ e.
    c = min(e, r)
    return min(4 * e**2, e**2 + c * (2 * r - c))


def difference(
    q: Relative, r: Fraction, drift: Fraction, width: Fraction | None, size: int
) -> tuple[VectorMoments, Largest]:
    """Levels with difference compression, as δ_t = Q(x_t) − x_t for x_t = y_t − m_t.

    Source: docs/theory.md, Theorem 9.3.

    x_0 = y_0 and x_{t+1} = (y_{t+1} − y_t) − δ_t, so that ‖x_t‖ ≤ max{r, D/(1 − α)}, and more
    exactly at most α^t r + (1 − α^t) D/(1 − α).  If E Q(x) = λx, E_t δ_t = −(1 − λ) x_t.

    If Q masks, every component of m_t is 0 or one of an earlier y, so that also
    ‖x_t‖ ≤ √n·``width``, and ‖δ_t‖ ≤ ‖x_t‖.
    """
    widest = None if width is None else root_up(Fraction(size)) * width

    def wanted(alpha: Fraction) -> Fraction:
        settled = max(r, drift / (1 - alpha))
        return settled if widest is None else min(settled, widest)

    x2, x4, always = wanted(q.second), wanted(q.fourth), widest
    if q.always is not None:
        highest = wanted(q.always)
        x2, x4, always = min(x2, highest), min(x4, highest), q.always * highest
    second = (q.second * x4) ** 2
    mean = second if q.factor is None else min(second, ((1 - q.factor) * x2) ** 2)
    moments = VectorMoments(exact(mean), exact(second), exact((q.fourth * x4) ** 4))
    if always is None:
        return moments, _UNBOUNDED
    # Rounding errors are passed on, unless a mask replaces them.
    met = widest if q.always is None or widest is not None else (r + always) / (1 - q.always)
    assert met is not None  # noqa: S101 - one of the two
    return moments, _largest(always**2, met, q, width)


#: Unlucky draws in a row add up, unless Q contracts whatever is drawn.
_UNBOUNDED = Largest(math.inf, math.inf)


def _largest(
    squared: Fraction, met: Fraction, q: Relative, width: Fraction | None = None
) -> Largest:
    """A bound on δ, and on what it is in floats where sizes up to ``met`` are rounded."""
    slack = met * q.rounding if squared else Fraction(0)
    norm = root_above((root_up(squared) + slack) ** 2)
    return Largest(norm if width is None else min(norm, root_above((width + slack) ** 2)), norm)


def averaged(alpha: Fraction, r: Fraction, drift: Fraction, horizon: int) -> Fraction:
    """At least T⁻¹ Σ_t ‖δ_t‖² over t = 0 .. T−1, with difference compression.

    δ_t ≤ A(1 − α^t) + B α^t with A = αD/(1 − α), B = αr, so that by Minkowski's inequality
    over t it is at most (A + (B − A)₊ (T(1 − α²))^{−1/2})²: the start, when nothing is known
    of y_0, dies out (docs/theory.md, Corollary 9.4).

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> float(averaged(half, Fraction(1), Fraction(1, 100), 10**6)) < 0.0106**2
    True
    """
    rest = alpha * drift / (1 - alpha)
    start = max(alpha * r - rest, Fraction(0))
    share = root_up(1 / (horizon * (1 - alpha**2)))
    return (rest + start * min(share, Fraction(1))) ** 2


def drift_of_training(
    sensitivity: Fraction, step: Fraction, gradient: Fraction, upstream: Fraction = Fraction(0)
) -> Fraction:
    """D = G γ U + 2 Σ_j Λ_j d_j, at least ‖y_{t+1} − y_t‖ between steps of a run.

    For one row of the data, used in every step and transformed in every step
    (docs/theory.md, Proposition 9.5).

    Parameters
    ----------
    sensitivity
        G, the Lipschitz constant of the exact value in all weights together: on a chain the
        root of Σ_{j ≤ i} (ℓ_i ⋯ ℓ_{j+1} g_j)², g_j that of w_j ↦ f_j(y, w_j).
    step
        γ.
    gradient
        U, at least the length of the perturbed gradient, γU that of a step.
    upstream
        Σ_j Λ_j d_j over the perturbations before the site: d_j ≥ ‖δ_j‖, Λ_j the Lipschitz
        constant of the value in what they are added to.  They may all change sign.
    """
    return sensitivity * step * gradient + 2 * upstream


def self_consistent(alpha: Fraction, still: Fraction, gain: Fraction) -> Fraction | None:
    """At least D, where D ≤ still + gain·d and d ≤ αD/(1 − α); None where D may run away.

    ``still`` is the part of the drift that is there without perturbation, ``gain``·d what the
    perturbation itself adds, through the gradients that it changes; d is the level in the
    long run, or always if αr ≤ αD/(1 − α).

    Examples
    --------
    >>> self_consistent(Fraction(1, 2), Fraction(1, 10), Fraction(1, 2))
    Fraction(1, 5)
    >>> self_consistent(Fraction(1, 2), Fraction(1, 10), Fraction(1))
    """
    loop = gain * alpha / (1 - alpha)
    return still / (1 - loop) if loop < 1 else None
