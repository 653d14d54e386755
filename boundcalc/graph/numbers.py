"""A graph's constants and perturbation levels as numbers of one kind.

All lists are indexed as in docs/theory.md, from 1 to N; entry 0 is padding, a
zero that nothing reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import Scalar


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
        ϵ_i = √E‖ε_i‖² and n_i, the size of the conditional mean of ε_i.
    """

    e: tuple[Scalar, ...]
    m: tuple[Scalar, ...]
    q: tuple[Scalar | None, ...]
    eps: tuple[Scalar, ...]
    n: tuple[Scalar, ...]

    @property
    def forward_centred(self) -> bool:
        """Whether every δ_i that reaches the gradient has conditional mean zero."""
        return not any(self.m[i] != 0 for i in range(1, len(self.e) - 1))

    @property
    def backward_centred(self) -> bool:
        """Whether every ε_i that reaches the gradient has conditional mean zero."""
        return not any(self.n[i] != 0 for i in range(2, len(self.e)))
