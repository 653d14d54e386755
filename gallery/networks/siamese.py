"""Shared weights: the nodes' bounds are added before they are squared."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry
from gallery.tools import runs_below

SPEC = """\
version: 1
name: One weight in two branches
graph:
  operators:
    - {id: left, type: dense, units: 1, bias: false, weights: w, region: {weight: 1}}
    - {id: right, type: dense, units: 1, bias: false, weights: w, region: {weight: 1}, inputs: []}
    - {id: sum, type: add, inputs: [left, right]}
    - {id: loss, type: quadratic_cost, diagonal: [1], region: {input: 4}}
perturbations:
  - {at: left, pass: forward, model: constant, value: 1/2}
training: {step_size: 1/10, horizon: 1}
simulation: {data: {points: [[1]]}, replicas: 2, initial_weights: [1/2]}
"""

ENTRY = Entry(
    title="Shared weights: add before squaring",
    topic="networks",
    statement=r"""
Where several operators share their weights, the gradient is the sum of theirs, and so the error
of the gradient is at most the *sum* of the operators' bounds, squared afterwards. For
$\frac12(wx + wx)^2$ at $x = 1$ with $\delta$ added to one branch, the gradient $4w$ becomes
$4w + 2\delta$: each branch contributes $\delta$, and the squared error is
$(\delta + \delta)^2 = 4\delta^2$. Adding the squares would give $2\delta^2$, which is false. A
Siamese network, whose two towers are one, is bounded the same way and lies above what its run
shows.
""",
    theorem="docs/theory.md, Theorems 4.7 and 4.9",
    link="theory.md#48-directed-acyclic-graphs",
    kind="tight",
    reference="Siamese networks: J. Bromley, I. Guyon, Y. LeCun, E. Säckinger, R. Shah, Signature "
    "verification using a 'Siamese' time delay neural network, NeurIPS 1993.",
    spec="siamese",
    command="verify",
)


def gradient(w: Fraction, shift: Fraction) -> Fraction:
    """d/dw of (wx + shift + wx)²/2 at x = 1, the shift being constant."""
    y = w + shift + w
    return y * 1 + y * 1


def checks() -> Iterator[Check]:
    """The small example is attained; the shipped network holds."""
    delta, w = Fraction(1, 2), Fraction(1, 2)
    exact = (gradient(w, delta) - gradient(w, Fraction(0))) ** 2
    bound = bc.coefficients(bc.build(bc.loads(SPEC))).error_bound().value
    yield Check(r"one weight in two branches: $4\delta^2$", bound, exact)
    yield Check(r"the sum of squares, $2\delta^2$, is less", 2 * delta**2, exact, "at most")
    yield from runs_below(bc.build(bc.load(example("siamese"))))
