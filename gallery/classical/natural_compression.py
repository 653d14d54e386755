"""Natural compression: rounding at random to powers of two."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Natural compression has ω = 1/8",
    topic="classical",
    statement=r"""
Round $\lvert x\rvert = (1+t)2^e$, $0 \le t < 1$, to $2^{e+1}$ with probability $t$ and to $2^e$
otherwise. This is unbiased, and $\mathbb{E}(Q(x) - x)^2 = \frac{t(1-t)}{(1+t)^2}x^2$, which is
largest at $t = \frac13$: for every vector

$$\mathbb{E}\lVert Q(x) - x\rVert^2 \le \tfrac18\lVert x\rVert^2 ,$$

with nine bits for a component in place of 32. Of one component the fourth moment is at most
$\frac{23}{500}x^4$.
""",
    theorem="Horváth et al., Theorem 1; docs/theory.md, Lemma 8.4",
    link="theory.md#82-compressors",
    kind="tight",
    reference="S. Horváth, C.-Y. Ho, L. Horváth, A. N. Sahu, M. Canini, P. Richtárik, Natural "
    "compression for distributed deep learning, 2019, arXiv:1905.10988.",
)


def relative(t: Fraction, power: int) -> Fraction:
    """E(Q(x) − x)^p/x^p at x = 1 + t, from the two outcomes."""
    up, down = (1 - t) ** power, t**power
    return (t * up + (1 - t) * down) / (1 + t) ** power


def checks() -> Iterator[Check]:
    """The bounds on the unit ball, attained at 4/3, and never exceeded on a grid."""
    found = TRANSFORMS["natural"]().moments(Reach((1,), Fraction(1), None, None))
    second, fourth = (m.evaluate(RATIONALS) for m in (found.second, found.fourth))
    grid = [Fraction(k, 3000) for k in range(3000)]
    yield Check("second moment on the unit ball", second, relative(Fraction(1, 3), 2))
    yield Check(
        "second moment, against all outcomes on a grid",
        second,
        max(relative(t, 2) for t in grid),
        "at least",
    )
    yield Check(
        "fourth moment, against all outcomes on a grid",
        fourth,
        max(relative(t, 4) for t in grid),
        "at least",
    )
    yield Check(
        "fourth moment, no more than half a per cent above that",
        fourth,
        max(relative(t, 4) for t in grid),
        rel=5e-3,
        why="the bound is a rounded fraction, 23/500, above an irrational maximum",
    )
    yield Check("bits of a component", TRANSFORMS["natural"]().bits(1), 9)
    large = TRANSFORMS["natural"]().moments(Reach((100,), Fraction(2), None, None)).second
    yield Check(
        "second moment of a hundred components, radius 2", large.evaluate(RATIONALS), Fraction(4, 8)
    )


def figure() -> "Figure":
    """The variance over one binade."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.6)
        at = [Fraction(k, 200) for k in range(201)]
        panel.plot(
            [float(1 + t) for t in at],
            [float(relative(t, 2)) for t in at],
            color=LOOKS["sharp"].colour,
        )
        panel.axhline(1 / 8, linestyle="--", color="#777777")
        panel.annotate(r"$\frac{1}{8}$ at $x = \frac{4}{3}$", (4 / 3, 1 / 8), (1.29, 0.095))
        panel.set_xlabel("$x$")
        panel.set_ylabel(r"$\mathbb{E}(Q(x)-x)^2/x^2$")
        panel.set_ylim(0, 0.14)
    return found
