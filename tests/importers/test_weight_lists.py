"""Files of weights: every layout that is documented, and what fits none."""

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.io import savemat
from spec_runs import outputs, types, written

from boundcalc.errors import DataError, UnsupportedError
from boundcalc.importers import from_weights, import_model

RNG = np.random.default_rng(0)
SIZES = (3, 5, 4, 2)
MATRICES = [RNG.normal(size=(b, a)) for a, b in pairwise(SIZES)]
BIASES = [RNG.normal(size=b) for b in SIZES[1:]]
SAMPLES = RNG.normal(size=(6, 3))


def network(x, biases=BIASES, activation=lambda t: np.maximum(t, 0)):
    """The network that every layout stands for, written out."""
    for number, (matrix, bias) in enumerate(zip(MATRICES, biases, strict=True)):
        x = (x if number == 0 else activation(x)) @ matrix.T + bias
    return x


def pairs(weight="W{}", bias="b{}", *, first=1, transposed=False):
    """Arrays by name, layer by layer."""
    found = {}
    for number, (matrix, vector) in enumerate(zip(MATRICES, BIASES, strict=True), first):
        found[weight.format(number)] = matrix.T if transposed else matrix
        if bias:
            found[bias.format(number)] = vector
    return found


def npz(folder, arrays):
    np.savez(folder / "model.npz", **arrays)
    return folder / "model.npz"


def unnamed(folder):
    path = folder / "model.npz"
    np.savez(path, *[a for p in zip(MATRICES, BIASES, strict=True) for a in p])
    return path


def mat(folder, arrays):
    savemat(folder / "model.mat", arrays)
    return folder / "model.mat"


def cells(arrays):
    made = np.empty((1, len(arrays)), dtype=object)
    for number, array in enumerate(arrays):
        made[0, number] = array
    return made


