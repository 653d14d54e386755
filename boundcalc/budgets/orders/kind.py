"""Orders as a number kind: the code that computes a bound computes its order.

Every constant is of order 1, or 0; the step size is an order; levels may be unknown.
"""

from __future__ import annotations

from fractions import Fraction

from boundcalc.budgets.orders.order import CONSTANT, HORIZON, LOGARITHM, Order
from boundcalc.budgets.orders.quantity import Quantity, as_quantity, known, unknown


class Orders:
    """Arithmetic of :class:`~boundcalc.budgets.orders.quantity.Quantity`.

    Up to constants every operation is exact on numbers ≥ 0, with two exceptions, which are
    upper bounds: a difference x − y with 0 ≤ y ≤ x is taken as x, and e^{−x} as 1 where x is
    not known to grow as fast as ln T.

    Attributes
    ----------
    critical
        Whether an e^{−c ln T} was met, which is T^{−c}: the constant matters.  It was taken
        to be large enough, that is e^{−c ln T} as 0.
    slow
        Whether an e^{−x} was met with x growing, but slower than ln T: it decays, though
        slower than every power of T.

    Examples
    --------
    Where the step is ln T/T, Σ_k (1 − γ)^k is of the order of 1/γ, which E6 is about:

    >>> kind = Orders()
    >>> T, step = kind.horizon, kind.order(Order.read("T^(-1) ln T"))
    >>> print(kind.expm1(T * kind.log1p(-step)) / kind.expm1(kind.log1p(-step)))
    T ln^(-1) T
    """

    name = "orders"
    exact = False

    def __init__(self) -> None:
        self.critical = False
        self.slow = False

    @property
    def horizon(self) -> Quantity:
        """T."""
        return known(HORIZON)

    def order(self, order: Order) -> Quantity:
        """A quantity of this order."""
        return known(order)

    def unknown(self, name: str) -> Quantity:
        """A quantity ≥ 0 whose order is asked for."""
        return unknown(name)

    def number(self, value: Fraction | int) -> Quantity:
        """A constant: of order 1, or 0."""
        return as_quantity(value)

    def measured(self, value: float) -> Quantity:
        """The same of a float."""
        return as_quantity(value)

    def symbol(self, name: str) -> Quantity:
        """A constant without a value is of order 1."""
        del name
        return as_quantity(1)

    def pi(self) -> Quantity:
        """Of order 1."""
        return as_quantity(1)

    def sqrt(self, x: Quantity) -> Quantity:
        """The square root: half of every exponent."""
        return x ** Fraction(1, 2)

    def exp(self, x: Quantity) -> Quantity:
        """The exponential of something negative, or of order 1 at most.

        Raises
        ------
        OverflowError
            If it grows faster than every power of T, or might.
        """
        if x == 0:
            return as_quantity(1)
        if not x.negative:
            if x.unknowns or not x < 1:
                raise OverflowError(f"exp({x}) may have no order T^a ln^b T")
            return as_quantity(1)
        if x.unknowns:
            return as_quantity(1)
        rate = (-x).order()
        if rate < LOGARITHM:
            self.slow = self.slow or rate > CONSTANT
            return as_quantity(1)
        self.critical = self.critical or rate == LOGARITHM
        return as_quantity(0)

    def log(self, x: Quantity) -> Quantity:
        """The logarithm of a positive power of T.

        Raises
        ------
        ValueError
            Of anything else: that of a constant may have any sign, that of ln T has no order
            T^a ln^b T.
        """
        if x.negative or x.order().power <= 0:
            raise ValueError(f"ln({x}) has no order T^a ln^b T with a certain sign")
        return known(LOGARITHM)

    def log1p(self, x: Quantity) -> Quantity:
        """ln(1 + x), for |x| at most of order 1: of the order of x."""
        return self._small(x, "ln(1 + {})")

    def expm1(self, x: Quantity) -> Quantity:
        """eˣ − 1: −min(1, y) for x = −y, since (1 − 1/e) min(1, y) ≤ 1 − e^{−y} ≤ min(1, y)."""
        if x.negative:
            return -((-x).least(1))
        return self._small(x, "exp({}) - 1")

    def _small(self, x: Quantity, what: str) -> Quantity:
        if x.unknowns or not (-x if x.negative else x) < 1:
            raise ValueError(f"{what.format(x)} is not known to be of the order of {x}")
        return x

    def maximum(self, x: Quantity, y: Quantity) -> Quantity:
        """The larger of two nonnegative ones is of the order of their sum."""
        return x + y

    def minimum(self, x: Quantity, y: Quantity) -> Quantity:
        """The smaller of two; which one that is may depend on the unknowns."""
        return x.least(y)
