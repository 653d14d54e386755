"""Orders in the horizon, as tables of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.budgets.orders.results import RegimeOrders
from boundcalc.budgets.results import Budget
from boundcalc.report.cells import Block, Column, Content, Maths, Paragraph, Table
from boundcalc.report.notation import joined

if TYPE_CHECKING:
    from boundcalc.budgets.orders.order import Order


_REGIMES = {"pl": "PL"}


def order_blocks(found: Budget) -> tuple[Block, ...]:
    """Two tables for each regime: at every step, and now and then."""
    blocks: list[Block] = []
    for name, orders in found.orders.items():
        regime = _REGIMES.get(name, name)
        blocks += [Paragraph(_lead(regime, orders)), _frequent(regime, orders)]
        blocks.append(_intermittent(regime, orders))
    return tuple(blocks)


def _lead(regime: str, found: RegimeOrders) -> Content:
    pieces = joined(
        f"Orders in the horizon, {regime}: with a step ",
        Maths(rf"\gamma={_theta(found.step)}"),
        " the bound keeps the order ",
        Maths(found.rate.latex()),
        " as long as perturbations are within the following. They come from the form of the "
        "bound, whatever its constants.",
    )
    for condition in found.conditions:
        pieces = joined(pieces, f" This needs {condition}.")
    return pieces


def _theta(order: Order) -> str:
    return rf"\Theta({order.latex()})"


def _maths(order: Order | None) -> Content:
    return "any" if order is None else Maths(order.latex())


def _frequent(regime: str, found: RegimeOrders) -> Table:
    orders = found.frequent
    return Table(
        caption=f"Largest orders of perturbations at every step, {regime}.",
        columns=(Column("pass", 3.0), Column("rms"), Column("mean")),
        rows=(
            ("forward", _maths(orders.forward_rms), _maths(orders.forward_mean)),
            ("backward", _maths(orders.backward_rms), _maths(orders.backward_mean)),
        ),
    )


def _intermittent(regime: str, found: RegimeOrders) -> Table:
    terms = "; ".join(f"{term.replace('_', ' ')}: {text}" for term, text in found.terms.items())
    return Table(
        caption=(
            "Largest orders of the number of events of fixed size among ",
            Maths("T"),
            f" steps, {regime}.",
        ),
        columns=(
            Column("mean of an event", 3.0),
            Column("forward"),
            Column("backward"),
            Column("forward, evenly"),
            Column("backward, evenly"),
        ),
        rows=tuple(
            (
                name,
                _maths(orders.forward),
                _maths(orders.backward),
                _maths(orders.forward_even),
                _maths(orders.backward_even),
            )
            for name, orders in (("zero", found.zero_mean), ("any", found.general))
        ),
        remarks=(f"Terms of the bound: {terms}.",) if terms else (),
    )
