"""Is an instance one of those that a spec speaks of?"""

from __future__ import annotations

from boundcalc.arithmetic import WIDE
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES

_ROUNDING = 1e-12

#: Constants of the first operator that no bound reads.
_UNUSED = frozenset(CONSTANT_NAMES) - {"jac_weight"}


def excess(graph: OperatorGraph, instance: OperatorGraph) -> list[str]:
    """Constants and levels of the instance that are larger than the spec's, in words.

    The instance's own constants are those that its operators prove.
    """
    found = []
    for stated, node in zip(graph.nodes, instance.nodes, strict=True):
        for name in CONSTANT_NAMES:
            if node.reads == (0,) and name in _UNUSED:
                continue
            own, allowed = getattr(node.constants, name), getattr(stated.constants, name)
            if own is None or allowed is None:
                if own is None and allowed is not None:
                    found.append(f"{name} of {node.id} does not exist")
                continue
            value = own.evaluate(WIDE, instance.values(WIDE))
            most = allowed.evaluate(WIDE, graph.values(WIDE))
            if value > most * (1 + _ROUNDING):
                found.append(f"{name} of {node.id} is {float(value):.6g} > {float(most):.6g}")
    own_levels, levels = instance.levels(WIDE), graph.levels(WIDE)
    for name in ("e", "m", "q", "eps", "n"):
        pairs = zip(getattr(own_levels, name), getattr(levels, name), strict=True)
        for i, (value, most) in enumerate(pairs):
            reaches = i < graph.size if name in "emq" else i > 1
            if reaches and most is not None and value > most * (1 + _ROUNDING):
                found.append(f"{name}[{i}] is {float(value):.6g} > {float(most):.6g}")
    return found
