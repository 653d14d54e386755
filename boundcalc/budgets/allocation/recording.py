"""A budget's bound as a straight-line program in the levels of the sites.

The recurrences and statements are those that :mod:`boundcalc.theories` and
:mod:`boundcalc.rates` have, run once on a tape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from boundcalc.arithmetic import FLOATS, WIDE, Arithmetic, Scalar
from boundcalc.arithmetic.doubles import DOUBLES
from boundcalc.arithmetic.program import Program, program
from boundcalc.arithmetic.tape import Tape
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.question import Question
from boundcalc.graph import OperatorGraph, Site
from boundcalc.graph.numbers import Levels
from boundcalc.perturbations.dependence import Dependence
from boundcalc.rates import statements
from boundcalc.rates.inputs import problem, problem_as
from boundcalc.rates.statements import Level, added_variance
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed import sharp, sums
from boundcalc.theories.perturbed.families import Sharp
from boundcalc.theories.perturbed.graph_sites import converted
from boundcalc.theories.perturbed.refinements import ON_ALL_PASSES, Choice


@dataclass(frozen=True)
class Recording:
    """The program, and what its inputs are.

    Attributes
    ----------
    program
        Its inputs are, in order: √E‖·‖² of every site, the sizes of the means of the sites
        whose pass has means, (E‖·‖⁴)^{1/4} of every forward site if ``fourths``, and the three
        numbers c₀, c₁, c₂ of :func:`coefficients`.
    sites
        Which are perturbed; none is anywhere else.
    means
        Positions, among the sites, of those with a mean.
    fourths
        Positions of those with a fourth moment.
    """

    program: Program
    sites: tuple[Site, ...]
    means: tuple[int, ...]
    fourths: tuple[int, ...]


def recorded(
    asked: Question,
    sites: Sequence[Site],
    *,
    forward_means: bool,
    backward_means: bool,
    kind: Arithmetic = DOUBLES,
    refined: bool = True,
) -> Recording:
    """The bound c₀ + c₁ · extra + c₂ · bias² of all levels with means in the given passes.

    ``extra`` is Var(g̃) − σ², or the squared error, whichever the family's statement has.
    O(N) instructions on a chain.

    Parameters
    ----------
    kind
        Of the constants: floats, or wide numbers where floats have too small a range.
    refined
        Whether to take the refinements that the family takes; each is a minimum.
    """
    return _recorded(asked, sites, (forward_means, backward_means), kind, refined)


def _recorded(
    asked: Question,
    sites: Sequence[Site],
    with_means: tuple[bool, bool],
    kind: Arithmetic,
    refined: bool,
) -> Recording:
    tape = Tape(kind)
    sizes = [tape.input() for _ in sites]
    with_mean = dict(zip(("forward", "backward"), with_means, strict=True))
    means = tuple(j for j, site in enumerate(sites) if with_mean[site.direction])
    mean_inputs = {j: tape.input() for j in means}
    fourths: tuple[int, ...] = ()
    if not isinstance(asked.family, Sharp):
        fourths = tuple(j for j, site in enumerate(sites) if site.direction == "forward")
    fourth_inputs = {j: tape.input() for j in fourths}
    c0, c1, c2 = (tape.input() for _ in range(3))
    levels = _levels(asked.graph, sites, sizes, mean_inputs, fourth_inputs, kind.number(0))
    error, bias = _moments(asked, levels, tape, refined=refined)
    sigma = _number(problem_as(problem(asked.graph), WIDE).sigma, kind)
    level = averaged(error, bias, asked.graph.spec.loss.batch, tape)
    if asked.family.descent.splits_variance:
        error = added_variance(level, sigma, tape)
    else:
        error = level.error
    return Recording(program(tape, c0 + c1 * error + c2 * level.bias), tuple(sites), means, fourths)


def averaged(error: Scalar, bias: Scalar, batch: int, tape: Tape) -> Level:
    """The level of a batch's average, as :func:`~boundcalc.rates.rate.batch_level` has it."""
    average = error if batch == 1 else tape.minimum(error, (bias * (batch - 1) + error) / batch)
    return Level(error=average, bias=bias, unbiased=bool(bias == 0))


def coefficients(
    asked: Question,
) -> Callable[[Scalar | None], tuple[Scalar, Scalar, Scalar]]:
    """Step → c₀, c₁, c₂, for perturbations that act at every step; None is the spec's step.

    In the wide kind.  The statements are linear in extra and bias².
    """
    given = problem(asked.graph)
    descent, unit = asked.family.descent, WIDE.number(1)
    one = [Level(error=unit, bias=unit, unbiased=True)]
    timeline = Timeline(with_perturbations(asked.graph, ()), given.horizon)

    def at(step: Scalar | None) -> tuple[Scalar, Scalar, Scalar]:
        p = problem_as(given, WIDE, step)
        if asked.regime == "nonconvex":
            terms = statements.nonconvex_terms(p, descent, one, [unit])
        else:
            drop = statements.contraction_drop(p, descent)
            discounts = timeline.discounted(drop, descent.lag, WIDE)
            terms = statements.pl_terms(p, descent, one, discounts)
        return (
            terms["optimisation"] + terms["sampling"],
            terms["perturbation_error"],
            terms["perturbation_bias"],
        )

    return at


def _number(value: Scalar, kind: Arithmetic) -> Scalar:
    return value if kind is WIDE else float(value)


def _levels(
    graph: OperatorGraph,
    sites: Sequence[Site],
    sizes: Sequence[Scalar],
    means: dict[int, Scalar],
    fourths: dict[int, Scalar],
    zero: Scalar,
) -> Levels:
    e, m, q = ([zero] * (graph.size + 1) for _ in range(3))
    eps, n = ([zero] * len(graph.ends) for _ in range(2))
    for j, site in enumerate(sites):
        size, mean = (e, m) if site.direction == "forward" else (eps, n)
        size[site.index] = sizes[j]
        mean[site.index] = means.get(j, zero)
        if j in fourths:
            q[site.index] = fourths[j] ** 4
    return Levels(
        e=tuple(e),
        m=tuple(m),
        q=tuple(q),
        eps=tuple(eps),
        n=tuple(n),
        # Moments of rounding hold for every value, so they hold given all that was drawn before.
        dependence=(Dependence.CONDITIONAL,) * (graph.size + 1),
    )


def _moments(
    asked: Question, levels: Levels, tape: Tape, *, refined: bool
) -> tuple[Scalar, Scalar]:
    """E‖ũ − u‖² and ‖E[ũ − u]‖²."""
    family, graph = asked.family, asked.graph
    if not isinstance(family, Sharp):
        columns = family.coefficients(graph, tape.kind)
        return sums.error_bound(columns, levels, tape), sums.bias_bound(columns, levels, tape)
    allowed = family.refinements if refined else frozenset()
    if graph.sampled:
        allowed = allowed - ON_ALL_PASSES
    choice = Choice(tape, allowed)
    constants = graph.graph_constants(tape.kind if tape.kind is WIDE else FLOATS)
    if tape.kind is not WIDE:
        constants = converted(constants)  # Python's floats in place of NumPy's
    second = sharp.centred(
        constants,
        levels,
        tape,
        forward=levels.forward_centred,
        backward=levels.backward_centred,
        choice=choice,
    )
    means = sharp.means(constants, levels, second, tape, choice=choice)
    return second.total(), means.total()
