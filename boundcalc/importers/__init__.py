"""Importers: models of other tools as specs.

    network = import_model("model.onnx")          # or from_torch(module, input_shape)
    write_spec(network, "model.yaml")

Packages of other tools are imported where they are needed and never at the top.
"""

from __future__ import annotations

from boundcalc.importers.base import Layer, Network
from boundcalc.importers.onnx_model import import_onnx
from boundcalc.importers.read import import_model
from boundcalc.importers.settings import Settings
from boundcalc.importers.torch_model import from_torch
from boundcalc.importers.weight_lists import from_weights
from boundcalc.importers.write import Written, write_spec

__all__ = [
    "Layer",
    "Network",
    "Settings",
    "Written",
    "from_torch",
    "from_weights",
    "import_model",
    "import_onnx",
    "write_spec",
]
