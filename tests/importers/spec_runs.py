"""An imported spec run forward: the literal meaning of its graph, operator by operator."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np

from boundcalc.data.weights_file import read_arrays
from boundcalc.importers import Network, Settings, write_spec
from boundcalc.operators import OPERATORS
from boundcalc.spec import load

LOSSES = ("cross_entropy", "logistic", "squared", "huber")


def written(network: Network, folder: Path, **settings) -> Path:
    """The spec of a network, in a folder."""
    return write_spec(network, folder / "model.yaml", Settings(**settings)).spec


def outputs(path: Path, samples: np.ndarray) -> np.ndarray:
    """What the operators before the loss make of samples ``(M, …)``: ``(M, m)``."""
    spec = load(path)
    shape = tuple(spec.graph.input.shape)
    values = samples.reshape(1, len(samples), -1).astype(np.float64)
    assert values.shape[-1] == prod(shape)
    known = {"": (values, shape)}
    groups: dict[str, np.ndarray] = {}
    before = ""
    for section in spec.graph.operators:
        if section.type in LOSSES:
            assert section is spec.graph.operators[-1]
            break
        names = [before] if section.inputs is None else section.inputs or [""]
        parts = [known[name] for name in names]
        operator = OPERATORS[section.type].model_validate(section.parameters)
        operator = operator.shaped(tuple(shape for _, shape in parts))
        y = np.concatenate([value for value, _ in parts], axis=-1)
        w = weights_of(section, path.parent, groups)
        assert len(w) == operator.weight_size(y.shape[-1]), section.id
        result = operator.forward(y, w[None], np.zeros((1, len(samples))))
        known[section.id] = (result, operator.output_shape)
        assert result.shape[-1] == prod(operator.output_shape)
        before = section.id
    return known[before][0][0]


def weights_of(section, folder: Path, groups: dict[str, np.ndarray]) -> np.ndarray:
    """The initial weights of an operator, or those of its group."""
    found = np.zeros(0)
    if section.initial is not None:
        arrays = read_arrays(folder / section.initial.file, section.initial.arrays)
        found = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    if section.weights is not None:
        found = groups.setdefault(section.weights, found)
    return found


def types(path: Path) -> list[str]:
    """The operator types of a spec, in order."""
    return [section.type for section in load(path).graph.operators]
