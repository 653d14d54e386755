"""Bounds of the cumulants of u_I, P(I = i) = p_i: the derivatives of softmax.

Let X = u_I − E u_I for a unit vector u, v = E X², and no p_i above m.  The joint cumulants
of order k are symmetric k-linear forms in vectors of ℝⁿ, so that their norms are suprema
over one repeated unit vector (Banach, Studia Math. 7, 1938).  The range of X has the
length d = max u − min u ≤ √2, and |X| ≤ D = √(1 + m), since u_i − E u_I = (e_i − p)ᵀu and
‖e_i − p‖² ≤ 1 + ‖p‖² ≤ 1 + m.  Then:

- κ₂ = v ≤ d²/4 ≤ 1/2 (Popoviciu), and v ≤ Σ p_i u_i² ≤ m;
- |κ₃| = |E X³| ≤ √6/9: given its mean, the third moment is linear in the law, so that it
  is largest for a law on two points (the extreme ones), with probabilities q and 1 − q:
  d³q(1 − q)|1 − 2q| ≤ 2√2/(6√3).  And |κ₃| ≤ v(D − v/D) ≤ m/√(1 + m), from
  E (D ∓ X)(X ± v/D)² ≥ 0 and v ≤ m ≤ D²/2;
- κ₄ = E X⁴ − 3v² is concave in the law given its mean, so that it is least on two points:
  d⁴q(1 − q)(1 − 6q(1 − q)) ≥ −d⁴/8 ≥ −1/2; and E X⁴ ≤ d²v, so that κ₄ ≤ d⁴/12 ≤ 1/3.
  And −2v² ≤ κ₄ ≤ D²v − 3v², as v² ≤ E X⁴ ≤ D²v.

1/2, √6/9 and 1/2 are attained, see :class:`~boundcalc.operators.softmax.Softmax`.
"""

from __future__ import annotations

import math
from fractions import Fraction

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.balls import upper_value
from boundcalc.operators.rounding import above
from boundcalc.spec.expressions import Expression, bounded, exact
from boundcalc.spec.grammar import parse

_GLOBAL = (exact(Fraction(1, 2)), parse("sqrt(6)/9"), exact(Fraction(1, 2)))


def cumulants(m: float) -> tuple[Expression, Expression, Expression]:
    """Bounds of |κ₂|, |κ₃|, |κ₄| for unit vectors where no p_i exceeds m ≤ 1.

    >>> [str(bound) for bound in cumulants(1.0)]
    ['1/2', 'sqrt(6)/9', '1/2']
    >>> [str(bound) for bound in cumulants(0.1)]
    ['0.1', '0.0953463', '0.08']
    """
    q = Fraction(m)
    v = min((1 + q) / 6, q)  # where (1 + m)v − 3v² is largest
    local = (
        m,
        upper_value(lambda x: x / (1 + x).sqrt(), m),
        above(max((1 + q) * v - 3 * v * v, 2 * q * q)),
    )
    return tuple(map(_smaller, local, _GLOBAL))  # type: ignore[return-value]


def peak(n: int, ball: float, width: float) -> float:
    """The largest that one of n components of softmax(z) can be.

    With ‖z‖ ≤ ball it is 1/(1 + (n − 1)e^{−ball·√(n/(n−1))}): p_i = 1/Σ_j e^{z_j − z_i}, where
    by Jensen the others sum to (n − 1)e^t at least, t the mean of z_j − z_i over j ≠ i,
    and t ≥ −ball·√(1 + 1/(n − 1)) by Cauchy–Schwarz; attained.  With all z in an interval
    of this width it is 1/(1 + (n − 1)e^{−width}).

    >>> peak(2, math.inf, math.inf), round(peak(11, math.inf, 0.0), 6)
    (1.0, 0.090909)
    """
    if n == 1:
        return 1.0
    most = width
    if math.isfinite(ball):
        turned = upper_value(lambda r, x: r * x.sqrt(), ball, Fraction(n, n - 1))
        most = min(turned, width)
    if math.isinf(most):
        return 1.0
    return upper_value(lambda x: 1 / (1 + (n - 1) * (-x).exp()), most)


def _smaller(local: float, everywhere: Expression) -> Expression:
    return bounded(local) if local < float(everywhere.evaluate(FLOATS)) else everywhere
