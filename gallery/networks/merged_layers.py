"""Neighbouring linear layers: one norm for both."""

from collections.abc import Iterator

import numpy as np

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Two frozen layers after a trained one
graph:
  merge: linear
  input: {shape: [2], radius: 1}
  operators:
    - {id: act, type: tanh, bias: true, region: {weight: 1}}
    - {id: one, type: dense, units: 2, bias: false, trainable: false,
       initial: {values: [2, 0, 0, 1/10]}}
    - {id: two, type: dense, units: 2, bias: false, trainable: false,
       initial: {values: [1/10, 0, 0, 2]}}
    - {id: loss, type: cross_entropy}
perturbations:
  - {at: loss, pass: backward, rms: 1/100, mean: 0}
"""

ENTRY = Entry(
    title="Neighbouring linear layers get one norm together",
    topic="networks",
    statement=r"""
$\lVert W_2W_1\rVert \le \lVert W_2\rVert\lVert W_1\rVert$, and often far less. With
$W_1 = \mathrm{diag}(2, \frac1{10})$ and $W_2 = \mathrm{diag}(\frac1{10}, 2)$ the product is
$\frac15I$: its norm is $\frac15$, the product of the norms 4. A perturbation $\varepsilon$ of
what the loss passes back reaches the trained operator through both, so that its factor in the
bound on $\mathbb{E}\lVert\tilde u-u\rVert^2$ is $\lVert W_2W_1\rVert^2$ with `merge: linear`, and
$(\lVert W_2\rVert\lVert W_1\rVert)^2$ without.
""",
    theorem="docs/theory.md, Lemma 4.10",
    link="theory.md#48-directed-acyclic-graphs",
    kind="tight",
    reference="Elementary: the norm is submultiplicative.",
    spec=SPEC,
)


def checks() -> Iterator[Check]:
    """The coefficient with and without merging, against NumPy's norms."""
    one, two = np.diag([2.0, 0.1]), np.diag([0.1, 2.0])
    together = float(np.linalg.norm(two @ one, 2)) ** 2
    apart = float(np.linalg.norm(two, 2) * np.linalg.norm(one, 2)) ** 2
    slack = "norms are certified from above"
    for merge, stated in (("linear", together), ("none", apart)):
        graph = bc.build(bc.loads(SPEC.replace("merge: linear", f"merge: {merge}")))
        found = float(bc.coefficients(graph).by_id("error_backward")["loss"])
        yield Check(
            f"factor of $\\varepsilon$ at the loss, merge: {merge}",
            found,
            stated,
            rel=1e-9,
            why=slack,
        )
        yield Check("never below", found, stated * (1 - 1e-15), "at least")
