"""Neighbouring linear operators get one norm together: ‖W₂W₁‖ ≤ ‖W₂‖‖W₁‖.

A run is two or more operators one after the other, each read by the next one only, all of
them affine with known weights, or (``rescaled``) two such parts with one elementwise
operator between them.  What the norm is used for, and why it is sound wherever the
perturbations sit, is in docs/theory.md, Lemma 4.10.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.graph.parts import Merged, Node
from boundcalc.operators.base import ZERO, Array, Constants
from boundcalc.operators.elementwise import Elementwise
from boundcalc.operators.norms import run_norm
from boundcalc.operators.rescaling import rescaled_norms
from boundcalc.operators.rounding import UNIT, length, rounded_up, upper
from boundcalc.operators.spectral import spectral_norm
from boundcalc.spec.expressions import Expression, bounded

#: Largest number of inputs or outputs of an operator whose matrix is written out.
MAX_SIDE = 2048
#: Longest run: its norm takes O(length²) products of matrices.
MAX_LENGTH = 16
_WORTH = 1.0 - 1e-9  # a run that saves less than this is left alone


def merged_runs(nodes: Sequence[Node], merge: str) -> tuple[Merged, ...]:
    """The runs of a graph, by their first operator; no operator is in two.

    O(N) besides the norms of the runs that are found.

    Parameters
    ----------
    merge
        ``none``, ``linear`` or ``rescaled``.
    """
    if merge == "none":
        return ()
    readers = [0] * (len(nodes) + 1)
    for node in nodes:
        for u in node.reads:
            readers[u] += 1
    found: list[Merged] = []
    v = 1
    while v <= len(nodes):
        run = _run_from(nodes, readers, v, merge == "rescaled")
        made = _merged(nodes, run) if len(run) > 1 else None
        if made is not None:
            found.append(made)
            v = run[-1]
        v += 1
    return tuple(found)


def merging_note(run: Merged, nodes: Sequence[Node]) -> str:
    """What a run saves, for people."""
    ids = [nodes[v - 1].id for v in run.nodes]
    names = ", ".join(ids) if len(ids) <= 4 else f"{ids[0]} to {ids[-1]}"
    norm = float(run.norm.evaluate(FLOATS))
    return (
        f"merged: the Jacobians of {names} have norm {norm:.4g} together, "
        f"instead of the product {run.product:.4g} of their norms"
    )


def _run_from(nodes: Sequence[Node], readers: list[int], v: int, rescaled: bool) -> list[int]:
    """Numbers of the longest run that starts at operator v; elementwise once, inside."""
    run: list[int] = []
    bent = False
    while v <= len(nodes) and len(run) < MAX_LENGTH:
        node = nodes[v - 1]
        if len(node.reads) != 1 or node.reads == (0,) or (run and node.reads != (run[-1],)):
            break
        if _is_linear(node):
            run.append(v)
        elif rescaled and run and not bent and _is_elementwise(node):
            bent = True
            run.append(v)
        else:
            break
        if readers[v] != 1:
            break
        v += 1
    while run and not _is_linear(nodes[run[-1] - 1]):
        run.pop()  # an elementwise operator at the end adds nothing
    return run


def _is_linear(node: Node) -> bool:
    operator = node.operator
    known = node.weights == 0 or node.region.center is not None
    return (
        operator is not None
        and operator.affine
        and known
        and max(node.inputs, node.outputs) <= MAX_SIDE
        and _is_derived(node)
        and not _change(node).symbols
    )


def _is_elementwise(node: Node) -> bool:
    return (
        isinstance(node.operator, Elementwise)
        and _is_derived(node)
        and not node.constants.jac_input.symbols
    )


def _is_derived(node: Node) -> bool:
    """Whether the type's own constants are used, not others that the spec states."""
    derived: Constants | None = node.derived
    return derived is not None and node.constants.jac_input is derived.jac_input


def _change(node: Node) -> Expression:
    """How far the Jacobian in the input moves with the weights: B·ρ, f being affine in y."""
    assert node.derived is not None  # noqa: S101 - the caller has looked
    mixed = node.derived.hess_mixed
    if node.region.change is None or mixed is None:
        return ZERO
    return mixed * node.region.change


def _matrix(node: Node) -> Array:
    """The Jacobian in the input at the weights' centre, (m, n): one vjp with the unit vectors.

    Entries are single weights, or factors of an average or sum that are rounded: the sums
    of a vjp have one term that is not 0.  :func:`_radius` takes the rounding in.
    """
    assert node.operator is not None  # noqa: S101 - the caller has looked
    m, n = node.outputs, node.inputs
    w = np.zeros(node.weights) if node.region.center is None else node.region.center
    units = np.eye(m)[None]
    jacobian = node.operator.vjp(np.zeros((1, m, n)), w[None], np.zeros((1, m)), units)[0][0]
    return np.asarray(jacobian)


def _merged(nodes: Sequence[Node], run: list[int]) -> Merged | None:
    """The run with its norm, or None where that saves nothing."""
    parts = [nodes[v - 1] for v in run]
    sizes = [upper(node.constants.jac_input) for node in parts]
    product = math.prod(sizes)
    bend = next((k for k, node in enumerate(parts) if not _is_linear(node)), None)
    if bend is None:
        matrices = [_matrix(node) for node in parts]
        norm = run_norm(matrices, [_radius(*pair) for pair in zip(parts, matrices, strict=True)])
    else:
        norm = _bent_norm(parts[:bend], sizes[bend], parts[bend + 1 :])
    if not norm < product * _WORTH:
        return None
    return Merged(tuple(run), bounded(norm), product, affine=bend is None)


def _bent_norm(before: list[Node], slope: float, after: list[Node]) -> float:
    """A bound on ‖(W₂+E₂) Λ (W₁+E₁)‖ for diagonal |Λ| ≤ slope.

    It is slope · (rescaled norm of W₂, W₁ + ‖W₂‖ρ₁ + ρ₂(‖W₁‖ + ρ₁)), with W₁, W₂ the products
    of either side and ρ the bounds on how far these move.
    """
    first, moved_first = _side(before)
    second, moved_second = _side(after)
    norm = rescaled_norms(second, first)
    norm += spectral_norm(second) * moved_first
    norm += moved_second * (spectral_norm(first) + moved_first)
    return rounded_up(norm * slope)


def _side(parts: list[Node]) -> tuple[Array, float]:
    """The product of some matrices, and a bound on how far it moves with the weights."""
    matrices = [_matrix(node) for node in parts]
    radii = [_radius(*pair) for pair in zip(parts, matrices, strict=True)]
    product = matrices[0]
    for matrix in matrices[1:]:
        product = matrix @ product
    # ‖Π(W+E) − ΠW‖ ≤ Π(‖W‖+ρ) − Π‖W‖, which grows with ‖W‖, so that upper bounds will do;
    # and each of the products is rounded, by γ_n‖·‖_F‖·‖_F.
    norms = [spectral_norm(matrix) for matrix in matrices]
    largest = math.prod(n + r for n, r in zip(norms, radii, strict=True))
    rounding = 4.0 * len(parts) * max(matrix.shape[1] for matrix in matrices) * 2.0**-53
    frobenius = math.prod(float(np.linalg.norm(matrix)) for matrix in matrices)
    moved = largest - math.prod(norms) + 8 * len(parts) * 2.0**-53 * largest
    return product, rounded_up(moved + rounding * frobenius)


def _radius(node: Node, matrix: Array) -> float:
    """How far the Jacobian may be from the matrix: with the weights, and by its rounding."""
    return rounded_up(upper(_change(node)) + 4.0 * UNIT * length(matrix))
