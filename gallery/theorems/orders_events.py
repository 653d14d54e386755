"""Corollary 7.2, Table 1 of [KZY]: how many events of size one."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import KZY

ENTRY = Entry(
    title="Orders for rare perturbations",
    topic="theorems",
    statement=r"""
Perturbations of size $O(1)$ occur at $Q_\delta$ and $Q_\varepsilon$ of $T$ steps. The orders of
the unperturbed method are kept for

$$(Q_\delta, Q_\varepsilon) \lesssim (T^{1/2}, T)$$

with mean zero and $(T^{1/2}, T^{1/2})$ else (nonconvex); under PL for $(1, T)$ and $(1, 1)$ at the
worst places in time, and $(\ln T, T)$ and $(\ln T, \ln T)$ if they are evenly spread. One event
every $\Delta t$ steps means $Q = \lceil T/\Delta t \rceil$.
""",
    theorem="[KZY] Corollaries 2 to 4; Corollary 7.2",
    link="theory.md#7-orders",
    kind="exact",
    reference=KZY,
)

_HALF = Fraction(1, 2)
#: Regime, mean: exponents of T and ln T of forward, backward, and both evenly spread.
_STATED = {
    ("nonconvex", "zero_mean"): ((_HALF, 0), (1, 0), (_HALF, 0), (1, 0)),
    ("nonconvex", "general"): ((_HALF, 0), (_HALF, 0), (_HALF, 0), (_HALF, 0)),
    ("pl", "zero_mean"): ((0, 0), (1, 0), (0, 1), (1, 0)),
    ("pl", "general"): ((0, 0), (0, 0), (0, 1), (0, 1)),
}


def checks() -> Iterator[Check]:
    """Both exponents of every entry of the table."""
    from boundcalc.budgets.orders import paper_orders

    found = paper_orders()
    for (regime, case), stated in _STATED.items():
        x = getattr(found[regime], case)
        orders = {
            r"Q_\delta": x.forward,
            r"Q_\varepsilon": x.backward,
            r"Q_\delta, even": x.forward_even,
            r"Q_\varepsilon, even": x.backward_even,
        }
        mean = case.replace("_", " ")
        for (name, order), (power, log) in zip(orders.items(), stated, strict=True):
            symbol, *spread = name.split(", ")
            where = ", ".join([f"${symbol}$", *spread, regime, mean])
            yield Check(f"exponent of $T$ in {where}", Fraction(order.power), Fraction(power))
            yield Check(f"of $\\ln T$ in {where}", Fraction(order.log), Fraction(log))
