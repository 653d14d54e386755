"""The PL statements: a linear recurrence along the factors, in closed form.

docs/theory-shrinkage.md, Theorems 11.5 and 11.7.  With a_k = s_k q_k ≤ 1/L,

    x_{k+1} ≤ (1 − m a_k) x_k + (a_k/2) B² + (L/2)(a_k² V + s_k² σ_e²),   x_k = E[ℓ(w_k) − ℓ*];

sharp without bias: the factor 1 − m a_k(2 − La_k), for a_k < 2/L.
"""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import Scalar
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates.discounts import geometric, power
from boundcalc.theories.shrinkage.descent import Form, gain
from boundcalc.theories.shrinkage.setting import Setting

_PARTS = ("optimisation", "bias", "sampling", "quantization")


@dataclass(frozen=True)
class Step:
    """x ↦ (1 − drop) x + what is added, by part."""

    drop: Scalar
    added: tuple[Scalar, ...]

    def after(self, state: tuple[Scalar, ...], count: int, s: Setting) -> tuple[Scalar, ...]:
        """The parts after so many such steps: (1−d)ⁿ x + c Σ_{i<n} (1−d)^i."""
        kept = power(self.drop, count, s.kind)
        total = geometric(self.drop, Progression(0, 1, count), count - 1, s.kind)
        return tuple(kept * x + total * c for x, c in zip(state, self.added, strict=True))

    def then(self, later: Step) -> Step:
        """One step and then another one; 1 − (1−d)(1−d′) = d + d′ − dd′ without cancellation."""
        added = tuple(
            (1 - later.drop) * c + e for c, e in zip(self.added, later.added, strict=True)
        )
        return Step(self.drop + later.drop - self.drop * later.drop, added)

    @property
    def fixed(self) -> Scalar:
        """The fixed point: what is added over what is dropped."""
        return sum(self.added[1:], self.added[0]) / self.drop


def steps(s: Setting, form: Form = "plain") -> tuple[Step, ...]:
    """The recurrence's steps, one for each factor."""
    if s.past:
        low = s.step if s.compensated else s.step * s.q_min
        longest = s.step / s.q_min if s.compensated else s.step
        return (_step(s, low, s.step, longest, form),)
    found = []
    for q in s.q:
        a = s.step if s.compensated else s.step * q
        found.append(_step(s, a, a, s.step / q if s.compensated else s.step, form))
    return tuple(found)


def _step(s: Setting, low: Scalar, high: Scalar, step: Scalar, form: Form) -> Step:
    drop = s.kind.minimum(s.kind.number(1), s.m * gain(low, s, form))
    added = (
        s.kind.number(0),
        high * s.bias / 2,
        s.L * high**2 * s.variance / 2,
        s.L * step**2 * s.noise / 2,
    )
    return Step(drop, added)


def terms(s: Setting, form: Form = "plain") -> dict[str, Scalar]:
    """The parts of the bound on E[ℓ(w_K) − ℓ*]; O(length of the sequence).

    Raises
    ------
    InexactError
        In exact arithmetic, if powers are too long to write out.
    """
    zero = s.kind.number(0)
    state: tuple[Scalar, ...] = (s.gap, zero, zero, zero)
    made = steps(s, form)
    if s.pattern:
        whole, rest = divmod(s.horizon, len(made))
        if whole:
            state = _period(made).after(state, whole, s)
        for step in made[:rest]:
            state = step.after(state, 1, s)
    else:
        for position, count in s.runs:
            state = made[position].after(state, count, s)
    return dict(zip(_PARTS, state, strict=True))


def _period(made: tuple[Step, ...]) -> Step:
    found = made[0]
    for step in made[1:]:
        found = found.then(step)
    return found


def floor(s: Setting, form: Form = "plain") -> Scalar:
    """limsup of the recurrence as K grows: of a pattern its highest phase, of segments the last."""
    made = steps(s, form)
    if not s.pattern:
        return made[-1].fixed
    value = highest = _period(made).fixed
    for step in made:
        value = (1 - step.drop) * value + sum(step.added, s.kind.number(0))
        highest = s.kind.maximum(highest, value)
    return highest


def bound(s: Setting, form: Form = "plain") -> Scalar:
    """The sum of the terms."""
    return sum(terms(s, form).values(), s.kind.number(0))
