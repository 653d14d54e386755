"""A transformer block: constants of attention and normalisation, and the bound against a run."""

from collections.abc import Iterator

import numpy as np

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.resources import example
from gallery.base import Check, Entry
from gallery.tools import runs_below

ENTRY = Entry(
    title="A transformer block",
    topic="networks",
    statement=r"""
Four tokens of eight numbers through layer normalisation, attention with two heads, a residual
connection, and a layer with GELU and another one. On bounded queries, keys and values attention
is Lipschitz: with $d$ numbers for each head and radii $R_q$, $R_k$, $R_v$

$$a_q \le \frac{R_kR_v}{2\sqrt d} , \qquad a_k \le \frac{R_qR_v}{2\sqrt d} , \qquad a_v \le \sqrt
T ,$$

$T$ the number of tokens. Layer normalisation has $a \le G/\sqrt{\mathrm{eps}}$, $G$ the largest
gain. What differences at random points show must lie below.
""",
    theorem="docs/theory.md, Theorems 4.7 to 4.9; constants: docs/spec-reference.md, operators",
    link="spec-reference.md#operators",
    kind="upper",
    reference="Attention is not Lipschitz without bounds on its inputs: H. Kim, G. Papamakarios, "
    "A. Mnih, The Lipschitz constant of self-attention, ICML 2021, arXiv:2006.04710.",
    spec="transformer-block",
    command="verify",
)


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Two heads of four numbers each, written out."""
    out = np.empty_like(v)
    for head in (slice(0, 4), slice(4, 8)):
        scores = q[:, head] @ k[:, head].T / 2
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[:, head] = share / share.sum(axis=1, keepdims=True) @ v[:, head]
    return out


def steepest(which: int, radii: list[float]) -> float:
    """The largest secant in one input that random points within the radii show."""
    rng, found = np.random.default_rng(0), 0.0
    for _ in range(2000):
        parts = [rng.normal(size=(4, 8)) for _ in range(3)]
        parts = [r * p / np.linalg.norm(p) for r, p in zip(radii, parts, strict=True)]
        moved, step = list(parts), rng.normal(size=(4, 8))
        moved[which] = 0.999 * parts[which] + 1e-3 * radii[which] * step / np.linalg.norm(step)
        length = np.linalg.norm(moved[which] - parts[which])
        found = max(found, float(np.linalg.norm(attention(*moved) - attention(*parts)) / length))
    return found


def checks() -> Iterator[Check]:
    """Attention's slopes, the normalisation's, and verdicts of a run."""
    graph = bc.build(bc.load(example("transformer-block")))
    nodes = {node.id: node for node in graph.nodes}
    attend, norm = nodes["attend"], nodes["norm1"]
    radii = [float(part.radius.evaluate(FLOATS)) for part in attend.region.parts]
    for which, name in enumerate(("queries", "keys", "values")):
        slope = float(attend.constants.slots[which].jac_input.evaluate(FLOATS))
        yield Check(f"slope of attention in its {name}", slope, steepest(which, radii), "at least")
        formula = {0: radii[1] * radii[2] / 4, 1: radii[0] * radii[2] / 4, 2: 2.0}[which]
        yield Check("and its formula on these radii", slope, formula, "at most")
    gain = 1 + (7 / 8) ** 0.5 / 100
    found = float(norm.constants.jac_input.evaluate(FLOATS))
    yield Check("layer normalisation, gains within 1/100 of 1, eps 1", found, gain, rel=1e-12)
    yield from runs_below(graph)
