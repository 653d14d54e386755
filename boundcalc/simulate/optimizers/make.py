"""From the spec's ``training`` section to an optimizer and a limit of gradient norms."""

from __future__ import annotations

import math
from collections.abc import Callable

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.simulate.optimizers.adam import Adam
from boundcalc.simulate.optimizers.base import Optimizer, Sgd
from boundcalc.simulate.optimizers.heavy_ball import HeavyBall
from boundcalc.simulate.optimizers.momentum import Momentum
from boundcalc.simulate.optimizers.nesterov import Nesterov
from boundcalc.simulate.optimizers.unified_momentum import UnifiedMomentum
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import TrainingSection

#: Name in the spec → optimizer.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    method.name: method for method in (Sgd, Momentum, HeavyBall, Nesterov, Adam, UnifiedMomentum)
}


def make_optimizer(graph: OperatorGraph) -> Optimizer:
    """The optimizer that the spec names, with its parameters; plain SGD by default.

    Raises
    ------
    SpecError
        For a β outside [0, 1), an ε that is not a positive number or an s that is not one ≥ 0,
        in float64.
    SymbolError
        If a symbol in it has no value.

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: heavy ball
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... training: {step_size: 1/4, horizon: 100, optimizer: {type: heavy_ball, momentum: 1/2}}
    ... '''))
    >>> make_optimizer(graph).parameters
    (0.5,)
    """
    section = _training(graph).optimizer
    method = OPTIMIZERS[section.type]
    found = []
    for key, usual in method.defaults.items():
        stated: Expression | None = getattr(section, key)
        found.append(usual if stated is None else _parameter(graph, stated, key))
    make: Callable[..., Optimizer] = method
    return make(*found)


def make_clip(graph: OperatorGraph) -> float | None:
    """The norm to which gradients are clipped, or None.

    Raises
    ------
    SpecError
        If it is not a positive number.
    SymbolError
        If a symbol in it has no value.
    """
    stated = _training(graph).clip
    if stated is None:
        return None
    where = "training.clip"
    return _positive(stated, _value(graph, stated), where, "leave `clip` out not to clip")


def _training(graph: OperatorGraph) -> TrainingSection:
    training = graph.spec.training
    assert training is not None  # noqa: S101 - callers have looked
    return training


def _value(graph: OperatorGraph, stated: Expression) -> float:
    return float(stated.evaluate(FLOATS, graph.values(FLOATS)))


def _parameter(graph: OperatorGraph, stated: Expression, key: str) -> float:
    value, where = _value(graph, stated), f"training.optimizer.{key}"
    if key == "epsilon":
        return _positive(stated, value, where, "leave `epsilon` out for the usual 1e-8")
    if key == "s":
        return _not_negative(stated, value, where)
    if not 0 <= value < 1:
        raise SpecError(
            "a decay that is not in [0, 1)",
            where=where,
            value=stated.source,
            expected=f"0 ≤ {key} < 1 in float64",
            fix=f"leave `{key}` out for its usual value",
        )
    return value


def _not_negative(stated: Expression, value: float, where: str) -> float:
    if not 0 <= value < math.inf:
        raise SpecError(
            "not a number that is 0 or more",
            where=where,
            value=stated.source,
            expected="a finite number ≥ 0 in float64",
            fix="leave `s` out for Nesterov's method, s = 1",
        )
    return value


def _positive(stated: Expression, value: float, where: str, fix: str) -> float:
    if not 0 < value < math.inf:
        raise SpecError(
            "not a positive number",
            where=where,
            value=stated.source,
            expected="a finite number > 0 in float64",
            fix=fix,
        )
    return value
