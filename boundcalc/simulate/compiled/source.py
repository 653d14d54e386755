"""The C source of one program: its passes as calls of kernels with fixed sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.compiled.kernels import Kernel
from boundcalc.simulate.compiled.layout import Rows, lanes_for
from boundcalc.simulate.compiled.passes import Passes
from boundcalc.simulate.compiled.registry import kernel_of
from boundcalc.simulate.compiled.samplers import Draw, law_of
from boundcalc.simulate.compiled.sites import Sites
from boundcalc.simulate.noise import NoiseSource
from boundcalc.simulate.program import Program


@dataclass(frozen=True)
class Source:
    """One program in C.

    Attributes
    ----------
    text, extra
        The source, and generated headers by name.
    lanes
        Samples of a block.
    rows
        Rows of working memory that a pass needs.
    parameters, laws, kept
        Numbers of the kernels and of the perturbations, and weights that are not trained.
    remembers
        By perturbation: numbers per sample of its memory, 0 without one.
    shared
        Numbers per replica that the samples of a batch share.
    drawn
        Numbers per replica and sample that are drawn before a pass.
    draws
        The functions of the perturbations.
    """

    text: str
    extra: Mapping[str, str]
    lanes: int
    rows: int
    parameters: Array
    laws: Array
    kept: Array
    remembers: tuple[int, ...]
    shared: int
    drawn: int
    draws: tuple[Draw, ...]


def make_source(
    program: Program,
    noise: NoiseSource,
    values: Mapping[str, float],
    features: int,
    dtype: np.dtype[np.floating],
) -> Source | str:
    """The source of a program, or why there is none; O(operators + perturbations).

    Nothing but integers and names of kernels enters the text: numbers of the spec are passed
    at run time, so that a sweep over them compiles once.

    Parameters
    ----------
    values
        Of the spec's symbols.
    features
        d, the length of a sample.
    """
    kernels: list[Kernel] = []
    extra: dict[str, str] = {}
    for step in program.steps:
        kernel = kernel_of(step.operator)
        if isinstance(kernel, str):
            return kernel
        kernels.append(kernel)
        extra |= kernel.text
    laws: list[Draw] = []
    for perturbation in noise.perturbations:
        law = law_of(perturbation, values)
        if isinstance(law, str):
            return law
        laws.append(law)
    rows = Rows()
    sites = Sites(noise, laws, rows)
    passes = Passes(program, kernels, sites, rows, features)
    passes.write()
    lanes = lanes_for(rows.count + sites.drawn, features, dtype.itemsize)
    headers = sorted({kernel.name for kernel in kernels} | {law.header for law in laws})
    sizes = {
        "LANES": lanes,
        "WEIGHTS": program.weights,
        "FEATURES": features,
        "PERTURBATIONS": len(laws),
        "WORK_ROWS": rows.count,
        "PARTS": len(program.centers),
        # A block of the data serves all replicas where it is larger than their weights.
        "SAMPLES_FIRST": int(program.weights <= features * lanes),
        "SHARED": sites.shared,
        "DRAWN_ROWS": sites.drawn,
    }
    lines = [
        f"#define REAL {'float' if dtype.itemsize == 4 else 'double'}",
        *(f"#define {name} {value}" for name, value in sizes.items()),
        '#include "run.h"',
        '#include "rows.h"',
        '#include "random.h"',
        *(f'#include "{name}.h"' for name in headers),
        "",
        *passes.function_lines,
        *passes.pass_lines(),
        "",
        *sites.draw_lines(),
        '#include "loop.h"',
        "",
    ]
    return Source(
        text="\n".join(lines),
        extra=extra,
        lanes=lanes,
        rows=rows.count,
        parameters=passes.parameters.joined(),
        laws=sites.laws.joined(),
        kept=passes.kept.joined(),
        remembers=tuple(p.size if p.memory is not None else 0 for p in noise.perturbations),
        shared=sites.shared,
        drawn=sites.drawn,
        draws=tuple(laws),
    )
