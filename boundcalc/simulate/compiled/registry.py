"""Which kernel an operator has."""

from __future__ import annotations

from boundcalc.operators.base import Operator
from boundcalc.simulate.compiled.kernels import KERNELS, Kernel, Maker
from boundcalc.simulate.compiled.kernels_elementwise import ELEMENTWISE
from boundcalc.simulate.compiled.kernels_layers import LAYERS

#: Operator type → its kernel, for every operator of the library.
ALL_KERNELS: dict[str, Maker] = {**KERNELS, **ELEMENTWISE, **LAYERS}


def kernel_of(operator: Operator) -> Kernel | str:
    """The kernel of an operator that has its shapes, or why there is none."""
    make = ALL_KERNELS.get(operator.type)
    if make is None:
        return f"the operator type `{operator.type}` has no C kernel"
    return make(operator)
