"""What was imported, as rows of a table and as JSON."""

from __future__ import annotations

from typing import Any

from boundcalc.importers.base import INPUT
from boundcalc.importers.write import Written


def rows(written: Written) -> list[dict[str, Any]]:
    """One row for each operator: id, type, output shape, number of weights, trained or not."""
    return [
        {
            "id": identifier,
            "type": layer.type,
            "shape": list(layer.shape),
            "weights": layer.weights,
            "trained": layer.trainable and bool(layer.arrays),
            "inputs": [
                "data" if source == INPUT else written.ids[source] for source in layer.inputs
            ],
        }
        for number, (identifier, layer) in enumerate(
            zip(written.ids, written.network.layers, strict=True)
        )
        if number != INPUT
    ]


def import_results(written: Written) -> dict[str, Any]:
    """The JSON object of ``boundcalc import --json``."""
    return {
        "name": written.network.name,
        "spec": str(written.spec),
        "weights_file": None if written.weights is None else str(written.weights),
        "input_shape": list(written.network.input_shape),
        "loss": written.loss,
        "operators": rows(written),
        "weights": written.network.weights,
        "notes": list(written.network.notes),
    }
