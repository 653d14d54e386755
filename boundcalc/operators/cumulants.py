"""Bounds of the cumulants of u_I, P(I = i) = p_i: the derivatives of softmax.

Let X = u_I for a unit vector u, μ = E X, v = Var X, and no p_i above m.  The joint cumulants
of order k are symmetric k-linear forms in vectors of ℝⁿ, so that their norms are suprema
over one repeated unit vector (Banach, Studia Math. 7, 1938).  X has the range
max u − min u ≤ √2·‖u‖ = √2, and:

- v ≤ range²/4 ≤ 1/2 (Popoviciu), and v ≤ Σ p_i u_i² ≤ m;
- |κ₃| = |E(X − μ)³| ≤ √6/9: E(X − μ)³ is linear in the law of X given its mean, so
  that it is largest for two values (the extreme laws with a given mean), at distance
  d ≤ √2 with probabilities q, 1 − q: d³q(1 − q)|1 − 2q| ≤ 2√2/(6√3).  And |κ₃| ≤ v·max|X − μ|
  ≤ m√(1 + m), as u_i − μ = (e_i − p)ᵀu, ‖e_i − p‖² ≤ 1 + ‖p‖² ≤ 1 + m;
- κ₄ = E(X − μ)⁴ − 3v² is concave in the law given its mean, so that it is least for two
  values: d⁴q(1 − q)(1 − 6q(1 − q)) ≥ −d⁴/8 ≥ −1/2.  It is at most 1/3 < 1/2: E(X − μ)⁴ ≤
  d²v, and d²v − 3v² ≤ d⁴/12.  And −2v² ≤ κ₄ ≤ (1 + m)v − 3v², as v² ≤ E(X − μ)⁴ ≤ (1 + m)v.

√(1/2), √6/9 and 1/2 are attained, see :class:`~boundcalc.operators.softmax.Softmax`.
"""

from __future__ import annotations

import math
from fractions import Fraction

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.regions import rounded_up
from boundcalc.spec.expressions import Expression, exact, measured
from boundcalc.spec.grammar import parse

_GLOBAL = (exact(Fraction(1, 2)), parse("sqrt(6)/9"), exact(Fraction(1, 2)))


def cumulants(m: float) -> tuple[Expression, Expression, Expression]:
    """Bounds of |κ₂|, |κ₃|, |κ₄| for unit vectors where no p_i exceeds m ≤ 1.

    >>> [str(bound) for bound in cumulants(1.0)]
    ['1/2', 'sqrt(6)/9', '1/2']
    >>> [str(bound) for bound in cumulants(0.1)]
    ['0.1', '0.104881', '0.08']
    """
    v = min((1.0 + m) / 6.0, m)  # where (1 + m)v − 3v² is largest
    local = (m, m * math.sqrt(1.0 + m), max((1.0 + m) * v - 3.0 * v * v, 2.0 * m * m))
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
    span = min(ball * math.sqrt(n / (n - 1)), width)
    return min(1.0, rounded_up(1.0 / (1.0 + (n - 1) * math.exp(-span))))


def _smaller(local: float, everywhere: Expression) -> Expression:
    near = rounded_up(local)
    return measured(near) if near < float(everywhere.evaluate(FLOATS)) else everywhere
