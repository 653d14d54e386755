"""The inverse: how much compression and noise, and how few agents, a target allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Content, Maths
from boundcalc.spec.budget import BudgetSection
from boundcalc.theories.distributed.levers import Lever, largest, levers, smallest
from boundcalc.theories.distributed.noise_model import Setting, setting_in
from boundcalc.theories.distributed.rate import Made, bound_of, statements
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.statements import Problem, problem_in
from boundcalc.theories.distributed.step_limits import step_limits
from boundcalc.theories.numbers import best_number
from boundcalc.theories.statements import quantity_data, quantity_table
from boundcalc.theories.values import Answer, Quantity


@dataclass(frozen=True)
class DistributedBudget:
    """What a target allows, one lever at a time, all else as in the spec.

    Attributes
    ----------
    statement
        Key of the statement that is inverted.
    target, bound
        What its right side may be, and what it is.
    levers
        By key the number, or None with the reason in its note.
    """

    statement: str
    target: Number
    bound: Number
    levers: tuple[Quantity, ...]


def budget(graph: OperatorGraph, section: DistributedSection) -> Answer:
    """The largest ω and noise, and the smallest number of agents, for a target.

    Returns
    -------
    Answer
        ``value`` is a :class:`DistributedBudget`.

    Raises
    ------
    SpecError
        Without a ``budget`` section, or where no statement is made that could be inverted.

    Notes
    -----
    The bounds do not decrease as an ω that all agents share, or the noise, grows
    (docs/theory-distributed.md, Remark 12.9; of one agent's ω alone it would be false): these
    levers set the number of all agents, and are found by bisection on numbers at which the bound
    is enclosed, so that what is printed is admissible and 1 + 2⁻⁴⁰ times it is not.  The number
    of agents suffices and one less does not.
    """
    asked = _asked(graph)
    graph = _at(graph, asked)
    made = next((s for s in statements(graph, section) if s.bound is not None), None)
    if made is None or made.bound is None:
        refused = statements(graph, section)[0].refused
        raise SpecError(
            f"no statement is made that could be inverted: {refused}",
            where=graph.spec.where("distributed"),
            fix="see `boundcalc rate`",
        )
    question = _Question(graph, section, Made(made.key), asked)
    target = question.number(question.target)
    found = DistributedBudget(
        made.key,
        target,
        made.bound,
        (*(question.answer(lever) for lever in levers(section)), *_at_step(graph, section)),
    )
    given = (
        Quantity("target", Maths(r"\text{target}"), "what the bound may be", target),
        Quantity("bound", Maths(r"\text{bound}"), "what it is", made.bound),
    )
    caption: Content = "What the target allows, one lever at a time, all else as in the spec."
    return Answer(
        value=found,
        data={
            "distributed": {
                "statement": made.key,
                **quantity_data(given),
                **quantity_data(found.levers),
                "notes": {q.key: q.note for q in found.levers if q.note},
            }
        },
        blocks=(quantity_table(caption, (*given, *found.levers)),),
    )


def _asked(graph: OperatorGraph) -> BudgetSection:
    asked = graph.spec.budget
    if asked is None:
        raise SpecError(
            "the spec has no `budget` section",
            where="budget",
            expected="budget: {target: …}, or budget: {tolerance: …}",
            fix="add one",
        )
    for key, wrong in (("regime", "pl"), ("step_size", "best")):
        if getattr(asked, key) == wrong:
            raise SpecError(
                "this theory has no such budget",
                where=graph.spec.where(f"budget.{key}"),
                value=wrong,
                expected="the nonconvex statements at a given step size",
                fix=f"remove `{key}`",
            )
    return asked


def _at(graph: OperatorGraph, asked: BudgetSection) -> OperatorGraph:
    """The graph whose training has the budget's step and horizon."""
    training = graph.spec.training
    if training is None or (asked.horizon is None and asked.step_size is None):
        return graph
    changes: dict[str, Any] = {}
    if asked.horizon is not None:
        changes["horizon"] = asked.horizon
    if asked.step_size is not None:
        changes["step_size"] = asked.step_size
    changed = training.model_copy(update=changes)
    return replace(graph, spec=graph.spec.model_copy(update={"training": changed}))


@dataclass(frozen=True)
class _Question:
    graph: OperatorGraph
    section: DistributedSection
    made: Made
    asked: BudgetSection

    def number(self, compute: Callable[[Arithmetic], Scalar]) -> Number:
        return best_number(compute, size=self.section.size)

    def problem(self, kind: Arithmetic) -> Problem:
        return problem_in(self.graph, self.section, kind)

    def target(self, kind: Arithmetic) -> Scalar:
        """The target, or 1 + tolerance times the bound without noise and compression."""
        values = self.graph.values(kind)
        if self.asked.target is not None:
            return self.asked.target.evaluate(kind, values)
        assert self.asked.tolerance is not None  # noqa: S101 - the section has one of the two
        problem = self.problem(kind)
        s, none = problem.setting, (kind.number(0),)
        quiet = replace(s, omega=none, sigma0=none, sigma1=none, sigma_max=s.sigma_max and none)
        base = bound_of(self.made, self.section, replace(problem, setting=quiet))
        if base is None:
            raise SpecError(
                "the bound without noise and compression is not made at this step",
                where=self.graph.spec.where("budget.tolerance"),
                fix="give `target`",
            )
        return (1 + self.asked.tolerance.evaluate(kind, values)) * base

    def answer(self, lever: Lever) -> Quantity:
        proofs = []

        def admissible(at: Fraction) -> bool:
            def below(kind: Arithmetic) -> bool:
                problem = self.problem(kind)
                moved = replace(problem, setting=lever.moved(problem.setting, kind.number(at)))
                bound = bound_of(self.made, self.section, moved)
                return bound is not None and bool(bound <= self.target(kind))

            holds, proved = in_best_kind(below, self.section.size)
            proofs.append(proved)
            return holds

        found, note = (smallest if lever.falls else largest)(admissible)
        status = Status.PROVED if all(proofs) else Status.COMPUTED
        number = None if found is None else Number(found, status, limit=not lever.falls)
        return Quantity(lever.key, Maths(lever.symbol), lever.meaning, number, note)


def _at_step(graph: OperatorGraph, section: DistributedSection) -> tuple[Quantity, ...]:
    """The ω below which the step condition (12.6) admits the spec's step.

    ηη_t((L0 + L1a)(1 + A) + L1B') < 2ϵ at every a = ‖∇f‖ that is spoken of.  Of ηη_t = η/(o + a)
    both sides, times o + a, are linear in a: the two ends of its range are all that matters.
    """
    if section.algorithm == "dsignsgd":
        return ()
    limits = step_limits(graph, section)
    meaning = "compression below which the step condition admits the step"
    symbol = Maths(r"\omega")
    if section.steps.type == "normalised":
        why = "the normalised schedule prescribes its own steps, whatever the compression"
        return (Quantity("omega_max_at_step", symbol, meaning, None, why),)
    if limits.corrected is None:
        return (Quantity("omega_max_at_step", symbol, meaning, None, limits.note),)
    gradient = limits.gradient

    def omega(kind: Arithmetic) -> Scalar:
        s = setting_in(graph, section, kind)
        training = graph.spec.training
        assert training is not None  # noqa: S101 - a statement has been made
        step = training.step_size.evaluate(kind, graph.values(kind))
        if s.gradient_bound is not None:
            at = s.gradient_bound
        else:
            at = kind.number(0) if gradient is None else kind.measured(float(gradient))
        if section.steps.type != "inverse_norm":
            return _room(s, step, at)
        offset = kind.number(1)
        if section.steps.offset is not None:
            offset = section.steps.offset.evaluate(kind, graph.values(kind))
        nothing = kind.number(0)
        ends = (_room(s, step / (offset + a), a) for a in (nothing, at))
        return kind.minimum(*ends)

    number = best_number(omega, size=section.size, limit=True)
    if number.value < 0:
        note = "the step is too large even without compression"
        return (Quantity("omega_max_at_step", symbol, meaning, None, note),)
    note = limits.note
    if section.steps.type == "inverse_norm":
        note = "; ".join(filter(None, (note, "for steps η/(offset + ‖∇f‖), from ‖∇f‖ = 0 on")))
    return (Quantity("omega_max_at_step", symbol, meaning, number, note),)


def _room(s: Setting, step: Scalar, gradient: Scalar) -> Scalar:
    """The ω of all agents at which (12.6) is an equality at a gradient; negative if there is none.

    N(1 + A) = N + n + ω(1 + n) and NB' = (1 + ω)·l with n = NA and l = NB' at ω = 0.
    """
    G = s.L0 + s.L1 * gradient
    noise, level = (s.agents * each for each in replace(s, omega=(s.kind.number(0),)).levels)
    room = 2 * s.epsilon * s.agents / step - G * (s.agents + noise) - s.L1 * level
    return room / (G * (1 + noise) + s.L1 * level)
