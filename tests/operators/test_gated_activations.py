"""SiLU and GELU: all critical points and the decimals of their constants, proved.

φ(t) = t(1 + s)/2 with s = tanh(q/2), where q = t for SiLU and q = Kt + Lt³ for GELU by
tanh.  φ − t/2 is even, so t ≥ 0 is enough.  For k ≥ 2, φ^(k) = (1 − s²)·P_k(t, s) with a
polynomial P_k.  Its zeros are enclosed in interval arithmetic.  GELU by the normal
distribution has φ^(k) = density·polynomial, which factors by hand.
"""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import factorial

import mpmath
import pytest
import sympy
from mpmath import iv

from boundcalc.arithmetic import SYMBOLS
from boundcalc.operators import gelu, silu

t, s, K, L = sympy.symbols("t s K L")
Q = {"silu": t, "gelu": K * t + L * t**3}
SUPREMA = {"silu": silu._SUPREMA, "gelu": gelu._TANH}
LEAST = {"silu": silu._LEAST, "gelu": gelu._LEAST["tanh"]}
FAR = 6  # beyond it Taylor coefficients at it decide
NEAR = iv.mpf("0.05")  # how far from a zero its neighbourhood reaches
TINY = iv.mpf("1e-15")  # how far from its decimal a zero may lie


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    monkeypatch.setattr(iv, "dps", 40)


@cache
def polynomial(name, k):
    """φ′ for k = 1, else P_k."""
    f = t * (1 + s) / 2
    for _ in range(k):
        f = total_derivative(name, f)
    return f if k == 1 else sympy.expand(sympy.cancel(f / (1 - s**2)))


def total_derivative(name, f):
    # s′ = q′(1 − s²)/2
    along = sympy.diff(f, t) + sympy.diff(f, s) * sympy.diff(Q[name], t) * (1 - s**2) / 2
    return sympy.expand(along)


@cache
def function(f):
    return sympy.lambdify((t, s, K, L), f, "math")


def factors():
    k = 2 * iv.sqrt(2 / iv.pi)
    return k, k * iv.mpf("0.044715")


def gate(name, x):
    """Where s = tanh(q/2) lies for t in an interval x ≥ 0; it increases."""

    def at(end):
        e = iv.exp(-function(Q[name])(iv.mpf(end), 0, *factors()))
        return (1 - e) / (1 + e)

    return iv.mpf([at(x.a).a, at(x.b).b])


def enclosed(name, f, x):
    return function(f)(x, gate(name, x), *factors())


def sign(x):
    """1 or −1 if every number of the interval has this sign, else 0."""
    return int(x.a > 0) - int(x.b < 0)


def around(point, radius):
    low = iv.mpf(point) - radius
    return iv.mpf([max(low.a, 0), (iv.mpf(point) + radius).b])


def zeros(name, k):
    """The zeros of P_k that the tables of critical points state, from 0 upwards."""
    supremum = SUPREMA[name][k - 2]
    return sorted({abs(x) for x in (*supremum.peaks, *supremum.others)})


BOTH = pytest.mark.parametrize("name", Q)
ORDERS = pytest.mark.parametrize("k", [2, 3, 4])


@BOTH
@ORDERS
def test_each_decimal_is_next_to_one_zero(name, k):
    f = polynomial(name, k)
    for zero in zeros(name, k):
        assert keeps_its_sign(name, total_derivative(name, f), around(zero, NEAR))
        if zero == 0:
            assert f.subs({t: 0, s: 0}) == 0
            continue
        assert crosses(name, f, around(zero, TINY))


def crosses(name, f, x):
    """Whether f has different signs at the ends of an interval."""
    return sign(enclosed(name, f, iv.mpf(x.a))) * sign(enclosed(name, f, iv.mpf(x.b))) == -1


def refined(name, f, x):
    """The zero of f in an interval, to 1e-30."""
    while x.delta > iv.mpf("1e-30"):
        left, right = iv.mpf([x.a, x.mid.b]), iv.mpf([x.mid.a, x.b])
        x = left if crosses(name, f, left) else right
        assert crosses(name, f, x)
    return x


@BOTH
@ORDERS
def test_there_are_no_other_zeros(name, k):
    f = polynomial(name, k)
    ends = [(0, 0), *((x - NEAR.a, x + NEAR.a) for x in zeros(name, k)), (FAR, FAR)]
    for (_, low), (high, _) in pairwise(ends):
        if low < high:
            assert keeps_its_sign(name, f, iv.mpf([low, high]))


def keeps_its_sign(name, f, x, depth=14):
    """Whether f has no zero in an interval, which is halved until that is plain."""
    if sign(enclosed(name, f, x)):
        return True
    halves = iv.mpf([x.a, x.mid.b]), iv.mpf([x.mid.a, x.b])
    return depth > 0 and all(keeps_its_sign(name, f, half, depth - 1) for half in halves)


