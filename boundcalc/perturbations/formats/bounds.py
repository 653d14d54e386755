"""From one component's rounding error to that of the vector, over a set of vectors.

δ_1 … δ_n are independent given y.  With (E δ_j)², E δ_j² and E δ_j⁴ − (E δ_j²)² at most m_j, s_j
and x_j::

    ‖E δ‖² ≤ Σ m_j,    E‖δ‖² ≤ Σ s_j,    E‖δ‖⁴ ≤ (Σ s_j)² + Σ x_j,

the last because E‖δ‖⁴ = Σ E δ_j⁴ + Σ_{i≠j} E δ_i² E δ_j².  The sums are bounded over the y of a
reach by what is known of ‖y‖², of Σ y_j⁴ ≤ ‖y‖² max y_j², and of the number of components.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcalc.perturbations.formats.exact import root_up
from boundcalc.perturbations.formats.laws import Errors, Law, by_step
from boundcalc.perturbations.formats.table import FloatFormat, Format
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact

_NOTHING = Errors(*[Fraction(0)] * 4)


@dataclass(frozen=True)
class Ball:
    """What is known of y: n components, each at most ``magnitude``, ‖y‖² at most ``squared``."""

    size: int
    magnitude: Fraction
    squared: Fraction

    def within(self, top: Fraction) -> Ball:
        """The same after components beyond ``top`` are clipped to it."""
        return Ball(self.size, min(self.magnitude, top), self.squared)


@dataclass(frozen=True)
class Sums:
    """Bounds on Σ m_j, Σ s_j, Σ x_j; on max |δ_j|, and on ‖δ‖²."""

    mean: Fraction
    second: Fraction
    excess: Fraction
    size: Fraction
    norm: Fraction

    def moments(self) -> VectorMoments:
        """As the contract of a transform wants them."""
        mean = min(self.mean, self.second)
        return VectorMoments(exact(mean), exact(self.second), exact(self.second**2 + self.excess))

    def clipped(self, beyond: Fraction, energy: Fraction) -> Sums:
        """With clipping: a component is rounded, or clipped by at most ``beyond``, never both.

        ``energy`` bounds the sum of squares of what is clipped away.
        """
        return Sums(
            self.mean + energy,
            self.second + energy,
            self.excess,
            max(self.size, beyond),
            self.norm + energy,
        )


def static_sums(law: Law, form: Format, stochastic: bool, scale: Fraction, ball: Ball) -> Sums:
    """The sums for one fixed scale, of values that fit.

    With η for the absolute and κ for the relative bound, each of mean, second and size is at
    most (n − 1) η + max(η, κ‖y‖²): where no component is normal n η, else one at least is.
    The bound n times that of the largest spacing in the box also holds.
    """
    n, scaled = ball.size, Errors(*_scaled(law.absolute, scale))
    relative, box = _NOTHING, scaled
    if isinstance(form, FloatFormat) and ball.magnitude >= form.normal * scale:
        relative = law.relative or _NOTHING
        step = form.step_at(ball.magnitude / scale) * scale
        box = _larger(by_step(step, stochastic), scaled)

    def both(absolute: Fraction, part: Fraction, squared: Fraction, cap: Fraction) -> Fraction:
        return min((n - 1) * absolute + max(absolute, part * squared), n * cap)

    mean = both(scaled.mean, relative.mean, ball.squared, box.mean)
    second = both(scaled.second, relative.second, ball.squared, box.second)
    excess = both(
        scaled.excess,
        relative.excess,
        ball.squared * min(ball.magnitude**2, ball.squared),
        box.excess,
    )
    norm = both(scaled.size**2, relative.size**2, ball.squared, box.size**2)
    if law.shrinks:
        mean, second, norm = (min(item, ball.squared) for item in (mean, second, norm))
    if law.unbiased and relative.second == 0:
        # E δ_j² = |y_j| (step − |y_j|) below one step, and less above: Σ ≤ step ‖y‖₁.
        second = min(second, scaled.size * root_up(n * ball.squared))
    return Sums(mean, second, excess, box.size, norm)


@dataclass(frozen=True)
class Groups:
    """Dynamic scaling: groups of at most ``longest`` components, each with its own scale.

    The scale of a group whose largest component is a is at least a/top and at most
    ``slack`` a/top, top the largest number of the format.
    """

    count: int
    longest: int
    slack: Fraction


def dynamic_sums(law: Law, form: Format, groups: Groups, ball: Ball) -> Sums:
    """The sums for scales that follow the values.

    With Σ_g a_g² ≤ min(‖y‖², count · max y_j²) =: S, Σ_g a_g⁴ ≤ S max y_j², and w = slack/top,
    the absolute part is at most m η w² S, m the most components of a group to which it
    applies: one fewer than all for floating formats, in which the largest of a group is normal
    because top/slack is.
    """
    largest = min(ball.magnitude**2, ball.squared)
    energy = min(ball.squared, groups.count * largest)
    w = groups.slack / form.largest
    relative = law.relative or _NOTHING
    many = groups.longest - (law.relative is not None)

    def both(absolute: Fraction, part: Fraction) -> Fraction:
        return part * ball.squared + many * absolute * w**2 * energy

    mean = both(law.absolute.mean, relative.mean)
    second = both(law.absolute.second, relative.second)
    norm = both(law.absolute.size**2, relative.size**2)
    excess = (relative.excess * ball.squared + many * law.absolute.excess * w**4 * energy) * largest
    if law.shrinks:
        mean, second, norm = (min(item, ball.squared) for item in (mean, second, norm))
    if law.unbiased and law.relative is None:
        # Per group: step w a_g ‖y_g‖₁ ≤ step w √longest ‖y_g‖².
        second = min(
            second, law.absolute.size * w * root_up(Fraction(groups.longest)) * ball.squared
        )
    size = max(relative.size, law.absolute.size * w) * root_up(largest)
    return Sums(mean, second, excess, size, norm)


def _scaled(errors: Errors, scale: Fraction) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    square = scale**2
    return (
        errors.mean * square,
        errors.second * square,
        errors.excess * square**2,
        errors.size * scale,
    )


def _larger(one: Errors, other: Errors) -> Errors:
    return Errors(
        max(one.mean, other.mean),
        max(one.second, other.second),
        max(one.excess, other.excess),
        max(one.size, other.size),
    )
