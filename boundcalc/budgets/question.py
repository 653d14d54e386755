"""What a budget is asked for: a regime, a family, a step, and the bound that may be reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from boundcalc.arithmetic import Number, Scalar
from boundcalc.arithmetic.combine import added
from boundcalc.arithmetic.number import format_bound, format_limit, format_number
from boundcalc.budgets.levels import with_perturbations
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.rates.bound import statement
from boundcalc.rates.inputs import problem, status_in, too_large_a_step
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.rates.steps import searchable
from boundcalc.rates.timeline import Timeline
from boundcalc.spec.budget import BudgetSection
from boundcalc.theories.perturbed.families import FAMILIES, Family


@dataclass(frozen=True)
class Question:
    """The bound that perturbations may reach.

    Attributes
    ----------
    graph
        With the horizon and the step size that the budget is for.
    section
        The spec's ``budget``.
    regime, family
        Of the bound.
    best
        Whether the step is chosen anew for each level.
    baseline
        The bound without perturbations.
    target
        The largest admissible bound, exact: rounded down where it is irrational.
    """

    graph: OperatorGraph
    section: BudgetSection
    regime: str
    family: Family
    best: bool
    baseline: Number
    target: Number

    @property
    def averaged(self) -> int:
        """Over how many draws a step averages at least, as far as single levels are searched.

        The samples of a batch; 1 as soon as the spec has a perturbation that they share.
        """
        if any(p.shared for p in self.graph.perturbations):
            return 1
        return self.graph.spec.loss.batch

    def bound(self, graph: OperatorGraph) -> Number:
        """The bound of a graph that differs from :attr:`graph` in its perturbations.

        Raises
        ------
        SpecError
            If the family has no bound for it.
        """
        return _bound(graph, self.regime, self.family, self.best)

    def admissible(self, graph: OperatorGraph) -> bool:
        """Whether its bound is certainly at most the target; O(N) and exact where that is."""
        return at_most(self.bound(graph), self.target)


def question(graph: OperatorGraph) -> Question:
    """The question of a spec's ``budget`` section.

    Raises
    ------
    SpecError
        If there is none, the training is not plain SGD, a rate lacks a constant, the step is
        above the theorem's limit, or the target is not above the unperturbed bound.

    Examples
    --------
    >>> import boundcalc as bc
    >>> asked = question(bc.build(bc.loads('''
    ... version: 1
    ... name: ten percent
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    ... training: {step_size: 1/4, horizon: 100}
    ... budget: {tolerance: 1/10}
    ... ''')))
    >>> asked.regime, str(asked.baseline), str(asked.target)
    ('nonconvex', '0.08', '0.088')
    """
    section, training = graph.spec.budget, graph.spec.training
    if section is None:
        raise SpecError(
            "the spec asks for no budget",
            where="budget",
            expected="budget: {tolerance: 1/10}, say: the bound may be ten percent larger",
            fix="add a `budget` section",
        )
    if training is None:
        raise SpecError(
            "a budget needs a step size and a horizon",
            where="training",
            expected="training: {step_size: γ, horizon: T}",
            fix="add a `training` section",
        )
    regime = section.regime or ("nonconvex" if graph.spec.loss.pl is None else "pl")
    if regime == "pl" and graph.spec.loss.pl is None:
        raise SpecError(
            "a PL budget without a PL constant",
            where="budget.regime",
            value="pl",
            expected="regime: nonconvex, where the spec claims no PL constant",
            fix="add `pl` to the `loss` section, or ask for regime: nonconvex",
        )
    unknown = not_plain_sgd(graph)
    if unknown is not None:
        raise SpecError(
            f"no budget: {unknown}",
            where="training",
            expected="plain SGD: without `optimizer` and `clip`",
            fix="remove `optimizer` and `clip`; with them the spec can be simulated",
        )
    best = section.step_size == "best"
    update: dict[str, object] = {}
    if section.horizon is not None:
        update["horizon"] = section.horizon
    if section.step_size is not None and not best:
        update["step_size"] = section.step_size
    run = training.model_copy(update=update)
    asked = replace(graph, spec=graph.spec.model_copy(update={"training": run}))
    asked._known.update(graph._known)
    family = FAMILIES[section.family]
    baseline = _bound(with_perturbations(asked, ()), regime, family, best)
    found = Question(
        graph=asked,
        section=section,
        regime=regime,
        family=family,
        best=best,
        baseline=baseline,
        target=_target(section, asked, baseline),
    )
    if not below(found.baseline, found.target):
        raise _infeasible(found)
    return found


def _bound(graph: OperatorGraph, regime: str, family: Family, best: bool) -> Number:
    """One bound, without the others that :func:`~boundcalc.rates.rates` would compute."""
    p = problem(graph)
    timeline = Timeline(graph, p.horizon)
    bounds = [family.best_bounds(graph, pattern.active) for pattern in timeline.patterns]
    refused = family.refusal(graph) or next((b.reason for b in bounds if b.bias is None), None)
    if refused is None and not best:
        refused = too_large_a_step(graph, p, family)
    if refused is not None:
        raise SpecError(
            f"the {family.name} family has no bound here: {refused}",
            where="budget",
            fix="choose another `family`, or change what it asks for",
        )
    found = statement(graph, p, timeline, family, bounds, regime)
    if not best:
        return added(found.numbers().values())
    at_best = found.at_best(found.best_step())
    if regime == "pl" and searchable(timeline.closed, p.horizon):
        # No step at all keeps the initial gap, where every step does harm.
        return Number(p.gap, status_in(p.kind)) if at_best is None else at_best[1]
    if at_best is None:
        raise SpecError(
            "the best step is not known for this horizon and these schedules",
            where="budget.step_size",
            value="best",
            expected="a step size",
            fix="give `step_size`",
        )
    return at_best[1]


def _target(section: BudgetSection, graph: OperatorGraph, baseline: Number) -> Number:
    kind = problem(graph).kind
    values = graph.values(kind)
    if section.target is not None:
        return Number(lowest(section.target.evaluate(kind, values)), baseline.status, limit=True)
    assert section.tolerance is not None  # noqa: S101 - the section has one of the two
    if float(baseline) == 0.0:
        raise SpecError(
            "the bound without any perturbation is so small that a share of it is no budget",
            where="budget.tolerance",
            value=format_number(baseline.value),
            expected="an unperturbed bound above 1e-308",
            fix="give an absolute `target` instead of `tolerance`, or a shorter horizon",
        )
    tolerance = lowest(section.tolerance.evaluate(kind, values))
    return Number(lowest(baseline.value) * (1 + tolerance), baseline.status, limit=True)


def _infeasible(asked: Question) -> SpecError:
    key = "target" if asked.section.target is not None else "tolerance"
    base, target = highest(asked.baseline.value), lowest(asked.target.value)
    if base > target:
        short = format_bound(base - target)
        problem = f"the target is below the bound without any perturbation, by {short}"
        if target > 0:
            problem += f": that bound is {format_bound(base / target)} times the target"
    else:
        problem = "the target is the bound without any perturbation: nothing is left for one"
    digits = digits_apart(base, target)
    return SpecError(
        problem,
        where=f"budget.{key}",
        value=format_limit(target, digits),
        expected=f"more than {format_bound(base, digits)}",
        fix="raise it, or lower the unperturbed bound: a longer horizon, another step size "
        "(step_size: best), less sampling noise",
    )


def digits_apart(first: Fraction, second: Fraction) -> int:
    """Significant digits, 6 at least, with which two numbers differ by more than rounding.

    Equal numbers, and those that agree in some 40 digits, get 6.

    >>> digits_apart(Fraction("0.28125851"), Fraction("0.28125849"))
    10
    """
    largest = max(abs(first), abs(second))
    for digits in range(6, 42):
        if abs(first - second) * 10 ** (digits - 2) >= largest:
            return digits
    return 6


def lowest(value: Scalar) -> Fraction:
    """A number's exact value; of an enclosure the lower end."""
    return _end(value, "lower")


def highest(value: Scalar) -> Fraction:
    """A number's exact value; of an enclosure the upper end.

    >>> highest(0.5)
    Fraction(1, 2)
    """
    return _end(value, "upper")


def _end(value: Scalar, side: str) -> Fraction:
    if isinstance(value, Fraction | int | float):
        return Fraction(value)
    if hasattr(value, side):
        mantissa, exponent = getattr(value, side)
    else:
        sign, mantissa, exponent, _ = value._mpf_
        mantissa = -mantissa if sign else mantissa
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def at_most(first: Number, second: Number) -> bool:
    """Whether first ≤ second for certain, as far as their statuses go."""
    return highest(first.value) <= lowest(second.value)


def below(first: Number, second: Number) -> bool:
    """Whether first < second for certain, as far as their statuses go."""
    return highest(first.value) < lowest(second.value)
