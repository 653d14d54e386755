"""The C functions of perturbations, compiled once with sizes as arguments, called by ctypes."""

import atexit
import ctypes
import itertools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from simulate.compiled.harness import COMPILER, FLAGS, HEADERS

from boundcalc.simulate.compiled.samplers import TRANSFORM_TWINS, Draw

LANES = 32
GUARD = 12345.0

#: Sizes after n and what is remembered, by transform.
SIZES = {
    "bit_flip": 8,
    "natural": 0,
    "number_format": 4,
    "rand_k": 1,
    "sign": 0,
    "sparsify": 0,
    "top_k": 1,
}
_DRAWS = ("constant", "gaussian", "two_point", "uniform")

_HEAD = f"""
#define REAL {{real}}
#define LANES {LANES}
#include "draws.h"
#include "number_format.h"
#include "compressors.h"
#include "bit_flip.h"
void plain_uniform(uint64_t *s, double *out, int n) {{{{ fill_uniform(s, out, n); }}}}
void plain_normal(uint64_t *s, const double *t, double *out, int n) {{{{
  fill_normal(s, t, out, n);
}}}}
void plain_uniform4(uint64_t *s, double *out, int n) {{{{
  uint64_t *states[4] = {{{{s, s + 4, s + 8, s + 12}}}};
  double *rows[4] = {{{{out, out + n, out + 2 * n, out + 3 * n}}}};
  fill_uniform4(states, rows, n);
}}}}
void plain_normal4(uint64_t *s, const double *t, double *out, int n) {{{{
  uint64_t *states[4] = {{{{s, s + 4, s + 8, s + 12}}}};
  double *rows[4] = {{{{out, out + n, out + 2 * n, out + 3 * n}}}};
  fill_normal4(states, t, rows, n);
}}}}
int goes(double x, double at, double spacing, double u, uint64_t *state) {{{{
  Stream s = stream_of(state);
  const int found = goes_away(x, at, spacing, u, &s);
  keep_stream(s, state);
  return found;
}}}}
"""


def _draw_functions(name):
    return f"""
void draw_{name}(int lanes, int n, uint64_t *s, uint64_t *e, double p, const double *q,
                 real *out) {{ {name}_draw(lanes, n, s, e, p, q, out); }}
void four_{name}(int lanes, int n, uint64_t *s, uint64_t *e, double p, const double *q,
                 real *out) {{
  uint64_t *states[4] = {{s, s + 4, s + 8, s + 12}}, *events[4] = {{e, e + 4, e + 8, e + 12}};
  real *rows[4] = {{out, out + n * LANES, out + 2 * n * LANES, out + 3 * n * LANES}};
  {name}_draw4(lanes, n, states, events, p, q, rows);
}}
"""


def _apply_function(name, count, constant=None):
    label = name if constant is None else f"{name}_fixed"
    sizes = "".join(f", sizes[{k}]" for k in range(count + 1))
    n = "n"
    if constant is not None:
        n, sizes = str(constant[0]), "".join(f", {size}" for size in constant[1])
    return f"""
void apply_{label}(int lanes, int n, const int *sizes, const double *q, uint64_t *s, uint64_t *e,
                   double p, double *misfit, real *memory, real *y) {{
  (void)n, (void)sizes;
  {name}_apply(lanes, {n}{sizes}, q, s, e, p, misfit, memory, y);
}}
"""


#: As the engine has them: n and sizes are constants.
FIXED = {"number_format": (5, (1, 1, 1, 2, 0)), "rand_k": (10, (0, 3)), "natural": (3, (2,))}


