"""Rounding to nearest: the relative error is at most u/(1+u)."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Rounding to nearest: a relative error of at most u/(1+u)",
    topic="classical",
    statement=r"""
Let $u = 2^{-p}$ be the unit roundoff of a binary format with $p$ digits. For every real $x$ in
the range of its normal numbers, rounding to nearest has

$$\lvert Q(x) - x\rvert \le \frac{u}{1+u}\lvert x\rvert ,$$

attained at $x = 1 + u$, half way between $1$ and its neighbour. The constant $u$ of the textbooks
is slightly larger. The error is a function of the value, not noise: its mean is as large as
itself, so that in a bound all of it counts as bias.
""",
    theorem="Jeannerod and Rump, 2018; docs/theory.md, Lemma 8.0",
    link="theory.md#81-number-formats",
    kind="tight",
    reference="C.-P. Jeannerod, S. M. Rump, On relative errors of floating-point operations: "
    "optimal bounds and applications, Mathematics of Computation 87, 803-819, 2018.",
)


def checks() -> Iterator[Check]:
    """The squared bound of each format, its mean, and the point where it is attained."""
    for name, digits, step in (("bf16", 8, -133), ("fp8_e4m3", 4, -9), ("fp8_e5m2", 3, -16)):
        u, many = Fraction(2) ** -digits, 10**6
        model = TRANSFORMS["number_format"](format=name, rounding="nearest")
        found = model.moments(Reach((many,), Fraction(256), None, None))
        small = (many - 1) * Fraction(4) ** step / 4  # of components below the normal numbers
        second = (found.second.evaluate(RATIONALS) - small) / 256**2
        yield Check(f"{name}: the squared relative error", second, (u / (1 + u)) ** 2)
        mean = (found.mean_squared.evaluate(RATIONALS) - small) / 256**2
        yield Check(f"{name}: the squared relative bias", mean, (u / (1 + u)) ** 2)
        x = np.array([[float(1 + u)]])
        error = float(abs(model.apply()(np.random.default_rng(0), x) - x)[0, 0] / x[0, 0])
        yield Check(f"{name}: error of the sampler at $1 + u$", error, u / (1 + u), rel=1e-15)
