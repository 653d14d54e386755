"""Lemma 4.10: neighbouring linear layers get one norm together."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: Two layers that undo each other
graph:
  input: {shape: [2], radius: 1}
  operators:
    - {id: stem, type: dense, units: 2, bias: false, region: {weight: 1}}
    - {id: up, type: dense, units: 2, bias: false, trainable: false, region: {input: 2},
       initial: {values: [8, 0, 0, 1/8]}}
    - {id: down, type: dense, units: 2, bias: false, trainable: false, region: {input: 16},
       initial: {values: [1/8, 0, 0, 8]}}
    - {id: loss, type: quadratic_cost, diagonal: [1, 1], region: {input: 2}}
perturbations:
  - {at: stem, pass: forward, rms: 1}
"""

ENTRY = Entry(
    title="One norm for two layers",
    topic="theorems",
    statement=r"""
Let nodes $n_1 \to \dots \to n_k$ be read by the next one only, affine, with
$\lVert \nabla f_{n_k} \cdots \nabla f_{n_1} \rVert \le \rho$. Then $\rho$ may take the place of
the product of the norms, wherever perturbations sit:
$$\lVert W_2 W_1 \rVert \le \rho \le \lVert W_2 \rVert \, \lVert W_1 \rVert .$$
Here $W_1 = \mathrm{diag}(8, \tfrac18)$ and $W_2 = \mathrm{diag}(\tfrac18, 8)$: $W_2 W_1 = I$, while
the product of the norms is 64. A forward perturbation of size 1 in front of them passes both on its
way to the quadratic loss, and what it does to the loss's slope passes both on the way back: the
bound on the squared error of the gradient in front is $\rho^4$, 1 against $64^4 = 16\,777\,216$
(before refinements, which cap the latter), and 1 is what happens.
""",
    theorem="Lemma 4.10",
    link="theory.md#48-directed-acyclic-graphs",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """A unit perturbation in front, with and without the norm of the product."""
    enclosed = "spectral norms are certified from above in floating point"
    for merge, norm in (("linear", Fraction(1)), ("none", Fraction(64))):
        text = _SPEC.replace("graph:", f"graph:\n  merge: {merge}")
        found = general(built(text))[0]
        says = rf"$\zeta^2$, `merge: {merge}`"
        yield Check(says, found, norm**4, rel=1e-9, why=enclosed)
    # The stem's gradient is W₁ᵀW₂ᵀ(W₂W₁ y) xᵀ with |x| = 1: it moves by W₁ᵀW₂ᵀW₂W₁ δ.
    shift = [Fraction(1), Fraction(0)]
    for diagonal in ((8, Fraction(1, 8)), (Fraction(1, 8), 8)) * 2:  # there, and back
        shift = [entry * part for entry, part in zip(diagonal, shift, strict=True)]
    text = _SPEC.replace("graph:", "graph:\n  merge: linear")
    found = general(built(text))[0]
    moved = sum((part**2 for part in shift), Fraction(0))
    yield Check("the same, against the instance", found, moved, rel=1e-9, why=enclosed)
