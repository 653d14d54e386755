"""States of PyTorch modules, read without running what a pickle may hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from boundcalc.data.array_formats import missing
from boundcalc.data.weights_file import check_size
from boundcalc.errors import DataError
from boundcalc.importers.base import Numbers, check_total, unsupported

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def read_state(path: Path) -> dict[str, Numbers]:
    """The tensors of a state dictionary, by name.

    ``torch.load(weights_only=True)`` builds tensors and plain containers and nothing
    else; a file that wants more, such as a whole module, is refused.

    Raises
    ------
    DataError
        If the file is broken, holds more than tensors, or is too large.
    UnsupportedError
        If PyTorch is not installed, or tensors are sparse or quantised.
    """
    check_size(path)
    try:
        import torch
    except ImportError:
        raise missing("torch", "torch", path.name) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and PyTorch raise many kinds
        raise DataError(
            f"this is not a state dictionary: {str(error).splitlines()[0][:150]}",
            where=path.name,
            expected="what torch.save(module.state_dict(), path) writes",
            fix="a file that holds a whole module is not opened, since it could run code: "
            "save its state_dict, or export it with torch.onnx.export",
        ) from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(torch.is_tensor(v) for v in found.values()):
        raise DataError(
            "this file holds other things than tensors",
            where=path.name,
            expected="what torch.save(module.state_dict(), path) writes",
        )
    check_total(sum(prod(tensor.shape) for tensor in found.values()), path.name)
    return {str(name): _array(tensor, f"{path.name}: {name}") for name, tensor in found.items()}


def _array(tensor: Any, where: str) -> Numbers:
    import torch

    if where.rsplit(".", 1)[-1] in _STATISTICS:
        raise unsupported(
            "a state with batch normalisation does not say where it stands",
            where,
            fix="export the module with torch.onnx.export and import that file",
        )
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise unsupported("a sparse or quantised tensor", where)
    plain = tensor.detach().cpu()
    if plain.dtype == torch.bfloat16:
        plain = plain.float()
    array: Numbers = plain.contiguous().numpy()
    return array
