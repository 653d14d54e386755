"""A graph's constants and perturbation levels as numbers of one kind.

All lists are indexed as in docs/theory.md, operators from 1 to N in topological order;
entry 0 is the data.  Edges have numbers as well, in the order of the operators that read
them; edge i of a chain runs from operator i − 1 to operator i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from boundcalc.arithmetic import Scalar
from boundcalc.perturbations.dependence import Dependence


@dataclass(frozen=True)
class ChainConstants:
    """Per-operator constants of a chain (docs/theory.md, section 1).

    Attributes
    ----------
    a, b
        sup ‖∇₁f_i‖ and sup ‖∇₂f_i‖.
    l
        Lipschitz constant ℓ_i of y ↦ f_i(y, w).
    A, B
        Lipschitz constants of y ↦ ∇₁f_i and y ↦ ∇₂f_i.
    A3, B3
        A′_i and B′_i: Lipschitz constants of y ↦ ∇²₁₁f_i and y ↦ ∇²₂₁f_i.
    """

    a: tuple[Scalar, ...]
    b: tuple[Scalar, ...]
    l: tuple[Scalar, ...]  # noqa: E741 - the letter of the theory
    A: tuple[Scalar, ...]
    B: tuple[Scalar, ...]
    A3: tuple[Scalar, ...]
    B3: tuple[Scalar, ...]

    @property
    def size(self) -> int:
        """N, the number of operators."""
        return len(self.a) - 1

    @cached_property
    def graph(self) -> GraphConstants:
        """The same constants as those of a graph with one slot for each operator."""
        one: Scalar | None = None  # a smooth operator has no bounded change to fall back on

        def slots(column: tuple[Scalar, ...]) -> tuple[tuple[Scalar, ...], ...]:
            return ((), *((value,) for value in column[1:]))

        numbers = range(1, self.size + 1)
        zero = self.b[1] * 0
        # What a slot that reads the data has is never used: the data does not move.
        a, l, A, A3, B = (  # noqa: E741 - the letter of the theory
            (column[0], zero, *column[2:]) for column in (self.a, self.l, self.A, self.A3, self.B)
        )
        return GraphConstants(
            inputs=((), *((v - 1,) for v in numbers)),
            edges=((), *((v,) for v in numbers)),
            a=slots(a),
            l=slots(l),
            A=((), *((row,) for row in slots(A)[1:])),
            J=((), *((one,) for _ in numbers)),
            A3=slots(A3),
            b=self.b,
            B=slots(B),
            K=(one,) * (self.size + 1),
            B3=self.B3,
            groups=tuple(range(self.size + 1)),
        )


@dataclass(frozen=True)
class Run:
    """Operators one after the other, with a bound on the norm of all their Jacobians' product.

    Attributes
    ----------
    nodes
        Numbers of its operators in order; all but the last feed the next one only.
    norm
        A bound on ‖∇f_last ⋯ ∇f_first‖, at most the product of the single bounds.
    affine
        Whether all of them are affine.
    """

    nodes: tuple[int, ...]
    norm: Scalar
    affine: bool

    @property
    def first(self) -> int:
        """The first operator."""
        return self.nodes[0]

    @property
    def last(self) -> int:
        """The last operator."""
        return self.nodes[-1]


@dataclass(frozen=True)
class GraphConstants:
    """Constants of a directed acyclic graph (docs/theory.md, section 4.8).

    A slot is one input of an operator.  An operator that reads the data has one slot,
    which reads number 0.

    Attributes
    ----------
    inputs, edges
        By operator and slot: the number of the operator that is read, and of the edge;
        slots that read the same operator share an edge.
    a, l
        By slot: sup ‖∇_u f_v‖ and the Lipschitz constant of y_u ↦ f_v.
    A
        By pair of slots u, u': the Lipschitz constant of y_{u'} ↦ ∇_u f_v; None where
        there is none.
    J
        By slot: sup ‖∇_u f_v(y) − ∇_u f_v(y′)‖, where A is None.
    A3
        By slot: the Lipschitz constant, in all inputs together, of y ↦ ∇_y∇_u f_v.
    b
        sup ‖∇_w f_v‖.
    B, K
        By slot: the Lipschitz constant of y_u ↦ ∇_w f_v; and sup ‖∇_w f_v(y) − ∇_w f_v(y′)‖
        where it is None.
    B3
        The Lipschitz constant, in all inputs together, of y ↦ ∇_y∇_w f_v.
    groups
        By operator: the number of the weights that it uses; shared weights share it.
    runs
        Runs of operators whose norms were taken together; no operator is in two.
    """

    inputs: tuple[tuple[int, ...], ...]
    edges: tuple[tuple[int, ...], ...]
    a: tuple[tuple[Scalar, ...], ...]
    l: tuple[tuple[Scalar, ...], ...]  # noqa: E741 - the letter of the theory
    A: tuple[tuple[tuple[Scalar | None, ...], ...], ...]
    J: tuple[tuple[Scalar | None, ...], ...]
    A3: tuple[tuple[Scalar | None, ...], ...]
    b: tuple[Scalar, ...]
    B: tuple[tuple[Scalar | None, ...], ...]
    K: tuple[Scalar | None, ...]
    B3: tuple[Scalar | None, ...]
    groups: tuple[int, ...]
    runs: tuple[Run, ...] = ()

    @property
    def size(self) -> int:
        """N, the number of operators."""
        return len(self.b) - 1

    @cached_property
    def run_from(self) -> dict[int, Run]:
        """Runs by their first operator."""
        return {run.first: run for run in self.runs}

    @cached_property
    def run_to(self) -> dict[int, Run]:
        """Runs by their last operator."""
        return {run.last: run for run in self.runs}

    @property
    def graph(self) -> GraphConstants:
        """Itself."""
        return self

    @cached_property
    def consumers(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """By operator: the (operator, slot) pairs that read it."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.inputs]
        for v, slots in enumerate(self.inputs):
            for k, u in enumerate(slots):
                found[u].append((v, k))
        return tuple(tuple(pairs) for pairs in found)

    @cached_property
    def outgoing(self) -> tuple[tuple[int, ...], ...]:
        """By operator: the numbers of the edges that leave it."""
        return tuple(
            tuple(dict.fromkeys(self.edges[v][k] for v, k in pairs)) for pairs in self.consumers
        )

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """The groups of operators with the same weights, in the order of their first one."""
        found: dict[int, list[int]] = {}
        for v in range(1, self.size + 1):
            found.setdefault(self.groups[v], []).append(v)
        return tuple(tuple(group) for group in found.values())

    @cached_property
    def kinked(self) -> frozenset[int]:
        """Operators with a Jacobian that has no Lipschitz constant."""
        return frozenset(
            v
            for v in range(1, self.size + 1)
            if any(value is None for row in self.A[v] for value in row)
            or any(value is None for value in self.B[v])
        )


