"""What is proved of an exact gradient that is rounded without randomness.

docs/theory-shrinkage.md, Theorem 11.9, for σ = 0 and μ ≤ 1/(L q_hi):

    (1/K) Σ ‖∇ℓ(w_k)‖² ≤ 2Δ₀/(Kμ q_lo) + d t²;
    ℓ(w_K) − ℓ* ≤ (1 − mμq_lo)^K Δ₀ + (1 − (1 − mμq_lo)^K) d t²/(2m).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import Number, Scalar, Status
from boundcalc.arithmetic.combine import added
from boundcalc.perturbations.formats.exact import root_up
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates.discounts import geometric, power
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.report.cells import Content, Maths
from boundcalc.theories.shrinkage.formats.pieces import pieces
from boundcalc.theories.shrinkage.formats.sector import Sector, sectors
from boundcalc.theories.shrinkage.formulas import TITLES
from boundcalc.theories.shrinkage.setting import Case, Setting
from boundcalc.theories.values import Statement

_SOURCE = "docs/theory-shrinkage.md, Theorem 11.9"


def deterministic(case: Case) -> bool:
    """Whether the spec rounds a gradient without noise, by a rule without randomness."""
    section = case.own.format
    if section is None or section.rounding == "stochastic":
        return False
    return case.holds(lambda s: s.variance == 0) is True


def rounding_statements(fitted: Case) -> tuple[Statement, ...]:
    """The nonconvex and the PL statement; none of a gradient that is random or not rounded."""
    if not deterministic(fitted):
        return ()
    case, found = without_fit(fitted), sectors_of(fitted)
    keys = ["rounding", *(["rounding_pl"] if case.graph.spec.loss.pl is not None else [])]
    return tuple(rounding_statement(case, found, key) for key in keys)


def rounding_statement(case: Case, found: list[Sector], key: str) -> Statement:
    """One of them for the best sector; refused, with the reason, where none is of use."""
    refused = _refusal(case, found)
    return _statement(case, None if refused else _best(case, found), key, refused)


def rounding_keeps(case: Case, found: list[Sector], key: str, target: Fraction) -> bool:
    """Whether its bound is certainly at most a target."""
    if _refusal(case, found):
        return False
    assert case.projection is not None  # noqa: S101 - there is a format
    chosen, dimension = _best(case, found), case.projection.dimension

    def keeps(s: Setting) -> bool:
        terms = _terms(s, chosen, dimension, key)
        return bool(sum(terms.values(), s.kind.number(0)) <= s.kind.number(target))

    return case.holds(keeps) is True


def _refusal(case: Case, found: list[Sector]) -> str:
    """Why the theorem makes no statement; empty where it does."""
    plain = not_plain_sgd(case.graph)
    if plain is not None:
        return plain
    if case.own.steps.type != "constant":
        return "it is about a fixed step; `shrinkage.steps` diminishes"
    if case.levels.bounds and case.holds(lambda s: s.bias == 0) is not True:
        return "the perturbed passes have a bias bound above 0"
    if not found:
        return "no component can reach the smallest number of the format: every step is 0"
    if not _covers(case, found[0]):
        limit = case.number(lambda s: _limit(s, found[0]), limit=True)
        return f"the step is not certainly at or below the limit {limit} of the theorem"
    return ""


def sectors_of(case: Case) -> list[Sector]:
    """The sectors of a case's rounding on |x| ≤ G; empty where everything becomes 0."""
    section = case.own.format
    assert section is not None  # noqa: S101 - the caller has looked
    made = pieces(FORMATS[section.name], section.rounding, section.flush)
    return sectors(made, _reach(case))


def without_fit(case: Case) -> Case:
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


def _best(case: Case, found: list[Sector]) -> Sector:
    """The sector with the smallest nonconvex bound."""
    gap, step = (case.number(lambda s: s.gap), case.number(lambda s: s.step))
    first = 2 * float(gap or 0) / (float(step or 1) * case.horizon)
    zone = float(case.projection.dimension) if case.projection is not None else 1.0
    return min(found, key=lambda x: first / float(x.low) + zone * float(x.dead) ** 2)


def _covers(case: Case, sector: Sector) -> bool:
    """Whether μ ≤ 1/(L q_hi) for certain; all sectors of a rounding have the same q_hi."""
    return case.holds(lambda s: s.step * s.L * s.kind.number(sector.high) <= 1) is True


def _limit(s: Setting, sector: Sector) -> Scalar:
    return 1 / (s.L * s.kind.number(sector.high))


def step_limit(case: Case, found: list[Sector]) -> Scalar:
    """1/(L q_hi), in the best kind."""
    value, _ = case.evaluated(lambda s: _limit(s, found[0]))
    return value


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


def _numbers(case: Case, chosen: Sector, key: str) -> dict[str, Any]:
    """What a statement that is made has and a refused one has not."""
    assert case.projection is not None  # noqa: S101 - there is a format
    dimension = case.projection.dimension
    values, status = case.evaluated(lambda s: _terms(s, chosen, dimension, key))
    terms = {name: Number(value, status) for name, value in values.items()}
    return {
        "bound": added(terms.values()),
        "terms": terms,
        "constants": {
            "q_low": Number(chosen.low, Status.PROVED, limit=True),
            "q_high": Number(chosen.high, Status.PROVED),
            "dead_zone_edge": Number(chosen.dead, Status.PROVED),
        },
        "step_size_limit": case.number(lambda s: _limit(s, chosen), limit=True),
    }


def _statement(case: Case, chosen: Sector | None, key: str, refused: str = "") -> Statement:
    made: dict[str, Any] = {"bound": None}
    if chosen is not None:
        made = _numbers(case, chosen, key)
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
        source=_SOURCE,
        refused=refused,
        conditions=conditions,
        **made,
    )
