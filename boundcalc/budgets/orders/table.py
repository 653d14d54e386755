"""Corollary 1 and Table 1 of [KZY] as tables, from derived orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boundcalc.budgets.orders.order import Order
from boundcalc.budgets.orders.results import IntermittentOrders, RegimeOrders

#: A pair of orders, of forward and backward events.
Pair = tuple[Order, Order]

_NAMES = {"nonconvex": "nonconvex", "pl": "PL"}


def frequent_rows(found: Mapping[str, RegimeOrders]) -> list[tuple[str, list[Order | None]]]:
    """Corollary 1: regime, then γ, rate, ‖δ‖, mean δ, ‖ε‖, mean ε; None where any order does.

    Source: docs/theory.md, Corollary 7.1.
    """
    return [
        (
            _NAMES.get(name, name),
            [
                x.step,
                x.rate,
                x.frequent.forward_rms,
                x.frequent.forward_mean,
                x.frequent.backward_rms,
                x.frequent.backward_mean,
            ],
        )
        for name, x in found.items()
    ]


def intermittent_rows(found: Mapping[str, RegimeOrders]) -> list[tuple[str, list[Pair]]]:
    """Table 1: regime and placement, then (Q_δ, Q_ε) at mean zero, and in general.

    Source: docs/theory.md, Corollary 7.2.
    """
    rows: list[tuple[str, list[Pair]]] = []
    for name, x in found.items():
        title = _NAMES.get(name, name)
        worst, even = ([place(y) for y in (x.zero_mean, x.general)] for place in (_worst, _even))
        if worst == even:
            rows.append((title, worst))
        else:
            rows += [(f"{title}, worst placement", worst), (f"{title}, evenly spread", even)]
    return rows


def _worst(x: IntermittentOrders) -> Pair:
    return x.forward, x.backward


def _even(x: IntermittentOrders) -> Pair:
    return x.forward_even, x.backward_even


def markdown(found: Mapping[str, RegimeOrders]) -> str:
    """Both tables in Markdown.

    >>> from boundcalc.budgets.orders.regimes import paper_orders
    >>> print(markdown(paper_orders()).splitlines()[-1])
    | PL, evenly spread | (ln T, T) | (ln T, ln T) |
    """
    return "\n\n".join(
        "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))
        for head, body in (
            (["", "γ", "rate", "‖δ‖", "‖Eδ‖", "‖ε‖", "‖Eε‖"], _cells(found, str, "any")),
            (["(Q_δ, Q_ε)", "mean zero", "general"], _pairs(found, str)),
        )
    )


def latex(found: Mapping[str, RegimeOrders]) -> str:
    """Both tables in LaTeX, for ``booktabs``."""

    def maths(order: Order) -> str:
        return f"${order.latex()}$"

    def pair(order: Order) -> str:
        return order.latex()

    heads = (
        ["", r"$\gamma$", "rate"]
        + [rf"$\lVert\{s}\rVert$" for s in ("delta", "mathbb{E}\\delta")]
        + [rf"$\lVert\{s}\rVert$" for s in ("varepsilon", "mathbb{E}\\varepsilon")],
        [r"$(Q_\delta, Q_\varepsilon)$", "mean zero", "general"],
    )
    bodies = (
        _cells(found, maths, "any"),
        [[row[0], *(f"${cell}$" for cell in row[1:])] for row in _pairs(found, pair)],
    )
    return "\n\n".join(_tabular(head, body) for head, body in zip(heads, bodies, strict=True))


def _tabular(head: list[str], body: list[list[str]]) -> str:
    lines = [" & ".join(row) + r" \\" for row in (head, *body)]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{l{'c' * (len(head) - 1)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _cells(
    found: Mapping[str, RegimeOrders], write: Callable[[Order], str], free: str
) -> list[list[str]]:
    return [
        [name, *(free if order is None else write(order) for order in row)]
        for name, row in frequent_rows(found)
    ]


def _pairs(found: Mapping[str, RegimeOrders], write: Callable[[Order], str]) -> list[list[str]]:
    return [
        [name, *(f"({write(first)}, {write(second)})" for first, second in row)]
        for name, row in intermittent_rows(found)
    ]
