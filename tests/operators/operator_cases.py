"""What the operators' tests share: instances, and derivatives taken by SymPy.

Everything here comes from an operator's symbolic form alone, so that its NumPy
passes and its constants are judged by something that does not know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import mpmath
import numpy as np
import sympy

from boundcalc.arithmetic import FLOATS
from boundcalc.operators import (
    Bilinear,
    Dense,
    LogisticLoss,
    Margin,
    Operator,
    Quadratic,
    Sigmoid,
    Sine,
    Softplus,
    SquaredLoss,
    Tanh,
)
from boundcalc.spec.expressions import Expression

ELEMENTWISE = (Sigmoid, Sine, Softplus, Tanh)


@dataclass(frozen=True)
class Case:
    operator: Operator
    inputs: int

    @property
    def weights(self):
        return self.operator.weight_size(self.inputs)

    @property
    def outputs(self):
        return self.operator.output_size(self.inputs)

    def __str__(self):
        parameters = ",".join(f"{k}={v}" for k, v in vars(self.operator).items())
        return f"{self.operator.type}({parameters}) n={self.inputs}"


CASES = (
    Case(Margin(), 3),
    Case(Dense(units=2), 3),
    Case(Dense(units=2, bias=False), 2),
    Case(Quadratic(), 3),
    Case(Bilinear(), 3),
    Case(LogisticLoss(), 1),
    Case(SquaredLoss(), 1),
    *(Case(activation(), 3) for activation in ELEMENTWISE),
    *(Case(activation(bias=True, scale="3/2"), 2) for activation in ELEMENTWISE),
)

SCALAR_CASES = (
    *(Case(operator(), 1) for operator in (Margin, Quadratic, Bilinear, LogisticLoss, SquaredLoss)),
    *(Case(Dense(units=1, bias=bias), 1) for bias in (False, True)),
    *(Case(activation(), 1) for activation in ELEMENTWISE),
    *(Case(activation(bias=True, scale="3/2"), 1) for activation in ELEMENTWISE),
)


def number(expression):
    return float(expression.evaluate(FLOATS))


def numbers(constants):
    return {
        name: number(value)
        for name, value in vars(constants).items()
        if isinstance(value, Expression)
    }


class Derivatives:
    """f, ∇₁f, ∇₂f, ∇²₁₁f, ∇²₂₁f and their derivatives in y, from the symbolic form."""

    def __init__(self, case):
        form = case.operator.symbolic(case.inputs)
        self.case = case
        self.arguments = (*form.inputs, *form.weights, form.label)
        self.inputs = form.inputs
        self.f = np.array(form.outputs, dtype=object)
        self.d1 = self.along(self.f, form.inputs)
        self.d2 = self.along(self.f, form.weights)
        self.d11 = self.along(self.d1, form.inputs)
        self.d21 = self.along(self.d2, form.inputs)

    @staticmethod
    def along(expressions, symbols):
        """One more axis: the derivative in each symbol."""
        shape = (*expressions.shape, len(symbols))
        flat = [sympy.diff(e, s) for e in expressions.ravel() for s in symbols]
        return np.array(flat, dtype=object).reshape(shape)

    @cache  # noqa: B019  (one object per case, alive for the whole run)
    def function(self, which, module="numpy"):
        flat = list(getattr(self, which).ravel())
        return sympy.lambdify(self.arguments, flat, module)

    def precise(self, which, y, w, label):
        """At one point, rounded once at the end."""
        # 1 − tanh²t loses 0.87·t digits: start with 60 more than that.
        digits = 60 + int(np.abs(y).max() + np.abs(w).max(initial=0.0))
        with mpmath.workdps(digits):
            point = [mpmath.mpf(float(x)) for x in (*y, *w, label)]
            values = [float(x) for x in self.function(which, "mpmath")(*point)]
        return np.array(values, dtype=float).reshape(getattr(self, which).shape)

    def at(self, which, y, w, labels):
        """At P points at once: y (P, n), w (P, k), labels (P,); the result is (P, …)."""
        columns = (*y.T, *w.T, labels)
        values = self.function(which)(*columns)
        shape = getattr(self, which).shape
        full = [np.broadcast_to(np.asarray(value, dtype=float), labels.shape) for value in values]
        stacked = np.stack(full, axis=-1) if full else np.zeros((len(labels), 0))
        return stacked.reshape(len(labels), *shape)


@cache
def derivatives(case):
    return Derivatives(case)
