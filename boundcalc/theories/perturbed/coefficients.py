"""The compiled coefficients of one family, as people and reports see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from boundcalc.arithmetic import Arithmetic, Number, Scalar
from boundcalc.errors import SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.theories.perturbed import sites
from boundcalc.theories.perturbed.families import (
    COLUMNS,
    FAMILIES,
    Bounds,
    Family,
    in_best_kind,
)

#: Most sites whose Gram matrix is written out unless it is asked for.
GRAM_SITES = 128


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of E‖ũ−u‖² and ‖E[ũ−u]‖² for every site of a graph.

    Attributes
    ----------
    graph, family
        What was compiled.
    columns
        Column name (:data:`~boundcalc.theories.perturbed.families.COLUMNS`) → numbers
        by operator, 0 to N; empty where a symbol has no value.
    missing
        Why ``columns`` is empty, or None.
    """

    graph: OperatorGraph
    family: Family
    columns: dict[str, tuple[Number, ...]]
    missing: str | None

    @cached_property
    def bounds(self) -> Bounds | None:
        """Bounds at the spec's perturbations; None without any or with free symbols."""
        if self.missing or not self.graph.perturbations:
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

    def site_ids(self, column: str) -> tuple[str, ...]:
        """Operators whose perturbation can reach the gradient, for one column."""
        return self.graph.ids[1:] if "backward" in column else self.graph.ids[:-1]

    def by_id(self, column: str) -> dict[str, Number]:
        """One column as a mapping from operator id."""
        numbers = self.columns[column]
        entries = numbers[2:] if "backward" in column else numbers[1:-1]
        return dict(zip(self.site_ids(column), entries, strict=True))

    @property
    def gram_labels(self) -> tuple[str, ...]:
        """``forward:id`` and ``backward:id`` in the order of the Gram matrix."""
        forward = (f"forward:{name}" for name in self.graph.ids[:-1])
        backward = (f"backward:{name}" for name in self.graph.ids[1:])
        return (*forward, *backward)

    def gram(self) -> list[list[Number]] | None:
        """G with ζ² = zᵀGz over all sites (docs/theory.md, Theorem 4.5); sharp only.

        O(N²) for its 4(N−1)² entries.
        """
        if self.family.name != "sharp" or self.missing:
            return None

        def compute(kind: Arithmetic) -> list[list[Scalar]]:
            return sites.gram_matrix(self.graph.chain_constants(kind), kind)

        matrix, exact = in_best_kind(compute, self.graph.size)
        status = self.family.status(exact, bias=False)
        return [[Number(value, status) for value in row] for row in matrix]

    def separable(self) -> dict[str, Number] | None:
        """Coefficients of the separable bound that is best at the spec's levels; sharp only.

        Site label → D_j; only sites with a perturbation have one.
        """
        if self.family.name != "sharp" or self.bounds is None:
            return None

        def compute(kind: Arithmetic) -> dict[str, Scalar]:
            levels = self.graph.levels(kind)
            forward, backward = sites.separable_coefficients(
                self.graph.chain_constants(kind), levels.e, levels.eps, kind
            )
            found = {}
            for name, column in (("forward", forward), ("backward", backward)):
                for k, value in enumerate(column):
                    if value is not None:
                        found[f"{name}:{self.graph.ids[k - 1]}"] = value
            return found

        values, exact = in_best_kind(compute, self.graph.size)
        status = self.family.status(exact, bias=False)
        return {name: Number(value, status) for name, value in values.items()}

    def formulas(self) -> dict[str, dict[str, str]] | None:
        """LaTeX of every coefficient in the spec's symbols; None for long chains."""
        from boundcalc.theories.perturbed.formulas import coefficient_latex

        return coefficient_latex(self.graph, self.family)

    def _repr_latex_(self) -> str:
        from boundcalc.theories.perturbed.formulas import RECURRENCES

        lines = r" \\ ".join(RECURRENCES[self.family.name])
        return rf"$$\begin{{aligned}} {lines} \end{{aligned}}$$"


def coefficients(graph: OperatorGraph, family: str | Family = "sharp") -> Coefficients:
    """Compile a graph into the variance and bias coefficients of one family.

    Parameters
    ----------
    graph
        A chain of N operators.
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

    def compute(kind: Arithmetic) -> dict[str, tuple[Scalar, ...]]:
        columns = chosen.columns(graph, kind)
        return {name: tuple(getattr(columns, name)) for name in COLUMNS}

    try:
        values, exact = in_best_kind(compute, graph.size)
    except SymbolError as error:
        return Coefficients(graph, chosen, {}, error.problem)
    columns = {}
    for name, column in values.items():
        status = chosen.status(exact, bias=name.startswith("bias"))
        columns[name] = tuple(Number(value, status) for value in column)
    return Coefficients(graph, chosen, columns, None)
