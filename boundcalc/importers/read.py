"""One entry for every kind of model file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boundcalc.importers.base import Network, unsupported
from boundcalc.importers.onnx_model import import_onnx
from boundcalc.importers.weight_lists import from_weights

#: Suffixes of files of weights.
WEIGHTS = (".npz", ".mat", ".safetensors", ".pt", ".pth")


def import_model(
    path: str | Path,
    *,
    input_shape: Sequence[int] | None = None,
    activation: str | None = None,
    output: str | None = None,
) -> Network:
    """Read a model file; its suffix says what it is.

    Parameters
    ----------
    path
        ``.onnx``, or a file of weights: ``.npz``, ``.mat``, ``.safetensors``, ``.pt``,
        ``.pth``.
    input_shape
        The shape of one sample, where the file leaves it open.
    activation
        What stands between layers, for a file of weights; ReLU if left out.
    output
        Which output to take, for ONNX models with several.

    Raises
    ------
    DataError
        If the file is broken, or holds numbers that are none.
    UnsupportedError
        If no operator of the library computes a part of the model, or the package for
        the format is not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".onnx", *WEIGHTS):
        raise unsupported(
            "this is no model file", path.name, fix="expected: " + ", ".join((".onnx", *WEIGHTS))
        )
    onnx = suffix == ".onnx"
    for option, value, wanted in (
        ("--activation", activation, not onnx),
        ("--output", output, onnx),
    ):
        if value is not None and not wanted:
            raise unsupported(
                f"{option} does not apply to a {suffix} file", path.name, fix=f"remove {option}"
            )
    if onnx:
        return import_onnx(path, input_shape=input_shape, output=output)
    return from_weights(path, activation=activation or "relu", input_shape=input_shape)
