"""Cases of the shrinkage theory, and slow literal twins of its formulas."""

from fractions import Fraction
from typing import Any

import boundcalc as bc
from boundcalc.spec.loading import library_object
from boundcalc.theories.shrinkage.section import ShrinkageSection
from boundcalc.theories.shrinkage.setting import Case, case_of

HEAD = """
version: 1
name: a case
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{{id: f1}}, {{id: f2}}]
loss: {{smoothness: {L}, {pl} initial_gap: {gap}, gradient_noise: {sigma}}}
training: {{step_size: {step}, horizon: {horizon}}}
{more}
"""


def case(
    own: dict[str, Any],
    *,
    L: Any = 1,
    m: Any = "1/2",
    gap: Any = 1,
    sigma: Any = 1,
    step: Any = "1/10",
    horizon: int = 50,
    more: str = "",
) -> Case:
    """A case of stated constants."""
    pl = "" if m is None else f"pl: {m},"
    text = HEAD.format(L=L, pl=pl, gap=gap, sigma=sigma, step=step, horizon=horizon, more=more)
    graph = bc.build(bc.loads(text))
    return case_of(graph, library_object(ShrinkageSection, own, "shrinkage"))


def literal_average(
    q: list[Fraction],
    *,
    L: Fraction,
    gap: Fraction,
    sigma: Fraction,
    noise: Fraction,
    step: Fraction,
    compensated: bool = False,
    sharp: bool = False,
) -> Fraction:
    """The weighted average of squared gradients, step by step."""
    top, weight = 2 * gap, Fraction(0)
    for factor in q:
        s = step / factor if compensated else step
        a = s * factor
        weight += a * (2 - L * a) if sharp else a
        top += L * s**2 * (factor**2 * sigma**2 + noise**2)
    return top / weight


def literal_gap(
    q: list[Fraction],
    *,
    L: Fraction,
    m: Fraction,
    gap: Fraction,
    sigma: Fraction,
    noise: Fraction,
    step: Fraction,
    compensated: bool = False,
    sharp: bool = False,
) -> Fraction:
    """The PL recurrence, step by step."""
    x = gap
    for factor in q:
        s = step / factor if compensated else step
        a = s * factor
        drop = m * a * (2 - L * a) if sharp else m * a
        x = (1 - drop) * x + L * s**2 / 2 * (factor**2 * sigma**2 + noise**2)
    return x
