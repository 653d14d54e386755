"""The largest perturbation for a target: a root, plugged back in."""

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: How large may the gradient's noise be
graph:
  operators:
    - {id: f1, constants: {jac_weight: 2}}
    - {id: f2, constants: {jac_input: 3, hess_input: 0, third_input: 0}}
loss: {smoothness: 2, initial_gap: 3, gradient_noise: 1/2, batch: 4}
training: {step_size: 1/8, horizon: 100}
budget: {tolerance: 1/10}
"""

ENTRY = Entry(
    title="How large may a perturbation be? A root, plugged back in",
    topic="budgets",
    statement=r"""
Two operators, $b_1 = 2$, and $\varepsilon$ added to what the second one passes back. The sharp
bound without it is $2\Delta_0/(\gamma T) + L\gamma\sigma^2 = 0.5425$; it may grow by a tenth.

* With mean zero $\varepsilon$ adds $L\gamma b_1^2\epsilon^2/M$, $M = 4$ the batch: the largest
  root mean square is $\epsilon = \sqrt{\mathrm{excess}\cdot M/(L\gamma b_1^2)}$.
* A constant shift $n$ is not averaged by the batch, and adds its square besides:
  $b_1^2n^2 + L\gamma(b_1^2n^2 + 2\sigma b_1n)$. Its limit is a seventh of the other.

Bounds grow with every level, so that there is one root. The bound at the answer is the target; a
thousandth more exceeds it.
""",
    theorem="docs/theory.md, Lemma 7.3",
    link="theory.md#71-inverting-a-bound",
    kind="exact",
    reference="Elementary, from docs/theory.md, Theorem 6.1 and Lemmas 6.3 and 6.4.",
    spec=SPEC,
    command="budget",
)


def bound(rms: float, mean: float) -> float:
    """The bound of the spec with that perturbation."""
    site = f"perturbations: [{{at: f2, pass: backward, rms: {rms!r}, mean: {mean!r}}}]\n"
    return float(bc.rates(bc.loads(SPEC + site)).nonconvex["sharp"].bound)


def checks() -> Iterator[Check]:
    """Both roots in closed form, and the bound there."""
    found = bc.budget(bc.loads(SPEC))
    target = Fraction(5425, 10_000) * Fraction(11, 10)
    yield Check("target", found.question.target.value, target)
    answers = {
        a.quantity: a.alone for a in found.magnitudes.allowances if a.direction == "backward"
    }
    excess, gain = float(target) / 11, 1 / 4  # Lγ = 1/4
    rms, mean = float(answers["rms"]), float(answers["mean"])
    yield Check(
        "largest root mean square",
        rms,
        sqrt(excess * 4 / (gain * 4)),
        rel=1e-9,
        why="rounded down to a short fraction that is certainly admissible",
    )
    root = (-gain * 2 + sqrt((gain * 2) ** 2 + 4 * (4 + 4 * gain) * excess)) / (2 * (4 + 4 * gain))
    yield Check("largest constant shift", mean, root, rel=1e-9, why="as above")
    for name, level, shift in (("root mean square", rms, 0.0), ("shift", mean, mean)):
        more = 1.001
        yield Check(
            f"bound at the largest {name}",
            bound(level, shift),
            float(target),
            rel=1e-8,
            why="nine digits of the answer",
        )
        yield Check(
            f"a thousandth more exceeds the target: {name}",
            bound(level * more, shift * more),
            float(target),
            "at least",
        )
