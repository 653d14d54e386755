"""A network as a spec and a file of weights, both written or neither."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from boundcalc.files import refused
from boundcalc.importers.base import INPUT, Layer, Network, Numbers, unsupported
from boundcalc.importers.losses import with_loss
from boundcalc.importers.names import array_names, layer_ids, shared_weights
from boundcalc.importers.settings import (
    Settings,
    check_settings,
    header,
    input_section,
    run_sections,
)
from boundcalc.importers.yaml_text import flow, scalar

MAX_BYTES = 1_000_000  # of a spec


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    spec, weights
        The files; ``weights`` is None where no operator has any.
    network
        The network with its loss.
    ids
        The id of each of its layers.
    loss
        The loss that was taken.
    """

    spec: Path
    weights: Path | None
    network: Network
    ids: tuple[str, ...]
    loss: str


def write_spec(network: Network, path: str | Path, settings: Settings | None = None) -> Written:
    """Write ``NAME.yaml`` and, next to it, ``NAME.npz`` with the weights.

    Parameters
    ----------
    network
        What an importer returned.
    path
        The spec, ending in ``.yaml``; files that are there are replaced, but never the model.
    settings
        The loss, where inputs lie, and how far weights may move.

    Returns
    -------
    Written
        The files and the names in them.

    Raises
    ------
    UnsupportedError
        If the loss does not fit the model, or the spec would be too long.
    OutputError
        If the files cannot be written; earlier ones are still there then.
    """
    path, settings = Path(path), settings or Settings()
    check_settings(settings)
    network, loss = with_loss(network, settings.loss)
    ids = layer_ids(network)
    if path.suffix not in (".yaml", ".yml"):
        raise unsupported(
            "the spec of a model is written as YAML", path.name, fix="end its name in .yaml"
        )
    file = path.with_suffix(".npz")
    if network.source is not None and file.resolve() == network.source.resolve():
        file = path.with_suffix(".weights.npz")
    operators, arrays = operator_lines(network, ids, file.name)
    parts = [
        *header(network, settings),
        "version: 1",
        f"name: {scalar(network.name)}",
        "symbols:",
        f"  rho: {settings.weight_change}",
        f"  noise: {settings.half_width}",
        "graph:",
        f"  input: {flow(input_section(network, settings))}",
        "  operators:",
        *(f"    - {line}" for line in operators),
        *run_sections(network, ids, loss, settings),
    ]
    text = "\n".join(parts) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise unsupported(
            "the spec of this model would be too long",
            path.name,
            f"{len(text.encode())} bytes for {len(network.layers) - 1} operators",
            fix=f"import a part of the model; a spec has at most {MAX_BYTES} bytes",
        )
    with _replacing(path) as spec, _replacing(file if arrays else None) as weights:
        spec.write(text.encode())
        if weights is not None:
            np.savez(weights, allow_pickle=False, **arrays)
    return Written(path, file if arrays else None, network, ids, loss)


def operator_lines(
    network: Network, ids: tuple[str, ...], file: str
) -> tuple[list[str], dict[str, Numbers]]:
    """The operators as lines of YAML, and the arrays that they name."""
    lines: list[str] = []
    arrays: dict[str, Numbers] = {}
    shared = shared_weights(network.layers)
    groups = set(shared.values())
    for number, layer in enumerate(network.layers):
        if number == INPUT:
            continue
        entry: dict[str, Any] = {"id": ids[number], "type": layer.type}
        if layer.inputs != (number - 1,) and layer.inputs != (INPUT,):
            entry["inputs"] = [ids[source] for source in layer.inputs]
        elif layer.inputs == (INPUT,) and number > 1:
            entry["inputs"] = []
        entry.update(_said(layer))
        if number in groups or number in shared:
            entry["weights"] = ids[shared.get(number, number)]
        if layer.arrays:
            names = array_names(layer, ids[number])
            if number not in shared:
                arrays.update(zip(names, layer.arrays, strict=True))
                entry["initial"] = {"file": file, "arrays": names}
            if layer.trainable:
                entry["region"] = {"weight_change": "rho"}
            else:
                entry["trainable"] = False
        lines.append(flow(entry))
    return lines, arrays


#: Values that operators have when a spec does not say otherwise.
_DEFAULTS: Mapping[str, Any] = {
    "bias": True, "stride": 1, "padding": 0, "dilation": 1, "groups": 1, "causal": False,
    "scale_and_shift": True, "approximation": "none",
}  # fmt: skip


def _said(layer: Layer) -> dict[str, Any]:
    """The parameters that a spec must say."""
    left_out = dict(_DEFAULTS)
    if layer.type == "rms_norm":
        left_out["scale"] = True
    if layer.type == "mean_pool":  # there the stride is that of the kernel
        left_out["stride"] = layer.parameters.get("kernel")
    return {
        name: value
        for name, value in layer.parameters.items()
        if name not in left_out or value != left_out[name]
    }


@contextmanager
def _replacing(path: Path | None) -> Iterator[IO[bytes] | Any]:
    """A file beside its place, renamed there when all went well; None for no file."""
    if path is None:
        yield None
        return
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise refused(path, error) from None
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)
