"""The files that a spec names: what they are called, and digests of what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boundcalc.data import CsvSource
from boundcalc.data.paths import inside
from boundcalc.errors import DataError
from boundcalc.operators.base import Array
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OperatorSection

_CHUNK = 1 << 20


@dataclass(frozen=True)
class ExternalFile:
    """A file outside the spec that a run has read.

    Attributes
    ----------
    name
        As the spec names it, from the spec's folder.
    sha256
        Of its bytes, in hexadecimal.
    """

    name: str
    sha256: str


def file_names(spec: Spec) -> tuple[str, ...]:
    """The files that a simulation of the spec reads, each once, in the spec's order."""

    def weights(sections: Sequence[OperatorSection]) -> Iterator[str]:
        for section in sections:
            if section.initial is not None and section.initial.file is not None:
                yield section.initial.file
            yield from weights(section.block or [])

    names = list(weights(spec.graph.operators))
    if spec.simulation is not None and isinstance(spec.simulation.data, CsvSource):
        names.insert(0, spec.simulation.data.csv)
    return tuple(dict.fromkeys(names))


def external_files(spec: Spec, folder: Path | None = None) -> tuple[ExternalFile, ...]:
    """The files that a simulation of the spec reads, with their digests.

    Parameters
    ----------
    folder
        Where names start; the spec's own folder if None.

    Raises
    ------
    DataError
        If one cannot be read, or lies outside the folder.
    """
    top = spec.folder if folder is None else folder
    return tuple(ExternalFile(name, file_digest(top, name)) for name in file_names(spec))


def file_digest(folder: Path, name: str) -> str:
    """SHA-256 of a file, read in parts."""
    found = hashlib.sha256()
    path = inside(folder, name, "file")
    if not path.is_file():
        raise DataError(
            "there is no such file",
            where=str(path),
            fix="name the folder of the spec, in which its data files lie",
        )
    try:
        with path.open("rb") as file:
            while part := file.read(_CHUNK):
                found.update(part)
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    return found.hexdigest()


def array_digest(*arrays: Array) -> str:
    """SHA-256 of arrays' shapes and values as float64; every NaN is the same.

    >>> array_digest(np.array([1.0, np.nan])) == array_digest(np.array([1.0, -np.nan]))
    True
    >>> array_digest(np.zeros((2, 3))) == array_digest(np.zeros((3, 2)))
    False
    """
    found = hashlib.sha256()
    for array in arrays:
        found.update(repr(array.shape).encode())
        values = np.ascontiguousarray(array, dtype="<f8")
        # Bits of a NaN say where it came from, which processors do differently.
        found.update(np.where(np.isnan(values), np.nan, values).data)
    return found.hexdigest()
