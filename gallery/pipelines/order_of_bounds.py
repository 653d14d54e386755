"""Sharp below corrected below published, at every delay."""

from collections.abc import Iterator

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Queues that get longer
theory: staleness
staleness: {queues: {p: [1, 1, 0], m: [FIRST, SECOND, 0]}}
graph:
  operators: [{id: block, type: sine, bias: true, repeat: 3}]
loss: {initial_gap: 2, gradient_noise: 1}
training: {step_size: 1/100000, horizon: 1000000}
"""

ENTRY = Entry(
    title="Sharp is below corrected, and corrected below published",
    topic="pipelines",
    statement=r"""
Where $L$ bounds the smoothness and Lemma 2 of the source holds with $L$ and $M$, every step that
Theorem 1 admits is admitted by the sharp statement, and the bounds are ordered: sharp at most
corrected at most published. Here that is looked at for delays from 4 to 64. Plain
backpropagation, without queues, has the classical bound $2\Delta_0/(N\alpha) + L_f\alpha\sigma^2$
in the sharp family.
""",
    theorem="docs/theory-staleness.md, Proposition 10.7 (a)",
    link="theory-staleness.md#106-sharp-per-block-delays-no-spare-factors",
    kind="upper",
    reference="Setting: [XHH] A. Xu, Z. Huo, H. Huang, CVPR 2020, arXiv:1909.02625.",
    spec=SPEC.replace("FIRST", "8").replace("SECOND", "4"),
    command="rate",
)


def checks() -> Iterator[Check]:
    """Bounds and limits at five delays, and without any."""
    for first in (4, 8, 16, 32, 64):
        text = SPEC.replace("FIRST", str(first)).replace("SECOND", str(first // 2))
        made = bc.rates(bc.loads(text)).statements
        printed, corrected, sharp = (made[k] for k in ("sgd", "sgd.corrected", "sgd.sharp"))
        delay = rf"$\Delta t = {first}$"
        yield Check(
            f"{delay}: corrected against published bound",
            float(corrected.bound),
            float(printed.bound),
            "at most",
        )
        yield Check(
            f"{delay}: sharp against corrected bound",
            float(sharp.bound),
            float(corrected.bound),
            "at most",
        )
        yield Check(
            f"{delay}: sharp against published limit",
            float(sharp.step_size_limit),
            float(printed.step_size_limit),
            "at least",
        )
    text = SPEC.replace("p: [1, 1, 0], m: [FIRST, SECOND, 0]", "p: [0, 0, 0], m: [0, 0, 0]")
    text = text.replace("loss: {", "loss: {smoothness: 6, ")
    found = bc.rates(bc.loads(text)).statements["sgd.sharp"]
    yield Check(
        "no delays: the classical bound", float(found.bound), 2 * 2 / 10 + 6 / 100_000, rel=1e-12
    )
    yield Check("no delays: the classical limit", float(found.step_size_limit), 1 / 6, rel=1e-12)
