"""Attention in the forms in which exporters write it, against the reference."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import helper
from onnx_models import gap, model, random_weights, reference, saved
from spec_runs import outputs, written

from boundcalc.errors import UnsupportedError
from boundcalc.importers import import_model

TOKENS, WIDTH, HEADS = 5, 6, 2
EACH = WIDTH // HEADS
WEIGHTS = random_weights(0, Q=(6, 6), K=(6, 6), V=(6, 6), O=(6, 3), P=(6, 18), p=(18,))
LATER = np.triu(np.ones((TOKENS, TOKENS)), 1)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def projections():
    return [node("MatMul", ["x", letter], letter.lower()) for letter in "QKV"]


def heads(name, perm):
    """A projection by heads, (1, H, T, D) or with its last axes exchanged."""
    return [
        node("Reshape", [name, "by_head"], f"{name}1"),
        node("Transpose", [f"{name}1"], f"{name}2", perm=perm),
    ]


def attention(*scaling, mask=None, key_scaling=(), weights=None):
    """Split heads, scale, mask, softmax, join heads, project."""
    nodes = [*projections(), *heads("q", [0, 2, 1, 3]), *heads("k", [0, 2, 3, 1])]
    nodes += heads("v", [0, 2, 1, 3])
    key = "k2"
    for kind, constant in key_scaling:
        nodes.append(node(kind, [key, constant], key + "s"))
        key += "s"
    nodes.append(node("MatMul", ["q2", key], "s0"))
    last = "s0"
    for kind, constant in scaling:
        nodes.append(node(kind, [last, constant], last + "s"))
        last += "s"
    if mask is not None:
        nodes.append(node("Add", [last, "mask"], "masked"))
        last = "masked"
    nodes += [
        node("Softmax", [last], "weights", axis=-1),
        node("MatMul", ["weights", "v2"], "a"),
        node("Transpose", ["a"], "a1", perm=[0, 2, 1, 3]),
        node("Reshape", ["a1", "joined"], "a2"),
        node("MatMul", ["a2", "O"], "out"),
    ]
    arrays = {
        **WEIGHTS,
        "by_head": np.array([1, TOKENS, HEADS, EACH]),
        "joined": np.array([1, TOKENS, WIDTH]),
        "root": np.array(EACH**0.5, np.float32),
        "half": np.array(EACH**-0.25, np.float32),
        **(weights or {}),
    }
    if mask is not None:
        arrays["mask"] = np.asarray(mask, np.float32)
    return model(nodes, [1, TOKENS, WIDTH], arrays)


DENSE = ["identity", "dense", "dense", "dense", "attention", "dense"]

#: Name → model, operators, whether a causal mask was found.
CASES = {
    "divided": (attention(("Div", "root")), DENSE, False),
    "halves": (
        attention(("Mul", "half"), key_scaling=[("Mul", "half")]),
        DENSE,
        False,
    ),
    "unscaled": (attention(), DENSE, False),
    "infinite mask": (
        attention(("Div", "root"), mask=np.where(LATER, -np.inf, 0)),
        DENSE,
        True,
    ),
    "smallest float": (
        attention(("Div", "root"), mask=LATER * np.finfo(np.float32).min),
        DENSE,
        True,
    ),
    "mask by heads": (
        attention(("Div", "root"), mask=np.where(LATER, -np.inf, 0)[None, None].repeat(2, 1)),
        DENSE,
        True,
    ),
    "empty mask": (attention(("Div", "root"), mask=np.zeros((1, 5))), DENSE, False),
    "one head": (
        model(
            [
                *projections(),
                node("Transpose", ["k"], "kt", perm=[0, 2, 1]),
                node("MatMul", ["q", "kt"], "s"),
                node("Softmax", ["s"], "w", axis=2),
                node("MatMul", ["w", "v"], "out"),
            ],
            [1, TOKENS, WIDTH],
            WEIGHTS,
        ),
        DENSE[:-1],
        False,
    ),
    "one projection": (
        model(
            [
                node("MatMul", ["x", "P"], "h"),
                node("Add", ["h", "p"], "g"),
                helper.make_node("Split", ["g"], ["q", "k", "v"], axis=2, num_outputs=3),
                node("Transpose", ["k"], "kt", perm=[0, 2, 1]),
                node("MatMul", ["q", "kt"], "s"),
                node("Softmax", ["s"], "w", axis=2),
                node("MatMul", ["w", "v"], "out"),
            ],
            [1, TOKENS, WIDTH],
            WEIGHTS,
        ),
        DENSE[:-1],
        False,
    ),
}
for name, attributes, causal in (
    ("rows", {}, False),
    ("causal rows", {"is_causal": 1}, True),
    ("scaled rows", {"scale": 0.7}, False),
):
    CASES[f"Attention of {name}"] = (
        model(
            [
                *projections(),
                node("Attention", ["q", "k", "v"], "out", q_num_heads=2, kv_num_heads=2,
                     **attributes),
            ],
            [1, TOKENS, WIDTH],
            WEIGHTS,
            opset=23,
        ),
        DENSE[:-1],
        causal,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_attention_becomes_one_operator_that_computes_the_same(tmp_path, name):
    proto, expected, causal = CASES[name]
    samples = np.random.default_rng(0).normal(size=(3, TOKENS, WIDTH)).astype(np.float32)
    network = import_model(saved(proto, tmp_path))
    assert expected == [layer.type for layer in network.layers[1:]]
    (layer,) = [layer for layer in network.layers if layer.type == "attention"]
    assert layer.parameters["causal"] is causal
    assert gap(outputs(written(network, tmp_path), samples), reference(proto, samples)) <= 1e-5


def test_heads_of_the_attention_operator_may_be_an_axis(tmp_path):
    nodes = [*projections(), *(step for x in "qkv" for step in heads(x, [0, 2, 1, 3]))]
    nodes += [
        node("Attention", ["q2", "k2", "v2", "mask"], "a"),
        node("Transpose", ["a"], "a1", perm=[0, 2, 1, 3]),
        node("Reshape", ["a1", "joined"], "out"),
    ]
    arrays = {
        **WEIGHTS,
        "by_head": np.array([1, TOKENS, HEADS, EACH]),
        "joined": np.array([1, TOKENS, WIDTH]),
        "mask": LATER == 0,
    }
    proto = model(nodes, [1, TOKENS, WIDTH], arrays, opset=23)
    samples = np.random.default_rng(0).normal(size=(3, TOKENS, WIDTH)).astype(np.float32)
    network = import_model(saved(proto, tmp_path))
    assert [layer.type for layer in network.layers[1:]] == DENSE[:-1]
    assert gap(outputs(written(network, tmp_path), samples), reference(proto, samples)) <= 1e-5


def test_the_factor_of_unscaled_scores_goes_to_the_queries(tmp_path):
    scaled = import_model(saved(attention(("Div", "root")), tmp_path))
    plain = import_model(saved(attention(), tmp_path))
    first, second = (network.layers[2].arrays[0] for network in (scaled, plain))
    assert np.allclose(second, first * EACH**0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "mask", [np.where(LATER.T, -np.inf, 0), -LATER, np.full((5, 5), -np.inf), 0.5 * np.eye(5)]
)
def test_other_masks_are_refused(tmp_path, mask):
    proto = attention(("Div", "root"), mask=mask)
    with pytest.raises(UnsupportedError, match="neither empty nor causal"):
        import_model(saved(proto, tmp_path))


def test_scores_without_a_softmax_are_refused(tmp_path):
    nodes = [
        *projections(),
        node("Transpose", ["k"], "kt", perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], "s"),
        node("MatMul", ["s", "v"], "out"),
    ]
    with pytest.raises(UnsupportedError, match="without a softmax"):
        import_model(saved(model(nodes, [1, TOKENS, WIDTH], WEIGHTS), tmp_path))


def test_a_softmax_along_the_queries_is_refused(tmp_path):
    nodes = [
        *projections(),
        node("Transpose", ["k"], "kt", perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], "s"),
        node("Softmax", ["s"], "w", axis=1),
        node("MatMul", ["w", "v"], "out"),
    ]
    with pytest.raises(UnsupportedError, match="not along the keys"):
        import_model(saved(model(nodes, [1, TOKENS, WIDTH], WEIGHTS), tmp_path))