@dataclass(frozen=True)
class UniformConstants:
    """One set of constants for all operators, as [KZY] has them.

    Attributes
    ----------
    size
        N.
    jac, lip, hess, hess_op, third
        C_∇f, L_f, L_∇f, C_∇²f, L_∇²f.
    """

    size: int
    jac: Scalar
    lip: Scalar
    hess: Scalar
    hess_op: Scalar
    third: Scalar


@dataclass(frozen=True)
class Levels:
    """How large the perturbations are (docs/theory.md, section 1).

    Attributes
    ----------
    e, m
        e_i = √E‖δ_i‖² and m_i, the size of the conditional mean of δ_i.
    q
        E‖δ_i‖⁴, or None where the spec does not say.
    eps, n
        By edge: ϵ_i = √E‖ε_i‖² and n_i, the size of the conditional mean of ε_i.
        Those of edges from the data, which never reach the gradient, are 0 or not read.
    dependence
        By operator: what is known of δ_i given the forward perturbations before it; None
        where nothing is known of any.
    """

    e: tuple[Scalar, ...]
    m: tuple[Scalar, ...]
    q: tuple[Scalar | None, ...]
    eps: tuple[Scalar, ...]
    n: tuple[Scalar, ...]
    dependence: tuple[Dependence, ...] | None = None

    @property
    def forward_centred(self) -> bool:
        """Whether every δ_i that reaches the gradient has conditional mean zero."""
        return not any(self.m[i] != 0 for i in range(1, len(self.e) - 1))

    @property
    def backward_centred(self) -> bool:
        """Whether every ε_i that reaches the gradient has conditional mean zero."""
        return not any(n != 0 for n in self.n[2:])
