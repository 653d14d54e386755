"""The compiled coefficients of one family, as people and reports see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from boundcalc.arithmetic import Arithmetic, Number, Scalar
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SymbolError
from boundcalc.graph import OperatorGraph, Site
from boundcalc.showing import Gridded, Plotted, Shown, Tabular
from boundcalc.theories.perturbed import graph_sites, separable, sites
from boundcalc.theories.perturbed.families import (
    FAMILIES,
    SITE_OPERATORS,
    Bounds,
    Family,
)

#: Most sites whose Gram matrix is written out unless it is asked for.
GRAM_SITES = 128


@dataclass(frozen=True)
class Coefficients(Shown, Tabular, Gridded, Plotted):
    """Coefficients of E‖ũ−u‖² and ‖E[ũ−u]‖² for every site of a graph.

    Attributes
    ----------
    graph, family
        What was compiled.
    columns
        Column name (:data:`~boundcalc.theories.perturbed.families.COLUMNS`) → numbers
        in the order of :meth:`sites`, None for a site without a coefficient; empty where
        a symbol has no value or the family does not cover the graph.
    missing
        Why ``columns`` is empty, or None.
    refused
        Whether it is empty because the family does not cover the graph, or for its size.
    """

    graph: OperatorGraph
    family: Family
    columns: dict[str, tuple[Number | None, ...]]
    missing: str | None
    refused: bool = False

    @cached_property
    def bounds(self) -> Bounds | None:
        """Bounds at the spec's perturbations; None without any or with free symbols."""
        if (self.missing and not self.refused) or not self.graph.perturbations:
            return None
        try:
            return self.family.bounds(self.graph)
        except SymbolError:
            return None

    def error_bound(self) -> Number | None:
        """Bound on E‖ũ−u‖² for one sample at the spec's perturbations, all of them acting."""
        return None if self.bounds is None else self.bounds.error

    def bias_bound(self) -> Number | None:
        """Bound on ‖E[ũ−u]‖² for one sample at the spec's perturbations, all of them acting."""
        return None if self.bounds is None else self.bounds.bias

    def sites(self, column: str) -> tuple[Site, ...]:
        """Sites whose perturbation can reach the gradient, for one column."""
        direction = "backward" if "backward" in column else "forward"
        return tuple(site for site in self.graph.sites if site.direction == direction)

    def by_id(self, column: str) -> dict[str, Number | None]:
        """One column as a mapping from operator id, or from edge on a graph."""
        numbers = self.columns.get(column, ())
        return {
            site.label: number for site, number in zip(self.sites(column), numbers, strict=False)
        }

    @property
    def gram_labels(self) -> tuple[str, ...]:
        """``forward:id`` and ``backward:id`` in the order of the Gram matrix."""
        return tuple(f"{site.direction}:{site.label}" for site in self.graph.sites)

    def gram(self) -> list[list[Number]] | None:
        """G with ζ² = zᵀGz over all sites (docs/theory.md, Theorem 4.5); sharp only.

        None where an operator has a kink, for ζ² is no quadratic form then.  O(N²) for the
        4(N−1)² entries of a chain; on a graph O(N) for each of the S sites and O(N S²).
        """
        graph = self.graph
        if self.family.name != "sharp" or self.missing or not graph.smooth:
            return None

        def compute(kind: Arithmetic) -> list[list[Scalar]]:
            if graph.is_smooth_chain:
                return sites.gram_matrix(graph.chain_constants(kind), kind)
            M = graph_sites.response_matrix(graph.graph_constants(kind), graph.sites, kind)
            count, zero = range(len(graph.sites)), kind.number(0)
            return [[sum((row[j] * row[k] for row in M), zero) for k in count] for j in count]

        matrix, exact = in_best_kind(compute, graph.size)
        status = self.family.status(graph, exact, bias=False)
        return [[Number(value, status) for value in row] for row in matrix]

    def separable(
        self, profile: Literal["spec", "minimax"] | Mapping[str, object] | None = None
    ) -> dict[str, Number] | None:
        """Coefficients D_j of a separable bound Σ D_j z_j² ≥ ζ²; sharp only, without kinks.

        Parameters
        ----------
        profile
            ``spec`` (or None): the best D at the spec's levels, where the bound equals ζ².
            ``minimax``: D whose worst ratio to ζ² over all profiles z ≥ 0 is least.  Or levels
            by :attr:`gram_labels` (numbers or fractions; 0 where left out): the best D there.

        Returns
        -------
        Label → D_j.  A site with level 0, or without influence, has none: it must stay
        unperturbed, or has no effect.  None without a profile, where the family has no
        Gram matrix, or where a symbol has no value.

        Notes
        -----
        docs/theory.md, Theorems 4.5 and 4.15.  D is valid whatever the profile.

        Raises
        ------
        SpecError
            For a label that is not there, a level that is no number, or is negative.
        """
        if self.family.name != "sharp" or self.missing or not self.graph.smooth:
            return None
        if profile in (None, "spec") and self.bounds is None:
            return None
        return separable.coefficients(self.graph, self.family, profile or "spec")

    def formulas(self) -> dict[str, dict[str, str]] | None:
        """LaTeX of every coefficient in the spec's symbols; None for long chains and graphs."""
        from boundcalc.theories.perturbed.formulas import coefficient_latex

        return coefficient_latex(self.graph, self.family)

    def _repr_latex_(self) -> str:
        from boundcalc.theories.perturbed.formulas import recurrences

        lines = r" \\ ".join(recurrences(self.graph, self.family.name))
        return rf"$$\begin{{aligned}} {lines} \end{{aligned}}$$"


