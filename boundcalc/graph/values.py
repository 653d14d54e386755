"""The values that an operator's weights start from."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.data.paths import inside
from boundcalc.data.weights_file import read_arrays
from boundcalc.errors import SpecError
from boundcalc.graph.expand import Entry
from boundcalc.operators.base import Array
from boundcalc.spec.sections import InitialSection

#: Most weights of one operator that are drawn or read.
MAX_WEIGHTS = 50_000_000


def initial_values(
    entry: Entry, count: int, folder: Path, values: Mapping[str, float]
) -> Array | None:
    """The initial weights of an operator, ``(count,)``; None where its section says nothing.

    Drawn weights depend on the seed and on the operator's id alone, so that neither other
    operators nor their order change them.

    Raises
    ------
    SpecError, DataError
        If their number does not fit, or a file cannot be read.
    """
    section = entry.section.initial
    if section is None:
        return None
    where = f"{entry.where}.initial"
    if count > MAX_WEIGHTS:
        raise SpecError(
            "too many weights",
            where=where,
            value=count,
            expected=f"at most {MAX_WEIGHTS} in one operator",
        )
    try:
        found = _values(section, entry.id, count, folder, values)
    except SpecError as error:
        raise error.located(where) from None
    if len(found) != count:
        raise SpecError(
            "the number of initial weights does not fit the operator",
            where=where,
            value=f"{len(found)} numbers",
            expected=f"{count}, the weights of {entry.id}",
            fix="check the sizes before this operator, and the order of `arrays`",
        )
    return found


def _values(
    section: InitialSection, name: str, count: int, folder: Path, values: Mapping[str, float]
) -> Array:
    if section.file is not None:
        arrays = read_arrays(inside(folder, section.file, "file"), section.arrays or [])
        return np.concatenate([np.asarray(a, dtype=np.float64).ravel() for a in arrays])
    if section.values is not None:
        return np.array([float(v.evaluate(FLOATS, values)) for v in section.values])
    seed = np.random.SeedSequence([section.seed, zlib.crc32(name.encode("utf-8"))])
    rng = np.random.Generator(np.random.SFC64(seed))
    if section.normal is not None:
        return float(section.normal.evaluate(FLOATS, values)) * rng.standard_normal(count)
    assert section.uniform is not None  # noqa: S101 - the section has one source
    half = float(section.uniform.evaluate(FLOATS, values))
    return rng.uniform(-half, half, count)
