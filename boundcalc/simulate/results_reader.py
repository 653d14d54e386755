"""Reading results files: untrusted input, like a spec."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.errors import DataError
from boundcalc.operators.base import Array
from boundcalc.simulate.netcdf3 import Dataset, NetCDFError, Values, parse
from boundcalc.simulate.results import FORMAT, IterateRecord, Results
from boundcalc.simulate.results_files import ExternalFile
from boundcalc.simulate.results_writer import ENDS, METRIC_NUMBERS
from boundcalc.simulate.statistics import Metric

MAX_BYTES = 512 * 2**20
_MOST_TEXT = 16 * 2**20  # letters of an attribute
_DIGEST = 64  # letters of a SHA-256
_MOST_DIGITS = 19  # of a seed
_PRECISIONS = ("float64", "float32")
_AGAIN = "make it again with `boundcalc simulate SPEC -o DIR`"


def read_results(path: Path) -> Results:
    """Read a results file.

    Raises
    ------
    DataError
        If it cannot be read, is too large, is no results file, was written in another version
        of the format, or lacks something or contradicts itself: with what and where.
    """
    name = path.name or str(path)
    try:
        dataset = parse(_bytes(path))
    except NetCDFError as error:
        raise _broken(f"this is no results file: {error}", name) from None
    return _Reader(dataset, name).results()


def _bytes(path: Path) -> bytes:
    try:
        # Before opening: to open a pipe would wait for its other end.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            folder = stat.S_ISDIR(status.st_mode)
            raise DataError(
                "this is a folder" if folder else "this is not a regular file",
                where=str(path),
                fix="name the file results.nc in it" if folder else "name a results file",
            )
        if status.st_size > MAX_BYTES:
            raise DataError(
                "the file is too large for a results file",
                where=str(path),
                value=f"{status.st_size} bytes",
                expected=f"at most {MAX_BYTES} bytes",
                fix=_AGAIN,
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"the file cannot be read: {reason}", where=str(path), fix="check the path"
        ) from None


def _broken(
    problem: str, where: str, value: object = None, expected: str | None = None
) -> DataError:
    return DataError(problem, where=where, value=value, expected=expected, fix=_AGAIN)


class _Reader:
    """Takes what a results file must hold out of a NetCDF dataset."""

    def __init__(self, dataset: Dataset, name: str) -> None:
        self._dataset, self._name = dataset, name

    def results(self) -> Results:
        """All of it, checked."""
        self._format()
        horizon, replicas = self._whole("horizon"), self._whole("replicas")
        steps = self._array("step", "i", ("step",)).astype(np.int64)
        if steps[0] != 0 or steps[-1] != horizon or (np.diff(steps) <= 0).any():
            raise self._wrong("step", "rising steps from 0 to the horizon")
        precision = self._text("precision")
        if precision not in _PRECISIONS:
            raise self._wrong("precision", "float64 or float32", precision)
        return Results(
            name=self._text("title"),
            spec=self._text("spec"),
            files=self._files(),
            data=self._digest("data_sha256", self._text("data_sha256")),
            seed=self._seed("seed"),
            bootstrap_seed=self._seed("bootstrap_seed"),
            versions=self._texts("versions"),
            engine=self._text("engine"),
            precision=precision,
            threads=self._whole("threads"),
            horizon=horizon,
            replicas=replicas,
            confidence=self._number("confidence", 0.5, 1.0),
            seconds=self._number("seconds", 0.0, math.inf),
            every=self._whole("record_every"),
            thinned=self._whole("thinned"),
            steps=steps,
            loss=self._floats("loss", ("step", "replica"), (None, replicas)),
            gradient_norm=self._floats("gradient_norm", ("step", "replica"), (None, replicas)),
            diverged=self._array("diverged", "i", ("replica",)).astype(np.int64),
            final=self._final(replicas),
            digests={
                key: self._digest("digests", value) for key, value in self._texts("digests").items()
            },
            metrics=self._metrics(),
            checks=self._checks(),
        )

    def _format(self) -> None:
        found = self._dataset.attributes.get("boundcalc_results")
        if not isinstance(found, np.ndarray) or found.shape != (1,) or found.dtype.kind != "i":
            raise _broken(
                "this NetCDF file is not a results file of boundcalc",
                self._name,
                expected="the attribute boundcalc_results",
            )
        if int(found[0]) != FORMAT:
            by = _writer(self._dataset.attributes.get("versions"))
            raise DataError(
                "the file is of another version of the results format",
                where=self._name,
                value=f"version {int(found[0])}{by}",
                expected=f"version {FORMAT}",
                fix="use the version of boundcalc that wrote it, or simulate the spec again",
            )

    def _wrong(self, what: str, expected: str, value: object = None) -> DataError:
        return _broken(f"{what!r} is not as it must be", self._name, value, expected)

    def _text(self, name: str) -> str:
        value = self._dataset.attributes.get(name)
        if not isinstance(value, str) or len(value) > _MOST_TEXT:
            raise self._wrong(name, "an attribute with text")
        return value

    def _texts(self, name: str) -> dict[str, str]:
        """An attribute with a JSON object of texts."""
        found = self._json(name)
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise self._wrong(name, "a JSON object of texts")
        return found

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._text(name))
        except (ValueError, RecursionError):
            raise self._wrong(name, "JSON") from None

    def _files(self) -> tuple[ExternalFile, ...]:
        found = self._json("files")
        good = isinstance(found, list) and all(
            isinstance(entry, dict) and {"name", "sha256"} == set(entry) for entry in found
        )
        if not good or not all(isinstance(entry["name"], str) for entry in found):
            raise self._wrong("files", "a JSON list of names and digests")
        return tuple(
            ExternalFile(entry["name"], self._digest("files", entry["sha256"])) for entry in found
        )

    def _digest(self, name: str, value: object) -> str:
        text = value if isinstance(value, str) else ""
        if len(text) != _DIGEST or not set(text) <= set("0123456789abcdef"):
            raise self._wrong(name, "SHA-256 in hexadecimal", value)
        return text

    def _seed(self, name: str) -> int:
        text = self._text(name)
        good = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        if not good or int(text) >= 2**63:
            raise self._wrong(name, "a whole number from 0 to 2⁶³ − 1", text)
        return int(text)

    def _whole(self, name: str) -> int:
        value = self._scalar(name)
        if value.dtype.kind != "i" or int(value[0]) < 1:
            raise self._wrong(name, "a whole number ≥ 1")
        return int(value[0])

    def _number(self, name: str, low: float, high: float) -> float:
        value = float(self._scalar(name)[0])
        if not low <= value <= high or not math.isfinite(value):
            raise self._wrong(name, f"a number from {low:g} to {high:g}", value)
        return value

    def _scalar(self, name: str) -> Values:
        value = self._dataset.attributes.get(name)
        if not isinstance(value, np.ndarray) or value.shape != (1,):
            raise self._wrong(name, "an attribute with one number")
        return value

    def _array(self, name: str, kind: str, dimensions: Sequence[str]) -> Values:
        """A variable of the named dimensions; which length these have is checked elsewhere."""
        variable = self._dataset.variables.get(name)
        if variable is None:
            raise _broken(f"the variable {name!r} is missing", self._name)
        if variable.values.dtype.kind != kind or variable.dimensions != tuple(dimensions):
            raise self._wrong(name, f"an array over {', '.join(dimensions)}")
        return variable.values

    def _floats(
        self, name: str, dimensions: Sequence[str], shape: Sequence[int | None] = ()
    ) -> Array:
        values = self._array(name, "f", dimensions).astype(np.float64)
        for length, wanted in zip(values.shape, shape, strict=False):
            if wanted is not None and length != wanted:
                raise self._wrong(name, f"{wanted} along one dimension", length)
        return values

    def _final(self, replicas: int) -> Array:
        if "final_weights" not in self._dataset.variables:
            return np.empty((replicas, 0))
        values = self._floats("final_weights", ("kept_replica", "weight"))
        if len(values) > replicas:
            raise self._wrong("final_weights", f"at most {replicas} replicas", len(values))
        return values

    def _letters(self, name: str, dimensions: Sequence[str]) -> list[str]:
        rows = self._array(name, "S", dimensions)
        try:
            return [row.tobytes().rstrip(b"\0").decode("utf-8") for row in rows]
        except UnicodeDecodeError:
            raise self._wrong(name, "text in UTF-8") from None

    def _metrics(self) -> dict[str, Metric]:
        names = self._letters("metric", ("metric", "metric_letters"))
        methods = self._letters("method", ("metric", "method_letters"))
        columns = [self._floats(f"metric_{n}", ("metric",)).tolist() for n in METRIC_NUMBERS]
        found = {}
        for name, method, mean, lo, hi, *rest in zip(names, methods, *columns, strict=True):
            degrees, effective, rounding = (None if math.isnan(x) else x for x in rest)
            found[name] = Metric(mean, lo, hi, method, degrees, effective, rounding)
        return found

    def _checks(self) -> tuple[IterateRecord, ...]:
        if "check_step" not in self._dataset.variables:
            return ()
        steps = self._array("check_step", "i", ("check",))
        draws = self._array("check_draws", "i", ("check",))
        scale = self._floats("check_scale", ("check",))
        samples = self._array("check_sample", "i", ("check", "sample"))
        both = {
            kind: [self._floats(f"check_{kind}{end}", ("check", "sample")) for end in ENDS]
            for kind in ("error", "bias")
        }
        return tuple(
            IterateRecord(
                step=int(steps[i]),
                draws=int(draws[i]),
                scale=float(scale[i]),
                samples=tuple(int(row) for row in samples[i]),
                error=np.stack([values[i] for values in both["error"]]),
                bias=np.stack([values[i] for values in both["bias"]]),
            )
            for i in range(len(steps))
        )


def _writer(versions: object) -> str:
    """The version of boundcalc that a file names, as words; empty where it names none."""
    try:
        found = json.loads(versions)["boundcalc"] if isinstance(versions, str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f", written by boundcalc {found[:40]}" if isinstance(found, str) else ""
