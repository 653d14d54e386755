"""Results as a NetCDF-3 file, which xarray and most plotting programs read."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boundcalc.files import refused
from boundcalc.simulate.results import FORMAT, IterateRecord, Results
from boundcalc.simulate.statistics import Metric

#: Of a metric's numbers: what is not known is NaN.
METRIC_NUMBERS = ("mean", "lo", "hi", "degrees", "effective", "rounding")
#: Of a check's ``error`` and ``bias``, in this order.
ENDS = ("", "_lo", "_hi")

Dimensions = tuple[str, ...]
_Variables = dict[str, tuple[Dimensions, npt.NDArray[Any]]]


def write_results(results: Results, path: Path) -> None:
    """Write a results file beside its place, then rename it there.

    Raises
    ------
    OutputError
        If it cannot be written; a file that was there before is still there.
    """
    content, name = netcdf_bytes(results), None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise refused(path, error) from None
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)


def netcdf_bytes(results: Results) -> bytes:
    """The bytes of the file: NetCDF-3 with 64-bit offsets, the same for the same results.

    Dimensions: ``step`` (recorded steps), ``replica``, ``kept_replica`` (whose final weights
    are kept), ``weight``, ``metric``, ``check`` (iterates), ``sample`` (of the checks).
    """
    from scipy.io import netcdf_file

    variables = {**_run(results), **_metrics(results.metrics), **_checks(results.checks)}
    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w", version=2)
    for dimensions, values in variables.values():
        for name, length in zip(dimensions, values.shape, strict=True):
            if name not in file.dimensions:
                file.createDimension(name, length)
    for name, value in attributes(results).items():
        setattr(file, name, value.encode() if isinstance(value, str) else value)
    for name, (dimensions, values) in variables.items():
        made = file.createVariable(name, values.dtype, dimensions)
        made[...] = values
        if values.dtype.kind == "S":
            made._Encoding = b"utf-8"
    file.flush()
    content = buffer.getvalue()
    file.close()
    return content


def attributes(results: Results) -> dict[str, str | np.int32 | np.float64]:
    """The global attributes; numbers that NetCDF-3 cannot hold, and lists, as text."""
    files = [{"name": file.name, "sha256": file.sha256} for file in results.files]
    return {
        "boundcalc_results": np.int32(FORMAT),
        "title": results.name,
        "spec": results.spec,
        "files": json.dumps(files, ensure_ascii=False),
        "data_sha256": results.data,
        "seed": str(results.seed),
        "bootstrap_seed": str(results.bootstrap_seed),
        "versions": json.dumps(dict(results.versions)),
        "engine": results.engine,
        "precision": results.precision,
        "threads": np.int32(results.threads),
        "horizon": np.int32(results.horizon),
        "replicas": np.int32(results.replicas),
        "confidence": np.float64(results.confidence),
        "seconds": np.float64(results.seconds),
        "record_every": np.int32(results.every),
        "thinned": np.int32(results.thinned),
        "digests": json.dumps(dict(results.digests)),
        "status": "sampled",
        "comment": _comment(results),
    }


def _comment(results: Results) -> str:
    """What is left out, in words."""
    said = []
    if results.every > 1:
        said.append(f"the run recorded one step in {results.every}, and the last")
    if results.thinned > 1:
        said.append(f"this file keeps one record in {results.thinned}, and the last")
    if len(results.final) < results.replicas:
        said.append(f"final weights are those of the first {len(results.final)} replicas")
    return "; ".join(said) or "every step and all final weights are here"


def _run(results: Results) -> _Variables:
    found: _Variables = {
        "step": (("step",), results.steps.astype(">i4")),
        "loss": (("step", "replica"), results.loss.astype(">f8")),
        "gradient_norm": (("step", "replica"), results.gradient_norm.astype(">f8")),
        "diverged": (("replica",), results.diverged.astype(">i4")),
    }
    if results.final.size:
        found["final_weights"] = (("kept_replica", "weight"), results.final.astype(">f8"))
    return found


def _metrics(metrics: Mapping[str, Metric]) -> _Variables:
    found: _Variables = {
        "metric": (("metric", "metric_letters"), _letters(list(metrics))),
        "method": (("metric", "method_letters"), _letters([m.method for m in metrics.values()])),
    }
    for name in METRIC_NUMBERS:
        values = [getattr(metric, name) for metric in metrics.values()]
        numbers = [np.nan if value is None else value for value in values]
        found[f"metric_{name}"] = (("metric",), np.array(numbers, dtype=">f8"))
    return found


def _checks(checks: Sequence[IterateRecord]) -> _Variables:
    if not checks:
        return {}
    found: _Variables = {
        "check_step": (("check",), np.array([c.step for c in checks], dtype=">i4")),
        "check_draws": (("check",), np.array([c.draws for c in checks], dtype=">i4")),
        "check_scale": (("check",), np.array([c.scale for c in checks], dtype=">f8")),
        "check_sample": (
            ("check", "sample"),
            np.array([c.samples for c in checks], dtype=">i4"),
        ),
    }
    for kind in ("error", "bias"):
        values = np.stack([getattr(check, kind) for check in checks]).astype(">f8")
        for row, end in enumerate(ENDS):
            found[f"check_{kind}{end}"] = (("check", "sample"), values[:, row])
    return found


def _letters(texts: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Text as an array of letters, ``(texts, longest)``, as NetCDF-3 has it."""
    encoded = [text.encode() for text in texts]
    width = max(map(len, encoded), default=1) or 1
    rows = [list(text.ljust(width, b"\0")) for text in encoded]
    return np.array(rows, dtype=np.uint8).view("S1").reshape(len(texts), width)
