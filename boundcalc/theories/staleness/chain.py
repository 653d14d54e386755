"""How far a gradient of stale weights is from that of the current ones.

Source: docs/theory-staleness.md, Lemma 10.2.

Let w be the current weights, u the older ones of the forward pass, d_l = ‖w_l − u_l‖.  The
stale pass is a forward pass at w that is perturbed after operator l by
δ_l = f_l(y, u_l) − f_l(y, w_l), ‖δ_l‖ ≤ b_l d_l; the backward pass is exact.  So

    s_j = ℓ_j s_{j−1} + b_j d_j
    R_{j−1} = a_j R_j + A_j V_j s_{j−1}
    e_j = b_j R_j + B_j V_j s_{j−1}

bound the activations, the gradients that are passed back, and ‖𝒢_j − ∇_j f(w)‖ ≤ e_j: a matrix
N ≥ 0 with e = N d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.theories.staleness.blocks import Pipeline, trained

#: Longest chain whose constants are compiled.
LONGEST = 20_000


@dataclass(frozen=True)
class StaleChain:
    """The constants of a chain, by operator from 1 to N; entry 0 is not read.

    Attributes
    ----------
    a, b, l, A, B
        As in docs/theory.md, section 1; b and B are 0 for operators without trained weights.
    V
        V_j ≥ ‖∂loss/∂y_j‖ whatever weights each pass has: V_N = 1, V_{j−1} = a_j V_j.
    zero
        0 in the number kind.
    """

    a: tuple[Scalar, ...]
    b: tuple[Scalar, ...]
    l: tuple[Scalar, ...]  # noqa: E741 - the letter of the theory
    A: tuple[Scalar, ...]
    B: tuple[Scalar, ...]
    V: tuple[Scalar, ...]
    zero: Scalar

    @property
    def size(self) -> int:
        """N."""
        return len(self.a) - 1

    def errors(self, d: Sequence[Scalar]) -> list[Scalar]:
        """N d: bounds on ‖𝒢_j − ∇_j f‖ by operator, for d by operator (Lemma 10.2); O(N)."""
        size = self.size
        s = [self.zero] * (size + 1)
        for j in range(1, size + 1):
            s[j] = self.l[j] * s[j - 1] + self.b[j] * d[j]
        found = [self.zero] * (size + 1)
        R = self.zero
        for j in range(size, 0, -1):
            found[j] = self.b[j] * R + self.B[j] * self.V[j] * s[j - 1]
            R = self.a[j] * R + self.A[j] * self.V[j] * s[j - 1]
        return found

    def pulled(self, y: Sequence[Scalar]) -> list[Scalar]:
        """Nᵀ y by operator; O(N)."""
        size = self.size
        through = [self.zero] * (size + 1)  # what R_j counts for
        for j in range(1, size + 1):
            through[j] = self.b[j] * y[j] + self.a[j] * through[j - 1]
        found = [self.zero] * (size + 1)
        s = self.zero  # what s_j counts for
        for j in range(size, 0, -1):
            found[j] = self.b[j] * s
            s = (
                self.l[j] * s
                + self.A[j] * self.V[j] * through[j - 1]
                + self.B[j] * self.V[j] * y[j]
            )
        return found


def stale_chain(graph: OperatorGraph, kind: Arithmetic) -> StaleChain:
    """The constants of a chain in a number kind; O(N).

    Raises
    ------
    SpecError
        If a constant is missing, has no finite value because of a kink, or the chain is
        longer than :data:`LONGEST`.
    """
    _check(graph)
    constants = graph.graph_constants(kind)
    zero, one = kind.number(0), kind.number(1)
    size = graph.size

    def first(column: Sequence[Sequence[Scalar]]) -> tuple[Scalar, ...]:
        return (zero, *(column[v][0] for v in range(1, size + 1)))

    a = first(constants.a)
    V = [one] * (size + 1)
    for j in range(size, 1, -1):
        V[j - 1] = a[j] * V[j]
    B = first(constants.B)
    weighted = [False, *(trained(node) for node in graph.nodes)]
    return StaleChain(
        a=a,
        b=tuple(constants.b[v] if weighted[v] else zero for v in range(size + 1)),
        l=first(constants.l),
        A=(zero, *(constants.A[v][0][0] for v in range(1, size + 1))),
        B=tuple(B if known else zero for B, known in zip(B, weighted, strict=True)),
        V=tuple(V),
        zero=zero,
    )


def delays_of(pipeline: Pipeline) -> tuple[int, ...]:
    """By operator, from 1: the delay m_k of its block; entry 0 is 0."""
    found = [0]
    for block, delay in zip(pipeline.blocks, pipeline.queues.delays, strict=True):
        found += [delay] * len(block.operators)
    return tuple(found)


def block_ends(pipeline: Pipeline) -> tuple[int, ...]:
    """The numbers of the blocks' last operators."""
    return tuple(block.last for block in pipeline.blocks)


def _check(graph: OperatorGraph) -> None:
    if graph.size > LONGEST:
        raise SpecError(
            "the chain is too long for its constants to be compiled",
            where="staleness.lipschitz",
            value=f"{graph.size} operators",
            expected=f"at most {LONGEST}",
            fix="give `lipschitz` and `error_gradient`",
        )
    for v, node in enumerate(graph.nodes, 1):
        kinked = node.constants.hess_input is None or node.constants.hess_mixed is None
        if kinked and v > 1:
            raise SpecError(
                f"the Jacobian of operator {node.id!r} has no Lipschitz constant, so none of the "
                "gradient can be compiled",
                where="staleness.lipschitz",
                expected="smooth operators, or `lipschitz` and `error_gradient`",
                fix="give both numbers, or replace the operator by a smooth one",
            )
