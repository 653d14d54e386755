"""What is proved of an exact gradient that is rounded without randomness.

docs/theory-shrinkage.md, Theorem 11.9, for σ = 0 and μ ≤ 1/(L q_hi):

    (1/K) Σ ‖∇ℓ(w_k)‖² ≤ 2Δ₀/(Kμ q_lo) + d t²;
    ℓ(w_K) − ℓ* ≤ (1 − mμq_lo)^K Δ₀ + (1 − (1 − mμq_lo)^K) d t²/(2m).
"""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import Number, Scalar, Status
from boundcalc.arithmetic.combine import added
from boundcalc.perturbations.formats.exact import root_up
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates.discounts import geometric, power
from boundcalc.report.cells import Content, Maths
from boundcalc.theories.shrinkage.formats.pieces import pieces
from boundcalc.theories.shrinkage.formats.sector import Sector, sectors
from boundcalc.theories.shrinkage.formulas import TITLES
from boundcalc.theories.shrinkage.setting import Case, Setting
from boundcalc.theories.values import Statement

_SOURCE = "docs/theory-shrinkage.md, Theorem 11.9"


def rounding_statements(fitted: Case) -> tuple[Statement, ...]:
    """The nonconvex and the PL statement; none where the theorem does not speak."""
    case = _without_fit(fitted)
    section = case.own.format
    exact_gradient = case.holds(lambda s: s.variance == 0)
    if (
        section is None
        or section.rounding == "stochastic"
        or exact_gradient is not True
        or case.own.steps.type != "constant"
    ):
        return ()
    found = sectors(pieces(FORMATS[section.name], section.rounding, section.flush), _reach(case))
    chosen = _best(case, found)
    if chosen is None:
        return ()
    made = [_statement(case, chosen, "rounding")]
    if case.graph.spec.loss.pl is not None:
        made.append(_statement(case, chosen, "rounding_pl"))
    return tuple(made)


def _without_fit(case: Case) -> Case:
    """The case without the fitted numbers, of which the theorem needs none."""
    return case.replaced(q=Fraction(1), noise=Fraction(0))


def _reach(case: Case) -> Fraction:
    """G = √(2LΔ₀) ≥ ‖∇ℓ(w_k)‖ for every k, as ℓ(w_k) never rises."""
    number = case.number(lambda s: 2 * s.L * s.gap)
    assert number is not None  # noqa: S101 - the formula always has a value
    value = number.value
    if not isinstance(value, Fraction):
        value = Fraction(float(number)) * (1 + Fraction(1, 2**40))
    return root_up(Fraction(value))


def _best(case: Case, found: list[Sector]) -> Sector | None:
    """The sector with the smallest nonconvex bound among those that cover the step."""
    covered = [x for x in found if _covers(case, x)]
    if not covered:
        return None
    gap, step = (case.number(lambda s: s.gap), case.number(lambda s: s.step))
    first = 2 * float(gap or 0) / (float(step or 1) * case.horizon)
    zone = float(case.projection.dimension) if case.projection is not None else 1.0
    return min(covered, key=lambda x: first / float(x.low) + zone * float(x.dead) ** 2)


def _covers(case: Case, sector: Sector) -> bool:
    """Whether μ ≤ 1/(L q_hi) for certain."""
    return case.holds(lambda s: s.step * s.L * s.kind.number(sector.high) <= 1) is True


def _terms(s: Setting, chosen: Sector, dimension: int, regime: str) -> dict[str, Scalar]:
    low, zone = s.kind.number(chosen.low), s.kind.number(chosen.dead**2 * dimension)
    if regime == "rounding":
        return {"optimisation": 2 * s.gap / (s.horizon * s.step * low), "dead_zone": zone}
    drop = s.kind.minimum(s.kind.number(1), s.m * s.step * low)
    total = geometric(drop, Progression(0, 1, s.horizon), s.horizon - 1, s.kind)
    return {
        "optimisation": power(drop, s.horizon, s.kind) * s.gap,
        "dead_zone": s.step * low * zone / 2 * total,
    }


def _statement(case: Case, chosen: Sector, key: str) -> Statement:
    assert case.projection is not None  # noqa: S101 - there is a format
    dimension = case.projection.dimension
    values, status = case.evaluated(lambda s: _terms(s, chosen, dimension, key))
    terms = {name: Number(value, status) for name, value in values.items()}
    limit = case.number(lambda s: 1 / (s.L * s.kind.number(chosen.high)), limit=True)
    conditions: tuple[Content, ...] = (
        ("the gradient that is rounded is exact: ", Maths(r"\sigma=0")),
        (
            "every component ",
            Maths("x"),
            " has ",
            Maths(r"xQ(x)\ge q_{lo}(x^2-t^2)"),
            " and ",
            Maths(r"Q(x)^2\le q_{hi}xQ(x)"),
            ", which was computed from the numbers of the format",
        ),
    )
    average = r"\frac1K\sum_{k=0}^{K-1}\lVert\nabla\ell(w_k)\rVert^2"
    nonconvex = key == "rounding"
    return Statement(
        key=key,
        title=TITLES[key],
        quantity=average if nonconvex else r"\ell(w_K)-\ell^{\ast}",
        formula=(
            r"\frac{2\Delta_0}{K\mu q_{lo}}+dt^2"
            if nonconvex
            else r"(1-m\mu q_{lo})^K\Delta_0+\frac{1-(1-m\mu q_{lo})^K}{2m}dt^2"
        ),
        bound=added(terms.values()),
        source=_SOURCE,
        terms=terms,
        constants={
            "q_low": Number(chosen.low, Status.PROVED, limit=True),
            "q_high": Number(chosen.high, Status.PROVED),
            "dead_zone_edge": Number(chosen.dead, Status.PROVED),
        },
        step_size_limit=limit,
        conditions=conditions,
    )
