"""The slow, literal twin of the vectorised engine: one replica and one sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array

#: The entry of an array that belongs to one replica and one sample, or to one operator.
_Get = Callable[[int], Array]


def literal_gradient(
    graph: OperatorGraph,
    w: Array,
    features: Array,
    labels: Array,
    delta: Mapping[int, Array],
    epsilon: Mapping[int, Array],
) -> Array:
    """ũ of every replica and sample, ``(R, M, k)``, as docs/theory.md, 1.1 and 4.8, write it.

    Agrees with :meth:`Program.sample_gradients` to 1e-12 and takes R·M times as long.
    It shares nothing with it but the operators and the graph.

    Parameters
    ----------
    w
        ``(R, k)``: the trained weights of the operators in order, shared ones once.
    features, labels
        ``(1, M, d)`` and ``(1, M)``.
    delta, epsilon
        δ by operator number and ε by edge number, ``(R, M, n)``.
    """
    places: dict[int, list[int]] = {}  # by operator: which entries of w are its weights
    count = 0
    for v, node in enumerate(graph.nodes, 1):
        if not node.trainable:
            continue
        if node.group == v:
            places[v] = list(range(count, count + node.weights))
            count += node.weights
        else:
            places[v] = places[node.group]
    result = np.zeros((len(w), features.shape[1], count))
    for r, x in product(range(len(w)), range(features.shape[1])):

        def weights(v: int, r: int = r) -> Array:
            own = graph.nodes[v - 1].values
            return w[r, places[v]] if v in places else np.zeros(0) if own is None else own

        found = _one(
            graph,
            weights,
            (features[0, x], labels[:1, x : x + 1]),
            {v: drawn[r, x] for v, drawn in delta.items()},
            {edge: drawn[r, x] for edge, drawn in epsilon.items()},
        )
        for v, gradient in found.items():
            if v in places:
                result[r, x, places[v]] += gradient
    return result


def _one(
    graph: OperatorGraph,
    weights: _Get,
    sample: tuple[Array, Array],
    delta: Mapping[int, Array],
    epsilon: Mapping[int, Array],
) -> dict[int, Array]:
    """∇_w f_vᵀ ṽ_v by operator, for one replica and one sample."""
    numbers, (x, label) = range(1, graph.size + 1), sample
    y = {0: x}
    while len(y) <= graph.size:
        for v in numbers:
            node = graph.nodes[v - 1]
            if v not in y and all(u in y for u in node.reads):
                # ỹ_v = f_v(ỹ_u for u before v; w_v) + δ_v
                inputs = np.concatenate([y[u] for u in node.reads])
                assert node.operator is not None  # noqa: S101 - make_program() has looked
                output = node.operator.forward(inputs[None, None], weights(v)[None], label)
                y[v] = output[0, 0] + delta.get(v, 0.0)
    pulled: dict[int, list[Array]] = {}  # by operator: ∇_k f_vᵀ ṽ_v for every slot k
    gradients: dict[int, Array] = {}
    while len(gradients) < graph.size:
        for u in numbers:
            after = [v for v in numbers if u in graph.nodes[v - 1].reads]
            if u in gradients or any(v not in pulled for v in after):
                continue
            # ṽ_N = 1,  ṽ_u = Σ_{v after u} (Σ_{slots k of v that read u} ∇_k f_vᵀ ṽ_v + ε_{v,u})
            v_u = np.ones(1) if u == graph.size else np.zeros(graph.nodes[u - 1].outputs)
            for v in after:
                v_u = v_u + epsilon.get(graph.ends.index((u, v)), 0.0)
                for slot, source in enumerate(graph.nodes[v - 1].reads):
                    if source == u:
                        v_u = v_u + pulled[v][slot]
            node = graph.nodes[u - 1]
            assert node.operator is not None  # noqa: S101 - as above
            inputs = np.concatenate([y[k] for k in node.reads])[None, None]
            back, gradient = node.operator.vjp(inputs, weights(u)[None], label, v_u[None, None])
            ends = np.cumsum([len(y[k]) for k in node.reads])
            pulled[u] = np.split(back[0, 0], ends[:-1])
            gradients[u] = gradient[0, 0]
    return gradients
