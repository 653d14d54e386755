"""Constants of nodes, slot by slot, as numbers of one kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants, Run
from boundcalc.operators.base import Constants, Slot
from boundcalc.spec.expressions import Expression

if TYPE_CHECKING:
    from boundcalc.graph.parts import Merged, Node

_Evaluate = Callable[[Expression], Scalar]


def evaluated(
    nodes: Sequence[Node], merged: Sequence[Merged], kind: Arithmetic, evaluate: _Evaluate
) -> GraphConstants:
    """The constants of a graph in a number kind; O(N + slot pairs).

    Operators that share their constants share the numbers too.
    """
    zero = kind.number(0)
    known: dict[tuple[int, int, bool], _Row] = {}
    rows: list[_Row] = []
    for node in nodes:
        key = (id(node.constants), len(node.reads), node.reads == (0,))
        if key not in known:
            known[key] = _Row(node.constants, len(node.reads), node.reads == (0,), evaluate, zero)
        rows.append(known[key])
    return GraphConstants(
        inputs=((), *(node.reads for node in nodes)),
        edges=((), *(node.edges for node in nodes)),
        a=((), *(row.a for row in rows)),
        l=((), *(row.l for row in rows)),
        A=((), *(row.A for row in rows)),
        J=((), *(row.J for row in rows)),
        A3=((), *(row.A3 for row in rows)),
        b=(zero, *(row.b for row in rows)),
        B=((), *(row.B for row in rows)),
        K=(None, *(row.K for row in rows)),
        B3=(zero, *(row.B3 for row in rows)),
        groups=(0, *(node.group for node in nodes)),
        runs=tuple(Run(run.nodes, evaluate(run.norm), run.affine) for run in merged),
    )


class _Row:
    """The numbers of one operator."""

    __slots__ = ("A", "A3", "B", "B3", "J", "K", "a", "b", "l")

    a: tuple[Scalar, ...]
    l: tuple[Scalar, ...]  # noqa: E741 - the letter of the theory
    A: tuple[tuple[Scalar | None, ...], ...]
    J: tuple[Scalar | None, ...]
    A3: tuple[Scalar | None, ...]
    B: tuple[Scalar | None, ...]

    def __init__(
        self, c: Constants, slots: int, reads_data: bool, evaluate: _Evaluate, zero: Scalar
    ) -> None:
        def optional(value: Expression | None) -> Any:
            return None if value is None else evaluate(value)

        self.b = evaluate(c.jac_weight)
        self.K, self.B3 = optional(c.mixed_change), optional(c.third_mixed)
        if reads_data:
            # The data does not move: none of these is ever used.
            self.a = self.l = self.A3 = self.B = (zero,)
            self.A, self.J, self.B3 = ((zero,),), (None,), zero
        elif c.slots:
            self._read(c.slots, evaluate, zero)
        else:
            self.a = (evaluate(c.jac_input),) * slots
            self.l = (evaluate(c.lip_input),) * slots
            self.A = ((optional(c.hess_input),) * slots,) * slots
            self.J = (optional(c.jac_change),) * slots
            self.A3 = (optional(c.third_input),) * slots
            self.B = (optional(c.hess_mixed),) * slots

    def _read(self, slots: tuple[Slot, ...], evaluate: _Evaluate, zero: Scalar) -> None:
        self.a = tuple(evaluate(slot.jac_input) for slot in slots)
        self.l = tuple(evaluate(slot.lip_input) for slot in slots)
        none = (zero,) * len(slots)
        self.A = tuple(
            tuple(evaluate(value) for value in slot.hess_input) or none for slot in slots
        )
        self.J = (None,) * len(slots)
        self.A3 = tuple(evaluate(slot.third_input) for slot in slots)
        self.B = tuple(evaluate(slot.hess_mixed) for slot in slots)
