"""Which constants of a graph are 0: all that an order needs to know of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import groupby, islice
from typing import Any, TypeVar

from boundcalc.arithmetic import INTERVALS, RATIONALS, SYMBOLS, WIDE, Arithmetic, Scalar
from boundcalc.budgets.orders.quantity import Quantity, as_quantity
from boundcalc.errors import InexactError, SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import ChainConstants, GraphConstants, Levels, UniformConstants
from boundcalc.spec.expressions import Expression

T = TypeVar("T")


@dataclass(frozen=True)
class Shape:
    """A graph's constants as orders: 1, or 0 where a constant is exactly 0.

    Attributes
    ----------
    graph
        By operator and slot.
    uniform
        [KZY]'s uniform constants: as printed, and with E2 applied; None off a smooth chain.
    noise
        The order of σ.
    """

    graph: GraphConstants
    uniform: dict[bool, UniformConstants] | None
    noise: Quantity

    def levels(
        self,
        zero: Quantity,
        *,
        e: Quantity | None = None,
        m: Quantity | None = None,
        eps: Quantity | None = None,
        n: Quantity | None = None,
    ) -> Levels:
        """The same level at every site that reaches the gradient; 0 where none is given.

        E‖δ‖⁴ is taken as e⁴: e stands for (E‖δ‖⁴)^{1/4} where a family asks for that.
        """
        g = self.graph
        ends = {
            edge: u
            for v in range(1, g.size + 1)
            for edge, u in zip(g.edges[v], g.inputs[v], strict=True)
        }

        def forward(value: Quantity | None) -> tuple[Quantity, ...]:
            inside = zero if value is None else value
            return (zero, *[inside] * (g.size - 1), zero)

        def backward(value: Quantity | None) -> tuple[Quantity, ...]:
            count = max(ends) + 1
            return tuple(
                zero if value is None or not ends.get(edge) else value for edge in range(count)
            )

        fourth = zero if e is None else e**4
        return Levels(
            e=forward(e), m=forward(m), q=forward(fourth), eps=backward(eps), n=backward(n)
        )


def generic(size: int = 3) -> Shape:
    """A chain of which no constant is 0."""
    one, zero = as_quantity(1), as_quantity(0)
    column = (zero, *[one] * size)
    chain = ChainConstants(*[column] * 7)
    uniform = UniformConstants(size, *[one] * 5)
    return Shape(chain.graph, {False: uniform, True: uniform}, one)


def of_graph(graph: OperatorGraph) -> Shape:
    """Those of a compiled spec; a symbol without a value is taken as positive.

    A constant that is only known to lie around 0 counts as positive, which is never wrong.
    """
    if graph.is_smooth_chain:
        constants = _shortened(_shaped(_known(graph.chain_constants))).graph
    else:
        constants = _shaped(_known(graph.graph_constants))
    uniform = None
    if graph.is_chain and graph.smooth:
        uniform = {
            corrected: replace(
                _shaped(_known(partial(graph.uniform_constants, corrected=corrected))),
                size=constants.size,
            )
            for corrected in (False, True)
        }
    sigma = graph.spec.loss.gradient_noise
    noise = as_quantity(1)
    if sigma is not None:
        noise = _shaped(_known(partial(_evaluated, graph, sigma)))
    return Shape(constants, uniform, noise)


def _shortened(chain: ChainConstants) -> ChainConstants:
    """Long runs of operators alike, as orders, cut to :data:`_ALIKE`.

    Inside such a run every quantity of the recurrences is a largest of what came before and
    terms that do not change, so that each is constant a few operators after those it is made
    of: s, then μ, from the front; V, then R, then β, from the back.  Operators in between add
    the same to the gradient again.
    """
    names = [field.name for field in fields(chain)]
    rows = zip(*(getattr(chain, name) for name in names), strict=True)
    kept = [row for _, alike in groupby(rows) for row in islice(alike, _ALIKE)]
    return ChainConstants(**dict(zip(names, zip(*kept, strict=True), strict=True)))


def _evaluated(graph: OperatorGraph, expression: Expression, kind: Arithmetic) -> Scalar:
    return expression.evaluate(kind, graph.values(kind))


def _known(compute: Callable[[Arithmetic], T]) -> T:
    """In the first kind that does: only exact ones tell a 0 from what is next to it."""
    for kind in (RATIONALS, INTERVALS, WIDE):
        try:
            return compute(kind)
        except (InexactError, SymbolError):
            continue
    return compute(SYMBOLS)


def _shaped(value: Any) -> Any:
    """The same structure with every number as an order; numbers of operators stay."""
    if isinstance(value, tuple):
        return tuple(_shaped(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {
            field.name: _shaped(getattr(value, field.name))
            for field in fields(value)
            if field.name not in _STRUCTURE
        }
        return replace(value, **parts)
    return None if value is None else _order(value)


#: More operators in a row that are alike do not change an order.
_ALIKE = 16

#: Fields of constants that are no constants.
_STRUCTURE = frozenset({"inputs", "edges", "groups", "size", "nodes", "affine"})


def _order(value: Scalar) -> Quantity:
    try:
        return as_quantity(0 if bool(value == 0) else 1)
    except InexactError:
        return as_quantity(Fraction(1))
