"""Corollary 7.1: how perturbations must shrink with the horizon."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import KZY

ENTRY = Entry(
    title="Orders for perturbations at every step",
    topic="theorems",
    statement=r"""
The orders of the unperturbed method are kept for

$$\gamma = \Theta(T^{-1/2}) : \quad \lVert \delta \rVert \lesssim T^{-1/8}$$

in the nonconvex case, with $\lVert \mathbb{E} \delta \rVert, \lVert \mathbb{E} \varepsilon \rVert
\lesssim T^{-1/4}$ and $\lVert \varepsilon \rVert \lesssim 1$; and under PL with
$\gamma = \Theta(\ln T/T)$ for $\lVert \delta \rVert \lesssim T^{-1/4} \ln^{1/4} T$, means of order
$T^{-1/2} \ln^{1/2} T$ and $\lVert \varepsilon \rVert \lesssim 1$. boundcalc does not store these
orders: it runs the bounds' own code on numbers $T^a \ln^b T$ with unknowns for the levels.
""",
    theorem="[KZY] Corollary 1; Corollary 7.1",
    link="theory.md#7-orders",
    kind="exact",
    reference=KZY,
)

#: Exponents of T and of ln T: step, rate, ‖δ‖, mean δ, ‖ε‖, mean ε.
_STATED = {
    "nonconvex": (("-1/2", 0), ("-1/2", 0), ("-1/8", 0), ("-1/4", 0), (0, 0), ("-1/4", 0)),
    "pl": ((-1, 1), (-1, 1), ("-1/4", "1/4"), ("-1/2", "1/2"), (0, 0), ("-1/2", "1/2")),
}
_NAMES = (
    r"\gamma",
    r"\text{rate}",
    r"\|\delta\|",
    r"\|E\delta\|",
    r"\|\varepsilon\|",
    r"\|E\varepsilon\|",
)


def checks() -> Iterator[Check]:
    """Both exponents of every order."""
    from boundcalc.budgets.orders import paper_orders

    found = paper_orders()
    for regime, stated in _STATED.items():
        f = found[regime].frequent
        orders = (
            found[regime].step,
            found[regime].rate,
            f.forward_rms,
            f.forward_mean,
            f.backward_rms,
            f.backward_mean,
        )
        for name, order, (power, log) in zip(_NAMES, orders, stated, strict=True):
            says = f"exponent of $T$ in ${name}$, {regime}"
            yield Check(says, Fraction(order.power), Fraction(power))
            yield Check(f"of $\\ln T$ in ${name}$, {regime}", Fraction(order.log), Fraction(log))
