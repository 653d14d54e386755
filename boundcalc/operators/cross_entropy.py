"""The cross-entropy of a softmax, from logits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import DataError, SpecError
from boundcalc.operators.balls import Ball, at_least, at_most, ball, upper_value, working
from boundcalc.operators.base import (
    ZERO,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    Shape,
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.regions import reach
from boundcalc.operators.rounding import above, upper
from boundcalc.spec.expressions import Expression, bounded, exact, root
from boundcalc.spec.grammar import parse

_JAC, _HESS, _THIRD = parse("sqrt(2)"), parse("1/2"), parse("sqrt(6)/9")


@final
class CrossEntropyLoss(Operator):
    """f = ln Σ_j exp(y_j) − y_label, K ≥ 2 logits y, label one of 0, …, K − 1.

    With p = softmax(y), and e the label's basis vector:

    - ∇f = p − e, and ‖p − e‖² = (1 − p_label)² + Σ_{j ≠ label} p_j² ≤ 2(1 − p_label)²:
      a = ℓ = √2, the limit for p_label → 0 and all other mass on one class;
    - hᵀ∇²f h = Var h_J, J drawn from p (∇²f = diag(p) − ppᵀ).  A variable in an interval
      of length d has variance ≤ d²/4 (Popoviciu), and max h − min h ≤ √2·‖h‖: A = 1/2,
      attained at p = (1/2, 1/2) in the direction (1, −1)/√2;
    - ∇³f[h, h, h] = E(h_J − E h_J)³.  With the mean given, the extreme distributions on
      an interval have two points (a third central moment is linear in the distribution
      then); with masses q, 1 − q at a distance d it is q(1 − q)(1 − 2q)d³ ≤ d³/(6√3).
      So |∇³f[h, h, h]| ≤ (√2)³/(6√3)·‖h‖³, and the norm of a symmetric trilinear form
      is attained on the diagonal (Banach): A′ = √6/9, attained for K = 2;
    - no weights: b = B = B′ = 0.

    On a region these are smaller.  Let d bound y_i − y_j: √2·R_y, or the length of the
    interval.  By Jensen's inequality ln Σ_{j ≠ i} exp(y_j) − y_i ≥ ln(K − 1) − c with
    c = R_y·√(K/(K − 1)), or d if that is smaller, so

    - p_i ≤ p̄ = 1/(1 + (K − 1)e^{−c}), and 1 − p_i ≤ s = 1/(1 + e^{−d}/(K − 1));
    - of the mass off the label, no class has a share above q = 1/(1 + (K − 2)e^{−d}), so
      Σ_{j ≠ label} p_j² ≤ q·s² and a ≤ s·√(1 + q);
    - λ_max(diag(p) − ppᵀ) ≤ max p_i: A ≤ p̄;
    - |h_i − E h_J| ≤ ‖e_i − p‖·‖h‖: A′ ≤ a·A.

    The loss is −ln p_label: −ln p̄ ≤ f ≤ −ln(1 − s).

    References
    ----------
    Popoviciu, *Sur les équations algébriques ayant toutes leurs racines réelles*,
    Mathematica (Cluj) 9 (1935) 129-145.  Banach, *Über homogene Polynome in (L²)*,
    Studia Mathematica 7 (1938) 36-44.

    Examples
    --------
    >>> loss = CrossEntropyLoss()
    >>> loss.forward(np.array([[[0.0, 1e3]]]), np.zeros((1, 0)), np.array([[0.0]])).tolist()
    [[[1000.0]]]
    >>> print(loss.constants(Region(), None, reads=False).third_input)
    sqrt(6)/9
    >>> loss.shaped(((3,),)).check_labels(np.array([0.0, 3.0]))
    Traceback (most recent call last):
        ...
    boundcalc.errors.DataError: a label of a `cross_entropy` operator is no class
      found:    3.0
      expected: a whole number from 0 to 2, since there are 3 logits
      fix:      number the classes from 0, and give the operator one logit for each
    """

    type: ClassVar[str] = "cross_entropy"
    uses_label: ClassVar[bool] = True

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """One axis of logits, at least two."""
        (shape,) = shapes
        if len(shape) != 1:
            raise SpecError(
                f"a `{self.type}` operator takes one vector of logits",
                value="×".join(map(str, shape)),
                expected="an input with one axis",
                fix="let a `dense` operator with one unit for each class stand before it",
            )
        self.output_size(shape[0])

    def output_size(self, inputs: int) -> int:
        """1 for two logits or more."""
        if inputs < 2:
            raise SpecError(
                f"a `{self.type}` operator takes a logit for each class",
                value=inputs,
                expected="an input of size 2 or more",
                fix="let the operator before it have one output for each class; for two "
                "classes and one output, use `logistic`",
            )
        return 1

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def check_labels(self, labels: Array) -> None:
        """Labels are whole numbers from 0, below the number of logits where that is known."""
        self._check(labels, self.shapes[0][0] if self.shapes else None)

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The loss ln Σ_j exp(y_j) − y_label."""
        logits, classes = self._matched(y, labels)
        top = logits.argmax(axis=-1)[..., None]
        shifted = logits - np.take_along_axis(logits, top, axis=-1)
        own = np.take_along_axis(shifted, classes, axis=-1)
        others = np.exp(shifted)
        np.put_along_axis(others, top, 0.0, axis=-1)  # the largest is the 1 of log1p
        loss = np.log1p(others.sum(axis=-1, keepdims=True)) - own
        return spread(loss, replicas(y, w, labels))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The difference softmax(y) − e, times v."""
        logits, classes = self._matched(y, labels)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        total = weights.sum(axis=-1, keepdims=True)
        # The label's entry is minus the sum of the others: p_label − 1 would cancel.
        np.put_along_axis(weights, classes, 0.0, axis=-1)
        np.put_along_axis(weights, classes, -weights.sum(axis=-1, keepdims=True), axis=-1)
        back = spread(weights / total * v, replicas(y, w, labels, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The loss ln Σ_j exp(y_j) − y_label."""
        import sympy

        y, w, label = symbols(inputs, 0)
        pieces = [(yj, sympy.Eq(label, j)) for j, yj in enumerate(y[:-1])]
        own = sympy.Piecewise(*pieces, (y[-1], True))
        return SymbolicForm(y, w, label, (sympy.log(sum(map(sympy.exp, y))) - own,))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants of :class:`CrossEntropyLoss`; √2, 1/2, √6/9 if K is not known."""
        jac, hess, third = _JAC, _HESS, _THIRD
        if self.shapes:
            count = self.shapes[0][0]
            largest, off = _probabilities(region, count)
            share = _share(count - 2, _difference(region))
            jac = _below(jac, upper_value(lambda s, q: s * (1 + q).sqrt(), off, share))
            hess = _below(hess, largest)
            third = _below(third, upper(jac * hess))
        return InputConstants(jac_input=jac, lip_input=jac, hess_input=hess, third_input=third)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """From −ln p̄ to ln(1 + (K − 1)eᵈ)."""
        if not self.shapes:
            return Domain(low=0.0)
        count = self.shapes[0][0]
        most, least = _difference(region), -_contrast(region, count)
        with working():
            high = math.inf if math.isinf(most) else at_most(_log_sum(most, count - 1))
            low = 0.0 if math.isinf(least) else at_least(_log_sum(least, count - 1))
        return Domain(None, low, high).within(1)

    def _matched(self, y: Array, labels: Array) -> tuple[Array, npt.NDArray[np.intp]]:
        """The logits and, as (R, M, 1), the classes, with the same R."""
        self._check(labels, y.shape[-1])
        count = replicas(y, labels)
        classes = np.broadcast_to(labels[..., None].astype(np.intp), (count, y.shape[1], 1))
        return np.broadcast_to(y, (count, *y.shape[1:])), classes

    def _check(self, labels: Array, count: int | None) -> None:
        wrong = labels[
            ~((labels >= 0) & (labels < (count or math.inf)) & (labels == np.floor(labels)))
        ]
        if wrong.size:
            known = "" if count is None else f" to {count - 1}, since there are {count} logits"
            raise DataError(
                f"a label of a `{self.type}` operator is no class",
                value=float(wrong.flat[0]),
                expected=f"a whole number from 0{known}",
                fix="number the classes from 0, and give the operator one logit for each",
            )


def _difference(region: Region) -> float:
    """The d that bounds y_i − y_j, rounded up."""
    low, high = region.interval()
    radius = None if region.input is None else root(exact(2)) * region.input
    return min(reach(radius), _width(low, high))


def _contrast(region: Region, count: int) -> float:
    """The c that bounds y_i minus the mean of the others, rounded up."""
    low, high = region.interval()
    factor = root(exact(Fraction(count, count - 1)))
    radius = None if region.input is None else factor * region.input
    return min(reach(radius), _width(low, high))


def _log_sum(t: float, count: int) -> Ball:
    """ln(1 + count·eᵗ)."""
    return (count * ball(t).exp()).log1p()


def _width(low: float, high: float) -> float:
    """The length of an interval, rounded up."""
    if math.isinf(high - low):
        return math.inf
    return above(Fraction(high) - Fraction(low))


def _share(count: int, distance: float) -> float:
    """1/(1 + count·e^{−distance}), rounded up."""
    if math.isinf(distance):
        return 1.0
    return upper_value(lambda d: 1 / (1 + count * (-d).exp()), distance)


def _probabilities(region: Region, count: int) -> tuple[float, float]:
    """The bounds p̄ of a probability and s of one minus a probability."""
    largest, distance = _share(count - 1, _contrast(region, count)), _difference(region)
    if math.isinf(distance):
        return largest, 1.0
    return largest, upper_value(lambda d: 1 / (1 + (-d).exp() / (count - 1)), distance)


def _below(constant: Expression, value: float) -> Expression:
    """The value where it is smaller than the constant."""
    return bounded(value) if value < constant.evaluate(FLOATS) else constant
