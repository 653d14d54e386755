"""From one component to the vector of n, with or without a chance that it acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.perturbations.base import Array, ComponentMoments, Sampler, known
from boundcalc.spec.expressions import Expression


@dataclass(frozen=True)
class VectorMoments:
    """Exact moments of a perturbation vector δ, Euclidean norm.

    Attributes
    ----------
    mean_squared
        ‖E δ‖².
    second
        E‖δ‖².
    fourth
        E‖δ‖⁴ (not its fourth root, which is what a spec calls ``fourth``).
    """

    mean_squared: Expression
    second: Expression
    fourth: Expression


def vector_moments(
    component: ComponentMoments, size: int, probability: Expression | None = None
) -> VectorMoments:
    """Moments of n independent components that act together with probability p.

    ::

        ‖E δ‖² = p² n (E x)²
        E‖δ‖²  = p n E x²
        E‖δ‖⁴  = p (n E x⁴ + n(n−1) (E x²)²)

    Exact, no inequality is used.  Proof: without the event, E δ has n entries E x,
    and ‖δ‖² = Σ x_i² is linear.  ‖δ‖⁴ = Σ_i x_i⁴ + Σ_{i≠j} x_i² x_j², where
    independence splits each of the n(n−1) products.  With the event B ∈ {0, 1},
    E B = p, independent of δ: E[Bδ] = p E δ, and B^k = B gives E‖Bδ‖^k = p E‖δ‖^k. ∎

    Parameters
    ----------
    component
        Moments of one component.
    size
        n ≥ 1.
    probability
        p in [0, 1]; None is 1.

    Raises
    ------
    SpecError
        If size < 1, or if probability is a number outside [0, 1].

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.perturbations import Uniform
    >>> from boundcalc.spec.grammar import parse
    >>> moments = vector_moments(Uniform(half_width=1).moments(), 3, parse("1/10"))
    >>> moments.second.evaluate(RATIONALS), moments.fourth.evaluate(RATIONALS)
    (Fraction(1, 10), Fraction(19, 150))
    """
    if size < 1:
        raise SpecError("a perturbation needs a component", value=size, expected="size ≥ 1")
    mean_squared = component.mean**2 * size
    second = component.second * size
    fourth = component.fourth * size + component.second**2 * (size * (size - 1))
    return thinned_moments(VectorMoments(mean_squared, second, fourth), probability)


def thinned_moments(moments: VectorMoments, probability: Expression | None) -> VectorMoments:
    """Moments of B·δ for an event B of probability p that is independent of δ.

    E‖Bδ‖^k = p E‖δ‖^k and ‖E Bδ‖² = p²‖E δ‖²; bounds on the moments of δ give bounds.

    Raises
    ------
    SpecError
        If the probability is a number outside [0, 1].

    Examples
    --------
    >>> from boundcalc.spec.expressions import exact
    >>> from boundcalc.spec.grammar import parse
    >>> one = VectorMoments(exact(1), exact(1), exact(1))
    >>> str(thinned_moments(one, parse("1/10")).mean_squared)
    '(1 * (1/10)**2)'
    """
    if probability is None:
        return moments
    _require_probability(known(probability, {}))
    return VectorMoments(
        moments.mean_squared * probability**2,
        moments.second * probability,
        moments.fourth * probability,
    )


class Thinned(Protocol):
    """A sampler that may take the events from a second generator."""

    def __call__(
        self, rng: np.random.Generator, out: Array, events: np.random.Generator | None = None, /
    ) -> None:
        """Fill an array in place; without ``events`` both come from ``rng``."""


def thinned(sampler: Sampler, probability: float) -> Thinned:
    """A sampler whose vectors are kept with a probability and are zero otherwise.

    The event is drawn independently for every replica and sample, once for all n
    components: one uniform number for each vector, in order.  Only vectors that act are drawn,
    so rare events are cheap.

    Parameters
    ----------
    sampler
        Draws the vectors that act.
    probability
        p in [0, 1].

    Returns
    -------
    Thinned
        Fills arrays of shape (R, M, n).

    Raises
    ------
    SpecError
        If the probability lies outside [0, 1] or is NaN.

    Examples
    --------
    >>> from boundcalc.perturbations import Constant
    >>> out = np.empty((1, 6, 2))
    >>> thinned(Constant(value=1).sampler({}), 0.5)(np.random.default_rng(0), out)
    >>> out[0, :, 0]
    array([0., 1., 1., 1., 0., 0.])
    """
    _require_probability(probability)

    def fill(
        rng: np.random.Generator, out: Array, events: np.random.Generator | None = None, /
    ) -> None:
        acts = (rng if events is None else events).random(out.shape[:-1]) < probability
        drawn = np.empty((int(np.count_nonzero(acts)), out.shape[-1]))
        sampler(rng, drawn)
        out.fill(0.0)
        out[acts] = drawn

    return fill


def _require_probability(p: float | None) -> None:
    if p is not None and not 0 <= p <= 1:
        raise SpecError("not a probability", value=p, expected="a number between 0 and 1")
