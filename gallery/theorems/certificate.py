"""A certificate is accepted by a checker of plain Python, and rejected when a number is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built

_SPEC = """
version: 1
name: To be certified
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
perturbations: [{at: f1, pass: forward, rms: 1, mean: 0}]
"""

ENTRY = Entry(
    title="A bound that anyone can check",
    topic="theorems",
    statement=r"""
A certificate lists every step of a bound with exact numbers. One file of plain Python, which shares
no code with the rest of boundcalc, computes every step anew and accepts or rejects. With $N = 2$,
all constants 1 and $e_1 = 1$, zero mean, the claims are

$$\mathbb{E} \lVert \tilde u - u \rVert^2 \le 2 , \qquad
\lVert \mathbb{E}[\tilde u - u] \rVert^2 \le \tfrac12 .$$

Any change of a number, digests made right again or not, is noticed.
""",
    theorem="Theorems 4.2 and 4.3, certified",
    link="certificates.md#what-acceptance-means",
    kind="upper",
    spec=_SPEC,
    command="certify -o cert.json",
    reference=OWN,
)


def accepted(certificate: dict[str, Any]) -> Fraction:
    """1 if the checker accepts, else 0; the outer digest is made right first."""
    from boundcalc.verify.certificate import checker

    body = {key: part for key, part in certificate.items() if key != "digest"}
    try:
        checker.check(json.dumps(body | {"digest": checker.digest(body)}).encode())
    except checker.Rejected:
        return Fraction(0)
    return Fraction(1)


def checks() -> Iterator[Check]:
    """The claims, and what the checker says of changed files."""
    from boundcalc.verify.certificate.write import certificate, layout

    text = layout(certificate(built(_SPEC)))
    whole = json.loads(text)
    for claim, stated in zip(whole["claims"], (Fraction(2), Fraction(1, 2)), strict=True):
        yield Check(
            f"the bound claimed on the {claim['quantity']}", Fraction(claim["bound"]), stated
        )
    yield Check("accepted as it is (1: yes, 0: no)", accepted(whole), Fraction(1))
    unnoticed = Fraction(0)
    for k, step in enumerate(whole["steps"]):
        changed = json.loads(text)
        changed["steps"][k]["result"] = str(Fraction(step["result"]) / 2 or Fraction(3))
        unnoticed += accepted(changed)
    says = f"how many of the {len(whole['steps'])} steps may be changed unnoticed"
    yield Check(says, unnoticed, Fraction(0))
    for k in (0, 1):
        changed = json.loads(text)
        changed["claims"][k]["bound"] = "1/8"
        yield Check(f"accepted with 1/8 in claim {k}", accepted(changed), Fraction(0))
