"""Specs of networks: what is written loads, compiles, is simulated, and reads well."""

import numpy as np
import pytest
import yaml
from spec_runs import outputs, written

import boundcalc as bc
from boundcalc.data.weights_file import array_shapes
from boundcalc.errors import OutputError, SpecError, UnsupportedError
from boundcalc.importers import Layer, Network, from_weights, write_spec
from boundcalc.importers.names import layer_ids
from boundcalc.importers.settings import shape_of
from boundcalc.importers.summary import import_results

RNG = np.random.default_rng(0)


def dense(number, units, width, *, origins=("", ""), arrays=None, **fields):
    arrays = arrays or (RNG.normal(size=(units, width)), RNG.normal(size=units))
    parameters = {"units": units, "bias": True}
    return Layer("dense", (number,), (units,), parameters, arrays, origins, **fields)


def chain(*layers, shape=(3,), **fields):
    return Network("a model", (Layer("input", (), shape), *layers), len(layers), **fields)


MLP = chain(dense(0, 4, 3, hint="fc1"), Layer("tanh", (1,), (4,)), dense(2, 2, 4, hint="fc2"))
ONE = chain(dense(0, 1, 3))

#: The spec of MLP below its comment.
MLP_SPEC = """\
version: 1
name: "a model"
symbols:
  rho: 1/10
  noise: 1/1000
graph:
  input: {shape: [3], low: -1, high: 1}
  operators:
    - {id: fc1, type: dense, units: 4, initial: {file: model.npz, arrays: [fc1.weight, fc1.bias]}, \
region: {weight_change: rho}}
    - {id: tanh1, type: tanh}
    - {id: fc2, type: dense, units: 2, initial: {file: model.npz, arrays: [fc2.weight, fc2.bias]}, \
region: {weight_change: rho}}
    - {id: loss, type: cross_entropy}
perturbations:
  - at: [fc1, tanh1, fc2]
    pass: forward
    model: uniform
    half_width: noise
  - at: [tanh1, fc2, loss]
    pass: backward
    model: uniform
    half_width: noise
training:                 # few and small steps: weights stay near the imported ones
  step_size: 1/10000
  horizon: 10
simulation:
  data: {generator: uniform, samples: 8, dimension: 3, low: -1.0, high: 1.0, classes: 2}
  replicas: 2
  check: {iterates: [0], samples: 2, draws: 1024}
"""


