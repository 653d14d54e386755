"""Asymptotic orders that a budget answers with, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boundcalc.budgets.orders.order import Order


@dataclass(frozen=True)
class FrequentOrders:
    """Largest admissible orders of perturbations that act at every step.

    An order of None means that none is asked for: every order is admissible.  The order 0 says
    that no order is small enough.
    """

    forward_rms: Order | None
    forward_mean: Order | None
    backward_rms: Order | None
    backward_mean: Order | None


@dataclass(frozen=True)
class IntermittentOrders:
    """Largest admissible orders of the number of O(1) events among T steps.

    Attributes
    ----------
    forward, backward
        Wherever in time the events fall.
    forward_even, backward_even
        Evenly spread events.
    """

    forward: Order
    backward: Order
    forward_even: Order
    backward_even: Order


@dataclass(frozen=True)
class RegimeOrders:
    """Orders in one regime.

    Attributes
    ----------
    step
        γ as an order.
    rate
        The order of the bound that is to be kept.
    conditions
        On constants in front of γ, such as ``γ = c ln T/T with c ≥ 1/μ``.
    frequent
        At every step.
    zero_mean, general
        Events with conditional mean zero, and any.
    terms
        Term of the bound → its order as text, with symbols for the levels.
    """

    step: Order
    rate: Order
    conditions: tuple[str, ...]
    frequent: FrequentOrders
    zero_mean: IntermittentOrders
    general: IntermittentOrders
    terms: Mapping[str, str]
