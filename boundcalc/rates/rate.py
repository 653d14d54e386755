"""Convergence bounds of a spec: every family, both regimes, term by term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.combine import added
from boundcalc.graph import OperatorGraph
from boundcalc.rates.bound import statement
from boundcalc.rates.inputs import (
    problem,
    status_in,
    step_limit,
    too_large_a_step,
)
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.rates.statements import Problem
from boundcalc.rates.timeline import Timeline
from boundcalc.showing import Plotted, Shown, Tabular
from boundcalc.theories.perturbed.families import FAMILIES, Bounds, Family


@dataclass(frozen=True)
class Rate(Shown, Tabular):
    """One family's bound in one regime.

    Attributes
    ----------
    bound
        On (1/T) Σ E‖∇ℓ‖² (nonconvex) or E[ℓ(w^T) − ℓ*] (PL); None where ``refused``
        says why.
    terms
        optimisation, sampling, perturbation_error, perturbation_bias; they add up
        to the bound.
    step_size_limit
        The largest step for which the statement holds, 1/(3L) or 1/L; None where it holds for
        none, as the training is not plain SGD.
    best_step
        A fixed step that nearly minimises the bound for this horizon, and the bound there.
        The step is an exact number below the limit, so that the bound there is proved where
        the spec's numbers are; that no other step is better is computed.
    refused
        Why there is no bound.
    source
        Theorem and equation.
    """

    family: str
    bound: Number | None
    terms: Mapping[str, Number]
    step_size_limit: Number | None
    best_step: tuple[Number, Number] | None
    refused: str | None
    source: str

    def split(self) -> dict[str, Number]:
        """Optimisation error, sampling noise and perturbation: three parts of the bound."""
        if self.bound is None:
            return {}
        t = self.terms
        return {
            "optimisation": t["optimisation"],
            "sampling": t["sampling"],
            "perturbation": added((t["perturbation_error"], t["perturbation_bias"])),
        }


@dataclass(frozen=True)
class Rates(Shown, Tabular, Plotted):
    """Every family's bounds.

    Attributes
    ----------
    nonconvex, pl
        Family name → :class:`Rate`; ``pl`` is empty when the spec claims no PL constant.
    """

    horizon: int
    step_size: Number
    nonconvex: Mapping[str, Rate]
    pl: Mapping[str, Rate]
    notes: tuple[str, ...] = field(default=())


def rates(graph: OperatorGraph, *, families: Mapping[str, Family] = FAMILIES) -> Rates:
    """Nonconvex and PL bounds of every family at the spec's step size and horizon.

    Parameters
    ----------
    graph
        A compiled spec with ``loss`` and ``training`` sections.

    Returns
    -------
    Rates
        Upper bounds; unit-free apart from the loss's own unit.  A bound whose step
        size is above the theorem's limit is refused, with the limit named.

    Raises
    ------
    SpecError
        If the spec lacks a constant that every rate needs.
    SymbolError
        If a symbol in it has no value.

    Notes
    -----
    Theorems 3 to 5 of [KZY]; docs/theory.md, Theorems 6.1 and 6.2.  Work is O(N) per
    distinct set of active perturbations, plus O(T) if some act only at some steps.
    The batch enters through docs/theory.md, Lemma 6.4.

    Examples
    --------
    >>> import boundcalc as bc
    >>> spec = bc.loads('''
    ... version: 1
    ... name: noise-free gradient descent
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    ... training: {step_size: 1/4, horizon: 100}
    ... ''')
    >>> {name: str(rate.bound) for name, rate in bc.rates(spec).nonconvex.items()}
    {'published': '0.24', 'corrected': '0.24', 'sharp': '0.08'}
    """
    p = problem(graph)
    timeline = Timeline(graph, p.horizon)
    bounds = {
        name: [family.best_bounds(graph, pattern.active) for pattern in timeline.patterns]
        for name, family in families.items()
    }
    nonconvex, pl = (
        {
            name: _regime(graph, p, timeline, family, bounds[name], regime)
            for name, family in families.items()
            if regime == "nonconvex" or p.mu is not None
        }
        for regime in ("nonconvex", "pl")
    )
    notes = [] if p.mu is not None else ["no PL constant is claimed (loss.pl): no PL bound"]
    return Rates(
        horizon=p.horizon,
        step_size=Number(p.step, status_in(p.kind), limit=True),
        nonconvex=nonconvex,
        pl=pl,
        notes=(*graph.notes, *notes),
    )


def refusal(graph: OperatorGraph, p: Problem, family: Family, bounds: list[Bounds]) -> str | None:
    """Why a family's theorem says nothing about these runs, or None."""
    return (
        not_plain_sgd(graph)
        or family.refusal(graph)
        or too_large_a_step(graph, p, family)
        or next((b.reason for b in bounds if b.bias is None), None)
    )


def _regime(
    graph: OperatorGraph,
    p: Problem,
    timeline: Timeline,
    family: Family,
    bounds: list[Bounds],
    regime: str,
) -> Rate:
    refused = refusal(graph, p, family, bounds)
    best = None
    terms: dict[str, Number] = {}
    if all(b.bias is not None for b in bounds) and not_plain_sgd(graph) is None:
        found = statement(graph, p, timeline, family, bounds, regime)
        best = found.at_best(found.best_step())
        if refused is None:
            terms = found.numbers()
    descent = family.descent
    source = descent.nonconvex_source if regime == "nonconvex" else descent.pl_source
    limit = step_limit(p, family) if not_plain_sgd(graph) is None else None
    return _rate(family, terms, limit, best, refused, source)


def _rate(
    family: Family,
    terms: dict[str, Number],
    limit: Number | None,
    best: tuple[Number, Number] | None,
    refused: str | None,
    source: str,
) -> Rate:
    bound = added(terms.values()) if terms else None
    return Rate(family.name, bound, terms, limit, best, refused, source)
