"""How perturbations must shrink as the horizon grows."""

from collections.abc import Iterator
from fractions import Fraction

from boundcalc.budgets.orders import paper_orders
from gallery.base import Check, Entry

ENTRY = Entry(
    title="How perturbations must shrink with the horizon",
    topic="budgets",
    statement=r"""
If the bound is to keep its order, perturbations at every step may be at most of the orders

| | nonconvex, $\gamma \sim T^{-1/2}$ | PL, $\gamma \sim \ln T/T$ |
|---|---|---|
| $\lVert\delta\rVert$, mean zero | $T^{-1/8}$ | $T^{-1/4}\ln^{1/4}T$ |
| mean of $\delta$ | $T^{-1/4}$ | $T^{-1/2}\ln^{1/2}T$ |
| $\lVert\varepsilon\rVert$, mean zero | 1 | 1 |
| mean of $\varepsilon$ | $T^{-1/4}$ | $T^{-1/2}\ln^{1/2}T$ |

and of events of size 1 there may be $(T^{1/2}, T)$ in the two passes with mean zero,
$(T^{1/2}, T^{1/2})$ else; under PL, wherever they fall, $(1, T)$ and $(1, 1)$. None of this is
stored: the bound's own code runs on a kind of number whose values are orders.
""",
    theorem="[KZY], Corollaries 1 to 4 and Table 1",
    link="theory.md#7-orders",
    kind="exact",
    reference="[KZY] B. Kong, H. Zhang, K. Yuan, On the convergence of stochastic gradient descent "
    "with perturbed forward-backward passes, arXiv:2602.20646.",
)

#: Powers of T and of ln T: δ, mean of δ, ε, mean of ε.
FREQUENT: dict[str, tuple[tuple[str, str], ...]] = {
    "nonconvex": (("-1/8", "0"), ("-1/4", "0"), ("0", "0"), ("-1/4", "0")),
    "pl": (("-1/4", "1/4"), ("-1/2", "1/2"), ("0", "0"), ("-1/2", "1/2")),
}
#: Powers of T: counts of δ and of ε, with mean zero and without.
EVENTS = {"nonconvex": (("1/2", "1"), ("1/2", "1/2")), "pl": (("0", "1"), ("0", "0"))}


def exponents(family: str) -> Iterator[Check]:
    """Every exponent of one family."""
    found = paper_orders(family)
    for regime, stated in FREQUENT.items():
        here = found[regime].frequent
        orders = (here.forward_rms, here.forward_mean, here.backward_rms, here.backward_mean)
        names = ("size of δ", "mean of δ", "size of ε", "mean of ε")
        for name, order, (power, log) in zip(names, orders, stated, strict=True):
            assert order is not None  # noqa: S101 - every one of them matters on this chain
            yield Check(f"{regime}: {name}, power of $T$", order.power, Fraction(power))
            yield Check(f"{regime}: {name}, power of $\\ln T$", order.log, Fraction(log))
        for case, pair in zip(("zero_mean", "general"), EVENTS[regime], strict=True):
            counts = getattr(found[regime], case)
            for name, order, power in (
                ("δ", counts.forward, pair[0]),
                ("ε", counts.backward, pair[1]),
            ):
                mean = "mean zero" if case == "zero_mean" else "any mean"
                says = f"{regime}: events in {name}, {mean}"
                yield Check(says, order.power, Fraction(power))


def checks() -> Iterator[Check]:
    """Every exponent of the sharp family, and how many agree in the two others."""
    yield from exponents("sharp")
    for family in ("published", "corrected"):
        agree = sum(check.holds for check in exponents(family))
        yield Check(f"{family}: how many of the 24 agree", agree, 24)
