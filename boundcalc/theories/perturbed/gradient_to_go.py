"""How the gradient depends on the state of a chain: first and second derivatives, bounded.

Start the noise-free pass at a state y of operator k.  Its adjoint v_k and its weight gradients
are functions of y; what is bounded here are their Lipschitz constants and those of their
derivatives (docs/theory.md, (4i) and (4j)).  O(N).
"""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants


@dataclass(frozen=True)
class GradientToGo:
    """By operator, 0 to N; None before an operator with a kink, or without a third derivative.

    Attributes
    ----------
    lipschitz
        min{ℓ_i, a_i}, from operator 2 on; ℓ_i at a kink.
    slope, bend
        Λ_k and M_k: Lipschitz constants of y_k ↦ v_k and of its derivative.
    weight_slope, weight_bend
        Λᵘ_i and κᵘ_i: Lipschitz constants of y_{i−1} ↦ u_i and of its derivative, from
        operator 2 on.
    """

    lipschitz: tuple[Scalar, ...]
    slope: tuple[Scalar | None, ...]
    bend: tuple[Scalar | None, ...]
    weight_slope: tuple[Scalar | None, ...]
    weight_bend: tuple[Scalar | None, ...]


def gradient_to_go(g: GraphConstants, V: tuple[Scalar, ...], kind: Arithmetic) -> GradientToGo:
    """The constants (4i) and (4j) of docs/theory.md for a chain.

    Parameters
    ----------
    g
        A graph in which every operator reads the one before it.
    V
        Bounds on ‖v_i‖, for every perturbed pass as well.

    Examples
    --------
    All constants 1, N = 3.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.graph import ChainConstants
    >>> one = (F(0), F(1), F(1), F(1))
    >>> found = gradient_to_go(ChainConstants(*[one] * 7).graph, one, RATIONALS)
    >>> [int(x) for x in found.slope[1:]], [int(x) for x in found.bend[1:]]
    ([2, 1, 0], [5, 1, 0])
    >>> [int(x) for x in found.weight_slope[2:]], [int(x) for x in found.weight_bend[2:]]
    ([2, 1], [5, 1])
    """
    N, zero = g.size, kind.number(0)
    lipschitz = [zero, zero, *(_lipschitz(g, i, kind) for i in range(2, N + 1))]
    slope: list[Scalar | None] = [zero] * (N + 1)
    bend: list[Scalar | None] = [zero] * (N + 1)
    weight_slope: list[Scalar | None] = [zero] * (N + 1)
    weight_bend: list[Scalar | None] = [zero] * (N + 1)
    for i in range(N, 1, -1):
        l, after, curve = lipschitz[i], slope[i], bend[i]  # noqa: E741 - the letter of the theory
        a, A, A3 = g.a[i][0], g.A[i][0][0], g.A3[i][0]
        b, B, B3 = g.b[i], g.B[i][0], g.B3[i]
        slope[i - 1] = weight_slope[i] = bend[i - 1] = weight_bend[i] = None
        if after is None:
            continue
        if B is not None:  # Λᵘ_i = B_i V_i + b_i ℓ_i Λ_i
            weight_slope[i] = B * V[i] + b * l * after
        if A is None:
            continue
        # Λ_{i−1} = A_i V_i + a_i ℓ_i Λ_i
        slope[i - 1] = A * V[i] + a * l * after
        if curve is None:
            continue
        if A3 is not None:  # M_{i−1} = A′_i V_i + (2 ℓ_i + a_i) A_i Λ_i + a_i ℓ_i² M_i
            bend[i - 1] = A3 * V[i] + (2 * l + a) * A * after + a * l**2 * curve
        if B is not None and B3 is not None:
            # κᵘ_i = B′_i V_i + 2 B_i ℓ_i Λ_i + b_i (ℓ_i² M_i + A_i Λ_i)
            weight_bend[i] = B3 * V[i] + 2 * B * l * after + b * (l**2 * curve + A * after)
    return GradientToGo(*map(tuple, (lipschitz, slope, bend, weight_slope, weight_bend)))


def _lipschitz(g: GraphConstants, i: int, kind: Arithmetic) -> Scalar:
    """min{ℓ_i, a_i}: by the mean value inequality a_i is a Lipschitz constant as well.

    At a kink a_i bounds the matrix that backpropagation uses, which need be no derivative.
    """
    smooth = g.A[i][0][0] is not None
    return kind.minimum(g.l[i][0], g.a[i][0]) if smooth else g.l[i][0]
