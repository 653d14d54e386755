"""The terms of a bound as orders, by the code that computes the bound.

:mod:`boundcalc.rates.statements` and the recurrences of each family run on
:class:`~boundcalc.budgets.orders.kind.Orders`; that the error carries one γ more than the bias,
say, is not written down here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from boundcalc.budgets.orders.constants import Shape
from boundcalc.budgets.orders.kind import Orders
from boundcalc.budgets.orders.order import CONSTANT
from boundcalc.budgets.orders.quantity import Quantity
from boundcalc.graph.numbers import Levels
from boundcalc.rates import statements
from boundcalc.rates.statements import Level, Problem
from boundcalc.theories.perturbed import sharp, sums
from boundcalc.theories.perturbed.descent import Descent

#: Names of the unknown levels, as terms show them, by argument of :meth:`Shape.levels`.
LEVELS = {"e": "‖δ‖", "m": "‖Eδ‖", "eps": "‖ε‖", "n": "‖Eε‖"}

#: Bounds on E‖ũ−u‖² and ‖E[ũ−u]‖² at given levels.
Moments = Callable[[Shape, Levels, Orders], tuple[Quantity, Quantity]]


def sharp_moments(shape: Shape, levels: Levels, kind: Orders) -> tuple[Quantity, Quantity]:
    """The plain recurrences, docs/theory.md, Theorems 4.1 to 4.3 and 4.7 to 4.9.

    Refinements are left out.  They do not change the orders of levels that are of order 1 at
    most: each takes the smaller of two numbers that vanish alike, except where saturation
    caps an error at a constant.
    """
    second = sharp.centred(
        shape.graph,
        levels,
        kind,
        forward=levels.forward_centred,
        backward=levels.backward_centred,
    )
    means = sharp.means(shape.graph, levels, second, kind, capped=False)
    return second.total(), means.total()


def published_moments(shape: Shape, levels: Levels, kind: Orders) -> tuple[Quantity, Quantity]:
    """(13) and (23) of [KZY] with the coefficients as printed."""
    return _sums(shape, levels, kind, corrected=False)


def corrected_moments(shape: Shape, levels: Levels, kind: Orders) -> tuple[Quantity, Quantity]:
    """The same with E1, E2 and E3 applied."""
    return _sums(shape, levels, kind, corrected=True)


def _sums(
    shape: Shape, levels: Levels, kind: Orders, *, corrected: bool
) -> tuple[Quantity, Quantity]:
    assert shape.uniform is not None  # noqa: S101 - callers have asked for a refusal
    columns = sums.coefficients(shape.uniform[corrected], kind, corrected=corrected)
    bias = sums.bias_bound(columns, levels, kind)
    assert bias is not None  # noqa: S101 - fourth moments are given
    return sums.error_bound(columns, levels, kind), bias


#: Family name → its bounds.
MOMENTS: Mapping[str, Moments] = {
    "published": published_moments,
    "corrected": corrected_moments,
    "sharp": sharp_moments,
}


class LevelOrders:
    """The levels of a step at which the perturbations have unknown, or known, sizes.

    Parameters
    ----------
    shape, moments
        The constants and the family's bounds.
    """

    def __init__(self, shape: Shape, moments: Moments) -> None:
        self.shape, self._moments = shape, moments
        self._found: dict[frozenset[str], tuple[Quantity, Quantity]] = {}

    def unknown(self, names: Iterable[str]) -> Level:
        """With unknown sizes (the arguments of :meth:`Shape.levels`) under their :data:`LEVELS`."""
        error, bias = self._of(frozenset(names))
        return _level(error, bias)

    def of_order_one(self, names: Iterable[str]) -> Level:
        """With sizes of order 1."""
        known = {LEVELS[name]: CONSTANT for name in names}
        error, bias = self._of(frozenset(names))
        return _level(error.given(known), bias.given(known))

    def _of(self, names: frozenset[str]) -> tuple[Quantity, Quantity]:
        if names not in self._found:
            kind = Orders()
            sizes = {name: kind.unknown(LEVELS[name]) for name in names}
            levels = self.shape.levels(kind.number(0), **sizes)
            self._found[names] = self._moments(self.shape, levels, kind)
        return self._found[names]


def _level(error: Quantity, bias: Quantity) -> Level:
    # A batch of fixed size does not change an order (docs/theory.md, Lemma 6.4).
    return Level(error=error, bias=bias, unbiased=bias.zero)


def problem(kind: Orders, step: Quantity, noise: Quantity) -> Problem:
    """L, μ and Δ₀ of order 1, and T as an order."""
    one, horizon = kind.number(1), kind.horizon
    T: Any = horizon  # the statements only multiply by it
    return Problem(L=one, mu=one, gap=one, sigma=noise, step=step, horizon=T, kind=kind)


def nonconvex(
    p: Problem, d: Descent, levels: list[Level], counts: list[Quantity]
) -> dict[str, Quantity]:
    """:func:`~boundcalc.rates.statements.nonconvex_terms`, each level at so many steps."""
    shares = [count / p.horizon for count in counts]
    return statements.nonconvex_terms(p, d, levels, shares)


def pl(
    p: Problem, d: Descent, levels: list[Level], discounts: list[Quantity]
) -> dict[str, Quantity]:
    """:func:`~boundcalc.rates.statements.pl_terms`."""
    return statements.pl_terms(p, d, levels, discounts)


def discounted(p: Problem, d: Descent, count: Quantity, stride: Quantity) -> Quantity:
    """Σ_{k<n} q^{sk} = (1 − q^{sn})/(1 − q^s), q = 1 − cμγ: n steps, s apart, up to the last one.

    The power q^{1−lag} that the lag adds is of order 1.  With s = 1 these are the last n steps,
    for which the sum is the largest of any n steps; with n = T and s = 1 it is that of all.
    """
    kind = p.kind
    log_ratio = kind.log1p(-statements.contraction_drop(p, d))
    found: Quantity = kind.expm1(count * stride * log_ratio) / kind.expm1(stride * log_ratio)
    return found
