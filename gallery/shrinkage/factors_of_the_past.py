"""Factors that depend on the iterate: the plain average escapes the weighted bound."""

from collections.abc import Iterator

import numpy as np
from scipy import integrate, stats

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: A factor that depends on the iterate
theory: shrinkage
shrinkage: {q: {depends_on_past: true}, q_min: 1/1000, quantization_noise: 0}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {smoothness: 1, initial_gap: 0, gradient_noise: 3}
training: {step_size: 1, horizon: 100000}
"""

ENTRY = Entry(
    title="Factors that depend on the past: which average?",
    topic="shrinkage",
    statement=r"""
If the factor may depend on everything before the sample, the average with the weights $q_k$ is at
most $\frac{2\Delta_0}{K\mu q_{\min}} + L\mu(\sigma^2 + \sigma_e^2/q_{\min})$, but the plain
average is not: only $L\mu(\sigma^2+\sigma_e^2)/q_{\min}$ holds for it. On $\frac12w^2$ with
$\mu = 1$, $\sigma = 3$ let $q = 10^{-3}$ where $\lvert w\rvert > 3$ and 1 elsewhere. From inside,
$w$ is drawn anew from $\mathcal N(0, 9)$; outside it stays for long. The time average of $w^2$
tends to about

$$\frac{\mathbb{E}[w^2 - 9 \mid \lvert w\rvert > 3]}{2\thinspace\mathbb{E}[\ln(\lvert w\rvert/3)
\mid \lvert w\rvert > 3]} \approx 17.8 ,$$

while the weighted bound tends to 9. Both statements are right about their own average.
""",
    theorem="docs/theory-shrinkage.md, Theorem 11.3 and the remark below it",
    link="theory-shrinkage.md#112-nonconvex-statements",
    kind="counterexample",
    reference="docs/theory-shrinkage.md, section 11.2.",
    spec=SPEC,
    command="rate",
)


def renewal() -> float:
    """The ratio above by quadrature, z = w/3."""
    density = stats.norm.pdf
    above = integrate.quad(lambda z: (z**2 - 1) * density(z), 1, 12)[0]
    long = integrate.quad(lambda z: np.log(z) * density(z), 1, 12)[0]
    return 9 * float(above) / (2 * float(long))


def averages() -> tuple[float, float, float]:
    """Time average of w² with its standard error, and the weighted one, over 500 walkers."""
    rng, w = np.random.default_rng(0), np.zeros(500)
    plain, weighted, weight = np.zeros(500), np.zeros(500), np.zeros(500)
    for step in range(16_000):
        q = np.where(np.abs(w) > 3, 1e-3, 1.0)
        if step >= 8_000:  # settled
            plain += w**2 / 8_000
            weighted += q * w**2
            weight += q
        w = w - q * (w + 3 * rng.standard_normal(500))
    spread = float(plain.std() / np.sqrt(500))
    return float(plain.mean()), spread, float(weighted.sum() / weight.sum())


def checks() -> Iterator[Check]:
    """Both bounds, and both averages of a simulation."""
    found = bc.rates(bc.loads(SPEC)).statements
    weighted, plain = found["nonconvex_weighted"].bound.value, found["nonconvex"].bound.value
    yield Check(r"weighted bound, $L\mu\sigma^2$", weighted, 9)
    yield Check(r"plain bound, $L\mu\sigma^2/q_{\min}$", plain, 9000)
    average, spread, weighted_average = averages()
    how = "seed 0, four standard errors over 500 walkers, 99.99 per cent"
    yield Check(
        "the plain average is above the weighted bound",
        average - 4 * spread,
        9,
        "at least",
        sampled=how,
    )
    yield Check(
        "the plain average is below its own bound",
        average + 4 * spread,
        9000,
        "at most",
        sampled=how,
    )
    yield Check(
        "the weighted average is below the weighted bound",
        weighted_average,
        9,
        "at most",
        sampled="seed 0; it spreads by a few per cent",
    )
    yield Check(
        "the plain average against the renewal formula",
        average,
        renewal(),
        rel=4 * spread / average + 0.01,
        sampled=how + "; the formula leaves out one per cent",
    )