@cache
def library(real="double"):
    """All functions for one number type."""
    assert set(SIZES) == {twin.model for twin in TRANSFORM_TWINS}
    folder = Path(tempfile.mkdtemp(prefix="boundcalc-samplers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    parts = [_HEAD.format(real=real)]
    parts += [_draw_functions(name) for name in _DRAWS]
    parts += [_apply_function(name, count) for name, count in SIZES.items()]
    parts += [_apply_function(name, SIZES[name], fixed) for name, fixed in FIXED.items()]
    source, target = folder / "all.c", folder / "all.so"
    source.write_text("\n".join(parts), encoding="utf-8")
    # Floats differ in loads and stores only, which need no optimiser.
    command = [
        COMPILER,
        *FLAGS,
        "-O3" if real == "double" else "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-unused-function",
    ]
    done = subprocess.run(  # noqa: S603 - the system's compiler on our own text
        [*command, "-fPIC", "-shared", f"-I{HEADERS}", "-o", str(target), str(source), "-lm"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(target))


def generator(*keys):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(keys)))


def words(*generators):
    """The states of generators one after the other."""
    states = [g.bit_generator.state["state"]["state"] for g in generators]
    return np.concatenate(states).astype(np.uint64)


def at(array):
    return ctypes.c_void_p(array.ctypes.data)


def _sizes(draw):
    return np.array(draw.sizes, dtype=np.int32)


@dataclass
class Twin:
    """A perturbation's C function with the states of its streams, for float or double."""

    draw: Draw
    values: np.ndarray
    events: np.ndarray
    real: str = "double"
    fixed: bool = False

    def __post_init__(self):
        self.misfit = np.array([np.nan])
        self.dtype = np.dtype(np.float64 if self.real == "double" else np.float32)

    def drawn(self, lanes, n):
        """One block, ``(lanes, n)``."""
        out = np.full((n + 1, LANES), GUARD, dtype=self.dtype)
        self._draw("draw", lanes, n, out)
        assert (out[n] == GUARD).all()
        return out[:n, :lanes].T

    def drawn4(self, lanes, n):
        """One block for each of four streams, ``(4, lanes, n)``."""
        out = np.full((4 * n + 1, LANES), GUARD, dtype=self.dtype)
        self._draw("four", lanes, n, out)
        assert (out[4 * n] == GUARD).all()
        return out[: 4 * n].reshape(4, n, LANES)[..., :lanes].transpose(0, 2, 1)

    def _draw(self, kind, lanes, n, out):
        function = getattr(library(self.real), f"{kind}_{self.draw.name}")
        p = ctypes.c_double(self.draw.probability)
        numbers = self.draw.parameters
        function(lanes, n, at(self.values), at(self.events), p, at(numbers), at(out))

    def applied(self, rows, memory=None):
        """Q of rows ``(M, n)``, one block; ``memory`` is moved on."""
        count, n = rows.shape
        y = self._block(rows)
        kept = None if memory is None else self._block(memory)
        name = f"apply_{self.draw.name}" + ("_fixed" if self.fixed else "")
        numbers, sizes = self.draw.parameters, _sizes(self.draw)
        getattr(library(self.real), name)(
            *(count, n, at(sizes), at(numbers), at(self.values), at(self.events)),
            *(ctypes.c_double(self.draw.probability), at(self.misfit)),
            *(None if kept is None else at(kept), at(y)),
        )
        for block in (y, kept):
            assert block is None or (block[n] == GUARD).all()
            assert block is None or np.isnan(block[:n, count:]).all()
        if memory is not None:
            memory[:] = kept[:n, :count].T
        return y[:n, :count].T.copy()

    def _block(self, rows):
        block = np.full((rows.shape[1] + 1, LANES), np.nan, dtype=self.dtype)
        block[:-1, : len(rows)] = rows.T
        block[-1] = GUARD
        return block


def in_blocks(twin, rows, cuts, memory=None):
    """Q of any number of rows, cut into blocks of at most LANES at the given places too."""
    ends = sorted({0, len(rows), *(c % (len(rows) + 1) for c in cuts), *range(0, len(rows), LANES)})
    parts = [
        twin.applied(rows[a:b], None if memory is None else memory[a:b])
        for a, b in itertools.pairwise(ends)
    ]
    return np.concatenate(parts) if parts else rows.copy()
