"""Asymptotic orders T^a ln^b T, derived by running the bounds on a number kind of orders."""

from boundcalc.budgets.orders.admissible import Range, admissible, all_kept
from boundcalc.budgets.orders.kind import Orders
from boundcalc.budgets.orders.order import Order
from boundcalc.budgets.orders.regimes import orders, paper_orders

__all__ = ["Order", "Orders", "Range", "admissible", "all_kept", "orders", "paper_orders"]
