"""Signs need no moment: the mean sign of a noisy gradient."""

from collections.abc import Iterator
from fractions import Fraction
from math import erf, sqrt
from typing import TYPE_CHECKING

from scipy import stats

from boundcalc.arithmetic import INTERVALS, RATIONALS
from boundcalc.theories.distributed.sign_functions import density_peak, sign_drift, xi
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Signs need no moment: c_ν = 1/2 for Cauchy noise",
    topic="agents",
    statement=r"""
Under noise $\sigma\xi$ with Student's law $t_\nu$, any $\nu > 0$, the sign of a component has the
mean $2\Xi_\nu(\partial f/\sigma)$, $\Xi_\nu = F_{t_\nu} - \frac12$, and for $x \ge 0$

$$2\Xi_\nu(x) \ge c_\nu\min(x, 1) , \qquad c_\nu = 2\Xi_\nu(1) :$$

$c_1 = \frac12$ for Cauchy noise, which has no mean, $c_2 = 1/\sqrt3$, and
$c_\infty = \operatorname{erf}(1/\sqrt2)$ for Gaussian noise. For $\nu > 1$,
$\sqrt{(\nu-1)/(\nu+1)} \le \Xi_\nu/\Xi_\infty \le 1$. The largest density is
$M_\nu = \Gamma(\frac{\nu+1}2)/(\sqrt{\pi\nu}\thinspace\Gamma(\frac\nu2))$.
""",
    theorem="docs/theory-distributed.md, Lemma 12.7",
    link="theory-distributed.md#124-dsignsgd",
    kind="exact",
    reference="Setting: [COM] E. Monzio Compagnoni et al., arXiv:2506.00181. Student's law by "
    "SciPy.",
)


def mean_sign(nu: Fraction | None, x: Fraction) -> float:
    """2Ξ_ν(x)."""
    law = None if nu is None else INTERVALS.number(nu)
    return 2 * float(xi(law, INTERVALS.number(x), INTERVALS))


def checks() -> Iterator[Check]:
    """c_ν in closed form and by SciPy, the chord, the comparison, and the peak."""
    yield Check("$c_1$", sign_drift(Fraction(1), RATIONALS), Fraction(1, 2))
    closed = {Fraction(2): 1 / sqrt(3), None: erf(1 / sqrt(2))}
    for nu, stated in closed.items():
        yield Check(
            f"$c_\\nu$, $\\nu = {nu or 'infinite'}$", mean_sign(nu, Fraction(1)), stated, rel=1e-14
        )
    for nu in (Fraction(1, 2), Fraction(3, 2), Fraction(5)):
        law, kind = stats.t(float(nu)), INTERVALS
        found = mean_sign(nu, Fraction(1))
        yield Check(f"$c_\\nu$ by SciPy, $\\nu = {nu}$", found, 2 * law.cdf(1) - 1, rel=1e-12)
        yield Check(
            f"$M_\\nu$ by SciPy, $\\nu = {nu}$",
            float(density_peak(kind.number(nu), kind)),
            float(law.pdf(0)),
            rel=1e-12,
        )
        for x in (Fraction(1, 4), Fraction(3)):
            least = found * min(float(x), 1.0)
            yield Check(
                f"$\\nu = {nu}$: above the chord at {x}", mean_sign(nu, x), least, "at least"
            )
        if nu > 1:
            ratio = found / erf(1 / sqrt(2))
            yield Check(
                f"$\\nu = {nu}$: against the Gaussian", ratio, sqrt((nu - 1) / (nu + 1)), "at least"
            )
            yield Check(f"$\\nu = {nu}$: not above it", ratio, 1, "at most")


def figure() -> "Figure":
    """The mean sign for three laws."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        at = [Fraction(k, 20) for k in range(81)]
        for nu, line, name in (
            (Fraction(1), "-", "Cauchy"),
            (Fraction(3), "--", r"$\nu = 3$"),
            (None, ":", "Gaussian"),
        ):
            panel.plot(
                [float(x) for x in at],
                [mean_sign(nu, x) for x in at],
                line,
                color=LOOKS["sharp"].colour,
                label=name,
            )
        panel.plot(
            [0, 1, 4],
            [0, 0.5, 0.5],
            color=OBSERVED,
            linewidth=0.8,
            label=r"$\frac{1}{2}\min(x, 1)$",
        )
        panel.set_xlabel(r"gradient over the noise's scale, $x$")
        panel.set_ylabel("mean of the sign")
        panel.legend(loc="lower right")
    return found
