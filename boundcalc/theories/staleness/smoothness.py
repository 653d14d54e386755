"""The Lipschitz constant of ∇f from the constants of a chain.

Source: docs/theory-staleness.md, Lemma 10.10.

Weights that move by d_l change activations, gradients that are passed back, and gradients by

    s_j = ℓ_j s_{j−1} + b_j d_j
    R_{j−1} = a_j R_j + V_j (A_j s_{j−1} + B_j d_j)
    e_j = b_j R_j + V_j (B_j s_{j−1} + E_j d_j)

at most, E_j ≥ ‖∇²_ww f_j‖: e = H d with a matrix H ≥ 0, whose spectral norm is the constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.theories.staleness.chain import StaleChain, stale_chain
from boundcalc.theories.staleness.coupling import ChainCoupling, Weights
from boundcalc.theories.staleness.lipschitz import weight_curvature


@dataclass(frozen=True)
class MovedChain(StaleChain):
    """The constants of a chain both of whose passes move to other weights.

    Attributes
    ----------
    E
        E_j ≥ ‖∇²_ww f_j‖, from 1.
    """

    E: tuple[Scalar, ...]

    def errors(self, d: Sequence[Scalar]) -> list[Scalar]:
        """H d: bounds on ‖∇_j f(w) − ∇_j f(w′)‖ by operator, for d by operator; O(N)."""
        size = self.size
        s = [self.zero] * (size + 1)
        for j in range(1, size + 1):
            s[j] = self.l[j] * s[j - 1] + self.b[j] * d[j]
        found = [self.zero] * (size + 1)
        R = self.zero
        for j in range(size, 0, -1):
            found[j] = self.b[j] * R + self.V[j] * (self.B[j] * s[j - 1] + self.E[j] * d[j])
            R = self.a[j] * R + self.V[j] * (self.A[j] * s[j - 1] + self.B[j] * d[j])
        return found

    def pulled(self, y: Sequence[Scalar]) -> list[Scalar]:
        """Hᵀ y by operator; O(N)."""
        through = [self.zero] * (self.size + 1)  # what R_j counts for
        for j in range(1, self.size + 1):
            through[j] = self.b[j] * y[j] + self.a[j] * through[j - 1]
        found = super().pulled(y)
        for j in range(1, self.size + 1):
            own = self.B[j] * through[j - 1] + self.E[j] * y[j]
            found[j] = found[j] + self.V[j] * own
        return found


def moved_chain(graph: OperatorGraph, kind: Arithmetic) -> MovedChain:
    """The constants of a chain in a number kind; O(N).

    Raises
    ------
    SpecError
        If a constant is missing or has no finite value, or E is not known for an operator.
    """
    chain, values = stale_chain(graph, kind), graph.values(kind)
    curvatures = [chain.zero]
    for node in graph.nodes:
        found = weight_curvature(node, graph.data)
        if found is None:
            raise SpecError(
                f"the second derivative of operator {node.id!r} in its weights is not known, so "
                "the Lipschitz constant of the gradient cannot be compiled",
                where="loss.smoothness",
                expected="`smoothness`, or operators that are affine in their weights or have a "
                "bias inside",
                fix="add `smoothness` to the `loss` section",
            )
        curvatures.append(found.evaluate(kind, values))
    own = {field.name: getattr(chain, field.name) for field in fields(StaleChain)}
    return MovedChain(**own, E=tuple(curvatures))


def smoothness(chain: MovedChain, weights: Weights, strength: Scalar, kind: Arithmetic) -> Scalar:
    """(max κ_l)^{1/2} + 2ρ, κ = HᵀHt/t, for the objective with ρ𝓡.

    Parameters
    ----------
    weights
        t by operator, near the eigenvector of HᵀH; any positive ones are sound.
    strength
        ρ: both regularisers have a 2ρ-Lipschitz gradient.
    """
    found = kind.number(0)
    for kappa in ChainCoupling(chain).shares([kind.number(t) for t in weights]):
        found = kind.maximum(found, kappa)
    return kind.sqrt(found) + 2 * strength