@BOTH
@ORDERS
def test_there_are_no_zeros_far_out(name, k):
    # P_k(FAR + x, s) for x ≥ 0 and every s ∈ [s(FAR), 1]: coefficients of one sign.
    x = sympy.Symbol("x")
    coefficients = sympy.Poly(polynomial(name, k).subs(t, FAR + x).expand(), x).all_coeffs()
    gates = iv.mpf([gate(name, iv.mpf(FAR)).a, 1])
    signs = {sign(function(c)(iv.mpf(0), gates, *factors())) for c in coefficients}
    assert signs in ({1}, {-1})


@BOTH
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_decimals_are_suprema(name, k):
    supremum = SUPREMA[name][k - 1]

    def size(point):
        """|φ^(k)| next to a critical point, by the symmetry of φ − t/2."""
        x = around(abs(point), TINY)
        x = refined(name, polynomial(name, k + 1), x) if point else iv.mpf(0)
        value = enclosed(name, polynomial(name, k), x)
        if k == 1:
            return abs(value if point > 0 else 1 - value)
        return abs(value * (1 - gate(name, x) ** 2))

    bound = bound_of(supremum)
    for peak in supremum.peaks:
        assert size(peak).a <= bound.b
        assert size(peak).b <= (bound * (1 + iv.mpf("1e-25"))).b
        assert size(peak).a >= bound.a * (1 - mpmath.mpf("2e-15"))
    assert all(size(other).b < bound.a / 2 for other in supremum.others)
    # φ′ tends to 0 and 1, the others to 0.
    assert bound.a > (1 if k == 1 else 0)


def bound_of(supremum):
    """The stated bound, a decimal or a formula, as an interval."""
    with mpmath.workdps(40):
        value = mpmath.mpf(sympy.N(supremum.bound.evaluate(SYMBOLS), 40))
        return iv.mpf([value * (1 - mpmath.mpf("1e-38")), value * (1 + mpmath.mpf("1e-38"))])


@BOTH
def test_the_minimum_is_where_it_is_stated(name):
    # φ′(−t) = 1 − φ′(t), and φ′ increases up to the zero of φ″.
    assert crosses(name, 1 - polynomial(name, 1), around(-LEAST[name], TINY))
    assert -LEAST[name] < zeros(name, 2)[0]


# GELU by the normal distribution.


def test_the_normal_distributions_derivatives_factor():
    x = sympy.Symbol("x", real=True)
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    f = gelu.GELU().phi_symbolic(x)
    for k, factor in ((2, 2 - x**2), (3, x**3 - 4 * x), (4, -(x**4) + 7 * x**2 - 4)):
        assert sympy.simplify(sympy.diff(f, x, k) - density * factor) == 0
    roots = [float(sympy.sqrt((7 + sign * sympy.sqrt(33)) / 2)) for sign in (-1, 1)]
    critical = [(*g.peaks, *g.others) for g in gelu._EXACT]
    assert [sorted(points) for points in critical] == [
        [-float(sympy.sqrt(2)), float(sympy.sqrt(2))],
        [-2.0, 0.0, 2.0],
        [-roots[1], -roots[0], roots[0], roots[1]],
    ]


def test_the_normal_distributions_suprema():
    first, second, third = (bound_of(supremum) for supremum in gelu._EXACT)
    # erf 1 = 2/√π·Σ(−1)ⁿ/(n!(2n + 1)), between two partial sums.
    terms = [Fraction((-1) ** n, factorial(n) * (2 * n + 1)) for n in range(40)]
    ends = sorted([sum(terms[:-1]), sum(terms)])
    series = iv.mpf([iv.mpf(x.numerator) / x.denominator for x in ends])
    peak = iv.mpf(1) / 2 + series / iv.sqrt(iv.pi) + iv.exp(-1) / iv.sqrt(iv.pi)
    assert peak.b <= first.a <= first.b <= (peak * (1 + iv.mpf("1e-15"))).b
    zero = second - iv.sqrt(2 / iv.pi)
    assert 0 in zero
    assert abs(zero).b < 1e-30
    c = iv.sqrt((7 - iv.sqrt(33)) / 2)
    zero = third - c * (4 - c**2) * iv.exp(-(c**2) / 2) / iv.sqrt(2 * iv.pi)
    assert 0 in zero
    assert abs(zero).b < 1e-30


def test_the_normal_distributions_minimum():
    with mpmath.workdps(40):
        for move, sign_there in ((-1e-15, -1), (1e-15, 1)):
            x = mpmath.mpf(gelu._LEAST["none"]) + move
            assert mpmath.sign(mpmath.ncdf(x) + x * mpmath.npdf(x)) == sign_there
