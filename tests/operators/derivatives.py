"""Derivatives of an operator, taken by SymPy from its symbolic form alone.

NumPy passes and constants are so judged by something that does not know them.
"""

from __future__ import annotations

from functools import cache

import mpmath
import numpy as np
import sympy


class Derivatives:
    """f, ∇₁f, ∇₂f and their derivatives in y, one more axis for each.

    They are named ``f``, ``d1``, ``d2``, ``d11``, ``d21``, … in the order of
    differentiation: ``d21`` is the derivative in y of ∇₂f.
    """

    def __init__(self, case):
        form = case.operator.symbolic(case.inputs)
        self.arguments = (*form.inputs, *form.weights, form.label)
        self.symbols = {"1": form.inputs, "2": form.weights}
        self.f = np.array(form.outputs, dtype=object)

    @cache  # noqa: B019  (one object per case, alive for the whole run)
    def expressions(self, which):
        if which in ("f", "d"):
            return self.f
        before, symbols = self.expressions(which[:-1]), self.symbols[which[-1]]
        flat = [sympy.diff(e, s) for e in before.ravel() for s in symbols]
        return np.array(flat, dtype=object).reshape(*before.shape, len(symbols))

    @cache  # noqa: B019  (as above)
    def function(self, which, module="scipy"):
        flat = list(self.expressions(which).ravel())
        return sympy.lambdify(self.arguments, flat, module, cse=True)

    def precise(self, which, y, w, label):
        """At one point, rounded once at the end."""
        # 1 − tanh²t loses 0.87·t digits: start with 60 more than that.
        digits = 60 + int(np.abs(y).max() + np.abs(w).max(initial=0.0))
        with mpmath.workdps(digits):
            point = [mpmath.mpf(float(x)) for x in (*y, *w, label)]
            values = [float(x) for x in self.function(which, "mpmath")(*point)]
        return np.array(values, dtype=float).reshape(self.expressions(which).shape)

    def at(self, which, y, w, labels):
        """At P points at once: y (P, n), w (P, k), labels (P,); the result is (P, …)."""
        columns = (*y.T, *w.T, labels)
        values = self.function(which)(*columns)
        full = [np.broadcast_to(np.asarray(value), labels.shape) for value in values]
        stacked = np.stack(full, axis=-1) if full else np.zeros((len(labels), 0))
        return stacked.reshape(len(labels), *self.expressions(which).shape)

    def along(self, which, y, w, labels, h):
        """The derivative in y along h (P, n), by a complex step: no difference is taken."""
        step = 1e-30
        return np.imag(self.at(which, y + 1j * step * h, w, labels)) / step


@cache
def derivatives(case):
    return Derivatives(case)
