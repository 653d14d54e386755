"""Which kernel an operator has."""

from __future__ import annotations

from boundcalc.operators.base import Operator
from boundcalc.simulate.compiled.kernels import KERNELS, Kernel


def kernel_of(operator: Operator) -> Kernel | str:
    """The kernel of an operator that has its shapes, or why there is none."""
    make = KERNELS.get(operator.type)
    if make is None:
        return f"the operator type `{operator.type}` has no C kernel"
    return make(operator)
