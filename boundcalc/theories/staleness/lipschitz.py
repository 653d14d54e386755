"""L and M of [XHH] from the constants of the operators (docs/theory-staleness.md, section 10.5)."""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Node
from boundcalc.operators.base import ZERO, Data
from boundcalc.operators.elementwise import Elementwise
from boundcalc.spec.expressions import Expression
from boundcalc.theories.staleness.blocks import Block, Pipeline, trained
from boundcalc.theories.staleness.chain import StaleChain
from boundcalc.theories.staleness.coupling import ChainCoupling, Weights

#: Operator types that are affine in their weights, whatever the input: ∇²_ww f = 0.
AFFINE_IN_WEIGHTS = frozenset(
    {
        "bilinear",
        "control_step",
        "conv1d",
        "conv2d",
        "dense",
        "embedding",
        "gradient_step",
        "layer_norm",
        "margin",
        "quadratic",
        "rms_norm",
        "spline",
    }
)

#: Most operators with trained weights for which Lemma 1 is compiled: it takes all pairs.
PAIRS_OPERATORS = 300


def error_gradient(chain: StaleChain, ends: tuple[int, ...], kind: Arithmetic) -> Scalar:
    """M = max V_j over the last operators of the blocks, the loss itself among them, V_N = 1.

    Source: docs/theory-staleness.md, Lemma 10.4 (a).
    """
    found = kind.number(1)
    for j in ends:
        found = kind.maximum(found, chain.V[j])
    return found


def weight_curvature(node: Node, data: Data | None) -> Expression | None:
    """E ≥ ‖∇²_ww f‖, the Lipschitz constant of w ↦ ∇₂f; None where it is not known.

    0 without trained weights and for :data:`AFFINE_IN_WEIGHTS`; for f = φ(y + w) it is A.
    """
    if not trained(node):
        return ZERO
    if node.operator is None:
        return None
    if node.operator.type in AFFINE_IN_WEIGHTS:
        return ZERO
    if isinstance(node.operator, Elementwise):
        try:
            return node.operator.input_constants(node.region, data).hess_input
        except SpecError:
            return None
    return None


def first_lemma(
    graph: OperatorGraph, pipeline: Pipeline, chain: StaleChain, kind: Arithmetic
) -> Scalar | None:
    """The least (LM)² for which Lemma 1 is proved; None where it is not known.

    The largest over k ≤ i of Σ_{j in block k, l in block i} Λ_jl², Λ_jj = E_j V_j and
    Λ_jl = b_j a_{j+1}⋯a_{l−1} B_l V_l: by how much moving the weights of block i moves what
    block k gets (docs/theory-staleness.md, Lemma 10.4 (b)).  O(n²) for n operators with weights.
    """
    nodes = [v for v, node in enumerate(graph.nodes, 1) if trained(node)]
    if len(nodes) > PAIRS_OPERATORS:
        return None
    curvatures = {v: weight_curvature(graph.nodes[v - 1], graph.data) for v in nodes}
    if any(curvature is None for curvature in curvatures.values()):
        return None
    values = graph.values(kind)
    own = {v: E.evaluate(kind, values) for v, E in curvatures.items() if E is not None}
    found = kind.number(0)
    for block in pipeline.blocks:
        for total in _row(block, pipeline, chain, own, kind).values():
            found = kind.maximum(found, total)
    return found


def _row(
    block: Block,
    pipeline: Pipeline,
    chain: StaleChain,
    own: dict[int, Scalar],
    kind: Arithmetic,
) -> dict[int, Scalar]:
    """By block i ≥ k: Σ Λ_jl² over j in block k and l in block i."""
    totals = {other.number: kind.number(0) for other in pipeline.blocks[block.number :]}
    for j in (j for j in block.operators if j in own):
        totals[block.number] = totals[block.number] + (own[j] * chain.V[j]) ** 2
        through = chain.b[j]
        for other in pipeline.blocks[block.number :]:
            for l in (l for l in other.operators if l > j):  # noqa: E741 - as in the formula
                entry = through * chain.B[l] * chain.V[l]
                totals[other.number] = totals[other.number] + entry**2
                through = through * chain.a[l]
    return totals


def second_lemma(
    chain: StaleChain, weights: Weights, pipeline: Pipeline, M: Scalar, kind: Arithmetic
) -> Scalar:
    """The least L² for which Lemma 2 follows from the separable bound with these weights.

    κ_l ≤ ½L²c_0(k+1)/(K+1) = ½L²M²K(K+1)(k+1) for every operator l of block k
    (docs/theory-staleness.md, Lemma 10.4 (c)).
    """
    K = len(pipeline.blocks)
    shares = ChainCoupling(chain).shares([kind.number(t) for t in weights])
    found = kind.number(0)
    for block in pipeline.blocks:
        scale = kind.number(Fraction(2, K * (K + 1) * (block.number + 1))) / M**2
        for l in block.operators:  # noqa: E741 - as in the formula
            found = kind.maximum(found, shares[l - 1] * scale)
    return found
