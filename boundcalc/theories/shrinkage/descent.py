"""The nonconvex statements: one descent step, summed.

docs/theory-shrinkage.md, Lemma 11.1 and Theorems 11.2 to 11.4, 11.7.  With the step s_k (μφ_k, or
μφ_k/q_k with
compensation) and a_k = s_k q_k,

    Σ a_k E‖∇ℓ(w_k)‖² ≤ 2Δ₀ + Σ [a_k B² + L(a_k² V + s_k² σ_e²)]      if a_k ≤ 1/L.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boundcalc.arithmetic import Scalar
from boundcalc.theories.shrinkage.setting import Setting
from boundcalc.theories.shrinkage.step_sums import step_sums

#: ``plain`` is the statement above; ``sharp`` keeps the factor 2 − La_k; ``least`` knows q_min
#: only; ``weighted`` averages with the weights q_k, of which q_min is known.
Form = Literal["plain", "sharp", "least", "weighted"]


@dataclass(frozen=True)
class Sums:
    """What the sums over the steps come to.

    Attributes
    ----------
    weight
        A lower bound on the total weight of the gradients.
    squares
        An upper bound on Σ a_k², the factor of LV.
    steps
        An upper bound on Σ s_k², the factor of Lσ_e².
    bias
        The factor of B².
    """

    weight: Scalar
    squares: Scalar
    steps: Scalar
    bias: Scalar

    def terms(self, s: Setting) -> dict[str, Scalar]:
        """The parts of the bound on the average."""
        return {
            "optimisation": 2 * s.gap / self.weight,
            "bias": self.bias * s.bias,
            "sampling": s.L * s.variance * self.squares / self.weight,
            "quantization": s.L * s.noise * self.steps / self.weight,
        }


def sums(s: Setting, form: Form = "plain") -> Sums:
    """The sums of one statement."""
    if s.decay != "constant":
        return _diminishing(s)
    if form in ("least", "weighted"):
        return _least(s)
    if s.past:
        return _past(s)
    one = s.kind.number(1)
    weight = squares = steps = s.kind.number(0)
    for q, count in zip(s.q, s.counts, strict=True):
        step = s.step / q if s.compensated else s.step
        a = s.step if s.compensated else s.step * q
        weight += count * gain(a, s, form)
        squares += count * a**2
        steps += count * step**2
    return Sums(weight, squares, steps, one)


def gain(a: Scalar, s: Setting, form: str) -> Scalar:
    """What a step with a = s_k q_k gains: a, or a(2 − La) without the bound La ≤ 1."""
    return a * (2 - s.L * a) if form == "sharp" else a


def _past(s: Setting) -> Sums:
    """Only q_min ≤ q_k ≤ 1 is known: E[q_k‖∇ℓ‖²] ≥ q_min E‖∇ℓ‖², and q_k² ≤ 1."""
    count, one = s.horizon, s.kind.number(1)
    if s.compensated:  # a_k = μ, s_k ≤ μ/q_min
        return Sums(count * s.step, count * s.step**2, count * (s.step / s.q_min) ** 2, one)
    whole = count * s.step**2
    return Sums(count * s.step * s.q_min, whole, whole, 1 / s.q_min)


def _least(s: Setting) -> Sums:
    """The average with the weights q_k: q_k² ≤ q_k, and Σq_k ≥ K q_min."""
    weight = s.horizon * s.step * s.q_min
    squares = s.horizon * s.step**2
    return Sums(weight, squares * s.q_min, squares, s.kind.number(1))


def _diminishing(s: Setting) -> Sums:
    """The average with the weights μ_k; of factors that change only their range is used."""
    first, second = step_sums(s.decay, s.horizon, s.kind)
    one = s.kind.number(1)
    low, high = (s.q[0], s.q[0]) if s.constant else (s.q_min, s.q_max)
    if s.compensated:
        return Sums(s.step * first, s.step**2 * second, (s.step / low) ** 2 * second, one)
    return Sums(s.step * low * first, (s.step * high) ** 2 * second, s.step**2 * second, high / low)


def bound(s: Setting, form: Form = "plain") -> Scalar:
    """The sum of the terms."""
    return sum(sums(s, form).terms(s).values(), s.kind.number(0))


def step_limit(s: Setting, form: Form = "plain") -> Scalar:
    """The largest step μ: 1/(L max q_k) of known factors, 1/L of others or with compensation."""
    reach = s.L if s.compensated else s.L * s.q_max
    return (2 if form == "sharp" else 1) / reach


def step_too_large(s: Setting, form: Form = "plain") -> bool:
    """Whether μ is above the limit; at the sharp limit itself nothing is gained."""
    reach = s.step * (s.L if s.compensated else s.L * s.q_max)
    return bool(reach >= 2) if form == "sharp" else bool(reach > 1)


def best_step(s: Setting, form: Form = "plain") -> Scalar:
    """μ√(G/H) for a bound G/c + Hc at the step cμ, cut at the limit (Theorem 11.5)."""
    kind, limit = s.kind, step_limit(s, form)
    found = sums(s, form)
    slope = s.L * (s.variance * found.squares + s.noise * found.steps)
    if slope == 0:
        return limit
    square = s.step**2 * 2 * s.gap / slope
    if kind.exact and square >= limit**2:
        return limit
    return kind.minimum(limit, kind.sqrt(square))


def noise_floor(s: Setting, form: Form = "plain") -> Scalar:
    """L(V Σa² + σ_e² Σs²)/Σa: what remains of the bound as K grows, but for the bias."""
    terms = sums(s, form).terms(s)
    return terms["sampling"] + terms["quantization"]


def full_precision_floor(s: Setting) -> Scalar:
    """The same at q = 1 and σ_e = 0."""
    first, second = step_sums(s.decay, s.horizon, s.kind)
    return s.L * s.variance * s.step * second / first


def raises_floor(s: Setting) -> bool:
    """Whether the floor is above that of full precision; σ_e² > q(1 − q)V for a constant q."""
    if s.constant and not s.compensated:
        q = s.q[0]
        return bool(s.noise > q * (1 - q) * s.variance)
    return bool(noise_floor(s) > full_precision_floor(s))
