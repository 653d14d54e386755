"""Kernels one by one: compile one with the system's compiler, call it on blocks of samples.

Two plain C functions around a kernel, its sizes as constants, become a library that ctypes
loads.  Whatever a kernel need not read is NaN here: unused samples of the last block, what
``saved`` holds before ``forward``; behind each array stands a guard that must not change.

``run_forward`` and ``run_backward`` take the arrays of one replica: ``y`` is ``(M, n)``, ``w``
``(k,)``, ``labels`` ``(M,)``, ``v`` ``(M, m)``.
"""

from __future__ import annotations

import atexit
import ctypes
import inspect
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from boundcalc.simulate.compiled.kernels import Kernel

Array: TypeAlias = npt.NDArray[Any]

HEADERS = Path(inspect.getfile(Kernel)).parent / "c"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
FLAGS = ["-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math"]
FLAGS += ["-ffp-contract=fast", "-Wno-psabi"]

#: Marks a test, or as ``pytestmark`` a module, that needs a compiler.
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")

_GUARD = 12345.0

_SOURCE = """
#define REAL {real}
#define LANES {lanes}
#include "{name}.h"

void forward(int lanes, const real *p, const real *y, const real *w, const real *label,
             real *out, real *saved) {{
  {name}_forward(lanes, {sizes}p, y, w, label, out, saved);
}}

void backward(int lanes, const real *p, const real *y, const real *w, const real *label,
              const real *saved, const real *v, real *back, real *grad) {{
  {name}_backward(lanes, {sizes}p, y, w, label, saved, v, back, grad);
}}
"""


def run_forward(
    kernel: Kernel,
    y: Array,
    w: Array,
    labels: Array,
    outputs: int,
    *,
    real: str = "double",
    lanes: int = 32,
) -> Array:
    """f(y, w), ``(M, outputs)``, in blocks of ``lanes`` samples, a multiple of 16."""
    return _Runner(kernel, real, lanes).forward(y, w, labels, outputs)


def run_backward(
    kernel: Kernel,
    y: Array,
    w: Array,
    labels: Array,
    v: Array,
    *,
    real: str = "double",
    lanes: int = 32,
    value: bool = False,
    back: bool = True,
    grad: bool = True,
) -> tuple[Array | None, Array | None]:
    """``∇₁fᵀv`` for every sample, ``(M, n)``, and the sum of ``∇₂fᵀv`` over samples, ``(k,)``.

    The value is computed on the way only with ``value``; without ``back`` or ``grad`` the
    kernel gets NULL for it, and None comes back.
    """
    return _Runner(kernel, real, lanes).backward(y, w, labels, v, value, back, grad)


def compare(
    operator: Any,
    kernel: Kernel,
    y: Array,
    w: Array,
    labels: Array,
    v: Array,
    *,
    real: str = "double",
    rtol: float = 1e-12,
    atol: float = 0.0,
) -> None:
    """Assert that the kernel and the operator agree on a value and both products.

    The gradient is a sum over samples: ``atol`` counts M times there.  Weights that the
    operator reads are the whole ``(k,)``; inputs are rounded to ``real`` first.
    """
    y, w, labels, v = (_rounded(x, real) for x in (y, w, labels, v))
    one = (y[None], w[None], labels[None])
    value = operator.forward(*one)[0]
    back, grads = (part[0] for part in operator.vjp(*one, v[None]))
    found = run_forward(kernel, y, w, labels, value.shape[1], real=real)
    np.testing.assert_allclose(found, value, rtol=rtol, atol=atol)
    found_back, found_grad = run_backward(kernel, y, w, labels, v, real=real)
    np.testing.assert_allclose(found_back, back, rtol=rtol, atol=atol)
    assert found_grad is not None
    scale = np.abs(grads).sum(axis=0)
    close = np.abs(found_grad - grads.sum(axis=0)) <= rtol * scale + atol * len(y)
    same = close | ~np.isfinite(scale)
    assert same.all(), (found_grad, grads.sum(axis=0))


def library(source: str) -> ctypes.CDLL:
    """The source, compiled with this project's headers; each text once in a session."""
    return _compiled(source)


