"""The statements at a spec's steps, and the step conditions beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import format_limit
from boundcalc.graph import OperatorGraph
from boundcalc.report.notation import said
from boundcalc.showing import Shown, Tabular
from boundcalc.theories.distributed import wording
from boundcalc.theories.distributed.cautions import cautions
from boundcalc.theories.distributed.conditions import (
    descends_compressed,
    descends_sign,
    largest_compressed,
    largest_sign,
)
from boundcalc.theories.distributed.noise_model import setting_in
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.statements import (
    Bound,
    Problem,
    compressed_bound,
    largest_product,
    normalised_sde_bound,
    problem_in,
    sign_bound,
    smoothness,
)
from boundcalc.theories.distributed.step_limits import (
    StepLimits,
    limit_quantities,
    start_gradient,
    step_limits,
)
from boundcalc.theories.statements import (
    quantity_table,
    statement_data,
    statement_table,
    statement_theorems,
)
from boundcalc.theories.values import Answer, Statement

_FROM_BELOW = ("c_nu",)  # constants of which a bound needs the lower end


@dataclass(frozen=True)
class DistributedRate(Shown, Tabular):
    """Everything that is stated about one spec.

    Attributes
    ----------
    statements
        The discrete one first.
    limits
        The step conditions of the modified equations.
    """

    statements: tuple[Statement, ...]
    limits: StepLimits

    @property
    def chosen(self) -> Statement | None:
        """The first statement that is made: about the algorithm itself, if that one is."""
        return next((s for s in self.statements if s.bound is not None), None)


def rate(graph: OperatorGraph, section: DistributedSection) -> Answer:
    """The statements at the spec's steps, and the step conditions.

    Returns
    -------
    Answer
        ``value`` is a :class:`DistributedRate`; ``data["distributed"]`` has ``bound``,
        ``step_size_limit`` and ``step_size_limit_classic``.

    Raises
    ------
    SpecError
        If the run or the initial gap is missing.

    Notes
    -----
    docs/theory-distributed.md, section 12.  O(N) work for N agents, whatever the horizon.
    """
    found = DistributedRate(statements(graph, section), step_limits(graph, section))
    setting, _ = in_best_kind(lambda kind: setting_in(graph, section, kind), section.size)
    warned = cautions(section, setting, start_gradient(graph))
    return Answer(
        value=found,
        data={"distributed": _data(section, found, warned)},
        blocks=(
            *statement_theorems(found.statements),
            statement_table("The bounds, term by term.", found.statements),
            quantity_table("Step conditions.", limit_quantities(found.limits)),
        ),
        statements=found.statements,
        cautions=warned,
    )


def _data(
    section: DistributedSection, found: DistributedRate, warned: tuple[str, ...]
) -> Mapping[str, Any]:
    chosen, limits = found.chosen, found.limits
    return {
        "algorithm": section.algorithm,
        "schedule": section.steps.type,
        "step_size_limit": limits.corrected,
        "step_size_limit_classic": limits.classic,
        "gradient": limits.gradient,
        "step_size_limit_note": limits.note or None,
        "bound": None if chosen is None else chosen.bound,
        "statement": None if chosen is None else chosen.key,
        "terms": {} if chosen is None else dict(chosen.terms),
        "status": None if chosen is None or chosen.bound is None else chosen.bound.status,
        "statements": {s.key: statement_data(s) for s in found.statements},
        "cautions": list(warned),
    }


@dataclass(frozen=True)
class Made:
    """How a statement is evaluated: when it is refused, its right side, its largest step.

    Attributes
    ----------
    key
        ``discrete``, ``normalised_sde`` or ``sign``.
    """

    key: str

    def refusal(self, section: DistributedSection, p: Problem) -> str:
        """Why there is no bound; empty where there is one."""
        return _REFUSALS[self.key](section, p)

    def bound(self, p: Problem) -> Bound:
        """The right side."""
        return _BOUNDS[self.key](p)

    def limit(self, p: Problem) -> Scalar | None:
        """The largest η."""
        return _LIMITS[self.key](p)


def statements(graph: OperatorGraph, section: DistributedSection) -> tuple[Statement, ...]:
    """The discrete statement, and for the normalised schedule that of the modified equation."""
    if section.algorithm == "dsignsgd":
        return (_statement(graph, section, Made("sign")),)
    discrete = _statement(graph, section, Made("discrete"))
    if section.steps.type != "normalised":
        return (discrete,)
    return (discrete, _statement(graph, section, Made("normalised_sde")))


def _statement(graph: OperatorGraph, section: DistributedSection, made: Made) -> Statement:
    def evaluate(kind: Arithmetic) -> dict[str, Any]:
        problem = problem_in(graph, section, kind)
        refused, limit = made.refusal(section, problem), made.limit(problem)
        if refused:
            return {"refused": refused, "limit": limit}
        bound = made.bound(problem)
        parts = {"terms": bound.terms, "constants": bound.constants}
        return {"bound": bound.total, "limit": limit, **parts}

    found, proved = in_best_kind(evaluate, section.size)
    status = Status.PROVED if proved else Status.COMPUTED
    words = wording.words(section, made.key)
    limit = found["limit"]
    return Statement(
        key=made.key,
        title=words.title,
        quantity=words.quantity,
        formula=words.formula,
        bound=Number(found["bound"], status) if "bound" in found else None,
        source=words.source,
        terms={name: Number(x, status) for name, x in found.get("terms", {}).items()},
        constants={
            name: Number(x, status, limit=name in _FROM_BELOW)
            for name, x in found.get("constants", {}).items()
        },
        step_size_limit=None if limit is None else Number(limit, status, limit=True),
        refused=found.get("refused", ""),
        conditions=tuple(said(condition) for condition in words.conditions),
    )


def bound_of(made: Made, section: DistributedSection, p: Problem) -> Scalar | None:
    """The right side at any numbers; None where the statement is refused there."""
    return None if made.refusal(section, p) else made.bound(p).total


def _variance_refusal(section: DistributedSection, p: Problem) -> str:
    if section.clip is not None:
        return "clipped gradients are biased (`distributed.clip`)"
    if p.setting.A is None or p.setting.B is None:
        return "the variance of the noise is infinite: Student's t with ν ≤ 2 that is not cut"
    return ""


def _compressed_refusal(section: DistributedSection, p: Problem) -> str:
    refused = _variance_refusal(section, p) or _unbounded(p)
    if refused or descends_compressed(p.setting, largest_product(p)):
        return refused
    if p.schedule.type == "normalised":
        return "epsilon is too large for steps of this reach: lower `distributed.epsilon`"
    limit = _compressed_limit(p)
    return f"the step size is not below its limit {format_limit(limit)}"


def _unbounded(p: Problem) -> str:
    """Why no c bounds γ_k(L0 + L1‖∇f‖), or none R what one step may cost."""
    s = p.setting
    if not s.bounded:
        return (
            "with L1 > 0 a step may cost exponentially much, and the noise is unbounded: "
            "give `distributed.truncation`"
        )
    fixed = p.schedule.type in ("constant", "inverse_sqrt")
    if fixed and s.L1 != 0 and s.gradient_bound is None:
        return (
            "with L1 > 0 no step that is fixed in advance is small enough for every gradient: "
            "give `distributed.gradient_bound`, or use the schedule normalised"
        )
    return ""


def _compressed_limit(p: Problem) -> Scalar | None:
    """The largest η; None where the schedule takes none, or nothing is stated."""
    s = p.setting
    if s.A is None or s.B is None or _unbounded(p) or p.schedule.type == "normalised":
        return None
    c = largest_compressed(s)
    if p.schedule.type == "inverse_norm":
        return c / s.kind.maximum(s.L0 / p.offset, s.L1)
    return c / smoothness(s)


def _sign_refusal(section: DistributedSection, p: Problem) -> str:
    if section.clip is not None:
        return "clipped gradients are biased (`distributed.clip`)"
    if p.schedule.type == "inverse_norm":
        return "the statement is about steps that are fixed in advance"
    if not all(sigma == 0 for sigma in p.setting.sigma1):
        return "the scale of the noise grows with the gradient, and has no bound"
    if descends_sign(p.setting, p.step):
        return ""
    return f"the step size is not below its limit {format_limit(_sign_limit(p))}"


def _sign_limit(p: Problem) -> Scalar | None:
    return largest_sign(p.setting)


_REFUSALS = {
    "discrete": _compressed_refusal,
    "normalised_sde": _variance_refusal,
    "sign": _sign_refusal,
}
_BOUNDS = {
    "discrete": compressed_bound,
    "normalised_sde": normalised_sde_bound,
    "sign": sign_bound,
}
_LIMITS: Mapping[str, Callable[[Problem], Scalar | None]] = {
    "discrete": _compressed_limit,
    "normalised_sde": lambda _: None,
    "sign": _sign_limit,
}
