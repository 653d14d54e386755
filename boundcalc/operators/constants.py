"""The constants of one operator, as expressions (docs/theory.md, section 1)."""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.operators.regions import larger
from boundcalc.spec.expressions import Expression, exact

ZERO = exact(0)
ONE = exact(1)


@dataclass(frozen=True)
class Slot:
    """Constants of one input y_u of an operator with several inputs.

    Attributes
    ----------
    jac_input, lip_input
        a = sup ‖∇_u f‖ and ℓ, the Lipschitz constant of y_u ↦ f.
    hess_input
        A_{u,u'} for every input u' in order: the Lipschitz constant of y_{u'} ↦ ∇_u f.
        Empty stands for zeros.
    hess_mixed
        B_u, the Lipschitz constant of y_u ↦ ∇_w f.
    third_input
        A′_u, the Lipschitz constant of y ↦ ∇_y∇_u f in all inputs together.
    """

    jac_input: Expression = ZERO
    lip_input: Expression = ZERO
    hess_input: tuple[Expression, ...] = ()
    hess_mixed: Expression = ZERO
    third_input: Expression = ZERO


@dataclass(frozen=True)
class Constants:
    """The constants of Assumption 3 for one operator.

    All suprema are over the region, all norms Euclidean and operator norms.  For an
    operator with several inputs the input constants are the largest over its inputs,
    and ``slots`` has those of each.

    Attributes
    ----------
    jac_input
        a = sup ‖∇₁f‖.
    jac_weight
        b = sup ‖∇₂f‖; 0 without weights.
    lip_input
        ℓ, the Lipschitz constant of y ↦ f(y, w).
    hess_input, hess_mixed
        A and B, the Lipschitz constants of y ↦ ∇₁f and y ↦ ∇₂f; None where there is
        none, as for an operator with a kink.
    third_input, third_mixed
        A′ and B′, the Lipschitz constants of y ↦ ∇²₁₁f and y ↦ ∇²₂₁f; None likewise.
    jac_change, mixed_change
        sup ‖∇₁f(y) − ∇₁f(y′)‖ and the same for ∇₂f, given where ``hess_input`` or
        ``hess_mixed`` is None.
    slots
        One entry for each input of an operator with several; else empty.
    """

    jac_input: Expression
    jac_weight: Expression
    lip_input: Expression
    hess_input: Expression | None
    hess_mixed: Expression | None
    third_input: Expression | None
    third_mixed: Expression | None
    jac_change: Expression | None = None
    mixed_change: Expression | None = None
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class InputConstants:
    """The constants that only a moving input makes: all of :class:`Constants` but b.

    Left out are zeros: an operator affine in (y, w) has no others.
    """

    jac_input: Expression = ZERO
    lip_input: Expression = ZERO
    hess_input: Expression | None = ZERO
    hess_mixed: Expression | None = ZERO
    third_input: Expression | None = ZERO
    third_mixed: Expression | None = ZERO
    jac_change: Expression | None = None
    mixed_change: Expression | None = None
    slots: tuple[Slot, ...] = ()


def joined(slots: tuple[Slot, ...], third_mixed: Expression = ZERO) -> InputConstants:
    """The constants of an operator with several inputs, from those of each input.

    ``third_mixed`` is B′, the Lipschitz constant of y ↦ ∇_y∇_w f in all inputs together.

    >>> str(joined((Slot(jac_input=ONE), Slot(jac_input=exact(2)))).jac_input)
    '2'
    """
    return InputConstants(
        jac_input=larger(*(slot.jac_input for slot in slots)),
        lip_input=larger(*(slot.lip_input for slot in slots)),
        hess_input=larger(ZERO, *(value for slot in slots for value in slot.hess_input)),
        hess_mixed=larger(*(slot.hess_mixed for slot in slots)),
        third_input=larger(*(slot.third_input for slot in slots)),
        third_mixed=third_mixed,
        slots=slots,
    )
