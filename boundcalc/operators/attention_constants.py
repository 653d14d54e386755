"""Constants of scaled dot-product attention on bounded inputs, with their proof.

For one head and one row q of the queries the output is o = E v_I, P(I = j) = p_j =
softmax_j(z), z_j = k_jᵀq/√d.  Softmax is the gradient of a cumulant generating function, so

    ∂o[ż] = κ(v, ż),  ∂²o[ż, z̈] = κ(v, ż, z̈),  ∂³o[ż, z̈, z⃛] = κ(v, ż, z̈, z⃛),  ∂o[v̇] = E v̇,

κ the joint cumulants under p, and z is bilinear in (k, q): ż = (k̇q + kq̇)/√d, then
(k̇q̈ + k̈q̇)/√d.  Each derivative of o is a sum of cumulants of V, K and directions, by the
chain rule.  Contracted with a unit matrix G of rows g_t and summed over rows t, they are
bounded with Cauchy–Schwarz over t, Σ|g_t||q̇_t| ≤ ‖G‖‖Q̇‖, and with ‖K̇q_t‖ ≤ ρ‖K̇‖,
(Σ‖K̇q_t‖²)^½ ≤ ‖Q‖‖K̇‖, (Σ‖K̇q̇_t‖²)^½ ≤ ‖Q̇‖‖K̇‖, where ‖q_t‖ ≤ ρ and ‖Q‖ ≤ R_q.  With
κ₂(V, K) and so on for the bounds of :class:`JointCumulants`, and 1 for a unit direction:

    a_q = κ₂(V,K)/√d,   a_k = R_q κ₂(V,1)/√d,   a_v = sup ‖P‖ ≤ (Σ_t max_j p_tj)^½ ≤ √T
    A_qq = κ₃(V,K,K)/d,                  A_qk = ρκ₃(V,K,1)/d + κ₂(V,1)/√d,   A_qv = κ₂(1,K)/√d
    A_kk = ρR_q κ₃(V,1,1)/d,             A_kv = R_q κ₂(1,1)/√d,              A_vv = 0
    T_qqq = κ₄(V,K,K,K)/d^(3/2),         T_qqk = ρκ₄(V,K,K,1)/d^(3/2) + 2κ₃(V,K,1)/d
    T_kkk = ρ²R_q κ₄(V,1,1,1)/d^(3/2),   T_qkk = ρ²κ₄(V,K,1,1)/d^(3/2) + 2ρκ₃(V,1,1)/d
    T_qqv = κ₃(1,K,K)/d,                 T_qkv = ρκ₃(1,1,K)/d + κ₂(1,1)/√d
    T_kkv = ρR_q κ₃(1,1,1)/d,            T_··v with v twice = 0

The rows of P sum to 1, so that ‖P‖ ≤ ‖P‖_F ≤ (Σ_t max_j p_tj)^½.  A′_u is the norm of the
third derivative with two directions (q̇, k̇, v̇) and one in u: at most the spectral norm of the
symmetric 3×3 matrix (T_{u'u''u}), bounded by its Frobenius norm and its largest row sum.
Heads have their own columns of Q, K, V and output: all these sums run over heads too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import combinations

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.constants import ONE, ZERO, Slot
from boundcalc.operators.cumulants import cumulants
from boundcalc.operators.regions import larger, smaller
from boundcalc.spec.expressions import Expression, bounded, exact, root

_SQRT_2 = root(exact(2))


@dataclass(frozen=True)
class Values:
    """A bound of the vectors x ∈ ℝˢ that a cumulant is taken of, such as K h, ‖h‖ ≤ 1.

    Attributes
    ----------
    norm
        ‖x‖ is at most this.
    half
        max x − min x is at most twice this.
    """

    norm: Expression
    half: Expression

    @classmethod
    def of(cls, norm: Expression, half: Expression | None = None) -> Values:
        """With the range that follows from the norm, or half of it if that is smaller."""
        own = norm / _SQRT_2
        return cls(norm, own if half is None else smaller(own, half))


UNIT = Values.of(ONE)


class JointCumulants:
    """Bounds of joint cumulants of x_I, y_I, … where no probability exceeds m.

    Let X = x_I − E x_I.  Each bound is the smallest of these, all proved in
    :mod:`~boundcalc.operators.cumulants` or here:

    - c_k·Π‖x‖, c_k the bound for unit vectors;
    - by deviations, σ(X) = (E X²)^½ ≤ min(half, √m‖x‖), |X| ≤ s(X) = min(2·half, √(1+m)‖x‖):
      |κ₂| ≤ σσ, |κ₃| ≤ σσs, |κ₄| ≤ σσss + 3σσσσ;
    - by ranges: E|X|³ ≤ half³ and E X⁴ ≤ (4/3)half⁴, two-point laws with probabilities 1/2,
      and 1/6 of their product, being extreme.  With Hölder, |κ₃| ≤ Π half and, from
      κ₄ = Cov(XY, ZW) − E XZ·E YW − E XW·E YZ, |κ₄| ≤ (4/3)Π half + 2Πσ.

    Parameters
    ----------
    m
        The largest probability, 1 if unknown.
    """

    def __init__(self, m: float) -> None:
        self._unit = cumulants(m)
        self._m = bounded(m)

    def second(self, *xs: Values) -> Expression:
        """A bound of |κ₂(x, y)|."""
        return self._least(xs, 0, [_product(map(self._deviation, xs))])

    def third(self, *xs: Values) -> Expression:
        """A bound of |κ₃(x, y, z)|."""
        return self._least(xs, 1, [_product(x.half for x in xs), *self._mixed(xs)])

    def fourth(self, *xs: Values) -> Expression:
        """A bound of |κ₄(x, y, z, w)|."""
        pairs = _product(map(self._deviation, xs))
        ranges = _product(x.half for x in xs) * Fraction(4, 3) + pairs * 2
        return self._least(xs, 2, [ranges, *(mixed + pairs * 3 for mixed in self._mixed(xs))])

    def _least(self, xs: tuple[Values, ...], order: int, others: list[Expression]) -> Expression:
        ball = self._unit[order] * _product(x.norm for x in xs)
        # A formula in symbols stays short: without numbers the first is the smallest.
        return ball if ball.symbols else reduce(_clearly_smaller, others, ball)

    def _mixed(self, xs: tuple[Values, ...]) -> list[Expression]:
        """σσ·s…s for each choice of the two that σ is taken of."""
        return [
            _product(
                self._deviation(x) if i in pair else self._largest(x) for i, x in enumerate(xs)
            )
            for pair in combinations(range(len(xs)), 2)
        ]

    def _deviation(self, x: Values) -> Expression:
        return smaller(x.half, root(self._m) * x.norm)

    def _largest(self, x: Values) -> Expression:
        return smaller(x.half * 2, root(self._m + 1) * x.norm)


@dataclass(frozen=True)
class Bounds:
    """What the constants of attention are made of.

    Attributes
    ----------
    queries, row
        R_q and ρ.
    keys, values
        K h and V g for unit vectors h and g.
    width
        d, the size of a head's query.
    peak
        The largest p_tj of a row that has several keys.
    mass
        Σ_t max_j p_tj.
    """

    queries: Expression
    row: Expression
    keys: Values
    values: Values
    width: int
    peak: float
    mass: Expression


def attention_slots(bounds: Bounds) -> tuple[Slot, Slot, Slot]:
    """The constants of q, k and v; the module has the formulas."""
    kappa, v, k, x = JointCumulants(bounds.peak), bounds.values, bounds.keys, UNIT
    ball, row, d = bounds.queries, bounds.row, exact(bounds.width)
    jac_q, jac_k, jac_v = (
        kappa.second(v, k) / root(d),
        ball * kappa.second(v, x) / root(d),
        root(bounds.mass),
    )
    qq = kappa.third(v, k, k) / d
    qk = row * kappa.third(v, k, x) / d + kappa.second(v, x) / root(d)
    qv = kappa.second(x, k) / root(d)
    kk = row * ball * kappa.third(v, x, x) / d
    kv = ball * kappa.second(x, x) / root(d)
    t = third_bounds(bounds)
    third_q = _norm(
        (t["qqq"], t["qqk"], t["qqv"]), (t["qqk"], t["qkk"], t["qkv"]), (t["qqv"], t["qkv"], ZERO)
    )
    third_k = _norm(
        (t["qqk"], t["qkk"], t["qkv"]), (t["qkk"], t["kkk"], t["kkv"]), (t["qkv"], t["kkv"], ZERO)
    )
    third_v = _norm((t["qqv"], t["qkv"]), (t["qkv"], t["kkv"]))
    return (
        Slot(jac_q, jac_q, (qq, qk, qv), third_input=third_q),
        Slot(jac_k, jac_k, (qk, kk, kv), third_input=third_k),
        Slot(jac_v, jac_v, (qv, kv, ZERO), third_input=third_v),
    )


def third_bounds(bounds: Bounds) -> dict[str, Expression]:
    """The numbers T, by the inputs of their three directions; the module has the formulas."""
    kappa, v, k, x = JointCumulants(bounds.peak), bounds.values, bounds.keys, UNIT
    ball, row, d = bounds.queries, bounds.row, exact(bounds.width)
    power = d * root(d)  # d^(3/2)
    return {
        "qqq": kappa.fourth(v, k, k, k) / power,
        "qqk": row * kappa.fourth(v, k, k, x) / power + kappa.third(v, k, x) * 2 / d,
        "qkk": row**2 * kappa.fourth(v, k, x, x) / power + row * kappa.third(v, x, x) * 2 / d,
        "kkk": row**2 * ball * kappa.fourth(v, x, x, x) / power,
        "qqv": kappa.third(x, k, k) / d,
        "qkv": row * kappa.third(x, x, k) / d + kappa.second(x, x) / root(d),
        "kkv": row * ball * kappa.third(x, x, x) / d,
    }


def _norm(*rows: tuple[Expression, ...]) -> Expression:
    """A bound of the spectral norm of a symmetric matrix of nonnegative numbers."""
    squares = [entry**2 for row in rows for entry in row]
    frobenius = root(sum(squares[1:], start=squares[0]))
    if frobenius.symbols:
        return frobenius
    return smaller(frobenius, larger(*(sum(row[1:], start=row[0]) for row in rows)))


def _clearly_smaller(x: Expression, y: Expression) -> Expression:
    """The smaller bound, but x, which is often exact, where y is smaller by rounding alone."""
    return y if y.evaluate(FLOATS) < (1 - 1e-9) * x.evaluate(FLOATS) else x


def _product(factors: Iterable[Expression]) -> Expression:
    return reduce(lambda x, y: x * y, factors)
