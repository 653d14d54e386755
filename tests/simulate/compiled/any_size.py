"""Kernels with sizes given at run time: one compilation serves every shape.

The source of a program states sizes as constants, as the harness does; a kernel must not
need that.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
from simulate.compiled import harness

from boundcalc.simulate.compiled.kernels import Kernel

Array = npt.NDArray[Any]

_COMMON = "const real *p, const real *y, const real *w, const real *label"
_WRAPPERS = """
void {name}_f(int lanes{sizes}, {common}, real *out, real *saved) {{
  {name}_forward(lanes{names}, p, y, w, label, out, saved);
}}
void {name}_b(int lanes{sizes}, {common}, const real *saved, const real *v, real *back,
              real *grad) {{
  {name}_backward(lanes{names}, p, y, w, label, saved, v, back, grad);
}}
"""


def source(sizes: dict[str, int], real: str, lanes: int) -> str:
    """Kernels by name, with how many sizes each takes."""
    lines = ['#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"']  # tiles of unknown size
    lines += [f"#define REAL {real}", f"#define LANES {lanes}"]
    lines += [f'#include "{name}.h"' for name in sizes]
    for name, count in sizes.items():
        names = [f"s{i}" for i in range(count)]
        lines.append(
            _WRAPPERS.format(
                name=name,
                common=_COMMON,
                sizes="".join(f", int {one}" for one in names),
                names="".join(f", {one}" for one in names),
            )
        )
    return "\n".join(lines)


class AnySize(harness._Runner):
    """One kernel of a library made from :func:`source`."""

    def __init__(self, library: ctypes.CDLL, kernel: Kernel, real: str, lanes: int) -> None:
        self.library, self.kernel, self.lanes = library, kernel, lanes
        self.type = np.dtype({"double": np.float64, "float": np.float32}[real])
        self.p = self._flat(kernel.parameters)

    def _call(self, function: str, left: int, *arrays: Array | None) -> None:
        pointers = [
            ctypes.c_void_p(None if array is None else array.ctypes.data)
            for array in (self.p, *arrays)
        ]
        sizes = [ctypes.c_int(size) for size in (min(left, self.lanes), *self.kernel.sizes)]
        getattr(self.library, f"{self.kernel.name}_{function[0]}")(*sizes, *pointers)
