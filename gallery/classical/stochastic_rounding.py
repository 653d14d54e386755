"""Stochastic rounding of floating-point numbers: unbiased, with a known variance."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Stochastic rounding is unbiased, with variance at most u²x²/(4(1+u))",
    topic="classical",
    statement=r"""
Let $u = 2^{1-p}$ be the distance of neighbours in $[1, 2)$. Round $y = a + \theta h$ between the
neighbours $a$ and $a + h$ up with probability $\theta$. Then $\mathbb{E}\thinspace Q(y) = y$
exactly, and

$$\sup_{y\ \text{normal}} \frac{\mathbb{E}(Q(y)-y)^2}{y^2} = \frac{u^2}{4(1+u)} ,$$

attained at $y = 1 + u/(2+u)$: for bf16, $u = 2^{-7}$, this is $1.51405\cdot10^{-5}$. Below the
smallest normal number the variance is absolute, at most a quarter of the square of the spacing
there.
""",
    theorem="docs/theory.md, Lemma 8.0",
    link="theory.md#81-number-formats",
    kind="tight",
    reference="Unbiasedness: M. P. Connolly, N. J. Higham, T. Mary, Stochastic rounding and its "
    "probabilistic backward error analysis, SIAM Journal on Scientific Computing 43(1), "
    "A566-A585, 2021. The supremum is elementary.",
)


def at_worst(u: Fraction) -> Fraction:
    """E(Q(y) − y)²/y² at y = 1 + u/(2+u), from the two outcomes."""
    y = 1 + u / (2 + u)
    up = (y - 1) / u
    return (up * (1 + u - y) ** 2 + (1 - up) * (y - 1) ** 2) / y**2


def checks() -> Iterator[Check]:
    """The bound of each format, where it is attained, and the mean of a sample."""
    for name, digits in (("bf16", 8), ("fp16", 11), ("fp8_e4m3", 4), ("fp8_e5m2", 3)):
        u, reach = Fraction(2) ** (1 - digits), Reach((10**6,), Fraction(256), None, None)
        model = TRANSFORMS["number_format"](format=name, rounding="stochastic")
        step = {"bf16": -133, "fp16": -24, "fp8_e4m3": -9, "fp8_e5m2": -16}[name]
        small = (10**6 - 1) * Fraction(4) ** step / 4
        found = (model.moments(reach).second.evaluate(RATIONALS) - small) / 256**2
        yield Check(f"{name}: the relative part of the bound", found, u**2 / (4 * (1 + u)))
        yield Check(f"{name}: attained at $1 + u/(2+u)$", found, at_worst(u))
    u = Fraction(1, 128)
    yield Check(
        "bf16, published digits",
        float(at_worst(u)),
        1.51405e-5,
        rel=1e-6,
        why="six digits are printed",
    )
    drawn, y = 1_000_000, float(1 + u / 3)
    model = TRANSFORMS["number_format"](format="bf16", rounding="stochastic").apply()
    rounded = model(np.random.default_rng(1), np.full((drawn, 1), y))
    spread = 4 * float(u) * (2 / 9 / drawn) ** 0.5
    yield Check(
        "bf16: mean of a million draws at $1 + u/3$",
        float(rounded.mean()),
        y,
        rel=spread,
        sampled="a fixed seed, four standard errors, 99.99 per cent",
    )