class _Runner:
    """One kernel's functions at one precision and block size."""

    def __init__(self, kernel: Kernel, real: str, lanes: int) -> None:
        sizes = "".join(f"{int(size)}, " for size in kernel.sizes)
        text = _SOURCE.format(real=real, lanes=lanes, name=kernel.name, sizes=sizes)
        self.library, self.kernel, self.lanes = _compiled(text), kernel, lanes
        self.type = np.dtype({"double": np.float64, "float": np.float32}[real])
        self.p = self._flat(kernel.parameters)

    def forward(self, y: Array, w: Array, labels: Array, outputs: int) -> Array:
        found = np.empty((len(y), outputs), self.type)
        for start in range(0, len(y), self.lanes):
            out = self._room(outputs)
            self._forward(start, y, w, labels, out)
            self._take(found, start, out)
        return found

    def backward(
        self, y: Array, w: Array, labels: Array, v: Array, value: bool, back: bool, grad: bool
    ) -> tuple[Array | None, Array | None]:
        backs = np.empty(y.shape, self.type) if back else None
        sums = np.append(np.zeros(len(w)), [_GUARD]).astype(self.type) if grad else None
        for start in range(0, len(y), self.lanes):
            saved = self._forward(start, y, w, labels, self._room(v.shape[1]) if value else None)
            room = self._room(y.shape[1]) if back else None
            inputs = (self._block(y, start), self._flat(w), self._block(labels[:, None], start))
            self._call(
                "backward", len(y) - start, *inputs, saved, self._block(v, start), room, sums
            )
            if backs is not None and room is not None:
                self._take(backs, start, room)
        assert sums is None or sums[-1] == self.type.type(_GUARD), "wrote behind grad"
        return backs, None if sums is None else sums[:-1]

    def _forward(self, start: int, y: Array, w: Array, labels: Array, out: Array | None) -> Array:
        saved = self._room(self.kernel.saved)
        inputs = (self._block(y, start), self._flat(w), self._block(labels[:, None], start))
        self._call("forward", len(y) - start, *inputs, out, saved)
        self._check(saved)
        return saved

    def _call(self, function: str, left: int, *arrays: Array | None) -> None:
        pointers = [
            ctypes.c_void_p(None if array is None else array.ctypes.data)
            for array in (self.p, *arrays)
        ]
        getattr(self.library, function)(ctypes.c_int(min(left, self.lanes)), *pointers)

    def _flat(self, x: Array) -> Array:
        # Never empty, so that there is something to point to.
        return np.append(np.asarray(x, dtype=self.type).ravel(), self.type.type(np.nan))

    def _block(self, x: Array, start: int) -> Array:
        block = np.full((x.shape[1] + 1, self.lanes), np.nan, self.type)
        part = x[start : start + self.lanes]
        block[:-1, : len(part)] = part.T
        return block

    def _room(self, rows: int) -> Array:
        room = np.full((rows + 1, self.lanes), np.nan, self.type)
        room[-1] = _GUARD
        return room

    def _take(self, into: Array, start: int, room: Array) -> None:
        self._check(room)
        part = into[start : start + self.lanes]
        part[:] = room[:-1, : len(part)].T

    def _check(self, room: Array) -> None:
        assert (room[-1] == self.type.type(_GUARD)).all(), "wrote behind its array"


def _rounded(x: Array, real: str) -> Array:
    return np.asarray(x, dtype=np.float32 if real == "float" else np.float64).astype(np.float64)


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="boundcalc-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _compiled(source: str) -> ctypes.CDLL:
    if COMPILER is None:
        pytest.skip("no C compiler on this machine")
    stem = _folder() / f"kernel{len(list(_folder().glob('*.c')))}"
    path, shared = stem.with_suffix(".c"), stem.with_suffix(".so")
    path.write_text(source)
    made = ["-shared", "-fPIC", "-o", shared, path, "-lm"]
    # Not every compiler knows the name of the machine that it runs on.
    for machine in ("-march=native", "-mcpu=native"):
        command = [COMPILER, *FLAGS, machine, f"-I{HEADERS}", *made]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(shared))
