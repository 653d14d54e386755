"""An exact gradient, truncated: a bound with a dead zone."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Exact gradients truncated to fp8
theory: shrinkage
shrinkage:
  format:
    name: fp8_e4m3
    rounding: toward_zero
    gradient: {distribution: gaussian, scale: 3/1000, dimension: 2}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {smoothness: 1, pl: 1, initial_gap: 2, gradient_noise: 0}
training: {step_size: 1/5, horizon: 100}
"""

ENTRY = Entry(
    title="An exact gradient that underflows: the dead zone",
    topic="shrinkage",
    statement=r"""
Without noise a component below the smallest number is lost, and no factor $q_{\min} > 0$ is
right. What is proved for $\tilde g = Q(\nabla\ell)$, if $q_{lo}(x^2 - t^2) \le xQ(x)$ and
$Q(x)^2 \le q_{hi}xQ(x)$ on the range of gradients and $\mu \le 1/(Lq_{hi})$:

$$\frac1K\sum_{k<K}\lVert\nabla\ell(w_k)\rVert^2 \le \frac{2\Delta_0}{K\mu q_{lo}} + d\thinspace
t^2 .$$

Truncation to fp8_e4m3 has $q_{hi} = 1$, and $(t, q_{lo}) = (2^{-9}, \frac12)$ or
$(2^{-6}, \frac89)$, the smallest and the smallest normal number. The better of the two is taken:
the second one for 100 steps, the first one for very many.
""",
    theorem="docs/theory-shrinkage.md, Theorem 11.9",
    link="theory-shrinkage.md#115-from-a-number-format",
    kind="upper",
    reference="docs/theory-shrinkage.md, section 11.5.",
    spec=SPEC,
    command="rate",
)


def truncated(x: Fraction) -> Fraction:
    """Q(x) for 0 ≤ x ≤ 2: multiples of 2⁻⁹, then eight numbers in each binade."""
    step = Fraction(1, 512)
    while x >= 16 * step:
        step *= 2
    return x // step * step


def checks() -> Iterator[Check]:
    """Both sectors on a fine grid, the bounds, and a run of the algorithm below them."""
    grid = [Fraction(k, 4096) for k in range(1, 8192, 3)]
    for t, low in ((Fraction(1, 512), Fraction(1, 2)), (Fraction(1, 64), Fraction(8, 9))):
        margin = min(x * truncated(x) - low * (x**2 - t**2) for x in grid)
        yield Check(f"$t = {t}$: $q_{{lo}} = {low}$ on a grid", margin, 0, "at least")
        over = max(truncated(x) ** 2 - x * truncated(x) for x in grid)
        yield Check(f"$t = {t}$: $q_{{hi}} = 1$ on a grid", over, 0, "at most")
    for K, t, low in (
        (100, Fraction(1, 64), Fraction(8, 9)),
        (10**6, Fraction(1, 512), Fraction(1, 2)),
    ):
        spec = bc.loads(SPEC.replace("horizon: 100", f"horizon: {K}"))
        found = bc.rates(spec).statements["rounding"]
        yield Check(
            f"bound after {K} steps", found.bound.value, 4 / (K * Fraction(1, 5) * low) + 2 * t**2
        )
    bound = bc.rates(bc.loads(SPEC)).statements["rounding"].bound.value
    w, total = [Fraction(7, 5)] * 2, Fraction(0)
    for _ in range(100):
        total += sum(x * x for x in w) / 100
        w = [x - Fraction(round(truncated(x) / 5 * 2**40), 2**40) for x in w]
    yield Check("bound above the average of a run from $(7/5, 7/5)$", bound, total, "at least")
