"""Which kernel an operator has."""

from __future__ import annotations

from boundcalc.operators.base import Operator
from boundcalc.simulate.compiled.kernels import KERNELS, Kernel, Maker
from boundcalc.simulate.compiled.kernels_elementwise import ELEMENTWISE
from boundcalc.simulate.compiled.kernels_layers import LAYERS

#: Operator type → its kernel, for every operator of the library.
ALL_KERNELS: dict[str, Maker] = {**KERNELS, **ELEMENTWISE, **LAYERS}


def kernel_of(operator: Operator) -> Kernel | str:
    """The kernel of an operator that has its shapes, or why there is none.

    That of an operator which is not of the library is made from its symbolic form.
    """
    make = ALL_KERNELS.get(operator.type)
    if make is not None:
        return make(operator)
    from boundcalc.simulate.compiled.symbolic_kernel import symbolic_kernel

    return symbolic_kernel(operator)
