"""Factors that change from step to step."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Every third gradient is halved
theory: shrinkage
shrinkage: {q: {pattern: [1, 1, 1/2]}, quantization_noise: 1/10}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {smoothness: 1, pl: 1/2, initial_gap: 3, gradient_noise: 1}
training: {step_size: 1/5, horizon: 50}
"""

ENTRY = Entry(
    title="Factors that change from step to step",
    topic="shrinkage",
    statement=r"""
For factors $q_k$ known in advance and $\mu q_k \le 1/L$ the PL bound is a recurrence,

$$x_{k+1} \le (1 - m\mu q_k)x_k + \tfrac L2\mu^2(q_k^2\sigma^2 + \sigma_e^2) ,$$

which composes to one step of the same form: a pattern is evaluated by powers, whatever the
horizon. In the nonconvex bound the average has the weights $q_k$. The result is that of the
recurrence, step by step.
""",
    theorem="docs/theory-shrinkage.md, Theorems 11.2 and 11.5",
    link="theory-shrinkage.md#113-under-the-pl-inequality",
    kind="exact",
    reference="docs/theory-shrinkage.md, section 11.3, evaluation.",
    spec=SPEC,
    command="rate",
)

MU, NOISE = Fraction(1, 5), Fraction(1, 100)


def recurrence(factors: list[Fraction]) -> Fraction:
    """The PL recurrence, one step after the other."""
    x = Fraction(3)
    for q in factors:
        x = (1 - MU * q / 2) * x + MU**2 * (q**2 + NOISE) / 2
    return x


def checks() -> Iterator[Check]:
    """A pattern and segments, in both regimes."""
    half, quarter, one = Fraction(1, 2), Fraction(1, 4), Fraction(1)
    cases = {
        "{pattern: [1, 1, 1/2]}": ([one, one, half] * 17)[:50],
        "{segments: [{q: 1/4, steps: 30}, {q: 1, steps: 1}]}": [quarter] * 30 + [one] * 20,
    }
    for q, factors in cases.items():
        found = bc.rates(bc.loads(SPEC.replace("{pattern: [1, 1, 1/2]}", q))).statements
        name = q[1:].split(":")[0]
        yield Check(f"{name}: PL bound", found["pl"].bound.value, recurrence(factors))
        weights = sum(factors)
        noise = sum(MU * (f**2 + NOISE) for f in factors)
        yield Check(
            f"{name}: nonconvex bound",
            found["nonconvex"].bound.value,
            (2 * 3 / MU + noise) / weights,
        )
    long = bc.loads(SPEC.replace("horizon: 50", "horizon: 999999999"))
    floor = recurrence([one, one, half] * 400)
    yield Check(
        "a thousand million steps, evaluated at once",
        float(bc.rates(long).statements["pl"].bound),
        floor,
        rel=1e-12,
    )
