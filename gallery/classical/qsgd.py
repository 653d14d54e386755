"""QSGD: stochastic rounding to s levels of the norm."""

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

from boundcalc.arithmetic import RATIONALS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.perturbations.transform import Reach
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="QSGD: stochastic rounding to s levels of the norm",
    topic="classical",
    statement=r"""
Round every component of $v \in \mathbb{R}^n$ at random to one of the two neighbouring multiples
of $\lVert v\rVert/s$, without bias. Then

$$\mathbb{E}\lVert Q(v) - v\rVert^2 \le \min\Bigl\{\frac n{s^2}, \frac{\sqrt n}s\Bigr\}\lVert
v\rVert^2 .$$

Between neighbours at distance $h$ the variance is at most $h^2/4$ (Lemma 8.0), so that the first
entry may be $n/(4s^2)$: that is what rounding to int4 or int8 has here, on a ball whose radius is
$s = 7$ or $127$ steps. The second entry, the smaller one for $n > 16s^2$, is the same.
""",
    theorem="Alistarh et al., Lemma 3.1 (ii); docs/theory.md, Lemma 8.0",
    link="theory.md#81-number-formats",
    kind="upper",
    reference="D. Alistarh, D. Grubic, J. Li, R. Tomioka, M. Vojnovic, QSGD: communication- "
    "efficient SGD via gradient quantization and encoding, NeurIPS 2017, "
    "arXiv:1610.02132.",
)


def bound(n: int, bits: int) -> tuple[int, Fraction]:
    """s = 2^(b−1) − 1, and the relative second moment on a ball whose radius is s steps."""
    step, s = Fraction(2) ** (1 - bits), 2 ** (bits - 1) - 1
    model = TRANSFORMS["number_format"](format=f"int{bits}", rounding="stochastic", scale=str(step))
    moments = model.moments(Reach((n,), s * step, None, None))
    return s, moments.second.evaluate(RATIONALS) / (s * step) ** 2


def checks() -> Iterator[Check]:
    """Never above the lemma, and a quarter of it where the first entry counts."""
    for n, bits in ((16, 4), (144, 4), (1024, 4), (1024, 8), (1_000_000, 8)):
        s, found = bound(n, bits)
        says = f"$n = {n}$, $s = {s}$"
        root = isqrt(n)  # of these n exact
        published = min(Fraction(n, s**2), Fraction(root, s))
        yield Check(f"{says}: QSGD's bound", found, published, "at most")
        yield Check(f"{says}: with $h^2/4$", found, min(Fraction(n, 4 * s**2), Fraction(root, s)))


def figure() -> "Figure":
    """Both bounds against the number of components, four bits."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        sizes = [k**2 for k in range(1, 60, 2)]
        panel.loglog(
            sizes,
            [min(n / 49, n**0.5 / 7) for n in sizes],
            "--",
            color=OBSERVED,
            label="QSGD, Lemma 3.1",
        )
        panel.loglog(
            sizes,
            [float(bound(n, 4)[1]) for n in sizes],
            color=LOOKS["sharp"].colour,
            label="with $h^2/4$",
        )
        panel.set_xlabel("components $n$, with $s = 7$ levels")
        panel.set_ylabel(r"$\mathbb{E}\|Q(v)-v\|^2/\|v\|^2$")
        panel.legend()
    return found