def test_a_spec_is_written_as_a_person_would(tmp_path):
    spec = written(MLP, tmp_path)
    comment, _, body = spec.read_text(encoding="utf-8").partition("version: 1")
    assert "version: 1" + body == MLP_SPEC
    assert all(line.startswith("#") and len(line) <= 93 for line in comment.splitlines())
    for word in ("graph.input", "nothing was said", "rho", "smoothness", "4 operators, 26 trained"):
        assert word in comment
    assert array_shapes(tmp_path / "model.npz") == {
        "fc1.weight": (4, 3),
        "fc1.bias": (4,),
        "fc2.weight": (2, 4),
        "fc2.bias": (2,),
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.npz", "model.yaml"]


def test_what_is_written_compiles_and_holds_against_its_simulation(tmp_path):
    spec = bc.load(written(MLP, tmp_path))
    found = bc.coefficients(spec, family="sharp")
    assert 0 < float(found.error_bound()) < 1
    verdicts = bc.verify(spec).verdicts
    assert {v.status for v in verdicts if v.family == "sharp"} == {"holds"}


@pytest.mark.parametrize(
    ("settings", "section"),
    [
        ({"low": "0", "high": "1"}, {"shape": [3], "low": 0, "high": 1}),
        ({"radius": "2"}, {"shape": [3], "radius": 2}),
        ({"radius": "2", "high": "1/2"}, {"shape": [3], "radius": 2, "low": -1, "high": "1/2"}),
    ],
)
def test_the_input_is_where_the_user_says(tmp_path, settings, section):
    path = written(MLP, tmp_path, **settings)
    assert yaml.safe_load(path.read_text())["graph"]["input"] == section
    graph = bc.build(bc.load(path))
    data = graph.data.features
    assert np.linalg.norm(data, axis=1).max() <= 2
    assert graph.nodes[0].operator is not None


def test_settings_that_are_none_are_refused(tmp_path):
    for settings, text in (
        ({"low": "2"}, "above the upper"),
        ({"radius": "x"}, "--input-radius"),
        ({"high": "1+"}, "--input-high"),
        ({"loss": "hinge"}, "unknown loss"),
    ):
        with pytest.raises(SpecError if "loss" not in settings else UnsupportedError, match=text):
            written(MLP, tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []


def test_the_rest_of_a_spec_follows_the_settings(tmp_path):
    path = written(MLP, tmp_path, weight_change="1/7", half_width="1/3")
    symbols = bc.load(path).symbols
    assert (str(symbols["rho"]), str(symbols["noise"])) == ("1/7", "1/3")


def test_losses_by_the_number_of_outputs(tmp_path):
    sigmoid = chain(dense(0, 1, 3), Layer("sigmoid", (1,), (1,)))
    softmax = chain(dense(0, 2, 3), Layer("softmax", (1,), (2,)))
    log = chain(dense(0, 2, 3), Layer("log_softmax", (1,), (2,)))
    for network, asked, types in (
        (ONE, None, ["dense", "squared"]),
        (ONE, "huber", ["dense", "huber"]),
        (ONE, "none", ["dense"]),
        (sigmoid, None, ["dense", "logistic"]),
        (sigmoid, "squared", ["dense", "sigmoid", "squared"]),
        (softmax, None, ["dense", "cross_entropy"]),
        (log, None, ["dense", "cross_entropy"]),
    ):
        spec = written(network, tmp_path, loss=asked)
        assert [s.type for s in bc.load(spec).graph.operators] == types
        bc.build(bc.load(spec))
    for network, asked in ((ONE, "cross_entropy"), (MLP, "squared"), (MLP, "none")):
        with pytest.raises(UnsupportedError, match="output"):
            written(network, tmp_path, loss=asked)


def test_weights_that_the_model_shares_are_one_group(tmp_path):
    arrays = (RNG.normal(size=(3, 3)), RNG.normal(size=3))
    names = ("a.weight", "a.bias")
    twice = chain(
        dense(0, 3, 3, arrays=arrays, origins=names), dense(1, 3, 3, arrays=arrays, origins=names)
    )
    spec = bc.load(written(twice, tmp_path))
    assert [s.weights for s in spec.graph.operators] == ["a", "a", None]
    assert [s.initial is None for s in spec.graph.operators] == [False, True, True]
    samples = RNG.normal(size=(4, 3))
    once = samples @ arrays[0].T + arrays[1]
    assert np.allclose(outputs(tmp_path / "model.yaml", samples), once @ arrays[0].T + arrays[1])
    graph = bc.build(spec)
    assert graph.nodes[0].group == graph.nodes[1].group


def test_arrays_of_ones_and_zeros_that_exporters_merge_are_not_shared(tmp_path):
    arrays = (np.ones((3, 3)), np.zeros(3))
    names = ("a.weight", "a.bias")
    twice = chain(
        dense(0, 3, 3, arrays=arrays, origins=names), dense(1, 3, 3, arrays=arrays, origins=names)
    )
    spec = bc.load(written(twice, tmp_path))
    assert [s.weights for s in spec.graph.operators] == [None, None, None]


def test_names_are_the_models_and_unique():
    origins = [
        ("0.weight", "0.bias"),
        ("block.fc.weight", "block.fc.bias"),
        ("val_2", "q.bias"),
        ("onnx::Conv_27", "onnx::Conv_28"),
        ("block.fc.weight", ""),
        ("", ""),
        ("bad -> name: [x].weight", ""),
        ("true.weight", ""),
    ]
    hints = ["", "", "", "/layer1/layer1.0/conv1/Conv", "", "", "", ""]
    layers = [
        dense(number, 3, 3, origins=o, hint=h)
        for number, (o, h) in enumerate(zip(origins, hints, strict=True))
    ]
    assert layer_ids(chain(*layers))[1:] == (
        "dense0",
        "block.fc",
        "q",
        "layer1.0.conv1",
        "block.fc_2",
        "dense1",
        "bad_name_x",
        "true",
    )


def test_names_that_yaml_reads_otherwise_are_quoted(tmp_path):
    path = written(chain(dense(0, 2, 3, origins=("true.weight", ""))), tmp_path)
    assert bc.load(path).graph.operators[0].id == "true"


def test_fixed_layers_are_not_trained(tmp_path):
    network = chain(dense(0, 3, 3, trainable=False), dense(1, 2, 3))
    operators = bc.load(written(network, tmp_path)).graph.operators
    assert [s.trainable for s in operators] == [False, True, True]
    assert operators[0].region.weight_change is None
    bc.build(bc.load(tmp_path / "model.yaml"))


def test_a_large_model_has_no_simulation(tmp_path):
    spec = bc.load(written(chain(dense(0, 4000, 4000), shape=(4000,)), tmp_path))
    assert spec.simulation is None
    assert "simulation: left out" in (tmp_path / "model.yaml").read_text()


def test_tokens_have_their_own_data(tmp_path):
    table = Layer(
        "embedding", (0,), (5, 2), {"vocabulary": 7, "width": 2}, (RNG.normal(size=(7, 2)),), ("",)
    )
    pool = Layer("mean_pool", (1,), (2,), {"over": "tokens"})
    spec = bc.load(written(chain(table, pool, shape=(5,), vocabulary=7), tmp_path))
    data = bc.build(spec).data.features
    assert data.shape == (8, 5)
    assert set(np.unique(data)) <= set(range(7))


def test_a_failure_leaves_the_earlier_files(tmp_path, monkeypatch):
    path = written(MLP, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    monkeypatch.setattr(np, "savez", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OutputError, match="cannot write here"):
        write_spec(ONE, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot write here"):
        write_spec(MLP, tmp_path / "missing" / "model.yaml")


def test_a_spec_is_yaml(tmp_path):
    with pytest.raises(UnsupportedError, match=r"end its name in \.yaml"):
        write_spec(MLP, tmp_path / "model.npz")


def test_the_model_itself_is_never_replaced(tmp_path):
    np.savez(tmp_path / "model.npz", W1=np.eye(3), W2=np.ones((2, 3)))
    before = (tmp_path / "model.npz").read_bytes()
    done = write_spec(from_weights(tmp_path / "model.npz"), tmp_path / "model.yaml")
    assert (tmp_path / "model.npz").read_bytes() == before
    assert done.weights == tmp_path / "model.weights.npz"
    assert outputs(done.spec, np.ones((1, 3))).tolist() == [[3.0, 3.0]]


def test_a_spec_that_would_be_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("boundcalc.importers.write.MAX_BYTES", 1000)
    with pytest.raises(UnsupportedError, match="too long"):
        written(MLP, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_as_json(tmp_path):
    found = import_results(write_spec(MLP, tmp_path / "model.yaml"))
    assert found["operators"][0] == {
        "id": "fc1",
        "type": "dense",
        "shape": [4],
        "weights": 16,
        "trained": True,
        "inputs": ["data"],
    }
    assert (found["loss"], found["weights"]) == ("cross_entropy", 26)


@pytest.mark.parametrize("text", ["", "1,,2", "a", "1;2", "-1", "1.5"])
def test_shapes_that_are_none_are_refused(text):
    with pytest.raises(SpecError, match="--input-shape"):
        shape_of(text)
