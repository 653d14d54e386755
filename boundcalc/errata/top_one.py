"""E10: gradient descent with a Top-1 compressor, iterated in exact fractions.

ℓ(w) = ½‖Aw‖² on ℝ², gradient AᵀAw.  Top-1 keeps the entry of the gradient that is largest
in absolute value.  With momentum, m ← βm + g and w ← w − γm.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from boundcalc.errata.evidence import Check, Found, at_least, exact, shown
from boundcalc.errata.momentum_ray import PERIOD, growth_on_a_ray

Point = tuple[Fraction, Fraction]
_ORIGIN: Point = (Fraction(0), Fraction(0))


@dataclass(frozen=True)
class Method:
    """Gradient descent on ½‖Aw‖².

    Attributes
    ----------
    A
        The matrix, by rows.
    step, momentum
        γ and β.
    """

    A: tuple[tuple[int, int], tuple[int, int]]
    step: Fraction
    momentum: Fraction = Fraction(0)

    @property
    def hessian(self) -> tuple[Point, Point]:
        """AᵀA.

        >>> PLAIN.hessian
        ((Fraction(250, 1), Fraction(-240, 1)), (Fraction(-240, 1), Fraction(250, 1)))
        """
        (a, b), (c, d) = self.A
        return (Fraction(a * a + c * c), Fraction(a * b + c * d)), (
            Fraction(a * b + c * d),
            Fraction(b * b + d * d),
        )

    def gradient(self, w: Point) -> Point:
        """AᵀAw."""
        first, second = self.hessian
        return first[0] * w[0] + first[1] * w[1], second[0] * w[0] + second[1] * w[1]

    def iterate(self, w: Point, steps: int, *, compressed: bool) -> list[Point]:
        """w_0, …, w_steps; a tie of Top-1 goes to the first entry."""
        m, found = _ORIGIN, [w]
        for _ in range(steps):
            g = self.gradient(w)
            if compressed:
                g = (g[0], Fraction(0)) if abs(g[0]) >= abs(g[1]) else (Fraction(0), g[1])
            m = self.momentum * m[0] + g[0], self.momentum * m[1] + g[1]
            w = w[0] - self.step * m[0], w[1] - self.step * m[1]
            found.append(w)
        return found

    def characteristic(self, x: Fraction) -> Fraction:
        """The determinant of xI − AᵀA."""
        (a, b), (c, d) = self.hessian
        return (x - a) * (x - d) - b * c

    def stable(self) -> bool:
        """Whether every start converges without compression (the Jury conditions).

        z² − (1 + β − γλ) z + β has its roots inside the unit circle iff 0 < γλ < 2(1 + β),
        0 ≤ β < 1.  All eigenvalues λ lie in (0, b) iff the characteristic polynomial is
        positive at 0 and at b and the mean of the eigenvalues lies between.
        """
        edge = 2 * (1 + self.momentum) / self.step
        middle = (self.hessian[0][0] + self.hessian[1][1]) / 2
        positive = self.characteristic(Fraction(0)) > 0 and self.characteristic(edge) > 0
        return positive and 0 < middle < edge and self.momentum < 1


PLAIN = Method(((-15, 13), (-5, 9)), Fraction(1, 10))
#: The same objective with a step below 2/490.
SLOW = Method(PLAIN.A, Fraction(1, 500))
MOMENTUM = Method(((-5, -4), (-5, 3)), Fraction(1, 20), Fraction(9, 10))

ON_EIGENVECTOR: Point = (Fraction(1), Fraction(1))
BESIDE: Point = (Fraction(1), 1 + Fraction(1, 10**9))
_STEPS, _SLOW_STEPS, _LONG = 20, 800, 400


def size(w: Point) -> Fraction:
    """‖w‖_∞."""
    return max(abs(w[0]), abs(w[1]))


def plain_descent(*, method: Method = PLAIN) -> tuple[list[Check], list[Fraction]]:
    """The SGD case: what is printed as convergence, and what happens beside that start.

    Returns
    -------
    The checks, and ‖w_T‖ beside the eigenvector without and with Top-1, T = 20.
    """
    on = method.iterate(ON_EIGENVECTOR, _STEPS, compressed=False)
    beside = method.iterate(BESIDE, _STEPS, compressed=False)
    compressed = method.iterate(ON_EIGENVECTOR, _STEPS, compressed=True)
    slow = [SLOW.iterate(BESIDE, _SLOW_STEPS, compressed=c)[-1] for c in (False, True)]
    # Along (1, −1), the eigenvector of 490, each step multiplies by 1 − 490γ.
    part = [w[0] - w[1] for w in beside]
    checks = [
        Check(
            "the eigenvalues of AᵀA are 10 and 490",
            [method.characteristic(Fraction(x)) for x in (10, 490)] == [0, 0],
        ),
        Check("γ = 1/10 is above the limit 2/490", method.step > Fraction(2, 490)),
        Check("from (1, 1) one step lands on 0", on[1] == _ORIGIN and on[-1] == _ORIGIN),
        Check(
            "beside it the part along (1, −1) is multiplied by −48 each step: it diverges",
            all(y == -48 * x for x, y in pairwise(part)) and part[0] != 0,
        ),
        Check(
            "with Top-1 the second entry is multiplied by −24 each step from the second on",
            all(a[0] == b[0] == 0 and b[1] == -24 * a[1] for a, b in pairwise(compressed[1:])),
        ),
        Check(
            f"with γ = 1/500 both converge: ‖w‖ below 10⁻⁴ after {_SLOW_STEPS} steps",
            all(size(w) < Fraction(1, 10**4) for w in slow),
        ),
    ]
    return checks, [size(beside[-1]), size(compressed[-1])]


def momentum_case(*, method: Method = MOMENTUM) -> tuple[list[Check], list[Fraction]]:
    """The momentum case is sound: heavy ball is stable, with Top-1 it is not.

    Returns
    -------
    The checks; ‖w_T‖ from (1, 1) without and with Top-1, T = 400; a lower bound on the growth.
    """
    without, with_top = (
        size(method.iterate(ON_EIGENVECTOR, _LONG, compressed=c)[-1]) for c in (False, True)
    )
    on_axis = method.iterate((Fraction(1), Fraction(0)), _LONG, compressed=True)
    growth = growth_on_a_ray(method.hessian, method.step, method.momentum)
    checks = [
        Check(
            "from (1, 0) Top-1 stays on the axis and converges: not every start diverges",
            all(w[1] == 0 for w in on_axis) and size(on_axis[-1]) < Fraction(1, 10**8),
        ),
        Check("without compression every start converges (Jury conditions)", method.stable()),
        Check(
            f"from (1, 1), {_LONG} steps: below 10⁻⁸ without compression, above 100 with Top-1",
            without < Fraction(1, 10**8) and with_top > 100,
        ),
        Check(
            f"with Top-1 there is a state that {PERIOD} steps multiply by a number above 1: "
            "from it the iterates diverge",
            growth is not None and growth > 1,
        ),
    ]
    return checks, [without, with_top, growth or Fraction(0)]


def top_one(*, plain: Method = PLAIN, momentum: Method = MOMENTUM) -> Found:
    """Both cases of the appendix.

    Parameters
    ----------
    plain, momentum
        The two methods; with another step size the evidence fails.
    """
    first, (beside, compressed) = plain_descent(method=plain)
    second, (without, with_top, growth) = momentum_case(method=momentum)
    line = (
        f"uncompressed from (1, 1+10⁻⁹): ‖w‖ = {shown(beside)} after {_STEPS} steps, from (1, 1) "
        f"0 after one; momentum from (1, 1), {_LONG} steps: {shown(without)}, with Top-1 "
        f"{shown(with_top)}"
    )
    return Found(
        line,
        (
            exact("‖w₂₀‖ uncompressed, from (1, 1 + 10⁻⁹)", beside),
            exact("‖w₂₀‖ with Top-1, from (1, 1)", compressed),
            exact("momentum: ‖w₄₀₀‖ uncompressed, from (1, 1)", without),
            exact("momentum: ‖w₄₀₀‖ with Top-1, from (1, 1)", with_top),
            at_least(f"momentum, Top-1: growth over {PERIOD} steps on a ray", growth),
        ),
        (*first, *second),
    )
