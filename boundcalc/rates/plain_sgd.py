"""The theorems are about one method: w ← w − γ g̃, with the gradient as it comes."""

from __future__ import annotations

from boundcalc.graph import OperatorGraph


def not_plain_sgd(graph: OperatorGraph) -> str | None:
    """Why no rate bounds the spec's training; None where it is plain SGD without clipping.

    Coefficients do not depend on it: error and bias are those of one gradient at given weights.

    >>> import boundcalc as bc
    >>> print(not_plain_sgd(bc.build(bc.loads('''
    ... version: 1
    ... name: clipped
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... training: {step_size: 1/4, horizon: 100, clip: 1}
    ... '''))))
    the theorems are about SGD with the gradient as it comes; `training.clip` shortens it
    """
    training = graph.spec.training
    if training is None:
        return None
    if training.optimizer.type != "sgd":
        return (
            "the theorems are about plain SGD, w ← w − γg; `training.optimizer` is "
            f"{training.optimizer.type}"
        )
    if training.clip is not None:
        return (
            "the theorems are about SGD with the gradient as it comes; `training.clip` shortens it"
        )
    return None
