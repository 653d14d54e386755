"""All statements at the spec's step size and horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Number, Scalar
from boundcalc.arithmetic.combine import added
from boundcalc.arithmetic.number import format_limit, format_number
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Content, Maths
from boundcalc.showing import Shown, Tabular
from boundcalc.theories.staleness import composed, published, sharp
from boundcalc.theories.staleness.method import is_plain
from boundcalc.theories.staleness.setting import Problem, Setting
from boundcalc.theories.staleness.shapes import QUANTITY, SHAPES, Formula, Shape
from boundcalc.theories.values import Statement

_TAU: Content = (
    "the bound holds for every ",
    Maths(r"\tau"),
    " with ",
    Maths(r"1-L\alpha-(1+\tau)\alpha^2Q\ge0"),
    "; the best one is taken",
)
_LEMMA: Content = (
    "the numbers `lipschitz` and `error_gradient` are such that Lemma 2 of [XHH] holds; that "
    "follows from Lemma 1 and the smoothness for K ≥ 3 blocks and M ≥ 1 only"
)
_FIRST: Content = (
    "the numbers `lipschitz` and `error_gradient` are such that Lemma 1 of [XHH] holds"
)
_SMOOTH: Content = (
    "the gradient is L-Lipschitz for L = `lipschitz`, as `loss.smoothness` is not stated"
)

#: Statements that rest on Lemma 2 as it is printed.
_PRINTED = ("sgd", "sgd.corrected", "momentum")


@dataclass(frozen=True)
class Rates(Shown, Tabular):
    """Every statement by its key.

    Attributes
    ----------
    statements
        ``sgd``, ``sgd.corrected``, ``sgd.sharp``, ``momentum``, ``momentum.sharp``, and
        ``composed`` where the passes are perturbed.
    lipschitz, error_gradient
        L and M; None where they are neither given nor compiled.
    corollary
        Corollary 1 of [XHH].
    notes
        What to know of how they were made.
    """

    problem: Problem
    statements: Mapping[str, Statement]
    lipschitz: Number
    error_gradient: Number
    corollary: Mapping[str, object]
    notes: tuple[str, ...] = ()


def rates(problem: Problem) -> Rates:
    """All statements of a spec with delays.

    Raises
    ------
    SpecError
        If the spec lacks a constant that the statements need.
    """
    graph = problem.graph
    plain = is_plain(graph)
    shapes = [(shape, refusal(shape, graph)) for shape in SHAPES]
    if graph.perturbations:
        shapes.append(composed_shape(problem))
    found = {shape.key: evaluated(problem, shape, refused) for shape, refused in shapes}
    return Rates(
        problem,
        found,
        lipschitz=problem.number(lambda s: s.L),
        error_gradient=problem.number(lambda s: s.M),
        corollary=_corollary(problem, found["sgd"]),
        notes=(*_notes(plain), *problem.notes()),
    )


def refusal(shape: Shape, graph: OperatorGraph) -> str:
    """Why a statement about stale passes is not about this run; empty where it is."""
    if graph.perturbations:
        return "the passes are perturbed too, which `composed` bounds and this does not"
    if is_plain(graph) or shape.key.startswith("momentum"):
        return ""
    assert graph.spec.training is not None  # noqa: S101 - a method is part of it
    kind = graph.spec.training.optimizer.type
    return f"`training.optimizer` is {kind}, and this is about SGD without momentum"


def evaluated(problem: Problem, shape: Shape, refused: str = "") -> Statement:
    """A statement with its numbers; without a bound where the step is too large."""
    limit = problem.number(lambda s: shape.limit(s) / s.method.scale, limit=True)
    refused = refused or too_large(problem, shape, limit)
    terms: dict[str, Number] = {}
    if not refused:
        terms = {name: problem.number(formula) for name, formula in shape.terms.items()}
    return Statement(
        key=shape.key,
        title=shape.title,
        quantity=QUANTITY,
        formula=shape.formula,
        bound=added(terms.values()) if terms else None,
        source=shape.source,
        terms=terms,
        constants={name: problem.number(formula) for name, formula in shape.constants.items()},
        step_size_limit=limit,
        refused=refused,
        conditions=(*shape.conditions, *_stated(problem, shape)),
    )


def _stated(problem: Problem, shape: Shape) -> tuple[Content, ...]:
    """What a statement supposes of `lipschitz` and `error_gradient`, where they are stated."""
    if problem.section.lipschitz is None:
        return ()
    found: list[Content] = []
    if problem.graph.spec.loss.smoothness is None:
        found.append(_SMOOTH)
    if shape.key in _PRINTED or problem.coupling[0] == "lemma 2":
        found.append(_LEMMA)
    elif problem.coupling[0] == "lemma 1":
        found.append(_FIRST)
    return tuple(found)


def too_large(problem: Problem, shape: Shape, limit: Number) -> str:
    """Why the statement does not cover the step size; empty where it certainly does."""

    def above(s: Setting) -> bool:
        top = shape.limit(s)
        return bool(s.step >= top) if shape.strict else bool(s.step > top)

    found = problem.decided(above)
    step = format_number(problem.number(lambda s: s.step / s.method.scale).value)
    if found is None:
        return (
            f"whether the step size {step} is above the limit {format_limit(limit.value)} is "
            "undecided: choose a slightly smaller step"
        )
    if not found:
        return ""
    relation = "not below" if shape.strict else "above"
    return f"the step size {step} is {relation} the limit {format_limit(limit.value)}"


def composed_shape(problem: Problem) -> tuple[Shape, str]:
    """The statement on stale and perturbed passes, and why it says nothing, if so."""
    passes = composed.passes_of(problem)
    names = ("sampling", "staleness", "perturbation_bias")

    def term(name: str) -> Formula:
        return lambda s: composed.terms(s, passes)[name]

    biased = any(b.bias is not None and b.bias.value != 0 for b in passes.bounds)
    shape = Shape(
        "composed",
        "stale and perturbed",
        r"\frac{2\Delta_0}{N\alpha}+L\alpha\,\mathrm{Var}+(1+\tau)\alpha^2Q\,\mathrm{Var}"
        r"+\Bigl(1+\frac1\tau\Bigr)\mathrm{bias}^2",
        "docs/theory-staleness.md, Theorem 10.9",
        sharp.limit,
        {"optimisation": published.optimisation} | {name: term(name) for name in names},
        {"Q": lambda s: s.Q, "smoothness": lambda s: s.smooth},
        conditions=(_TAU,),
        strict=biased and problem.delay > 0,
    )
    refused = passes.refused or ""
    if not is_plain(problem.graph):
        refused = "it is proved for SGD without momentum"
    return shape, refused


def _corollary(problem: Problem, sgd: Statement) -> Mapping[str, object]:
    """α = 1/√N and the bound there, where the limit allows it."""

    def step(s: Setting) -> Scalar:
        return 1 / s.kind.sqrt(s.kind.number(s.horizon))

    above = problem.decided(lambda s: step(s) > published.limit(s))
    found: dict[str, object] = {
        "step_size": problem.number(
            lambda s: s.kind.minimum(step(s), published.limit(s)), limit=True
        ),
        "bound": None,
        "refused": None,
        "source": "[XHH], Corollary 1",
    }
    if sgd.refused and "step size" not in sgd.refused:
        found["refused"] = sgd.refused
    elif above is not False:
        found["refused"] = "1/√N is above the limit: its bound holds for longer runs only"
    else:
        found["bound"] = problem.number(lambda s: published.corollary(s, published.noise_factor(s)))
    return found


def _notes(plain: bool) -> tuple[str, ...]:
    if not plain:
        return ()
    return (
        "SGD has no momentum: `momentum` is Theorem 2 at β = 0, where the method does not "
        "depend on s, for s = 1/2, which makes c₂ + s² least",
    )
