"""The two ends of a graph: data that fit the input and the labels, a loss of one number."""

from __future__ import annotations

from math import prod

from boundcalc.errors import SpecError
from boundcalc.graph.making import Making
from boundcalc.graph.parts import Node
from boundcalc.operators.base import Operator, Shape


def shape_text(shape: Shape) -> str:
    """A shape for people.

    >>> shape_text((3, 28, 28)), shape_text((5,))
    ('3×28×28', '5')
    """
    return "×".join(str(n) for n in shape)


def check_data(making: Making) -> None:
    """Refuse data whose samples are not as large as the input."""
    if making.data is None:
        return
    size, found = prod(making.shapes[0]), int(making.data.features.shape[1])
    if size != found:
        raise SpecError(
            "the data does not have the shape of the input",
            where="graph.input.shape",
            value=f"{shape_text(making.shapes[0])} = {size} numbers",
            expected=f"{found} numbers, as a sample has",
            fix="change the shape or the data",
        )


def check_labels(making: Making, operator: Operator) -> None:
    """Refuse labels that an operator cannot read."""
    if making.data is None:
        return
    try:
        operator.check_labels(making.data.labels)
    except SpecError as error:
        raise error.located("simulation.data") from None


def check_sink(last: Node) -> None:
    """Refuse a last operator that is no loss."""
    if last.outputs != 1:
        raise SpecError(
            "the last operator is the loss, so its output must be one number",
            where=last.where,
            value=f"{last.id}: {last.outputs} outputs",
            expected="1 output",
            fix="end the chain with a loss such as `logistic`, `squared` or `quadratic`",
        )