def coefficients(graph: OperatorGraph, family: str | Family = "sharp") -> Coefficients:
    """Compile a graph into the variance and bias coefficients of one family.

    Parameters
    ----------
    graph
        A graph of N operators.
    family
        ``published`` ((21), (33a), (33b) of [KZY] as printed), ``corrected`` (with E1,
        E2, E3 of docs/theory.md applied) or ``sharp`` (docs/theory.md, section 4).

    Returns
    -------
    Coefficients
        For ``published`` and ``corrected`` the bounds are Σ coefficient × moment.  For
        ``sharp`` each coefficient is that of its site alone; several sites combine
        through the Gram matrix or through :meth:`Coefficients.separable`.

    Notes
    -----
    O(N) time and memory; exact up to N = 64 where the constants are rational.

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: two operators
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... perturbations: [{at: f1, pass: forward, rms: 1, mean: 0, fourth: 1}]
    ... '''))
    >>> for family in ("published", "corrected", "sharp"):
    ...     found = bc.coefficients(graph, family)
    ...     print(family, found.error_bound(), found.bias_bound())
    published 16 64
    corrected 16 64
    sharp 2 0.5
    """
    chosen = FAMILIES[family] if isinstance(family, str) else family

    refusal = chosen.refusal(graph) or too_many_sites(graph)
    if refusal is not None:
        return Coefficients(graph, chosen, {}, refusal, refused=True)

    def compute(kind: Arithmetic) -> dict[str, tuple[Scalar, ...]]:
        return chosen.columns(graph, kind)

    try:
        values, exact = in_best_kind(compute, graph.size)
    except SymbolError as error:
        return Coefficients(graph, chosen, {}, error.problem)
    columns: dict[str, tuple[Number | None, ...]] = {}
    for name, column in values.items():
        status = chosen.status(graph, exact, bias=name.startswith("bias"))
        columns[name] = tuple(None if value is None else Number(value, status) for value in column)
    return Coefficients(graph, chosen, columns, None)


def too_many_sites(graph: OperatorGraph) -> str | None:
    """Why there are no coefficients of every site, or None."""
    if graph.is_smooth_chain:
        many = graph.size > SITE_OPERATORS
    else:
        many = graph_sites.too_many(graph.size, len(graph.sites))
    if not many:
        return None
    return (
        f"coefficients of single sites are left out on a graph of {graph.size} operators; "
        "the bounds at the spec's perturbations are there"
    )
