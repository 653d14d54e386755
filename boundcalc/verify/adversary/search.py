"""The search: find operators, weights, inputs and perturbations that make a bound tight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph, build
from boundcalc.spec.loading import loads
from boundcalc.theories.perturbed.families import FAMILIES, Family
from boundcalc.verify.adversary.attack import OBJECTIVES, Attack, Objective
from boundcalc.verify.adversary.functions import Found, search_functions
from boundcalc.verify.adversary.plan import by_constants

#: What an attained value must exceed a bound by, as a fraction, to count as a violation.
ROUNDING = 1e-9


def search(
    graph: OperatorGraph,
    *,
    objective: Objective = "error",
    starts: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    families: Mapping[str, Family] = FAMILIES,
) -> Attack:
    """The worst instance found within the constants and levels of a spec.

    Operators that are given by constants only are chosen, as chains of
    :class:`~boundcalc.operators.spline.Spline`; of operators with a type the weights, the
    input and the laws of the perturbations are.

    Parameters
    ----------
    graph
        A compiled spec.
    objective
        ``error``: E‖ũ − u‖².  ``bias``: ‖E[ũ − u]‖².  ``floor``: E[ℓ(w^T) − ℓ*].
    starts
        Random starts; each is followed by climbs and by exchanges of single functions.
    seed
        The same seed gives the same result.
    progress
        Told how many starts are done, and of how many.  An interrupt (Ctrl-C) ends the
        search with the best so far.

    Returns
    -------
    Attack
        A lower bound on what the worst case is, with the instance that attains it.

    Raises
    ------
    SpecError, UnsupportedError
        For an unknown objective, or a spec that cannot be searched.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> attack = search(bc.build(bc.load(example("bilinear-erratum"))), objective="bias", starts=2)
    >>> attack.violated, round(attack.fractions["sharp"], 4)
    (('published',), 1.0)
    """
    if objective not in OBJECTIVES:
        raise SpecError(
            "unknown objective", value=objective, expected="one of " + ", ".join(OBJECTIVES)
        )
    if starts < 1:
        raise SpecError("a search needs a start", value=starts, expected="starts ≥ 1")
    report = progress or (lambda done, total: None)
    rng = np.random.default_rng(seed)
    if objective == "floor":
        from boundcalc.verify.adversary.floor import floor_bounds, search_floor

        found = search_floor(graph, starts=starts, rng=rng, progress=report)
        bounds = floor_bounds(found.instance, families)
    else:
        bias = objective == "bias"
        if by_constants(graph):
            found = search_functions(graph, bias=bias, starts=starts, rng=rng, progress=report)
        else:
            from boundcalc.verify.adversary.typed import search_typed

            found = search_typed(graph, bias=bias, starts=starts, rng=rng, progress=report)
        bounds = _bounds(graph, families, bias=bias)
    return _attack(objective, found, bounds, seed, starts)


def _bounds(
    graph: OperatorGraph, families: Mapping[str, Family], *, bias: bool
) -> dict[str, float]:
    made = {}
    for name, family in families.items():
        bounds = family.bounds(graph)
        value = bounds.bias if bias else bounds.error
        if value is not None:
            made[name] = float(value)
    return made


def _attack(
    objective: Objective, found: Found, bounds: dict[str, float], seed: int, starts: int
) -> Attack:
    sharp = bounds.get("sharp", math.nan)
    least = max(found.attained - found.uncertainty, 0.0)
    beaten = [n for n, bound in bounds.items() if least > bound * (1 + ROUNDING) + found.zero]
    violated = confirmed(found.instance, objective, bounds, beaten)
    return Attack(
        objective=objective,
        attained=found.attained,
        uncertainty=found.uncertainty,
        bounds=bounds,
        fractions={
            # What is sampled is held against a bound of 0 with its interval.
            name: fraction(found.attained if bound > 0 or name in violated else 0.0, bound)
            for name, bound in bounds.items()
        },
        violated=violated,
        instance=found.instance,
        seed=seed,
        starts=starts,
        evaluations=found.evaluations,
        history=tuple(fraction(value, sharp) for value in found.history),
        notes=found.notes,
    )


def confirmed(
    instance: str, objective: Objective, bounds: Mapping[str, float], beaten: list[str]
) -> tuple[str, ...]:
    """The families that an instance beats in 50 digits too, where that is affordable."""
    if not beaten or objective == "floor":
        return tuple(beaten)
    from boundcalc.verify.adversary.precise import precise_moments

    found = precise_moments(build(loads(instance)))
    if found is None:
        return tuple(beaten)
    value = float(found[int(objective == "bias")])
    return tuple(name for name in beaten if value > bounds[name] * (1 + ROUNDING / 2))


def fraction(attained: float, bound: float) -> float:
    """√(attained/bound); 0 for 0/0.

    >>> fraction(1.0, 4.0), fraction(1.0, 0.0), fraction(0.0, 0.0)
    (0.5, inf, 0.0)
    """
    if attained <= 0:
        return 0.0
    return math.sqrt(attained / bound) if bound > 0 else math.inf
