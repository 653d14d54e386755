"""Linear-quadratic control: noise of the states biases nothing, and its effect is known exactly."""

from collections.abc import Iterator

import numpy as np

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Linear-quadratic control with noisy states",
    topic="control",
    statement=r"""
A point mass is pushed for five periods: position and velocity follow $x_{t+1} = Ax_t + Bu_t$ with
rows $(1, \frac12)$ and $(0, 1)$ of $A$ and $B = (\frac18, \frac12)^{\top}$, and the cost is
$\sum_t\frac14u_t^2 + \lVert x_t\rVert^2$, the last state counting four times. Noise $\sigma\xi$
is added to every $y_t = [u_t; x_{t+1}]$. The gradient in $u$ is affine in the noise: of mean zero
it leaves the gradient unbiased, and the sharp bias bound is 0, as all third derivatives vanish.
The error is exactly $\sigma^2\lVert G\rVert_F^2$ with the matrix $G$ that takes the noise to the
gradient. The bound knows norms only, and lies above.
""",
    theorem="docs/theory.md, Theorem 4.9; [KZY], section 1.1",
    link="theory.md#48-directed-acyclic-graphs",
    kind="upper",
    reference="[KZY] B. Kong, H. Zhang, K. Yuan, arXiv:2602.20646.",
    spec="lqc",
    command="verify",
)

A, B = np.array([[1, 0.5], [0, 1]]), np.array([0.125, 0.5])


def gradient(controls: np.ndarray, start: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """d cost/d u along states y_t = [u_t; x_{t+1}] to each of which noise (5 × 3) is added."""
    x, control_seen, seen = start, [], []
    for t in range(5):
        y = np.concatenate([[controls[t]], A @ x + B * controls[t]]) + noise[t]
        control_seen.append(y[0])
        x = y[1:]
        seen.append(x)
    back, found = np.zeros(2), np.zeros(5)
    for t in reversed(range(5)):
        back = A.T @ back + (8 if t == 4 else 2) * seen[t]
        found[t] = control_seen[t] / 2 + B @ back
    return found


def checks() -> Iterator[Check]:
    """No bias; the bound above the exact error, and the run's interval around it."""
    text = example("lqc").read_text("utf-8")
    graph = bc.build(
        bc.loads(text.replace("draws: 8192", "draws: 1024").replace("horizon: 400", "horizon: 40"))
    )
    found = bc.coefficients(graph)
    yield Check("sharp bias bound", float(found.bias_bound()), 0)
    controls, start = np.zeros(5), np.array([2.0, 0.0])
    plain = gradient(controls, start, np.zeros((5, 3)))
    columns = []
    for k in range(15):
        unit = np.zeros(15)
        unit[k] = 1
        columns.append(gradient(controls, start, unit.reshape(5, 3)) - plain)
    exact = 1e-4 * float(np.sum(np.square(columns)))
    bound = float(found.error_bound())
    yield Check(r"bound above the exact $\sigma^2\lVert G\rVert_F^2$", bound, exact, "at least")
    sampled = next(v for v in bc.verify(graph).verdicts if v.claim.startswith("error"))
    how = "99.9 per cent interval, seed 0; the error is the same at every sample and control"
    yield Check(
        "exact error above the run's lower end", exact, sampled.ci[0], "at least", sampled=how
    )
    yield Check(
        "exact error below the run's upper end", exact, sampled.ci[1], "at most", sampled=how
    )
