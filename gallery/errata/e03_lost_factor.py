"""E3: a factor 2 is lost, and the printed coefficients are valid all the same."""

from collections.abc import Iterator

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY

ENTRY = Entry(
    title="E3: a lost factor that does no harm",
    topic="errata",
    statement=r"""
(19) has a factor 2 in front of the backward terms, (20) and (21) have not: the printed argument
proves the error bound with $2 C^e_\varepsilon$. The printed coefficients $D$ are valid all the
same: with the sharp Gram matrix $G$

$$\lambda_{\max}(D^{-1/2} G D^{-1/2}) \le 0.8497$$

for all constants and $N \le 24$, by 362 intervals that cover them, and at most $0.7001$ at 125
points. Proposition 4.6 proves it for every $N$.
""",
    theorem="[KZY] (20), (21), erratum E3",
    link="errata.md#e3-a-factor-2-that-is-lost",
    kind="upper",
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The evidence."""
    yield from compared(
        "E3",
        {
            "largest eigenvalue at the points": 0.7001,
            "quotient of step 1 for all constants": 0.8497,
        },
        digits=4,
    )