def safetensors(folder, arrays):
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file(
        {k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "m.safetensors"
    )
    return folder / "m.safetensors"


def state(folder, arrays):
    torch = pytest.importorskip("torch")
    path = folder / "m.pt"
    torch.save({name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, path)
    return path


LAYOUTS = {
    "W1 b1": lambda folder: npz(folder, pairs()),
    "out of order": lambda folder: npz(folder, dict(reversed(pairs().items()))),
    "weight_1": lambda folder: npz(folder, pairs("weight_{}", "bias_{}", first=0)),
    "modules": lambda folder: npz(folder, pairs("fc{}.weight", "fc{}.bias")),
    "no names": unnamed,
    "transposed": lambda folder: npz(folder, pairs(transposed=True)),
    "MAT": lambda folder: mat(folder, pairs()),
    "cells": lambda folder: mat(folder, {"weights": cells(MATRICES), "biases": cells(BIASES)}),
    "safetensors": lambda folder: safetensors(folder, pairs("{}.weight", "{}.bias", first=8)),
    "state": lambda folder: state(folder, pairs("{}.weight", "{}.bias")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_network(tmp_path, layout):
    spec = written(import_model(LAYOUTS[layout](tmp_path)), tmp_path)
    assert types(spec) == ["dense", "relu", "dense", "relu", "dense", "cross_entropy"]
    assert np.allclose(outputs(spec, SAMPLES), network(SAMPLES), rtol=1e-12, atol=1e-12)


def test_biases_may_be_left_out(tmp_path):
    path = mat(tmp_path, {"weights": cells(MATRICES)})
    found = outputs(written(from_weights(path, activation="tanh"), tmp_path), SAMPLES)
    wanted = network(SAMPLES, biases=[0.0] * 3, activation=np.tanh)
    assert np.allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_convolutions_then_dense_layers(tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(3, 2, 2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(2 * 3 * 2, 4),
    ).double()
    path = tmp_path / "m.pth"
    torch.save({"state_dict": module.state_dict()}, path)
    spec = written(import_model(path, input_shape=(2, 6, 5)), tmp_path)
    samples = np.random.default_rng(1).normal(size=(3, 2, 6, 5))
    wanted = module(torch.from_numpy(samples)).detach().numpy()
    assert np.allclose(outputs(spec, samples), wanted, rtol=1e-12, atol=1e-12)
    with pytest.raises(DataError, match="--input-shape"):
        import_model(path)


#: What is wrong → arrays, the error, its text.
BAD = {
    "order": (
        {"W1": MATRICES[1], "W2": MATRICES[0], "W3": MATRICES[2]},
        DataError,
        r"do not follow each other.*W2 with shape \[5, 3\]",
    ),
    "bias size": ({"W1": MATRICES[0], "b1": np.zeros(4)}, DataError, "do not follow each other"),
    "only a bias": ({"b1": np.zeros(3)}, DataError, "a bias without weights.*'b1'"),
    "statistics": (
        {"bn.weight": np.ones((1, 2)), "bn.running_mean": np.zeros(2)},
        DataError,
        "neither weights nor a bias.*bn.running_mean",
    ),
    "vectors": ({"arr_0": np.zeros(3)}, DataError, "a vector that follows no weights"),
    "a number": ({"W1": np.array(2.0)}, DataError, "array 'W1'.*wrong number of axes"),
    "five axes": ({"W1": np.zeros((1, 1, 1, 1, 1))}, DataError, "wrong number of axes"),
    "nan": ({"W1": np.full((2, 2), np.nan)}, DataError, "array 'W1'.*not a finite number"),
    "nothing": ({}, DataError, "holds no arrays"),
}


@pytest.mark.parametrize("problem", BAD)
def test_other_lists_are_refused(tmp_path, problem):
    arrays, kind, text = BAD[problem]
    with pytest.raises(kind) as caught:
        from_weights(npz(tmp_path, arrays))
    assert re.search(text, str(caught.value), re.DOTALL)


def test_too_many_weights_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("boundcalc.importers.base.MAX_NUMBERS", 10)
    with pytest.raises(DataError, match="the model is too large"):
        from_weights(npz(tmp_path, pairs()))


def test_an_unknown_activation_is_refused(tmp_path):
    with pytest.raises(UnsupportedError, match="unknown activation"):
        from_weights(npz(tmp_path, pairs()), activation="maxout")


class Harm:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def test_whole_modules_and_pickles_are_never_opened(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "m.pt"
    for content in (torch.nn.Linear(2, 2), {"W": Harm()}):
        torch.save(content, path)
        with pytest.raises(DataError, match="not a state dictionary"):
            import_model(path)
    for content in ([torch.zeros(2)], {"lr": 0.1}, {"W": [torch.zeros(2)]}):
        torch.save(content, path)
        with pytest.raises(DataError, match="other things than tensors"):
            import_model(path)
    path.write_bytes(b"no state at all")
    with pytest.raises(DataError, match=r"m\.pt"):
        import_model(path)


def test_tensors_that_only_say_that_they_are_huge_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "m.pt"
    torch.save({"W1": torch.zeros(1).expand(10**6, 10**6)}, path)
    with pytest.raises(DataError, match="the model is too large"):
        import_model(path)


def test_states_with_batch_normalisation_or_sparse_tensors_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "m.pt"
    torch.save(
        torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).state_dict(), path
    )
    with pytest.raises(UnsupportedError, match="batch normalisation"):
        import_model(path)
    torch.save({"W1": torch.eye(3).to_sparse()}, path)
    with pytest.raises(UnsupportedError, match="sparse"):
        import_model(path)


def test_halves_are_read(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "m.pt"
    torch.save({"W1": torch.ones(2, 3, dtype=torch.bfloat16)}, path)
    assert import_model(path).layers[1].arrays[0].tolist() == np.ones((2, 3)).tolist()


def test_a_missing_package_says_which_extra_to_install(tmp_path, monkeypatch):
    path = tmp_path / "m.pt"
    path.write_bytes(b"x" * 100)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'boundcalc\[torch\]'"):
        import_model(path)
