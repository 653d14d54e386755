"""Sharp: every block with its own delay."""

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Stale SGD, block by block: ten times the step",
    topic="pipelines",
    statement=r"""
Three operators $\sin(y + w)$ with delays 4, 2, 0. What the blocks' lags $d_i$ do to the gradient
is linear, $\lVert\mathcal G - \nabla f\rVert \le \lVert Nd\rVert$ with a matrix $N \ge 0$, and
with $Q = \lambda_{\max}(\mathrm{diag}(m)N^{\top}N\thinspace\mathrm{diag}(m))$ every step

$$\alpha \le \frac2{L_f + \sqrt{L_f^2 + 4Q}}$$

is admitted, ten times the published limit here, with the bound

$$\frac{2\Delta_0}{N\alpha} + L_f\alpha\sigma^2
{}+ \alpha^2\sigma^2\max_i\kappa_i\min\Bigl\{m_i^2, m_i + \frac{m_i-1}{2\theta}\Bigr\} ,
\qquad \theta = \frac{1 - L_f\alpha - \alpha^2Q}{\alpha^2Q} , \quad \kappa_im_i^2 = Q .$$

Without delays it is the classical one.
""",
    theorem="docs/theory-staleness.md, Lemma 10.2 and Theorem 10.6",
    link="theory-staleness.md#106-sharp-per-block-delays-no-spare-factors",
    kind="upper",
    reference="Setting: [XHH] A. Xu, Z. Huo, H. Huang, CVPR 2020, arXiv:1909.02625.",
    spec="dsp-k3",
    command="rate",
)


def lag_matrix(size: int) -> np.ndarray:
    """N of Lemma 10.2 for operators sin(y + w), all constants 1, column by column."""
    columns = []
    for d in np.eye(size):
        s = np.concatenate([[0.0], np.cumsum(d)])  # s_0, ..., s_N
        back, found = 0.0, np.zeros(size)
        for j in range(size, 0, -1):
            found[j - 1] = back + s[j - 1]
            back += s[j - 1]
        columns.append(found)
    columns[-1] = np.zeros(size)  # the last perturbation reaches no gradient
    return np.array(columns).T


def largest(delays: list[int]) -> float:
    """Q by NumPy."""
    scaled = lag_matrix(len(delays)) * delays
    return float(np.linalg.eigvalsh(scaled.T @ scaled)[-1])


def checks() -> Iterator[Check]:
    """Q, the limit and the bound of the shipped spec."""
    spec = bc.load(example("dsp-k3"))
    made = {q.key: float(q.value) for q in bc.coefficients(spec).quantities}
    Q, L = largest([4, 2, 0]), 1 / (4 * np.sin(np.pi / 14) ** 2)
    yield Check(
        "$Q$", made["Q"], Q, rel=1e-7, why="the weights are short fractions found by a power method"
    )
    yield Check("$L_f$", made["smoothness"], L, rel=1e-7, why="the same")
    statements = bc.rates(spec).statements
    sharp = statements["sgd.sharp"]
    limit = 2 / (L + sqrt(L**2 + 4 * Q))
    yield Check("step-size limit", float(sharp.step_size_limit), limit, rel=1e-7, why="the same")
    yield Check(
        "ten times the published one",
        float(sharp.step_size_limit),
        10 * float(statements["sgd"].step_size_limit),
        "at least",
    )
    step, gap, noise, batches = 1 / 200, 2, 3 / 400, 2000
    theta = (1 - L * step - step**2 * Q) / (step**2 * Q)
    spread = max(Q / m**2 * min(m**2, m + (m - 1) / (2 * theta)) for m in (4, 2))
    stated = 2 * gap / (batches * step) + L * step * noise + step**2 * noise * spread
    yield Check("bound", float(sharp.bound), stated, rel=1e-7, why="the same")


def figure() -> "Figure":
    """Step-size limits against the delay of the first block."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        text, delays = example("dsp-k3").read_text("utf-8"), [4, 6, 8, 12, 16, 24, 32]
        for name, key in (("published", "sgd"), ("sharp", "sgd.sharp")):
            limits = [
                float(
                    bc.coefficients(
                        bc.loads(text.replace("m: [4, 2, 0]", f"m: [{m}, {m // 2}, 0]"))
                    ).limits[key]
                )
                for m in delays
            ]
            look = LOOKS[name]
            panel.loglog(
                delays,
                limits,
                color=look.colour,
                marker=look.marker,
                linestyle=look.line,
                label=name,
            )
        panel.set_xlabel(r"largest delay $\Delta t$")
        panel.set_ylabel("largest step")
        panel.legend()
    return found
